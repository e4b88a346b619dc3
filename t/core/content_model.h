/* content_model: what content.c must give, one octet at a time, so plain that it can be seen to be right. */
#ifndef T_CORE_CONTENT_MODEL_H
#define T_CORE_CONTENT_MODEL_H

#include <stddef.h>
#include <string.h>

#include "codec/content.h"
#include "codec/content_facts.h"

/* Writes the whole wire form of a message, for DATA the final dot included, to wire (2n+5 octets); returns its
 * length. */
static inline size_t
content_model_of(enum smtpc_content_form form, const char *text, size_t n, char *wire)
{
    char *w = wire;
    int at_start = 1;
    size_t i;

    if (form == SMTPC_CONTENT_BINARY && n > 0)
        memcpy(wire, text, n);
    if (form == SMTPC_CONTENT_BINARY)
        return n;
    for (i = 0; i < n; i++) {
        int ends = text[i] == '\n' || text[i] == '\r';

        if (text[i] == '.' && at_start && form == SMTPC_CONTENT_STUFFED)
            *w++ = '.';
        if (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n')
            i++;
        memcpy(w, ends ? "\r\n" : &text[i], ends ? 2 : 1);
        w += ends ? 2 : 1;
        at_start = ends;
    }
    if (!at_start) {
        memcpy(w, "\r\n", 2);
        w += 2;
    }
    if (form == SMTPC_CONTENT_STUFFED) {
        memcpy(w, ".\r\n", 3);
        w += 3;
    }
    return (size_t)(w - wire);
}

static inline size_t
content_model(const char *text, size_t n, char *wire)
{
    return content_model_of(SMTPC_CONTENT_STUFFED, text, n, wire);
}

/* What smtpc_content_scan must tell, but for the size, which the plain form has, and for the Message-ID. */
static inline struct smtpc_content_facts
content_model_facts(const char *text, size_t n)
{
    struct smtpc_content_facts facts;
    size_t i, length = 0;

    memset(&facts, 0, sizeof facts);
    for (i = 0; i < n; i++) {
        int is_pair = text[i] == '\r' && i + 1 < n && text[i + 1] == '\n';

        facts.eight_bit |= (unsigned char)text[i] > 127;
        facts.nul |= text[i] == '\0';
        facts.bare_cr += text[i] == '\r' && !is_pair;
        facts.bare_lf += text[i] == '\n';
        length = text[i] == '\r' || text[i] == '\n' ? 0 : length + 1;
        facts.longest_line = length > facts.longest_line ? length : facts.longest_line;
        i += (size_t)is_pair;
    }
    return facts;
}

static inline int
content_model_agrees(const struct smtpc_content_facts *facts, const char *text, size_t n)
{
    struct smtpc_content_facts model = content_model_facts(text, n);

    return facts->longest_line == model.longest_line && facts->bare_cr == model.bare_cr
        && facts->bare_lf == model.bare_lf && facts->eight_bit == model.eight_bit && facts->nul == model.nul;
}

#endif
