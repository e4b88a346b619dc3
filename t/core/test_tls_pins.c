/* test_tls_pins: pins of keys in the verified chain, and fingerprints that stand in place of chain and name. */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tap.h"
#include "tls_attempt.h"

enum { TEXT_MAX = 300 };

/* By another way than the code's: the key is taken out and written again. */
static void
pin_of(const struct identity *identity, char text[TEXT_MAX])
{
    X509 *certificate = certificate_of(identity);
    EVP_PKEY *key = X509_get_pubkey(certificate);
    unsigned char *info = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    int n = i2d_PUBKEY(key, &info);

    must(n > 0 && EVP_Digest(info, (size_t)n, digest, NULL, EVP_sha256(), NULL) == 1, "no digest of a key");
    strcpy(text, "sha256//");
    EVP_EncodeBlock((unsigned char *)text + 8, digest, 32);
    OPENSSL_free(info);
    EVP_PKEY_free(key);
    X509_free(certificate);
}

/* of_key: of the bare bits of the key. */
static void
fingerprint_of(const struct identity *identity, const char *prefix, const EVP_MD *md, int of_key, int with_colons,
               char text[TEXT_MAX])
{
    X509 *certificate = certificate_of(identity);
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    unsigned char *der = NULL;
    int n = i2d_X509(certificate, &der);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    unsigned int i;

    if (of_key)
        must(EVP_Digest(bits->data, (size_t)bits->length, digest, &length, md, NULL), "no fingerprint");
    else
        must(n > 0 && EVP_Digest(der, (size_t)n, digest, &length, md, NULL), "no fingerprint");
    strcpy(text, prefix);
    for (i = 0; i < length; i++)
        sprintf(text + strlen(text), with_colons ? "%02X%s" : "%02x%s", digest[i],
                with_colons && i + 1 < length ? ":" : "");
    OPENSSL_free(der);
    X509_free(certificate);
}

static int
pins_result(const struct scene *scene, const char *pins)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.pins = pins;
    return attempt(&options, scene->server, "localhost");
}

#define ZERO_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
test_pins(const struct scene *scene)
{
    char mail[TEXT_MAX];
    char ca[TEXT_MAX];
    char list[2 * TEXT_MAX];

    pin_of(&scene->mail, mail);
    pin_of(&scene->ca, ca);
    ok(pins_result(scene, mail) == 1, "the pin of the server's key");
    ok(last.verified && strcmp(last.trust, "chain") == 0, "... is beside chain and name");
    ok(pins_result(scene, ca) == 1, "the pin of its issuer's key");
    snprintf(list, sizeof list, " %s\t%s ", ZERO_PIN, mail);
    ok(pins_result(scene, list) == 1, "one of two pins");
    ok(pins_result(scene, ZERO_PIN) == 0 && last.error.kind == SMTPC_ERROR_TLS, "another pin is refused");
    ok(strstr(last.error.text, mail) != NULL && strstr(last.error.text, ca) != NULL,
       "... and those seen are told: %s", last.error.text);
}

/* The server may send what it likes: only what the verification used counts. */
static void
test_pin_of_a_stray(const struct scene *scene)
{
    struct identity stray;
    struct smtpc_tls_context *server;
    struct smtpc_tls_options options = {0};
    char pin[TEXT_MAX];

    identity_make(&stray, "a stray", NULL, YEAR, 1, NULL);
    pin_of(&stray, pin);
    server = server_of(&scene->mail, &stray, NULL);
    options.ca_file = path_of("ca.pem");
    options.pins = pin;
    ok(attempt(&options, server, "localhost") == 0,
       "a pinned certificate that is sent but not in the chain: refused");
    smtpc_tls_context_free(server);
    identity_clear(&stray);
}

static void
test_pins_need_the_rest(const struct scene *scene)
{
    struct smtpc_tls_options options = {0};
    char mail[TEXT_MAX];

    pin_of(&scene->mail, mail);
    options.ca_file = path_of("ca.pem");
    options.pins = mail;
    ok(attempt(&options, scene->server, "other.test") == 0, "a pin does not make up for a wrong name");
    options.insecure_no_verify = 1;
    ok(attempt(&options, scene->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE,
       "pins without verification are refused");
    ok(strstr(last.error.text, "pins") != NULL && strstr(last.error.text, "insecure_no_verify") != NULL,
       "... by name: %s", last.error.text);
}

static void
test_bad_pins(const struct scene *scene)
{
    static const char *const bad[] = {
        "", " ", "sha256//", "sha256//AAAA", "sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256/AAAAAAAAAAAAAAAAAAAAAAAA",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",      /* 33 octets */
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",      /* 31 */
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",      /* bits behind the last octet */
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!A=", ZERO_PIN "=", ZERO_PIN " nonsense",
    };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(pins_result(scene, bad[i]) == -1 && last.error.kind == SMTPC_ERROR_USAGE
           && strncmp(last.error.text, "pins: ", 6) == 0 && strstr(last.error.text, "sha256//BASE64") != NULL,
           "pins \"%s\" refused: %s", bad[i], last.error.text);
}

/* ---- fingerprints ---- */

static int
fingerprint_result(struct smtpc_tls_context *server, const char *fingerprints, int insecure_no_verify)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.fingerprints = fingerprints;
    options.insecure_no_verify = insecure_no_verify;
    return attempt(&options, server, "localhost");
}

static void
test_forms(struct smtpc_tls_context *server, const struct identity *identity)
{
    const struct { const char *prefix; const EVP_MD *md; int of_key; int with_colons; } forms[] = {
        {"sha256$", EVP_sha256(), 0, 0}, {"sha256$", EVP_sha256(), 0, 1}, {"SHA256$", EVP_sha256(), 0, 1},
        {"sha1$", EVP_sha1(), 0, 0}, {"sha512$", EVP_sha512(), 0, 1}, {"sha256$pub$", EVP_sha256(), 1, 0},
        {"sha1$pub$", EVP_sha1(), 1, 1}, {"sha512$pub$", EVP_sha512(), 1, 0}, {"", EVP_sha256(), 0, 1},
        {"", EVP_sha1(), 0, 0}, {"pub$", EVP_sha256(), 1, 0},
    };
    char text[2 * TEXT_MAX];
    size_t i;

    for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        fingerprint_of(identity, forms[i].prefix, forms[i].md, forms[i].of_key, forms[i].with_colons, text);
        ok(fingerprint_result(server, text, 0) == 1, "stranger, known by %s", text);
        ok(last.verified && strcmp(last.trust, "fingerprint") == 0 && last.name[0] == '\0',
           "... verified so, without a name");
    }
}

/* A certificate that nothing else speaks for: self-signed, expired, for another host, with a weak key. */
static void
make_stranger(struct identity *stranger)
{
    struct smtpc_tls_certificate_request request = {0};

    request.common_name = "a stranger";
    request.names = "DNS:other.test";
    request.valid_seconds = -86400;
    request.key = "RSA-1024";
    identity_of(stranger, request, NULL);
}

static void
test_stranger(void)
{
    struct identity stranger;
    struct identity another;
    struct smtpc_tls_context *server;
    char text[TEXT_MAX];
    char right[TEXT_MAX];

    make_stranger(&stranger);
    make_stranger(&another);
    server = server_of(&stranger, NULL, NULL);
    test_forms(server, &stranger);
    fingerprint_of(&another, "sha256$", EVP_sha256(), 0, 0, text);
    fingerprint_of(&stranger, "sha256$", EVP_sha256(), 0, 0, right);
    ok(fingerprint_result(server, text, 0) == 0 && last.error.kind == SMTPC_ERROR_TLS,
       "a stranger, another fingerprint");
    ok(strstr(last.error.text, right) != NULL, "... told with the one seen: %s", last.error.text);
    ok(strstr(last.error.text, "too small") != NULL, "... and why the chain does not do");
    ok(fingerprint_result(server, text, 1) == 0 && strstr(last.error.text, right) != NULL,
       "... nor where verification is off: %s", last.error.text);
    ok(fingerprint_result(server, right, 1) == 1 && last.verified, "with it off the right one verifies");
    strcat(strcat(text, ","), right);
    ok(fingerprint_result(server, text, 0) == 1, "one of two fingerprints");
    smtpc_tls_context_free(server);
    identity_clear(&stranger);
    identity_clear(&another);
}

/* As IO::Socket::SSL: what matches is enough, what does not match leaves it to chain and name. */
static void
test_known_server(const struct scene *scene)
{
    struct smtpc_tls_options options = {0};
    char ca[TEXT_MAX];
    char mail[TEXT_MAX];
    char pin[TEXT_MAX];

    fingerprint_of(&scene->ca, "sha256$", EVP_sha256(), 0, 0, ca);
    fingerprint_of(&scene->mail, "sha256$", EVP_sha256(), 0, 0, mail);
    ok(fingerprint_result(scene->server, ca, 0) == 1 && strcmp(last.trust, "chain") == 0
       && strcmp(last.name, "localhost") == 0, "a fingerprint that is not the server's: chain and name decide");
    options.ca_file = path_of("ca.pem");
    options.fingerprints = ca;
    ok(attempt(&options, scene->server, "other.test") == 0, "... and only the server's own certificate counts");
    options.insecure_no_name_check = 1;
    ok(attempt(&options, scene->server, "other.test") == 1 && !last.verified && last.trust[0] == '\0',
       "... with the name unchecked it is not verified");
    options.fingerprints = mail;
    ok(attempt(&options, scene->server, "other.test") == 1 && last.verified, "... and with its own it is");
    pin_of(&scene->ca, pin);
    options.insecure_no_name_check = 0;
    options.pins = pin;
    ok(attempt(&options, scene->server, "other.test") == 0, "above a fingerprint's certificate no pin counts");
    pin_of(&scene->mail, pin);
    ok(attempt(&options, scene->server, "other.test") == 1, "... its own does");
}

static void
test_bad_fingerprints(const struct scene *scene)
{
    static const char *const bad[] = {
        "", "sha256$", "sha256$abc", "sha256$xyz", "md5$d41d8cd98f00b204e9800998ecf8427e",
        "d41d8cd98f00b204e9800998ecf8427e", "sha256$d41d8cd98f00b204e9800998ecf8427e", "sha256$pub$", "sha3$00",
        "sha1$da39a3ee5e6b4b0d3255bfef95601890afd8070", "sha256$pub$sha256$00", "pub$sha1$da39",
        "sha1$da39a3ee5e6b4b0d3255bfef95601890afd80709 nonsense",
    };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok(fingerprint_result(scene->server, bad[i], 0) == -1 && last.error.kind == SMTPC_ERROR_USAGE
           && strstr(last.error.text, "SSL_fingerprint") != NULL && strstr(last.error.text, "sha256$HEX") != NULL,
           "fingerprint \"%s\" refused: %s", bad[i], last.error.text);
}

int
main(void)
{
    struct scene scene;

    scene_open(&scene);
    test_pins(&scene);
    test_pin_of_a_stray(&scene);
    test_pins_need_the_rest(&scene);
    test_bad_pins(&scene);
    test_stranger();
    test_known_server(&scene);
    test_bad_fingerprints(&scene);
    scene_close(&scene);
    return tap_done();
}
