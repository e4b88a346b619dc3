/* phases: a connection from name lookup over dial and handshake to the dialogue: 1 go on, 0 wait, -1 over. */
#include "drive/inside.h"

#include <string.h>

#include "base/secret.h"

static int
look_up(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    const struct addrinfo *local = NULL;

    switch (smtpc_resolve_step(c->resolve, &error)) {
    case SMTPC_RESOLVE_WAIT:
        return 0;
    case SMTPC_RESOLVE_DONE:
        if (c->resolve_local != NULL)
            local = smtpc_resolve_addresses(c->resolve_local);
        c->dial = smtpc_dial_start(smtpc_resolve_addresses(c->resolve), local, &error);
        if (c->dial != NULL) {
            c->phase = PHASE_DIAL;    /* under the same deadline */
            return 1;
        }
        break;
    case SMTPC_RESOLVE_FAILED:
        break;
    }
    error.step = smtpc_deadlines_step(c);
    smtpc_session_fail(c->session, &error);
    return -1;
}

/* The lookups' answers are of no use once the race is over. */
void
smtpc_phases_end_dial(struct smtpc_connection *c)
{
    smtpc_dial_free(c->dial);
    smtpc_resolve_free(c->resolve);
    smtpc_resolve_free(c->resolve_local);
    c->dial = NULL;
    c->resolve = c->resolve_local = NULL;
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
        smtpc_phases_end_dial(c);
        if (c->implicit_tls)
            return start_tls(c);
        smtpc_deadlines_begin(c, PHASE_DIALOGUE);
        return 1;
    case SMTPC_DIAL_FAILED:
        break;
    }
    error.step = smtpc_deadlines_step(c);
    smtpc_session_fail(c->session, &error);
    return -1;
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

/* What came before a new command leaves is heard first: it is not the reply to that command. */
static int
say(struct smtpc_connection *c, int is_new)
{
    int done = is_new ? smtpc_octets_hear(c) : 0;
    short events;

    if (done == 0)
        done = smtpc_octets_say(c);
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
    static int (*const steps[])(struct smtpc_connection *) = {look_up, dial, shake_hands, talk};

    return steps[c->phase](c);
}
