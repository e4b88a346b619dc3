/* transaction: the rows from MAIL to the reply to the final dot, and what each reply means for each recipient. */
#include "smtp/state.h"

int
smtpc_state_may_run_ahead(const struct smtpc_session *session)
{
    return session->current->is_whole && session->pipelining && smtpc_ehlo_find(&session->ehlo, "PIPELINING") != NULL;
}

/* Of a message that runs by itself, what is refused is its own affair; otherwise it is the operation's. */
static struct smtpc_error *
error_of(struct smtpc_session *session)
{
    return session->heard->is_whole ? &session->heard->error : &session->error;
}

/* What a row returns when nothing may be said before the reply. */
static enum step
ahead(const struct smtpc_session *session, enum step next)
{
    return smtpc_state_may_run_ahead(session) ? next : STEP_WAIT;
}

enum step
smtpc_transaction_say_rset_first(struct smtpc_session *session)
{
    return smtpc_state_say(session, "RSET\r\n") == STEP_CLOSED ? STEP_CLOSED : ahead(session, STEP_MAIL);
}

enum step
smtpc_transaction_hear_rset_first(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        return STEP_MAIL;
    smtpc_state_refused(error_of(session), "RSET", SMTPC_ERROR_NONE, reply);
    return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "RSET was answered with %d: two messages might be mixed",
                            reply->code);
}

enum step
smtpc_transaction_say_mail(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;
    size_t start = session->output.length;

    submission->mail_refused = 0;
    submission->chunks = SMTPC_CHUNKS_NONE;
    submission->next_rcpt = submission->heard_rcpt = 0;
    if (smtpc_envelope_write_mail(&submission->envelope, &session->output, &session->error) != 0)
        return submission->is_whole ? smtpc_state_fail_memory(session) : STEP_IDLE;    /* submit has checked it */
    smtpc_state_trace_said(session, start, NULL);
    return ahead(session, STEP_RCPT);
}

/* Chunks that were not said will not be: BDAT can be left off where DATA cannot. */
enum step
smtpc_transaction_give_up(struct smtpc_session *session)
{
    if (session->saying == STEP_CONTENT && session->current == session->heard)
        session->saying = STEP_WAIT;
    return STEP_RSET;
}

enum step
smtpc_transaction_hear_mail(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;

    if (smtpc_reply_class(reply) == 2)
        return submission->is_whole ? STEP_RCPT : STEP_IDLE;
    if (session->was_early_refused)
        return STEP_IDLE;
    submission->mail_refused = 1;
    smtpc_state_refused(error_of(session), "MAIL", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&submission->envelope, SMTPC_OUTCOME_NONE, "MAIL", reply);
    smtpc_transaction_give_up(session);
    return STEP_IDLE;
}

/* What comes behind the last RCPT without its reply. */
static enum step
after_rcpt_said(const struct smtpc_session *session)
{
    const struct smtpc_submission *submission = session->current;

    if (session->was_early_refused)
        return STEP_WAIT;
    if (submission->manner == SMTPC_BY_BDAT_AHEAD)
        return smtpc_early_is_open(session) ? STEP_WAIT : STEP_CONTENT;
    if (submission->manner == SMTPC_BY_BDAT || (submission->all_or_none && submission->envelope.count > 1))
        return STEP_WAIT;
    return STEP_DATA;
}

enum step
smtpc_transaction_say_rcpt(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;
    size_t start = session->output.length;

    if (smtpc_envelope_write_rcpt(&submission->envelope, submission->next_rcpt, &session->output, &session->error) != 0)
        return submission->is_whole ? smtpc_state_fail_memory(session) : STEP_IDLE;    /* submit has checked them */
    smtpc_state_trace_said(session, start, NULL);
    submission->next_rcpt++;
    if (!smtpc_state_may_run_ahead(session))
        return STEP_WAIT;
    return submission->next_rcpt < submission->envelope.count ? STEP_RCPT : after_rcpt_said(session);
}

/* All or none, and some were refused: to try again helps only where nobody was refused for good. */
static enum step
not_all_accepted(struct smtpc_session *session)
{
    const struct smtpc_envelope *envelope = &session->heard->envelope;
    const struct smtpc_recipient *first = envelope->recipients;
    size_t accepted = smtpc_submission_accepted(session->heard);

    while (first->outcome == SMTPC_OUTCOME_ACCEPTED)
        first++;
    smtpc_error_set(error_of(session), smtpc_envelope_count(envelope, SMTPC_OUTCOME_REFUSED) > 0
                        ? SMTPC_ERROR_REFUSED : SMTPC_ERROR_DEFERRED,
                    "%lu of the %lu recipients not accepted, so nothing was sent; the first of them, %.200s: %d %.200s",
                    (unsigned long)(envelope->count - accepted), (unsigned long)envelope->count, first->path,
                    first->code, first->text != NULL ? first->text : "");
    error_of(session)->step = "RCPT";
    return smtpc_transaction_give_up(session);
}

static enum step
none_accepted(struct smtpc_session *session, const struct smtpc_reply *last)
{
    const struct smtpc_envelope *envelope = &session->heard->envelope;
    const struct smtpc_recipient *first = envelope->recipients;
    struct smtpc_error *error = error_of(session);

    if (envelope->count == 1)
        smtpc_state_refused(error, "RCPT", SMTPC_ERROR_NONE, last);
    else if (!smtpc_error_is_set(error)) {
        smtpc_error_set(error, smtpc_envelope_count(envelope, SMTPC_OUTCOME_DEFERRED) > 0
                            ? SMTPC_ERROR_DEFERRED : SMTPC_ERROR_REFUSED,
                        "none of the %lu recipients was accepted; the first, %.200s: %d %.200s",
                        (unsigned long)envelope->count, first->path, first->code,
                        first->text != NULL ? first->text : "");
        error->step = "RCPT";
    }
    return smtpc_transaction_give_up(session);
}

/* Refused recipients of a submission are data, not failure, as long as one is left. */
static enum step
after_last_rcpt(struct smtpc_session *session, const struct smtpc_reply *last)
{
    const struct smtpc_submission *submission = session->heard;
    size_t accepted = smtpc_submission_accepted(submission);

    if (session->was_early_refused)
        return smtpc_transaction_give_up(session);
    if (accepted == 0)
        return none_accepted(session, last);
    if (submission->all_or_none && accepted < submission->envelope.count)
        return not_all_accepted(session);
    if (submission->manner == SMTPC_BY_DATA)
        return STEP_DATA;
    if (smtpc_error_is_set(&submission->error))    /* its content was given up meanwhile */
        return STEP_RSET;
    return submission->is_given ? STEP_EMPTY_LAST : STEP_CONTENT;
}

enum step
smtpc_transaction_hear_rcpt(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;
    size_t i = submission->heard_rcpt++;

    if (!submission->mail_refused && !session->was_early_refused)
        smtpc_envelope_hear_rcpt(&submission->envelope, i, reply);
    if (!submission->is_whole) {
        if (smtpc_reply_class(reply) != 2)
            smtpc_state_refused(&session->error, "RCPT", SMTPC_ERROR_NONE, reply);
        return STEP_IDLE;
    }
    return submission->heard_rcpt < submission->envelope.count ? STEP_RCPT : after_last_rcpt(session, reply);
}

enum step
smtpc_transaction_say_data(struct smtpc_session *session)
{
    return smtpc_state_say(session, "DATA\r\n");
}

static enum step
go_ahead(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->heard;

    if (session->was_early_refused)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "the server takes mail without the login it has refused");
    smtpc_content_init(&submission->content);
    submission->nobody = submission->is_whole && smtpc_submission_accepted(submission) == 0;
    if (!submission->nobody)
        return STEP_CONTENT;
    if (session->lmtp)    /* nobody can tell whether a reply to the dot will come */
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "DATA was answered with 354 though nobody was accepted");
    return STEP_END;
}

enum step
smtpc_transaction_hear_data(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;

    if (smtpc_reply_class(reply) == 2)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL,
                                "DATA was answered with %d instead of 354: nothing may be sent after that",
                                reply->code);
    if (smtpc_reply_class(reply) == 3)
        return go_ahead(session);
    smtpc_state_refused(error_of(session), "DATA", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&submission->envelope, SMTPC_OUTCOME_ACCEPTED, "DATA", reply);
    return submission->is_whole ? STEP_RSET : STEP_IDLE;
}

enum step
smtpc_transaction_say_end(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;

    if (smtpc_content_end(&submission->content, &session->output) != 0)
        return smtpc_state_fail_memory(session);
    smtpc_trace_note(&session->trace, "message of %lld octets", (long long)submission->content.size);
    smtpc_trace_add(&session->trace, SMTPC_TRACE_CLIENT, 0, ".", 1);
    submission->was_ended = 1;
    submission->end = submission->nobody ? 0 : session->octets_left + session->output.length;
    return ahead(session, STEP_NEXT);
}

/* LMTP: one reply for each that was accepted, in their order. */
static enum step
hear_end_of_one(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;
    struct smtpc_envelope *envelope = &submission->envelope;

    smtpc_envelope_hear_next(envelope, &submission->heard_end, "end of data", reply);
    if (smtpc_reply_class(reply) == 2 || submission->words == NULL)
        smtpc_submission_keep_words(submission, reply);
    if (smtpc_envelope_has_next(envelope, &submission->heard_end))
        return STEP_SAME;
    submission->end = 0;
    if (smtpc_envelope_count(envelope, SMTPC_OUTCOME_SENT) == 0)
        smtpc_state_refused(error_of(session), "end of data", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

enum step
smtpc_transaction_hear_end(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;

    if (submission->nobody)
        return STEP_RSET;
    if (session->lmtp && reply->code != 421)
        return hear_end_of_one(session, reply);
    submission->end = 0;
    smtpc_envelope_hear_all(&submission->envelope, SMTPC_OUTCOME_ACCEPTED, "end of data", reply);
    smtpc_submission_keep_words(submission, reply);
    if (smtpc_reply_class(reply) != 2)
        smtpc_state_refused(error_of(session), "end of data", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

enum step
smtpc_transaction_say_rset(struct smtpc_session *session)
{
    smtpc_queue_settle(session, session->current);
    session->current->chunks = SMTPC_CHUNKS_NONE;
    return smtpc_state_say(session, "RSET\r\n") == STEP_CLOSED ? STEP_CLOSED : ahead(session, STEP_NEXT);
}

enum step
smtpc_transaction_hear_rset(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) != 2)
        smtpc_state_refused(error_of(session), "RSET", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}
