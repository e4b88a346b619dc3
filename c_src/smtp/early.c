/* early: a login that the envelope of a message follows before its reply, and what becomes of that if it fails. */
#include "smtp/state.h"

int
smtpc_early_is_open(const struct smtpc_session *session)
{
    return session->awaited_count > 0 && session->awaited[session->awaited_first].step == STEP_AUTH_EARLY;
}

enum step
smtpc_early_first_step(const struct smtpc_session *session)
{
    int can = session->early && session->pipelining && session->sasl.mechanism->one_round
        && smtpc_ehlo_find(&session->ehlo, "PIPELINING") != NULL;

    return can ? STEP_AUTH_EARLY : STEP_AUTH;
}

/* Without an initial response the server has to be waited for all the same. */
enum step
smtpc_early_say_auth(struct smtpc_session *session)
{
    enum step next = smtpc_auth_say_auth(session);

    session->was_early_refused = 0;
    return next == STEP_WAIT && !session->without_initial_response ? STEP_NEXT : next;
}

/* 334 would take the next command for the rest of the login; what the server makes of that is its answer to the command.
 * One reply follows each line in any case. */
static void
refuse(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *behind = session->current;

    session->was_early_refused = 1;
    if (smtpc_reply_class(reply) == 3)
        smtpc_error_set(&session->error, SMTPC_ERROR_AUTH, "the server asks for more after the whole login was sent");
    smtpc_state_refused(&session->error, "AUTH", SMTPC_ERROR_AUTH, reply);
    smtpc_auth_name_step(session);
    smtpc_state_forget_login(session);
    if (behind->is_whole && !behind->is_over)
        behind->error = session->error;
}

enum step
smtpc_early_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2 || session->without_initial_response)
        return smtpc_auth_hear_auth(session, reply);
    refuse(session, reply);
    return STEP_IDLE;
}

void
smtpc_session_set_early(struct smtpc_session *session, int on)
{
    session->early = on;
}
