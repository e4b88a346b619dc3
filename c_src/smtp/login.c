/* login: the operations that begin a login (RFC 4954): the user, the mechanism, the password. */
#include "smtp/state.h"

#include <string.h>

/* A login without AUTH on offer is an error, never a send without login. */
static int
is_offered(struct smtpc_session *session)
{
    const char *more = "";

    if (smtpc_ehlo_find(&session->ehlo, "AUTH") != NULL)
        return 1;
    if (!session->tls && smtpc_ehlo_find(&session->ehlo, "STARTTLS") != NULL)
        more = "; many servers offer it only after STARTTLS, which this one offers: use TLS";
    else if (session->ehlo.count == 0)
        more = "; it has announced no extensions: say EHLO first";
    smtpc_error_set(&session->error, SMTPC_ERROR_AUTH, "the server does not offer AUTH%s", more);
    return 0;
}

/* 0 when there is a mechanism to begin with. */
static int
prepare(struct smtpc_session *session, const char *user, size_t n, const char *wanted)
{
    const struct smtpc_sasl_mechanism *mechanism;

    if (session->mechanism != NULL)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "logged in already (RFC 4954 allows one login)");
    smtpc_state_forget_login(session);
    smtpc_buffer_truncate(&session->wanted, 0);
    smtpc_buffer_truncate(&session->tried, 0);
    session->without_initial_response = session->wrong_passwords = 0;
    if (!is_offered(session) || smtpc_sasl_set_user(&session->sasl, user, n, &session->error) != 0)
        return -1;
    if (strlen(wanted) >= session->wanted.cap)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "mechanism: a list that long is no list");
    if (smtpc_buffer_append(&session->wanted, wanted, strlen(wanted) + 1) != 0)
        return smtpc_error_set_memory(&session->error);
    mechanism = smtpc_auth_choose(session, &session->error);
    if (mechanism == NULL)
        return -1;
    smtpc_sasl_begin(&session->sasl, mechanism);
    return 0;
}

int
smtpc_session_auth(struct smtpc_session *session, const char *user, size_t n, const char *wanted)
{
    if (smtpc_state_ready(session, STEP_SECRET) != 0)
        return -1;
    if (prepare(session, user, n, wanted) != 0) {
        smtpc_state_forget_login(session);
        smtpc_auth_name_step(session);
        return -1;
    }
    session->saying = STEP_SECRET;
    return 0;
}

int
smtpc_session_secret(struct smtpc_session *session, const char *secret, size_t n)
{
    if (session->saying != STEP_SECRET)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "no password is wanted now");
    session->saying = STEP_IDLE;
    if (smtpc_sasl_set_secret(&session->sasl, secret, n, &session->error) != 0) {
        smtpc_state_forget_login(session);
        smtpc_auth_name_step(session);
        return -1;
    }
    return smtpc_state_begin(session, STEP_AUTH);
}
