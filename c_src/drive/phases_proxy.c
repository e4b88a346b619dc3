/* phases_proxy: from the connection to a proxy to the line through it, address after address where it is told addresses. */
#include "drive/inside.h"

#include <errno.h>
#include <string.h>

#include "codec/base64.h"

enum { PIECE_SIZE = 512, LOGIN_MAX = 65536 };

/* "user:password" in base64, NUL-terminated. 0, or -1 when memory is out or it is endless. */
static int
encode_login(const struct smtpc_connection_options *options, struct smtpc_buffer *basic)
{
    const char *const parts[] = {options->proxy_user, ":", options->proxy_password};
    struct smtpc_buffer login;
    int result = 0;
    size_t i;

    smtpc_buffer_init(&login, LOGIN_MAX);
    for (i = 0; i < sizeof parts / sizeof *parts && result == 0; i++)
        result = parts[i] == NULL ? 0 : smtpc_buffer_append_string(&login, parts[i]);
    if (result == 0)
        result = smtpc_base64_encode(login.bytes, login.length, basic);
    if (result == 0)
        result = smtpc_buffer_append_octet(basic, '\0');
    smtpc_buffer_clear(&login);
    return result;
}

static int
make_proxy(struct smtpc_connection *c, const struct smtpc_connection_options *options, enum smtpc_proxy_kind kind,
           struct smtpc_error *error)
{
    int has_basic = kind == SMTPC_PROXY_HTTP && options->proxy_user != NULL;
    struct smtpc_buffer basic;

    smtpc_buffer_init(&basic, 2 * LOGIN_MAX);
    if (has_basic && encode_login(options, &basic) != 0)
        smtpc_error_set(error, SMTPC_ERROR_USAGE, "proxy: user name and password are too long");
    else
        c->proxy = smtpc_proxy_new(kind, options->proxy_host, options->proxy_service, options->proxy_user,
                                   options->proxy_password, has_basic ? basic.bytes : NULL, error);
    smtpc_buffer_clear(&basic);
    return c->proxy == NULL ? -1 : 0;
}

/* Where the proxy is told a name, only the number of the port is looked up. */
static int
look_up_target(struct smtpc_connection *c, const struct smtpc_connection_options *options, struct smtpc_error *error)
{
    if (c->tells_addresses)
        c->resolve_target = smtpc_resolve_start(options->host, options->service, options->family, error);
    else
        c->resolve_target = smtpc_resolve_start("127.0.0.1", options->service, AF_INET, error);
    return c->resolve_target == NULL ? -1 : 0;
}

int
smtpc_phases_prepare_proxy(struct smtpc_connection *c, const struct smtpc_connection_options *options,
                           struct smtpc_error *error)
{
    enum smtpc_proxy_kind kind = smtpc_proxy_kind_of(options->proxy_scheme);

    if (kind == SMTPC_PROXY_NONE || options->proxy_host == NULL || options->proxy_service == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "proxy: socks5, socks5h or http, with host and port");
    c->tells_addresses = kind == SMTPC_PROXY_SOCKS5;
    if (make_proxy(c, options, kind, error) != 0 || look_up_target(c, options, error) != 0)
        return -1;
    c->resolve = smtpc_resolve_start(options->proxy_host, options->proxy_service, AF_UNSPEC, error);
    return c->resolve == NULL ? -1 : 0;
}

int
smtpc_phases_meet_proxy(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};

    if (c->target == NULL)
        c->target = smtpc_resolve_addresses(c->resolve_target);
    smtpc_dial_free(c->dial);
    c->dial = NULL;
    c->phase = PHASE_PROXY;    /* under the same deadline */
    if (smtpc_proxy_ask(c->proxy, c->host, c->target, &error) != 0)
        return smtpc_phases_fail(c, &error, 0);
    return 1;
}

/* ---- the talk ---- */

static int
break_off(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};

    smtpc_error_set_system(&error, SMTPC_ERROR_CONNECT, errno, "the connection broke");
    return smtpc_phases_fail(c, &error, 1);
}

/* The server's next address, on a new connection; -1 when there is none, or it would not help. */
static int
try_next(struct smtpc_connection *c, const struct smtpc_error *error)
{
    if (!c->tells_addresses || !smtpc_proxy_may_try_next(c->proxy) || c->target->ai_next == NULL)
        return smtpc_phases_fail(c, error, 0);
    c->target = c->target->ai_next;
    smtpc_wire_close(&c->socket);
    return smtpc_phases_start_dial(c);
}

static int
say(struct smtpc_connection *c)
{
    const char *octets;
    size_t n;
    ssize_t sent;

    smtpc_proxy_output(c->proxy, &octets, &n);
    sent = c->wire.send(c->wire.stream, octets, n);
    c->events = POLLOUT;
    if (sent == SMTPC_WIRE_AGAIN)
        return 0;
    if (sent < 0)
        return break_off(c);
    smtpc_proxy_sent(c->proxy, (size_t)sent);
    return 1;
}

static int
hear(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    char octets[PIECE_SIZE];
    size_t hunger = smtpc_proxy_hunger(c->proxy);
    ssize_t n = c->wire.receive(c->wire.stream, octets, hunger < sizeof octets ? hunger : sizeof octets);

    c->events = POLLIN;
    if (n == SMTPC_WIRE_AGAIN)
        return 0;
    if (n < 0)
        return break_off(c);
    return smtpc_proxy_feed(c->proxy, octets, (size_t)n, &error) == 0 ? 1 : try_next(c, &error);
}

int
smtpc_phases_pass_proxy(struct smtpc_connection *c)
{
    switch (smtpc_proxy_wants(c->proxy)) {
    case SMTPC_PROXY_WRITE:
        return say(c);
    case SMTPC_PROXY_READ:
        return hear(c);
    default:
        smtpc_trace_note(smtpc_session_trace(c->session), "through the proxy %.200s", smtpc_proxy_name(c->proxy));
        return smtpc_phases_connected(c);
    }
}
