/* base64_neon: the kernel of base64 for 64-bit ARM: 48 octets at a time. */
#include "codec/base64_kernel.h"

#if defined SMTPC_BASE64_NEON

#include <arm_neon.h>
#include <string.h>

/* The idea: loads that deal octets out to three or four registers in turn leave each six bits two shifts away from
 * their place, and the alphabet is a table of 64 entries in four registers. */

static const uint8_t alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* By character; 255 is none. */
static const uint8_t values[128] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 62, 255, 255, 255, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 255, 255, 255, 255, 255, 255,
    255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 255, 255, 255, 255, 255,
    255, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 255, 255, 255, 255, 255,
};

static inline uint8x16x4_t
table_at(const uint8_t *p)
{
    uint8x16x4_t table = {{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};

    return table;
}

static inline void
encode_48(const char *from, char *to, uint8x16x4_t table)
{
    const uint8x16_t low = vdupq_n_u8(63);
    uint8x16x3_t in = vld3q_u8((const uint8_t *)from);
    uint8x16x4_t out;
    int i;

    out.val[0] = vshrq_n_u8(in.val[0], 2);
    out.val[1] = vorrq_u8(vshlq_n_u8(in.val[0], 4), vshrq_n_u8(in.val[1], 4));
    out.val[2] = vorrq_u8(vshlq_n_u8(in.val[1], 2), vshrq_n_u8(in.val[2], 6));
    out.val[3] = in.val[2];
    for (i = 0; i < 4; i++)
        out.val[i] = vqtbl4q_u8(table, vandq_u8(out.val[i], low));
    vst4q_u8((uint8_t *)to, out);
}

static size_t
encode(const char *from, size_t n, char *to)
{
    uint8x16x4_t table = table_at(alphabet);
    size_t i;

    for (i = 0; n - i >= 48; i += 48, to += 64)
        encode_48(from + i, to, table);
    return i;
}

/* The second block of a line begins within the first. */
static size_t
encode_lines(const char *from, size_t n, char *to)
{
    uint8x16x4_t table = table_at(alphabet);
    size_t i;

    for (i = 0; n - i >= SMTPC_BASE64_LINE_OCTETS; i += SMTPC_BASE64_LINE_OCTETS, to += 78) {
        encode_48(from + i, to, table);
        encode_48(from + i + 9, to + 12, table);
        memcpy(to + 76, "\r\n", 2);
    }
    return i;
}

/* A character above 127 is in neither table: its own top bit tells. */
static size_t
decode(const char *from, size_t n, char *to)
{
    uint8x16x4_t low = table_at(values), high = table_at(values + 64);
    size_t i, k;

    for (i = 0; n - i >= 64; i += 64, to += 48) {
        uint8x16x4_t in = vld4q_u8((const uint8_t *)from + i), six;
        uint8x16_t wrong = vdupq_n_u8(0);
        uint8x16x3_t out;

        for (k = 0; k < 4; k++) {
            six.val[k] = vqtbx4q_u8(vqtbl4q_u8(low, in.val[k]), high, vsubq_u8(in.val[k], vdupq_n_u8(64)));
            wrong = vorrq_u8(wrong, vorrq_u8(six.val[k], in.val[k]));
        }
        if (vmaxvq_u8(wrong) > 127)
            break;
        out.val[0] = vorrq_u8(vshlq_n_u8(six.val[0], 2), vshrq_n_u8(six.val[1], 4));
        out.val[1] = vorrq_u8(vshlq_n_u8(six.val[1], 4), vshrq_n_u8(six.val[2], 2));
        out.val[2] = vorrq_u8(vshlq_n_u8(six.val[2], 6), six.val[3]);
        vst3q_u8((uint8_t *)to, out);
    }
    return i;
}

static int
runs_here(void)
{
    return 1;
}

const struct smtpc_base64_kernel smtpc_base64_neon = {"NEON", runs_here, encode, encode_lines, decode};

#endif
