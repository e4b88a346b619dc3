/* oracle: what the fuzz targets share: a promise that must hold, and cuts that the input itself chooses. */
#ifndef FUZZ_ORACLE_H
#define FUZZ_ORACLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Aborts, also in builds without assert, when the promise is broken. */
#define must(promise) \
    do { \
        if (!(promise)) { \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise); \
            abort(); \
        } \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the next piece of n octets; a seed gives the same pieces again. 0 now and then, n at most. */
static inline size_t
next_piece(uint32_t *seed, size_t n)
{
    size_t piece;

    *seed = *seed * 1664525u + 1013904223u;
    piece = *seed >> 28 == 0 ? *seed >> 16 & 0xfff : *seed >> 24 & 7;
    return piece < n ? piece : n;
}

#endif
