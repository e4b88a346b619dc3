/* inside: the inside of a connection, for the files of this floor only. */
#ifndef SMTPC_DRIVE_INSIDE_H
#define SMTPC_DRIVE_INSIDE_H

#include "base/clock.h"
#include "drive/connection.h"
#include "net/dial_unix.h"
#include "net/proxy.h"
#include "net/resolve.h"
#include "net/wire.h"

enum phase { PHASE_LOOKUP, PHASE_DIAL, PHASE_PROXY, PHASE_HANDSHAKE, PHASE_DIALOGUE };

struct smtpc_connection {
    enum phase phase;
    struct smtpc_session *session;
    struct smtpc_resolve *resolve;
    struct smtpc_resolve *resolve_local;
    struct smtpc_dial *dial;
    struct smtpc_dial_unix unix_socket;
    struct smtpc_proxy *proxy;             /* NULL: none, or passed */
    struct smtpc_resolve *resolve_target;  /* the server, where resolve is the proxy */
    const struct addrinfo *target;         /* the address of the server that the proxy is told */
    int tells_addresses;                   /* the proxy is told addresses, not names */
    struct smtpc_wire_socket socket;
    struct smtpc_wire wire;
    struct smtpc_tls *tls;
    struct smtpc_tls_context *context;
    char *host;
    char *tls_name;
    char *peer;                    /* "host:port", under which TLS sessions are kept */
    char *channel_binding;         /* names, or NULL: the usual ones */
    int implicit_tls;
    int insecure_cleartext_auth;
    int is_given;                  /* the descriptor is the caller's to close */
    int64_t timeout;
    int64_t end_timeout;
    int64_t overall_deadline;
    int64_t overall_limit;         /* how far away it was when it was set */
    int64_t step_deadline;
    int64_t grace_deadline;        /* SMTPC_NEVER when there is none */
    unsigned long progress;        /* of the session when step_deadline was set */
    int64_t handshake_began;
    int64_t handshake_time;        /* how long it took; -1: there was none */
    int64_t heard_all;             /* when nothing more was there to be heard, the last time; -1: something was */
    short events;                  /* what the handshake or the dialogue waits for */
};

/* ---- deadlines.c ---- */

/* The phase, and a new deadline for it. */
void smtpc_deadlines_begin(struct smtpc_connection *connection, enum phase phase);

/* A new deadline when the dialogue has moved on, and only then: no octet and no signal extends one. 1 when it has. */
int smtpc_deadlines_renew(struct smtpc_connection *connection);

/* The server may have said all: it gets two seconds for more. */
void smtpc_deadlines_begin_grace(struct smtpc_connection *connection);

/* 1 when a deadline has passed; the session is then over, or has gone on after a silence. */
int smtpc_deadlines_expire(struct smtpc_connection *connection);

/* "name lookup", "connect", "proxy", "TLS handshake", or the session's step. */
const char *smtpc_deadlines_step(const struct smtpc_connection *connection);

/* ---- octets.c: 1 when something moved, 0 when it cannot now (events says what to wait for), -1 when the session is
 * over ---- */

int smtpc_octets_hear(struct smtpc_connection *connection);
int smtpc_octets_say(struct smtpc_connection *connection);

/* 1 when this very millisecond has seen that nothing more was there to be heard. */
int smtpc_octets_are_heard(const struct smtpc_connection *connection);

/* ---- phases.c ---- */

/* Goes on in the present phase: 1 go on, 0 wait, -1 over. */
int smtpc_phases_step(struct smtpc_connection *connection);

/* Fails where there is no connection yet. of_proxy: the text is about the proxy, and does not name it. Always -1. */
int smtpc_phases_fail(struct smtpc_connection *connection, const struct smtpc_error *error, int of_proxy);

/* The line leads to the server: TLS, or the dialogue. */
int smtpc_phases_connected(struct smtpc_connection *connection);

/* What to poll for while names are looked up. */
int smtpc_phases_lookup_fd(const struct smtpc_connection *connection);

/* Begins to dial what was looked up. */
int smtpc_phases_start_dial(struct smtpc_connection *connection);

/* Lets go of lookup, dial and proxy. */
void smtpc_phases_end_dial(struct smtpc_connection *connection);

/* ---- phases_proxy.c ---- */

/* What is needed for a proxy, and the lookups. 0, or -1 with *error set. */
int smtpc_phases_prepare_proxy(struct smtpc_connection *connection, const struct smtpc_connection_options *options,
                               struct smtpc_error *error);

/* The proxy is connected. */
int smtpc_phases_meet_proxy(struct smtpc_connection *connection);

/* What is said to and heard from it. */
int smtpc_phases_pass_proxy(struct smtpc_connection *connection);

#endif
