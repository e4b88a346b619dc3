/* base64_x86: the kernels of base64 for AVX2 (24 octets at a time) and for SSSE3 (12), chosen when they run. */
#include "codec/base64_kernel.h"

#if defined SMTPC_BASE64_X86

#include <immintrin.h>
#include <string.h>

/* The idea: a byte shuffle lays the octets so that multiplications, which here are shifts of differing width, bring
 * each six bits to their place; a second shuffle is a table of sixteen entries in a register, and tells for the range
 * that each lies in what to add. AVX2 does in its two halves what SSSE3 does in one. */

#define SSSE3 __attribute__((target("ssse3")))
#define AVX2 __attribute__((target("avx2")))

/* 0 1 2 | 3 4 5 ... become the words of 16 bits 01 12 | 34 45 ... */
#define TRIPLES 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10

/* What to add to six bits: by how much they exceed 51, and 13 for those below 26. */
#define TO_CHARACTER 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0

/* What to add to a character, by its upper half; / has the row of 1, which is free. */
#define FROM_CHARACTER 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0

/* A bit each for the upper halves 2, 3, 4 and 6, 5 and 7, and all others; and those a lower half is wrong with. */
#define UPPER_HALF 16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16
#define WRONG_WITH 21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26

/* Three octets of each four, the highest first. */
#define THREE_OF_FOUR 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1

/* ---- SSSE3 ---- */

/* Reads 16 octets, of which it needs 12. */
SSSE3 static inline void
encode_12(const char *from, char *to)
{
    __m128i in = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i words = _mm_shuffle_epi8(in, _mm_setr_epi8(TRIPLES));
    __m128i first = _mm_mulhi_epu16(_mm_and_si128(words, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
    __m128i second = _mm_mullo_epi16(_mm_and_si128(words, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
    __m128i six = _mm_or_si128(first, second);
    __m128i below = _mm_and_si128(_mm_cmplt_epi8(six, _mm_set1_epi8(26)), _mm_set1_epi8(13));
    __m128i range = _mm_or_si128(_mm_subs_epu8(six, _mm_set1_epi8(51)), below);
    __m128i out = _mm_add_epi8(six, _mm_shuffle_epi8(_mm_setr_epi8(TO_CHARACTER), range));

    _mm_storeu_si128((__m128i *)(void *)to, out);
}

SSSE3 static size_t
encode_ssse3(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= 16; i += 12, to += 16)
        encode_12(from + i, to);
    return i;
}

/* The last block of a line begins within the one before it, and reads four octets of the next line. */
SSSE3 static size_t
encode_lines_ssse3(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= SMTPC_BASE64_LINE_OCTETS + 4; i += SMTPC_BASE64_LINE_OCTETS, to += 78) {
        encode_12(from + i, to);
        encode_12(from + i + 12, to + 16);
        encode_12(from + i + 24, to + 32);
        encode_12(from + i + 36, to + 48);
        encode_12(from + i + 45, to + 60);
        memcpy(to + 76, "\r\n", 2);
    }
    return i;
}

/* Writes 16 octets, of which 12 are good, so that six more characters must follow. */
SSSE3 static size_t
decode_ssse3(const char *from, size_t n, char *to)
{
    const __m128i four_bits = _mm_set1_epi8(15);
    size_t i;

    for (i = 0; n - i >= 22; i += 16, to += 12) {
        __m128i in = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
        __m128i upper = _mm_and_si128(_mm_srli_epi16(in, 4), four_bits);
        __m128i lower = _mm_and_si128(in, four_bits);
        __m128i wrong = _mm_and_si128(_mm_shuffle_epi8(_mm_setr_epi8(UPPER_HALF), upper),
                                      _mm_shuffle_epi8(_mm_setr_epi8(WRONG_WITH), lower));
        __m128i row = _mm_add_epi8(upper, _mm_cmpeq_epi8(in, _mm_set1_epi8('/')));
        __m128i six = _mm_add_epi8(in, _mm_shuffle_epi8(_mm_setr_epi8(FROM_CHARACTER), row));
        __m128i twelve = _mm_maddubs_epi16(six, _mm_set1_epi16(0x0140));
        __m128i three = _mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000));

        if (_mm_movemask_epi8(_mm_cmpgt_epi8(wrong, _mm_setzero_si128())) != 0)
            break;
        _mm_storeu_si128((__m128i *)(void *)to, _mm_shuffle_epi8(three, _mm_setr_epi8(THREE_OF_FOUR)));
    }
    return i;
}

/* ---- AVX2 ---- */

/* Reads 28 octets, of which it needs 24. */
AVX2 static inline void
encode_24(const char *from, char *to)
{
    __m128i left = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i right = _mm_loadu_si128((const __m128i *)(const void *)(from + 12));
    __m256i in = _mm256_inserti128_si256(_mm256_castsi128_si256(left), right, 1);
    __m256i words = _mm256_shuffle_epi8(in, _mm256_setr_epi8(TRIPLES, TRIPLES));
    __m256i first = _mm256_mulhi_epu16(_mm256_and_si256(words, _mm256_set1_epi32(0x0fc0fc00)),
                                       _mm256_set1_epi32(0x04000040));
    __m256i second = _mm256_mullo_epi16(_mm256_and_si256(words, _mm256_set1_epi32(0x003f03f0)),
                                        _mm256_set1_epi32(0x01000010));
    __m256i six = _mm256_or_si256(first, second);
    __m256i below = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), six), _mm256_set1_epi8(13));
    __m256i range = _mm256_or_si256(_mm256_subs_epu8(six, _mm256_set1_epi8(51)), below);
    __m256i out = _mm256_add_epi8(six, _mm256_shuffle_epi8(_mm256_setr_epi8(TO_CHARACTER, TO_CHARACTER), range));

    _mm256_storeu_si256((__m256i *)(void *)to, out);
}

AVX2 static size_t
encode_avx2(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= 28; i += 24, to += 32)
        encode_24(from + i, to);
    return i;
}

AVX2 static size_t
encode_lines_avx2(const char *from, size_t n, char *to)
{
    size_t i;

    for (i = 0; n - i >= SMTPC_BASE64_LINE_OCTETS + 4; i += SMTPC_BASE64_LINE_OCTETS, to += 78) {
        encode_24(from + i, to);
        encode_24(from + i + 24, to + 32);
        encode_24(from + i + 33, to + 44);
        memcpy(to + 76, "\r\n", 2);
    }
    return i;
}

/* Writes 32 octets, of which 24 are good, so that eleven more characters must follow. */
AVX2 static size_t
decode_avx2(const char *from, size_t n, char *to)
{
    const __m256i four_bits = _mm256_set1_epi8(15);
    const __m256i close_up = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
    size_t i;

    for (i = 0; n - i >= 43; i += 32, to += 24) {
        __m256i in = _mm256_loadu_si256((const __m256i *)(const void *)(from + i));
        __m256i upper = _mm256_and_si256(_mm256_srli_epi16(in, 4), four_bits);
        __m256i lower = _mm256_and_si256(in, four_bits);
        __m256i kind = _mm256_shuffle_epi8(_mm256_setr_epi8(UPPER_HALF, UPPER_HALF), upper);
        __m256i wrong = _mm256_shuffle_epi8(_mm256_setr_epi8(WRONG_WITH, WRONG_WITH), lower);
        __m256i row = _mm256_add_epi8(upper, _mm256_cmpeq_epi8(in, _mm256_set1_epi8('/')));
        __m256i add = _mm256_shuffle_epi8(_mm256_setr_epi8(FROM_CHARACTER, FROM_CHARACTER), row);
        __m256i twelve = _mm256_maddubs_epi16(_mm256_add_epi8(in, add), _mm256_set1_epi16(0x0140));
        __m256i three = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
        __m256i halves = _mm256_shuffle_epi8(three, _mm256_setr_epi8(THREE_OF_FOUR, THREE_OF_FOUR));

        if (!_mm256_testz_si256(kind, wrong))
            break;
        _mm256_storeu_si256((__m256i *)(void *)to, _mm256_permutevar8x32_epi32(halves, close_up));
    }
    return i;
}

static int
has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

static int
has_ssse3(void)
{
    return __builtin_cpu_supports("ssse3") != 0;
}

const struct smtpc_base64_kernel smtpc_base64_avx2 = {"AVX2", has_avx2, encode_avx2, encode_lines_avx2, decode_avx2};
const struct smtpc_base64_kernel smtpc_base64_ssse3 = {"SSSE3", has_ssse3, encode_ssse3, encode_lines_ssse3,
                                                       decode_ssse3};

#endif
