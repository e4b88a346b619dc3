/* test_tls_staple: stapled OCSP answers, good ones and all that can be wrong with them. */
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_family.h"

enum { MINUTE = 60, STAPLE_MAX = 65536 };

/* What an answer says and who says it. */
struct answer {
    const struct identity *about;
    const struct identity *issuer;   /* of about */
    const struct identity *signer;
    int status;
    long from;
    long until;                      /* 0: not said */
    int lacks_certificate;           /* of the signer */
    const EVP_MD *md;                /* of the certificate's id; NULL: SHA-1 */
};

/* Octets that the server staples, as long as there are any. */
static unsigned char staple[STAPLE_MAX];
static int staple_length;
static int was_asked;

static void
add_status(OCSP_BASICRESP *basic, const struct answer *answer)
{
    X509 *about = certificate_of(answer->about);
    X509 *issuer = certificate_of(answer->issuer);
    OCSP_CERTID *id = OCSP_cert_to_id(answer->md != NULL ? answer->md : EVP_sha1(), about, issuer);
    ASN1_TIME *begin = X509_gmtime_adj(NULL, answer->from);
    ASN1_TIME *end = answer->until != 0 ? X509_gmtime_adj(NULL, answer->until) : NULL;
    ASN1_TIME *revoked = answer->status == V_OCSP_CERTSTATUS_REVOKED ? X509_gmtime_adj(NULL, -DAY) : NULL;

    must(OCSP_basic_add1_status(basic, id, answer->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked, begin, end)
         != NULL, "no status");
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    ASN1_TIME_free(revoked);
    OCSP_CERTID_free(id);
    X509_free(about);
    X509_free(issuer);
}

static void
take_response(OCSP_RESPONSE *response)
{
    unsigned char *end = staple;

    staple_length = i2d_OCSP_RESPONSE(response, NULL);
    must(staple_length > 0 && staple_length <= STAPLE_MAX, "no answer");
    i2d_OCSP_RESPONSE(response, &end);
    OCSP_RESPONSE_free(response);
}

static void
write_answer(const struct answer *answer)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *signer = certificate_of(answer->signer);
    EVP_PKEY *key = key_of(answer->signer);

    add_status(basic, answer);
    must(OCSP_basic_sign(basic, signer, key, EVP_sha256(), NULL, answer->lacks_certificate ? OCSP_NOCERTS : 0) == 1,
         "an answer cannot be signed");
    take_response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic));
    OCSP_BASICRESP_free(basic);
    EVP_PKEY_free(key);
    X509_free(signer);
}

static int
give_staple(SSL *ssl, void *unused)
{
    unsigned char *copy = OPENSSL_malloc((size_t)staple_length + 1);

    (void)unused;
    was_asked = 1;
    if (staple_length == 0) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_NOACK;
    }
    memcpy(copy, staple, (size_t)staple_length);
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, staple_length);
    return SSL_TLSEXT_ERR_OK;
}

static int
staple_result(struct smtpc_tls_context *server, int must_staple)
{
    struct smtpc_tls_options options = {0};

    SSL_CTX_set_tlsext_status_cb(server->ssl_ctx, give_staple);
    options.ca_file = path_of("ca.pem");
    options.must_staple = must_staple;
    return attempt(&options, server, "localhost");
}

static int
answer_result(const struct family *family, const struct answer *answer)
{
    write_answer(answer);
    return staple_result(answer->about == &family->deep ? family->deep_server : family->server, 1);
}

static struct answer
good_answer(const struct family *family)
{
    struct answer answer = {0};

    answer.about = &family->mail;
    answer.issuer = &family->ca;
    answer.signer = &family->ca;
    answer.status = V_OCSP_CERTSTATUS_GOOD;
    answer.from = -DAY;
    answer.until = DAY;
    return answer;
}

static void
test_good_answers(const struct family *family)
{
    struct answer answer = good_answer(family);

    ok(answer_result(family, &answer) == 1 && last.stapled && last.verified, "a good answer");
    SSL_CTX_set_max_proto_version(family->server->ssl_ctx, TLS1_2_VERSION);
    ok(answer_result(family, &answer) == 1 && last.stapled, "... in TLS 1.2");
    SSL_CTX_set_max_proto_version(family->server->ssl_ctx, 0);
    answer.lacks_certificate = 1;
    ok(answer_result(family, &answer) == 1 && last.stapled, "... without the issuer's certificate");
    answer.md = EVP_sha256();
    ok(answer_result(family, &answer) == 1 && last.stapled, "... that names the certificate by SHA-256");
    answer = good_answer(family);
    answer.about = &family->deep;
    answer.issuer = answer.signer = &family->between;
    ok(answer_result(family, &answer) == 1 && last.stapled, "... of an authority between");
    answer = good_answer(family);
    answer.from = MINUTE;
    ok(answer_result(family, &answer) == 1, "clocks may differ by a minute: begins soon");
    answer.from = -DAY;
    answer.until = -MINUTE;
    ok(answer_result(family, &answer) == 1, "... has just ended");
    answer.until = 0;
    answer.from = -DAY / 2;
    ok(answer_result(family, &answer) == 1, "one that names no end, half a day old");
}

static void
test_times(const struct family *family)
{
    struct answer answer = good_answer(family);

    answer.until = -DAY / 2;
    refused(answer_result(family, &answer), "is out of date", "an answer that has ended");
    answer = good_answer(family);
    answer.from = DAY / 2;
    refused(answer_result(family, &answer), "clock is wrong", "an answer that has not begun");
    answer.from = -2 * DAY;
    answer.until = 0;
    refused(answer_result(family, &answer), "is out of date", "one that names no end, two days old");
}

static void
test_statuses(const struct family *family)
{
    struct answer answer = good_answer(family);

    answer.status = V_OCSP_CERTSTATUS_REVOKED;
    refused(answer_result(family, &answer), "was revoked by its issuer on 2", "revoked");
    ok(strstr(last.error.text, "keyCompromise") != NULL, "... with the reason");
    answer.status = V_OCSP_CERTSTATUS_UNKNOWN;
    refused(answer_result(family, &answer), "does not know the certificate", "unknown");
    answer = good_answer(family);
    answer.about = &family->between;
    write_answer(&answer);
    refused(staple_result(family->server, 0), "is about another certificate", "another certificate's answer");
}

/* Who may answer for an issuer: itself, and whom it has given a certificate for that. */
static void
test_signers(const struct family *family)
{
    struct smtpc_tls_certificate_request request = {0};
    struct answer answer = good_answer(family);
    struct identity responder;
    struct identity pretender;

    request.common_name = "responder";
    request.valid_seconds = YEAR;
    request.extended_key_usage = "OCSPSigning";
    identity_of(&responder, request, &family->ca);
    identity_of(&pretender, request, &family->stranger);
    answer.signer = &responder;
    ok(answer_result(family, &answer) == 1 && last.stapled, "a responder that the issuer has named");
    answer.signer = &pretender;
    refused(answer_result(family, &answer), "not signed by", "a responder of a stranger");
    answer.signer = &family->stranger;
    refused(answer_result(family, &answer), "not signed by", "a stranger of the issuer's name");
    answer.signer = &family->mail;
    refused(answer_result(family, &answer), "not signed by", "the server itself");
    answer.signer = &family->between;
    refused(answer_result(family, &answer), "not signed by", "an authority below the issuer");
    answer.about = &family->deep;
    answer.issuer = &family->between;
    answer.signer = &family->ca;
    refused(answer_result(family, &answer), "not signed by", "an authority above the issuer");
    identity_clear(&responder);
    identity_clear(&pretender);
}

static void
test_damage(const struct family *family)
{
    struct answer answer = good_answer(family);

    answer.lacks_certificate = 1;
    write_answer(&answer);
    staple[staple_length - 1] ^= 1;   /* of the signature */
    refused(staple_result(family->server, 0), "not signed by", "damaged");
    write_answer(&answer);
    staple_length -= 10;
    refused(staple_result(family->server, 0), "cannot be read", "cut off");
    memcpy(staple, "nonsense", 8);
    staple_length = 8;
    refused(staple_result(family->server, 0), "cannot be read", "nonsense");
    refused(staple_result(family->server, 1), "cannot be read", "... with must_staple too");
}

static void
test_no_answer(const struct family *family)
{
    staple_length = 0;
    was_asked = 0;
    ok(staple_result(family->server, 0) == 1 && last.verified && !last.stapled, "no answer is no fault");
    ok(was_asked, "... although one was asked for");
    refused(staple_result(family->server, 1), "came no OCSP answer", "must_staple and none");
    take_response(OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL));
    ok(staple_result(family->server, 0) == 1 && !last.stapled, "\"try later\" is as good as none");
    refused(staple_result(family->server, 1), "says only that there is none", "must_staple and \"try later\"");
}

/* Where the issuer was not verified no answer can be. */
static void
test_unverified_issuer(const struct family *family)
{
    struct smtpc_tls_options options = {0};
    X509 *certificate = certificate_of(&family->mail);
    struct answer answer = good_answer(family);
    char text[SMTPC_TLS_DIGEST_TEXT_MAX];

    smtpc_tls_digest_text(certificate, SMTPC_TLS_OF_CERTIFICATE, text);
    write_answer(&answer);
    options.ca_file = path_of("ca.pem");
    options.fingerprints = text;
    ok(attempt(&options, family->server, "other.test") == 1 && !last.stapled,
       "beside a fingerprint an answer that cannot be checked does not count");
    options.must_staple = 1;
    refused(attempt(&options, family->server, "other.test"), "cannot be checked",
            "... and is not enough for must_staple");
    ok(attempt(&options, family->server, "localhost") == 1 && last.stapled, "... where the chain is good it counts");
    X509_free(certificate);
}

static void
test_contradiction(const struct family *family)
{
    struct smtpc_tls_options options = {0};

    options.insecure_no_verify = 1;
    was_asked = 0;
    ok(attempt(&options, family->server, "localhost") == 1 && !was_asked, "without verification none is asked for");
    options.must_staple = 1;
    ok(attempt(&options, family->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE,
       "must_staple without verification: %s", last.error.text);
}

int
main(void)
{
    struct family family;

    family_open(&family);
    test_good_answers(&family);
    test_times(&family);
    test_statuses(&family);
    test_signers(&family);
    test_damage(&family);
    test_no_answer(&family);
    test_unverified_issuer(&family);
    test_contradiction(&family);
    family_close(&family);
    return tap_done();
}
