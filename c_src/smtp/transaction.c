/* transaction: the rows from MAIL to the reply to the final dot, and what each reply means for each recipient. */
#include "smtp/state.h"

/* RFC 2920: only where the server offers it in the layer that counts, and when the transaction runs by itself. */
static int
may_run_ahead(const struct smtpc_session *session)
{
    return session->submitting && session->pipelining && smtpc_ehlo_find(&session->ehlo, "PIPELINING") != NULL;
}

static size_t
accepted(const struct smtpc_session *session)
{
    return smtpc_envelope_count(&session->envelope, SMTPC_OUTCOME_ACCEPTED);
}

enum step
smtpc_transaction_say_mail(struct smtpc_session *session)
{
    size_t start = session->output.length;

    session->mail_refused = 0;
    session->in_chunks = CHUNKS_NONE;
    session->next_rcpt = session->heard_rcpt = 0;
    if (smtpc_envelope_write_mail(&session->envelope, &session->output, &session->error) != 0)
        return STEP_IDLE;
    smtpc_state_trace_said(session, start, NULL);
    return may_run_ahead(session) ? STEP_RCPT : STEP_WAIT;
}

enum step
smtpc_transaction_hear_mail(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        return session->submitting ? STEP_RCPT : STEP_IDLE;
    session->mail_refused = 1;
    smtpc_state_refused(session, "MAIL", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&session->envelope, SMTPC_OUTCOME_NONE, "MAIL", reply);
    return STEP_IDLE;
}

enum step
smtpc_transaction_say_rcpt(struct smtpc_session *session)
{
    size_t start = session->output.length;

    if (smtpc_envelope_write_rcpt(&session->envelope, session->next_rcpt, &session->output, &session->error) != 0)
        return session->submitting ? smtpc_state_fail_memory(session) : STEP_IDLE;    /* submit has checked them */
    smtpc_state_trace_said(session, start, NULL);
    session->next_rcpt++;
    if (!may_run_ahead(session))
        return STEP_WAIT;
    if (session->next_rcpt < session->envelope.count)
        return STEP_RCPT;
    return session->all_or_none && session->envelope.count > 1 ? STEP_WAIT : STEP_DATA;
}

/* All or none, and some were refused: to try again helps only where nobody was refused for good. */
static enum step
not_all_accepted(struct smtpc_session *session)
{
    const struct smtpc_envelope *envelope = &session->envelope;
    const struct smtpc_recipient *first = envelope->recipients;

    while (first->outcome == SMTPC_OUTCOME_ACCEPTED)
        first++;
    smtpc_error_set(&session->error, smtpc_envelope_count(envelope, SMTPC_OUTCOME_REFUSED) > 0
                        ? SMTPC_ERROR_REFUSED : SMTPC_ERROR_DEFERRED,
                    "%lu of the %lu recipients not accepted, so nothing was sent; the first of them, %.200s: %d %.200s",
                    (unsigned long)(envelope->count - accepted(session)), (unsigned long)envelope->count, first->path,
                    first->code, first->text != NULL ? first->text : "");
    session->error.step = "RCPT";
    return STEP_RSET;
}

/* Refused recipients of a submission are data, not failure, as long as one is left. */
static enum step
after_last_rcpt(struct smtpc_session *session, const struct smtpc_reply *last)
{
    size_t deferred = smtpc_envelope_count(&session->envelope, SMTPC_OUTCOME_DEFERRED);
    const struct smtpc_recipient *first = session->envelope.recipients;

    if (session->all_or_none && accepted(session) > 0 && accepted(session) < session->envelope.count)
        return not_all_accepted(session);
    if (accepted(session) > 0)
        return STEP_DATA;
    if (session->envelope.count == 1)
        smtpc_state_refused(session, "RCPT", SMTPC_ERROR_NONE, last);
    else if (!smtpc_error_is_set(&session->error)) {
        smtpc_error_set(&session->error, deferred > 0 ? SMTPC_ERROR_DEFERRED : SMTPC_ERROR_REFUSED,
                        "none of the %lu recipients was accepted; the first, %.200s: %d %.200s",
                        (unsigned long)session->envelope.count, first->path, first->code,
                        first->text != NULL ? first->text : "");
        session->error.step = "RCPT";
    }
    return STEP_RSET;
}

enum step
smtpc_transaction_hear_rcpt(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    size_t i = session->heard_rcpt++;

    if (!session->mail_refused)
        smtpc_envelope_hear_rcpt(&session->envelope, i, reply);
    if (!session->submitting) {
        if (smtpc_reply_class(reply) != 2)
            smtpc_state_refused(session, "RCPT", SMTPC_ERROR_NONE, reply);
        return STEP_IDLE;
    }
    return session->heard_rcpt < session->envelope.count ? STEP_RCPT : after_last_rcpt(session, reply);
}

enum step
smtpc_transaction_say_data(struct smtpc_session *session)
{
    return smtpc_state_say(session, "DATA\r\n");
}

enum step
smtpc_transaction_hear_data(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL,
                                "DATA was answered with %d instead of 354: nothing may be sent after that",
                                reply->code);
    if (smtpc_reply_class(reply) == 3) {
        smtpc_content_init(&session->content);
        session->nobody = session->submitting && accepted(session) == 0;
        return session->nobody ? STEP_END : STEP_CONTENT;
    }
    smtpc_state_refused(session, "DATA", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&session->envelope, SMTPC_OUTCOME_ACCEPTED, "DATA", reply);
    return session->submitting ? STEP_RSET : STEP_IDLE;
}

enum step
smtpc_transaction_say_end(struct smtpc_session *session)
{
    if (smtpc_content_end(&session->content, &session->output) != 0)
        return smtpc_state_fail_memory(session);
    smtpc_trace_note(&session->trace, "message of %lld octets", (long long)session->content.size);
    smtpc_trace_add(&session->trace, SMTPC_TRACE_CLIENT, 0, ".", 1);
    session->end_is_queued = 1;
    return STEP_WAIT;
}

enum step
smtpc_transaction_hear_end(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    session->end_is_queued = 0;
    if (session->nobody)
        return STEP_RSET;
    smtpc_envelope_hear_all(&session->envelope, SMTPC_OUTCOME_ACCEPTED, "end of data", reply);
    if (smtpc_reply_class(reply) != 2)
        smtpc_state_refused(session, "end of data", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

enum step
smtpc_transaction_say_rset(struct smtpc_session *session)
{
    smtpc_state_settle(session);
    session->in_chunks = CHUNKS_NONE;
    return smtpc_state_say(session, "RSET\r\n");
}

enum step
smtpc_transaction_hear_rset(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) != 2)
        smtpc_state_refused(session, "RSET", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

