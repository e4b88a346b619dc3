/* session: the pump that moves the two cursors over the rows of the dialogue. */
#include "smtp/session.h"

#include <stdio.h>
#include <string.h>

#include "smtp/state.h"

enum {
    OUTPUT_FLUSH = 16384,        /* content waits until there is this much of it, or its end */
    AHEAD_OCTETS_MAX = 131072    /* no command is added to so much that has not left */
};

/* The caller may go on with another message before what waits is sent; or there is one that he should look at. */
static int
is_next_wanted(const struct smtpc_session *session)
{
    if (session->window == 0 || session->saying == STEP_CONTENT || session->output.length > OUTPUT_FLUSH)
        return 0;
    return (session->saying == STEP_NEXT && session->unfinished < session->window)
        || (smtpc_session_finished(session) != NULL && !smtpc_state_is_idle(session));
}

/* Content that has to wait for replies to chunks that have not left would wait for ever. */
static int
must_flush(const struct smtpc_session *session)
{
    return session->output.length > 0 && smtpc_chunks_must_wait(session);
}

enum smtpc_want
smtpc_session_wants(const struct smtpc_session *session)
{
    if (session->saying == STEP_CLOSED)
        return SMTPC_WANT_CLOSED;
    if (is_next_wanted(session))
        return SMTPC_WANT_NEXT;
    if (session->output.length > (session->saying == STEP_CONTENT ? OUTPUT_FLUSH : 0) || must_flush(session))
        return SMTPC_WANT_WRITE;
    if (session->awaited_count > 0 && (session->saying != STEP_CONTENT || smtpc_chunks_must_wait(session)))
        return SMTPC_WANT_READ;
    switch (session->saying) {
    case STEP_TLS:
        return SMTPC_WANT_STARTTLS;
    case STEP_SECRET:
        return SMTPC_WANT_SECRET;
    case STEP_RESPONSE:
        return SMTPC_WANT_RESPONSE;
    case STEP_CONTENT:
        return SMTPC_WANT_CONTENT;
    default:
        return SMTPC_WANT_IDLE;
    }
}

void
smtpc_state_await(struct smtpc_session *session, enum step step)
{
    struct awaited *last = &session->awaited[(session->awaited_first + session->awaited_count)
                                             % SMTPC_SESSION_AHEAD_MAX];

    last->step = step;
    last->submission = smtpc_steps[step].of_message ? session->current : NULL;
    if (last->submission != NULL)
        last->submission->awaited++;
    last->end = session->octets_left + session->output.length;
    session->awaited_count++;
}

static void
drop_awaited(struct smtpc_session *session)
{
    if (session->awaited_count == 0)
        return;
    if (session->heard != NULL)
        session->heard->awaited--;
    session->awaited_first = (session->awaited_first + 1) % SMTPC_SESSION_AHEAD_MAX;
    session->awaited_count--;
}

/* The say cursor: moves until something must be heard first or it is the caller's turn. */
void
smtpc_state_say_on(struct smtpc_session *session)
{
    while (smtpc_steps[session->saying].say != NULL && session->awaited_count < SMTPC_SESSION_AHEAD_MAX
           && (session->awaited_count == 0 || session->output.length < AHEAD_OCTETS_MAX)) {
        enum step step = session->saying;
        enum step next = smtpc_steps[step].say(session);

        if (session->saying == STEP_CLOSED)
            return;
        session->saying = next;
        if (next == STEP_IDLE)
            return;    /* it could not be said */
        smtpc_state_await(session, step);
    }
}

static void
trace_heard(struct smtpc_session *session)
{
    char line[SMTPC_REPLY_LINE_MAX + 8];
    size_t i;

    for (i = 0; session->trace.wanted && i < session->reply.line_count; i++) {
        size_t n;
        const char *text = smtpc_reply_line(&session->reply, i, &n);
        int prefix = snprintf(line, sizeof line, "%03d%c", session->reply.code,
                              i + 1 < session->reply.line_count ? '-' : ' ');

        if (n > sizeof line - (size_t)prefix)
            n = sizeof line - (size_t)prefix;
        memcpy(line + prefix, text, n);
        smtpc_trace_add(&session->trace, SMTPC_TRACE_SERVER, 0, line, (size_t)prefix + n);
    }
}

/* A reply that was there before its command had left is not the reply to it (RFC 5321 section 4.1.1: lock-step). */
static int
was_asked_for(const struct smtpc_session *session)
{
    return session->awaited_count > 0 && session->awaited[session->awaited_first].end <= session->reply_begun;
}

static struct smtpc_submission *
oldest_submission(struct smtpc_session *session)
{
    struct smtpc_submission *one = session->first;

    while (one->is_over && one->next != NULL)
        one = one->next;
    return one;
}

/* A reply that nothing asked for says that the server gives up, or that the two sides have lost step. */
static void
hear_unasked(struct smtpc_session *session)
{
    const struct smtpc_reply *reply = &session->reply;
    const char *step = smtpc_session_step(session);

    if (smtpc_state_is_idle(session)) {
        smtpc_error_clear(&session->error);
        step = "idle connection";
    }
    if (smtpc_reply_class(reply) > 3) {
        smtpc_state_refused(&session->error, step, SMTPC_ERROR_NONE, reply);
        smtpc_envelope_hear_all(&oldest_submission(session)->envelope, SMTPC_OUTCOME_ACCEPTED, step, reply);
    }
    if (reply->code == 421)
        smtpc_queue_hear_closing(session, step, reply);
    smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "the server sent a reply that nothing had asked for: %d",
                     reply->code);
}

/* 421: the server goes, whatever it was asked. Why it goes counts more than why we cancelled a login. */
static enum step
hear_closing(struct smtpc_session *session, enum step step)
{
    if ((step == STEP_CANCEL || step == STEP_CANCEL_BY_CALLER) && session->error.code == 0)
        smtpc_error_clear(&session->error);
    smtpc_state_refused(&session->error, smtpc_steps[step].name, SMTPC_ERROR_NONE, &session->reply);
    smtpc_queue_hear_closing(session, smtpc_steps[step].name, &session->reply);
    smtpc_steps[step].hear(session, &session->reply);
    return smtpc_state_fail(session, SMTPC_ERROR_CLOSED, "the server closes the connection");
}

static enum step
hear_answer(struct smtpc_session *session, enum step step)
{
    const struct smtpc_reply *reply = &session->reply;

    if (reply->code == 421 && step != STEP_QUIT)
        return hear_closing(session, step);
    if (smtpc_reply_class(reply) == 3 && !smtpc_steps[step].goes_on)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "%s was answered with %d, as if more were to come",
                                smtpc_steps[step].name, reply->code);
    return smtpc_steps[step].hear(session, reply);
}

static void
tell_quit(struct smtpc_session *session)
{
    smtpc_trace_add(&session->trace, SMTPC_TRACE_CLIENT, 0, "QUIT", 4);
    session->quit_is_untold = 0;
}

/* Where the say cursor goes once a reply was heard: on, if it has waited for this one. */
static void
move_on(struct smtpc_session *session, enum step next)
{
    struct smtpc_submission *heard = session->heard;

    drop_awaited(session);
    if (next == STEP_CLOSED)
        smtpc_state_close(session);
    else if (session->quit_is_untold && smtpc_state_oldest(session) == STEP_QUIT)
        tell_quit(session);
    if (session->awaited_count == 0 && (session->saying == STEP_WAIT || session->saying == STEP_NEXT))
        session->saying = next;
    smtpc_state_say_on(session);
    if (heard != NULL && heard->is_whole && !heard->is_over && heard->awaited == 0
        && (heard->was_ended || heard != session->current || session->saying == STEP_IDLE))
        smtpc_queue_finish(session, heard);
}

/* The hear cursor: one whole reply, for the oldest command that has none. */
static void
hear(struct smtpc_session *session)
{
    enum step next;

    session->progress++;
    trace_heard(session);
    if (!was_asked_for(session)) {
        hear_unasked(session);
        return;
    }
    session->heard = session->awaited[session->awaited_first].submission;
    next = hear_answer(session, smtpc_state_oldest(session));
    if (next != STEP_SAME)
        move_on(session, next);
}

static void
hear_end_of_stream(struct smtpc_session *session)
{
    struct smtpc_error error = {0};

    if (session->awaited_count > 0)
        smtpc_error_set(&error, SMTPC_ERROR_CLOSED,
                        "the server closed the connection before its reply to %s was whole",
                        smtpc_session_step(session));
    else
        smtpc_error_set(&error, SMTPC_ERROR_CLOSED, "the server closed the connection");
    smtpc_session_fail(session, &error);
}

static void
hear_garbage(struct smtpc_session *session, const char *octets, size_t n)
{
    const char *hint = "";

    if (strcmp(session->reply.fault, "memory") == 0) {
        smtpc_state_fail_memory(session);
        return;
    }
    if (smtpc_state_is_idle(session))
        smtpc_error_clear(&session->error);
    if (n > 2 && (octets[0] == 0x15 || octets[0] == 0x16) && octets[1] == 3)
        hint = "; it speaks TLS: this port wants TLS from the start (smtps://, SSL => 1)";
    else if (n > 4 && (memcmp(octets, "HTTP/", 5) == 0 || memcmp(octets, "SSH-", 4) == 0))
        hint = "; this is no mail server";
    smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "the server's answer is no SMTP reply (%s): \"%.*s\"%s",
                     session->reply.fault, (int)(n > 60 ? 60 : n), octets, hint);
}

/* Whoever puts octets there wants them to be heard inside TLS (CVE-2011-0411 and its kin). */
static void
hear_before_tls(struct smtpc_session *session, size_t n)
{
    smtpc_state_fail(session, SMTPC_ERROR_TLS,
                     "plaintext after STARTTLS: %lu octets came in clear behind the server's go-ahead; somebody may "
                     "be tampering with this connection", (unsigned long)n);
}

/* Takes octets up to the end of a reply; returns how many. */
static size_t
hear_some(struct smtpc_session *session, const char *octets, size_t n)
{
    enum smtpc_reply_status status;
    size_t used;

    if (session->reply_is_whole)
        smtpc_reply_reset(&session->reply);
    if (smtpc_reply_is_empty(&session->reply))
        session->reply_begun = session->octets_left;
    status = smtpc_reply_feed(&session->reply, octets, n, &used);
    session->reply_is_whole = status == SMTPC_REPLY_DONE;
    if (status == SMTPC_REPLY_BAD)
        hear_garbage(session, octets, n);
    else if (status == SMTPC_REPLY_DONE)
        hear(session);
    return used;
}

int
smtpc_session_feed(struct smtpc_session *session, const char *octets, size_t n)
{
    if (n == 0)
        hear_end_of_stream(session);
    while (n > 0 && session->saying != STEP_CLOSED) {
        size_t used = 0;

        if (session->saying == STEP_TLS)
            hear_before_tls(session, n);
        else
            used = hear_some(session, octets, n);
        octets += used;
        n -= used;
    }
    return session->saying == STEP_CLOSED && smtpc_error_is_set(&session->error) ? -1 : 0;
}

void
smtpc_session_output(const struct smtpc_session *session, const char **octets, size_t *n)
{
    *octets = session->output.bytes;
    *n = session->output.length;
}

void
smtpc_session_sent(struct smtpc_session *session, size_t n)
{
    session->octets_left += n;
    smtpc_buffer_take(&session->output, n);
}

enum smtpc_patience
smtpc_session_patience(const struct smtpc_session *session)
{
    enum step step = smtpc_state_oldest(session);

    if (step == STEP_QUIT && session->current->was_ended && session->current->is_whole)
        return SMTPC_PATIENCE_FAREWELL;
    if (step == STEP_EHLO && !session->reply_is_whole && smtpc_ehlo_may_be_complete(&session->reply))
        return SMTPC_PATIENCE_GRACE;
    return smtpc_steps[step].patience;
}

unsigned long
smtpc_session_progress(const struct smtpc_session *session)
{
    return session->progress;
}

void
smtpc_session_silence(struct smtpc_session *session)
{
    if (smtpc_session_patience(session) != SMTPC_PATIENCE_GRACE)
        return;
    session->reply_is_whole = 1;
    hear(session);
}
