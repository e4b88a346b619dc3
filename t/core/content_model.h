/* content_model: what content.c must give, one octet at a time, so plain that it can be seen to be right. */
#ifndef T_CORE_CONTENT_MODEL_H
#define T_CORE_CONTENT_MODEL_H

#include <stddef.h>
#include <string.h>

/* Writes the whole wire form of a message, the final dot included, to wire (2n+5 octets); returns its length. */
static inline size_t
content_model(const char *text, size_t n, char *wire)
{
    char *w = wire;
    int at_start = 1;
    size_t i;

    for (i = 0; i < n; i++) {
        int ends = text[i] == '\n' || text[i] == '\r';

        if (text[i] == '.' && at_start)
            *w++ = '.';
        if (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n')
            i++;
        memcpy(w, ends ? "\r\n" : &text[i], ends ? 2 : 1);
        w += ends ? 2 : 1;
        at_start = ends;
    }
    memcpy(w, at_start ? ".\r\n" : "\r\n.\r\n", at_start ? 3 : 5);
    return (size_t)(w - wire) + (at_start ? 3 : 5);
}

#endif
