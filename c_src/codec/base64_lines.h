/* base64_lines: the base64 of an attachment (RFC 2045 section 6.8): lines of 76 characters with CRLF, in pieces. */
#ifndef SMTPC_CODEC_BASE64_LINES_H
#define SMTPC_CODEC_BASE64_LINES_H

#include <stddef.h>
#include <stdint.h>

enum { SMTPC_BASE64_HELD_MAX = 56 };

/* Octets of a line that is not full yet; kept across pieces. Embedded; all zeros is the start. */
struct smtpc_base64_lines {
    char held[SMTPC_BASE64_HELD_MAX];
    size_t count;
};

/* What n octets come to, line ends and all. n is at most INT64_MAX / 2. */
int64_t smtpc_base64_lines_size(int64_t n);

/* What the next piece of n octets adds: whole lines only. n is at most SIZE_MAX / 2. */
size_t smtpc_base64_lines_room(const struct smtpc_base64_lines *lines, size_t n);

/* Writes that many characters to `to`, which may be NULL when they are none. */
void smtpc_base64_lines_put(struct smtpc_base64_lines *lines, const char *octets, size_t n, char *to);

/* Writes the last line, at most 78 characters, and returns their number, 0 when nothing is held; then all is as at
 * the start. */
size_t smtpc_base64_lines_end(struct smtpc_base64_lines *lines, char *to);

#endif
