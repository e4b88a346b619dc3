/* tls_pins: digests of certificates and keys that the caller knows: pins and fingerprints. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"

enum { SHA256_LENGTH = 32, PIN_LENGTH = 44, PINS_SHOWN = 4 };

#define PIN_PREFIX "sha256//"

/* MD5 can be forged, so its fingerprints tell nothing. */
static const struct algorithm { const char *name; size_t length; } algorithms[] = {
    {"sha256", 32}, {"sha512", 64}, {"sha1", 20},
};

struct word {
    const char *p;
    size_t n;
};

/* 0 when there is none behind *rest. */
static int
next_word(const char **rest, struct word *word)
{
    static const char blanks[] = " \t\r\n;,";

    word->p = *rest + strspn(*rest, blanks);
    word->n = strcspn(word->p, blanks);
    *rest = word->p + word->n;
    return word->n > 0;
}

static int
take_prefix(struct word *word, const char *prefix)
{
    size_t n = strlen(prefix);

    if (word->n <= n || strncasecmp(word->p, prefix, n) != 0 || word->p[n] != '$')
        return 0;
    word->p += n + 1;
    word->n -= n + 1;
    return 1;
}

static const struct algorithm *
take_algorithm(struct word *word)
{
    size_t i;

    for (i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (take_prefix(word, algorithms[i].name))
            return &algorithms[i];
    return NULL;
}

static const struct algorithm *
algorithm_of_length(size_t length)
{
    size_t i;

    for (i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (algorithms[i].length == length)
            return &algorithms[i];
    return NULL;
}

/* IO::Socket::SSL takes a fingerprint without its algorithm and tells that by the length; so does this. */
static int
read_fingerprint(struct word word, struct smtpc_tls_digest *digest)
{
    const struct algorithm *algorithm = take_algorithm(&word);
    ssize_t n;

    digest->of = take_prefix(&word, "pub") ? SMTPC_TLS_OF_KEY_BITS : SMTPC_TLS_OF_CERTIFICATE;
    n = smtpc_tls_read_hex(word.p, word.n, ":", digest->octets, sizeof digest->octets);
    if (n <= 0)
        return -1;
    digest->length = (size_t)n;
    if (algorithm == NULL)
        algorithm = algorithm_of_length(digest->length);
    if (algorithm == NULL || algorithm->length != digest->length)
        return -1;
    digest->algorithm = algorithm->name;
    return 0;
}

/* A second spelling of the same octets (bits behind the last one) is refused. */
static int
read_pin(struct word word, struct smtpc_tls_digest *digest)
{
    const size_t prefix = sizeof PIN_PREFIX - 1;
    unsigned char octets[PIN_LENGTH / 4 * 3];
    unsigned char again[PIN_LENGTH + 1];

    if (word.n != prefix + PIN_LENGTH || strncmp(word.p, PIN_PREFIX, prefix) != 0)
        return -1;
    if (EVP_DecodeBlock(octets, (const unsigned char *)word.p + prefix, PIN_LENGTH) != (int)sizeof octets)
        return -1;
    EVP_EncodeBlock(again, octets, SHA256_LENGTH);
    if (memcmp(again, word.p + prefix, PIN_LENGTH) != 0)
        return -1;
    memcpy(digest->octets, octets, SHA256_LENGTH);
    digest->length = SHA256_LENGTH;
    digest->algorithm = "sha256";
    digest->of = SMTPC_TLS_OF_KEY_INFO;
    return 0;
}

/* What is read of one option: where to, how, and what to say. */
struct list {
    const char *option;
    const char *wanted;
    int (*read)(struct word word, struct smtpc_tls_digest *digest);
    struct smtpc_tls_digest **digests;
    size_t *count;
};

static int
load(const struct list *list, const char *text, struct smtpc_error *error)
{
    const char *rest = text;
    struct word word;
    size_t words = 0;

    while (next_word(&rest, &word))
        words++;
    if (words == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: it is empty; wanted is %s", list->option, list->wanted);
    *list->digests = calloc(words, sizeof **list->digests);
    if (*list->digests == NULL)
        return smtpc_error_set_memory(error);
    for (rest = text; next_word(&rest, &word); (*list->count)++)
        if (list->read(word, &(*list->digests)[*list->count]) != 0)
            return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: \"%.*s\" cannot be read; wanted is %s",
                                   list->option, (int)(word.n < 140 ? word.n : 140), word.p, list->wanted);
    return 0;
}

int
smtpc_tls_pins_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                    struct smtpc_error *error)
{
    const struct list pins = {
        "pins", "sha256//BASE64, the SHA-256 of a SubjectPublicKeyInfo in base64 (44 characters)", read_pin,
        &context->pins, &context->pin_count};
    const struct list fingerprints = {
        "fingerprints (SSL_fingerprint)", "sha256$HEX of the certificate or sha256$pub$HEX of its key (sha1, sha256, "
        "sha512; MD5 can be forged and is not taken)", read_fingerprint,
        &context->fingerprints, &context->fingerprint_count};

    if (options->pins != NULL && load(&pins, options->pins, error) != 0)
        return -1;
    return options->fingerprints != NULL ? load(&fingerprints, options->fingerprints, error) : 0;
}

static int
has_any(const X509 *certificate, const struct smtpc_tls_digest *digests, size_t count)
{
    unsigned char octets[SMTPC_TLS_DIGEST_MAX];
    size_t i;

    for (i = 0; i < count; i++)
        if (smtpc_tls_digest_make(certificate, digests[i].of, digests[i].algorithm, octets) == digests[i].length
            && memcmp(octets, digests[i].octets, digests[i].length) == 0)
            return 1;
    return 0;
}

int
smtpc_tls_fingerprint_matches(const struct smtpc_tls_context *context, const X509 *certificate)
{
    return certificate != NULL && has_any(certificate, context->fingerprints, context->fingerprint_count);
}

static int
refuse_chain(const struct smtpc_tls *tls, const STACK_OF(X509) *chain, int length, struct smtpc_error *error)
{
    char seen[PINS_SHOWN * SMTPC_TLS_DIGEST_TEXT_MAX] = "";
    char one[SMTPC_TLS_DIGEST_TEXT_MAX];
    int i;

    for (i = 0; i < length && i < PINS_SHOWN; i++) {
        smtpc_tls_digest_text(sk_X509_value(chain, i), SMTPC_TLS_OF_KEY_INFO, one);
        strcat(strcat(seen, i > 0 ? " " : ""), one);
    }
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "certificate \"%.80s\" is good, but no pin is in its chain: if "
                           "keys were replaced on purpose, take one of these (from the server's upward): %s",
                           tls->peer.subject, seen);
}

/* Where a fingerprint stood in for the chain, nothing above the server's own certificate was verified. A session was
 * kept only after its pins were found. */
int
smtpc_tls_pins_check(const struct smtpc_tls *tls, struct smtpc_error *error)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
    int length = chain == NULL ? 0 : tls->is_forgiven ? 1 : sk_X509_num(chain);
    int i;

    if (tls->context->pin_count == 0 || SSL_session_reused(tls->ssl))
        return 0;
    for (i = 0; i < length; i++)
        if (has_any(sk_X509_value(chain, i), tls->context->pins, tls->context->pin_count))
            return 0;
    return refuse_chain(tls, chain, length, error);
}
