/* queue: the submissions of a session, in the order in which they were begun, and how each of them ends. */
#include "smtp/state.h"

static int
is_kept(const struct smtpc_session *session, const struct smtpc_submission *submission)
{
    return submission->is_whole && (!submission->is_over || session->window > 0);
}

static struct smtpc_submission *
append(struct smtpc_session *session)
{
    const struct smtpc_submission *one;
    size_t count = 0;

    for (one = session->first; one != NULL; one = one->next)
        count++;
    if (count >= SMTPC_SESSION_QUEUE_MAX)
        return NULL;
    session->current->next = smtpc_submission_new();
    if (session->current->next == NULL)
        return NULL;
    return session->current = session->current->next;
}

void
smtpc_session_drop_finished(struct smtpc_session *session)
{
    struct smtpc_submission *first = session->first;

    if (smtpc_session_finished(session) == NULL)
        return;
    if (first == session->current) {
        smtpc_submission_reset(first);
        return;
    }
    session->first = first->next;
    smtpc_submission_free(first);
}

struct smtpc_submission *
smtpc_queue_open(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;

    while (session->window == 0 && session->first != session->current && session->first->is_over)
        smtpc_session_drop_finished(session);
    if (is_kept(session, submission))
        submission = append(session);
    else
        smtpc_submission_reset(submission);
    return submission;
}

/* Octets that were not acknowledged by the caller's stream have not left, so the server cannot have the end. */
int
smtpc_queue_settle(struct smtpc_session *session, struct smtpc_submission *submission)
{
    int has_left = submission->end != 0 && submission->end <= session->octets_left;

    smtpc_envelope_settle(&submission->envelope, has_left ? SMTPC_OUTCOME_UNKNOWN : SMTPC_OUTCOME_NOT_SENT,
                          smtpc_session_step(session));
    submission->end = 0;
    return smtpc_envelope_count(&submission->envelope, SMTPC_OUTCOME_UNKNOWN) > 0;
}

void
smtpc_queue_finish(struct smtpc_session *session, struct smtpc_submission *submission)
{
    submission->is_over = 1;
    session->unfinished--;
    if (submission == session->current && !smtpc_error_is_set(&session->error))
        session->error = submission->error;
}

/* What has met with no refusal of its own has met with what ends the session. */
static void
settle_unfinished(struct smtpc_session *session, struct smtpc_submission *submission)
{
    int may_have_arrived = smtpc_queue_settle(session, submission);

    if (!submission->is_whole)
        session->error.may_have_been_sent |= may_have_arrived;
    else if (!submission->is_over) {
        if (!smtpc_error_is_set(&submission->error))
            submission->error = session->error;
        submission->error.may_have_been_sent = may_have_arrived;
        session->error.may_have_been_sent |= may_have_arrived;
        submission->awaited = 0;
        smtpc_queue_finish(session, submission);
    }
}

void
smtpc_queue_settle_all(struct smtpc_session *session)
{
    struct smtpc_submission *one;

    for (one = session->first; one != NULL; one = one->next)
        settle_unfinished(session, one);
}

void
smtpc_queue_hear_closing(struct smtpc_session *session, const char *step, const struct smtpc_reply *reply)
{
    struct smtpc_submission *one;

    for (one = session->first; one != NULL; one = one->next) {
        if (one->is_over || one->end == 0)
            continue;
        smtpc_envelope_hear_all(&one->envelope, SMTPC_OUTCOME_NONE, step, reply);
        smtpc_envelope_hear_all(&one->envelope, SMTPC_OUTCOME_ACCEPTED, step, reply);
        if (!smtpc_error_is_set(&one->error))
            smtpc_state_refused(&one->error, step, SMTPC_ERROR_NONE, reply);
        one->end = 0;
    }
}

void
smtpc_queue_free(struct smtpc_session *session)
{
    while (session->first != NULL) {
        struct smtpc_submission *first = session->first;

        session->first = first->next;
        smtpc_submission_free(first);
    }
}

/* ---- for the caller ---- */

const struct smtpc_submission *
smtpc_session_finished(const struct smtpc_session *session)
{
    return session->first->is_whole && session->first->is_over ? session->first : NULL;
}

const struct smtpc_submission *
smtpc_session_submission(const struct smtpc_session *session)
{
    return session->current;
}

const struct smtpc_envelope *
smtpc_session_envelope(const struct smtpc_session *session)
{
    return &session->current->envelope;
}

void
smtpc_session_set_window(struct smtpc_session *session, size_t n)
{
    session->window = n;
}

void
smtpc_session_set_manner(struct smtpc_session *session, enum smtpc_manner manner)
{
    session->manner = manner;
}

void
smtpc_session_set_all_or_none(struct smtpc_session *session, int on)
{
    session->all_or_none = on;
}
