/* test_base64: every row of base64.tsv, and the limits. */
#include "tap.h"
#include "vectors.h"

#include <stdint.h>

#include "codec/base64.h"

typedef enum smtpc_base64_fault decoder(const char *, size_t, struct smtpc_buffer *, size_t *);

static const char *
verdict_of(enum smtpc_base64_fault fault)
{
    static const char *const names[] = {
        "ok", "error:alphabet", "error:length", "error:padding", "error:trailing-bits", "error:too-long",
    };

    return names[fault];
}

static void
check_decode(decoder *decode, const char *verdict, const char *text, size_t n, const char *octets,
             size_t octets_length, const char *id)
{
    struct smtpc_buffer out;
    size_t where = 0;
    enum smtpc_base64_fault fault;

    smtpc_buffer_init(&out, 1000);
    smtpc_buffer_append_string(&out, "before");
    fault = decode(text, n, &out, &where);
    is_string(verdict_of(fault), verdict, id);
    if (fault == SMTPC_BASE64_OK)
        is_octets(out.bytes + 6, out.length - 6, octets, octets_length, id);
    else
        ok(smtpc_buffer_equals(&out, "before") && where <= n, "%s: nothing was appended", id);
    smtpc_buffer_clear(&out);
}

static void
check_encode(const char *text, size_t n, const char *octets, size_t octets_length, const char *id)
{
    struct smtpc_buffer out;

    smtpc_buffer_init(&out, n);
    ok(smtpc_base64_encode(octets, octets_length, &out) == 0, "%s: encoded", id);
    is_octets(out.bytes, out.length, text, n, id);
    ok(smtpc_base64_encoded_size(octets_length) == n, "%s: the size was foretold", id);
    smtpc_buffer_clear(&out);
}

static void
test_vectors(void)
{
    static struct vectors v;

    vectors_open(&v, "base64.tsv");
    while (vectors_next(&v)) {
        size_t n = vectors_unescape(v.field[1]);
        size_t octets = vectors_unhex(v.field[4]);

        check_decode(smtpc_base64_decode, v.field[2], v.field[1], n, v.field[4], octets, v.field[0]);
        check_decode(smtpc_base64_decode_wire, v.field[3], v.field[1], n, v.field[4], octets, v.field[0]);
        if (strcmp(v.field[2], "ok") == 0)
            check_encode(v.field[1], n, v.field[4], octets, v.field[0]);
    }
}

static void
check_where(decoder *decode, const char *text, enum smtpc_base64_fault fault, size_t where)
{
    struct smtpc_buffer out;
    size_t at = 999;

    smtpc_buffer_init(&out, 1000);
    ok(decode(text, strlen(text), &out, &at) == fault && at == where, "'%s' is wrong at %zu", text, where);
    smtpc_buffer_clear(&out);
}

static void
test_where(void)
{
    check_where(smtpc_base64_decode, "Zm9v*mFy", SMTPC_BASE64_ALPHABET, 4);
    check_where(smtpc_base64_decode, "Zg==*", SMTPC_BASE64_ALPHABET, 4);
    check_where(smtpc_base64_decode, "AAA=BBB", SMTPC_BASE64_PADDING, 3);
    check_where(smtpc_base64_decode, "Zg===", SMTPC_BASE64_PADDING, 4);
    check_where(smtpc_base64_decode, "Z===", SMTPC_BASE64_LENGTH, 1);
    check_where(smtpc_base64_decode, "Zg", SMTPC_BASE64_LENGTH, 2);
    check_where(smtpc_base64_decode, "Zm9vZh==", SMTPC_BASE64_SPARE_BITS, 5);
    check_where(smtpc_base64_decode, "Zm9vZo==", SMTPC_BASE64_SPARE_BITS, 5);
    check_where(smtpc_base64_decode, "Zm8=", SMTPC_BASE64_OK, 0);
    check_where(smtpc_base64_decode, "Zm+=", SMTPC_BASE64_SPARE_BITS, 2);
    check_where(smtpc_base64_decode_wire, "  Zm9v*mFy ", SMTPC_BASE64_ALPHABET, 6);
    check_where(smtpc_base64_decode_wire, " \t\r\n", SMTPC_BASE64_OK, 0);
    check_where(smtpc_base64_decode_wire, "Zm9v\r\n", SMTPC_BASE64_OK, 0);
}

/* For each octet: in the alphabet or not, and the text for it comes back. */
static void
test_every_octet(void)
{
    struct smtpc_buffer text, octets;
    size_t where;
    int c, taken = 0, returned = 0;

    smtpc_buffer_init(&text, 100);
    smtpc_buffer_init(&octets, 100);
    for (c = 0; c < 256; c++) {
        char four[4] = {'A', 'A', 'A', (char)c}, one = (char)c;

        taken += smtpc_base64_decode(four, 4, &octets, &where) == SMTPC_BASE64_OK;
        smtpc_buffer_truncate(&octets, 0);
        smtpc_base64_encode(&one, 1, &text);
        smtpc_base64_decode(text.bytes, text.length, &octets, &where);
        returned += octets.length == 1 && octets.bytes[0] == one;
        smtpc_buffer_truncate(&text, 0);
        smtpc_buffer_truncate(&octets, 0);
    }
    ok(taken == 65, "64 characters and '=' can end four");
    ok(returned == 256, "every octet comes back");
    smtpc_buffer_clear(&text);
    smtpc_buffer_clear(&octets);
}

static void
test_limits(void)
{
    struct smtpc_buffer out;
    size_t where;

    smtpc_buffer_init(&out, 4);
    ok(smtpc_base64_encode("1234", 4, &out) == -1 && out.length == 0, "no room for the text");
    ok(smtpc_base64_encode("", SIZE_MAX, &out) == -1 && out.length == 0, "no size wraps around");
    ok(smtpc_base64_encode(NULL, 0, &out) == 0 && out.length == 0, "no octets");
    ok(smtpc_base64_decode("MTIzNDU=", 8, &out, &where) == SMTPC_BASE64_TOO_LONG && out.length == 0,
       "no room for the octets");
    ok(smtpc_base64_decode("MTIzNA==", 8, &out, &where) == SMTPC_BASE64_OK && smtpc_buffer_equals(&out, "1234"),
       "just room enough");
    ok(smtpc_base64_decode(NULL, 0, &out, &where) == SMTPC_BASE64_OK
       && smtpc_base64_decode_wire(NULL, 0, &out, &where) == SMTPC_BASE64_OK && out.length == 4, "no text");
    smtpc_buffer_clear(&out);
}

static void
test_fault_texts(void)
{
    int fault;

    for (fault = SMTPC_BASE64_OK; fault <= SMTPC_BASE64_TOO_LONG; fault++)
        ok(strlen(smtpc_base64_fault_text((enum smtpc_base64_fault)fault)) > 5, "fault %d has words", fault);
    is_string(smtpc_base64_fault_text(SMTPC_BASE64_ALPHABET), "a character outside the alphabet", "for example");
}

int
main(void)
{
    test_vectors();
    test_where();
    test_every_octet();
    test_limits();
    test_fault_texts();
    return tap_done();
}
