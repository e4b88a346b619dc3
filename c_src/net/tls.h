/* tls: one handshake and one stream over a wire. With tls_context and tls_certificate the only files that know
 * OpenSSL's SSL. */
#ifndef SMTPC_NET_TLS_H
#define SMTPC_NET_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "net/tls_context.h"
#include "net/wire.h"

struct smtpc_tls;

/* What is to be waited for after AGAIN. */
enum smtpc_tls_wait { SMTPC_TLS_WAIT_READ, SMTPC_TLS_WAIT_WRITE };

/* Facts of a finished handshake; strings are lent until free. */
struct smtpc_tls_facts {
    const char *version;        /* "TLSv1.3" */
    const char *cipher;         /* "TLS_AES_256_GCM_SHA384" */
    int verified;               /* chain and name were checked and are good */
    const char *name;           /* the name or address in the certificate that matched, or "" */
    const char *subject;        /* one line, RFC 2253; "" when there is no certificate */
    const char *issuer;
    const char *not_after;      /* "2027-01-31T23:59:59Z" or "" */
    const char *group;          /* of the key exchange, "x25519"; "" where this OpenSSL does not tell */
    const char *trust;          /* why it is verified: "chain", "fingerprint", "dane"; "" when it is not */
    int resumed;                /* the session began in an earlier connection */
    int stapled;                /* a good OCSP answer came with the certificate */
};

enum { SMTPC_TLS_BINDING_MAX = 64, SMTPC_TLS_BINDING_NAME_MAX = 24 };

/* Channel binding (RFC 5056): octets that only the two ends of this TLS connection know. */
struct smtpc_tls_binding {
    char name[SMTPC_TLS_BINDING_NAME_MAX];          /* "tls-exporter" (RFC 9266), "tls-unique",
                                                     * "tls-server-end-point" (RFC 5929) */
    unsigned char octets[SMTPC_TLS_BINDING_MAX];
    size_t length;
};

/* A client's side over wire (copied; what it points to must outlive the object). name: what the certificate must bear
 * and SNI says, a DNS name (a dot at its end is dropped) or an IP literal (no SNI then); refused with an error when it
 * is empty, begins with a dot, or holds anything but printable ASCII. peer: "host:port", under which a session is kept
 * for the next connection of the same context; NULL: nothing is resumed. The context is kept by reference. */
struct smtpc_tls *smtpc_tls_client(struct smtpc_tls_context *context, struct smtpc_wire wire, const char *name,
                                   const char *peer, struct smtpc_error *error);

/* A server's side, for the sandbox. */
struct smtpc_tls *smtpc_tls_server(struct smtpc_tls_context *context, struct smtpc_wire wire,
                                   struct smtpc_error *error);

/* Goes on with the handshake: 1 done, SMTPC_WIRE_AGAIN, or -1 with *error set (kind tls; closed when the peer hung up).
 * Errors say which certificate, what is wrong with it, and what to do. */
int smtpc_tls_handshake(struct smtpc_tls *tls, struct smtpc_error *error);

/* As the wire's functions: octets, SMTPC_WIRE_AGAIN, SMTPC_WIRE_END (close_notify, or an end without one: the session
 * knows whether that cuts a reply), or -1 with *error set. Octets that wait inside OpenSSL are handed out before AGAIN.
 * After AGAIN the next send must begin with the same octets, at whatever address. n and room are at least 1. After a send
 * that failed because the wire broke, receive still gives what the peer had said before. */
ssize_t smtpc_tls_send(struct smtpc_tls *tls, const char *octets, size_t n, struct smtpc_error *error);
ssize_t smtpc_tls_receive(struct smtpc_tls *tls, char *octets, size_t room, struct smtpc_error *error);

/* Valid after AGAIN. A send may want to read and the other way round. */
enum smtpc_tls_wait smtpc_tls_wants(const struct smtpc_tls *tls);

/* 1 when the last end of the stream came without close_notify. */
int smtpc_tls_was_truncated(const struct smtpc_tls *tls);

/* Sends close_notify if the stream is in a state to; never waits. */
void smtpc_tls_close(struct smtpc_tls *tls);

/* After the handshake. */
void smtpc_tls_facts(const struct smtpc_tls *tls, struct smtpc_tls_facts *facts);

/* After the handshake: the first of names (words with blanks between; NULL: the order of preference of this TLS version)
 * that this connection can give. 0, or -1 when it can give none of them: tls-exporter needs TLS 1.3 or the extended
 * master secret (RFC 7627), tls-unique TLS 1.2, and on a resumed session the extended master secret. */
int smtpc_tls_binding(const struct smtpc_tls *tls, const char *names, struct smtpc_tls_binding *binding);

/* 1 when each of names (as above, not NULL) is the name of a binding. */
int smtpc_tls_binding_is_known(const char *names);

/* The peer's certificate in PEM, NUL-terminated, lent until free; NULL when there is none. */
const char *smtpc_tls_peer_pem(struct smtpc_tls *tls);

/* Says nothing on the wire. */
void smtpc_tls_free(struct smtpc_tls *tls);

#endif
