/* base64_lines: the base64 of an attachment (RFC 2045 section 6.8): lines of 76 characters with CRLF, in pieces. */
#include "codec/base64_lines.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/base64_kernel.h"

enum { OCTETS = SMTPC_BASE64_LINE_OCTETS, LINE = SMTPC_BASE64_LINE_CHARACTERS + 2 };

int64_t
smtpc_base64_lines_size(int64_t n)
{
    int64_t rest = n % OCTETS;

    return n / OCTETS * LINE + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

size_t
smtpc_base64_lines_room(const struct smtpc_base64_lines *lines, size_t n)
{
    return (lines->count + n) / OCTETS * LINE;
}

static size_t
put_line(const char *octets, size_t n, char *to)
{
    size_t size = smtpc_base64_encoded_size(n);

    smtpc_base64_encode_to(octets, n, to);
    memcpy(to + size, "\r\n", 2);
    return size + 2;
}

/* Fills up the line that is held; returns how many octets that takes. */
static size_t
put_held(struct smtpc_base64_lines *lines, const char *octets, char *to)
{
    char line[OCTETS];
    size_t used = OCTETS - lines->count;

    memcpy(line, lines->held, lines->count);
    memcpy(line + lines->count, octets, used);
    put_line(line, OCTETS, to);
    lines->count = 0;
    return used;
}

void
smtpc_base64_lines_put(struct smtpc_base64_lines *lines, const char *octets, size_t n, char *to)
{
    size_t used = 0;

    if (lines->count > 0 && lines->count + n >= OCTETS) {
        used = put_held(lines, octets, to);
        to += LINE;
    }
    if (n - used >= OCTETS) {
        size_t done = smtpc_base64_kernel(0)->encode_lines(octets + used, n - used, to);

        used += done;
        to += done / OCTETS * LINE;
    }
    for (; n - used >= OCTETS; used += OCTETS, to += LINE)
        put_line(octets + used, OCTETS, to);
    if (n > used)
        memcpy(lines->held + lines->count, octets + used, n - used);
    lines->count += n - used;
}

size_t
smtpc_base64_lines_end(struct smtpc_base64_lines *lines, char *to)
{
    size_t size = lines->count == 0 ? 0 : put_line(lines->held, lines->count, to);

    lines->count = 0;
    return size;
}
