/* tls_digest: digests of certificates and of their keys, in octets, in hex, and as the options spell them. */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"

enum { SHA256_LENGTH = 32 };

static int
hex_value(char c)
{
    static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
    const char *p = c != '\0' ? strchr(digits, c) : NULL;

    return p != NULL ? (int)(p - digits) / 2 : -1;
}

ssize_t
smtpc_tls_read_hex(const char *p, size_t n, const char *skipped, unsigned char *octets, size_t room)
{
    size_t digits = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        int value = hex_value(p[i]);

        if (value < 0 && p[i] != '\0' && strchr(skipped, p[i]) != NULL)
            continue;
        if (value < 0 || digits == 2 * room)
            return -1;
        octets[digits / 2] = (unsigned char)(digits % 2 == 0 ? value << 4 : octets[digits / 2] | value);
        digits++;
    }
    return digits % 2 == 0 ? (ssize_t)(digits / 2) : -1;
}

/* X509_pubkey_digest is of the bit string alone: another one than that of the SubjectPublicKeyInfo. */
size_t
smtpc_tls_digest_make(const X509 *certificate, enum smtpc_tls_digest_of of, const char *algorithm,
                      unsigned char octets[SMTPC_TLS_DIGEST_MAX])
{
    const EVP_MD *md = EVP_get_digestbyname(algorithm);
    unsigned char *info = NULL;
    unsigned int length = 0;
    int good = md != NULL;
    int n;

    if (good && of == SMTPC_TLS_OF_CERTIFICATE)
        good = X509_digest(certificate, md, octets, &length);
    else if (good && of == SMTPC_TLS_OF_KEY_BITS)
        good = X509_pubkey_digest(certificate, md, octets, &length);
    else if (good) {
        n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &info);
        good = n > 0 && EVP_Digest(info, (size_t)n, octets, &length, md, NULL);
        OPENSSL_free(info);
    }
    return good ? length : 0;
}

static void
write_hex(const unsigned char *octets, size_t n, char *text)
{
    size_t i;

    for (i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

void
smtpc_tls_digest_text(const X509 *certificate, enum smtpc_tls_digest_of of, char text[SMTPC_TLS_DIGEST_TEXT_MAX])
{
    static const char *const prefixes[] = {"sha256$", "sha256$pub$", "sha256//"};
    unsigned char octets[SMTPC_TLS_DIGEST_MAX];
    char *behind = text + strlen(prefixes[of]);

    text[0] = '\0';
    if (smtpc_tls_digest_make(certificate, of, "sha256", octets) != SHA256_LENGTH)
        return;
    strcpy(text, prefixes[of]);
    if (of == SMTPC_TLS_OF_KEY_INFO)
        EVP_EncodeBlock((unsigned char *)behind, octets, SHA256_LENGTH);
    else
        write_hex(octets, SHA256_LENGTH, behind);
}

void
smtpc_tls_record_text(const X509 *certificate, char text[SMTPC_TLS_DIGEST_TEXT_MAX])
{
    unsigned char octets[SMTPC_TLS_DIGEST_MAX];

    text[0] = '\0';
    if (smtpc_tls_digest_make(certificate, SMTPC_TLS_OF_KEY_INFO, "sha256", octets) != SHA256_LENGTH)
        return;
    strcpy(text, "3 1 1 ");
    write_hex(octets, SHA256_LENGTH, text + strlen(text));
}
