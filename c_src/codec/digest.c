/* digest: HMAC over OpenSSL's EVP, in a library context of our own, whatever openssl.cnf says. */
#include "codec/digest.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "base/secret.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#include <pthread.h>

#include <openssl/crypto.h>
#include <openssl/provider.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *library;   /* NULL: not to be had; otherwise it lives as long as the process */

/* A context that was made with new reads no configuration file: what openssl.cnf takes from the default context is
 * still here. */
static void
open_library(void)
{
    OSSL_LIB_CTX *fresh = OSSL_LIB_CTX_new();

    if (fresh != NULL && OSSL_PROVIDER_load(fresh, "default") != NULL)
        library = fresh;
    else
        OSSL_LIB_CTX_free(fresh);
}

static int
hmac_md5(const char *key, size_t key_length, const char *data, size_t data_length, unsigned char *out)
{
    size_t size = 0;

    if (pthread_once(&once, open_library) != 0 || library == NULL)
        return -1;
    if (EVP_Q_mac(library, "HMAC", NULL, "MD5", NULL, key, key_length, (const unsigned char *)data, data_length, out,
                  smtpc_digest_size(SMTPC_DIGEST_MD5), &size) == NULL)
        return -1;
    return size == smtpc_digest_size(SMTPC_DIGEST_MD5) ? 0 : -1;
}

#else

#include <openssl/hmac.h>

static int
hmac_md5(const char *key, size_t key_length, const char *data, size_t data_length, unsigned char *out)
{
    unsigned int size = 0;

    if (key_length > INT_MAX)
        return -1;
    if (HMAC(EVP_md5(), key, (int)key_length, (const unsigned char *)data, data_length, out, &size) == NULL)
        return -1;
    return size == smtpc_digest_size(SMTPC_DIGEST_MD5) ? 0 : -1;
}

#endif

size_t
smtpc_digest_size(enum smtpc_digest digest)
{
    return digest == SMTPC_DIGEST_MD5 ? 16 : 0;
}

/* The mark keeps our failures out of the error queue, which belongs to whoever else uses OpenSSL in this thread. */
int
smtpc_digest_hmac(enum smtpc_digest digest, const char *key, size_t key_length, const char *data, size_t data_length,
                  unsigned char *out)
{
    int result;

    ERR_set_mark();
    result = hmac_md5(key_length > 0 ? key : "", key_length, data_length > 0 ? data : "", data_length, out);
    ERR_pop_to_mark();
    if (result != 0)
        smtpc_secret_wipe(out, smtpc_digest_size(digest));
    return result;
}

void
smtpc_digest_hex(const unsigned char *octets, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t i;

    for (i = 0; i < n; i++) {
        *out++ = digits[octets[i] >> 4];
        *out++ = digits[octets[i] & 15];
    }
    *out = '\0';
}
