/* test_tls_revocation: revocation lists, good ones and all that can be wrong with them. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_family.h"

static void
add_revoked(X509_CRL *list, const struct identity *identity)
{
    X509 *certificate = certificate_of(identity);
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -DAY);

    X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(revoked, now);
    X509_CRL_add0_revoked(list, revoked);
    X509_CRL_sort(list);
    ASN1_TIME_free(now);
    X509_free(certificate);
}

/* Appends a list of the issuer (named so by issuer, signed by signer) to crl.pem; revoked may be NULL. */
static void
write_list(const struct identity *issuer, const struct identity *signer, const struct identity *revoked, long from,
           long until)
{
    X509_CRL *list = X509_CRL_new();
    X509 *certificate = certificate_of(issuer);
    EVP_PKEY *key = key_of(signer);
    ASN1_TIME *begin = X509_gmtime_adj(NULL, from);
    ASN1_TIME *end = X509_gmtime_adj(NULL, until);
    FILE *file = fopen(path_of("crl.pem"), "a");

    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate));
    X509_CRL_set1_lastUpdate(list, begin);
    X509_CRL_set1_nextUpdate(list, end);
    if (revoked != NULL)
        add_revoked(list, revoked);
    must(X509_CRL_sign(list, key, EVP_sha256()) > 0, "no list");
    must(file != NULL && PEM_write_X509_CRL(file, list) == 1, "a list cannot be written");
    fclose(file);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    EVP_PKEY_free(key);
    X509_free(certificate);
    X509_CRL_free(list);
}

static int
list_result(struct smtpc_tls_context *server, int of_chain)
{
    struct smtpc_tls_options options = {0};
    int result;

    options.ca_file = path_of("ca.pem");
    options.crl_file = path_of("crl.pem");
    options.check_crl_of_chain = of_chain;
    result = attempt(&options, server, "localhost");
    remove_file("crl.pem");
    return result;
}

static void
test_lists(const struct family *family)
{
    const struct identity *ca = &family->ca;

    write_list(ca, ca, NULL, -DAY, DAY);
    ok(list_result(family->server, 0) == 1 && last.verified, "an empty list");
    write_list(ca, ca, &family->deep, -DAY, DAY);
    ok(list_result(family->server, 0) == 1, "a list with another certificate");
    write_list(ca, ca, &family->mail, -DAY, DAY);
    refused(list_result(family->server, 0), "(depth 0) was revoked", "revoked");
    write_list(&family->between, &family->between, NULL, -DAY, DAY);
    refused(list_result(family->server, 0), "no revocation list of its issuer", "only another issuer's list");
    write_list(ca, ca, NULL, -2 * DAY, -DAY);
    refused(list_result(family->server, 0), "list has expired", "an expired list");
    write_list(ca, ca, NULL, DAY, 2 * DAY);
    refused(list_result(family->server, 0), "not valid yet", "a list of the future");
    write_list(&family->stranger, &family->stranger, NULL, -DAY, DAY);
    refused(list_result(family->server, 0), "did not sign", "a list that somebody else signed");
}

static void
test_lists_of_chain(const struct family *family)
{
    const struct identity *ca = &family->ca;
    const struct identity *between = &family->between;

    write_list(between, between, NULL, -DAY, DAY);
    ok(list_result(family->deep_server, 0) == 1, "a list of the server's issuer is enough");
    write_list(between, between, NULL, -DAY, DAY);
    refused(list_result(family->deep_server, 1), "\"CN=between\" (depth 1) cannot be checked",
            "... but not for the chain");
    write_list(between, between, NULL, -DAY, DAY);
    write_list(ca, ca, NULL, -DAY, DAY);
    ok(list_result(family->deep_server, 1) == 1, "lists of all issuers");
    write_list(between, between, NULL, -DAY, DAY);
    write_list(ca, ca, between, -DAY, DAY);
    refused(list_result(family->deep_server, 1), "\"CN=between\" (depth 1) was revoked", "an authority revoked");
}

static void
test_bad_list_files(const struct family *family)
{
    static const char *const texts[] = {
        "", "nonsense", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", NULL,
    };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i] != NULL)
            write_file("crl.pem", texts[i]);
        ok(list_result(family->server, 0) == -1 && last.error.kind == SMTPC_ERROR_USAGE
           && strstr(last.error.text, "crl_file (SSL_crl_file)") != NULL, "bad file: %s", last.error.text);
    }
    write_file("crl.pem", family->stranger.certificate.bytes);
    ok(list_result(family->server, 0) == -1, "a certificate is no list: %s", last.error.text);
}

/* A certificate that stands among the lists must not become one that is trusted. */
static void
test_list_is_no_trust(const struct family *family)
{
    struct smtpc_tls_options options = {0};
    FILE *file;

    write_list(&family->ca, &family->ca, NULL, -DAY, DAY);
    file = fopen(path_of("crl.pem"), "a");
    must(file != NULL && fputs(family->ca.certificate.bytes, file) >= 0, "no list");
    fclose(file);
    options.ca_file = write_file("other.pem", family->between.certificate.bytes);
    options.crl_file = path_of("crl.pem");
    refused(attempt(&options, family->server, "localhost"), "is not known here", "a CA in crl_file is not believed");
    remove_file("other.pem");
    remove_file("crl.pem");
}

static void
test_list_and_fingerprint(const struct family *family)
{
    struct smtpc_tls_options options = {0};
    X509 *certificate = certificate_of(&family->mail);
    char text[SMTPC_TLS_DIGEST_TEXT_MAX];

    smtpc_tls_digest_text(certificate, SMTPC_TLS_OF_CERTIFICATE, text);
    write_list(&family->ca, &family->ca, &family->mail, -DAY, DAY);
    options.ca_file = path_of("ca.pem");
    options.crl_file = path_of("crl.pem");
    options.fingerprints = text;
    refused(attempt(&options, family->server, "localhost"), "\" (depth 0) was revoked",
            "a fingerprint does not make up for that");
    ok(strstr(last.error.text, "none of those given") == NULL, "... and is not said to be another");
    options.crl_file = NULL;
    ok(attempt(&options, family->server, "other.test") == 1, "... without the list it would be known");
    remove_file("crl.pem");
    X509_free(certificate);
}

static void
test_contradiction(const struct family *family)
{
    struct smtpc_tls_options options = {0};

    options.insecure_no_verify = 1;
    options.check_crl_of_chain = 1;
    ok(attempt(&options, family->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE,
       "lists without verification: %s", last.error.text);
}

int
main(void)
{
    struct family family;

    family_open(&family);
    test_lists(&family);
    test_lists_of_chain(&family);
    test_bad_list_files(&family);
    test_list_is_no_trust(&family);
    test_list_and_fingerprint(&family);
    test_contradiction(&family);
    family_close(&family);
    return tap_done();
}
