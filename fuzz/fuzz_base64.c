/* fuzz_base64: encoding equals OpenSSL's, strict decoding undoes it and takes nothing else, the wire's forgives. */
#include "oracle.h"

#include <openssl/evp.h>

#include "codec/base64.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *octets = (const char *)data;

    check_encode(octets, size);
    check_strict(octets, size);
    check_wire(octets, size);
    return 0;
}
