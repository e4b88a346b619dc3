/* tls_demands: what a client demands of a certificate beside chain and name, or in place of them. */
#include <stdlib.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"

static const char *
demand_of_chain(const struct smtpc_tls_options *options)
{
    if (options->pins != NULL)
        return "pins";
    if (options->crl_file != NULL)
        return "crl_file (SSL_crl_file)";
    if (options->check_crl_of_chain)
        return "check_crl_of_chain";
    if (options->must_staple)
        return "must_staple";
    return options->tlsa != NULL ? "tlsa" : NULL;
}

/* A demand that would be dropped without a word is worse than none. */
static int
refuse_contradictions(const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    const char *demand = demand_of_chain(options);

    if (options->insecure_no_verify && demand != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s is a demand on a chain that is verified, and "
                               "insecure_no_verify (SSL_verify_mode 0) verifies none: leave one of them out", demand);
    if (options->insecure_no_name_check && options->tlsa != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa says by itself whether the name counts: leave "
                               "insecure_no_name_check out");
    return 0;
}

static int
load_sni_name(struct smtpc_tls_context *context, const char *name, struct smtpc_error *error)
{
    struct smtpc_error trouble = {0};

    if (name == NULL)
        return 0;
    if (smtpc_tls_is_literal(name))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "sni_name (SSL_hostname): \"%.100s\" is an address, and SNI "
                               "says only host names; \"\" says none", name);
    context->sni_name = name[0] == '\0' ? calloc(1, 1) : smtpc_tls_reference_name(name, &trouble);
    if (context->sni_name != NULL)
        return 0;
    return smtpc_error_is_set(&trouble)
        ? smtpc_error_set(error, trouble.kind, "sni_name (SSL_hostname): %s", trouble.text)
        : smtpc_error_set_memory(error);
}

int
smtpc_tls_demands_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                       struct smtpc_error *error)
{
    if (refuse_contradictions(options, error) != 0 || load_sni_name(context, options->sni_name, error) != 0)
        return -1;
    if (smtpc_tls_pins_load(context, options, error) != 0 || smtpc_tls_dane_load(context, options, error) != 0)
        return -1;
    return smtpc_tls_revocation_load(context, options, error);
}

void
smtpc_tls_demands_clear(struct smtpc_tls_context *context)
{
    free(context->sni_name);
    free(context->pins);
    free(context->fingerprints);
    smtpc_tls_dane_clear(context);
}

static int
has_known_fingerprint(const struct smtpc_tls *tls)
{
    X509 *certificate = tls->context->fingerprint_count > 0 ? smtpc_tls_peer_certificate(tls->ssl) : NULL;
    int known = certificate != NULL && smtpc_tls_fingerprint_matches(tls->context, certificate);

    X509_free(certificate);
    return known;
}

/* Why the peer is believed; "" when nothing vouches for it. */
static const char *
trust_of(const struct smtpc_tls *tls)
{
    const struct smtpc_tls_context *context = tls->context;

    if (tls->peer.subject == NULL)
        return "";
    if (has_known_fingerprint(tls))
        return "fingerprint";
    if (context->record_count > 0)
        return smtpc_tls_dane_has_matched(tls) ? "dane" : "";
    return context->checks_chain && (context->checks_name || context->is_server) ? "chain" : "";
}

/* What was demanded in place of chain and name must be there, although OpenSSL has let the certificate through. */
static int
refuse_stranger(const struct smtpc_tls *tls, struct smtpc_error *error)
{
    const struct smtpc_tls_context *context = tls->context;
    X509 *certificate = smtpc_tls_peer_certificate(tls->ssl);
    char seen[SMTPC_TLS_DIGEST_TEXT_MAX] = "";

    if (certificate != NULL)
        smtpc_tls_digest_text(certificate, SMTPC_TLS_OF_CERTIFICATE, seen);
    X509_free(certificate);
    if (context->record_count > 0)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "the server's certificate (%s) matches none of the TLSA "
                               "records given", seen);
    if (context->fingerprint_count > 0 && !context->checks_chain)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "the server's fingerprint is %s, none of those given "
                               "(fingerprints, SSL_fingerprint), and insecure_no_verify (SSL_verify_mode 0) leaves "
                               "nothing else to decide", seen);
    return 0;
}

int
smtpc_tls_demands_check(struct smtpc_tls *tls, struct smtpc_error *error)
{
    const char *trust = trust_of(tls);

    if (trust[0] == '\0' && refuse_stranger(tls, error) != 0)
        return -1;
    if (smtpc_tls_pins_check(tls, error) != 0 || smtpc_tls_staple_check(tls, error) != 0)
        return -1;
    tls->trust = trust;
    tls->is_verified = trust[0] != '\0';
    return 0;
}
