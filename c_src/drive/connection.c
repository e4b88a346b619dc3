/* connection: one session over one socket, under deadlines: pumps between wire, TLS and session, never waits. */
#include "drive/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive/inside.h"

static char *
copy_string(const char *string)
{
    size_t n = strlen(string) + 1;
    char *copy = malloc(n);

    return copy == NULL ? NULL : memcpy(copy, string, n);
}

/* 0, or -1 when memory is out. */
static int
copy_names(struct smtpc_connection *c, const struct smtpc_connection_options *options)
{
    const char *host = options->host != NULL ? options->host : "localhost";
    const char *place = options->unix_path != NULL ? options->unix_path : options->service;
    size_t room = strlen(host) + strlen(place) + 2;

    c->host = copy_string(host);
    c->peer = malloc(room);
    if (options->channel_binding != NULL)
        c->channel_binding = copy_string(options->channel_binding);
    if (c->host == NULL || c->peer == NULL || (options->channel_binding != NULL && c->channel_binding == NULL))
        return -1;
    snprintf(c->peer, room, "%s:%s", host, place);
    return 0;
}

/* A name that is mistyped would be a login that is tied to nothing. */
static int
check_binding(const char *names, struct smtpc_error *error)
{
    if (names == NULL || strcmp(names, "none") == 0 || (names[0] != '\0' && smtpc_tls_binding_is_known(names)))
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "channel_binding: \"%.100s\" must be none, or some of "
                           "tls-exporter, tls-unique, tls-server-end-point with blanks between", names);
}

/* There is nothing to look up. */
static int
start_unix(struct smtpc_connection *c, const struct smtpc_connection_options *options, struct smtpc_error *error)
{
    if (options->local_host != NULL || options->proxy_scheme != NULL || options->implicit_tls)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "a unix socket has no %s", options->local_host != NULL
                               ? "local address" : options->implicit_tls ? "TLS" : "proxy");
    if (smtpc_dial_unix_init(&c->unix_socket, options->unix_path, error) != 0)
        return -1;
    c->dial = smtpc_dial_start(&c->unix_socket.address, NULL, error);
    return c->dial == NULL ? -1 : 0;
}

static int
start_lookup(struct smtpc_connection *c, const struct smtpc_connection_options *options, struct smtpc_error *error)
{
    const char *local_service = options->local_service != NULL ? options->local_service : "0";

    if (options->local_host != NULL) {
        c->resolve_local = smtpc_resolve_start(options->local_host, local_service, options->family, error);
        if (c->resolve_local == NULL)
            return -1;
        if (smtpc_resolve_step(c->resolve_local, error) != SMTPC_RESOLVE_DONE)
            return smtpc_error_set(error, SMTPC_ERROR_USAGE,
                                   "local address %s: must be an IP address and a port number",
                                   options->local_host);
    }
    if (options->proxy_scheme != NULL)
        return smtpc_phases_prepare_proxy(c, options, error);
    c->resolve = smtpc_resolve_start(options->host, options->service, options->family, error);
    return c->resolve == NULL ? -1 : 0;
}

static int
start(struct smtpc_connection *c, const struct smtpc_connection_options *options, struct smtpc_error *error)
{
    int is_unix = options->unix_path != NULL;

    if (check_binding(options->channel_binding, error) != 0)
        return -1;
    if (is_unix ? start_unix(c, options, error) != 0 : start_lookup(c, options, error) != 0)
        return -1;
    smtpc_session_set_lmtp(c->session, options->lmtp);
    smtpc_session_set_trusted(c->session, c->insecure_cleartext_auth || is_unix);
    smtpc_deadlines_begin(c, is_unix ? PHASE_DIAL : PHASE_LOOKUP);
    return 0;
}

struct smtpc_connection *
smtpc_connection_new(const struct smtpc_connection_options *options, struct smtpc_error *error)
{
    struct smtpc_connection *c = calloc(1, sizeof *c);

    if (c == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    c->socket.fd = -1;
    c->handshake_time = -1;
    c->heard_all = -1;
    c->implicit_tls = options->implicit_tls;
    c->insecure_cleartext_auth = options->insecure_cleartext_auth;
    c->timeout = options->timeout;
    c->end_timeout = options->end_timeout;
    smtpc_connection_set_deadline(c, options->deadline != 0 ? options->deadline : SMTPC_NEVER);
    c->session = smtpc_session_new();
    if (c->session == NULL || copy_names(c, options) != 0
        || smtpc_connection_set_tls(c, options->tls, options->tls_name) != 0)
        smtpc_error_set_memory(error);
    else if (start(c, options, error) == 0)
        return c;
    smtpc_connection_free(c);
    return NULL;
}

void
smtpc_connection_close(struct smtpc_connection *c, int politely)
{
    if (politely && c->tls != NULL && c->phase == PHASE_DIALOGUE && c->socket.fd >= 0)
        smtpc_tls_close(c->tls);
    if (c->socket.fd >= 0 && !c->is_given)
        close(c->socket.fd);
    c->socket.fd = -1;
    if (smtpc_session_wants(c->session) != SMTPC_WANT_CLOSED)
        smtpc_connection_abandon(c, SMTPC_ERROR_CLOSED, "the connection was closed by the program");
}

void
smtpc_connection_free(struct smtpc_connection *c)
{
    if (c == NULL)
        return;
    smtpc_phases_end_dial(c);
    smtpc_tls_free(c->tls);
    if (c->socket.fd >= 0 && !c->is_given)
        close(c->socket.fd);
    smtpc_tls_context_free(c->context);
    smtpc_session_free(c->session);
    free(c->host);
    free(c->tls_name);
    free(c->peer);
    free(c->channel_binding);
    free(c);
}

int
smtpc_connection_set_tls(struct smtpc_connection *c, struct smtpc_tls_context *context, const char *name)
{
    char *copy = copy_string(name != NULL ? name : c->host);

    if (copy == NULL)
        return -1;
    free(c->tls_name);
    c->tls_name = copy;
    if (context != NULL)
        smtpc_tls_context_keep(context);
    smtpc_tls_context_free(c->context);
    c->context = context;
    return 0;
}

/* ---- the pump ---- */

static int
is_callers_turn(const struct smtpc_connection *c)
{
    enum smtpc_want want = smtpc_session_wants(c->session);

    return c->phase == PHASE_DIALOGUE
        && (want == SMTPC_WANT_IDLE || want == SMTPC_WANT_SECRET || want == SMTPC_WANT_RESPONSE
            || want == SMTPC_WANT_CONTENT || want == SMTPC_WANT_NEXT);
}

/* A message that flows without a wait never comes to where deadlines are looked at otherwise. */
static int
is_overdue(const struct smtpc_connection *c)
{
    return smtpc_session_in_content(c->session) && smtpc_clock_is_past(c->overall_deadline);
}

enum smtpc_pump
smtpc_connection_step(struct smtpc_connection *c)
{
    for (;;) {
        if (smtpc_session_wants(c->session) == SMTPC_WANT_CLOSED)
            return SMTPC_PUMP_CLOSED;
        if (is_overdue(c))
            smtpc_deadlines_expire(c);
        else if (is_callers_turn(c))
            return SMTPC_PUMP_TURN;
        else if (smtpc_phases_step(c) == 0 && !smtpc_deadlines_expire(c))
            return SMTPC_PUMP_WAIT;
    }
}

void
smtpc_connection_listen(struct smtpc_connection *c)
{
    while (c->socket.fd >= 0 && is_callers_turn(c) && smtpc_octets_hear(c) > 0)
        ;
}

/* ---- what is known ---- */

int
smtpc_connection_poll(const struct smtpc_connection *c, struct pollfd *polled)
{
    if (c->phase == PHASE_DIAL)
        return smtpc_dial_poll(c->dial, polled);
    polled[0].fd = c->phase == PHASE_LOOKUP ? smtpc_phases_lookup_fd(c) : c->socket.fd;
    polled[0].events = c->phase == PHASE_LOOKUP ? POLLIN : c->events;
    polled[0].revents = 0;
    return 1;
}

int64_t
smtpc_connection_deadline(const struct smtpc_connection *c)
{
    int64_t deadline = smtpc_clock_earlier(c->overall_deadline, c->step_deadline);

    if (c->phase == PHASE_DIAL)
        return smtpc_clock_earlier(deadline, smtpc_dial_deadline(c->dial));
    return smtpc_clock_earlier(deadline, c->grace_deadline);
}

void
smtpc_connection_set_deadline(struct smtpc_connection *c, int64_t deadline)
{
    c->overall_deadline = deadline;
    c->overall_limit = deadline == SMTPC_NEVER ? 0 : deadline - smtpc_clock_now();
}

void
smtpc_connection_set_timeout(struct smtpc_connection *c, int64_t timeout, int64_t end_timeout)
{
    c->timeout = timeout;
    c->end_timeout = end_timeout;
}

void
smtpc_connection_abandon(struct smtpc_connection *c, enum smtpc_error_kind kind, const char *text)
{
    struct smtpc_error error = {0};

    smtpc_error_set(&error, kind, "%s", text);
    error.step = smtpc_deadlines_step(c);
    smtpc_session_fail(c->session, &error);
}

struct smtpc_session *
smtpc_connection_session(struct smtpc_connection *c)
{
    return c->session;
}

int
smtpc_connection_fd(const struct smtpc_connection *c)
{
    return c->socket.fd;
}

int
smtpc_connection_give_fd(struct smtpc_connection *c)
{
    c->is_given = 1;
    return c->socket.fd;
}

const struct smtpc_tls *
smtpc_connection_tls(const struct smtpc_connection *c)
{
    return c->phase == PHASE_DIALOGUE ? c->tls : NULL;
}

const char *
smtpc_connection_peer_pem(struct smtpc_connection *c)
{
    return smtpc_connection_tls(c) != NULL ? smtpc_tls_peer_pem(c->tls) : NULL;
}

int64_t
smtpc_connection_handshake_time(const struct smtpc_connection *c)
{
    return c->handshake_time;
}
