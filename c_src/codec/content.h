/* content: message text as DATA wants it: every line end CRLF, every leading dot doubled (RFC 5321 section 4.5.2). */
#ifndef SMTPC_CODEC_CONTENT_H
#define SMTPC_CODEC_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Where the last octet left us; kept across chunks. */
enum smtpc_content_place {
    SMTPC_CONTENT_LINE_START,
    SMTPC_CONTENT_IN_LINE,
    SMTPC_CONTENT_AFTER_CR      /* a CR came; its CRLF is not written before the next octet is known */
};

struct smtpc_content {
    enum smtpc_content_place place;
    int64_t size;               /* octets so far as SIZE counts them: CRLF is 2, doubled dots and the end are not */
};

/* The start of a message. */
void smtpc_content_init(struct smtpc_content *content);

/* Appends n octets to out: CRLF, LF and CR alone all become CRLF; a dot at a line start becomes two. At most 2n+2
 * octets are added. 0, or -1 when out cannot take them all; then nothing was added and the state is as before. */
int smtpc_content_append(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out);

/* Ends the last line if it has no end, then ".CRLF"; at most 5 octets. 0 or -1 as above. */
int smtpc_content_end(struct smtpc_content *content, struct smtpc_buffer *out);

/* What SIZE= would say of the whole message (RFC 1870): octets after normalisation, without dots and end. */
int64_t smtpc_content_measure(const char *octets, size_t n);

#endif
