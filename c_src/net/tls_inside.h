/* tls_inside: what the tls files share among themselves; nobody else includes it. */
#ifndef SMTPC_NET_TLS_INSIDE_H
#define SMTPC_NET_TLS_INSIDE_H

#include <stddef.h>

#include "base/error.h"
#include "net/tls.h"
#include "net/tls_context.h"
#include "net/tls_sessions.h"
#include "net/wire.h"

/* OpenSSL's own tags, so that this header needs none of its headers. */
struct asn1_string_st;
struct bio_method_st;
struct bio_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_lookup_method_st;
struct x509_st;

/* tls_context.c */
struct smtpc_tls_context {
    int references;                    /* atomic */
    struct ssl_ctx_st *ssl_ctx;
    struct bio_method_st *bio_method;
    struct x509_lookup_method_st *bundle_method;    /* NULL: OpenSSL has read the authorities itself */
    int is_server;
    int checks_chain;                  /* of the peer's certificate */
    int checks_name;
    int allows_common_name;
    char *sni_name;                    /* NULL: the name that the certificate must bear; "": none */
    struct smtpc_tls_digest *pins;
    size_t pin_count;
    struct smtpc_tls_digest *fingerprints;
    size_t fingerprint_count;
    struct smtpc_tls_record *records;  /* DANE: those that OpenSSL can use */
    size_t record_count;
    int must_staple;
    struct smtpc_tls_sessions *sessions;    /* NULL: none are kept */
    int keylog_fd;                          /* -1: none */
};

/* tls_trust.c: whom a client believes: the CA file and folder given, else the system's. 0, or -1 with *error set. */
int smtpc_tls_trust_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                         struct smtpc_error *error);

/* tls_bundle.c: the context's store asks the file from now on, one time for each name that a chain asks for: 1. 0: the
 * file must be given to OpenSSL whole; it is not there, holds few certificates, or other than plain ones. What the file
 * holds now counts, whatever it holds later. */
int smtpc_tls_bundle_use(struct smtpc_tls_context *context, const char *path);

/* When the SSL_CTX is gone. */
void smtpc_tls_bundle_clear(struct smtpc_tls_context *context);

/* tls_identity.c: one's own certificates and key. The first: 0 (also when there are none), or -1 with *error set. The
 * second: 1, or 0 with the reason in OpenSSL's queue. */
int smtpc_tls_identity_from_files(struct ssl_ctx_st *ssl_ctx, const struct smtpc_tls_options *options,
                                  struct smtpc_error *error);
int smtpc_tls_identity_from_pem(struct ssl_ctx_st *ssl_ctx, const char *chain_pem, const char *key_pem);

/* tls_keylog.c: the file that secrets are written to, unless path is NULL. 0, or -1 with *error set. */
int smtpc_tls_keylog_open(struct smtpc_tls_context *context, const char *path, struct smtpc_error *error);
void smtpc_tls_keylog_close(struct smtpc_tls_context *context);

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

/* A new reference, NULL when the peer showed none. */
struct x509_st *smtpc_tls_peer_certificate(const struct ssl_st *ssl);

/* 0, or -1 when memory is out. */
int smtpc_tls_peer_note(struct smtpc_tls_peer *peer, const struct ssl_st *ssl);
const char *smtpc_tls_peer_read_pem(struct smtpc_tls_peer *peer, const struct ssl_st *ssl);
void smtpc_tls_peer_clear(struct smtpc_tls_peer *peer);

/* tls_digest.c: of certificates and keys. */
enum { SMTPC_TLS_DIGEST_MAX = 64, SMTPC_TLS_DIGEST_TEXT_MAX = 2 * SMTPC_TLS_DIGEST_MAX + 16 };

enum smtpc_tls_digest_of {
    SMTPC_TLS_OF_CERTIFICATE,          /* "sha256$HEX" */
    SMTPC_TLS_OF_KEY_BITS,             /* "sha256$pub$HEX": the key's bare bits, as IO::Socket::SSL has it */
    SMTPC_TLS_OF_KEY_INFO              /* "sha256//BASE64": the SubjectPublicKeyInfo (RFC 7469 section 2.4) */
};

struct smtpc_tls_digest {
    enum smtpc_tls_digest_of of;
    const char *algorithm;             /* static: "sha256" */
    unsigned char octets[SMTPC_TLS_DIGEST_MAX];
    size_t length;
};

/* How many octets; 0 when it cannot be made. */
size_t smtpc_tls_digest_make(const struct x509_st *certificate, enum smtpc_tls_digest_of of, const char *algorithm,
                             unsigned char octets[SMTPC_TLS_DIGEST_MAX]);

/* SHA-256 of the certificate in the text form of its kind; "" when it cannot be made. */
void smtpc_tls_digest_text(const struct x509_st *certificate, enum smtpc_tls_digest_of of,
                           char text[SMTPC_TLS_DIGEST_TEXT_MAX]);

/* What the TLSA record "3 1 1" of the certificate would be; "" when it cannot be made. */
void smtpc_tls_record_text(const struct x509_st *certificate, char text[SMTPC_TLS_DIGEST_TEXT_MAX]);

/* Octets of hex digits, those in skipped left out: how many, or -1 when it is not hex, or too much. */
ssize_t smtpc_tls_read_hex(const char *p, size_t n, const char *skipped, unsigned char *octets, size_t room);

/* tls_pins.c: digests that the caller knows. */

/* Reads options->pins and ->fingerprints into the context: 0, or -1 with *error set. */
int smtpc_tls_pins_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                        struct smtpc_error *error);

/* 1 when one of the context's fingerprints is that of the certificate. */
int smtpc_tls_fingerprint_matches(const struct smtpc_tls_context *context, const struct x509_st *certificate);

/* 0 when one of the context's pins is in the verified chain, or none is demanded; else -1 with *error set. */
int smtpc_tls_pins_check(const struct smtpc_tls *tls, struct smtpc_error *error);

/* tls_dane.c: TLSA records (RFC 7672). */
int smtpc_tls_dane_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                        struct smtpc_error *error);

/* Tells OpenSSL to let the records decide. 0, or -1 with *error set. */
int smtpc_tls_dane_prepare(const struct smtpc_tls *tls, struct smtpc_error *error);

/* 1 when one of the records has matched. */
int smtpc_tls_dane_has_matched(const struct smtpc_tls *tls);
void smtpc_tls_dane_clear(struct smtpc_tls_context *context);

/* tls_revocation.c: lists (RFC 5280) and stapled answers (RFC 6960). */
int smtpc_tls_revocation_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                              struct smtpc_error *error);

/* Sets tls->is_stapled; 0, or -1 with *error set when an answer is bad, or demanded and missing. */
int smtpc_tls_staple_check(struct smtpc_tls *tls, struct smtpc_error *error);

/* tls_demands.c: what a client demands beside chain and name, or in place of them. */
int smtpc_tls_demands_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                           struct smtpc_error *error);
void smtpc_tls_demands_clear(struct smtpc_tls_context *context);

/* After smtpc_tls_verify_again: sets tls->trust, is_verified and is_stapled; 0, or -1 with *error set. */
int smtpc_tls_demands_check(struct smtpc_tls *tls, struct smtpc_error *error);

/* tls_verify.c: chain and name, which OpenSSL checks in the handshake. */

/* The name without the dot at its end, newly allocated; NULL with *error set when it cannot be a server's name. */
char *smtpc_tls_reference_name(const char *name, struct smtpc_error *error);
int smtpc_tls_is_literal(const char *name);

/* Tells OpenSSL to check chain and name as the context demands, what to say as SNI, and to note a verdict. */
int smtpc_tls_verify_prepare(struct smtpc_tls *tls, struct smtpc_error *error);

/* After a handshake that went well: 0 when the result and the certificate are what the context demands, else -1. */
int smtpc_tls_verify_again(const struct smtpc_tls *tls, struct smtpc_error *error);

/* tls_verdict.c: what was found wrong, in words. */
struct smtpc_tls_verdict {
    int code;                          /* the first X509_V_ERR_..., 0: none */
    int depth;
    struct x509_st *certificate;       /* the one it is about, NULL: none */
    char fingerprint[SMTPC_TLS_DIGEST_TEXT_MAX];   /* the server's, when others were given; else "" */
};

/* -1 always, with *error set. */
int smtpc_tls_verdict_explain(const struct smtpc_tls_verdict *verdict, const char *name, struct smtpc_error *error);

void smtpc_tls_verdict_clear(struct smtpc_tls_verdict *verdict);

/* tls.c; the object is the app data of its SSL. */
enum smtpc_tls_state { SMTPC_TLS_HANDSHAKING, SMTPC_TLS_OPEN, SMTPC_TLS_ENDED, SMTPC_TLS_BROKEN };

struct smtpc_tls {
    struct smtpc_tls_context *context;
    struct ssl_st *ssl;
    struct smtpc_tls_stream stream;
    struct smtpc_tls_verdict verdict;
    enum smtpc_tls_state state;
    enum smtpc_tls_wait wait;
    const char *trust;                 /* as in the facts */
    int is_verified;
    int is_forgiven;                   /* a fingerprint stood in for chain and name */
    int is_stapled;
    int is_truncated;
    int must_be_silent;                /* no close_notify any more */
    char *name;                        /* what the certificate must bear; NULL for a server */
    struct smtpc_tls_peer peer;
    struct smtpc_tls_resumption resumption;
};

/* tls_error.c: OpenSSL's queue of errors. Both leave it empty. */

/* The reason of the oldest error, a lent string, "unknown reason" when there is none. */
const char *smtpc_tls_take_reason(void);

/* The words for a failed call on the stream, with prefix ("" or "TLS: ") before them. -1 always. */
int smtpc_tls_explain(const struct smtpc_tls_stream *stream, int is_server, const char *prefix,
                      struct smtpc_error *error);

#endif
