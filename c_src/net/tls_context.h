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
    int insecure_no_verify;           /* neither chain nor name is checked */
    int insecure_no_name_check;       /* the chain is, the name is not */
    int allow_common_name;            /* CN counts where the certificate has no dNSName, as for Net::SMTP */
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
