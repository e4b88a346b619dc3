/* phases: a connection from name lookup over dial, proxy and handshake to the dialogue: 1 go on, 0 wait, -1 over. */
#include "drive/inside.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"

int
smtpc_phases_fail(struct smtpc_connection *c, const struct smtpc_error *error, int of_proxy)
{
    struct smtpc_error told = *error;

    if (of_proxy)
        snprintf(told.text, sizeof told.text, "the proxy %.150s: %.300s", smtpc_proxy_name(c->proxy), error->text);
    told.step = smtpc_deadlines_step(c);
    smtpc_session_fail(c->session, &told);
    return -1;
}

int
smtpc_phases_start_dial(struct smtpc_connection *c)
{
    const struct addrinfo *local = c->resolve_local != NULL ? smtpc_resolve_addresses(c->resolve_local) : NULL;
    struct smtpc_error error = {0};

    c->dial = smtpc_dial_start(smtpc_resolve_addresses(c->resolve), local, &error);
    if (c->dial == NULL)
        return smtpc_phases_fail(c, &error, 0);
    smtpc_dial_remember(c->dial, c->proxy != NULL ? smtpc_proxy_name(c->proxy) : c->peer);
    c->phase = PHASE_DIAL;    /* under the same deadline */
    return 1;
}

/* With a proxy there are two lookups, which were begun together. */
int
smtpc_phases_lookup_fd(const struct smtpc_connection *c)
{
    struct smtpc_error error = {0};

    if (c->resolve_target != NULL && smtpc_resolve_step(c->resolve, &error) != SMTPC_RESOLVE_WAIT)
        return smtpc_resolve_fd(c->resolve_target);
    return smtpc_resolve_fd(c->resolve);
}

static int
look_up(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    enum smtpc_resolve_status status = smtpc_resolve_step(c->resolve, &error);
    int of_proxy = c->proxy != NULL && status == SMTPC_RESOLVE_FAILED;

    if (status == SMTPC_RESOLVE_DONE && c->resolve_target != NULL)
        status = smtpc_resolve_step(c->resolve_target, &error);
    if (status == SMTPC_RESOLVE_WAIT)
        return 0;
    return status == SMTPC_RESOLVE_DONE ? smtpc_phases_start_dial(c) : smtpc_phases_fail(c, &error, of_proxy);
}

/* The lookups' answers are of no use once the race is over. */
void
smtpc_phases_end_dial(struct smtpc_connection *c)
{
    smtpc_dial_free(c->dial);
    smtpc_resolve_free(c->resolve);
    smtpc_resolve_free(c->resolve_local);
    smtpc_resolve_free(c->resolve_target);
    smtpc_proxy_free(c->proxy);
    c->dial = NULL;
    c->resolve = c->resolve_local = c->resolve_target = NULL;
    c->proxy = NULL;
    c->target = NULL;
}

static int
start_tls(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};

    if (c->context == NULL)
        smtpc_error_set(&error, SMTPC_ERROR_USAGE, "TLS was asked for, but not set up");
    else
        c->tls = smtpc_tls_client(c->context, c->wire, c->tls_name, c->peer, &error);
    if (c->tls == NULL) {
        smtpc_session_fail(c->session, &error);
        return -1;
    }
    c->handshake_began = smtpc_clock_now();
    smtpc_deadlines_begin(c, PHASE_HANDSHAKE);
    return 1;
}

int
smtpc_phases_connected(struct smtpc_connection *c)
{
    smtpc_phases_end_dial(c);
    if (c->implicit_tls)
        return start_tls(c);
    smtpc_deadlines_begin(c, PHASE_DIALOGUE);
    return 1;
}

static int
dial(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};

    switch (smtpc_dial_step(c->dial, &error)) {
    case SMTPC_DIAL_WAIT:
        return 0;
    case SMTPC_DIAL_DONE:
        c->socket.fd = smtpc_dial_take(c->dial);
        c->wire = smtpc_wire_of_socket(&c->socket);
        return c->proxy != NULL ? smtpc_phases_meet_proxy(c) : smtpc_phases_connected(c);
    case SMTPC_DIAL_FAILED:
        break;
    }
    return smtpc_phases_fail(c, &error, c->proxy != NULL);
}

static void
note_tls(struct smtpc_connection *c)
{
    struct smtpc_tls_facts facts;

    smtpc_tls_facts(c->tls, &facts);
    smtpc_trace_note(smtpc_session_trace(c->session), "%s %s%s, certificate %s %.100s", facts.version, facts.cipher,
                     facts.resumed ? ", resumed" : "",
                     facts.verified ? "verified for" : "NOT verified, subject",
                     facts.verified ? facts.name : facts.subject);
}

/* A login may tie itself to this connection. */
static void
offer_binding(struct smtpc_connection *c)
{
    struct smtpc_tls_binding found = {0};
    struct smtpc_sasl_binding binding = {0};

    if (smtpc_tls_binding(c->tls, c->channel_binding, &found) == 0) {
        memcpy(binding.name, found.name, sizeof binding.name);
        memcpy(binding.octets, found.octets, sizeof binding.octets);
        binding.length = found.length;
    }
    smtpc_session_set_binding(c->session, binding.length > 0 ? &binding : NULL);
    smtpc_secret_wipe(&found, sizeof found);
    smtpc_secret_wipe(&binding, sizeof binding);
}

static int
shake_hands(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    int result = smtpc_tls_handshake(c->tls, &error);

    if (result == SMTPC_WIRE_AGAIN) {
        c->events = (short)(smtpc_tls_wants(c->tls) == SMTPC_TLS_WAIT_WRITE ? POLLOUT : POLLIN);
        return 0;
    }
    if (result < 0) {
        error.step = smtpc_deadlines_step(c);
        smtpc_session_fail(c->session, &error);
        return -1;
    }
    c->handshake_time = smtpc_clock_now() - c->handshake_began;
    note_tls(c);
    smtpc_session_tls_started(c->session);
    offer_binding(c);
    smtpc_session_set_trusted(c->session, 1);    /* verified, or the caller switched that off by name */
    smtpc_deadlines_begin(c, PHASE_DIALOGUE);
    return 1;
}

/* What came before a new command leaves is heard first: it is not the reply to that command. Afterwards nothing is
 * there to be heard before the poll. */
static int
say(struct smtpc_connection *c, int is_new)
{
    int done = is_new && !smtpc_octets_are_heard(c) ? smtpc_octets_hear(c) : 0;
    short events;

    if (done != 0)
        return done;
    done = smtpc_octets_say(c);
    if (done > 0 && is_new && smtpc_session_wants(c->session) == SMTPC_WANT_READ) {
        c->events = POLLIN;
        return 0;
    }
    if (done != 0)
        return done;
    events = c->events;
    done = smtpc_octets_hear(c);
    c->events |= events;
    return done;
}

static int
talk(struct smtpc_connection *c)
{
    int is_new = smtpc_deadlines_renew(c);

    switch (smtpc_session_wants(c->session)) {
    case SMTPC_WANT_STARTTLS:
        return start_tls(c);
    case SMTPC_WANT_WRITE:
        return say(c, is_new);
    default:
        return smtpc_octets_hear(c);
    }
}

int
smtpc_phases_step(struct smtpc_connection *c)
{
    static int (*const steps[])(struct smtpc_connection *) = {
        look_up, dial, smtpc_phases_pass_proxy, shake_hands, talk
    };

    return steps[c->phase](c);
}
