/* digest: hashes, HMAC, PBKDF2 and random octets over OpenSSL, in a library context of our own, whatever openssl.cnf
 * says. */
#include "codec/digest.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/rand.h>

#include "base/secret.h"

/* What goes in; a null pointer has become "". */
struct octets {
    const char *p;
    size_t n;
};

enum { DIGEST_COUNT = SMTPC_DIGEST_SHA512 + 1 };

static struct octets
octets_of(const char *p, size_t n)
{
    struct octets octets = {n > 0 ? p : "", n};

    return octets;
}

static const unsigned char *
unsigned_of(struct octets octets)
{
    return (const unsigned char *)octets.p;
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

#include <pthread.h>
#include <stdint.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>

static const char *const names[DIGEST_COUNT] = {
    [SMTPC_DIGEST_MD5] = "MD5",
    [SMTPC_DIGEST_SHA1] = "SHA1",
    [SMTPC_DIGEST_SHA256] = "SHA256",
    [SMTPC_DIGEST_SHA512] = "SHA512",
};

/* Fetched once, NULL where not to be had; they live as long as the process. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *library;
static EVP_MD *hashes[DIGEST_COUNT];
static EVP_MAC *hmac_kind;
static EVP_KDF *pbkdf2_kind;

/* A context that was made with new reads no configuration file: what openssl.cnf takes from the default context is
 * still here. */
static void
open_library(void)
{
    OSSL_LIB_CTX *fresh = OSSL_LIB_CTX_new();
    int i;

    if (fresh == NULL || OSSL_PROVIDER_load(fresh, "default") == NULL) {
        OSSL_LIB_CTX_free(fresh);
        return;
    }
    library = fresh;
    for (i = 0; i < DIGEST_COUNT; i++)
        hashes[i] = EVP_MD_fetch(fresh, names[i], NULL);
    hmac_kind = EVP_MAC_fetch(fresh, "HMAC", NULL);
    pbkdf2_kind = EVP_KDF_fetch(fresh, "PBKDF2", NULL);
}

static int
has_library(void)
{
    return pthread_once(&once, open_library) == 0 && library != NULL;
}

static OSSL_PARAM
text_parameter(const char *key, const char *text)
{
    return OSSL_PARAM_construct_utf8_string(key, (char *)(uintptr_t)text, 0);
}

static OSSL_PARAM
octet_parameter(const char *key, struct octets octets)
{
    return OSSL_PARAM_construct_octet_string(key, (char *)(uintptr_t)octets.p, octets.n);
}

static int
hash(enum smtpc_digest digest, struct octets data, unsigned char *out)
{
    if (!has_library() || hashes[digest] == NULL)
        return 0;
    return EVP_Digest(data.p, data.n, out, NULL, hashes[digest], NULL);
}

static int
hmac(enum smtpc_digest digest, struct octets key, struct octets data, unsigned char *out)
{
    EVP_MAC_CTX *context = has_library() && hmac_kind != NULL ? EVP_MAC_CTX_new(hmac_kind) : NULL;
    OSSL_PARAM parameters[] = {text_parameter(OSSL_MAC_PARAM_DIGEST, names[digest]), OSSL_PARAM_construct_end()};
    size_t expected = smtpc_digest_size(digest), size = 0;
    int done = context != NULL && EVP_MAC_init(context, unsigned_of(key), key.n, parameters)
        && EVP_MAC_update(context, unsigned_of(data), data.n) && EVP_MAC_final(context, out, &size, expected);

    EVP_MAC_CTX_free(context);
    return done && size == expected;
}

/* pkcs5: no bounds but those of RFC 8018; ours stand with the caller. */
static int
pbkdf2(enum smtpc_digest digest, struct octets password, struct octets salt, unsigned long iterations,
       unsigned char *out)
{
    EVP_KDF_CTX *context = has_library() && pbkdf2_kind != NULL ? EVP_KDF_CTX_new(pbkdf2_kind) : NULL;
    uint64_t count = iterations;
    int pkcs5 = 1, done;
    OSSL_PARAM parameters[] = {
        text_parameter(OSSL_KDF_PARAM_DIGEST, names[digest]),
        octet_parameter(OSSL_KDF_PARAM_PASSWORD, password),
        octet_parameter(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &count),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &pkcs5),
        OSSL_PARAM_construct_end(),
    };

    done = context != NULL && EVP_KDF_derive(context, out, smtpc_digest_size(digest), parameters) > 0;
    EVP_KDF_CTX_free(context);
    return done;
}

static int
random_octets(unsigned char *out, size_t n)
{
    return has_library() && RAND_bytes_ex(library, out, n, 0) > 0;
}

#else

#include <openssl/hmac.h>

static const EVP_MD *
kind_of(enum smtpc_digest digest)
{
    switch (digest) {
    case SMTPC_DIGEST_MD5:
        return EVP_md5();
    case SMTPC_DIGEST_SHA1:
        return EVP_sha1();
    case SMTPC_DIGEST_SHA256:
        return EVP_sha256();
    case SMTPC_DIGEST_SHA512:
        return EVP_sha512();
    }
    return NULL;
}

static int
hash(enum smtpc_digest digest, struct octets data, unsigned char *out)
{
    return EVP_Digest(data.p, data.n, out, NULL, kind_of(digest), NULL);
}

static int
hmac(enum smtpc_digest digest, struct octets key, struct octets data, unsigned char *out)
{
    unsigned int size = 0;

    return key.n <= INT_MAX && HMAC(kind_of(digest), key.p, (int)key.n, unsigned_of(data), data.n, out, &size) != NULL
        && size == smtpc_digest_size(digest);
}

static int
pbkdf2(enum smtpc_digest digest, struct octets password, struct octets salt, unsigned long iterations,
       unsigned char *out)
{
    return password.n <= INT_MAX && salt.n <= INT_MAX && iterations <= INT_MAX
        && PKCS5_PBKDF2_HMAC(password.p, (int)password.n, unsigned_of(salt), (int)salt.n, (int)iterations,
                             kind_of(digest), (int)smtpc_digest_size(digest), out) > 0;
}

static int
random_octets(unsigned char *out, size_t n)
{
    return n <= INT_MAX && RAND_bytes(out, (int)n) > 0;
}

#endif

/* The marks keep our failures out of the error queue, which belongs to whoever else uses OpenSSL in this thread. */
static int
end(int done, unsigned char *out, size_t n)
{
    ERR_pop_to_mark();
    if (!done)
        smtpc_secret_wipe(out, n);
    return done ? 0 : -1;
}

size_t
smtpc_digest_size(enum smtpc_digest digest)
{
    static const size_t sizes[DIGEST_COUNT] = {16, 20, 32, 64};

    return sizes[digest];
}

int
smtpc_digest_hmac(enum smtpc_digest digest, const char *key, size_t key_length, const char *data, size_t data_length,
                  unsigned char *out)
{
    ERR_set_mark();
    return end(hmac(digest, octets_of(key, key_length), octets_of(data, data_length), out), out,
               smtpc_digest_size(digest));
}

int
smtpc_digest_hash(enum smtpc_digest digest, const char *data, size_t n, unsigned char *out)
{
    ERR_set_mark();
    return end(hash(digest, octets_of(data, n), out), out, smtpc_digest_size(digest));
}

int
smtpc_digest_pbkdf2(enum smtpc_digest digest, const char *password, size_t password_length, const char *salt,
                    size_t salt_length, unsigned long iterations, unsigned char *out)
{
    ERR_set_mark();
    return end(iterations > 0 && pbkdf2(digest, octets_of(password, password_length), octets_of(salt, salt_length),
                                        iterations, out), out, smtpc_digest_size(digest));
}

int
smtpc_digest_random(unsigned char *out, size_t n)
{
    ERR_set_mark();
    return end(random_octets(out, n), out, n);
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
