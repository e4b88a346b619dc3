/* state: the life of a session from new to its end, and the few words that every row needs. */
#include "smtp/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/command.h"

enum {
    OUTPUT_CAP = 524288,      /* the longest flight, or a piece of content with every octet doubled */
    ANSWER_CAP = 5 * SMTPC_SASL_SECRET_MAX,    /* in base64 it fits into output */
    WORDS_CAP = 4096
};

struct smtpc_session *
smtpc_session_new(void)
{
    struct smtpc_session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return NULL;
    session->first = session->current = smtpc_submission_new();
    if (session->first == NULL) {
        free(session);
        return NULL;
    }
    smtpc_reply_init(&session->reply);
    smtpc_ehlo_init(&session->ehlo);
    smtpc_trace_init(&session->trace);
    smtpc_sasl_init(&session->sasl);
    smtpc_buffer_init(&session->output, OUTPUT_CAP);
    smtpc_buffer_init(&session->hello_name, SMTPC_COMMAND_LINE_MAX);
    smtpc_buffer_init(&session->answer, ANSWER_CAP);
    smtpc_buffer_init(&session->challenge, SMTPC_REPLY_SIZE_MAX);
    smtpc_buffer_init(&session->wanted, WORDS_CAP);
    smtpc_buffer_init(&session->tried, WORDS_CAP);
    session->pipelining = 1;
    session->saying = STEP_WAIT;
    session->awaited[0].step = STEP_GREETING;
    session->awaited_count = 1;
    return session;
}

void
smtpc_session_free(struct smtpc_session *session)
{
    if (session == NULL)
        return;
    smtpc_reply_clear(&session->reply);
    smtpc_ehlo_clear(&session->ehlo);
    smtpc_queue_free(session);
    smtpc_trace_clear(&session->trace);
    smtpc_sasl_clear(&session->sasl);
    smtpc_buffer_clear(&session->output);
    smtpc_buffer_clear(&session->hello_name);
    smtpc_buffer_clear(&session->answer);
    smtpc_buffer_clear(&session->challenge);
    smtpc_buffer_clear(&session->wanted);
    smtpc_buffer_clear(&session->tried);
    free(session);
}

enum step
smtpc_state_oldest(const struct smtpc_session *session)
{
    return session->awaited_count > 0 ? session->awaited[session->awaited_first].step : session->saying;
}

const char *
smtpc_session_step(const struct smtpc_session *session)
{
    return smtpc_steps[smtpc_state_oldest(session)].name;
}

int
smtpc_session_in_content(const struct smtpc_session *session)
{
    return session->saying == STEP_CONTENT;
}

int
smtpc_state_is_idle(const struct smtpc_session *session)
{
    return session->saying == STEP_IDLE && session->awaited_count == 0;
}

int
smtpc_state_has_half_a_reply(const struct smtpc_session *session)
{
    return !session->reply_is_whole && !smtpc_reply_is_empty(&session->reply);
}

void
smtpc_state_forget_login(struct smtpc_session *session)
{
    smtpc_sasl_clear(&session->sasl);
    smtpc_buffer_truncate(&session->answer, 0);
    smtpc_buffer_clear(&session->challenge);
}

void
smtpc_state_close(struct smtpc_session *session)
{
    if (session->saying == STEP_CLOSED)
        return;
    smtpc_queue_settle_all(session);
    if (smtpc_state_has_half_a_reply(session))
        smtpc_reply_reset(&session->reply);    /* half a reply is none */
    smtpc_buffer_truncate(&session->output, 0);
    smtpc_state_forget_login(session);
    session->awaited_count = 0;
    session->saying = STEP_CLOSED;
}

/* A message that was refused before is what its caller wants to know of, not what came of the connection then. */
static void
recall_refusal(struct smtpc_session *session)
{
    const struct smtpc_submission *submission = session->current;

    if (session->window == 0 && submission->is_whole && !submission->is_over && !smtpc_error_is_set(&session->error))
        session->error = submission->error;
}

static void
fail(struct smtpc_session *session, const struct smtpc_error *error)
{
    if (session->saying == STEP_CLOSED)
        return;
    recall_refusal(session);
    if (session->unfinished > 0 && session->current->is_over)
        smtpc_error_clear(&session->error);    /* of one that was never begun: nothing that the others have met with */
    if (!smtpc_error_is_set(&session->error)) {
        session->error = *error;
        if (session->error.step == NULL)
            session->error.step = smtpc_session_step(session);
    }
    smtpc_state_close(session);
}

/* What an earlier operation met with is no reason for what happens to an idle connection; and whoever has said QUIT
 * does not care how the line ends. */
void
smtpc_session_fail(struct smtpc_session *session, const struct smtpc_error *error)
{
    if (smtpc_state_is_idle(session))
        smtpc_error_clear(&session->error);
    if ((error->kind == SMTPC_ERROR_CLOSED || smtpc_session_patience(session) == SMTPC_PATIENCE_FAREWELL)
        && session->awaited_count > 0 && session->awaited[session->awaited_first].step == STEP_QUIT)
        smtpc_state_close(session);
    else
        fail(session, error);
}

enum step
smtpc_state_fail(struct smtpc_session *session, enum smtpc_error_kind kind, const char *format, ...)
{
    struct smtpc_error error = {0};
    char text[SMTPC_ERROR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    smtpc_error_set(&error, kind, "%s", text);
    fail(session, &error);
    return STEP_CLOSED;
}

enum step
smtpc_state_fail_memory(struct smtpc_session *session)
{
    return smtpc_state_fail(session, SMTPC_ERROR_SYSTEM, "out of memory");
}

void
smtpc_state_refused(struct smtpc_error *error, const char *step, enum smtpc_error_kind kind,
                    const struct smtpc_reply *reply)
{
    size_t n;
    const char *text = smtpc_reply_line_text(reply, 0, &n);

    if (smtpc_error_is_set(error))
        return;
    if (kind == SMTPC_ERROR_NONE)
        kind = smtpc_reply_class(reply) == 4 ? SMTPC_ERROR_DEFERRED : SMTPC_ERROR_REFUSED;
    smtpc_error_set(error, kind, "%.*s", (int)(n > 400 ? 400 : n), text);
    error->step = step;
    error->code = reply->code;
    error->temporary = smtpc_reply_class(reply) == 4;
    memcpy(error->enhanced, reply->enhanced, sizeof error->enhanced);
}

enum step
smtpc_state_say(struct smtpc_session *session, const char *line)
{
    size_t start = session->output.length;

    if (smtpc_buffer_append_string(&session->output, line) != 0)
        return smtpc_state_fail_memory(session);
    smtpc_state_trace_said(session, start, NULL);
    return STEP_WAIT;
}

void
smtpc_state_trace_said(struct smtpc_session *session, size_t start, const char *shown)
{
    if (shown != NULL)
        smtpc_trace_add(&session->trace, SMTPC_TRACE_CLIENT, strstr(shown, "***") != NULL, shown, strlen(shown));
    else
        smtpc_trace_add(&session->trace, SMTPC_TRACE_CLIENT, 0, session->output.bytes + start,
                        session->output.length - start - 2);
}
