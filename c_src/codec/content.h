/* content: message text as DATA and BDAT want it: line ends CRLF, for DATA leading dots doubled (RFC 5321 4.5.2). */
#ifndef SMTPC_CODEC_CONTENT_H
#define SMTPC_CODEC_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Where the last octet left us; kept across chunks. */
enum smtpc_content_place {
    SMTPC_CONTENT_LINE_START,
    SMTPC_CONTENT_IN_LINE,
    SMTPC_CONTENT_AFTER_CR      /* a CR came and its CRLF is written; a LF that comes next is part of it */
};

enum smtpc_content_form {
    SMTPC_CONTENT_STUFFED,      /* for DATA */
    SMTPC_CONTENT_PLAIN,        /* line ends only, for BDAT */
    SMTPC_CONTENT_BINARY        /* octets as they are, for BDAT after BODY=BINARYMIME */
};

struct smtpc_content {
    enum smtpc_content_form form;
    enum smtpc_content_place place;
    int64_t size;               /* octets so far as SIZE counts them: CRLF is 2, doubled dots and the end are not */
};

/* The start of a message, one for each form. */
void smtpc_content_init(struct smtpc_content *content);
void smtpc_content_init_plain(struct smtpc_content *content);
void smtpc_content_init_binary(struct smtpc_content *content);

/* Appends n octets to out. CRLF, LF and CR alone all become CRLF, but for BINARY; a dot at a line start becomes two
 * when STUFFED. At most 2n+2 octets are added. 0, or -1 when out cannot take them all; then nothing was added and the
 * state is as before. */
int smtpc_content_append(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out);

/* Ends the last line if it has no end, but for BINARY; ".CRLF" after that when STUFFED. At most 5 octets. 0 or -1 as
 * above. */
int smtpc_content_end(struct smtpc_content *content, struct smtpc_buffer *out);

#endif
