/* tls_context: what is the same for every connection of one configuration; built once, shared by reference. */
#ifndef SMTPC_NET_TLS_CONTEXT_H
#define SMTPC_NET_TLS_CONTEXT_H

#include "base/error.h"

struct smtpc_tls_context;

/* A client's demands; NULL and 0 are the defaults, and the defaults are safe. */
struct smtpc_tls_options {
    const char *ca_file;              /* PEM bundle; with ca_path instead of the system's store */
    const char *ca_path;              /* folder of hashed certificates */
    const char *certificate_file;     /* PEM chain of the client's own certificate */
    const char *key_file;             /* its key; NULL: in certificate_file */
    const char *key_password;
    const char *cipher_list;          /* TLS 1.2, OpenSSL's syntax */
    const char *ciphersuites;         /* TLS 1.3 */
    const char *minimum_version;      /* "TLSv1.2" (default) or "TLSv1.3"; nothing older is taken */
    const char *sni_name;             /* what SNI says; NULL: the name that the certificate must bear; "": no SNI */
    int insecure_no_verify;           /* neither chain nor name is checked */
    int insecure_no_name_check;       /* the chain is, the name is not */
    int allow_common_name;            /* CN counts where the certificate has no dNSName, as for Net::SMTP */

    /* Demands beside chain and name. Lists are words with blanks between. */
    const char *pins;                 /* "sha256//BASE64" of a SubjectPublicKeyInfo (RFC 7469 section 2.4): one of them
                                       * must be in the chain that was verified */
    const char *crl_file;             /* PEM file of revocation lists; the server's own certificate must have one */
    int check_crl_of_chain;           /* and so must every certificate above it */
    int must_staple;                  /* the server must staple a good OCSP answer (RFC 6066 section 8); one that is
                                       * stapled is checked in any case */

    /* What stands in place of chain and name. */
    const char *fingerprints;         /* "sha256$HEX" of the server's certificate, "sha256$pub$HEX" of its public key
                                       * (the bare bits, as for IO::Socket::SSL); sha1 and sha512 too. One that matches
                                       * is enough, else chain and name decide; where those are switched off, one must
                                       * match */
    const char *tlsa;                 /* DANE (RFC 7672): lines "USAGE SELECTOR TYPE HEX" of records that the caller
                                       * knows to be authentic; only usages 2 and 3 count, none usable is an error */

    /* Session resumption: on within the process, for sessions that chain, name and pins have verified. What must be
     * asked of the certificate each time (fingerprints, tlsa, crl_file, must_staple) switches it off. */
    int no_resumption;
    const char *session_file;         /* and across processes: a file of the caller's own that nobody else may read or
                                       * write (0600), made when it is not there */
    const char *keylog_file;          /* appends the secrets of each session (for a network analyser) */
};

/* A context for clients, with one reference. A CA file or folder that cannot be read, a key that does not fit, an
 * unknown version are errors that name the option; there is no falling back to other trust. */
struct smtpc_tls_context *smtpc_tls_context_client(const struct smtpc_tls_options *options,
                                                   struct smtpc_error *error);

/* A context for the sandbox's server from PEM texts; client_ca_pem (may be NULL) makes it ask for a certificate. */
struct smtpc_tls_context *smtpc_tls_context_server(const char *chain_pem, const char *key_pem,
                                                   const char *client_ca_pem, struct smtpc_error *error);

struct smtpc_tls_context *smtpc_tls_context_keep(struct smtpc_tls_context *context);

/* Lets a reference go; NULL does nothing. */
void smtpc_tls_context_free(struct smtpc_tls_context *context);

#endif
