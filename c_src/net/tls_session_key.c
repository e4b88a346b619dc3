/* tls_session_key: what a session is kept under, so that none crosses from weaker demands to stronger ones. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "net/tls_sessions.h"

/* With its length before it, so that no two lists of fields give the same octets. */
static int
add(EVP_MD_CTX *md, const void *octets, size_t n)
{
    uint64_t length = n;

    return EVP_DigestUpdate(md, &length, sizeof length) == 1 && EVP_DigestUpdate(md, octets, n) == 1;
}

static int
add_string(EVP_MD_CTX *md, const char *string)
{
    return string == NULL ? add(md, "none", sizeof "none") : add(md, string, strlen(string));
}

/* A bundle that somebody has edited is another bundle. */
static int
add_file(EVP_MD_CTX *md, const char *path)
{
    int64_t state[5] = {0};
    struct stat found;

    if (path != NULL && stat(path, &found) == 0) {
        state[0] = (int64_t)found.st_dev;
        state[1] = (int64_t)found.st_ino;
        state[2] = (int64_t)found.st_size;
        state[3] = (int64_t)found.st_mtime;
#if defined st_mtime && !defined __APPLE__    /* POSIX.1-2008 */
        state[4] = (int64_t)found.st_mtim.tv_nsec;
#endif
    }
    return add_string(md, path) && add(md, state, sizeof state);
}

static int
add_default(EVP_MD_CTX *md, const char *variable, const char *path)
{
    const char *value = getenv(variable);

    return add_file(md, value != NULL && value[0] != '\0' ? value : path);
}

static int
add_trust(EVP_MD_CTX *md, const struct smtpc_tls_options *options)
{
    return add_file(md, options->ca_file) && add_file(md, options->ca_path) && add_file(md, options->crl_file)
        && add_file(md, options->certificate_file) && add_file(md, options->key_file)
        && add_default(md, X509_get_default_cert_file_env(), X509_get_default_cert_file())
        && add_default(md, X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

static int
add_words(EVP_MD_CTX *md, const struct smtpc_tls_options *options)
{
    return add_string(md, options->cipher_list) && add_string(md, options->ciphersuites)
        && add_string(md, options->minimum_version) && add_string(md, options->sni_name)
        && add_string(md, options->pins) && add_string(md, options->fingerprints) && add_string(md, options->tlsa);
}

static int
add_switches(EVP_MD_CTX *md, const struct smtpc_tls_options *options)
{
    unsigned char on[5];

    on[0] = options->insecure_no_verify != 0;
    on[1] = options->insecure_no_name_check != 0;
    on[2] = options->allow_common_name != 0;
    on[3] = options->check_crl_of_chain != 0;
    on[4] = options->must_staple != 0;
    return add(md, on, sizeof on);
}

/* OpenSSL's version is in it because the form of its sessions is not promised to stay. */
int
smtpc_tls_session_demands(const struct smtpc_tls_options *options, unsigned char digest[SMTPC_TLS_DIGEST])
{
    unsigned long version = OpenSSL_version_num();
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int good = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 && add(md, &version, sizeof version)
        && add_trust(md, options) && add_words(md, options) && add_switches(md, options)
        && EVP_DigestFinal_ex(md, digest, NULL) == 1;

    EVP_MD_CTX_free(md);
    return good ? 0 : -1;
}

int
smtpc_tls_session_key(const unsigned char demands[SMTPC_TLS_DIGEST], const char *peer, const char *name,
                      unsigned char key[SMTPC_TLS_DIGEST])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int good = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 && add(md, demands, SMTPC_TLS_DIGEST)
        && add_string(md, peer) && add_string(md, name) && EVP_DigestFinal_ex(md, key, NULL) == 1;

    EVP_MD_CTX_free(md);
    return good ? 0 : -1;
}
