/* scram: SCRAM (RFC 5802, RFC 7677): three messages of ours, and the server's proof before anything is believed. */
#include "sasl/scram.h"

#include <string.h>

#include "base/secret.h"
#include "codec/base64.h"
#include "codec/digest.h"
#include "sasl/salted.h"
#include "sasl/scram_proof.h"
#include "sasl/scram_read.h"
#include "sasl/scram_write.h"

enum { NOTHING_SENT, FIRST_SENT, FINAL_SENT, VERIFIED, REFUSED };

enum { NONCE_SIZE = 18 };

static const struct {
    const struct smtpc_sasl_mechanism *row;
    enum smtpc_digest digest;
} digests[] = {
    {&smtpc_sasl_scram_sha_512_plus, SMTPC_DIGEST_SHA512}, {&smtpc_sasl_scram_sha_512, SMTPC_DIGEST_SHA512},
    {&smtpc_sasl_scram_sha_256_plus, SMTPC_DIGEST_SHA256}, {&smtpc_sasl_scram_sha_256, SMTPC_DIGEST_SHA256},
    {&smtpc_sasl_scram_sha_1_plus, SMTPC_DIGEST_SHA1},     {&smtpc_sasl_scram_sha_1, SMTPC_DIGEST_SHA1},
};

static enum smtpc_digest
digest_of(const struct smtpc_sasl *sasl)
{
    size_t i = 0;

    while (digests[i].row != sasl->mechanism)
        i++;
    return digests[i].digest;
}

static enum smtpc_sasl_verdict
out_of_memory(struct smtpc_error *error)
{
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

static enum smtpc_sasl_verdict
no_digest(const struct smtpc_sasl *sasl, struct smtpc_error *error)
{
    smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "%s: this OpenSSL refuses what it needs (hash, HMAC, PBKDF2,"
                    " random octets)", sasl->mechanism->name);
    return SMTPC_SASL_CANCEL;
}

/* ---- the first message ---- */

enum smtpc_sasl_verdict
smtpc_scram_begin(struct smtpc_sasl *sasl, const char *nonce, size_t n, struct smtpc_buffer *out,
                  struct smtpc_error *error)
{
    smtpc_buffer_truncate(&sasl->scratch, 0);
    if (sasl->mechanism->binds && sasl->binding.length == 0) {
        smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s needs a channel binding, and this connection has none",
                        sasl->mechanism->name);
        return SMTPC_SASL_CANCEL;
    }
    if (smtpc_scram_write_first(sasl, nonce, n, &sasl->scratch) != 0
        || smtpc_buffer_append(out, sasl->scratch.bytes, sasl->scratch.length) != 0)
        return out_of_memory(error);
    sasl->state = FIRST_SENT;
    return SMTPC_SASL_ANSWER;
}

static enum smtpc_sasl_verdict
say_first(struct smtpc_sasl *sasl, struct smtpc_buffer *out, struct smtpc_error *error)
{
    unsigned char octets[NONCE_SIZE];
    struct smtpc_buffer nonce;
    enum smtpc_sasl_verdict verdict;

    if (smtpc_digest_random(octets, sizeof octets) != 0)
        return no_digest(sasl, error);
    smtpc_buffer_init(&nonce, smtpc_base64_encoded_size(sizeof octets));
    verdict = smtpc_base64_encode((const char *)octets, sizeof octets, &nonce) == 0
                  ? smtpc_scram_begin(sasl, nonce.bytes, nonce.length, out, error)
                  : out_of_memory(error);
    smtpc_buffer_clear(&nonce);
    return verdict;
}

/* ---- the second ---- */

static int
prove(const struct smtpc_sasl *sasl, const struct smtpc_scram_server_first *first, const struct smtpc_buffer *message,
      struct smtpc_scram_proof *proof)
{
    struct smtpc_salted salted = {digest_of(sasl), smtpc_sasl_prepared_user(sasl),
                                  smtpc_sasl_prepared_secret(sasl), &first->salt, first->iterations};
    unsigned char password[SMTPC_DIGEST_SIZE_MAX];
    int result = -1;

    if (smtpc_salted_password(&salted, password) >= 0)
        result = smtpc_scram_prove(salted.digest, password, message, proof);
    smtpc_secret_wipe(password, sizeof password);
    return result;
}

/* From here on scratch holds what the server must say. */
static enum smtpc_sasl_verdict
append_proof(struct smtpc_sasl *sasl, const struct smtpc_scram_server_first *first,
             const struct smtpc_buffer *message, struct smtpc_buffer *out, struct smtpc_error *error)
{
    size_t n = smtpc_digest_size(digest_of(sasl));
    struct smtpc_scram_proof proof;
    int failed = 1;

    if (prove(sasl, first, message, &proof) != 0) {
        smtpc_secret_wipe(&proof, sizeof proof);
        return no_digest(sasl, error);
    }
    smtpc_buffer_truncate(&sasl->scratch, 0);
    if (smtpc_buffer_append(&sasl->scratch, (const char *)proof.server, n) == 0
        && smtpc_buffer_append_string(out, ",p=") == 0)
        failed = smtpc_base64_encode((const char *)proof.client, n, out);
    smtpc_secret_wipe(&proof, sizeof proof);
    if (failed)
        return out_of_memory(error);
    sasl->state = FINAL_SENT;
    return SMTPC_SASL_ANSWER;
}

static enum smtpc_sasl_verdict
say_final(struct smtpc_sasl *sasl, struct smtpc_scram_text server_first, struct smtpc_buffer *out,
          struct smtpc_error *error)
{
    struct smtpc_scram_first ours = smtpc_scram_first_of(&sasl->scratch);
    struct smtpc_scram_terms terms = {
        sasl->mechanism->name, ours.nonce,
        sasl->iterations_min > 0 ? sasl->iterations_min : SMTPC_SASL_ITERATIONS_MIN,
        sasl->iterations_max > 0 ? sasl->iterations_max : SMTPC_SASL_ITERATIONS_MAX,
    };
    struct smtpc_scram_server_first theirs;
    struct smtpc_buffer message;
    enum smtpc_sasl_verdict verdict = smtpc_scram_read_first(&terms, server_first, &theirs, error);

    smtpc_buffer_init(&message, SMTPC_SCRAM_WRITTEN_MAX);
    if (verdict == SMTPC_SASL_ANSWER)
        verdict = smtpc_scram_write_final(sasl, ours.header, theirs.nonce, out) == 0
                && smtpc_scram_write_auth(ours.bare, server_first, out, &message) == 0
            ? append_proof(sasl, &theirs, &message, out, error)
            : out_of_memory(error);
    smtpc_buffer_clear(&message);
    smtpc_buffer_clear(&theirs.salt);
    return verdict;
}

/* ---- what the server says of it ---- */

/* The two that a server says when what we saw of the connection is not what it saw. */
static const char *
suspicion_of(struct smtpc_scram_text value)
{
    if (smtpc_scram_is(value, "channel-bindings-dont-match"))
        return "the server's end of TLS is not ours";
    if (smtpc_scram_is(value, "server-does-support-channel-binding"))
        return "the server offers -PLUS, and its list came here without it";
    return NULL;
}

static enum smtpc_sasl_verdict
hear_error(struct smtpc_sasl *sasl, struct smtpc_scram_text value, struct smtpc_error *error)
{
    const char *suspicion = suspicion_of(value);

    smtpc_sasl_note_said(sasl, value.octets, value.length);
    smtpc_buffer_truncate(&sasl->scratch, 0);
    sasl->state = REFUSED;
    if (suspicion == NULL)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: %s (\"%s\"): somebody may stand between (possible downgrade)",
                    sasl->mechanism->name, suspicion, sasl->said);
    return SMTPC_SASL_ABORT;
}

/* 0 when the message proves that the server knows the password. */
static int
verify(struct smtpc_sasl *sasl, struct smtpc_scram_text message, struct smtpc_error *error)
{
    const char *name = sasl->mechanism->name;
    const struct smtpc_buffer *expected = &sasl->scratch;
    struct smtpc_buffer signature;
    int result;

    smtpc_buffer_init(&signature, SMTPC_SCRAM_MESSAGE_MAX);
    result = smtpc_scram_read_final(name, message, &signature, error);
    if (result == 0 && (signature.length != expected->length
                        || !smtpc_secret_equal(signature.bytes, expected->bytes, expected->length)))
        result = smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's signature is wrong: it does not know the"
                                 " password, or somebody stands between", name);
    smtpc_buffer_clear(&signature);
    smtpc_buffer_truncate(&sasl->scratch, 0);
    sasl->state = result == 0 ? VERIFIED : REFUSED;
    return result;
}

static enum smtpc_sasl_verdict
hear(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
     struct smtpc_error *error)
{
    struct smtpc_scram_text message = {challenge->length > 0 ? challenge->octets : "", challenge->length}, value;

    if (sasl->state != FIRST_SENT && sasl->state != FINAL_SENT) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server goes on when all is said", sasl->mechanism->name);
        return SMTPC_SASL_CANCEL;
    }
    if (smtpc_scram_is_error(message, &value))
        return hear_error(sasl, value, error);
    if (sasl->state == FIRST_SENT)
        return say_final(sasl, message, out, error);
    return verify(sasl, message, error) == 0 ? SMTPC_SASL_ANSWER : SMTPC_SASL_ABORT;
}

static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    return sasl->state == NOTHING_SENT ? say_first(sasl, out, error) : hear(sasl, challenge, out, error);
}

/* Some servers say v= behind 235 instead of in a challenge. */
static int
finish(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error)
{
    const char *name = sasl->mechanism->name;

    if (sasl->state == FINAL_SENT && last != NULL && last->length > 1 && memcmp(last->octets, "v=", 2) == 0) {
        struct smtpc_scram_text message = {last->octets, last->length};

        return verify(sasl, message, error);
    }
    if (sasl->state == VERIFIED)
        return 0;
    if (sasl->said[0] != '\0')
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: success after the server said \"%s\"", name, sasl->said);
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server says success and has given no signature: it may"
                           " not know the password", name);
}

/* ---- the rows ---- */

#define ROW(NAME, STRENGTH, BINDS) \
    { \
        .name = NAME, \
        .family = "SCRAM", \
        .strength = STRENGTH, \
        .strength_trusted = STRENGTH, \
        .credential = SMTPC_SASL_PASSWORD, \
        .binds = BINDS, \
        .prepares = 1, \
        .client_first = 1, \
        .takes_authzid = 1, \
        .answer = answer, \
        .finish = finish, \
    }

const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_512_plus = ROW("SCRAM-SHA-512-PLUS", 200, 1);
const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_256_plus = ROW("SCRAM-SHA-256-PLUS", 190, 1);
const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_1_plus = ROW("SCRAM-SHA-1-PLUS", 180, 1);
const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_512 = ROW("SCRAM-SHA-512", 150, 0);
const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_256 = ROW("SCRAM-SHA-256", 140, 0);
const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_1 = ROW("SCRAM-SHA-1", 130, 0);
