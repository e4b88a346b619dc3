/* mail: the operations that send a message, one command at a time or a whole transaction at once. */
#include "smtp/state.h"

#include <string.h>

int64_t
smtpc_session_content_size(const struct smtpc_session *session)
{
    return session->content.size;
}

/* ---- the envelope ---- */

static int
open_envelope(struct smtpc_session *session, const char *sender, size_t n, const char *parameters)
{
    if (n > SMTPC_ENVELOPE_TEXT_MAX || strlen(parameters) >= SMTPC_ENVELOPE_TEXT_MAX)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "sender: an address or parameters of that length");
    if (smtpc_envelope_open(&session->envelope, sender, n, parameters) != 0)
        return smtpc_error_set_memory(&session->error);
    return 0;
}

/* What became of an earlier message, and that it may be out, must never be taken for an answer to this one. */
static int
ready_for_envelope(struct smtpc_session *session)
{
    int was_over = session->saying == STEP_CLOSED || smtpc_state_is_idle(session);

    if (smtpc_state_ready(session, STEP_MAIL) == 0)
        return 0;
    if (was_over) {
        smtpc_envelope_clear(&session->envelope);
        session->error.may_have_been_sent = 0;
    }
    return -1;
}

int
smtpc_session_mail(struct smtpc_session *session, const char *sender, size_t n, const char *parameters)
{
    if (ready_for_envelope(session) != 0 || open_envelope(session, sender, n, parameters) != 0)
        return -1;
    session->submitting = 0;
    return smtpc_state_begin(session, STEP_MAIL);
}

int
smtpc_session_rcpt(struct smtpc_session *session, const char *recipient, size_t n, const char *parameters)
{
    struct smtpc_envelope *envelope = &session->envelope;

    if (smtpc_state_ready(session, STEP_RCPT) != 0)
        return -1;
    if (smtpc_envelope_add(envelope, recipient, n, parameters) != 0)
        return smtpc_error_set_memory(&session->error);
    session->submitting = 0;
    session->next_rcpt = session->heard_rcpt = envelope->count - 1;
    if (smtpc_state_begin(session, STEP_RCPT) == 0)
        return 0;
    smtpc_envelope_drop_last(envelope);
    return -1;
}

int
smtpc_session_open_envelope(struct smtpc_session *session, const char *sender, size_t n, const char *parameters)
{
    if (ready_for_envelope(session) != 0)
        return -1;
    return open_envelope(session, sender, n, parameters);
}

int
smtpc_session_add_recipient(struct smtpc_session *session, const char *recipient, size_t n, const char *parameters)
{
    if (smtpc_state_ready(session, STEP_RCPT) != 0)
        return -1;
    if (smtpc_envelope_add(&session->envelope, recipient, n, parameters) != 0)
        return smtpc_error_set_memory(&session->error);
    return 0;
}

/* What became of the recipients of one submission must never be taken for an answer to another. */
static int
check_envelope(struct smtpc_session *session)
{
    const struct smtpc_envelope *envelope = &session->envelope;

    if (!smtpc_envelope_is_open(envelope))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "sender: no envelope was opened");
    if (envelope->count == 0)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "recipients: there are none");
    if (smtpc_envelope_count(envelope, SMTPC_OUTCOME_NONE) != envelope->count)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "the envelope has been used: open a new one");
    return smtpc_envelope_check(envelope, &session->error);
}

int
smtpc_session_submit(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_MAIL) != 0)
        return -1;
    session->submitting = 1;
    if (check_envelope(session) == 0 && smtpc_state_begin(session, STEP_MAIL) == 0)
        return 0;
    smtpc_state_settle(session);
    return -1;
}

/* ---- the message ---- */

int
smtpc_session_data(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_DATA) != 0)
        return -1;
    if (session->in_chunks)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE,
                               "DATA: this message has begun with BDAT; nothing was sent");
    session->submitting = 0;
    return smtpc_state_begin(session, STEP_DATA);
}

/* A piece that is not taken would leave a hole in the message, so the message must not be ended any more. */
int
smtpc_session_content(struct smtpc_session *session, const char *octets, size_t n)
{
    if (!smtpc_session_in_content(session))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "message text outside DATA");
    if (smtpc_session_wants(session) != SMTPC_WANT_CONTENT || n > SMTPC_SESSION_CONTENT_MAX)
        smtpc_state_fail(session, SMTPC_ERROR_USAGE, "too much message text at once: the connection is closed");
    else if (smtpc_content_append(&session->content, octets, n, &session->output) != 0)
        smtpc_state_fail_memory(session);
    session->progress++;
    return session->saying == STEP_CLOSED ? -1 : 0;
}

int
smtpc_session_end(struct smtpc_session *session)
{
    if (!smtpc_session_in_content(session))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "end of a message outside DATA");
    return smtpc_state_begin(session, STEP_END);
}

int
smtpc_session_reset(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_RSET) != 0)
        return -1;
    session->submitting = 0;
    return smtpc_state_begin(session, STEP_RSET);
}
