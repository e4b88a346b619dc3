/* octets: what the session says goes to the socket or into TLS, and what comes from there goes to the session. */
#include "drive/inside.h"

#include <errno.h>

enum { RECEIVE_SIZE = 16384 };

/* Octets, SMTPC_WIRE_AGAIN with what to wait for in events, SMTPC_WIRE_END; -1 when the session was made to fail. */
static ssize_t
receive_some(struct smtpc_connection *c, char *octets, size_t room)
{
    struct smtpc_error error = {0};
    ssize_t n;

    if (c->tls != NULL)
        n = smtpc_tls_receive(c->tls, octets, room, &error);
    else if ((n = c->wire.receive(c->wire.stream, octets, room)) == SMTPC_WIRE_FAILED)
        smtpc_error_set_system(&error, SMTPC_ERROR_CLOSED, errno, "the connection broke");
    if (n == SMTPC_WIRE_FAILED)
        smtpc_session_fail(c->session, &error);
    c->events = (short)(c->tls != NULL && smtpc_tls_wants(c->tls) == SMTPC_TLS_WAIT_WRITE ? POLLOUT : POLLIN);
    c->heard_all = n == SMTPC_WIRE_AGAIN && c->events == POLLIN ? smtpc_clock_now() : -1;
    return n;
}

int
smtpc_octets_are_heard(const struct smtpc_connection *c)
{
    return c->heard_all == smtpc_clock_now();
}

int
smtpc_octets_hear(struct smtpc_connection *c)
{
    char octets[RECEIVE_SIZE];
    ssize_t n = receive_some(c, octets, sizeof octets);

    if (n == SMTPC_WIRE_AGAIN)
        return 0;
    if (n < 0)
        return -1;
    smtpc_session_feed(c->session, octets, (size_t)n);
    if (smtpc_session_patience(c->session) == SMTPC_PATIENCE_GRACE)
        smtpc_deadlines_begin_grace(c);
    return smtpc_session_wants(c->session) == SMTPC_WANT_CLOSED ? -1 : 1;
}

/* The server may have said why before it broke off: that is worth more than "broken pipe". */
static void
hear_last_words(struct smtpc_connection *c, const struct smtpc_error *error)
{
    while (smtpc_session_wants(c->session) != SMTPC_WANT_CLOSED && smtpc_octets_hear(c) > 0)
        ;
    smtpc_session_fail(c->session, error);
}

int
smtpc_octets_say(struct smtpc_connection *c)
{
    struct smtpc_error error = {0};
    const char *octets;
    size_t length;
    ssize_t n;

    smtpc_session_output(c->session, &octets, &length);
    if (c->tls != NULL)
        n = smtpc_tls_send(c->tls, octets, length, &error);
    else if ((n = c->wire.send(c->wire.stream, octets, length)) == SMTPC_WIRE_FAILED)
        smtpc_error_set_system(&error, SMTPC_ERROR_CLOSED, errno, "the connection broke");
    if (n == SMTPC_WIRE_FAILED) {
        hear_last_words(c, &error);
        return -1;
    }
    if (n == SMTPC_WIRE_AGAIN) {
        c->events = (short)(c->tls != NULL && smtpc_tls_wants(c->tls) == SMTPC_TLS_WAIT_READ ? POLLIN : POLLOUT);
        return 0;
    }
    smtpc_session_sent(c->session, (size_t)n);
    return 1;
}
