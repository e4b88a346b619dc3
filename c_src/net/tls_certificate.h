/* tls_certificate: makes the sandbox's keys and certificates (good ones and bad ones). Never for real use. */
#ifndef SMTPC_NET_TLS_CERTIFICATE_H
#define SMTPC_NET_TLS_CERTIFICATE_H

#include "base/buffer.h"
#include "base/error.h"

struct smtpc_tls_certificate_request {
    const char *common_name;
    const char *names;            /* "DNS:localhost,IP:127.0.0.1", NULL: none (no subjectAltName then); "DER:..." in
                                   * hex for what has no words, as a NUL in a name */
    long valid_seconds;           /* from now; negative: has expired that long ago (it began a day before that) */
    long valid_from_seconds;      /* from now; 0: since an hour ago */
    const char *key;              /* "P-256" (also NULL), "RSA-2048", "RSA-1024" */
    const char *extended_key_usage;   /* NULL: "serverAuth,clientAuth"; "": none; an authority has none */
    int is_ca;
    const char *issuer_pem;       /* certificate and key of the CA that signs; NULL: signs itself */
    const char *issuer_key_pem;
};

/* Appends the PEM texts of the certificate and of its new private key. 0, or -1 with *error set. */
int smtpc_tls_certificate_make(const struct smtpc_tls_certificate_request *request,
                               struct smtpc_buffer *certificate_pem, struct smtpc_buffer *key_pem,
                               struct smtpc_error *error);

#endif
