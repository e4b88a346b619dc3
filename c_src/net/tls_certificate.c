/* tls_certificate: makes the sandbox's keys and certificates (good ones and bad ones). Never for real use. */
#include "net/tls_certificate.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

/* All that the making needs, so that one function lets go of it. */
struct making {
    X509 *certificate;
    EVP_PKEY *key;
    X509 *issuer;          /* NULL: itself */
    EVP_PKEY *issuer_key;
};

static void
clear(struct making *making)
{
    X509_free(making->certificate);
    EVP_PKEY_free(making->key);
    X509_free(making->issuer);
    EVP_PKEY_free(making->issuer_key);
}

static const struct kind { const char *name; int type; int bits; } kinds[] = {
    {"P-256", EVP_PKEY_EC, 256}, {"RSA-2048", EVP_PKEY_RSA, 2048}, {"RSA-1024", EVP_PKEY_RSA, 1024},
};

static const struct kind *
kind_of(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (name == NULL || strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    return NULL;
}

static int
set_kind(EVP_PKEY_CTX *maker, const struct kind *kind)
{
    if (kind->type == EVP_PKEY_RSA)
        return EVP_PKEY_CTX_set_rsa_keygen_bits(maker, kind->bits);
    return EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1);
}

static EVP_PKEY *
new_key(const struct kind *kind)
{
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(kind->type, NULL);
    EVP_PKEY *key = NULL;

    if (maker == NULL || EVP_PKEY_keygen_init(maker) != 1 || set_kind(maker, kind) != 1
        || EVP_PKEY_keygen(maker, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(maker);
    return key;
}

static int
read_issuer(struct making *making, const struct smtpc_tls_certificate_request *request)
{
    BIO *bio;

    if (request->issuer_pem == NULL)
        return 1;
    bio = BIO_new_mem_buf(request->issuer_pem, -1);
    if (bio != NULL)
        making->issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_mem_buf(request->issuer_key_pem, -1);
    if (bio != NULL)
        making->issuer_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return making->issuer != NULL && making->issuer_key != NULL;
}

static int
set_serial(X509 *certificate)
{
    unsigned char octets[8];
    uint64_t serial = 1;
    size_t i;

    if (RAND_bytes(octets, sizeof octets) != 1)
        return 0;
    for (i = 0; i + 1 < sizeof octets; i++)   /* positive whatever they are */
        serial = serial << 8 | octets[i];
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
}

static int
set_validity(X509 *certificate, const struct smtpc_tls_certificate_request *request)
{
    long until = request->valid_seconds;
    long from = request->valid_from_seconds != 0 ? request->valid_from_seconds : until < 0 ? until - DAY : -HOUR;

    return X509_gmtime_adj(X509_getm_notBefore(certificate), from) != NULL
        && X509_gmtime_adj(X509_getm_notAfter(certificate), until) != NULL;
}

static int
set_names(struct making *making, const char *common_name)
{
    X509_NAME *subject = X509_NAME_new();
    int good;

    if (subject == NULL)
        return 0;
    good = X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0)
        && X509_set_subject_name(making->certificate, subject) == 1
        && X509_set_issuer_name(making->certificate, making->issuer != NULL ? X509_get_subject_name(making->issuer)
                                : subject) == 1;
    X509_NAME_free(subject);
    return good;
}

static int
add_extension(const struct making *making, int nid, const char *value)
{
    X509 *issuer = making->issuer != NULL ? making->issuer : making->certificate;
    X509_EXTENSION *extension;
    X509V3_CTX context;
    int good;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, making->certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL)
        return 0;
    good = X509_add_ext(making->certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return good;
}

/* The issuer's key identifier last: a certificate that signs itself takes its own. */
static int
add_extensions(const struct making *making, const struct smtpc_tls_certificate_request *request)
{
    const char *usage = request->extended_key_usage != NULL ? request->extended_key_usage : "serverAuth,clientAuth";
    int is_ca = request->is_ca;

    return add_extension(making, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE")
        && add_extension(making, NID_key_usage, is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature")
        && (is_ca || usage[0] == '\0' || add_extension(making, NID_ext_key_usage, usage))
        && (request->names == NULL || add_extension(making, NID_subject_alt_name, request->names))
        && add_extension(making, NID_subject_key_identifier, "hash")
        && add_extension(making, NID_authority_key_identifier, "keyid");
}

static int
make(struct making *making, const struct smtpc_tls_certificate_request *request)
{
    EVP_PKEY *signer;

    if (!read_issuer(making, request))
        return 0;
    making->key = new_key(kind_of(request->key));
    making->certificate = X509_new();
    if (making->key == NULL || making->certificate == NULL)
        return 0;
    signer = making->issuer_key != NULL ? making->issuer_key : making->key;
    return X509_set_version(making->certificate, 2)   /* 2 is written v3 */
        && set_serial(making->certificate) && set_validity(making->certificate, request)
        && set_names(making, request->common_name) && X509_set_pubkey(making->certificate, making->key)
        && add_extensions(making, request) && X509_sign(making->certificate, signer, EVP_sha256()) > 0;
}

/* What the BIO holds goes to the buffer. */
static int
move_text(BIO *bio, struct smtpc_buffer *buffer)
{
    char *octets = NULL;
    long n = BIO_get_mem_data(bio, &octets);

    return n > 0 && smtpc_buffer_append(buffer, octets, (size_t)n) == 0;
}

static int
write_pem(const struct making *making, struct smtpc_buffer *certificate_pem, struct smtpc_buffer *key_pem)
{
    BIO *certificate = BIO_new(BIO_s_mem());
    BIO *key = BIO_new(BIO_s_mem());
    int good = certificate != NULL && key != NULL && PEM_write_bio_X509(certificate, making->certificate) == 1
        && PEM_write_bio_PrivateKey(key, making->key, NULL, NULL, 0, NULL, NULL) == 1
        && move_text(certificate, certificate_pem) && move_text(key, key_pem);

    BIO_free(certificate);
    BIO_free(key);
    return good;
}

int
smtpc_tls_certificate_make(const struct smtpc_tls_certificate_request *request, struct smtpc_buffer *certificate_pem,
                           struct smtpc_buffer *key_pem, struct smtpc_error *error)
{
    struct making making = {NULL, NULL, NULL, NULL};
    int good;

    if (request->issuer_pem != NULL && request->issuer_key_pem == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "an issuer's certificate is given without its key");
    if (kind_of(request->key) == NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "key: \"%.40s\" is none of P-256, RSA-2048, RSA-1024",
                               request->key);
    ERR_clear_error();
    good = make(&making, request) && write_pem(&making, certificate_pem, key_pem);
    if (!good)
        smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "cannot make a certificate for %.100s: %s", request->common_name,
                        smtpc_tls_take_reason());
    ERR_clear_error();
    clear(&making);
    return good ? 0 : -1;
}
