/* chunks: a message by BDAT (RFC 3030): each chunk with its length in front, its octets as they are, and its reply. */
#include "smtp/state.h"

#include <stdio.h>

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

int
smtpc_session_bdat(struct smtpc_session *session, const char *octets, size_t n, int last)
{
    enum step step = last ? STEP_LAST_CHUNK : STEP_CHUNK;

    if (smtpc_state_ready(session, step) != 0)
        return -1;
    if (n > SMTPC_SESSION_CHUNK_MAX)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "BDAT: a chunk of %lu octets, %d are allowed",
                               (unsigned long)n, (int)SMTPC_SESSION_CHUNK_MAX);
    if (session->in_chunks == CHUNKS_REFUSED)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE,
                               "BDAT: a chunk was refused, so that the message is over: RSET; nothing was sent");
    if (append_chunk(session, octets, n, last) != 0)
        return -1;
    if (session->in_chunks == CHUNKS_NONE)
        smtpc_content_init(&session->content);
    session->content.size += (int64_t)n;
    session->submitting = session->nobody = 0;
    session->in_chunks = CHUNKS_TAKEN;
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
    smtpc_trace_note(&session->trace, "message of %lld octets", (long long)session->content.size);
    session->end_is_queued = 1;
    return STEP_WAIT;
}

/* What lacks a chunk can be given to nobody any more. */
enum step
smtpc_chunks_hear(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        return STEP_IDLE;
    session->in_chunks = CHUNKS_REFUSED;
    smtpc_state_refused(session, "BDAT", SMTPC_ERROR_NONE, reply);
    smtpc_envelope_hear_all(&session->envelope, SMTPC_OUTCOME_ACCEPTED, "BDAT", reply);
    return STEP_IDLE;
}

enum step
smtpc_chunks_hear_last(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    session->in_chunks = CHUNKS_NONE;
    return smtpc_transaction_hear_end(session, reply);
}
