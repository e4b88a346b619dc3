/* deadlines: how long each phase and step of a connection may take. */
#include "drive/inside.h"

#include <string.h>

enum { GRACE_MS = 2000, QUIT_MS = 60000, FAREWELL_MS = 5000 };

void
smtpc_deadlines_begin(struct smtpc_connection *c, enum phase phase)
{
    c->phase = phase;
    c->step_deadline = smtpc_clock_after(c->timeout);
    c->grace_deadline = SMTPC_NEVER;
}

static int64_t
limit_of(const struct smtpc_connection *c)
{
    switch (smtpc_session_patience(c->session)) {
    case SMTPC_PATIENCE_END:
        return c->end_timeout;
    case SMTPC_PATIENCE_QUIT:
        return c->timeout == 0 ? QUIT_MS : smtpc_clock_earlier(c->timeout, QUIT_MS);
    case SMTPC_PATIENCE_FAREWELL:
        return c->timeout == 0 ? FAREWELL_MS : smtpc_clock_earlier(c->timeout, FAREWELL_MS);
    default:
        return c->timeout;
    }
}

int
smtpc_deadlines_renew(struct smtpc_connection *c)
{
    if (c->progress == smtpc_session_progress(c->session))
        return 0;
    c->progress = smtpc_session_progress(c->session);
    c->step_deadline = smtpc_clock_after(limit_of(c));
    c->grace_deadline = SMTPC_NEVER;
    return 1;
}

void
smtpc_deadlines_begin_grace(struct smtpc_connection *c)
{
    c->grace_deadline = smtpc_clock_after(GRACE_MS);
}

const char *
smtpc_deadlines_step(const struct smtpc_connection *c)
{
    static const char *const names[] = {"name lookup", "connect", "proxy", "TLS handshake"};

    return c->phase < PHASE_DIALOGUE ? names[c->phase] : smtpc_session_step(c->session);
}

/* A server that wants TLS from the start says nothing to a client that waits for its greeting. */
static void
explain_silence(const struct smtpc_connection *c, struct smtpc_error *error)
{
    double seconds = (double)(c->phase < PHASE_DIALOGUE ? c->timeout : limit_of(c)) / 1000;
    int is_mute = strcmp(error->step, "greeting") == 0 && c->tls == NULL
        && smtpc_reply_is_empty(smtpc_session_reply(c->session));

    if (c->proxy != NULL)
        smtpc_error_set(error, SMTPC_ERROR_TIMEOUT, "no answer within %.1f s from the proxy %.200s", seconds,
                        smtpc_proxy_name(c->proxy));
    else
        smtpc_error_set(error, SMTPC_ERROR_TIMEOUT, "no answer within %.1f s%s", seconds, !is_mute ? ""
                    : "; a port that wants TLS from the start (465) is silent like this: use smtps:// (SSL => 1)");
}

int
smtpc_deadlines_expire(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    int overall = smtpc_clock_is_past(c->overall_deadline);

    if (!overall && !smtpc_clock_is_past(c->step_deadline)) {
        if (!smtpc_clock_is_past(c->grace_deadline))
            return 0;
        c->grace_deadline = SMTPC_NEVER;
        smtpc_session_silence(c->session);
        return 1;
    }
    error.step = smtpc_deadlines_step(c);
    if (overall)
        smtpc_error_set(&error, SMTPC_ERROR_TIMEOUT, "the overall deadline of %.1f s passed during %s",
                        (double)c->overall_limit / 1000, error.step);
    else
        explain_silence(c, &error);
    smtpc_session_fail(c->session, &error);
    return 1;
}
