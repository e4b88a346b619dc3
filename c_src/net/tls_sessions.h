/* tls_sessions: sessions kept for the next connection (RFC 8446 section 2.2, RFC 5077); for the tls files only. */
#ifndef SMTPC_NET_TLS_SESSIONS_H
#define SMTPC_NET_TLS_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "net/tls_context.h"

struct smtpc_tls;
struct ssl_ctx_st;
struct ssl_session_st;

enum {
    SMTPC_TLS_SESSIONS_MAX = 16,               /* kept in one place */
    SMTPC_TLS_SESSIONS_OF_ONE_MAX = 4,         /* of them for one peer; a connection brings about two */
    SMTPC_TLS_SESSION_OCTETS_MAX = 16384,
    SMTPC_TLS_SESSION_SECONDS_MAX = 86400,     /* so long may what was verified stand unasked */
    SMTPC_TLS_DIGEST = 32,
    SMTPC_TLS_ARRIVED_MAX = 2
};

/* tls_session_key.c: all that "verified" means under these options, as one digest: a session is resumed only under
 * the demands that it was made under. Files count by path and state. 0, or -1 when OpenSSL fails. */
int smtpc_tls_session_demands(const struct smtpc_tls_options *options, unsigned char digest[SMTPC_TLS_DIGEST]);

/* The key of a session: peer ("host:port"), name of the certificate, and demands. 0, or -1 when OpenSSL fails. */
int smtpc_tls_session_key(const unsigned char demands[SMTPC_TLS_DIGEST], const char *peer, const char *name,
                          unsigned char key[SMTPC_TLS_DIGEST]);

/* tls_private_file.c: opens a regular file of the effective user that nobody else may read or write, made when it is
 * not there. flags: O_RDWR, or O_WRONLY | O_APPEND. option is its name in the error. A descriptor above 2, or -1 with
 * *error set. */
int smtpc_tls_private_file(const char *path, int flags, const char *option, struct smtpc_error *error);

/* tls_session_store.c: a few sessions, the newest first, and their form in a file. */
struct smtpc_tls_session_entry {
    unsigned char key[SMTPC_TLS_DIGEST];
    int64_t expires;                           /* seconds since the epoch */
    struct smtpc_buffer octets;                /* as OpenSSL writes a session */
    struct ssl_session_st *session;            /* in place of the octets, where it stays in the process; else NULL */
};

/* Zeroed octets are an empty store. */
struct smtpc_tls_session_store {
    struct smtpc_tls_session_entry entries[SMTPC_TLS_SESSIONS_MAX];
    size_t count;
};

void smtpc_tls_session_entry_clear(struct smtpc_tls_session_entry *entry);
void smtpc_tls_session_store_clear(struct smtpc_tls_session_store *store);

/* Takes the entry over, session and all, and drops what is too much then. */
void smtpc_tls_session_store_put(struct smtpc_tls_session_store *store, struct smtpc_tls_session_entry *entry);

/* The newest of this key that is still good: 1, and it is the caller's now; 0 when there is none. */
int smtpc_tls_session_store_take(struct smtpc_tls_session_store *store, const unsigned char key[SMTPC_TLS_DIGEST],
                                 int64_t now, struct smtpc_tls_session_entry *entry);

/* Appends the file's octets; the entries must have theirs. 0, or -1 when memory is out. */
int smtpc_tls_session_store_write(const struct smtpc_tls_session_store *store, struct smtpc_buffer *octets);

/* Fills an empty store. 1; 0 when the octets are broken, the store is empty then; -1 when they are no store's. */
int smtpc_tls_session_store_read(struct smtpc_tls_session_store *store, const char *octets, size_t n);

/* tls_session_file.c: a store in a file, shared by processes. What cannot be had or kept is forgone: a full handshake
 * does as well. */

/* 0, or -1 with *error set when the file cannot be one of sessions. Makes it when it is not there. */
int smtpc_tls_session_file_check(const char *path, struct smtpc_error *error);
int smtpc_tls_session_file_take(const char *path, const unsigned char key[SMTPC_TLS_DIGEST], int64_t now,
                                struct smtpc_tls_session_entry *entry);

/* Takes the entries over, the oldest first. */
void smtpc_tls_session_file_put(const char *path, struct smtpc_tls_session_entry *entries, size_t n);

/* tls_sessions.c: a lock among the threads of a process that a fork cannot leave locked: 1; -1 when a thread of the
 * parent was inside, so that what it was at may be half done; 0 when somebody stays inside for long. */
int smtpc_tls_enter(pid_t *holder);
void smtpc_tls_leave(pid_t *holder);

/* And the sessions of a context. */
struct smtpc_tls_sessions {
    pid_t holder;                              /* the process that is inside, atomic; 0: none is */
    pid_t owner;                               /* whose sessions these are */
    char *file;                                /* where they are kept; NULL: in the store */
    unsigned char demands[SMTPC_TLS_DIGEST];
    struct smtpc_tls_session_store store;
};

/* *sessions is NULL where these options want none. 0, or -1 with *error set. */
int smtpc_tls_sessions_new(const struct smtpc_tls_options *options, struct smtpc_tls_sessions **sessions,
                           struct smtpc_error *error);

/* Keeps them in this file; nothing happens when either is NULL. 0, or -1 with *error set. */
int smtpc_tls_sessions_use_file(struct smtpc_tls_sessions *sessions, const char *path, struct smtpc_error *error);
void smtpc_tls_sessions_free(struct smtpc_tls_sessions *sessions);
int smtpc_tls_sessions_take(struct smtpc_tls_sessions *sessions, const unsigned char key[SMTPC_TLS_DIGEST],
                            struct smtpc_tls_session_entry *entry);
void smtpc_tls_sessions_put(struct smtpc_tls_sessions *sessions, struct smtpc_tls_session_entry *entries, size_t n);

/* tls_resumption.c: what one connection takes from the context's sessions and leaves there. */
struct smtpc_tls_resumption {
    struct smtpc_tls_sessions *sessions;       /* NULL: nothing is resumed or kept */
    unsigned char key[SMTPC_TLS_DIGEST];
    struct ssl_session_st *arrived[SMTPC_TLS_ARRIVED_MAX];    /* and not kept yet, the oldest first */
    char *matched;                             /* the name in the certificate of the session offered */
};

/* Makes OpenSSL hand out what it would throw away. */
void smtpc_tls_resumption_prepare(struct ssl_ctx_st *ssl_ctx);

/* Before the handshake: offers a session of an earlier connection to the same peer under the same demands. */
void smtpc_tls_resumption_offer(struct smtpc_tls *tls, const char *peer);

/* After the handshake, when the peer has been checked or has failed to pass. */
void smtpc_tls_resumption_finish(struct smtpc_tls *tls);

/* After a receive: keeps the tickets that came with it. Leaves OpenSSL's queue of errors empty. */
void smtpc_tls_resumption_keep(struct smtpc_tls *tls);

void smtpc_tls_resumption_clear(struct smtpc_tls_resumption *resumption);

#endif
