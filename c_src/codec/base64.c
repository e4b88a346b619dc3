/* base64: RFC 4648 section 4, always on one line, always padded. */
#include "codec/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/secret.h"
#include "codec/base64_kernel.h"

enum { REST_MOST = 10 };    /* characters that the portable kernel leaves */

/* What a text is made of, and what is wrong with it. */
struct shape {
    size_t body;   /* characters before the padding */
    size_t pad;    /* '=' behind them */
    enum smtpc_base64_fault fault;
    size_t where;
};

/* The best of a processor's kernels never changes, and to find it takes a few instructions. */
static const struct smtpc_base64_kernel *
kernel(void)
{
    return smtpc_base64_kernel(0);
}

size_t
smtpc_base64_encoded_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* The octets that fill no block, at most seven, in one that is filled up with zeros. */
static void
encode_rest(const char *octets, size_t n, char *to)
{
    char block[16] = {0}, text[16];
    size_t characters = (n * 8 + 5) / 6;
    size_t size = smtpc_base64_encoded_size(n);

    memcpy(block, octets, n);
    smtpc_base64_portable.encode(block, sizeof block, text);
    memset(text + characters, '=', size - characters);
    memcpy(to, text, size);
    smtpc_secret_wipe(block, sizeof block);
    smtpc_secret_wipe(text, sizeof text);
}

void
smtpc_base64_encode_to(const char *octets, size_t n, char *to)
{
    size_t i = kernel()->encode(octets, n, to);

    i += smtpc_base64_portable.encode(octets + i, n - i, to + i / 3 * 4);
    if (i < n)
        encode_rest(octets + i, n - i, to + i / 3 * 4);
}

int
smtpc_base64_encode(const char *octets, size_t n, struct smtpc_buffer *out)
{
    size_t size = smtpc_base64_encoded_size(n);
    char *end = n > SIZE_MAX / 2 ? NULL : smtpc_buffer_reserve(out, size);

    if (end == NULL)
        return -1;
    if (n > 0)
        smtpc_base64_encode_to(octets, n, end);
    out->length += size;
    return 0;
}

/* The six bits of a character, or -1. Only for a text that is at fault. */
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

/* The end of the text alone tells whether it can be right. */
static struct shape
shape_of(const char *text, size_t n, int strict)
{
    struct shape shape = {n, 0, SMTPC_BASE64_OK, 0};
    size_t need;

    while (shape.body > 0 && text[shape.body - 1] == '=')
        shape.body--;
    shape.pad = n - shape.body;
    need = shape.body % 4 == 0 ? 0 : 4 - shape.body % 4;
    if (need == 3)
        return faulty(SMTPC_BASE64_LENGTH, shape.body);
    if (shape.pad > need)
        return faulty(SMTPC_BASE64_PADDING, shape.body + need);
    if (strict && shape.pad < need)
        return faulty(SMTPC_BASE64_LENGTH, n);
    return shape;
}

/* A foreign character is named first: it tells most about what the text really is. */
static struct shape
diagnosis_of(const char *text, size_t n, int strict)
{
    struct shape shape = shape_of(text, n, strict);
    size_t body = n, i;
    const char *equals;

    while (body > 0 && text[body - 1] == '=')
        body--;
    for (i = 0; i < body; i++)
        if (text[i] != '=' && bits_of(text[i]) < 0)
            return faulty(SMTPC_BASE64_ALPHABET, i);
    equals = body > 0 ? memchr(text, '=', body) : NULL;
    if (equals != NULL)
        return faulty(SMTPC_BASE64_PADDING, (size_t)(equals - text));
    if (shape.fault == SMTPC_BASE64_OK && strict && body % 4 != 0
        && (bits_of(text[body - 1]) & (body % 4 == 3 ? 3 : 15)) != 0)
        return faulty(SMTPC_BASE64_SPARE_BITS, body - 1);
    return shape;
}

/* The characters that fill no block, at most ten, in one that is filled up with A, which stands for zeros: they show
 * spare bits that are none. 0, or -1. */
static int
decode_rest(const char *text, size_t n, int strict, char *to)
{
    char block[32], octets[32];
    size_t size = n * 3 / 4;
    size_t done;
    int result;

    memset(block, 'A', sizeof block);
    memcpy(block, text, n);
    done = smtpc_base64_portable.decode(block, sizeof block, octets);
    result = done < n || (strict && n % 4 != 0 && octets[size] != 0) ? -1 : 0;
    if (result == 0)
        memcpy(to, octets, size);
    smtpc_secret_wipe(block, sizeof block);
    smtpc_secret_wipe(octets, sizeof octets);
    return result;
}

/* 0, or -1 when the text is at fault; then anything may stand in the octets. */
static int
decode_body(const char *text, size_t n, int strict, char *to)
{
    size_t i = kernel()->decode(text, n, to);

    i += smtpc_base64_portable.decode(text + i, n - i, to + i / 4 * 3);
    return n - i > REST_MOST ? -1 : decode_rest(text + i, n - i, strict, to + i / 4 * 3);
}

static enum smtpc_base64_fault
decode(const char *text, size_t n, int strict, struct smtpc_buffer *out, size_t *where)
{
    struct shape shape = shape_of(text, n, strict);
    size_t size = shape.body / 4 * 3 + shape.body % 4 * 3 / 4;
    char *end = shape.fault == SMTPC_BASE64_OK ? smtpc_buffer_reserve(out, size) : NULL;

    *where = 0;
    if (end != NULL && (size == 0 || decode_body(text, shape.body, strict, end) == 0)) {
        out->length += size;
        return SMTPC_BASE64_OK;
    }
    if (end != NULL)
        smtpc_secret_wipe(end, size);
    shape = diagnosis_of(text, n, strict);
    *where = shape.where;
    return shape.fault != SMTPC_BASE64_OK ? shape.fault : SMTPC_BASE64_TOO_LONG;
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
