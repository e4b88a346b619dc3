/* tls_context: what is the same for every connection of one configuration; built once, shared by reference. */
#include "net/tls_context.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/tls_inside.h"

static void
destroy(struct smtpc_tls_context *context)
{
    SSL_CTX_free(context->ssl_ctx);
    smtpc_tls_bundle_clear(context);
    BIO_meth_free(context->bio_method);
    smtpc_tls_demands_clear(context);
    smtpc_tls_sessions_free(context->sessions);
    smtpc_tls_keylog_close(context);
    free(context);
}

struct smtpc_tls_context *
smtpc_tls_context_keep(struct smtpc_tls_context *context)
{
    __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
    return context;
}

void
smtpc_tls_context_free(struct smtpc_tls_context *context)
{
    if (context != NULL && __atomic_sub_fetch(&context->references, 1, __ATOMIC_ACQ_REL) == 0)
        destroy(context);
}

/* A stricter minimum from the system's openssl.cnf stays. */
static int
set_common(SSL_CTX *ssl_ctx)
{
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_COMPRESSION);
#ifdef SSL_OP_NO_RENEGOTIATION
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION);
#endif
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_get_min_proto_version(ssl_ctx) >= TLS1_2_VERSION
        || SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_2_VERSION) == 1;
}

static struct smtpc_tls_context *
new_context(const SSL_METHOD *method, struct smtpc_error *error)
{
    struct smtpc_tls_context *context = calloc(1, sizeof *context);

    if (context == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    ERR_clear_error();
    context->references = 1;
    context->keylog_fd = -1;
    context->bio_method = smtpc_tls_bio_method();
    context->ssl_ctx = SSL_CTX_new(method);
    if (context->bio_method != NULL && context->ssl_ctx != NULL && set_common(context->ssl_ctx))
        return context;
    smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "OpenSSL cannot be set up: %s", smtpc_tls_take_reason());
    destroy(context);
    return NULL;
}

static int
bad_option(struct smtpc_error *error, const char *option, const char *value)
{
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: \"%.200s\": %s", option, value, smtpc_tls_take_reason());
}

static int
set_versions(SSL_CTX *ssl_ctx, const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    const char *version = options->minimum_version;

    if (version == NULL)
        return 0;
    if (strcmp(version, "TLSv1.2") != 0 && strcmp(version, "TLSv1.3") != 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "minimum_version: \"%.40s\" is neither TLSv1.2 nor TLSv1.3",
                               version);
    if (SSL_CTX_set_min_proto_version(ssl_ctx, version[6] == '2' ? TLS1_2_VERSION : TLS1_3_VERSION) != 1)
        return bad_option(error, "minimum_version", version);
    return 0;
}

/* Keys and digests below 112 bits of strength are refused whatever this OpenSSL was built with; cipher_list can say
 * otherwise by name ("...@SECLEVEL=1"). The sandbox's server must be able to show weak ones. */
static void
set_strength(const struct smtpc_tls_context *context)
{
#if !defined(LIBRESSL_VERSION_NUMBER) || LIBRESSL_VERSION_NUMBER >= 0x3060000fL
    if (context->is_server)
        SSL_CTX_set_security_level(context->ssl_ctx, 0);
    else if (context->checks_chain && SSL_CTX_get_security_level(context->ssl_ctx) < 2)
        SSL_CTX_set_security_level(context->ssl_ctx, 2);
#else
    (void)context;
#endif
}

static int
set_ciphers(SSL_CTX *ssl_ctx, const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    if (options->cipher_list != NULL && SSL_CTX_set_cipher_list(ssl_ctx, options->cipher_list) != 1)
        return bad_option(error, "cipher_list (SSL_cipher_list)", options->cipher_list);
    if (options->ciphersuites != NULL && SSL_CTX_set_ciphersuites(ssl_ctx, options->ciphersuites) != 1)
        return bad_option(error, "ciphersuites (SSL_ciphersuites)", options->ciphersuites);
    return 0;
}

struct smtpc_tls_context *
smtpc_tls_context_client(const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    struct smtpc_tls_context *context = new_context(TLS_client_method(), error);
    int good;

    if (context == NULL)
        return NULL;
    context->checks_chain = !options->insecure_no_verify;
    context->checks_name = context->checks_chain && !options->insecure_no_name_check;
    context->allows_common_name = options->allow_common_name;
    set_strength(context);
    SSL_CTX_set_read_ahead(context->ssl_ctx, 1);    /* one call to the system for all that is there, not two a record */
    good = set_versions(context->ssl_ctx, options, error) == 0 && set_ciphers(context->ssl_ctx, options, error) == 0
        && smtpc_tls_sessions_new(options, &context->sessions, error) == 0    /* looks at files before they are read */
        && smtpc_tls_trust_load(context, options, error) == 0
        && smtpc_tls_demands_load(context, options, error) == 0
        && smtpc_tls_identity_from_files(context->ssl_ctx, options, error) == 0
        && smtpc_tls_keylog_open(context, options->keylog_file, error) == 0
        && smtpc_tls_sessions_use_file(context->sessions, options->session_file, error) == 0;
    ERR_clear_error();
    if (good && context->sessions != NULL)
        smtpc_tls_resumption_prepare(context->ssl_ctx);
    if (good)
        return context;
    destroy(context);
    return NULL;
}

/* Sessions need a name of their own here, else a client that resumes one and shows a certificate is turned away. */
static int
ask_for_certificate(SSL_CTX *ssl_ctx, const char *ca_pem)
{
    static const unsigned char session_name[] = "smtpc";
    BIO *bio = BIO_new_mem_buf(ca_pem, -1);
    X509 *ca = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int good = ca != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), ca) == 1
        && SSL_CTX_add_client_CA(ssl_ctx, ca) == 1
        && SSL_CTX_set_session_id_context(ssl_ctx, session_name, sizeof session_name - 1) == 1;

    X509_free(ca);
    BIO_free(bio);
    return good;
}

struct smtpc_tls_context *
smtpc_tls_context_server(const char *chain_pem, const char *key_pem, const char *client_ca_pem,
                         struct smtpc_error *error)
{
    struct smtpc_tls_context *context = new_context(TLS_server_method(), error);
    int good;

    if (context == NULL)
        return NULL;
    context->is_server = 1;
    context->checks_chain = client_ca_pem != NULL;
    set_strength(context);
    good = smtpc_tls_identity_from_pem(context->ssl_ctx, chain_pem, key_pem)
        && (client_ca_pem == NULL || ask_for_certificate(context->ssl_ctx, client_ca_pem));
    if (!good) {
        smtpc_error_set(error, SMTPC_ERROR_USAGE, "a server's certificates cannot be used: %s",
                        smtpc_tls_take_reason());
        destroy(context);
        context = NULL;
    }
    ERR_clear_error();
    return context;
}
