/* steps: the table of the dialogue, and the rows that need no file of their own. */
#include "smtp/state.h"

#include "codec/command.h"

static enum step
say_hello(struct smtpc_session *session, const char *verb)
{
    struct smtpc_command command;
    size_t start = session->output.length;

    smtpc_command_begin(&command, &session->output, &session->error, verb);
    smtpc_command_argument(&command, "hello", session->hello_name.bytes, session->hello_name.length, 0);
    if (smtpc_command_end(&command) != 0)
        return STEP_IDLE;
    smtpc_ehlo_reset(&session->ehlo);
    smtpc_state_trace_said(session, start, NULL);
    return STEP_WAIT;
}

static enum step
hear_greeting(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        return STEP_IDLE;
    smtpc_state_refused(&session->error, "greeting", SMTPC_ERROR_NONE, reply);
    return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "no greeting");
}

static enum step
say_ehlo(struct smtpc_session *session)
{
    return say_hello(session, session->lmtp ? "LHLO" : "EHLO");
}

/* EHLO is a RSET too (RFC 5321 section 4.1.4). */
static void
forget_message(struct smtpc_session *session)
{
    smtpc_queue_settle(session, session->current);
    session->current->chunks = SMTPC_CHUNKS_NONE;
}

static enum step
hear_ehlo(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2) {
        forget_message(session);
        if (smtpc_ehlo_parse(&session->ehlo, reply) != 0)
            smtpc_error_set_memory(&session->error);
        return STEP_IDLE;
    }
    if (smtpc_reply_class(reply) == 5 && session->which_hello == SMTPC_HELLO_EITHER
        && !session->lmtp)
        return STEP_HELO;
    smtpc_state_refused(&session->error, "EHLO", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

static enum step
say_helo(struct smtpc_session *session)
{
    return say_hello(session, "HELO");
}

static enum step
hear_helo(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) == 2)
        forget_message(session);
    else
        smtpc_state_refused(&session->error, "HELO", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

static enum step
say_starttls(struct smtpc_session *session)
{
    session->unfit = 1;    /* until TLS is up */
    return smtpc_state_say(session, "STARTTLS\r\n");
}

static enum step
hear_starttls(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) != 2) {
        smtpc_state_refused(&session->error, "STARTTLS", SMTPC_ERROR_TLS, reply);
        return STEP_IDLE;
    }
    return STEP_TLS;
}

static enum step
say_noop(struct smtpc_session *session)
{
    return smtpc_state_say(session, "NOOP\r\n");
}

static enum step
hear_noop(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) != 2)
        smtpc_state_refused(&session->error, "NOOP", SMTPC_ERROR_NONE, reply);
    return STEP_IDLE;
}

/* Behind a message it is told of once that is answered (session.c): whoever follows the dialogue may die of it, and must not
 * take the answer with him. */
static enum step
say_quit(struct smtpc_session *session)
{
    if (session->awaited_count == 0)
        return smtpc_state_say(session, "QUIT\r\n");
    if (smtpc_buffer_append_string(&session->output, "QUIT\r\n") != 0)
        return smtpc_state_fail_memory(session);
    session->quit_is_untold = 1;
    return STEP_WAIT;
}

static enum step
hear_quit(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    (void)session;
    (void)reply;
    return STEP_CLOSED;
}

/* Its line stands in output already: only the operation knows what to write. */
static enum step
say_command(struct smtpc_session *session)
{
    (void)session;
    return STEP_WAIT;
}

static enum step
hear_command(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    (void)session;
    (void)reply;
    return STEP_IDLE;
}

const struct step_row smtpc_steps[STEP_COUNT] = {
    [STEP_IDLE] = {"idle", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_GREETING] = {"greeting", SMTPC_PATIENCE_STEP, 0, 0, NULL, hear_greeting},
    [STEP_EHLO] = {"EHLO", SMTPC_PATIENCE_STEP, 0, 0, say_ehlo, hear_ehlo},
    [STEP_HELO] = {"HELO", SMTPC_PATIENCE_STEP, 0, 0, say_helo, hear_helo},
    [STEP_STARTTLS] = {"STARTTLS", SMTPC_PATIENCE_STEP, 0, 0, say_starttls, hear_starttls},
    [STEP_TLS] = {"TLS handshake", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_SECRET] = {"AUTH", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_AUTH] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_auth_say_auth, smtpc_auth_hear_auth},
    [STEP_AUTH_EARLY] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_early_say_auth, smtpc_early_hear_auth},
    [STEP_ANSWER] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_auth_say_answer, smtpc_auth_hear_auth},
    [STEP_CANCEL] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_auth_say_cancel, smtpc_auth_hear_cancel},
    [STEP_AUTH_BY_CALLER] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_caller_say_auth, smtpc_caller_hear_auth},
    [STEP_RESPONSE] = {"AUTH", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_ANSWER_BY_CALLER] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_auth_say_answer, smtpc_caller_hear_auth},
    [STEP_CANCEL_BY_CALLER] = {"AUTH", SMTPC_PATIENCE_STEP, 1, 0, smtpc_auth_say_cancel, smtpc_caller_hear_cancel},
    [STEP_MAIL] = {"MAIL", SMTPC_PATIENCE_STEP, 0, 1, smtpc_transaction_say_mail, smtpc_transaction_hear_mail},
    [STEP_RCPT] = {"RCPT", SMTPC_PATIENCE_STEP, 0, 1, smtpc_transaction_say_rcpt, smtpc_transaction_hear_rcpt},
    [STEP_DATA] = {"DATA", SMTPC_PATIENCE_STEP, 1, 1, smtpc_transaction_say_data, smtpc_transaction_hear_data},
    [STEP_CONTENT] = {"content", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_END] = {"end of data", SMTPC_PATIENCE_END, 0, 1, smtpc_transaction_say_end, smtpc_transaction_hear_end},
    [STEP_RSET] = {"RSET", SMTPC_PATIENCE_STEP, 0, 1, smtpc_transaction_say_rset, smtpc_transaction_hear_rset},
    [STEP_RSET_FIRST] = {"RSET", SMTPC_PATIENCE_STEP, 0, 1, smtpc_transaction_say_rset_first,
                         smtpc_transaction_hear_rset_first},
    [STEP_NOOP] = {"NOOP", SMTPC_PATIENCE_STEP, 0, 0, say_noop, hear_noop},
    [STEP_QUIT] = {"QUIT", SMTPC_PATIENCE_QUIT, 0, 0, say_quit, hear_quit},
    [STEP_COMMAND] = {"command", SMTPC_PATIENCE_STEP, 0, 0, say_command, hear_command},
    [STEP_CHUNK] = {"BDAT", SMTPC_PATIENCE_STEP, 0, 1, smtpc_chunks_say, smtpc_chunks_hear},
    [STEP_LAST_CHUNK] = {"end of data", SMTPC_PATIENCE_END, 0, 1, smtpc_chunks_say_last, smtpc_chunks_hear_last},
    [STEP_EMPTY_LAST] = {"end of data", SMTPC_PATIENCE_END, 0, 1, smtpc_chunks_say_empty_last, smtpc_chunks_hear_last},
    [STEP_WAIT] = {"reply", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_NEXT] = {"reply", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_SAME] = {"reply", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
    [STEP_CLOSED] = {"closed", SMTPC_PATIENCE_STEP, 0, 0, NULL, NULL},
};
