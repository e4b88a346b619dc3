/* Tests of tls_der: the subject that it finds is OpenSSL's; names that OpenSSL takes for the same have one mark. */
#include "net/tls_bundle.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "tap.h"
#include "tls_attempt.h"

enum { ROUNDS = 2000, FIELDS = 3 };

struct field {
    int type;                        /* of string; 0: no more */
    const char *name;
    const char *text;
    int length;                      /* -1: a C string */
    int set;                         /* -1: into the same set as the one before */
};

static X509_NAME *
name_of(const struct field *fields)
{
    X509_NAME *name = X509_NAME_new();
    int i;

    for (i = 0; i < FIELDS && fields[i].type != 0; i++)
        must(X509_NAME_add_entry_by_txt(name, fields[i].name, fields[i].type, (const unsigned char *)fields[i].text,
                                        fields[i].length, -1, fields[i].set) == 1, "a name cannot be made");
    return name;
}

static uint32_t
mark_of(X509_NAME *name)
{
    const unsigned char *octets = NULL;
    size_t n = 0;

    must(X509_NAME_get0_der(name, &octets, &n) == 1, "a name has no DER");
    return smtpc_tls_name_mark(octets, n);
}

static void
test_same(const char *what, const struct field *one, const struct field *other, int is_sure)
{
    X509_NAME *a = name_of(one);
    X509_NAME *b = name_of(other);

    ok(X509_NAME_cmp(a, b) == 0, "the same for OpenSSL: %s", what);
    if (is_sure)
        ok(mark_of(a) == mark_of(b) && mark_of(a) != 0, "... and by their marks");
    else
        ok(mark_of(a) == 0 || mark_of(b) == 0, "... and nobody claims the contrary");
    X509_NAME_free(a);
    X509_NAME_free(b);
}

static void
test_marks(void)
{
    static const struct field plain[] = {
        {V_ASN1_PRINTABLESTRING, "C", "DE", -1, 0}, {V_ASN1_PRINTABLESTRING, "O", "Good Mail", -1, 0},
        {0, 0, 0, 0, 0}};
    static const struct field utf8[] = {
        {V_ASN1_UTF8STRING, "C", "de", -1, 0}, {V_ASN1_UTF8STRING, "O", "  gOOD \t  mail ", -1, 0},
        {0, 0, 0, 0, 0}};
    static const struct field teletex[] = {
        {V_ASN1_T61STRING, "C", "DE", -1, 0}, {V_ASN1_IA5STRING, "O", "GOOD MAIL", -1, 0}, {0, 0, 0, 0, 0}};
    static const struct field wide[] = {
        {V_ASN1_PRINTABLESTRING, "C", "DE", -1, 0},
        {V_ASN1_BMPSTRING, "O", "\0G\0o\0o\0d\0 \0M\0a\0i\0l", 18, 0}, {0, 0, 0, 0, 0}};
    static const struct field latin[] = {{V_ASN1_T61STRING, "O", "M\xfcller Mail", -1, 0}, {0, 0, 0, 0, 0}};
    static const struct field accent[] = {{V_ASN1_UTF8STRING, "O", "m\xc3\xbcller  MAIL", -1, 0}, {0, 0, 0, 0, 0}};
    static const struct field set[] = {
        {V_ASN1_UTF8STRING, "O", "x", -1, 0}, {V_ASN1_UTF8STRING, "OU", "y", -1, -1}, {0, 0, 0, 0, 0}};
    static const struct field swapped[] = {
        {V_ASN1_UTF8STRING, "OU", "y", -1, 0}, {V_ASN1_UTF8STRING, "O", "X", -1, -1}, {0, 0, 0, 0, 0}};
    static const struct field none[] = {{0, 0, 0, 0, 0}};
    X509_NAME *a = name_of(plain);
    X509_NAME *b = name_of(set);

    test_same("case, blanks, kinds of string", plain, utf8, 1);
    test_same("more kinds", plain, teletex, 1);
    test_same("two octets a character", plain, wide, 0);
    test_same("outside ASCII", latin, accent, 1);
    test_same("the order within a set", set, swapped, 1);
    test_same("an empty name", none, none, 1);
    ok(mark_of(a) != mark_of(b), "others differ");
    ok(smtpc_tls_name_mark((const unsigned char *)"junk", 4) == 0, "what is no name may be any");
    X509_NAME_free(a);
    X509_NAME_free(b);
}

/* What is said of the octets must be what OpenSSL says of them, or nothing. */
static int
agrees(const unsigned char *octets, size_t n)
{
    const unsigned char *rest = octets;
    size_t length = 0;
    const unsigned char *subject = smtpc_tls_subject_of(octets, n, &length);
    X509 *certificate = subject != NULL ? d2i_X509(NULL, &rest, (long)n) : NULL;
    const unsigned char *expected = NULL;
    size_t expected_length = 0;
    int good = 1;

    if (certificate != NULL && rest == octets + n)
        good = X509_NAME_get0_der(X509_get_subject_name(certificate), &expected, &expected_length) == 1
            && length == expected_length && memcmp(subject, expected, length) == 0;
    X509_free(certificate);
    ERR_clear_error();
    return good;
}

static size_t
place(unsigned char high, unsigned char low, size_t n)
{
    return ((size_t)high << 8 | low) % n;
}

static void
test_damage(const unsigned char *octets, size_t n)
{
    unsigned char *damaged = malloc(n);
    unsigned char where[4];
    size_t length = 0;
    int good = 1;
    int i;

    for (i = 0; good && i < ROUNDS; i++) {
        RAND_bytes(where, sizeof where);
        memcpy(damaged, octets, n);
        damaged[place(where[0], where[1], n)] = where[2];
        if (where[3] & 1)
            damaged[place(where[2], where[3], n)] ^= 0x80;
        good = agrees(damaged, n);
        if (good)
            good = smtpc_tls_subject_of(octets, place(where[0], where[3], n), &length) == NULL;
    }
    ok(good, "damaged certificates");
    free(damaged);
}

static void
test_subject(void)
{
    struct identity identity;
    unsigned char *octets = NULL;
    X509 *certificate;
    size_t length = 0;
    int n;

    identity_make(&identity, "mail", "DNS:localhost", YEAR, 0, NULL);
    certificate = certificate_of(&identity);
    n = i2d_X509(certificate, &octets);
    must(n > 0, "no DER");
    ok(agrees(octets, (size_t)n) && smtpc_tls_subject_of(octets, (size_t)n, &length) != NULL, "the subject is found");
    ok(smtpc_tls_subject_of(octets, (size_t)n - 1, &length) == NULL, "cut off");
    ok(smtpc_tls_subject_of(octets, 0, &length) == NULL, "nothing");
    test_damage(octets, (size_t)n);
    OPENSSL_free(octets);
    X509_free(certificate);
    identity_clear(&identity);
}

int
main(void)
{
    test_marks();
    test_subject();
    return tap_done();
}
