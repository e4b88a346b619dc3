/* cram_md5: CRAM-MD5 (RFC 2195): the digest of the challenge exactly as it came. */
#include "sasl/cram_md5.h"

#include "codec/digest.h"

enum { NOTHING_SENT, DIGEST_SENT };

/* The octets are never trimmed nor repaired: a server that damages its challenge on the way out has digested
 * something, and what it sent is the only guess that is not invented. */
static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    unsigned char digest[SMTPC_DIGEST_SIZE_MAX];
    char hex[2 * SMTPC_DIGEST_SIZE_MAX + 1];

    if (sasl->state != NOTHING_SENT) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "CRAM-MD5: the server sends a second challenge");
        return SMTPC_SASL_CANCEL;
    }
    if (smtpc_digest_hmac(SMTPC_DIGEST_MD5, sasl->secret.bytes, sasl->secret.length, challenge->octets,
                          challenge->length, digest) != 0) {
        smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "CRAM-MD5: this OpenSSL gives no MD5");
        return SMTPC_SASL_CANCEL;
    }
    smtpc_digest_hex(digest, smtpc_digest_size(SMTPC_DIGEST_MD5), hex);
    sasl->state = DIGEST_SENT;
    if (smtpc_buffer_append(out, sasl->user.bytes, sasl->user.length) == 0
        && smtpc_buffer_append_octet(out, ' ') == 0 && smtpc_buffer_append_string(out, hex) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

const struct smtpc_sasl_mechanism smtpc_sasl_cram_md5 = {
    .name = "CRAM-MD5",
    .strength = 50,
    .strength_trusted = 50,
    .answer = answer,
};
