/* auth_line: the lines of a login that the client says, which are the only ones with a secret in them. */
#include "smtp/state.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/command.h"

static int
append_base64(struct smtpc_session *session)
{
    if (session->answer.length == 0)
        return 0;
    return smtpc_base64_encode(session->answer.bytes, session->answer.length, &session->output);
}

/* " =" or " BASE64" behind AUTH NAME, when there is an initial response and the line stays short enough. */
static int
append_initial_response(struct smtpc_session *session, size_t start)
{
    size_t size;

    if (smtpc_sasl_answer(&session->sasl, NULL, &session->answer, &session->error) != SMTPC_SASL_ANSWER)
        return -1;
    size = smtpc_base64_encoded_size(session->answer.length);
    if (session->output.length - start + 1 + size + 2 > SMTPC_COMMAND_LINE_MAX) {
        session->without_initial_response = 1;
        smtpc_auth_begin(session, session->sasl.mechanism);
        return 0;
    }
    if (smtpc_buffer_append_string(&session->output, size == 0 ? " =" : " ") != 0)
        return -1;
    return append_base64(session);
}

/* Nothing of a line that could not be made is left. */
static enum step
take_back(struct smtpc_session *session, size_t start)
{
    smtpc_buffer_truncate(&session->output, start);
    smtpc_error_set_memory(&session->error);    /* unless the mechanism has said why */
    smtpc_auth_name_step(session);
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

enum step
smtpc_auth_say_auth(struct smtpc_session *session)
{
    const struct smtpc_sasl_mechanism *mechanism = session->sasl.mechanism;
    size_t start = session->output.length;
    char shown[64] = "AUTH ";

    strncat(shown, mechanism->name, SMTPC_SASL_NAME_MAX);
    if (smtpc_buffer_append_string(&session->output, shown) != 0)
        return take_back(session, start);
    if (mechanism->client_first && !session->without_initial_response
        && append_initial_response(session, start) != 0)
        return take_back(session, start);
    smtpc_buffer_truncate(&session->answer, 0);
    if (smtpc_buffer_append_string(&session->output, "\r\n") != 0)
        return take_back(session, start);
    if (mechanism->client_first && !session->without_initial_response)
        strcat(shown, " ***");
    smtpc_state_trace_said(session, start, shown);
    return STEP_WAIT;
}

static int
has_line_end_or_nul(const struct smtpc_buffer *answer)
{
    size_t i;

    for (i = 0; i < answer->length; i++)
        if (answer->bytes[i] == '\r' || answer->bytes[i] == '\n' || answer->bytes[i] == '\0')
            return 1;
    return 0;
}

enum step
smtpc_auth_say_answer(struct smtpc_session *session)
{
    size_t start = session->output.length;
    int failed;

    if (session->sasl.form == SMTPC_SASL_BASE64)
        failed = append_base64(session);
    else if (has_line_end_or_nul(&session->answer))
        return smtpc_state_fail(session, SMTPC_ERROR_USAGE, "user or password with a line end inside");
    else
        failed = smtpc_buffer_append(&session->output, session->answer.bytes, session->answer.length);
    if (failed != 0 || smtpc_buffer_append_string(&session->output, "\r\n") != 0)
        return smtpc_state_fail_memory(session);
    smtpc_buffer_truncate(&session->answer, 0);
    smtpc_state_trace_said(session, start, "***");
    return STEP_WAIT;
}

enum step
smtpc_auth_say_cancel(struct smtpc_session *session)
{
    return smtpc_state_say(session, "*\r\n");
}
