/* vectors: reads the tables in t/vectors, one row after the other, with their escapes. */
#ifndef T_CORE_VECTORS_H
#define T_CORE_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS_LINE_MAX = 65536, VECTORS_FIELDS_MAX = 24 };

/* A table; field[] are the columns of the row that vectors_next has read. They may be changed in place. */
struct vectors {
    FILE *file;
    char line[VECTORS_LINE_MAX];
    char *field[VECTORS_FIELDS_MAX];
    int fields;
};

static inline void
vectors_bail_out(const char *what, const char *which)
{
    printf("Bail out! %s: %s\n", what, which);
    exit(1);
}

/* Opens t/vectors/NAME below SMTPC_TEST_TOP (or below the current folder). */
static inline void
vectors_open(struct vectors *vectors, const char *name)
{
    const char *top = getenv("SMTPC_TEST_TOP");
    char path[4096];

    snprintf(path, sizeof path, "%s/t/vectors/%s", top == NULL ? "." : top, name);
    vectors->file = fopen(path, "r");
    if (vectors->file == NULL)
        vectors_bail_out("cannot open", path);
}

/* 1 and the next row, or 0 at the end, where the table is closed. */
static inline int
vectors_next(struct vectors *vectors)
{
    char *p;

    do {
        if (fgets(vectors->line, sizeof vectors->line, vectors->file) == NULL) {
            fclose(vectors->file);
            return 0;
        }
    } while (vectors->line[0] == '#');
    p = strchr(vectors->line, '\n');
    if (p == NULL)
        vectors_bail_out("line too long", vectors->line);
    *p = '\0';
    vectors->fields = 0;
    for (p = vectors->line; p != NULL && vectors->fields < VECTORS_FIELDS_MAX; vectors->fields++) {
        vectors->field[vectors->fields] = p;
        p = strchr(p, '\t');
        if (p != NULL)
            *p++ = '\0';
    }
    return 1;
}

static inline int
vectors_hex_digit(char c, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

    if (c == '\0' || digit == NULL)
        vectors_bail_out("not hexadecimal", text);
    return (int)(digit - digits);
}

/* Hexadecimal to octets, in place; "" in quotes and "-" are no octets. Returns their number. */
static inline size_t
vectors_unhex(char *text)
{
    size_t n;

    if (strcmp(text, "\"\"") == 0 || strcmp(text, "-") == 0)
        return 0;
    for (n = 0; text[2 * n] != '\0'; n++)
        text[n] = (char)(vectors_hex_digit(text[2 * n], text) * 16 + vectors_hex_digit(text[2 * n + 1], text));
    return n;
}

/* Takes the escapes \r \n \t \\ \xNN away, in place; "" in quotes is no octets. Returns the number of octets. */
static inline size_t
vectors_unescape(char *text)
{
    char *in = text, *out = text;

    if (strcmp(text, "\"\"") == 0)
        return 0;
    while (*in != '\0') {
        if (*in != '\\') {
            *out++ = *in++;
        } else if (in[1] == 'x') {
            *out++ = (char)(vectors_hex_digit(in[2], in) * 16 + vectors_hex_digit(in[3], in));
            in += 4;
        } else {
            *out++ = (char)(in[1] == 'r' ? '\r' : in[1] == 'n' ? '\n' : in[1] == 't' ? '\t' : in[1]);
            in += 2;
        }
    }
    return (size_t)(out - text);
}

#endif
