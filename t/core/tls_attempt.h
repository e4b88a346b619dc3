/* tls_attempt: one handshake with a client of these options, and what became of it. */
#ifndef T_CORE_TLS_ATTEMPT_H
#define T_CORE_TLS_ATTEMPT_H

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tls_pair.h"

static inline X509 *
certificate_of(const struct identity *identity)
{
    BIO *bio = BIO_new_mem_buf(identity->certificate.bytes, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    must(certificate != NULL, "a certificate cannot be read");
    return certificate;
}

/* The last attempt. */
static struct {
    struct smtpc_error error;
    int verified;
    int stapled;
    char trust[20];
    char name[100];
} last;

/* 1 or 0 whether the client took the server, -1 when there is no such client. */
static inline int
attempt(const struct smtpc_tls_options *options, struct smtpc_tls_context *server, const char *name)
{
    struct smtpc_tls_context *client;
    struct smtpc_tls_facts facts = {0};
    struct pair pair;
    int good;

    memset(&last, 0, sizeof last);
    client = smtpc_tls_context_client(options, &last.error);
    if (client == NULL)
        return -1;
    pair_open(&pair, client, server, name);
    good = pair.client_result == 1;
    smtpc_tls_facts(pair.client, &facts);
    last.verified = facts.verified;
    last.stapled = facts.stapled;
    snprintf(last.trust, sizeof last.trust, "%s", facts.trust);
    snprintf(last.name, sizeof last.name, "%s", facts.name);
    last.error = pair.client_error;
    pair_close(&pair);
    smtpc_tls_context_free(client);
    return good;
}

#endif
