/* base64: RFC 4648 section 4, always on one line, always padded. */
#include "codec/base64.h"

#include <stdint.h>
#include <string.h>

/* What a text is made of, and what is wrong with it. */
struct shape {
    size_t body;   /* characters before the padding */
    size_t pad;    /* '=' behind them */
    enum smtpc_base64_fault fault;
    size_t where;
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
smtpc_base64_encoded_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

static void
encode_group(const char *octets, size_t n, char *out)
{
    unsigned long bits = 0;
    size_t i;

    for (i = 0; i < 3; i++)
        bits = bits << 8 | (i < n ? (unsigned char)octets[i] : 0);
    for (i = 0; i < 4; i++)
        out[i] = i <= n ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
}

int
smtpc_base64_encode(const char *octets, size_t n, struct smtpc_buffer *out)
{
    size_t size = smtpc_base64_encoded_size(n);
    char *end = n > SIZE_MAX / 2 ? NULL : smtpc_buffer_reserve(out, size);

    if (end == NULL)
        return -1;
    for (; n > 3; n -= 3, octets += 3, end += 4)
        encode_group(octets, 3, end);
    if (n > 0)
        encode_group(octets, n, end);
    out->length += size;
    return 0;
}

/* The six bits of a character, or -1. */
static int
bits_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

static struct shape
faulty(enum smtpc_base64_fault fault, size_t where)
{
    struct shape shape = {0, 0, fault, where};

    return shape;
}

/* A foreign character is named first: it tells most about what the text really is. */
static struct shape
shape_of(const char *text, size_t n, int strict)
{
    struct shape shape = {n, 0, SMTPC_BASE64_OK, 0};
    size_t i, need;
    const char *equals;

    while (shape.body > 0 && text[shape.body - 1] == '=')
        shape.body--;
    shape.pad = n - shape.body;
    need = shape.body % 4 == 0 ? 0 : 4 - shape.body % 4;
    for (i = 0; i < shape.body; i++)
        if (text[i] != '=' && bits_of(text[i]) < 0)
            return faulty(SMTPC_BASE64_ALPHABET, i);
    equals = shape.body > 0 ? memchr(text, '=', shape.body) : NULL;
    if (equals != NULL)
        return faulty(SMTPC_BASE64_PADDING, (size_t)(equals - text));
    if (need == 3)
        return faulty(SMTPC_BASE64_LENGTH, shape.body);
    if (shape.pad > need)
        return faulty(SMTPC_BASE64_PADDING, shape.body + need);
    if (strict && shape.pad < need)
        return faulty(SMTPC_BASE64_LENGTH, n);
    if (strict && need > 0 && (bits_of(text[shape.body - 1]) & (need == 1 ? 3 : 15)) != 0)
        return faulty(SMTPC_BASE64_SPARE_BITS, shape.body - 1);
    return shape;
}

static void
decode_body(const char *text, size_t n, char *out)
{
    unsigned long bits = 0;
    int held = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        bits = (bits << 6 | (unsigned long)bits_of(text[i])) & 0xfff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (char)(bits >> held & 0xff);
        }
    }
}

static enum smtpc_base64_fault
decode(const char *text, size_t n, int strict, struct smtpc_buffer *out, size_t *where)
{
    struct shape shape = shape_of(text, n, strict);
    size_t size = shape.body / 4 * 3 + shape.body % 4 * 3 / 4;
    char *end;

    *where = shape.where;
    if (shape.fault != SMTPC_BASE64_OK)
        return shape.fault;
    end = smtpc_buffer_reserve(out, size);
    if (end == NULL)
        return SMTPC_BASE64_TOO_LONG;
    decode_body(text, shape.body, end);
    out->length += size;
    return SMTPC_BASE64_OK;
}

enum smtpc_base64_fault
smtpc_base64_decode(const char *text, size_t n, struct smtpc_buffer *out, size_t *where)
{
    return decode(text, n, 1, out, where);
}

static int
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum smtpc_base64_fault
smtpc_base64_decode_wire(const char *text, size_t n, struct smtpc_buffer *out, size_t *where)
{
    size_t front = 0;
    enum smtpc_base64_fault fault;

    while (n > 0 && is_white(text[n - 1]))
        n--;
    while (front < n && is_white(text[front]))
        front++;
    if (front == n)
        front = n = 0;
    fault = decode(n == 0 ? "" : text + front, n - front, 0, out, where);
    *where += front;
    return fault;
}

const char *
smtpc_base64_fault_text(enum smtpc_base64_fault fault)
{
    static const char *const texts[] = {
        [SMTPC_BASE64_OK] = "no fault",
        [SMTPC_BASE64_ALPHABET] = "a character outside the alphabet",
        [SMTPC_BASE64_LENGTH] = "characters or padding missing at the end",
        [SMTPC_BASE64_PADDING] = "padding where none belongs",
        [SMTPC_BASE64_SPARE_BITS] = "unused bits of the last character that are not zero",
        [SMTPC_BASE64_TOO_LONG] = "more octets than there is room for",
    };

    return texts[fault];
}
