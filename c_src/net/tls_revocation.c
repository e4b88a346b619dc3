/* tls_revocation: was the certificate taken back: revocation lists (RFC 5280) and stapled answers (RFC 6960). */
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

enum { SKEW = 5 * 60, AGE_MAX = 24 * 3600 };

static int
load_lists(SSL_CTX *ssl_ctx, const char *path, struct smtpc_error *error)
{
    X509_LOOKUP *lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(ssl_ctx), X509_LOOKUP_file());

    if (lookup != NULL && X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) > 0)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "crl_file (SSL_crl_file): no revocation list in PEM can be read "
                           "from %.200s: %s", path, smtpc_tls_take_reason());
}

int
smtpc_tls_revocation_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                          struct smtpc_error *error)
{
    unsigned long flags = X509_V_FLAG_CRL_CHECK | (options->check_crl_of_chain ? X509_V_FLAG_CRL_CHECK_ALL : 0);

    context->must_staple = options->must_staple;
    if (options->crl_file != NULL && load_lists(context->ssl_ctx, options->crl_file, error) != 0)
        return -1;
    if (options->crl_file == NULL && !options->check_crl_of_chain)   /* lists may stand in ca_path too */
        return 0;
    if (X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context->ssl_ctx), flags) == 1)
        return 0;
    return smtpc_error_set_memory(error);
}

/* One answer, what it is about, and who must have said it. */
struct staple {
    X509 *certificate;
    X509 *issuer;                    /* NULL: none that was verified */
    STACK_OF(X509) *chain;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
};

static void
read_staple(const struct smtpc_tls *tls, struct staple *staple)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
    const unsigned char *octets = NULL;
    long n = SSL_get_tlsext_status_ocsp_resp(tls->ssl, &octets);

    staple->chain = chain;
    staple->certificate = chain != NULL ? sk_X509_value(chain, 0) : NULL;
    if (staple->certificate != NULL && !tls->is_forgiven && sk_X509_num(chain) > 1)
        staple->issuer = sk_X509_value(chain, 1);
    else if (staple->certificate != NULL && X509_check_issued(staple->certificate, staple->certificate) == X509_V_OK)
        staple->issuer = staple->certificate;
    if (octets != NULL && n > 0)
        staple->response = d2i_OCSP_RESPONSE(NULL, &octets, n);
    if (staple->response != NULL)
        staple->basic = OCSP_response_get1_basic(staple->response);
}

/* The answer is the issuer's own, or of somebody the issuer has named: its chain must end in the verified one. */
static int
is_signed_by_issuer(const struct staple *staple)
{
    X509_STORE *store = X509_STORE_new();
    int good = store != NULL && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1
        && X509_STORE_add_cert(store, staple->issuer) == 1
        && OCSP_basic_verify(staple->basic, staple->chain, store, OCSP_NOEXPLICIT) == 1;

    X509_STORE_free(store);
    return good;
}

static int
is_about(const OCSP_SINGLERESP *single, const struct staple *staple)
{
    OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *algorithm = NULL;
    const EVP_MD *md;
    OCSP_CERTID *expected;
    int same;

    OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id);
    md = EVP_get_digestbyobj(algorithm);
    expected = md != NULL ? OCSP_cert_to_id(md, staple->certificate, staple->issuer) : NULL;
    same = expected != NULL && OCSP_id_cmp(expected, id) == 0;
    OCSP_CERTID_free(expected);
    return same;
}

static OCSP_SINGLERESP *
find_single(const struct staple *staple)
{
    int i;

    for (i = 0; i < OCSP_resp_count(staple->basic); i++)
        if (is_about(OCSP_resp_get0(staple->basic, i), staple))
            return OCSP_resp_get0(staple->basic, i);
    return NULL;
}

static int
refuse(const struct smtpc_tls *tls, const char *trouble, struct smtpc_error *error)
{
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "the OCSP answer stapled to certificate \"%.120s\" %s: its owner "
                           "must set the server's stapling right", tls->peer.subject, trouble);
}

static int
refuse_revoked(const struct smtpc_tls *tls, int reason, const ASN1_TIME *since, struct smtpc_error *error)
{
    char when[SMTPC_TLS_TIME_MAX];

    smtpc_tls_text_time(since, when);
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "certificate \"%.120s\" was revoked by its issuer on %s (%s; a "
                           "stapled OCSP answer says so): do not trust this server until its owner has a new one",
                           tls->peer.subject, when, reason >= 0 ? OCSP_crl_reason_str(reason) : "no reason given");
}

/* An answer that names no end is taken for a day. */
static int
judge_single(const struct smtpc_tls *tls, OCSP_SINGLERESP *single, struct smtpc_error *error)
{
    ASN1_GENERALIZEDTIME *revoked_at = NULL;
    ASN1_GENERALIZEDTIME *begin = NULL;
    ASN1_GENERALIZEDTIME *end = NULL;
    int reason = -1;
    int status = OCSP_single_get0_status(single, &reason, &revoked_at, &begin, &end);

    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return refuse_revoked(tls, reason, revoked_at, error);
    if (!OCSP_check_validity(begin, end, SKEW, end == NULL ? AGE_MAX : -1))
        return refuse(tls, "is out of date, or this machine's clock is wrong", error);
    return status == V_OCSP_CERTSTATUS_GOOD ? 0 : refuse(tls, "does not know the certificate", error);
}

static int
judge(const struct smtpc_tls *tls, const struct staple *staple, struct smtpc_error *error)
{
    OCSP_SINGLERESP *single;

    if (staple->basic == NULL)
        return refuse(tls, "cannot be read", error);
    if (!is_signed_by_issuer(staple))
        return refuse(tls, "is not signed by the certificate's issuer", error);
    single = find_single(staple);
    return single != NULL ? judge_single(tls, single, error) : refuse(tls, "is about another certificate", error);
}

static int
refuse_missing(const struct smtpc_tls *tls, const char *missing, struct smtpc_error *error)
{
    if (!tls->context->must_staple)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "must_staple is demanded, and with certificate \"%.120s\" %s: let "
                           "the server staple, or leave must_staple out", tls->peer.subject, missing);
}

/* Only a signed answer says anything: "try later" is as good as none. */
static int
judge_or_miss(struct smtpc_tls *tls, const struct staple *staple, struct smtpc_error *error)
{
    int status = staple->response != NULL ? OCSP_response_status(staple->response) : OCSP_RESPONSE_STATUS_SUCCESSFUL;

    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return refuse_missing(tls, "came an OCSP answer that says only that there is none", error);
    if (staple->issuer == NULL)
        return refuse_missing(tls, "came an OCSP answer that cannot be checked, as no issuer was verified", error);
    tls->is_stapled = judge(tls, staple, error) == 0;
    return tls->is_stapled ? 0 : -1;
}

int
smtpc_tls_staple_check(struct smtpc_tls *tls, struct smtpc_error *error)
{
    const unsigned char *octets = NULL;
    struct staple staple = {NULL, NULL, NULL, NULL, NULL};
    int result;

    if (tls->context->is_server || !tls->context->checks_chain || SSL_session_reused(tls->ssl))
        return 0;
    if (SSL_get_tlsext_status_ocsp_resp(tls->ssl, &octets) <= 0 || octets == NULL)
        return refuse_missing(tls, "came no OCSP answer", error);
    read_staple(tls, &staple);
    result = judge_or_miss(tls, &staple, error);
    OCSP_BASICRESP_free(staple.basic);
    OCSP_RESPONSE_free(staple.response);
    return result;
}
