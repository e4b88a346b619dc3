/* leak: whether octets show eight or more octets of a secret in a row: as they are, in base64, in hexadecimal, or in
 * one of these inside another. */
#ifndef FUZZ_LEAK_H
#define FUZZ_LEAK_H

#include "oracle.h"

enum { LEAK_WINDOW = 8, LEAK_BLOCK = LEAK_WINDOW / 2, LEAK_DEPTH = 2 };

static const char leak_secret[] = "Tr0ub4dor-ampersand-3";

/* How many octets in a row are the same from a and b on. */
static inline size_t
leak_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t n = 0;

    while (n < a_length && n < b_length && a[n] == b[n])
        n++;
    return n;
}

/* A window of the secret holds at least one of the blocks that begin at a multiple of half a window. */
static inline int
leak_in_clear(const char *octets, size_t n)
{
    enum { LENGTH = sizeof leak_secret - 1 };
    size_t i, block, back;

    for (i = 0; i + LEAK_BLOCK <= n; i++)
        for (block = 0; block + LEAK_BLOCK <= LENGTH; block += LEAK_BLOCK) {
            if (octets[i] != leak_secret[block] || memcmp(octets + i, leak_secret + block, LEAK_BLOCK) != 0)
                continue;
            for (back = 0; back < i && back < block && octets[i - back - 1] == leak_secret[block - back - 1]; back++)
                continue;
            if (back + leak_same(octets + i, n - i, leak_secret + block, LENGTH - block) >= LEAK_WINDOW)
                return 1;
        }
    return 0;
}

/* What a character is worth in 2^bits digits; -1: nothing. */
static inline int
leak_digit(char c, int bits)
{
    if (c >= '0' && c <= '9')
        return bits == 4 ? c - '0' : c - '0' + 52;
    if (bits == 4)
        return (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static inline int leak_deep(const char *octets, size_t n, int depth);

/* A run of digits, from each place where a group may begin. */
static inline int
leak_in_run(const char *run, size_t n, int bits, int depth)
{
    char *decoded = malloc(n);
    size_t start, i;
    int leaks = 0;

    must(decoded != NULL);
    for (start = 0; !leaks && start < (bits == 4 ? 2 : 4); start++) {
        unsigned held = 0;
        size_t length = 0;
        int width = 0;

        for (i = start; i < n; i++) {
            held = held << bits | (unsigned)leak_digit(run[i], bits);
            width += bits;
            if (width >= 8) {
                width -= 8;
                decoded[length++] = (char)(held >> width & 0xff);
            }
        }
        leaks = leak_deep(decoded, length, depth - 1);
    }
    free(decoded);
    return leaks;
}

static inline int
leak_encoded(const char *octets, size_t n, int bits, int depth)
{
    size_t i, end;

    for (i = 0; i < n; i = end + 1) {
        for (end = i; end < n && leak_digit(octets[end], bits) >= 0; end++)
            continue;
        if (end - i > LEAK_WINDOW && leak_in_run(octets + i, end - i, bits, depth))
            return 1;
    }
    return 0;
}

static inline int
leak_deep(const char *octets, size_t n, int depth)
{
    if (leak_in_clear(octets, n))
        return 1;
    return depth > 0 && (leak_encoded(octets, n, 6, depth) || leak_encoded(octets, n, 4, depth));
}

static inline int
leaks(const char *octets, size_t n)
{
    return leak_deep(octets, n, LEAK_DEPTH);
}

#endif
