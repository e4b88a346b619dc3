/* envelope: the sender and the recipients of one transaction, and what became of each recipient. */
#ifndef SMTPC_SMTP_ENVELOPE_H
#define SMTPC_SMTP_ENVELOPE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/reply.h"

/* Every recipient ends with exactly one of the last five. */
enum smtpc_outcome {
    SMTPC_OUTCOME_NONE,        /* not asked yet */
    SMTPC_OUTCOME_ACCEPTED,    /* RCPT was accepted; the message is not through yet */
    SMTPC_OUTCOME_SENT,        /* 2yz after the end of data */
    SMTPC_OUTCOME_REFUSED,     /* 5yz */
    SMTPC_OUTCOME_DEFERRED,    /* 4yz */
    SMTPC_OUTCOME_NOT_SENT,    /* the transaction ended before the last octet of the content left the library */
    SMTPC_OUTCOME_UNKNOWN      /* the last octet left, no final reply came: never to be repeated unasked */
};

enum {
    SMTPC_RECIPIENT_TEXT_MAX = 1000,     /* octets of the server's words that are kept */
    SMTPC_ENVELOPE_LINE_GROWTH = 1300,   /* what the parameters of all extensions together may add to a line */
    SMTPC_ENVELOPE_TEXT_MAX = 65536      /* octets of a sender or of the parameters of MAIL, unchecked */
};

struct smtpc_recipient {
    char *path;                          /* the address, without brackets */
    size_t path_length;
    char *parameters;                    /* esmtp-params with blanks between; may be "" */
    enum smtpc_outcome outcome;
    const char *step;                    /* static: where the outcome was decided: "RCPT", "DATA", "end of data" */
    int code;                            /* of the reply that decided, 0: none */
    char enhanced[SMTPC_ENHANCED_MAX];
    char *text;                          /* first line of that reply, without enhanced code; NULL: none */
};

/* Embedded. Everything is copied. */
struct smtpc_envelope {
    struct smtpc_buffer sender;
    struct smtpc_buffer parameters;      /* of MAIL, with blanks between */
    int binary;                          /* BODY=BINARYMIME is among the parameters */
    int eight_bit;                       /* SMTPUTF8 is among the parameters: addresses may have octets above 127 */
    struct smtpc_recipient *recipients;
    size_t count;
    size_t room;
};

void smtpc_envelope_init(struct smtpc_envelope *envelope);
void smtpc_envelope_clear(struct smtpc_envelope *envelope);

/* Begins a new envelope. sender: an address without brackets, "" for the null path; parameters: "" or
 * "SIZE=1 BODY=8BITMIME". 0, or -1 when one is longer than SMTPC_ENVELOPE_TEXT_MAX or memory is out. */
int smtpc_envelope_open(struct smtpc_envelope *envelope, const char *sender, size_t n, const char *parameters);

/* 1 after an open that went well, until clear. */
int smtpc_envelope_is_open(const struct smtpc_envelope *envelope);

/* Adds a recipient at the end. 0, or -1 when memory is out. */
int smtpc_envelope_add(struct smtpc_envelope *envelope, const char *path, size_t n, const char *parameters);

/* Forgets the last recipient, one that was never sent. */
void smtpc_envelope_drop_last(struct smtpc_envelope *envelope);

/* Append the command lines of an open envelope to out. 0, or -1 with *error set (usage: names the argument and the
 * octet) and out as before. */
int smtpc_envelope_write_mail(const struct smtpc_envelope *envelope, struct smtpc_buffer *out,
                              struct smtpc_error *error);
int smtpc_envelope_write_rcpt(const struct smtpc_envelope *envelope, size_t i, struct smtpc_buffer *out,
                              struct smtpc_error *error);

/* Whether all lines can be written: 0 or -1 as above. Nothing need be sent to find a bad address. */
int smtpc_envelope_check(const struct smtpc_envelope *envelope, struct smtpc_error *error);

/* The reply to RCPT number i: accepted, refused or deferred. */
void smtpc_envelope_hear_rcpt(struct smtpc_envelope *envelope, size_t i, const struct smtpc_reply *reply);

/* One reply for all whose outcome is `from` so far (ACCEPTED at DATA and the end of data, NONE when MAIL was
 * refused): 2yz sent, 4yz deferred, 5yz refused. */
void smtpc_envelope_hear_all(struct smtpc_envelope *envelope, enum smtpc_outcome from, const char *step,
                             const struct smtpc_reply *reply);

/* The same for one alone, the next at or behind *i whose outcome is ACCEPTED; *i is moved behind it. has_next moves *i to
 * the next such: 1, or 0 when there is none. */
void smtpc_envelope_hear_next(struct smtpc_envelope *envelope, size_t *i, const char *step,
                              const struct smtpc_reply *reply);
int smtpc_envelope_has_next(const struct smtpc_envelope *envelope, size_t *i);

/* Nothing more will be heard: who has no outcome yet gets this one, NOT_SENT or UNKNOWN. */
void smtpc_envelope_settle(struct smtpc_envelope *envelope, enum smtpc_outcome outcome, const char *step);

size_t smtpc_envelope_count(const struct smtpc_envelope *envelope, enum smtpc_outcome outcome);

/* "sent", "refused", "deferred", "not-sent", "unknown"; "" for the two that are no end. */
const char *smtpc_outcome_name(enum smtpc_outcome outcome);

#endif
