/* Tests of tls_context: versions, ciphers, one's own certificate and key, and every one of them wrong. */
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;
static struct identity other;

static void
check_refused(const struct smtpc_tls_options *options, const char *part)
{
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context = smtpc_tls_context_client(options, &error);

    ok(context == NULL && error.kind == SMTPC_ERROR_USAGE, "%s", error.text);
    ok(strstr(error.text, part) != NULL, "it says: %s", part);
    ok(ERR_peek_error() == 0, "the queue is empty");
    smtpc_tls_context_free(context);
}

static void
test_wrong_words(void)
{
    static const char *const versions[] = {"TLSv1.1", "TLSv1", "SSLv3", "tlsv1.2", ""};
    struct smtpc_tls_options options = {0};
    size_t i;

    options.ca_file = path_of("ca.pem");
    for (i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        options.minimum_version = versions[i];
        check_refused(&options, "is neither TLSv1.2 nor TLSv1.3");
    }
    options.minimum_version = "TLSv1.2";
    ok(scene_is_trusted(&scene, &options) == 1, "TLSv1.2 is taken");
    options.cipher_list = "NO-SUCH-CIPHER";
    check_refused(&options, "cipher_list (SSL_cipher_list): \"NO-SUCH-CIPHER\": no cipher match");
    options.cipher_list = "HIGH";
    options.ciphersuites = "NO_SUCH_SUITE";
    check_refused(&options, "ciphersuites (SSL_ciphersuites): \"NO_SUCH_SUITE\"");
    options.ciphersuites = "TLS_AES_128_GCM_SHA256";
    ok(scene_is_trusted(&scene, &options) == 1, "good ones are taken");
}

static void
write_encrypted_key(void)
{
    BIO *bio = BIO_new_mem_buf(scene.mail.key.bytes, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    FILE *file = fopen(path_of("encrypted.key"), "w");

    must(file != NULL && PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL) == 1,
         "no encrypted key");
    fclose(file);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

static void
test_own_certificate(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.key_file = path_of("mail.key");
    check_refused(&options, "key_file (SSL_key_file) is given without certificate_file");
    options.certificate_file = path_of("mail.pem");
    ok(scene_is_trusted(&scene, &options) == 1, "a certificate and its key");
    options.key_file = path_of("other.key");
    check_refused(&options, "no fitting key in");
    options.key_file = path_of("junk.pem");
    check_refused(&options, "key_file (SSL_key_file): no fitting key in");
    options.key_file = NULL;
    check_refused(&options, "no fitting key in");
    options.certificate_file = path_of("together.pem");
    ok(scene_is_trusted(&scene, &options) == 1, "both in one file");
    options.certificate_file = path_of("junk.pem");
    check_refused(&options, "certificate_file (SSL_cert_file): no certificate can be read from");
}

/* Standard input is this test's own: a password asked for on the terminal would hang here. */
static void
test_encrypted_key(void)
{
    struct smtpc_tls_options options = {0};

    write_encrypted_key();
    options.ca_file = path_of("ca.pem");
    options.certificate_file = path_of("mail.pem");
    options.key_file = path_of("encrypted.key");
    check_refused(&options, "is encrypted: give key_password");
    options.key_password = "wrong";
    check_refused(&options, "is encrypted: the key_password given does not open it");
    options.key_password = "secret";
    ok(scene_is_trusted(&scene, &options) == 1, "the right password opens it");
    remove_file("encrypted.key");
}

static void
test_bad_server(void)
{
    struct smtpc_error error = {0};

    ok(smtpc_tls_context_server("junk", scene.mail.key.bytes, NULL, &error) == NULL, "%s", error.text);
    smtpc_error_clear(&error);
    ok(smtpc_tls_context_server(scene.mail.certificate.bytes, other.key.bytes, NULL, &error) == NULL
       && strstr(error.text, "mismatch") != NULL, "%s", error.text);
    smtpc_error_clear(&error);
    ok(smtpc_tls_context_server(scene.mail.certificate.bytes, scene.mail.key.bytes, "junk", &error) == NULL, "%s",
       error.text);
    ok(ERR_peek_error() == 0, "the queue is empty");
}

static void
test_certificate_requests(void)
{
    struct smtpc_tls_certificate_request request = {0};
    struct smtpc_buffer certificate;
    struct smtpc_buffer key;
    struct smtpc_error error = {0};

    smtpc_buffer_init(&certificate, 65536);
    smtpc_buffer_init(&key, 65536);
    request.common_name = "x";
    request.names = "NONSENSE:x";
    ok(smtpc_tls_certificate_make(&request, &certificate, &key, &error) == -1, "%s", error.text);
    smtpc_error_clear(&error);
    request.names = "DNS:x";
    request.issuer_pem = scene.ca.certificate.bytes;
    ok(smtpc_tls_certificate_make(&request, &certificate, &key, &error) == -1, "%s", error.text);
    ok(ERR_peek_error() == 0, "the queue is empty");
    smtpc_buffer_clear(&certificate);
    smtpc_buffer_clear(&key);
}

static void
lay_out(void)
{
    char together[8192];

    snprintf(together, sizeof together, "%s%s", scene.mail.certificate.bytes, scene.mail.key.bytes);
    write_file("mail.pem", scene.mail.certificate.bytes);
    write_file("mail.key", scene.mail.key.bytes);
    write_file("other.key", other.key.bytes);
    write_file("together.pem", together);
    write_file("junk.pem", "-----BEGIN NOTHING-----\n");
}

static void
clear_up(void)
{
    static const char *const files[] = {"mail.pem", "mail.key", "other.key", "together.pem", "junk.pem"};
    size_t i;

    for (i = 0; i < sizeof files / sizeof files[0]; i++)
        remove_file(files[i]);
    identity_clear(&other);
    scene_close(&scene);
}

int
main(void)
{
    scene_open(&scene);
    identity_make(&other, "other", NULL, YEAR, 1, NULL);
    lay_out();
    test_wrong_words();
    test_own_certificate();
    test_encrypted_key();
    test_bad_server();
    test_certificate_requests();
    clear_up();
    return tap_done();
}
