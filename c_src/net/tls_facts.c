/* tls_facts: what a finished handshake has to tell. */
#include "net/tls.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "net/tls_inside.h"

static const char *
matched_name(const struct smtpc_tls *tls)
{
    const char *name = X509_VERIFY_PARAM_get0_peername(SSL_get0_param(tls->ssl));

    if (!tls->context->checks_name)
        return "";
    if (name == NULL && SSL_session_reused(tls->ssl))
        name = tls->resumption.matched;
    if (name == NULL && strcmp(tls->trust, "chain") == 0)
        name = tls->name;   /* OpenSSL gives none for an address: it was equal */
    return name != NULL ? name : "";
}

static const char *
group_of(SSL *ssl)
{
#ifdef SSL_get_negotiated_group
    const char *name = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));

    return name != NULL ? name : "";
#else
    (void)ssl;
    return "";
#endif
}

void
smtpc_tls_facts(const struct smtpc_tls *tls, struct smtpc_tls_facts *facts)
{
    facts->version = SSL_get_version(tls->ssl);
    facts->cipher = SSL_get_cipher_name(tls->ssl);
    facts->verified = tls->is_verified;
    facts->trust = tls->trust;
    facts->stapled = tls->is_stapled;
    facts->name = matched_name(tls);
    facts->subject = tls->peer.subject != NULL ? tls->peer.subject : "";
    facts->issuer = tls->peer.issuer != NULL ? tls->peer.issuer : "";
    facts->not_after = tls->peer.not_after;
    facts->group = group_of(tls->ssl);
    facts->resumed = SSL_session_reused(tls->ssl);
}

const char *
smtpc_tls_peer_pem(struct smtpc_tls *tls)
{
    const char *pem = smtpc_tls_peer_read_pem(&tls->peer, tls->ssl);

    ERR_clear_error();
    return pem;
}
