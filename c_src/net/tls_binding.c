/* tls_binding: channel bindings (RFC 5929, RFC 9266): octets that only the two ends of one TLS connection know. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"

static int
is_tls13(const SSL *ssl)
{
    return SSL_version(ssl) >= TLS1_3_VERSION;
}

/* RFC 7627; LibreSSL does not tell. */
static int
has_extended_master_secret(const struct smtpc_tls *tls)
{
#ifdef SSL_get_extms_support
    return SSL_get_extms_support(tls->ssl) == 1;
#else
    (void)tls;
    return 0;
#endif
}

/* RFC 9266: a context that is there, and empty; for TLS 1.2 that is another thing than none. */
static int
give_exporter(const struct smtpc_tls *tls, struct smtpc_tls_binding *binding)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    enum { OCTETS = 32 };

    if (!is_tls13(tls->ssl) && !has_extended_master_secret(tls))
        return -1;
    binding->length = OCTETS;
    return SSL_export_keying_material(tls->ssl, binding->octets, OCTETS, label, sizeof label - 1,
                                      (const unsigned char *)"", 0, 1) == 1 ? 0 : -1;
}

/* RFC 5929 section 3: the first Finished of the handshake. The client says it in a full one, the server in a resumed
 * one, where it binds nothing without the extended master secret (RFC 7627 section 1). */
static int
give_unique(const struct smtpc_tls *tls, struct smtpc_tls_binding *binding)
{
    int resumed = SSL_session_reused(tls->ssl);

    if (is_tls13(tls->ssl) || (resumed && !has_extended_master_secret(tls)))
        return -1;
    if (tls->context->is_server == resumed)
        binding->length = SSL_get_finished(tls->ssl, binding->octets, sizeof binding->octets);
    else
        binding->length = SSL_get_peer_finished(tls->ssl, binding->octets, sizeof binding->octets);
    return binding->length > 0 && binding->length <= sizeof binding->octets ? 0 : -1;
}

/* The hash of the certificate's signature; where there is none of its own (Ed25519) the binding is not defined. */
static const EVP_MD *
hash_of(X509 *certificate)
{
    int hash = NID_undef;

    if (X509_get_signature_info(certificate, &hash, NULL, NULL, NULL) != 1)
        return NULL;
    if (hash == NID_md5 || hash == NID_sha1)
        hash = NID_sha256;
    return hash != NID_undef ? EVP_get_digestbynid(hash) : NULL;
}

/* RFC 5929 section 4. */
static int
give_end_point(const struct smtpc_tls *tls, struct smtpc_tls_binding *binding)
{
    X509 *peer = tls->context->is_server ? NULL : smtpc_tls_peer_certificate(tls->ssl);
    X509 *certificate = tls->context->is_server ? SSL_get_certificate(tls->ssl) : peer;
    const EVP_MD *hash = certificate != NULL ? hash_of(certificate) : NULL;
    unsigned int n = 0;
    int good = hash != NULL && (size_t)EVP_MD_size(hash) <= sizeof binding->octets
        && X509_digest(certificate, hash, binding->octets, &n) == 1;

    X509_free(peer);
    binding->length = n;
    return good ? 0 : -1;
}

static const struct {
    const char *name;
    int (*give)(const struct smtpc_tls *tls, struct smtpc_tls_binding *binding);
} kinds[] = {
    {"tls-exporter", give_exporter},
    {"tls-unique", give_unique},
    {"tls-server-end-point", give_end_point},
};

/* RFC 9266 section 3, RFC 5929 section 5. */
static const char *
usual_names(const struct smtpc_tls *tls)
{
    if (is_tls13(tls->ssl))
        return "tls-exporter tls-server-end-point";
    return has_extended_master_secret(tls) ? "tls-unique tls-exporter tls-server-end-point" : "tls-server-end-point";
}

/* The index of the name, or -1. */
static int
find_kind(const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
            return (int)i;
    return -1;
}

int
smtpc_tls_binding_is_known(const char *names)
{
    while (*(names += strspn(names, " ")) != '\0') {
        size_t n = strcspn(names, " ");

        if (find_kind(names, n) < 0)
            return 0;
        names += n;
    }
    return 1;
}

int
smtpc_tls_binding(const struct smtpc_tls *tls, const char *names, struct smtpc_tls_binding *binding)
{
    const char *word;
    int result = -1;

    if (tls->state == SMTPC_TLS_HANDSHAKING)
        return -1;
    word = names != NULL ? names : usual_names(tls);
    while (result != 0 && *(word += strspn(word, " ")) != '\0') {
        size_t n = strcspn(word, " ");
        int kind = find_kind(word, n);

        memset(binding, 0, sizeof *binding);
        if (kind >= 0 && (result = kinds[kind].give(tls, binding)) == 0)
            strcpy(binding->name, kinds[kind].name);
        word += n;
    }
    ERR_clear_error();
    return result;
}
