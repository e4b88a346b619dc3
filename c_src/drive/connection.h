/* connection: one session over one socket, under deadlines: pumps between wire, TLS and session, never waits. */
#ifndef SMTPC_DRIVE_CONNECTION_H
#define SMTPC_DRIVE_CONNECTION_H

#include <poll.h>
#include <stdint.h>

#include "net/dial.h"
#include "net/tls.h"
#include "net/tls_context.h"
#include "smtp/session.h"

struct smtpc_connection;

/* Strings are copied; the context is kept by reference. Times in milliseconds, 0: no limit. */
struct smtpc_connection_options {
    const char *host;                  /* name or literal; for a unix socket "localhost" or what it is to be called */
    const char *service;               /* port or service name; nothing to a unix socket */
    const char *unix_path;             /* of a unix socket in place of both, or NULL: secrets may cross it, TLS cannot */
    int lmtp;                          /* 1: the server speaks LMTP (RFC 2033) */
    const char *proxy_scheme;          /* "socks5", "socks5h", "http"; NULL: no proxy */
    const char *proxy_host;
    const char *proxy_service;
    const char *proxy_user;            /* NULL: none */
    const char *proxy_password;
    const char *local_host;            /* literal to bind to, or NULL */
    const char *local_service;         /* local port, or NULL */
    int family;                        /* AF_UNSPEC, AF_INET, AF_INET6: the server's, not the proxy's */
    const char *tls_name;              /* what the certificate must bear; NULL: host */
    struct smtpc_tls_context *tls;     /* NULL: no TLS, implicit or STARTTLS */
    const char *channel_binding;       /* names of bindings in the order to try; NULL: the usual ones; "none" */
    int implicit_tls;
    int insecure_cleartext_auth;       /* secrets may cross an open line */
    int64_t timeout;                   /* of each step: connect, handshake, every reply, every piece of content */
    int64_t end_timeout;               /* of the reply to the final dot */
    int64_t deadline;                  /* for everything, as in clock.h; 0: none */
};

enum smtpc_pump {
    SMTPC_PUMP_WAIT,     /* poll what smtpc_connection_poll names, until smtpc_connection_deadline at most */
    SMTPC_PUMP_TURN,     /* the caller's turn: smtpc_session_wants is SECRET, RESPONSE, CONTENT, NEXT or IDLE */
    SMTPC_PUMP_CLOSED    /* the session is over; its error says why, none after a good QUIT */
};

enum { SMTPC_CONNECTION_POLL_MAX = SMTPC_DIAL_RACE_MAX };

/* Begins to connect. NULL with *error set: an option is wrong, or memory is out. */
struct smtpc_connection *smtpc_connection_new(const struct smtpc_connection_options *options,
                                              struct smtpc_error *error);

/* Closes the descriptor if it is still the connection's own. Says nothing on the wire. */
void smtpc_connection_free(struct smtpc_connection *connection);

/* The session, to begin operations on; lent. */
struct smtpc_session *smtpc_connection_session(struct smtpc_connection *connection);

/* Does all that can be done without waiting. */
enum smtpc_pump smtpc_connection_step(struct smtpc_connection *connection);

/* After WAIT: fills polled (SMTPC_CONNECTION_POLL_MAX entries of room), returns how many. */
int smtpc_connection_poll(const struct smtpc_connection *connection, struct pollfd *polled);
int64_t smtpc_connection_deadline(const struct smtpc_connection *connection);

/* To be called before an operation on an idle connection: hears what has come unasked meanwhile, without waiting. */
void smtpc_connection_listen(struct smtpc_connection *connection);

/* Another deadline for everything, as in clock.h; SMTPC_NEVER: none. */
void smtpc_connection_set_deadline(struct smtpc_connection *connection, int64_t deadline);

/* The time limits, to be changed between operations. */
void smtpc_connection_set_timeout(struct smtpc_connection *connection, int64_t timeout, int64_t end_timeout);

/* What STARTTLS will use; nothing changes for TLS that is up. NULL name: the host. 0, or -1 when memory is out. */
int smtpc_connection_set_tls(struct smtpc_connection *connection, struct smtpc_tls_context *context,
                             const char *name);

/* The caller gives up half-way; the session ends, nothing more is said. text: one line. */
void smtpc_connection_abandon(struct smtpc_connection *connection, enum smtpc_error_kind kind, const char *text);

/* The descriptor, -1 before it is connected and after it is closed. */
int smtpc_connection_fd(const struct smtpc_connection *connection);

/* Makes the descriptor the caller's: the connection goes on using it, the caller closes it. */
int smtpc_connection_give_fd(struct smtpc_connection *connection);

/* The caller has closed, or is about to close, the descriptor that is his. Says close_notify first if told to. */
void smtpc_connection_close(struct smtpc_connection *connection, int politely);

/* NULL when TLS is not up. */
const struct smtpc_tls *smtpc_connection_tls(const struct smtpc_connection *connection);

/* The server's certificate in PEM, NUL-terminated, lent until free; NULL when TLS is not up. */
const char *smtpc_connection_peer_pem(struct smtpc_connection *connection);

/* Milliseconds that the TLS handshake took, -1 before it is done. */
int64_t smtpc_connection_handshake_time(const struct smtpc_connection *connection);

#endif
