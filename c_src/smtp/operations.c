/* operations: what a caller can begin on an idle session, but for the login and the mail, and what he can ask. */
#include "smtp/state.h"

#include <string.h>

#include "codec/command.h"

/* What may be said although replies are to come. */
static int
may_follow(const struct smtpc_session *session, enum step first)
{
    return session->saying == STEP_NEXT && (first == STEP_MAIL || first == STEP_QUIT);
}

int
smtpc_state_ready(struct smtpc_session *session, enum step first)
{
    const char *name = smtpc_steps[first].name;

    if (session->saying == STEP_CLOSED) {
        if (!smtpc_error_is_set(&session->error))
            smtpc_error_set(&session->error, SMTPC_ERROR_CLOSED, "the connection is closed");
        return -1;
    }
    if (smtpc_session_in_content(session))
        smtpc_state_fail(session, SMTPC_ERROR_USAGE,
                         "%s in the middle of a message: the message was not ended, the connection is closed", name);
    else if (may_follow(session, first)) {
        smtpc_error_clear(&session->error);
        return 0;
    } else if (!smtpc_state_is_idle(session))
        smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "%s while %s is under way", name,
                        smtpc_session_step(session));
    else if (smtpc_state_has_half_a_reply(session)) {
        smtpc_error_clear(&session->error);
        smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "the server sent octets that nothing had asked for");
    } else if (session->unfit && first != STEP_QUIT) {
        smtpc_error_clear(&session->error);
        smtpc_error_set(&session->error, SMTPC_ERROR_TLS,
                        "%s refused: STARTTLS has failed here, so nothing more is said in clear", name);
    } else {
        smtpc_error_clear(&session->error);
        return 0;
    }
    return -1;
}

/* The operation's failure, if any, is in the error; that the server said no comes later. */
int
smtpc_state_begin(struct smtpc_session *session, enum step first)
{
    session->progress++;
    session->saying = first;
    smtpc_state_say_on(session);
    return session->saying == STEP_IDLE || session->saying == STEP_CLOSED ? -1 : 0;
}

/* ready and begin, for an operation that needs no more. */
static int
do_step(struct smtpc_session *session, enum step step)
{
    if (smtpc_state_ready(session, step) != 0)
        return -1;
    return smtpc_state_begin(session, step);
}

int
smtpc_session_hello(struct smtpc_session *session, const char *name, size_t n, enum smtpc_hello which)
{
    enum step step = which == SMTPC_HELLO_HELO ? STEP_HELO : STEP_EHLO;

    if (smtpc_state_ready(session, step) != 0)
        return -1;
    smtpc_buffer_truncate(&session->hello_name, 0);
    if (n == 0 || n > session->hello_name.cap)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "hello: a name of %lu octets", (unsigned long)n);
    if (smtpc_buffer_append(&session->hello_name, name, n) != 0)
        return smtpc_error_set_memory(&session->error);
    session->which_hello = which;
    return smtpc_state_begin(session, step);
}

int
smtpc_session_starttls(struct smtpc_session *session)
{
    if (smtpc_state_ready(session, STEP_STARTTLS) != 0)
        return -1;
    if (session->tls)
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "STARTTLS: the connection is encrypted already");
    return smtpc_state_begin(session, STEP_STARTTLS);
}

void
smtpc_session_tls_started(struct smtpc_session *session)
{
    if (session->saying == STEP_CLOSED)
        return;
    if (smtpc_state_has_half_a_reply(session)) {
        smtpc_state_fail(session, SMTPC_ERROR_TLS, "octets that came in clear would be heard inside TLS");
        return;
    }
    session->tls = 1;
    session->unfit = 0;
    session->mechanism = NULL;
    smtpc_session_set_binding(session, NULL);
    smtpc_ehlo_reset(&session->ehlo);
    smtpc_submission_reset(session->current);
    if (session->saying == STEP_TLS)
        session->saying = STEP_IDLE;
    session->progress++;
}

void
smtpc_session_set_binding(struct smtpc_session *session, const struct smtpc_sasl_binding *binding)
{
    static const struct smtpc_sasl_binding nothing = {"", {0}, 0};

    session->sasl.binding = binding != NULL ? *binding : nothing;
    session->sasl.binding_was_used = 0;
}

void
smtpc_session_set_trusted(struct smtpc_session *session, int trusted)
{
    session->trusted = trusted;
}

void
smtpc_session_set_pipelining(struct smtpc_session *session, int on)
{
    session->pipelining = on;
}

void
smtpc_session_set_lmtp(struct smtpc_session *session, int on)
{
    session->lmtp = on;
}

/* ---- single commands ---- */

int
smtpc_session_noop(struct smtpc_session *session)
{
    return do_step(session, STEP_NOOP);
}

int
smtpc_session_quit(struct smtpc_session *session)
{
    return do_step(session, STEP_QUIT);
}

static int
is_verb(const char *verb)
{
    size_t n = strspn(verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    return n > 0 && verb[n] == '\0';
}

int
smtpc_session_command(struct smtpc_session *session, const char *verb, const char *name, const char *argument,
                      size_t n)
{
    struct smtpc_command command;
    size_t start = session->output.length;

    if (smtpc_state_ready(session, STEP_COMMAND) != 0)
        return -1;
    if (!is_verb(verb))
        return smtpc_error_set(&session->error, SMTPC_ERROR_USAGE, "command: a verb is made of letters");
    smtpc_command_begin(&command, &session->output, &session->error, verb);
    if (argument != NULL)
        smtpc_command_argument(&command, name, argument, n, 1);
    if (smtpc_command_end(&command) != 0)
        return -1;
    smtpc_state_trace_said(session, start, NULL);
    return smtpc_state_begin(session, STEP_COMMAND);
}

/* ---- what is known ---- */

struct smtpc_error *
smtpc_session_error(struct smtpc_session *session)
{
    return &session->error;
}

const struct smtpc_reply *
smtpc_session_reply(const struct smtpc_session *session)
{
    return &session->reply;
}

const struct smtpc_ehlo *
smtpc_session_ehlo(const struct smtpc_session *session)
{
    return &session->ehlo;
}

struct smtpc_trace *
smtpc_session_trace(struct smtpc_session *session)
{
    return &session->trace;
}

const char *
smtpc_session_mechanism(const struct smtpc_session *session)
{
    return session->mechanism;
}
