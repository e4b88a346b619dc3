/* tls_verify: chain and name, checked by OpenSSL in the handshake; what was wrong, in words. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

enum { NAME_MAX_LENGTH = 253, WHICH_MAX = 200 };

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

static int
is_literal(const char *name)
{
    unsigned char octets[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

/* Only notes the first complaint; whether it ends the handshake stays OpenSSL's decision. */
static int
note_verdict(int is_good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct smtpc_tls_verdict *verdict = SSL_get_app_data(ssl);

    if (is_good || verdict->code != X509_V_OK)
        return is_good;
    verdict->code = X509_STORE_CTX_get_error(store);
    verdict->depth = X509_STORE_CTX_get_error_depth(store);
    verdict->certificate = X509_STORE_CTX_get_current_cert(store);
    if (verdict->certificate != NULL)
        X509_up_ref(verdict->certificate);
    return is_good;
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
    if (is_literal(name))
        return X509_VERIFY_PARAM_set1_ip_asc(demands, name);
    return X509_VERIFY_PARAM_set1_host(demands, name, 0);
}

int
smtpc_tls_verify_prepare(SSL *ssl, const struct smtpc_tls_context *context, const char *name,
                         struct smtpc_tls_verdict *verdict, struct smtpc_error *error)
{
    int good = SSL_set_app_data(ssl, verdict);

    SSL_set_verify(ssl, context->checks_chain ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, note_verdict);
    if (good && name != NULL && context->checks_name)
        good = demand_name(ssl, context, name) == 1;
    if (good && name != NULL && !is_literal(name))   /* RFC 6066 section 3: no literals in SNI */
        good = SSL_set_tlsext_host_name(ssl, name) == 1;
    return good ? 0 : smtpc_error_set(error, SMTPC_ERROR_TLS, "cannot demand a certificate for %.260s: %s",
                                      name != NULL ? name : "clients", smtpc_tls_take_reason());
}

/* OpenSSL has let the certificate through already; this second look costs nothing and forgives no mistake above. */
int
smtpc_tls_verify_again(const SSL *ssl, const struct smtpc_tls_context *context, const struct smtpc_tls_peer *peer,
                       struct smtpc_error *error)
{
    long code = SSL_get_verify_result(ssl);

    if (!context->checks_chain || (context->is_server && peer->subject == NULL))
        return 0;
    if (peer->subject == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "the server showed no certificate");
    if (code == X509_V_OK)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "certificate \"%.120s\" is not accepted: %s", peer->subject,
                           X509_verify_cert_error_string(code));
}

static int
is_missing_issuer(int code)
{
    return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        || code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

static void
explain_mismatch(const char *which, X509 *certificate, const char *name, struct smtpc_error *error)
{
    char *names = smtpc_tls_text_names(certificate);

    if (names == NULL || names[0] == '\0')
        smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is not for %.100s: it bears no subjectAltName (its common "
                        "name counts only with allow_common_name)", which, name);
    else
        smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is not for %.100s but for %.160s: connect by a name it "
                        "bears", which, name, names);
    free(names);
}

static void
explain_expired(const char *which, const X509 *certificate, struct smtpc_error *error)
{
    char when[SMTPC_TLS_TIME_MAX];

    smtpc_tls_text_time(X509_get0_notAfter(certificate), when);
    smtpc_error_set(error, SMTPC_ERROR_TLS, "%s expired on %s: its owner must renew it (or this machine's clock "
                    "is wrong)", which, when);
}

static void
explain_too_early(const char *which, const X509 *certificate, struct smtpc_error *error)
{
    char when[SMTPC_TLS_TIME_MAX];

    smtpc_tls_text_time(X509_get0_notBefore(certificate), when);
    smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is valid only from %s on: is this machine's clock right?", which,
                    when);
}

static void
explain_issuer(const char *which, const X509 *certificate, struct smtpc_error *error)
{
    char *issuer = smtpc_tls_text_issuer(certificate);

    smtpc_error_set(error, SMTPC_ERROR_TLS, "the issuer of %s, \"%.120s\", is not known here: give ca_file "
                    "(SSL_ca_file) if this server's issuer is your own; else the server may lack an intermediate "
                    "certificate", which, issuer != NULL ? issuer : "");
    free(issuer);
}

static void
explain_self_signed(const char *which, int depth, struct smtpc_error *error)
{
    smtpc_error_set(error, SMTPC_ERROR_TLS, depth == 0
                    ? "%s is self-signed, so nobody vouches for it: give it as ca_file (SSL_ca_file) if the "
                      "server is your own"
                    : "%s at the end of the chain is not trusted here: give ca_file (SSL_ca_file) if this "
                      "server's issuer is your own", which);
}

static void
explain_certificate(const char *which, const struct smtpc_tls_verdict *verdict, const char *name,
                    struct smtpc_error *error)
{
    int code = verdict->code;

    if (name != NULL && (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH))
        explain_mismatch(which, verdict->certificate, name, error);
    else if (code == X509_V_ERR_CERT_HAS_EXPIRED)
        explain_expired(which, verdict->certificate, error);
    else if (code == X509_V_ERR_CERT_NOT_YET_VALID)
        explain_too_early(which, verdict->certificate, error);
    else if (code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN)
        explain_self_signed(which, verdict->depth, error);
    else if (is_missing_issuer(code))
        explain_issuer(which, verdict->certificate, error);
    else
        smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is not accepted: %s", which,
                        X509_verify_cert_error_string(code));
}

int
smtpc_tls_verdict_explain(const struct smtpc_tls_verdict *verdict, const char *name, struct smtpc_error *error)
{
    char which[WHICH_MAX];
    char *subject;

    if (verdict->certificate == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "the certificate is not accepted: %s",
                               X509_verify_cert_error_string(verdict->code));
    subject = smtpc_tls_text_subject(verdict->certificate);
    snprintf(which, sizeof which, "certificate \"%.120s\" (depth %d)", subject != NULL ? subject : "",
             verdict->depth);
    free(subject);
    explain_certificate(which, verdict, name, error);
    return -1;
}

void
smtpc_tls_verdict_clear(struct smtpc_tls_verdict *verdict)
{
    X509_free(verdict->certificate);
    memset(verdict, 0, sizeof *verdict);
}
