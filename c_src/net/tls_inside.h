/* tls_inside: what the tls files share among themselves; nobody else includes it. */
#ifndef SMTPC_NET_TLS_INSIDE_H
#define SMTPC_NET_TLS_INSIDE_H

#include <stddef.h>

#include "base/error.h"
#include "net/tls_context.h"
#include "net/wire.h"

/* OpenSSL's own tags, so that this header needs none of its headers. */
struct asn1_string_st;
struct bio_method_st;
struct bio_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

/* tls_context.c */
struct smtpc_tls_context {
    int references;                    /* atomic */
    struct ssl_ctx_st *ssl_ctx;
    struct bio_method_st *bio_method;
    int is_server;
    int checks_chain;                  /* of the peer's certificate */
    int checks_name;
    int allows_common_name;
};

/* tls_trust.c: whom a client believes: the CA file and folder given, else the system's. 0, or -1 with *error set. */
int smtpc_tls_trust_load(struct ssl_ctx_st *ssl_ctx, const struct smtpc_tls_options *options,
                         struct smtpc_error *error);

/* tls_identity.c: one's own certificates and key. The first: 0 (also when there are none), or -1 with *error set. The
 * second: 1, or 0 with the reason in OpenSSL's queue. */
int smtpc_tls_identity_from_files(struct ssl_ctx_st *ssl_ctx, const struct smtpc_tls_options *options,
                                  struct smtpc_error *error);
int smtpc_tls_identity_from_pem(struct ssl_ctx_st *ssl_ctx, const char *chain_pem, const char *key_pem);

/* tls_bio.c: a BIO over a wire. */
enum { SMTPC_TLS_FIRST_MAX = 4 };

struct smtpc_tls_stream {
    struct smtpc_wire wire;
    int is_at_end;                     /* the peer closed */
    int system_errno;                  /* of the failed send or receive; 0: none failed */
    char first[SMTPC_TLS_FIRST_MAX];   /* the first octets received */
    size_t first_length;
};

struct bio_method_st *smtpc_tls_bio_method(void);

/* NULL when memory is out. The stream must outlive it. */
struct bio_st *smtpc_tls_bio_new(const struct bio_method_st *method, struct smtpc_tls_stream *stream);

/* tls_text.c: certificates in words. Allocated strings, NULL when memory is out; the caller frees them. */
enum { SMTPC_TLS_TIME_MAX = 24 };

char *smtpc_tls_text_subject(const struct x509_st *certificate);
char *smtpc_tls_text_issuer(const struct x509_st *certificate);

/* "DNS:a.example, IP Address:192.0.2.1"; "" when it bears none. */
char *smtpc_tls_text_names(struct x509_st *certificate);

/* "2027-01-31T23:59:59Z" */
void smtpc_tls_text_time(const struct asn1_string_st *asn1_time, char text[SMTPC_TLS_TIME_MAX]);

/* The peer's certificate; all is NULL when there is none. */
struct smtpc_tls_peer {
    char *subject;
    char *issuer;
    char *pem;                         /* once asked for */
    char not_after[SMTPC_TLS_TIME_MAX];
};

/* 0, or -1 when memory is out. */
int smtpc_tls_peer_note(struct smtpc_tls_peer *peer, const struct ssl_st *ssl);
const char *smtpc_tls_peer_read_pem(struct smtpc_tls_peer *peer, const struct ssl_st *ssl);
void smtpc_tls_peer_clear(struct smtpc_tls_peer *peer);

/* tls_verify.c: the name check, which OpenSSL does in the handshake, and what it found. */
struct smtpc_tls_verdict {
    int code;                          /* the first X509_V_ERR_..., 0: none */
    int depth;
    struct x509_st *certificate;       /* the one it is about, NULL: none */
};

/* The name without the dot at its end, newly allocated; NULL with *error set when it cannot be a server's name. */
char *smtpc_tls_reference_name(const char *name, struct smtpc_error *error);

/* Tells ssl to check chain and name as the context demands, what to say as SNI, and where to note a verdict. */
int smtpc_tls_verify_prepare(struct ssl_st *ssl, const struct smtpc_tls_context *context, const char *name,
                             struct smtpc_tls_verdict *verdict, struct smtpc_error *error);

/* After a handshake that went well: 0 when the result and the certificate are what the context demands, else -1. */
int smtpc_tls_verify_again(const struct ssl_st *ssl, const struct smtpc_tls_context *context,
                           const struct smtpc_tls_peer *peer, struct smtpc_error *error);

/* -1 always, with *error set. */
int smtpc_tls_verdict_explain(const struct smtpc_tls_verdict *verdict, const char *name, struct smtpc_error *error);

void smtpc_tls_verdict_clear(struct smtpc_tls_verdict *verdict);

/* tls_error.c: OpenSSL's queue of errors. Both leave it empty. */

/* The reason of the oldest error, a lent string, "unknown reason" when there is none. */
const char *smtpc_tls_take_reason(void);

/* The words for a failed call on the stream, with prefix ("" or "TLS: ") before them. -1 always. */
int smtpc_tls_explain(const struct smtpc_tls_stream *stream, int is_server, const char *prefix,
                      struct smtpc_error *error);

#endif
