/* tls_text: certificates in words: names, dates, PEM; those of the peer kept together. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

enum { NAMES_SHOWN = 6 };

/* What was written to the BIO, which it frees; NULL stays NULL. */
static char *
take_text(BIO *bio)
{
    char *octets = NULL;
    long n;
    char *text;

    if (bio == NULL)
        return NULL;
    n = BIO_get_mem_data(bio, &octets);
    text = malloc((size_t)n + 1);
    if (text != NULL) {
        if (n > 0)
            memcpy(text, octets, (size_t)n);
        text[n] = '\0';
    }
    BIO_free(bio);
    return text;
}

static char *
text_of_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio != NULL && name != NULL)
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
    return take_text(bio);
}

char *
smtpc_tls_text_subject(const X509 *certificate)
{
    return text_of_name(X509_get_subject_name(certificate));
}

char *
smtpc_tls_text_issuer(const X509 *certificate)
{
    return text_of_name(X509_get_issuer_name(certificate));
}

static char *
text_of_pem(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio != NULL && PEM_write_bio_X509(bio, certificate) != 1) {
        BIO_free(bio);
        return NULL;
    }
    return take_text(bio);
}

static void
print_names(BIO *bio, const GENERAL_NAMES *names)
{
    int shown = 0;
    int i;

    for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type != GEN_DNS && name->type != GEN_IPADD)
            continue;
        if (shown == NAMES_SHOWN) {
            BIO_puts(bio, ", ...");
            return;
        }
        if (shown++ > 0)
            BIO_puts(bio, ", ");
        GENERAL_NAME_print(bio, name);
    }
}

char *
smtpc_tls_text_names(X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio != NULL && names != NULL)
        print_names(bio, names);
    GENERAL_NAMES_free(names);
    return take_text(bio);
}

void
smtpc_tls_text_time(const ASN1_TIME *asn1_time, char text[SMTPC_TLS_TIME_MAX])
{
    struct tm time;

    text[0] = '\0';
    if (asn1_time != NULL && ASN1_TIME_to_tm(asn1_time, &time) == 1)
        if (strftime(text, SMTPC_TLS_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &time) == 0)
            text[0] = '\0';
}

X509 *
smtpc_tls_peer_certificate(const SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return SSL_get1_peer_certificate(ssl);
#else
    return SSL_get_peer_certificate(ssl);
#endif
}

int
smtpc_tls_peer_note(struct smtpc_tls_peer *peer, const SSL *ssl)
{
    X509 *certificate = smtpc_tls_peer_certificate(ssl);

    if (certificate == NULL)
        return 0;
    peer->subject = smtpc_tls_text_subject(certificate);
    peer->issuer = smtpc_tls_text_issuer(certificate);
    smtpc_tls_text_time(X509_get0_notAfter(certificate), peer->not_after);
    X509_free(certificate);
    return peer->subject != NULL && peer->issuer != NULL ? 0 : -1;
}

const char *
smtpc_tls_peer_read_pem(struct smtpc_tls_peer *peer, const SSL *ssl)
{
    X509 *certificate = peer->pem == NULL ? smtpc_tls_peer_certificate(ssl) : NULL;

    if (certificate != NULL)
        peer->pem = text_of_pem(certificate);
    X509_free(certificate);
    return peer->pem;
}

void
smtpc_tls_peer_clear(struct smtpc_tls_peer *peer)
{
    free(peer->subject);
    free(peer->issuer);
    free(peer->pem);
    memset(peer, 0, sizeof *peer);
}
