/* exchange: one login by one mechanism, and the lines that a session would send, for the tests of sasl. */
#ifndef T_CORE_EXCHANGE_H
#define T_CORE_EXCHANGE_H

#include "codec/base64.h"
#include "login.h"
#include "tap.h"

enum { EXCHANGE_ROOM = 5 * SMTPC_SASL_SECRET_MAX };

struct exchange {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct smtpc_buffer line;   /* "*" after a CANCEL, nothing after an ABORT */
    struct smtpc_error error;
};

static inline void
exchange_init(struct exchange *x)
{
    memset(x, 0, sizeof *x);
    smtpc_sasl_init(&x->sasl);
    smtpc_buffer_init(&x->out, EXCHANGE_ROOM);
    smtpc_buffer_init(&x->line, EXCHANGE_ROOM);
}

static inline void
exchange_stop(struct exchange *x)
{
    smtpc_sasl_clear(&x->sasl);
    smtpc_buffer_clear(&x->out);
    smtpc_buffer_clear(&x->line);
}

static inline void
exchange_begin(struct exchange *x, const char *mechanism)
{
    smtpc_sasl_begin(&x->sasl, smtpc_sasl_find(mechanism, strlen(mechanism)), "");
}

/* Sets credentials and begins; 1, or 0 with the error. */
static inline int
exchange_log_in(struct exchange *x, const char *mechanism, const struct smtpc_sasl_login *login,
                struct smtpc_sasl_text secret)
{
    int good = smtpc_sasl_set_login(&x->sasl, login, &x->error) == 0;

    if (good && login->credential != SMTPC_SASL_NO_SECRET)
        good = smtpc_sasl_set_secret(&x->sasl, &secret, &x->error) == 0;
    exchange_begin(x, mechanism);
    return good;
}

/* With what the mechanism needs, in plain strings. */
static inline void
exchange_start_as(struct exchange *x, const char *mechanism, const char *user, const char *secret,
                  const char *authzid)
{
    enum smtpc_sasl_credential credential = smtpc_sasl_find(mechanism, strlen(mechanism))->credential;
    struct smtpc_sasl_login login = login_of(user, strlen(user), credential, NULL);

    login.authzid = text_of(authzid, strlen(authzid));
    exchange_init(x);
    exchange_log_in(x, mechanism, &login, text_of(secret, strlen(secret)));
}

static inline void
exchange_start(struct exchange *x, const char *mechanism, const char *user, const char *secret)
{
    exchange_start_as(x, mechanism, user, secret, "");
}

static inline void
exchange_answer(struct exchange *x, const struct smtpc_sasl_challenge *challenge)
{
    enum smtpc_sasl_verdict verdict = smtpc_sasl_answer(&x->sasl, challenge, &x->out, &x->error);

    smtpc_buffer_truncate(&x->line, 0);
    if (verdict == SMTPC_SASL_CANCEL)
        smtpc_buffer_append_string(&x->line, "*");
    else if (x->sasl.form == SMTPC_SASL_CLEARTEXT)
        smtpc_buffer_append(&x->line, x->out.bytes, x->out.length);
    else if (verdict == SMTPC_SASL_ANSWER)
        smtpc_base64_encode(x->out.bytes, x->out.length, &x->line);
}

/* The text of a 334 or 235 as a session sees it; octets is to be cleared. */
static inline struct smtpc_sasl_challenge
exchange_challenge(const char *text, struct smtpc_buffer *octets)
{
    struct smtpc_sasl_challenge challenge = {text, strlen(text), NULL, 0};
    size_t where;

    smtpc_buffer_init(octets, EXCHANGE_ROOM);
    if (smtpc_base64_decode_wire(text, strlen(text), octets, &where) == SMTPC_BASE64_OK) {
        challenge.octets = octets->bytes;
        challenge.length = octets->length;
    }
    return challenge;
}

/* The answer to "334 TEXT". */
static inline void
exchange_hear(struct exchange *x, const char *text)
{
    struct smtpc_buffer octets;
    struct smtpc_sasl_challenge challenge = exchange_challenge(text, &octets);

    exchange_answer(x, &challenge);
    smtpc_buffer_clear(&octets);
}

/* The verdict on "235 TEXT": 1 when the login is done. */
static inline int
exchange_is_done(struct exchange *x, const char *text)
{
    struct smtpc_buffer octets;
    struct smtpc_sasl_challenge last = exchange_challenge(text, &octets);
    int good;

    smtpc_error_clear(&x->error);
    good = smtpc_sasl_finish(&x->sasl, &last, &x->error) == 0;
    smtpc_buffer_clear(&octets);
    return good;
}

static inline void
exchange_said(const struct exchange *x, const char *line, const char *name)
{
    is_octets(x->line.bytes, x->line.length, line, strlen(line), name);
}

static inline int
exchange_is_cancelled(const struct exchange *x, const char *why)
{
    int good = smtpc_buffer_equals(&x->line, "*") && x->out.length == 0 && strstr(x->error.text, why) != NULL;

    if (!good)
        printf("# error: %s\n", x->error.text);
    return good;
}

#endif
