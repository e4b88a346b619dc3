/* login: user and password as plain texts, for the tests of sasl and session. */
#ifndef T_CORE_LOGIN_H
#define T_CORE_LOGIN_H

#include <string.h>

#include "smtp/session.h"

static inline struct smtpc_sasl_text
text_of(const char *octets, size_t n)
{
    struct smtpc_sasl_text text = {octets, n, NULL, 0, NULL};

    return text;
}

static inline struct smtpc_sasl_login
login_of(const char *user, size_t n, enum smtpc_sasl_credential credential, const char *wanted)
{
    struct smtpc_sasl_login login = {0};

    login.user = text_of(user, n);
    login.credential = credential;
    login.wanted = wanted;
    return login;
}

/* With a password that comes later. */
static inline int
session_auth(struct smtpc_session *session, const char *user, size_t n, const char *wanted)
{
    struct smtpc_sasl_login login = login_of(user, n, SMTPC_SASL_PASSWORD, wanted);

    return smtpc_session_auth(session, &login);
}

static inline int
session_secret(struct smtpc_session *session, const char *secret, size_t n)
{
    struct smtpc_sasl_text text = text_of(secret, n);

    return smtpc_session_secret(session, &text);
}

#endif
