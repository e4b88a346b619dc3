/* inside: the inside of a connection, for the files of this floor only. */
#ifndef SMTPC_DRIVE_INSIDE_H
#define SMTPC_DRIVE_INSIDE_H

#include "base/clock.h"
#include "drive/connection.h"
#include "net/resolve.h"
#include "net/wire.h"

enum phase { PHASE_LOOKUP, PHASE_DIAL, PHASE_HANDSHAKE, PHASE_DIALOGUE };

struct smtpc_connection {
    enum phase phase;
    struct smtpc_session *session;
    struct smtpc_resolve *resolve;
    struct smtpc_resolve *resolve_local;
    struct smtpc_dial *dial;
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
    int64_t step_deadline;
    int64_t grace_deadline;        /* SMTPC_NEVER when there is none */
    unsigned long progress;        /* of the session when step_deadline was set */
    int64_t handshake_began;
    int64_t handshake_time;        /* how long it took; -1: there was none */
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

/* "name lookup", "connect", "TLS handshake", or the session's step. */
const char *smtpc_deadlines_step(const struct smtpc_connection *connection);

/* ---- octets.c: 1 when something moved, 0 when it cannot now (events says what to wait for), -1 when the session is
 * over ---- */

int smtpc_octets_hear(struct smtpc_connection *connection);
int smtpc_octets_say(struct smtpc_connection *connection);

/* ---- phases.c ---- */

/* Goes on in the present phase: 1 go on, 0 wait, -1 over. */
int smtpc_phases_step(struct smtpc_connection *connection);

/* Lets go of lookup and dial. */
void smtpc_phases_end_dial(struct smtpc_connection *connection);

#endif
