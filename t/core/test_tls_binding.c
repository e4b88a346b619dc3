/* Tests of channel bindings: what a connection can give, that both ends agree, and that it is what the RFCs say. */
#include "net/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tls_resumed.h"

enum { EXPORTER = 32, FINISHED = 12, SHA256_OCTETS = 32, SHA384_OCTETS = 48 };

static struct scene scene;
static struct smtpc_tls_context *old_server;

/* Both ends give this binding, and it is the same; length 0: neither gives it. */
static void
check(const struct pair *pair, const char *names, const char *name, size_t length, const char *what)
{
    struct smtpc_tls_binding ours, theirs;
    int our_result = smtpc_tls_binding(pair->client, names, &ours);
    int their_result = smtpc_tls_binding(pair->server, names, &theirs);

    if (length == 0) {
        ok(our_result == -1 && their_result == -1, "%s", what);
        return;
    }
    ok(our_result == 0 && strcmp(ours.name, name) == 0 && ours.length == length, "%s", what);
    ok(their_result == 0 && strcmp(theirs.name, name) == 0 && theirs.length == length
       && memcmp(ours.octets, theirs.octets, length) == 0, "the server has the same");
}

/* SHA-256 of the certificate in DER, by another way. */
static int
is_hash_of(const struct identity *identity, const struct smtpc_tls_binding *binding)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    BIO *bio = BIO_new_mem_buf(identity->certificate.bytes, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int n = i2d_X509(certificate, &der);
    int good = n > 0 && EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL) == 1
        && memcmp(hash, binding->octets, SHA256_OCTETS) == 0;

    OPENSSL_free(der);
    X509_free(certificate);
    BIO_free(bio);
    return good;
}

/* What OpenSSL exports with and without an empty context. */
static int
is_export(const struct pair *pair, int with_context, const struct smtpc_tls_binding *binding)
{
    static const unsigned char nothing[1];
    unsigned char octets[EXPORTER];

    must(SSL_export_keying_material(pair->client->ssl, octets, sizeof octets, "EXPORTER-Channel-Binding", 24, nothing,
                                    0, with_context) == 1, "no export");
    return memcmp(octets, binding->octets, sizeof octets) == 0;
}

static void
check_tls13(const struct pair *pair, const char *what)
{
    struct smtpc_tls_binding binding;

    check(pair, NULL, "tls-exporter", EXPORTER, what);
    check(pair, "tls-unique", "", 0, "tls-unique is not defined for TLS 1.3");
    check(pair, "tls-server-end-point", "tls-server-end-point", SHA256_OCTETS, "tls-server-end-point");
    check(pair, "tls-unique  nonsense tls-server-end-point tls-exporter", "tls-server-end-point", SHA256_OCTETS,
          "the first of a list that there is");
    smtpc_tls_binding(pair->client, "tls-exporter", &binding);
    ok(is_export(pair, 1, &binding) && is_export(pair, 0, &binding), "the exporter is OpenSSL's, context or not");
    smtpc_tls_binding(pair->client, "tls-server-end-point", &binding);
    ok(is_hash_of(&scene.mail, &binding), "the end point is the certificate's SHA-256");
    ok(smtpc_tls_binding(pair->client, "none", &binding) == -1 && smtpc_tls_binding(pair->client, "", &binding) == -1,
       "none is none");
}

static void
check_tls12(const struct pair *pair, int resumed, const char *what)
{
    struct smtpc_tls_binding binding;
    unsigned char first[64];
    size_t n = resumed ? SSL_get_finished(pair->server->ssl, first, sizeof first)
                       : SSL_get_finished(pair->client->ssl, first, sizeof first);

    check(pair, NULL, "tls-unique", FINISHED, what);
    smtpc_tls_binding(pair->client, NULL, &binding);
    is_octets((const char *)binding.octets, binding.length, (const char *)first, n,
              resumed ? "the server's Finished, which comes first" : "the client's Finished, which comes first");
    check(pair, "tls-exporter", "tls-exporter", EXPORTER, "tls-exporter with the extended master secret");
    smtpc_tls_binding(pair->client, "tls-exporter", &binding);
    ok(is_export(pair, 1, &binding) && !is_export(pair, 0, &binding), "its context is there and empty");
    check(pair, "tls-server-end-point", "tls-server-end-point", SHA256_OCTETS, "tls-server-end-point");
}

static void
check_tls12_weak(const struct pair *pair, int resumed, const char *what)
{
    check(pair, NULL, "tls-server-end-point", SHA256_OCTETS, what);
    check(pair, "tls-exporter", "", 0, "no tls-exporter");
    check(pair, "tls-unique", "tls-unique", resumed ? 0 : FINISHED,
          resumed ? "no tls-unique when resumed" : "tls-unique in a full handshake, when asked for by name");
}

/* A full handshake and a resumed one. */
static void
check_both(struct smtpc_tls_context *client, struct smtpc_tls_context *server,
           void (*check_one)(const struct pair *pair, int resumed, const char *what), const char *what)
{
    struct pair pair;
    char name[80];
    int resumed;

    for (resumed = 0; resumed < 2; resumed++) {
        pair_open_as(&pair, client, server, "localhost", PEER);
        must(pair.client_result == 1 && SSL_session_reused(pair.client->ssl) == resumed, "not as it should be");
        greet(&pair);
        snprintf(name, sizeof name, "%s%s", what, resumed ? ", resumed" : "");
        check_one(&pair, resumed, name);
        pair_close(&pair);
    }
}

static void
check_tls13_either(const struct pair *pair, int resumed, const char *what)
{
    (void)resumed;
    check_tls13(pair, what);
}

static struct smtpc_tls_context *
new_client(int is_insecure)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.insecure_no_verify = is_insecure;
    return client_of(&options);
}

static void
test_versions(void)
{
    struct smtpc_tls_context *client = new_client(0);

    check_both(client, scene.server, check_tls13_either, "TLS 1.3");
    smtpc_tls_context_free(client);
    client = new_client(0);
    check_both(client, old_server, check_tls12, "TLS 1.2");
    smtpc_tls_context_free(client);
#ifdef SSL_OP_NO_EXTENDED_MASTER_SECRET
    client = new_client(0);
    SSL_CTX_set_options(client->ssl_ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    check_both(client, old_server, check_tls12_weak, "TLS 1.2 without the extended master secret");
    smtpc_tls_context_free(client);
#else
    (void)check_tls12_weak;
#endif
}

static void
test_connections_differ(void)
{
    struct smtpc_tls_context *client = new_client(1);
    struct smtpc_tls_binding one, other;
    struct pair pair;

    pair_sockets(&pair);
    pair.client = smtpc_tls_client(client, smtpc_wire_of_socket(&pair.client_end), "localhost", NULL,
                                   &pair.client_error);
    ok(smtpc_tls_binding(pair.client, NULL, &one) == -1, "nothing before the handshake");
    pair_close(&pair);
    pair_open(&pair, client, scene.server, "localhost");
    ok(smtpc_tls_binding(pair.client, NULL, &one) == 0, "an unverified connection has bindings too");
    pair_close(&pair);
    pair_open(&pair, client, scene.server, "localhost");
    smtpc_tls_binding(pair.client, NULL, &other);
    ok(memcmp(one.octets, other.octets, EXPORTER) != 0, "and each connection its own");
    pair_close(&pair);
    smtpc_tls_context_free(client);
}

/* ---- certificates that are signed with other hashes ---- */

static EVP_PKEY *
new_key(int type)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(type, NULL);
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_keygen_init(maker) == 1
         && (type != EVP_PKEY_EC || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1) == 1)
         && EVP_PKEY_keygen(maker, &key) == 1, "no key");
    EVP_PKEY_CTX_free(maker);
    return key;
}

static void
use_certificate(struct smtpc_tls_context *server, int type, const EVP_MD *hash)
{
    EVP_PKEY *key = new_key(type);
    X509 *certificate = X509_new();

    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    must(X509_sign(certificate, key, hash) > 0, "not signed");
    must(SSL_CTX_use_cert_and_key(server->ssl_ctx, certificate, key, NULL, 1) == 1, "not usable");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void
check_signature(int type, const EVP_MD *hash, size_t length, const char *what)
{
    struct smtpc_tls_context *client = new_client(1);
    struct smtpc_tls_context *server = server_of(&scene.mail, NULL, NULL);
    struct pair pair;

    use_certificate(server, type, hash);
    SSL_CTX_set_security_level(client->ssl_ctx, 0);
    if (hash == NULL)    /* else the server shows the certificate that it had before */
        must(SSL_CTX_set1_sigalgs_list(client->ssl_ctx, "ed25519") == 1, "no Ed25519");
    pair_open(&pair, client, server, "localhost");
    must(pair.client_result == 1, pair.client_error.text);
    check(&pair, "tls-server-end-point", "tls-server-end-point", length, what);
    pair_close(&pair);
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(server);
}

static void
test_signatures(void)
{
    check_signature(EVP_PKEY_EC, EVP_sha384(), SHA384_OCTETS, "signed with SHA-384: that is the hash");
    check_signature(EVP_PKEY_EC, EVP_sha1(), SHA256_OCTETS, "signed with SHA-1: SHA-256 instead");
#ifdef EVP_PKEY_ED25519
    check_signature(EVP_PKEY_ED25519, NULL, 0, "signed with Ed25519, which has no hash of its own: none");
#endif
}

static void
test_names(void)
{
    ok(smtpc_tls_binding_is_known("tls-exporter")
       && smtpc_tls_binding_is_known(" tls-unique  tls-server-end-point "), "names of bindings");
    ok(!smtpc_tls_binding_is_known("tls-exporter tls-uniqe") && !smtpc_tls_binding_is_known("TLS-UNIQUE")
       && !smtpc_tls_binding_is_known("tls-unique,tls-exporter") && !smtpc_tls_binding_is_known("none"),
       "and others");
}

int
main(void)
{
    scene_open(&scene);
    old_server = old_server_of(&scene.mail);
    test_versions();
    test_connections_differ();
    test_signatures();
    test_names();
    smtpc_tls_context_free(old_server);
    scene_close(&scene);
    return tap_done();
}
