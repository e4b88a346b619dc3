/* chunks: a message by BDAT (RFC 3030): each chunk with its length in front, its octets as they are, and its reply. */
#include "smtp/state.h"

#include <stdio.h>

enum { CHUNKS_AHEAD_MAX = 2 };    /* of one message, said and not answered */

/* The command and the octets leave in one flight: a server reads as many as the line says, whatever it thinks. */
static int
append_chunk(struct smtpc_session *session, const char *octets, size_t n, int last)
{
    size_t start = session->output.length;
    char line[40];
    int length = snprintf(line, sizeof line, "BDAT %lu%s\r\n", (unsigned long)n, last ? " LAST" : "");

    if (smtpc_buffer_reserve(&session->output, (size_t)length + n) == NULL)
        return smtpc_error_set_memory(&session->error);
    smtpc_buffer_append(&session->output, line, (size_t)length);
    smtpc_state_trace_said(session, start, NULL);
    smtpc_buffer_append(&session->output, octets, n);
    return 0;
}

/* ---- one chunk by the caller ---- */

int
smtpc_session_bdat(struct smtpc_session *session, const char *octets, size_t n, int last)
{
    struct smtpc_submission *submission = session->current;
    enum step step = last ? STEP_LAST_CHUNK : STEP_CHUNK;

    if (smtpc_state_ready(session, step) != 0)
        return -1;
    if (n > SMTPC_SESSION_CHUNK_MAX)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "BDAT: a chunk of %lu octets, %d are allowed",
                               (unsigned long)n, (int)SMTPC_SESSION_CHUNK_MAX);
    if (submission->chunks == SMTPC_CHUNKS_REFUSED)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE,
                               "BDAT: a chunk was refused, so that the message is over: RSET; nothing was sent");
    if (append_chunk(session, octets, n, last) != 0)
        return -1;
    if (submission->chunks == SMTPC_CHUNKS_NONE)
        smtpc_content_init(&submission->content);
    submission->content.size += (int64_t)n;
    submission->is_whole = submission->nobody = 0;
    submission->chunks = SMTPC_CHUNKS_TAKEN;
    return smtpc_state_begin(session, step);
}

/* It stands in output already: only the operation knows the octets. */
enum step
smtpc_chunks_say(struct smtpc_session *session)
{
    (void)session;
    return STEP_WAIT;
}

enum step
smtpc_chunks_say_last(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;

    smtpc_trace_note(&session->trace, "message of %lld octets", (long long)submission->content.size);
    submission->was_ended = 1;
    submission->end = session->octets_left + session->output.length;
    return smtpc_state_may_run_ahead(session) ? STEP_NEXT : STEP_WAIT;
}

/* ---- the content of a submission ---- */

static int
say_chunk(struct smtpc_session *session, size_t n, int last)
{
    struct smtpc_submission *submission = session->current;

    if (append_chunk(session, submission->chunk.bytes, n, last) != 0) {
        smtpc_state_fail_memory(session);
        return -1;
    }
    smtpc_buffer_take(&submission->chunk, n);
    submission->chunks = SMTPC_CHUNKS_TAKEN;
    if (last)
        session->saying = smtpc_chunks_say_last(session);
    else
        submission->chunks_awaited++;
    smtpc_state_await(session, last ? STEP_LAST_CHUNK : STEP_CHUNK);
    return 0;
}

int
smtpc_chunks_take(struct smtpc_session *session, const char *octets, size_t n)
{
    struct smtpc_submission *submission = session->current;

    if (smtpc_content_append(&submission->content, octets, n, &submission->chunk) != 0) {
        smtpc_state_fail_memory(session);
        return -1;
    }
    while (submission->chunk.length >= SMTPC_CHUNK_SIZE)
        if (say_chunk(session, SMTPC_CHUNK_SIZE, 0) != 0)
            return -1;
    return 0;
}

/* All or none: the message is not ended before it is known that all are accepted. */
int
smtpc_chunks_end(struct smtpc_session *session)
{
    struct smtpc_submission *submission = session->current;

    if (smtpc_content_end(&submission->content, &submission->chunk) != 0) {
        smtpc_state_fail_memory(session);
        return -1;
    }
    submission->is_given = 1;
    if (!submission->all_or_none || submission->heard_rcpt == submission->envelope.count)
        return say_chunk(session, submission->chunk.length, 1);
    if (submission->chunk.length > 0 && say_chunk(session, submission->chunk.length, 0) != 0)
        return -1;
    session->saying = STEP_WAIT;
    return 0;
}

int
smtpc_chunks_must_wait(const struct smtpc_session *session)
{
    const struct smtpc_submission *submission = session->current;

    return session->saying == STEP_CONTENT && submission->manner != SMTPC_BY_DATA && submission->is_whole
        && (submission->chunks_awaited >= CHUNKS_AHEAD_MAX || session->awaited_count + 4 > SMTPC_SESSION_AHEAD_MAX);
}

enum step
smtpc_chunks_say_empty_last(struct smtpc_session *session)
{
    if (append_chunk(session, "", 0, 1) != 0)
        return smtpc_state_fail_memory(session);
    return smtpc_chunks_say_last(session);
}

/* ---- replies ---- */

static enum step
chunk_refused(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;

    submission->chunks = SMTPC_CHUNKS_REFUSED;
    smtpc_state_refused(submission->is_whole ? &submission->error : &session->error, "BDAT", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&submission->envelope, SMTPC_OUTCOME_ACCEPTED, "BDAT", reply);
    return submission->is_whole ? smtpc_transaction_give_up(session) : STEP_IDLE;
}

/* What lacks a chunk can be given to nobody any more. */
enum step
smtpc_chunks_hear(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;

    if (submission->chunks_awaited > 0)
        submission->chunks_awaited--;
    if (smtpc_reply_class(reply) != 2)
        return chunk_refused(session, reply);
    if (!submission->is_whole)
        return STEP_IDLE;
    return smtpc_error_is_set(&submission->error) ? STEP_RSET : STEP_EMPTY_LAST;
}

/* A message that failed leaves the transaction open (RFC 3030 section 2). */
enum step
smtpc_chunks_hear_last(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_submission *submission = session->heard;
    enum step next;

    submission->chunks = SMTPC_CHUNKS_NONE;
    next = smtpc_transaction_hear_end(session, reply);
    return next == STEP_IDLE && submission->is_whole && smtpc_reply_class(reply) != 2 ? STEP_RSET : next;
}
