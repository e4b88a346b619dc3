/* tls_family: an authority, one below it, servers of both, and a stranger, for what authorities say later. */
#ifndef T_CORE_TLS_FAMILY_H
#define T_CORE_TLS_FAMILY_H

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tap.h"
#include "tls_attempt.h"

enum { DAY = 86400 };

static inline EVP_PKEY *
key_of(const struct identity *identity)
{
    BIO *bio = BIO_new_mem_buf(identity->key.bytes, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    must(key != NULL, "a key cannot be read");
    return key;
}

/* Our CA, an authority below it, and servers of both. */
struct family {
    struct identity ca;
    struct identity between;
    struct identity mail;            /* of the CA */
    struct identity deep;            /* of the one between */
    struct identity stranger;        /* bears the CA's name */
    struct smtpc_tls_context *server;
    struct smtpc_tls_context *deep_server;
};

static inline void
family_open(struct family *family)
{
    identity_make(&family->ca, "our CA", NULL, YEAR, 1, NULL);
    identity_make(&family->between, "between", NULL, YEAR, 1, &family->ca);
    identity_make(&family->mail, "mail", "DNS:localhost", YEAR, 0, &family->ca);
    identity_make(&family->deep, "deep", "DNS:localhost", YEAR, 0, &family->between);
    identity_make(&family->stranger, "our CA", NULL, YEAR, 1, NULL);
    family->server = server_of(&family->mail, NULL, NULL);
    family->deep_server = server_of(&family->deep, &family->between, NULL);
    write_file("ca.pem", family->ca.certificate.bytes);
}

static inline void
family_close(struct family *family)
{
    smtpc_tls_context_free(family->server);
    smtpc_tls_context_free(family->deep_server);
    identity_clear(&family->ca);
    identity_clear(&family->between);
    identity_clear(&family->mail);
    identity_clear(&family->deep);
    identity_clear(&family->stranger);
    remove_file("ca.pem");
    remove_file("crl.pem");
    remove_folder();
}

static inline void
refused(int result, const char *words, const char *test)
{
    ok(result == 0 && last.error.kind == SMTPC_ERROR_TLS && strstr(last.error.text, words) != NULL, "%s: %s", test,
       last.error.text);
    ok(!last.verified && !last.stapled, "... and nothing is verified");
}

#endif
