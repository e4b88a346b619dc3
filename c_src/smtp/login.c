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

/* What every login begins with. 0, or -1. */
static int
check_turn(struct smtpc_session *session)
{
    if (session->mechanism != NULL)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "logged in already (RFC 4954 allows one login)");
    smtpc_state_forget_login(session);
    session->without_initial_response = session->wrong_passwords = 0;
    session->callers_mechanism[0] = '\0';
    return is_offered(session) ? 0 : -1;
}

static int
set_wanted(struct smtpc_session *session, const char *wanted)
{
    smtpc_buffer_truncate(&session->wanted, 0);
    smtpc_buffer_truncate(&session->tried, 0);
    if (strlen(wanted) >= session->wanted.cap)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "mechanism: a list that long is no list");
    if (smtpc_buffer_append(&session->wanted, wanted, strlen(wanted) + 1) != 0)
        return smtpc_error_set_memory(&session->error);
    return 0;
}

/* 0 when there is a mechanism to begin with. */
static int
choose(struct smtpc_session *session)
{
    const struct smtpc_sasl_mechanism *mechanism = smtpc_auth_choose(session, &session->error);

    if (mechanism == NULL)
        return -1;
    smtpc_auth_begin(session, mechanism);
    return 0;
}

static int
give_up(struct smtpc_session *session)
{
    smtpc_state_forget_login(session);
    smtpc_auth_name_step(session);
    return -1;
}

int
smtpc_session_auth(struct smtpc_session *session, const struct smtpc_sasl_login *login)
{
    if (smtpc_state_ready(session, STEP_SECRET) != 0)
        return -1;
    if (check_turn(session) != 0 || smtpc_sasl_set_login(&session->sasl, login, &session->error) != 0
        || set_wanted(session, login->wanted != NULL ? login->wanted : "") != 0 || choose(session) != 0)
        return give_up(session);
    if (login->credential == SMTPC_SASL_NO_SECRET)
        return smtpc_state_begin(session, smtpc_early_first_step(session));
    session->saying = STEP_SECRET;
    return 0;
}

/* Chosen once more: SASLprep may refuse what has come only now. */
int
smtpc_session_secret(struct smtpc_session *session, const struct smtpc_sasl_text *secret)
{
    if (session->saying != STEP_SECRET)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "no password is wanted now");
    session->saying = STEP_IDLE;
    if (smtpc_sasl_set_secret(&session->sasl, secret, &session->error) != 0 || choose(session) != 0)
        return give_up(session);
    return smtpc_state_begin(session, smtpc_early_first_step(session));
}

static int
check_callers_mechanism(struct smtpc_session *session, const char *mechanism)
{
    const struct smtpc_sasl_mechanism *row = smtpc_sasl_find(mechanism, strlen(mechanism));

    if (strlen(mechanism) > SMTPC_SASL_NAME_MAX || mechanism[0] == '\0'
        || mechanism[strspn(mechanism, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] != '\0')
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "mechanism: not a name by RFC 4422");
    if (row != NULL && row->plaintext && !session->trusted)
        return smtpc_error_set(&session->error, SMTPC_ERROR_AUTH,
                               "%s is forbidden without TLS (or insecure_cleartext_auth)", mechanism);
    return 0;
}

int
smtpc_session_auth_by_caller(struct smtpc_session *session, const char *mechanism, const char *initial, size_t n)
{
    if (smtpc_state_ready(session, STEP_AUTH) != 0)
        return -1;
    if (check_turn(session) != 0 || check_callers_mechanism(session, mechanism) != 0)
        return give_up(session);
    strcpy(session->callers_mechanism, mechanism);
    session->without_initial_response = initial == NULL;
    if (initial != NULL && smtpc_buffer_append(&session->answer, initial, n) != 0) {
        smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "%s: an initial response of %zu octets", mechanism, n);
        return give_up(session);
    }
    return smtpc_state_begin(session, STEP_AUTH_BY_CALLER);
}
