/* reply: the incremental reader of SMTP replies (RFC 5321 section 4.2), the same result for any cut of the octets. */
#ifndef SMTPC_CODEC_REPLY_H
#define SMTPC_CODEC_REPLY_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum {
    SMTPC_REPLY_LINE_MAX = 16384,     /* octets of a line, without its end */
    SMTPC_REPLY_SIZE_MAX = 262144,    /* octets of text, below */
    SMTPC_REPLY_LINES_MAX = 1000
};

enum smtpc_reply_status { SMTPC_REPLY_MORE, SMTPC_REPLY_DONE, SMTPC_REPLY_BAD };

/* One reply; embedded: init, feed until DONE, look, reset, feed on. The fields are for reading. */
struct smtpc_reply {
    int code;                            /* 200..599 once DONE */
    char enhanced[SMTPC_ENHANCED_MAX];   /* RFC 3463 code of the first line that has one, or "" */
    size_t line_count;
    struct smtpc_buffer text;            /* the lines' texts as received, without code, separator and line end, each
                                          * followed by one LF; CRs before the LF are dropped, NUL and 8 bit stay */
    const char *fault;                   /* static words when BAD: "bad-code", "bad-separator", "code-mismatch",
                                          * "line-too-long", "reply-too-long", "memory" */
    /* private */
    struct smtpc_buffer line;            /* the line that is being collected */
    int last_seen;                       /* a line without '-' has been heard */
};

void smtpc_reply_init(struct smtpc_reply *reply);
void smtpc_reply_clear(struct smtpc_reply *reply);

/* Forgets the reply and keeps the memory; the next feed begins a new one. */
void smtpc_reply_reset(struct smtpc_reply *reply);

/* Takes octets up to the end of the reply. *used says how many (all of them with MORE; with BAD how many were looked
 * at). BAD is decided on the first octets that cannot be a reply, before any line end (a TLS record has none), and is
 * sticky until reset. Not to be called again after DONE without reset. */
enum smtpc_reply_status smtpc_reply_feed(struct smtpc_reply *reply, const char *octets, size_t n, size_t *used);

/* 1 when nothing of a reply has come yet (so an end of file here cuts no reply in two). */
int smtpc_reply_is_empty(const struct smtpc_reply *reply);

/* The octets of line number i (from 0) without the LF, lent until the next feed or reset; *n their number. */
const char *smtpc_reply_line(const struct smtpc_reply *reply, size_t i, size_t *n);

/* Line i with its enhanced code (the one of class = first digit of the reply) and the blanks behind it taken off. */
const char *smtpc_reply_line_text(const struct smtpc_reply *reply, size_t i, size_t *n);

/* 2..5: the first digit of the code. */
int smtpc_reply_class(const struct smtpc_reply *reply);

#endif
