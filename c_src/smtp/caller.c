/* caller: a login whose mechanism the caller speaks himself (an Authen::SASL object): frame and base64 are ours. */
#include "smtp/state.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/command.h"

/* "AUTH NAME", and behind it the initial response when the line stays short enough; else it answers the first 334. */
static int
append_line(struct smtpc_session *session, size_t start)
{
    size_t size = smtpc_base64_encoded_size(session->answer.length);

    if (smtpc_buffer_append_string(&session->output, "AUTH ") != 0
        || smtpc_buffer_append_string(&session->output, session->callers_mechanism) != 0)
        return -1;
    session->without_initial_response |= session->output.length - start + 1 + size + 2 > SMTPC_COMMAND_LINE_MAX;
    if (session->without_initial_response)
        return smtpc_buffer_append_string(&session->output, "\r\n");
    if (smtpc_buffer_append_string(&session->output, size == 0 ? " =" : " ") != 0)
        return -1;
    if (size > 0 && smtpc_base64_encode(session->answer.bytes, session->answer.length, &session->output) != 0)
        return -1;
    smtpc_buffer_clear(&session->answer);
    return smtpc_buffer_append_string(&session->output, "\r\n");
}

enum step
smtpc_caller_say_auth(struct smtpc_session *session)
{
    size_t start = session->output.length;
    char shown[64] = "AUTH ";

    if (append_line(session, start) != 0)
        return smtpc_state_fail_memory(session);
    strcat(shown, session->callers_mechanism);
    if (!session->without_initial_response)
        strcat(shown, " ***");
    smtpc_state_trace_said(session, start, shown);
    return STEP_WAIT;
}

static enum step
cancel(struct smtpc_session *session, const char *why)
{
    smtpc_error_set(&session->error, SMTPC_ERROR_AUTH, "%s: %s", session->callers_mechanism, why);
    smtpc_auth_name_step(session);
    smtpc_buffer_clear(&session->challenge);
    return STEP_CANCEL_BY_CALLER;
}

/* The text behind the first 334 to a bare AUTH need not be base64 ("334 NTLM supported"): it says "go on". */
static enum step
take_challenge(struct smtpc_session *session, const struct smtpc_sasl_challenge *challenge)
{
    int is_first = session->sasl.round++ == 0 && session->without_initial_response;

    smtpc_buffer_clear(&session->challenge);
    if (session->sasl.round > SMTPC_SASL_ROUNDS_MAX)
        return cancel(session, "more challenges than any mechanism needs");
    if (challenge->octets == NULL && challenge->text_length > 0 && !is_first)
        return cancel(session, "the challenge is not base64");
    if (is_first && session->answer.length > 0)
        return STEP_ANSWER_BY_CALLER;
    if (smtpc_buffer_append(&session->challenge, challenge->octets, challenge->length) != 0)
        return smtpc_state_fail_memory(session);
    return STEP_RESPONSE;
}

enum step
smtpc_caller_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (reply->code == 334)
        return smtpc_auth_with_challenge(session, reply, take_challenge);
    if (smtpc_reply_class(reply) == 3)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "AUTH was answered with %d", reply->code);
    smtpc_state_forget_login(session);
    if (smtpc_reply_class(reply) == 2)
        session->mechanism = session->callers_mechanism;
    else
        smtpc_state_refused(&session->error, "AUTH", SMTPC_ERROR_AUTH, reply);
    return STEP_IDLE;
}

enum step
smtpc_caller_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) < 4)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "a cancelled AUTH was answered with %d", reply->code);
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

/* ---- the caller's side ---- */

void
smtpc_session_challenge(const struct smtpc_session *session, const char **octets, size_t *n)
{
    *octets = session->challenge.length > 0 ? session->challenge.bytes : "";
    *n = session->challenge.length;
}

int
smtpc_session_respond(struct smtpc_session *session, const char *octets, size_t n)
{
    if (session->saying != STEP_RESPONSE)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "no response is wanted now");
    smtpc_buffer_clear(&session->answer);
    if (smtpc_buffer_append(&session->answer, octets, n) == 0) {
        smtpc_buffer_clear(&session->challenge);    /* not before: the answer may be made of it */
        return smtpc_state_begin(session, STEP_ANSWER_BY_CALLER);
    }
    smtpc_state_begin(session, cancel(session, "a response that is too long"));
    return -1;
}

int
smtpc_session_cancel(struct smtpc_session *session, const char *why)
{
    if (session->saying != STEP_RESPONSE)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "no response is wanted now");
    return smtpc_state_begin(session, cancel(session, why));
}
