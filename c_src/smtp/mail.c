/* mail: the operations that send a message, one command at a time or a whole transaction at once. */
#include "smtp/state.h"

#include <string.h>

int64_t
smtpc_session_content_size(const struct smtpc_session *session)
{
    return session->current->content.size;
}

/* ---- the envelope ---- */

static int
open_envelope(struct smtpc_session *session, const char *sender, size_t n, const char *parameters)
{
    struct smtpc_submission *submission;

    if (n > SMTPC_ENVELOPE_TEXT_MAX || strlen(parameters) >= SMTPC_ENVELOPE_TEXT_MAX)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "sender: an address or parameters of that length");
    submission = smtpc_queue_open(session);
    if (submission == NULL)
        return smtpc_error_set(&session->error, SMTPC_ERROR_SYSTEM, "no room for another message: %d are kept, or memory "
                               "is out", (int)SMTPC_SESSION_QUEUE_MAX);
    if (smtpc_envelope_open(&submission->envelope, sender, n, parameters) != 0)
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
    if (was_over && session->window == 0) {
        smtpc_submission_reset(session->current);
        session->error.may_have_been_sent = 0;
    }
    return -1;
}

int
smtpc_session_mail(struct smtpc_session *session, const char *sender, size_t n, const char *parameters)
{
    if (ready_for_envelope(session) != 0 || open_envelope(session, sender, n, parameters) != 0)
        return -1;
    return smtpc_state_begin(session, STEP_MAIL);
}

int
smtpc_session_rcpt(struct smtpc_session *session, const char *recipient, size_t n, const char *parameters)
{
    struct smtpc_submission *submission = session->current;

    if (smtpc_state_ready(session, STEP_RCPT) != 0)
        return -1;
    if (smtpc_envelope_add(&submission->envelope, recipient, n, parameters) != 0)
        return smtpc_error_set_memory(&session->error);
    submission->is_whole = 0;
    submission->next_rcpt = submission->heard_rcpt = submission->envelope.count - 1;
    if (smtpc_state_begin(session, STEP_RCPT) == 0)
        return 0;
    smtpc_envelope_drop_last(&submission->envelope);
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
    if (smtpc_state_ready(session, STEP_MAIL) != 0)
        return -1;
    if (smtpc_envelope_add(&session->current->envelope, recipient, n, parameters) != 0)
        return smtpc_error_set_memory(&session->error);
    return 0;
}

/* What became of the recipients of one submission must never be taken for an answer to another. */
static int
check_envelope(struct smtpc_session *session)
{
    const struct smtpc_envelope *envelope = &session->current->envelope;

    if (!smtpc_envelope_is_open(envelope))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "sender: no envelope was opened");
    if (envelope->count == 0)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "recipients: there are none");
    if (smtpc_envelope_count(envelope, SMTPC_OUTCOME_NONE) != envelope->count)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "the envelope has been used: open a new one");
    return smtpc_envelope_check(envelope, &session->error);
}

/* By BDAT only where it is offered. LMTP is not told ahead: whether BDAT LAST gets a reply depends on those to RCPT. */
static int
choose_manner(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;
    int offered = smtpc_ehlo_find(&session->ehlo, "CHUNKING") != NULL;

    submission->manner = offered ? session->manner : SMTPC_BY_DATA;
    if (submission->manner == SMTPC_BY_BDAT_AHEAD && (session->lmtp || !smtpc_state_may_run_ahead(session)))
        submission->manner = SMTPC_BY_BDAT;
    smtpc_content_init_plain(&submission->content);
    if (!submission->envelope.binary)
        return 0;
    if (!offered)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE,
                               "BODY=BINARYMIME needs BDAT, and the server does not offer CHUNKING");
    if (submission->manner == SMTPC_BY_DATA)
        submission->manner = SMTPC_BY_BDAT;
    smtpc_content_init_binary(&submission->content);
    return 0;
}

/* It was never begun, so nothing of it is under way. */
static int
give_up(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;

    smtpc_queue_settle(session, submission);
    submission->is_over = 1;
    submission->error = session->error;
    return -1;
}

/* Whether what was said last lets nothing of an earlier message get into this one. */
static int
is_clean(const struct smtpc_session *session)
{
    size_t last = session->awaited_first + session->awaited_count - 1;
    enum step step = session->awaited[last % SMTPC_SESSION_AHEAD_MAX].step;

    return step == STEP_RSET || step == STEP_AUTH_EARLY;
}

int
smtpc_session_submit(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;
    enum step first = session->saying == STEP_NEXT && !is_clean(session) ? STEP_RSET_FIRST : STEP_MAIL;

    if (smtpc_state_ready(session, STEP_MAIL) != 0)
        return -1;
    submission->is_whole = 1;
    submission->all_or_none = session->all_or_none;
    if (!smtpc_early_is_open(session))
        session->was_early_refused = 0;
    if (check_envelope(session) != 0 || choose_manner(session) != 0)
        return give_up(session);
    session->unfinished++;
    return smtpc_state_begin(session, first);
}

/* ---- the message ---- */

int
smtpc_session_data(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_DATA) != 0)
        return -1;
    if (session->current->chunks != SMTPC_CHUNKS_NONE)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE,
                               "DATA: this message has begun with BDAT; nothing was sent");
    session->current->is_whole = 0;
    return smtpc_state_begin(session, STEP_DATA);
}

static int
is_by_chunks(const struct smtpc_session *session)
{
    return session->current->is_whole && session->current->manner != SMTPC_BY_DATA;
}

/* A piece that is not taken would leave a hole in the message, so the message must not be ended any more. */
int
smtpc_session_content(struct smtpc_session *session, const char *octets, size_t n)
{
    if (!smtpc_session_in_content(session))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "message text outside DATA");
    if (smtpc_session_wants(session) == SMTPC_WANT_WRITE || smtpc_session_wants(session) == SMTPC_WANT_READ
        || n > SMTPC_SESSION_CONTENT_MAX)
        smtpc_state_fail(session, SMTPC_ERROR_USAGE, "too much message text at once: the connection is closed");
    else if (is_by_chunks(session))
        smtpc_chunks_take(session, octets, n);
    else if (smtpc_content_append(&session->current->content, octets, n, &session->output) != 0)
        smtpc_state_fail_memory(session);
    session->progress++;
    return session->saying == STEP_CLOSED ? -1 : 0;
}

int
smtpc_session_end(struct smtpc_session *session)
{
    if (!smtpc_session_in_content(session))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "end of a message outside DATA");
    if (!is_by_chunks(session))
        return smtpc_state_begin(session, STEP_END);
    session->progress++;
    if (!smtpc_chunks_must_wait(session))
        return smtpc_chunks_end(session);
    smtpc_state_fail(session, SMTPC_ERROR_USAGE,
                     "the end of a message that has to wait for the server: the connection is closed");
    return -1;
}

int
smtpc_session_may_go_on(const struct smtpc_session *session)
{
    return session->saying == STEP_NEXT;
}

void
smtpc_session_drop_content(struct smtpc_session *session, const char *why)
{
    struct smtpc_submission *submission = session->current;

    if (!smtpc_session_in_content(session))
        return;
    if (!is_by_chunks(session)) {
        smtpc_state_fail(session, SMTPC_ERROR_INTERRUPTED, "%s", why);
        return;
    }
    smtpc_error_set(&submission->error, SMTPC_ERROR_INTERRUPTED, "%s", why);
    submission->error.step = smtpc_steps[STEP_CONTENT].name;
    session->progress++;
    session->saying = session->awaited_count > 0 ? STEP_WAIT : STEP_RSET;
    smtpc_state_say_on(session);
}

int
smtpc_session_reset(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_RSET) != 0)
        return -1;
    session->current->is_whole = 0;
    return smtpc_state_begin(session, STEP_RSET);
}
