/* fuzz_base64: encoding equals OpenSSL's, strict decoding undoes it and takes nothing else, the wire's forgives; each
 * kernel and the lines give what the model gives. */
#include "oracle.h"

#include <openssl/evp.h>

#include "../t/core/base64_model.h"
#include "codec/base64.h"
#include "codec/base64_kernel.h"
#include "codec/base64_lines.h"

static void
check_encode(const char *octets, size_t n)
{
    unsigned char *expected = malloc(n / 3 * 4 + 5);
    int length = EVP_EncodeBlock(expected, (const unsigned char *)octets, (int)n);
    struct smtpc_buffer text, back;
    size_t where;

    smtpc_buffer_init(&text, smtpc_base64_encoded_size(n));
    smtpc_buffer_init(&back, n);
    must(smtpc_base64_encode(octets, n, &text) == 0);
    must(text.length == (size_t)length && memcmp(text.bytes, expected, text.length) == 0);
    must(smtpc_base64_decode(text.bytes, text.length, &back, &where) == SMTPC_BASE64_OK);
    must(back.length == n && (n == 0 || memcmp(back.bytes, octets, n) == 0));
    smtpc_buffer_clear(&text);
    smtpc_buffer_clear(&back);
    free(expected);
}

static void
check_strict(const char *text, size_t n)
{
    struct smtpc_buffer octets, again;
    size_t where;
    enum smtpc_base64_fault fault;

    smtpc_buffer_init(&octets, n);
    smtpc_buffer_init(&again, n + 4);
    fault = smtpc_base64_decode(text, n, &octets, &where);
    must(fault != SMTPC_BASE64_TOO_LONG && (fault == SMTPC_BASE64_OK || (octets.length == 0 && where <= n)));
    smtpc_base64_encode(octets.bytes, octets.length, &again);
    if (fault == SMTPC_BASE64_OK)
        must(again.length == n && (n == 0 || memcmp(again.bytes, text, n) == 0));
    smtpc_buffer_clear(&octets);
    smtpc_buffer_clear(&again);
}

/* What was forgiven: white space around, padding that is missing, the last character's spare bits. */
static void
check_wire(const char *text, size_t n)
{
    struct smtpc_buffer octets, again;
    size_t where, body;
    enum smtpc_base64_fault fault;

    smtpc_buffer_init(&octets, n);
    smtpc_buffer_init(&again, n + 4);
    fault = smtpc_base64_decode_wire(text, n, &octets, &where);
    must(where <= n && (fault == SMTPC_BASE64_OK || octets.length == 0));
    if (fault == SMTPC_BASE64_OK && octets.length > 0) {
        while (strchr(" \t\r\n", *text) != NULL)
            text++;
        smtpc_base64_encode(octets.bytes, octets.length, &again);
        body = (octets.length * 8 + 5) / 6;
        must(memcmp(again.bytes, text, body - 1) == 0);
    }
    smtpc_buffer_clear(&octets);
    smtpc_buffer_clear(&again);
}

/* Each kernel stops no earlier than its blocks demand, and what it has made is right. */
static void
check_kernels(const char *octets, size_t n)
{
    char *expected = malloc(n / 3 * 4 + n / 28 + 8), *made = malloc(n / 3 * 4 + n / 28 + 8);
    const struct smtpc_base64_kernel *kernel;
    size_t i, k, done;

    for (k = 0; (kernel = smtpc_base64_kernel(k)) != NULL; k++) {
        base64_model(octets, n, 0, expected);
        done = kernel->encode(octets, n, made);
        must(done % 3 == 0 && done <= n && n - done < 48 && memcmp(made, expected, done / 3 * 4) == 0);
        base64_model(octets, n, 76, expected);
        done = kernel->encode_lines(octets, n, made);
        must(done % 57 == 0 && done <= n && n - done < 61 && memcmp(made, expected, done / 57 * 78) == 0);
        done = kernel->decode(octets, n, made);
        must(done % 4 == 0 && done <= n);
        for (i = 0; i < done; i++)
            must(base64_model_value(octets[i]) >= 0);
        base64_model(made, done / 4 * 3, 0, expected);
        must(memcmp(expected, octets, done) == 0);
        for (i = done; i < n && base64_model_value(octets[i]) >= 0;)
            i++;
        must(i - done < 64 || n - done < 64);
    }
    free(expected);
    free(made);
}

static void
check_lines(const char *octets, size_t n)
{
    char *expected = malloc(n / 3 * 4 + n / 28 + 8), *made = malloc(n / 3 * 4 + n / 28 + 90);
    size_t at, piece, length = 0;
    uint32_t seed = n > 0 ? (uint8_t)octets[n - 1] : 0;
    struct smtpc_base64_lines lines = {{0}, 0};

    for (at = 0; at < n; at += piece) {
        size_t room;

        piece = next_piece(&seed, n - at);
        room = smtpc_base64_lines_room(&lines, piece);
        smtpc_base64_lines_put(&lines, octets + at, piece, made + length);
        length += room;
    }
    length += smtpc_base64_lines_end(&lines, made + length);
    must((int64_t)length == smtpc_base64_lines_size((int64_t)n));
    must(length == base64_model(octets, n, 76, expected) && memcmp(made, expected, length) == 0);
    free(expected);
    free(made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *octets = (const char *)data;

    check_encode(octets, size);
    check_strict(octets, size);
    check_wire(octets, size);
    check_kernels(octets, size);
    check_lines(octets, size);
    return 0;
}
