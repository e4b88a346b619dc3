/* tls_identity: one's own certificates and key, from a client's files or from the sandbox's texts. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/tls_inside.h"

/* What OpenSSL asks a password with. Without this function it would ask on the terminal. */
struct password {
    const char *text;
    int was_asked;
};

static int
give_password(char *room, int size, int for_writing, void *userdata)
{
    struct password *password = userdata;
    size_t n = password->text != NULL ? strlen(password->text) : 0;

    (void)for_writing;
    password->was_asked = 1;
    if (n == 0 || size < 0 || n > (size_t)size)
        return -1;
    memcpy(room, password->text, n);
    return (int)n;
}

static int
bad_key(const char *file, const struct password *password, struct smtpc_error *error)
{
    const char *reason = smtpc_tls_take_reason();

    if (password->was_asked)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "key_file (SSL_key_file): the key in %.200s is encrypted: "
                               "%s", file, password->text != NULL ? "the key_password given does not open it"
                               : "give key_password (SSL_passwd_cb)");
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "key_file (SSL_key_file): no fitting key in %.200s: %s", file,
                           reason);
}

static int
set_key(SSL_CTX *ssl_ctx, const char *file, const char *text, struct smtpc_error *error)
{
    struct password password = {NULL, 0};
    int good;

    password.text = text;
    SSL_CTX_set_default_passwd_cb(ssl_ctx, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(ssl_ctx, &password);
    good = SSL_CTX_use_PrivateKey_file(ssl_ctx, file, SSL_FILETYPE_PEM) == 1
        && SSL_CTX_check_private_key(ssl_ctx) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(ssl_ctx, NULL);
    SSL_CTX_set_default_passwd_cb(ssl_ctx, NULL);
    return good ? 0 : bad_key(file, &password, error);
}

int
smtpc_tls_identity_from_files(SSL_CTX *ssl_ctx, const struct smtpc_tls_options *options,
                              struct smtpc_error *error)
{
    const char *file = options->certificate_file;

    if (file == NULL && options->key_file != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "key_file (SSL_key_file) is given without certificate_file "
                               "(SSL_cert_file)");
    if (file == NULL)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, file) != 1)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "certificate_file (SSL_cert_file): no certificate can be "
                               "read from %.200s: %s", file, smtpc_tls_take_reason());
    return set_key(ssl_ctx, options->key_file != NULL ? options->key_file : file, options->key_password, error);
}

/* The first certificate is one's own, what follows are its issuers; to OpenSSL the end of the text is an error. */
static int
use_chain(SSL_CTX *ssl_ctx, BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    int good = certificate != NULL && SSL_CTX_use_certificate(ssl_ctx, certificate) == 1;

    X509_free(certificate);
    while (good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        good = SSL_CTX_add1_chain_cert(ssl_ctx, certificate) == 1;
        X509_free(certificate);
    }
    if (good)
        ERR_clear_error();
    return good;
}

static int
use_key(SSL_CTX *ssl_ctx, BIO *bio)
{
    struct password none = {NULL, 0};
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &none);
    int good = key != NULL && SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1;

    EVP_PKEY_free(key);
    return good;
}

int
smtpc_tls_identity_from_pem(SSL_CTX *ssl_ctx, const char *chain_pem, const char *key_pem)
{
    BIO *chain = BIO_new_mem_buf(chain_pem, -1);
    BIO *key = BIO_new_mem_buf(key_pem, -1);
    int good = chain != NULL && key != NULL && use_chain(ssl_ctx, chain) && use_key(ssl_ctx, key);

    BIO_free(chain);
    BIO_free(key);
    return good;
}
