/* sasl: the table of mechanisms, the choice among them, and the rounds of one login. Raw octets: base64 and the AUTH
 * command are the session's business. */
#ifndef SMTPC_SASL_SASL_H
#define SMTPC_SASL_SASL_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum {
    SMTPC_SASL_ROUNDS_MAX = 10,
    SMTPC_SASL_SECRET_MAX = 65536,
    SMTPC_SASL_NAME_MAX = 20,
    SMTPC_SASL_SAID_MAX = 200,
    SMTPC_SASL_BINDING_MAX = 64,
    SMTPC_SASL_BINDING_NAME_MAX = 24,
    SMTPC_SASL_ITERATIONS_MIN = 4096,        /* RFC 7677 section 4 */
    SMTPC_SASL_ITERATIONS_MAX = 1000000      /* about half a second of work */
};

/* What the caller logs in with. */
enum smtpc_sasl_credential {
    SMTPC_SASL_PASSWORD,
    SMTPC_SASL_TOKEN,           /* a bearer token (RFC 6750) */
    SMTPC_SASL_NO_SECRET        /* a certificate, or nothing: only mechanisms that the caller names */
};

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
    SMTPC_SASL_CANCEL,          /* send "*"; the error says why */
    SMTPC_SASL_ABORT            /* say nothing more to this server: it is not who it should be, or somebody is between */
};

/* A text of the caller's, lent. */
struct smtpc_sasl_text {
    const char *octets;
    size_t length;
    const char *prepared;       /* by SASLprep (RFC 4013), for the mechanisms that ask for it; NULL: the same */
    size_t prepared_length;
    const char *unprepared;     /* why SASLprep refuses it: those mechanisms are then no choice; NULL: it does not */
};

/* What the caller demands of a login; NULL and 0 are the defaults. */
struct smtpc_sasl_login {
    struct smtpc_sasl_text user;        /* may be empty but with a password */
    enum smtpc_sasl_credential credential;
    const char *wanted;                 /* names with blanks between, in the order to try; NULL or "": the policy's choice */
    struct smtpc_sasl_text authzid;     /* the identity to act as; empty: the user's own */
    const char *host;                   /* the server, for OAUTHBEARER (RFC 7628) */
    unsigned port;
    unsigned long iterations_min;       /* SCRAM: bounds of the server's iteration count */
    unsigned long iterations_max;
};

/* What ties a login to the TLS connection that it crosses (RFC 5056); length 0: nothing. */
struct smtpc_sasl_binding {
    char name[SMTPC_SASL_BINDING_NAME_MAX];
    unsigned char octets[SMTPC_SASL_BINDING_MAX];
    size_t length;
};

/* Credentials and the state of one login; embedded. Everything is copied and wiped. */
struct smtpc_sasl {
    const struct smtpc_sasl_mechanism *mechanism;
    struct smtpc_buffer user;
    struct smtpc_buffer secret;
    struct smtpc_buffer authzid;
    struct smtpc_buffer prepared_user;      /* what SASLprep makes of them; empty: the same */
    struct smtpc_buffer prepared_secret;
    char unprepared[SMTPC_SASL_SAID_MAX];   /* why it refuses one of them; "": it does not */
    char host[256];
    unsigned port;
    unsigned long iterations_min;
    unsigned long iterations_max;
    enum smtpc_sasl_credential credential;
    struct smtpc_sasl_binding binding;      /* of the connection, not of the login: stays when credentials are cleared */
    int binding_was_used;       /* RFC 9266 section 4.1: for one login only */
    int offers_plus;            /* the server offers a mechanism that binds */
    int round;                  /* challenges answered */
    int state;                  /* the mechanism's own; 0 at the start */
    int cancelled;              /* 1: "*" was said, and nothing else will be until the next begin */
    enum smtpc_sasl_form form;  /* of the answer that was just given */
    struct smtpc_buffer scratch;            /* the mechanism's own octets, wiped at begin and clear */
    char said[SMTPC_SASL_SAID_MAX];         /* what the server said in a challenge about its refusal, printable; "" */
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
    enum smtpc_sasl_credential credential;  /* what it needs */
    int plaintext;              /* 1: reveals the secret; never on an open line */
    int by_name_only;           /* 1: never chosen unless the caller names it */
    int binds;                  /* 1: needs a channel binding */
    const char *family;         /* of mechanisms that differ in the digest only; NULL: none */
    int prepares;               /* 1: works on what SASLprep makes of user and secret */
    int client_first;           /* 1: has an initial response */
    int one_round;              /* 1: that is all it says, so that commands may follow it (RFC 4954 section 4) */
    int reads_any_text;         /* 1: a challenge that is no base64 is still handed over (LOGIN, PLAIN) */
    int takes_authzid;          /* 1: can carry one; the others refuse a login that has one */
    /* Puts the answer to the challenge into out (NULL: the initial response). CANCEL and ABORT come with an error: AUTH
     * for what the server said, USAGE for what the caller gave. */
    enum smtpc_sasl_verdict (*answer)(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge,
                                      struct smtpc_buffer *out, struct smtpc_error *error);
    /* Optional, asked at 235, whose text is last: 0 when the exchange is complete, -1 when the server owes us something. */
    int (*finish)(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error);
};

void smtpc_sasl_init(struct smtpc_sasl *sasl);
void smtpc_sasl_clear(struct smtpc_sasl *sasl);

/* Copies what the caller demands, after the checks that hold for every mechanism: user not empty, each text at most
 * 64 KiB, no NUL, no CR or LF at the end (the error says which argument, and what to do). 0, or -1. */
int smtpc_sasl_set_login(struct smtpc_sasl *sasl, const struct smtpc_sasl_login *login, struct smtpc_error *error);

/* The same for the password or the token. */
int smtpc_sasl_set_secret(struct smtpc_sasl *sasl, const struct smtpc_sasl_text *secret, struct smtpc_error *error);

/* The form that SASLprep gives, lent. */
const struct smtpc_buffer *smtpc_sasl_prepared_user(const struct smtpc_sasl *sasl);
const struct smtpc_buffer *smtpc_sasl_prepared_secret(const struct smtpc_sasl *sasl);

/* Lists of the choice: words separated by blanks, in any case. */
struct smtpc_sasl_lists {
    const char *offered;        /* by the server */
    const char *wanted;         /* by the caller; "": any */
    const char *tried;          /* those that have failed; may be "" */
};

/* The best mechanism that is ours, offered, not tried, fits what sasl holds (credential, binding, prepared forms), and is
 * allowed on this line: the strongest, or the first of wanted when that names any. When the server offers nothing of
 * wanted, being named there is enough. NULL with an error (AUTH) that lists what was offered, what we have, what stands
 * in the way, and the option that would allow it. */
const struct smtpc_sasl_mechanism *smtpc_sasl_choose(const struct smtpc_sasl *sasl,
                                                     const struct smtpc_sasl_lists *lists, enum smtpc_sasl_line line,
                                                     struct smtpc_error *error);

/* The row of that name (any case), or NULL. */
const struct smtpc_sasl_mechanism *smtpc_sasl_find(const char *name, size_t n);

/* Row number i (from 0), or NULL past the end. */
const struct smtpc_sasl_mechanism *smtpc_sasl_row(size_t i);

/* Begins a login with that mechanism: round 0. The credentials stay. offered: as for the choice. */
void smtpc_sasl_begin(struct smtpc_sasl *sasl, const struct smtpc_sasl_mechanism *mechanism, const char *offered);

/* Notes what the server said about its refusal: what is not printable is shown as '?', what is too long cut. */
void smtpc_sasl_note_said(struct smtpc_sasl *sasl, const char *octets, size_t n);

/* Answers a challenge (NULL: gives the initial response). More than SMTPC_SASL_ROUNDS_MAX rounds, or a challenge that
 * is no base64 where the mechanism needs it, is CANCEL, and so is everything after a CANCEL or an ABORT. out is emptied
 * first and holds nothing after them. */
enum smtpc_sasl_verdict smtpc_sasl_answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge,
                                          struct smtpc_buffer *out, struct smtpc_error *error);

/* At 235, whose text is last: 0, or -1 when the mechanism still waits for the server's proof, or the login was
 * cancelled. */
int smtpc_sasl_finish(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error);

#endif
