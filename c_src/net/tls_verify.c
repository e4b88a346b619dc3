/* tls_verify: chain and name, checked by OpenSSL in the handshake. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

enum { NAME_MAX_LENGTH = 253 };

static int
is_printable(const char *name)
{
    for (; *name != '\0'; name++)
        if (*name <= 32 || *name > 126)
            return 0;
    return 1;
}

static const char *
trouble_with(const char *name, size_t n)
{
    if (n == 0)
        return "it is empty";
    if (n > NAME_MAX_LENGTH)
        return "it is longer than 253 octets";
    if (name[0] == '.')
        return "it begins with a dot";
    return is_printable(name) ? NULL : "it holds other octets than printable ASCII";
}

/* A name that begins with a dot would match every subdomain in OpenSSL; one that ends in a dot would match none. */
char *
smtpc_tls_reference_name(const char *name, struct smtpc_error *error)
{
    size_t n = strlen(name);
    const char *trouble;
    char *copy;

    if (n > 1 && name[n - 1] == '.')
        n--;
    trouble = trouble_with(name, n);
    if (trouble != NULL) {
        smtpc_error_set(error, SMTPC_ERROR_USAGE, "\"%.260s\" cannot be the name of a server: %s", name, trouble);
        return NULL;
    }
    copy = malloc(n + 1);
    if (copy == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    memcpy(copy, name, n);
    copy[n] = '\0';
    return copy;
}

int
smtpc_tls_is_literal(const char *name)
{
    unsigned char octets[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

static int
is_about_revocation(int code)
{
    switch (code) {
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        return 1;
    default:
        return 0;
    }
}

/* A fingerprint stands in place of chain and name, not of a revocation list. */
static int
is_forgiven(const struct smtpc_tls_context *context, X509_STORE_CTX *store)
{
    return context->fingerprint_count > 0 && !is_about_revocation(X509_STORE_CTX_get_error(store))
        && smtpc_tls_fingerprint_matches(context, X509_STORE_CTX_get0_cert(store));
}

static void
note(struct smtpc_tls_verdict *verdict, const struct smtpc_tls_context *context, X509_STORE_CTX *store)
{
    if (verdict->code != X509_V_OK)
        return;
    verdict->code = X509_STORE_CTX_get_error(store);
    verdict->depth = X509_STORE_CTX_get_error_depth(store);
    verdict->certificate = X509_STORE_CTX_get_current_cert(store);
    if (verdict->certificate != NULL)
        X509_up_ref(verdict->certificate);
    if (context->fingerprint_count > 0 && !smtpc_tls_fingerprint_matches(context, X509_STORE_CTX_get0_cert(store)))
        smtpc_tls_digest_text(X509_STORE_CTX_get0_cert(store), SMTPC_TLS_OF_CERTIFICATE, verdict->fingerprint);
}

/* Notes the first complaint; whether it ends the handshake stays OpenSSL's decision, but for a fingerprint that
 * matches. */
static int
on_certificate(int is_good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct smtpc_tls *tls = SSL_get_app_data(ssl);

    if (is_good)
        return 1;
    if (is_forgiven(tls->context, store)) {
        tls->is_forgiven = 1;
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    note(&tls->verdict, tls->context, store);
    return 0;
}

/* Without NEVER_CHECK_SUBJECT OpenSSL takes the common name where there is no dNSName, and only there. */
static int
demand_name(SSL *ssl, const struct smtpc_tls_context *context, const char *name)
{
    X509_VERIFY_PARAM *demands = SSL_get0_param(ssl);
    unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

    if (!context->allows_common_name)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    X509_VERIFY_PARAM_set_hostflags(demands, flags);
    if (smtpc_tls_is_literal(name))
        return X509_VERIFY_PARAM_set1_ip_asc(demands, name);
    return X509_VERIFY_PARAM_set1_host(demands, name, 0);
}

/* RFC 6066 section 3: no literals in SNI. */
static int
say_name(const struct smtpc_tls *tls)
{
    const char *name = tls->context->sni_name != NULL ? tls->context->sni_name : tls->name;

    if (name == NULL || name[0] == '\0' || smtpc_tls_is_literal(name))
        return 1;
    return SSL_set_tlsext_host_name(tls->ssl, name) == 1;
}

int
smtpc_tls_verify_prepare(struct smtpc_tls *tls, struct smtpc_error *error)
{
    const struct smtpc_tls_context *context = tls->context;
    int good = 1;

    SSL_set_verify(tls->ssl, context->checks_chain ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_certificate);
    if (tls->name != NULL && context->checks_name)
        good = demand_name(tls->ssl, context, tls->name) == 1;
    if (tls->name != NULL && context->checks_chain)
        good = good && SSL_set_tlsext_status_type(tls->ssl, TLSEXT_STATUSTYPE_ocsp) == 1;
    if (!good || !say_name(tls))
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "cannot demand a certificate for %.260s: %s",
                               tls->name != NULL ? tls->name : "clients", smtpc_tls_take_reason());
    return context->record_count > 0 ? smtpc_tls_dane_prepare(tls, error) : 0;
}

/* OpenSSL has let the certificate through already; this second look costs nothing and forgives no mistake above. */
int
smtpc_tls_verify_again(const struct smtpc_tls *tls, struct smtpc_error *error)
{
    const char *subject = tls->peer.subject;
    long code = SSL_get_verify_result(tls->ssl);

    if (!tls->context->checks_chain || (tls->context->is_server && subject == NULL))
        return 0;
    if (subject == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "the server showed no certificate");
    if (code == X509_V_OK)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "certificate \"%.120s\" is not accepted: %s", subject,
                           X509_verify_cert_error_string(code));
}
