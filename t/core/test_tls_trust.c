/* Tests of whom a tls client trusts: files and folders given, the system's, and those that cannot be read. */
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;
static struct identity other;
static char hash_name[32];          /* of scene.ca in a folder */

static X509 *
parsed(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return certificate;
}

static void
name_by_hash(void)
{
    X509 *certificate = parsed(scene.ca.certificate.bytes);

    snprintf(hash_name, sizeof hash_name, "hashed/%08lx.0", X509_subject_name_hash(certificate));
    X509_free(certificate);
}

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
test_given_trust(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    ok(scene_is_trusted(&scene, &options) == 1, "ca_file");
    options.ca_file = NULL;
    options.ca_path = path_of("hashed");
    ok(scene_is_trusted(&scene, &options) == 1, "ca_path");
    options.ca_file = path_of("other.pem");
    ok(scene_is_trusted(&scene, &options) == 1, "both together");
    options.ca_path = NULL;
    ok(scene_is_trusted(&scene, &options) == 0, "another ca_file alone");
    options.ca_path = path_of("empty");
    ok(scene_is_trusted(&scene, &options) == 0, "and with an empty folder");
}

static void
test_unreadable_trust(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("nothing.pem");
    check_refused(&options, "ca_file (SSL_ca_file): no certificate can be read from");
    check_refused(&options, "No such file or directory");
    options.ca_file = path_of("junk.pem");
    check_refused(&options, "junk.pem");
    options.insecure_no_verify = 1;
    check_refused(&options, "junk.pem");
    options.ca_file = path_of("ca.pem");
    options.ca_path = path_of("nothing");
    check_refused(&options, "ca_path (SSL_ca_path): cannot read the folder");
}

/* The variables of OpenSSL stand for the system's store. */
static void
test_default_trust(void)
{
    struct smtpc_tls_options options = {0};

    setenv("SSL_CERT_DIR", path_of("hashed"), 1);
    ok(scene_is_trusted(&scene, &options) == 1, "the default folder is asked by hash");
    setenv("SSL_CERT_DIR", path_of("empty"), 1);
    setenv("SSL_CERT_FILE", path_of("ca.pem"), 1);
    ok(scene_is_trusted(&scene, &options) == 1, "SSL_CERT_FILE beside an empty folder");
    setenv("SSL_CERT_DIR", path_of("nothing"), 1);
    ok(scene_is_trusted(&scene, &options) == 1, "SSL_CERT_FILE beside a folder that is not there");
    setenv("SSL_CERT_DIR", path_of("hashed"), 1);
    setenv("SSL_CERT_FILE", path_of("other.pem"), 1);
    ok(scene_is_trusted(&scene, &options) == 1, "SSL_CERT_FILE beside a full folder: both count");
    setenv("SSL_CERT_DIR", path_of("empty"), 1);
    ok(scene_is_trusted(&scene, &options) == 0, "neither of them trusts it");
    options.ca_file = path_of("other.pem");
    setenv("SSL_CERT_FILE", path_of("ca.pem"), 1);
    ok(scene_is_trusted(&scene, &options) == 0, "a ca_file given stands alone");
}

static void
test_unreadable_default(void)
{
    struct smtpc_tls_options options = {0};

    setenv("SSL_CERT_FILE", path_of("junk.pem"), 1);
    check_refused(&options, "SSL_CERT_FILE: no certificate can be read from");
    options.insecure_no_verify = 1;
    ok(scene_is_trusted(&scene, &options) == 1, "which does not matter when nothing is verified");
    options.insecure_no_verify = 0;
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", path_of("nothing"), 1);
    check_refused(&options, "SSL_CERT_DIR: cannot read the folder");
    unsetenv("SSL_CERT_DIR");
}

static void
test_system_trust(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context = smtpc_tls_context_client(&options, &error);

    ok(context != NULL || strstr(error.text, "ca-certificates") != NULL, "the system's store, or what to do: %s",
       error.text);
    ok(ERR_peek_error() == 0, "the queue is empty");
    smtpc_tls_context_free(context);
}

static void
lay_out(void)
{
    write_file("other.pem", other.certificate.bytes);
    write_file("junk.pem", "-----BEGIN NOTHING-----\n");
    must(mkdir(path_of("hashed"), 0700) == 0 && mkdir(path_of("empty"), 0700) == 0, "no folders");
    name_by_hash();
    write_file(hash_name, scene.ca.certificate.bytes);
}

static void
clear_up(void)
{
    remove_file("other.pem");
    remove_file("junk.pem");
    remove_file(hash_name);
    rmdir(path_of("hashed"));
    rmdir(path_of("empty"));
    identity_clear(&other);
    scene_close(&scene);
}

int
main(void)
{
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    scene_open(&scene);
    identity_make(&other, "other", NULL, YEAR, 1, NULL);
    lay_out();
    test_given_trust();
    test_unreadable_trust();
    test_default_trust();
    test_unreadable_default();
    test_system_trust();
    clear_up();
    return tap_done();
}
