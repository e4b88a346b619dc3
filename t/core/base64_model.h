/* base64_model: RFC 4648 section 4 and RFC 2045 section 6.8 by division, so plain that it can be seen to be right. */
#ifndef T_CORE_BASE64_MODEL_H
#define T_CORE_BASE64_MODEL_H

#include <stddef.h>
#include <string.h>

/* Writes the characters for n octets, in lines of `columns` with CRLF behind each, 0: without; returns how many. */
static inline size_t
base64_model(const char *octets, size_t n, size_t columns, char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i, k, column = 0, length = 0;

    for (i = 0; i < n; i += 3) {
        unsigned long number = 0;

        for (k = 0; k < 3; k++)
            number = number * 256 + (i + k < n ? (unsigned char)octets[i + k] : 0);
        for (k = 0; k < 4; k++)
            text[length + 3 - k] = alphabet[number % 64], number /= 64;
        if (i + 2 >= n)
            text[length + 3] = '=';
        if (i + 1 >= n)
            text[length + 2] = '=';
        length += 4;
        column += 4;
        if (columns > 0 && (column == columns || i + 3 >= n)) {
            memcpy(text + length, "\r\n", 2);
            length += 2;
            column = 0;
        }
    }
    return length;
}

/* The six bits of a character, or -1. */
static inline int
base64_model_value(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);

    return found == NULL ? -1 : (int)(found - alphabet);
}

#endif
