/* tls_verdict: what was found wrong with a certificate: which one, what it is, and what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "net/tls_inside.h"

enum { WHICH_MAX = 200 };

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
        smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is not for %.100s: it bears no subjectAltName (a common name "
                        "counts only for hosts, and only with allow_common_name)", which, name);
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
                    ? "%s is self-signed, so nobody vouches for it: give it as ca_file (SSL_ca_file), or its "
                      "fingerprint (SSL_fingerprint), if the server is your own"
                    : "%s at the end of the chain is not trusted here: give ca_file (SSL_ca_file) if this "
                      "server's issuer is your own", which);
}

static void
explain_key(const char *which, const X509 *certificate, struct smtpc_error *error)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    smtpc_error_set(error, SMTPC_ERROR_TLS, "%s has a key too small to be safe (%d bits): its owner must replace it",
                    which, key != NULL ? EVP_PKEY_bits(key) : 0);
}

static void
explain_record(const char *which, const struct smtpc_tls_verdict *verdict, struct smtpc_error *error)
{
    char record[SMTPC_TLS_DIGEST_TEXT_MAX];

    smtpc_tls_record_text(verdict->certificate, record);
    if (verdict->depth > 0 && record[0] != '\0')
        record[0] = '2';
    smtpc_error_set(error, SMTPC_ERROR_TLS, "%s matches none of the TLSA records given (tlsa); it would be \"%s\": "
                    "ask the DNS again, and do not trust this server if the records are still the same", which,
                    record);
}

/* What needs no look into the certificate. */
static const struct { int code; const char *words; } known[] = {
    {X509_V_ERR_CERT_REVOKED,
     "was revoked by its issuer, says a list in crl_file: do not trust this server until its owner has a new one"},
    {X509_V_ERR_UNABLE_TO_GET_CRL,
     "cannot be checked, as no revocation list of its issuer is in crl_file (SSL_crl_file): add it"},
    {X509_V_ERR_CRL_HAS_EXPIRED,
     "cannot be checked, as its issuer's revocation list has expired: fetch a new one into crl_file (SSL_crl_file)"},
    {X509_V_ERR_CRL_NOT_YET_VALID,
     "cannot be checked, as its issuer's revocation list is not valid yet: is this machine's clock right?"},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE,
     "cannot be checked, as its issuer did not sign the list in crl_file (SSL_crl_file): fetch it again"},
    {X509_V_ERR_CA_MD_TOO_WEAK,
     "is signed with a digest too weak to be safe (SHA-1 or MD5): its owner must replace it"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE,
     "bears a signature that its issuer did not make: it is damaged or forged, do not trust this server"},
    {X509_V_ERR_INVALID_PURPOSE,
     "is not made for this use (its keyUsage or extendedKeyUsage; a server's needs serverAuth): its owner must get "
     "another"},
    {X509_V_ERR_INVALID_CA,
     "is not of an authority (basicConstraints), and yet another is signed with it: do not trust this server"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED,
     "has more authorities below it than it allows (pathlen of basicConstraints): its owner must get another chain"},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG,
     "is at the end of a chain that is too long: the server must send a shorter one"},
    {X509_V_ERR_PERMITTED_VIOLATION,
     "is for a name that its issuer may not vouch for (nameConstraints): its owner must get another"},
    {X509_V_ERR_EXCLUDED_VIOLATION,
     "is for a name that its issuer may not vouch for (nameConstraints): its owner must get another"},
    {X509_V_ERR_CERT_REJECTED,
     "is marked as not to be trusted, in ca_file (SSL_ca_file) or the system's store"},
};

static void
explain_known(const char *which, int code, struct smtpc_error *error)
{
    size_t i;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code) {
            smtpc_error_set(error, SMTPC_ERROR_TLS, "%s %s", which, known[i].words);
            return;
        }
    smtpc_error_set(error, SMTPC_ERROR_TLS, "%s is not accepted: %s", which, X509_verify_cert_error_string(code));
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
    else if (code == X509_V_ERR_EE_KEY_TOO_SMALL || code == X509_V_ERR_CA_KEY_TOO_SMALL)
        explain_key(which, verdict->certificate, error);
    else if (code == X509_V_ERR_DANE_NO_MATCH)
        explain_record(which, verdict, error);
    else
        explain_known(which, code, error);
}

static void
explain(const struct smtpc_tls_verdict *verdict, const char *name, struct smtpc_error *error)
{
    char which[WHICH_MAX];
    char *subject;

    if (verdict->certificate == NULL) {
        explain_known("the certificate", verdict->code, error);
        return;
    }
    subject = smtpc_tls_text_subject(verdict->certificate);
    snprintf(which, sizeof which, "certificate \"%.120s\" (depth %d)", subject != NULL ? subject : "",
             verdict->depth);
    free(subject);
    explain_certificate(which, verdict, name, error);
}

int
smtpc_tls_verdict_explain(const struct smtpc_tls_verdict *verdict, const char *name, struct smtpc_error *error)
{
    struct smtpc_error words = {0};

    explain(verdict, name, &words);
    if (verdict->fingerprint[0] == '\0')
        return smtpc_error_set(error, words.kind, "%s", words.text);
    return smtpc_error_set(error, words.kind, "the server's fingerprint is %s, none of those given (fingerprints, "
                           "SSL_fingerprint), and %s", verdict->fingerprint, words.text);
}

void
smtpc_tls_verdict_clear(struct smtpc_tls_verdict *verdict)
{
    X509_free(verdict->certificate);
    memset(verdict, 0, sizeof *verdict);
}
