/* sasl: the table of mechanisms, the choice among them, and the rounds of one login. Raw octets: base64 and the AUTH
 * command are the session's business. */
#ifndef SMTPC_SASL_SASL_H
#define SMTPC_SASL_SASL_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SMTPC_SASL_ROUNDS_MAX = 10, SMTPC_SASL_SECRET_MAX = 65536, SMTPC_SASL_NAME_MAX = 20 };

/* What the connection is worth to a secret. */
enum smtpc_sasl_line {
    SMTPC_SASL_LINE_OPEN,       /* anyone may read it, or the certificate was not verified */
    SMTPC_SASL_LINE_TRUSTED     /* TLS that was verified or whose verification was switched off by name, a unix
                                 * socket, or the caller passed insecure_cleartext_auth */
};

/* How an answer travels. */
enum smtpc_sasl_form {
    SMTPC_SASL_BASE64,
    SMTPC_SASL_CLEARTEXT        /* the legacy dialogue of PLAIN: octets as they are */
};

enum smtpc_sasl_verdict {
    SMTPC_SASL_ANSWER,          /* out holds the answer */
    SMTPC_SASL_CANCEL           /* send "*"; the error says why */
};

/* Credentials and the state of one login; embedded. Everything is copied and wiped. */
struct smtpc_sasl {
    const struct smtpc_sasl_mechanism *mechanism;
    struct smtpc_buffer user;
    struct smtpc_buffer secret;
    struct smtpc_buffer authzid;    /* the identity to act as; empty: the user's own */
    int round;                  /* challenges answered */
    int state;                  /* the mechanism's own; 0 at the start */
    int cancelled;              /* 1: "*" was said, and nothing else will be until the next begin */
    enum smtpc_sasl_form form;  /* of the answer that was just given */
};

/* A challenge as it came: text is what stood behind "334 ", raw; octets its base64 decoding, NULL when it is none
 * (for a blank text NULL and an empty decoding mean the same). */
struct smtpc_sasl_challenge {
    const char *text;
    size_t text_length;
    const char *octets;
    size_t length;
};

struct smtpc_sasl_mechanism {
    const char *name;           /* as in the EHLO AUTH line */
    int strength;               /* higher is tried first on an open line */
    int strength_trusted;       /* the same on a trusted line, where PLAIN stands before the MD5 mechanisms */
    int plaintext;              /* 1: reveals the secret; never on an open line */
    int client_first;           /* 1: has an initial response */
    int reads_any_text;         /* 1: a challenge that is no base64 is still handed over (LOGIN, PLAIN) */
    int takes_authzid;          /* 1: can carry one; the others refuse a login that has one */
    /* Puts the answer to the challenge into out (NULL: the initial response). CANCEL comes with an error: AUTH for
     * what the server said, USAGE for what the caller gave. */
    enum smtpc_sasl_verdict (*answer)(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge,
                                      struct smtpc_buffer *out, struct smtpc_error *error);
    /* Optional, asked at 235: 0 when the exchange is complete, -1 when the server owes us something. */
    int (*finish)(struct smtpc_sasl *sasl, struct smtpc_error *error);
};

void smtpc_sasl_init(struct smtpc_sasl *sasl);
void smtpc_sasl_clear(struct smtpc_sasl *sasl);

/* Copies user and secret after the checks that hold for every mechanism: not empty, at most 64 KiB, no NUL, no CR or
 * LF at the end (the error says which of the two arguments, and what to do). 0, or -1 and the old value stays. */
int smtpc_sasl_set_user(struct smtpc_sasl *sasl, const char *user, size_t n, struct smtpc_error *error);
int smtpc_sasl_set_secret(struct smtpc_sasl *sasl, const char *secret, size_t n, struct smtpc_error *error);

/* The same for the authorization identity (RFC 4422 section 2), which may be empty. */
int smtpc_sasl_set_authzid(struct smtpc_sasl *sasl, const char *authzid, size_t n, struct smtpc_error *error);

/* The choice. Lists are words separated by blanks, in any case. offered: the server's. wanted: the caller's, "" for
 * any. tried: those that have failed, may be "". Returns the best mechanism that is ours, offered, not tried, and
 * allowed on this line: the strongest, or the first of wanted when that names any. When the server offers nothing of
 * wanted, being named there is enough. NULL with an error (AUTH) that lists what was offered, what we have, what the
 * policy forbade and the option that would allow it. */
const struct smtpc_sasl_mechanism *smtpc_sasl_choose(const char *offered, const char *wanted, const char *tried,
                                                     enum smtpc_sasl_line line, struct smtpc_error *error);

/* The row of that name (any case), or NULL. */
const struct smtpc_sasl_mechanism *smtpc_sasl_find(const char *name, size_t n);

/* Row number i (from 0), or NULL past the end. */
const struct smtpc_sasl_mechanism *smtpc_sasl_row(size_t i);

/* Begins a login with that mechanism: round 0. The credentials stay. */
void smtpc_sasl_begin(struct smtpc_sasl *sasl, const struct smtpc_sasl_mechanism *mechanism);

/* Answers a challenge (NULL: gives the initial response). More than SMTPC_SASL_ROUNDS_MAX rounds, or a challenge that
 * is no base64 where the mechanism needs it, is CANCEL, and so is everything after a CANCEL. out is emptied first and
 * holds nothing after a CANCEL. */
enum smtpc_sasl_verdict smtpc_sasl_answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge,
                                          struct smtpc_buffer *out, struct smtpc_error *error);

/* At 235: 0, or -1 when the mechanism still waits for the server's proof, or the login was cancelled. */
int smtpc_sasl_finish(struct smtpc_sasl *sasl, struct smtpc_error *error);

#endif
