/* tls_trust: whom a client believes: the CA file and folder that were given, else those of the system. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "net/tls_inside.h"

enum { FOLDER_MAX = 1024, HASH_LENGTH = 8 };

/* "5ed36f99.0", as openssl rehash links them. */
static int
is_hash_name(const char *name)
{
    return strspn(name, "0123456789abcdef") == HASH_LENGTH && name[HASH_LENGTH] == '.'
        && name[HASH_LENGTH + 1] >= '0' && name[HASH_LENGTH + 1] <= '9';
}

/* 1 or 0, -1 with errno when it cannot be read. */
static int
folder_has_hashes(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int found = 0;

    if (folder == NULL)
        return -1;
    while (!found && (entry = readdir(folder)) != NULL)
        found = is_hash_name(entry->d_name);
    closedir(folder);
    return found;
}

/* The same for folders with ':' between them: 1 when any has hashes. */
static int
folders_have_hashes(const char *list)
{
    char one[FOLDER_MAX];
    int best = -1;

    while (*list != '\0') {
        size_t n = strcspn(list, ":");
        int found;

        snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), list);
        found = folder_has_hashes(one);
        best = found > best ? found : best;
        list += n + (list[n] == ':');
    }
    return best;
}

/* Revocation lists may stand in the file, too: where they count OpenSSL reads it whole. */
static int
may_ask_bundle(const struct smtpc_tls_options *options)
{
    return options->crl_file == NULL && !options->check_crl_of_chain;
}

static int
load_file(struct smtpc_tls_context *context, const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    const char *path = options->ca_file;

    if (may_ask_bundle(options) && smtpc_tls_bundle_use(context, path))
        return 0;
    if (SSL_CTX_load_verify_locations(context->ssl_ctx, path, NULL) == 1)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "ca_file (SSL_ca_file): no certificate can be read from %.200s: "
                           "%s", path, smtpc_tls_take_reason());
}

static int
load_folder(SSL_CTX *ssl_ctx, const char *path, struct smtpc_error *error)
{
    if (folders_have_hashes(path) < 0)
        return smtpc_error_set_system(error, SMTPC_ERROR_USAGE, errno,
                                      "ca_path (SSL_ca_path): cannot read the folder %.200s", path);
    if (SSL_CTX_load_verify_locations(ssl_ctx, NULL, path) == 1)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "ca_path (SSL_ca_path): %.200s: %s", path,
                           smtpc_tls_take_reason());
}

static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A program with other rights than its caller's does not listen to the caller's variables, as in OpenSSL. */
static const char *
default_file(void)
{
    const char *file = variable(X509_get_default_cert_file_env());

#ifndef LIBRESSL_VERSION_NUMBER
    if (OPENSSL_issetugid())
        file = NULL;
#endif
    return file != NULL ? file : X509_get_default_cert_file();
}

/* The file of SSL_CERT_FILE or the system's; unlike SSL_CTX_set_default_verify_file this one tells when it failed. */
static int
load_default_file(struct smtpc_tls_context *context, const struct smtpc_tls_options *options)
{
    X509_LOOKUP *lookup;

    if (may_ask_bundle(options) && smtpc_tls_bundle_use(context, default_file()))
        return 0;
    lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(context->ssl_ctx), X509_LOOKUP_file());
    return lookup != NULL && X509_LOOKUP_load_file(lookup, NULL, X509_FILETYPE_DEFAULT) == 1 ? 0 : -1;
}

/* The folder is asked by hash while verifying. It is asked after the file: a name that is found there is not looked
 * for any more. */
static int
load_default(struct smtpc_tls_context *context, const struct smtpc_tls_options *options, struct smtpc_error *error)
{
    const char *file = variable(X509_get_default_cert_file_env());
    const char *folders = variable(X509_get_default_cert_dir_env());
    int has_hashes = folders_have_hashes(folders != NULL ? folders : X509_get_default_cert_dir());
    int needs_file = file != NULL || has_hashes != 1;

    if (folders != NULL && has_hashes < 0 && file == NULL)
        return smtpc_error_set_system(error, SMTPC_ERROR_USAGE, errno, "SSL_CERT_DIR: cannot read the folder %.200s",
                                      folders);
    if (!needs_file || load_default_file(context, options) == 0)
        return SSL_CTX_set_default_verify_dir(context->ssl_ctx) == 1 ? 0 : smtpc_error_set_memory(error);
    if (file != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "SSL_CERT_FILE: no certificate can be read from %.200s: %s",
                               file, smtpc_tls_take_reason());
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "this system has no certificates of authorities, neither in "
                           "%.150s nor as %.150s: install the package ca-certificates, or give ca_file (SSL_ca_file)",
                           X509_get_default_cert_dir(), X509_get_default_cert_file());
}

int
smtpc_tls_trust_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                     struct smtpc_error *error)
{
    if (options->ca_file != NULL && load_file(context, options, error) != 0)
        return -1;
    if (options->ca_path != NULL && load_folder(context->ssl_ctx, options->ca_path, error) != 0)
        return -1;
    if (options->ca_file != NULL || options->ca_path != NULL || options->insecure_no_verify || options->tlsa != NULL)
        return 0;
    return load_default(context, options, error);
}
