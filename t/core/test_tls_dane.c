/* test_tls_dane: TLSA records in place of chain and name: which count, what matches, what is refused. */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_attempt.h"

#ifdef LIBRESSL_VERSION_NUMBER

static void
test_all(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};

    options.tlsa = "3 1 1 00";
    ok(smtpc_tls_context_client(&options, &error) == NULL && error.kind == SMTPC_ERROR_USAGE, "no DANE here: %s",
       error.text);
}

#else

enum { RECORD_MAX = 8192 };

static void
append_hex(char *text, const unsigned char *octets, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        sprintf(text + strlen(text), "%02x", octets[i]);
}

/* The record of RFC 6698 section 2.1 for this certificate. */
static const char *
record_of(const struct identity *identity, int usage, int selector, int type)
{
    static char records[4][RECORD_MAX];
    static int turn;
    char *record = records[turn++ % 4];
    X509 *certificate = certificate_of(identity);
    EVP_PKEY *key = X509_get_pubkey(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;
    unsigned int length = 0;
    int n = selector == 0 ? i2d_X509(certificate, &der) : i2d_PUBKEY(key, &der);

    sprintf(record, "%d %d %d ", usage, selector, type);
    EVP_Digest(der, (size_t)n, digest, &length, type == 1 ? EVP_sha256() : EVP_sha512(), NULL);
    append_hex(record, type == 0 ? der : digest, type == 0 ? (size_t)n : length);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return record;
}

static int
tlsa_result(struct smtpc_tls_context *server, const char *tlsa, const char *name)
{
    struct smtpc_tls_options options = {0};

    options.tlsa = tlsa;
    return attempt(&options, server, name);
}

static void
test_end_entity(void)
{
    struct identity mail;
    struct identity another;
    struct smtpc_tls_context *server;
    int selector;
    int type;

    identity_make(&mail, "mail", "DNS:other.test", -86400, 0, NULL);
    identity_make(&another, "mail", "DNS:other.test", YEAR, 0, NULL);
    server = server_of(&mail, NULL, NULL);
    for (selector = 0; selector < 2; selector++)
        for (type = 0; type < 3; type++) {
            ok(tlsa_result(server, record_of(&mail, 3, selector, type), "localhost") == 1,
               "3 %d %d: neither chain nor name nor date count", selector, type);
            ok(last.verified && strcmp(last.trust, "dane") == 0 && last.name[0] == '\0', "... verified so");
            ok(tlsa_result(server, record_of(&another, 3, selector, type), "localhost") == 0
               && last.error.kind == SMTPC_ERROR_TLS, "... another's is refused");
        }
    ok(strstr(last.error.text, record_of(&mail, 3, 1, 1)) != NULL, "... told with what it would be: %s",
       last.error.text);
    smtpc_tls_context_free(server);
    identity_clear(&mail);
    identity_clear(&another);
}

/* The authority of the record need not be known otherwise, but must be in the chain that is sent; the name counts. */
static void
test_trust_anchor(const struct scene *scene)
{
    struct smtpc_tls_context *server = server_of(&scene->mail, &scene->ca, NULL);
    struct smtpc_tls_options options = {0};
    struct identity stranger;

    ok(tlsa_result(server, record_of(&scene->ca, 2, 0, 1), "localhost") == 1, "2 0 1: the authority's certificate");
    ok(strcmp(last.trust, "dane") == 0 && strcmp(last.name, "localhost") == 0, "... and the name");
    ok(tlsa_result(server, record_of(&scene->ca, 2, 1, 2), "localhost") == 1, "2 1 2: its key");
    ok(tlsa_result(server, record_of(&scene->ca, 2, 0, 1), "other.test") == 0, "... with a wrong name: refused");
    ok(strstr(last.error.text, "is not for other.test") != NULL, "... in words: %s", last.error.text);
    ok(tlsa_result(scene->server, record_of(&scene->ca, 2, 0, 1), "localhost") == 0,
       "2 0 1 where the server does not send the authority's certificate: refused");
    identity_make(&stranger, "our CA", NULL, YEAR, 1, NULL);
    ok(tlsa_result(server, record_of(&stranger, 2, 0, 1), "localhost") == 0,
       "another authority of that name: refused");
    ok(strstr(last.error.text, "none of the TLSA records") != NULL, "... in words: %s", last.error.text);
    options.ca_file = path_of("ca.pem");
    options.tlsa = record_of(&stranger, 2, 0, 1);
    ok(attempt(&options, server, "localhost") == 0, "a chain that is good without DANE does not make up for it");
    identity_clear(&stranger);
    smtpc_tls_context_free(server);
}

static void
test_lists(const struct scene *scene)
{
    char list[3 * RECORD_MAX];
    const char *digits;

    snprintf(list, sizeof list, "\r\n%s\r\n\n  %s\n", record_of(&scene->ca, 3, 1, 1),
             record_of(&scene->mail, 3, 1, 1));
    ok(tlsa_result(scene->server, list, "localhost") == 1, "one of two records");
    snprintf(list, sizeof list, "%s\n%s", record_of(&scene->mail, 1, 1, 1), record_of(&scene->mail, 3, 1, 1));
    ok(tlsa_result(scene->server, list, "localhost") == 1, "one beside a usage that does not count");
    snprintf(list, sizeof list, "%s\n%s", record_of(&scene->mail, 1, 1, 1), record_of(&scene->ca, 3, 1, 1));
    ok(tlsa_result(scene->server, list, "localhost") == 0, "a usage that does not count vouches for nothing");
    digits = record_of(&scene->mail, 3, 1, 1) + strlen("3 1 1 ");
    snprintf(list, sizeof list, "_25._tcp.localhost. 300 IN TLSA\t3 1 1 ( %.20s %s )", digits, digits + 20);
    ok(tlsa_result(scene->server, list, "localhost") == 1, "a line of a zone, its digits in groups");
}

static void
test_bad_records(const struct scene *scene)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const char *const starts[] = {
        "", " \n\r\n", "nonsense", "3", "3 1", "3 1 1", "3 1 1 ", "3 1 1 abc", "3 1 1 xyz", "256 1 1 00", "-3 1 1 00",
        "3 1 1 00\n3 1 1", "0 1 1 @", "1 0 1 @", "4 1 1 @", "3 2 1 @", "3 1 3 @", "3 1 1 00", "3 1 2 @", "3 0 0 00",
        "2 0 0 00", "3 1 1 @00",
    };
    char tlsa[2 * RECORD_MAX];
    size_t i;

    for (i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strcspn(starts[i], "@");

        snprintf(tlsa, sizeof tlsa, "%.*s%s%s", (int)n, starts[i], starts[i][n] == '@' ? zeros : "",
                 starts[i][n] == '@' ? starts[i] + n + 1 : "");
        ok(tlsa_result(scene->server, tlsa, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE
           && strncmp(last.error.text, "tlsa: ", 6) == 0, "record %d refused: %s", (int)i, last.error.text);
    }
}

static void
test_contradictions(const struct scene *scene)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};
    struct smtpc_wire_socket end = {0};
    struct smtpc_tls_context *client;

    options.tlsa = record_of(&scene->mail, 3, 1, 1);
    options.insecure_no_verify = 1;
    ok(attempt(&options, scene->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE,
       "tlsa without verification is refused: %s", last.error.text);
    options.insecure_no_verify = 0;
    options.insecure_no_name_check = 1;
    ok(attempt(&options, scene->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE,
       "tlsa without the name is refused: %s", last.error.text);
    options.insecure_no_name_check = 0;
    client = client_of(&options);
    end.fd = -1;
    ok(smtpc_tls_client(client, smtpc_wire_of_socket(&end), "127.0.0.1", NULL, &error) == NULL
       && error.kind == SMTPC_ERROR_USAGE, "tlsa for an address is refused: %s", error.text);
    smtpc_tls_context_free(client);
}

static void
test_sni(const struct scene *scene)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *client;
    struct pair pair;
    int silent;

    for (silent = 0; silent < 2; silent++) {
        options.tlsa = record_of(&scene->mail, 3, 1, 1);
        options.sni_name = silent ? "" : NULL;
        client = client_of(&options);
        pair_open(&pair, client, scene->server, "localhost");
        ok((SSL_get_servername(pair.server->ssl, TLSEXT_NAMETYPE_host_name) == NULL) == silent,
           silent ? "no SNI where none is wanted" : "SNI says the name");
        pair_close(&pair);
        smtpc_tls_context_free(client);
    }
}

static void
test_all(void)
{
    struct scene scene;

    scene_open(&scene);
    test_end_entity();
    test_trust_anchor(&scene);
    test_lists(&scene);
    test_bad_records(&scene);
    test_contradictions(&scene);
    test_sni(&scene);
    scene_close(&scene);
}

#endif

int
main(void)
{
    test_all();
    return tap_done();
}
