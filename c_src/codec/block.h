/* block: sixty-four octets looked at together; the answer is a mask, in which the first octet has the lowest bit. */
#ifndef SMTPC_CODEC_BLOCK_H
#define SMTPC_CODEC_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SMTPC_BLOCK_SIZE = 64 };

/* at: read from any address; is: which of them are c; is_high: which are above 127. */

#if defined __SSE2__ && !defined SMTPC_PORTABLE    /* every x86-64 */
#include <emmintrin.h>

struct smtpc_block {
    __m128i a, b, c, d;
};

static inline struct smtpc_block
smtpc_block_at(const char *from)
{
    const __m128i *p = (const __m128i *)(const void *)from;
    struct smtpc_block block = {_mm_loadu_si128(p), _mm_loadu_si128(p + 1), _mm_loadu_si128(p + 2),
                                 _mm_loadu_si128(p + 3)};

    return block;
}

static inline uint64_t
smtpc_block_sixteen(__m128i part)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(part);
}

static inline uint64_t
smtpc_block_is_high(struct smtpc_block block)
{
    return smtpc_block_sixteen(block.a) | smtpc_block_sixteen(block.b) << 16
         | smtpc_block_sixteen(block.c) << 32 | smtpc_block_sixteen(block.d) << 48;
}

static inline uint64_t
smtpc_block_is(struct smtpc_block block, char c)
{
    const __m128i wanted = _mm_set1_epi8(c);
    struct smtpc_block answer = {_mm_cmpeq_epi8(block.a, wanted), _mm_cmpeq_epi8(block.b, wanted),
                                  _mm_cmpeq_epi8(block.c, wanted), _mm_cmpeq_epi8(block.d, wanted)};

    return smtpc_block_is_high(answer);
}

#elif defined __aarch64__ && defined __ARM_NEON && !defined __AARCH64EB__ && !defined SMTPC_PORTABLE
#include <arm_neon.h>

struct smtpc_block {
    uint8x16_t a, b, c, d;
};

static inline struct smtpc_block
smtpc_block_at(const char *from)
{
    const uint8_t *p = (const uint8_t *)from;
    struct smtpc_block block = {vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)};

    return block;
}

/* Each octet is 0 or 255. One bit of eight stays of each, in its own place, and neighbours are added three times. */
static inline uint64_t
smtpc_block_mask(struct smtpc_block block)
{
    const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    uint8x16_t left = vpaddq_u8(vandq_u8(block.a, places), vandq_u8(block.b, places));
    uint8x16_t right = vpaddq_u8(vandq_u8(block.c, places), vandq_u8(block.d, places));
    uint8x16_t both = vpaddq_u8(left, right);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

static inline uint64_t
smtpc_block_is_high(struct smtpc_block block)
{
    const uint8x16_t least = vdupq_n_u8(128);
    struct smtpc_block answer = {vcgeq_u8(block.a, least), vcgeq_u8(block.b, least),
                                  vcgeq_u8(block.c, least), vcgeq_u8(block.d, least)};

    return smtpc_block_mask(answer);
}

static inline uint64_t
smtpc_block_is(struct smtpc_block block, char c)
{
    const uint8x16_t wanted = vdupq_n_u8((uint8_t)c);
    struct smtpc_block answer = {vceqq_u8(block.a, wanted), vceqq_u8(block.b, wanted),
                                  vceqq_u8(block.c, wanted), vceqq_u8(block.d, wanted)};

    return smtpc_block_mask(answer);
}

#else

struct smtpc_block {
    uint64_t part[8];    /* eight octets each, the first the lowest */
};

static inline uint64_t
smtpc_block_eight_at(const char *from)
{
    const unsigned char *p = (const unsigned char *)from;

    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24
         | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline struct smtpc_block
smtpc_block_at(const char *from)
{
    struct smtpc_block block = {{smtpc_block_eight_at(from), smtpc_block_eight_at(from + 8),
                                 smtpc_block_eight_at(from + 16), smtpc_block_eight_at(from + 24),
                                 smtpc_block_eight_at(from + 32), smtpc_block_eight_at(from + 40),
                                 smtpc_block_eight_at(from + 48), smtpc_block_eight_at(from + 56)}};

    return block;
}

/* The multiplication brings the top bits of eight octets side by side. */
static inline uint64_t
smtpc_block_eight_high(uint64_t part)
{
    return (part >> 7 & 0x0101010101010101) * 0x0102040810204080 >> 56;
}

static inline uint64_t
smtpc_block_is_high(struct smtpc_block block)
{
    const uint64_t *p = block.part;

    return smtpc_block_eight_high(p[0]) | smtpc_block_eight_high(p[1]) << 8 | smtpc_block_eight_high(p[2]) << 16
         | smtpc_block_eight_high(p[3]) << 24 | smtpc_block_eight_high(p[4]) << 32
         | smtpc_block_eight_high(p[5]) << 40 | smtpc_block_eight_high(p[6]) << 48
         | smtpc_block_eight_high(p[7]) << 56;
}

/* An octet's top bit stays up where nothing of it differs from c. */
static inline uint64_t
smtpc_block_eight_is(uint64_t part, char c)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t differs = part ^ (unsigned char)c * (uint64_t)0x0101010101010101;

    return ~(((differs & low) + low) | differs | low);
}

static inline uint64_t
smtpc_block_is(struct smtpc_block block, char c)
{
    const uint64_t *p = block.part;
    struct smtpc_block answer = {{smtpc_block_eight_is(p[0], c), smtpc_block_eight_is(p[1], c),
                                  smtpc_block_eight_is(p[2], c), smtpc_block_eight_is(p[3], c),
                                  smtpc_block_eight_is(p[4], c), smtpc_block_eight_is(p[5], c),
                                  smtpc_block_eight_is(p[6], c), smtpc_block_eight_is(p[7], c)}};

    return smtpc_block_is_high(answer);
}

#endif

/* Of a mask that is not 0. */
static inline size_t
smtpc_block_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask);
}

static inline size_t
smtpc_block_last(uint64_t mask)
{
    return 63 - (size_t)__builtin_clzll(mask);
}

/* How many bits are up: added in pairs, in fours, in eights, and then all by a multiplication. */
static inline size_t
smtpc_block_count(uint64_t mask)
{
    mask -= mask >> 1 & 0x5555555555555555;
    mask = (mask & 0x3333333333333333) + (mask >> 2 & 0x3333333333333333);
    mask = (mask + (mask >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (size_t)(mask * 0x0101010101010101 >> 56);
}

#endif
