/* submission: one message under way or over: its envelope, what went wrong, and the server's last words about it. */
#ifndef SMTPC_SMTP_SUBMISSION_H
#define SMTPC_SMTP_SUBMISSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/content.h"
#include "codec/reply.h"
#include "smtp/envelope.h"

/* How the content goes. What the server does not offer falls back to the one before. */
enum smtpc_manner {
    SMTPC_BY_DATA,        /* MAIL, RCPT and DATA in a group (RFC 2920), the content after 354 */
    SMTPC_BY_BDAT,        /* MAIL and RCPT in a group, chunks after their replies (RFC 3030) */
    SMTPC_BY_BDAT_AHEAD   /* MAIL, RCPT and the chunks without a wait: one flight */
};

enum { SMTPC_CHUNK_SIZE = 262144 };    /* octets of one BDAT, but for the last */

enum smtpc_chunks { SMTPC_CHUNKS_NONE, SMTPC_CHUNKS_TAKEN, SMTPC_CHUNKS_REFUSED };

struct smtpc_submission {
    /* for the caller */
    struct smtpc_envelope envelope;
    struct smtpc_error error;        /* none: somebody got it */
    char *words;                     /* all lines of the reply to its end, with LF between; NULL: none */
    size_t words_length;
    int code;                        /* of that reply */
    int is_over;                     /* nothing more will be heard of it */
    struct smtpc_content content;

    /* for the rows */
    int is_whole;                    /* the whole transaction runs by itself */
    int all_or_none;
    enum smtpc_manner manner;
    enum smtpc_chunks chunks;        /* whether it has begun with BDAT, and is not over */
    struct smtpc_buffer chunk;       /* what waits for its BDAT */
    int chunks_awaited;
    int mail_refused;
    int nobody;                      /* 354 although nobody is left: an empty message goes to nobody */
    size_t next_rcpt;                /* the next to be said */
    size_t heard_rcpt;               /* the next to be heard */
    size_t heard_end;                /* LMTP: the next whose end is to be heard */
    size_t awaited;                  /* commands of it that have no reply yet */
    int is_given;                    /* all of the content is there */
    int was_ended;                   /* the end was said */
    uint64_t end;                    /* octets the session has sent once the end has left; 0: not said, or answered */
    struct smtpc_submission *next;   /* the one behind it */
};

/* NULL when memory is out. */
struct smtpc_submission *smtpc_submission_new(void);
void smtpc_submission_free(struct smtpc_submission *submission);

/* As new, with no memory of any message. */
void smtpc_submission_reset(struct smtpc_submission *submission);

size_t smtpc_submission_accepted(const struct smtpc_submission *submission);

/* Keeps the reply to the end of the message. */
void smtpc_submission_keep_words(struct smtpc_submission *submission, const struct smtpc_reply *reply);

#endif
