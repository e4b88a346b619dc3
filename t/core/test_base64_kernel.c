/* test_base64_kernel: every kernel that runs here gives what the model gives, for every length, at every address. */
#include "tap.h"

#include <stdlib.h>

#include "base64_model.h"
#include "codec/base64.h"
#include "codec/base64_kernel.h"

enum { MOST = 400, OFFSETS = 33 };

static char octets[MOST];
static char text[2 * MOST];

static void
fill(unsigned seed)
{
    size_t i;

    for (i = 0; i < MOST; i++) {
        seed = seed * 1103515245u + 12345u;
        octets[i] = (char)(seed >> 16 & 255);
    }
}

typedef size_t work(const char *from, size_t n, char *to);

/* Runs it from and to memory that ends where it may read and write no further (ASan sees that; here 'z' does), at an
 * offset. Returns how much was taken, or MOST + 1 when the result is not what is expected. */
static size_t
run(work *kernel, const char *from, size_t n, const char *expected, size_t room, size_t offset, size_t per,
    size_t to_per)
{
    char *in = malloc(offset + n + 1), *out = malloc(offset + room + 8);
    size_t taken, made;

    memcpy(in + offset, from, n);
    memset(out, 'z', offset + room + 8);
    taken = kernel(in + offset, n, out + offset);
    made = taken / per * to_per;
    if (taken > n || taken % per != 0 || made > room || memcmp(out + offset, expected, made) != 0
        || memcmp(out + offset + room, "zzzzzzzz", 8) != 0 || (offset > 0 && out[offset - 1] != 'z'))
        taken = MOST + 1;
    free(in);
    free(out);
    return taken;
}

static void
test_every_length_and_offset(const struct smtpc_base64_kernel *kernel)
{
    size_t n, offset, taken, bad = 0, left = 0;

    for (n = 0; n <= MOST; n++) {
        for (offset = 0; offset < (n < 150 ? OFFSETS : 2); offset++) {
            base64_model(octets, n, 0, text);
            taken = run(kernel->encode, octets, n, text, (n * 8 + 5) / 6, offset, 3, 4);
            bad += taken > n;
            left = n - taken > left ? n - taken : left;
            taken = run(kernel->decode, text, (n * 8 + 5) / 6, octets, n, offset, 4, 3);
            bad += taken > 2 * n;
            base64_model(octets, n, 76, text);
            taken = run(kernel->encode_lines, octets, n, text, (n / 57) * 78 + (n % 57 * 8 + 5) / 6, offset, 57, 78);
            bad += taken > n || n - taken >= 57 + 4;
        }
    }
    ok(bad == 0 && left < 48, "%s: every length and offset, %zu octets left at most", kernel->name, left);
}

/* Whatever stands where: a character is taken if and only if the alphabet has it, and what is before it is right. */
static void
test_every_character_in_every_place(const struct smtpc_base64_kernel *kernel)
{
    size_t i, bad = 0, taken, least;
    int c;
    char one[128], out[128];

    base64_model(octets, 96, 0, one);
    least = kernel->decode(one, sizeof one, out);
    for (i = 0; i < least; i++)
        for (c = 0; c < 256; c++) {
            char kept = one[i];

            one[i] = (char)c;
            taken = kernel->decode(one, sizeof one, out);
            one[i] = kept;
            if (base64_model_value((char)c) < 0)
                bad += taken > i;
            else
                bad += taken != least || memcmp(out, octets, i / 4 * 3) != 0;
            if (taken > i) {
                int value = base64_model_value((char)c);
                unsigned char *at = (unsigned char *)out + i / 4 * 3;
                unsigned long number = (unsigned long)at[0] << 16 | (unsigned long)at[1] << 8 | at[2];

                bad += (int)(number >> 6 * (3 - i % 4) & 63) != value;
            }
        }
    ok(bad == 0 && least >= 64, "%s: every character in every place", kernel->name);
}

/* By the way that programs go: the best kernel for most of it, and the portable one for the rest. */
static void
test_together(void)
{
    struct smtpc_buffer encoded, decoded;
    size_t n, i, where, bad = 0;

    for (n = 0; n <= MOST; n++) {
        size_t length = base64_model(octets, n, 0, text);

        smtpc_buffer_init(&encoded, length);
        smtpc_buffer_init(&decoded, n);
        bad += smtpc_base64_encode(octets, n, &encoded) != 0 || encoded.length != length
            || (n > 0 && memcmp(encoded.bytes, text, length) != 0);
        bad += smtpc_base64_decode(text, length, &decoded, &where) != SMTPC_BASE64_OK || decoded.length != n
            || (n > 0 && memcmp(decoded.bytes, octets, n) != 0);
        smtpc_buffer_truncate(&decoded, 0);
        for (i = 0; i < length && text[i] != '='; i++) {
            char kept = text[i];

            text[i] = (char)(i % 2 == 0 ? '*' : 200);
            bad += smtpc_base64_decode(text, length, &decoded, &where) != SMTPC_BASE64_ALPHABET || where != i
                || decoded.length != 0;
            text[i] = kept;
        }
        smtpc_buffer_clear(&encoded);
        smtpc_buffer_clear(&decoded);
    }
    ok(bad == 0, "every length there and back, and a foreign character at every place of it");
}

int
main(void)
{
    const struct smtpc_base64_kernel *kernel = NULL;
    size_t i;

    fill(1);
    for (i = 0; smtpc_base64_kernel(i) != NULL; i++) {
        kernel = smtpc_base64_kernel(i);
        test_every_length_and_offset(kernel);
        test_every_character_in_every_place(kernel);
    }
    ok(kernel == &smtpc_base64_portable, "the portable kernel is the last of %zu", i);
    test_together();
    return tap_done();
}
