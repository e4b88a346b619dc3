/* base64_kernel: which kernels there are, and the portable one: eight characters in a word of 64 bits. */
#include "codec/base64_kernel.h"

#include <stdint.h>
#include <string.h>

/* The idea: eight characters lie in the eight octets of one word, the first in the highest, and each step is done to
 * all of them by one operation. Which range an octet is in is told by adding what brings its top bit up. */

#define ALL(octet) ((uint64_t)(octet) * 0x0101010101010101)

enum { BLOCK = 6, CHARACTERS = 8 };

static uint64_t
word_at(const char *from)
{
    const unsigned char *p = (const unsigned char *)from;

    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32
         | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

static void
put_word(uint64_t word, char *to)
{
    unsigned char *p = (unsigned char *)to;

    p[0] = (unsigned char)(word >> 56);
    p[1] = (unsigned char)(word >> 48);
    p[2] = (unsigned char)(word >> 40);
    p[3] = (unsigned char)(word >> 32);
    p[4] = (unsigned char)(word >> 24);
    p[5] = (unsigned char)(word >> 16);
    p[6] = (unsigned char)(word >> 8);
    p[7] = (unsigned char)word;
}

/* The low 48 bits, six to an octet. */
static uint64_t
spread(uint64_t bits)
{
    bits = (bits & 0xffffff000000) << 8 | (bits & 0xffffff);
    bits = (bits & 0x00fff00000fff000) << 4 | (bits & 0x00000fff00000fff);
    return (bits & 0x0fc00fc00fc00fc0) << 2 | (bits & 0x003f003f003f003f);
}

static uint64_t
gather(uint64_t word)
{
    word = (word & 0x3f003f003f003f00) >> 2 | (word & 0x003f003f003f003f);
    word = (word & 0x0fff00000fff0000) >> 4 | (word & 0x00000fff00000fff);
    return (word & 0x00ffffff00000000) >> 8 | (word & 0xffffff);
}

/* 1 in each octet that is at least least; all are below 128. */
static uint64_t
at_least(uint64_t word, unsigned least)
{
    return (word + ALL(128 - least)) >> 7 & ALL(1);
}

/* A is 65, and each of the other ranges of the alphabet begins so much above or below the end of the one before. */
static uint64_t
characters_of(uint64_t word)
{
    return word + ALL('A') + at_least(word, 26) * 6 - at_least(word, 52) * 75 - at_least(word, 62) * 15
         + at_least(word, 63) * 3;
}

/* 1 in each octet from first to last; all are below 128. */
static uint64_t
between(uint64_t word, unsigned first, unsigned last)
{
    return ((word + ALL(128 - first)) & ~(word + ALL(127 - last))) >> 7 & ALL(1);
}

/* Six bits in each octet, or -1: no octet has its top two bits. */
static uint64_t
bits_of(uint64_t word)
{
    uint64_t seven = word & ALL(127);
    uint64_t upper = between(seven, 'A', 'Z'), lower = between(seven, 'a', 'z'), digit = between(seven, '0', '9');
    uint64_t plus = between(seven, '+', '+'), slash = between(seven, '/', '/');

    if (((upper | lower | digit | plus | slash) & ~(word >> 7)) != ALL(1))
        return UINT64_MAX;
    return seven - upper * 65 - lower * 71 + digit * 4 + plus * 19 + slash * 16;
}

/* Reads eight octets, of which it needs six. */
static void
encode_block(const char *from, char *to)
{
    put_word(characters_of(spread(word_at(from) >> 16)), to);
}

static size_t
encode(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= 8; i += BLOCK, to += CHARACTERS)
        encode_block(from + i, to);
    return i;
}

/* The last block of a line begins within the one before it. */
static size_t
encode_lines(const char *from, size_t n, char *to)
{
    size_t i, k;

    for (i = 0; n - i >= SMTPC_BASE64_LINE_OCTETS + 2; i += SMTPC_BASE64_LINE_OCTETS) {
        for (k = 0; k < 9; k++)
            encode_block(from + i + k * BLOCK, to + k * CHARACTERS);
        encode_block(from + i + SMTPC_BASE64_LINE_OCTETS - BLOCK, to + SMTPC_BASE64_LINE_CHARACTERS - CHARACTERS);
        memcpy(to + SMTPC_BASE64_LINE_CHARACTERS, "\r\n", 2);
        to += SMTPC_BASE64_LINE_CHARACTERS + 2;
    }
    return i;
}

/* Writes eight octets, of which six are good, so that three more characters must follow. */
static size_t
decode(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= CHARACTERS + 3; i += CHARACTERS, to += BLOCK) {
        uint64_t word = bits_of(word_at(from + i));

        if (word == UINT64_MAX)
            break;
        put_word(gather(word) << 16, to);
    }
    return i;
}

static int
runs_here(void)
{
    return 1;
}

const struct smtpc_base64_kernel smtpc_base64_portable = {"portable", runs_here, encode, encode_lines, decode};

const struct smtpc_base64_kernel *
smtpc_base64_kernel(size_t i)
{
    static const struct smtpc_base64_kernel *const kernels[] = {
#if defined SMTPC_BASE64_X86
        &smtpc_base64_avx2, &smtpc_base64_ssse3,
#elif defined SMTPC_BASE64_NEON
        &smtpc_base64_neon,
#endif
        &smtpc_base64_portable,
    };
    size_t k;

    for (k = 0; k < sizeof kernels / sizeof kernels[0]; k++)
        if (kernels[k]->runs_here() && i-- == 0)
            return kernels[k];
    return NULL;
}
