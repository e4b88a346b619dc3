/* sasl: the table of mechanisms, and the rounds of one login. */
#include "sasl/sasl.h"

#include <string.h>

#include "codec/words.h"
#include "sasl/anonymous.h"
#include "sasl/cram_md5.h"
#include "sasl/external.h"
#include "sasl/login.h"
#include "sasl/oauth.h"
#include "sasl/plain.h"
#include "sasl/scram.h"

static const struct smtpc_sasl_mechanism *const rows[] = {
    &smtpc_sasl_scram_sha_512_plus,
    &smtpc_sasl_scram_sha_256_plus,
    &smtpc_sasl_scram_sha_1_plus,
    &smtpc_sasl_scram_sha_512,
    &smtpc_sasl_scram_sha_256,
    &smtpc_sasl_scram_sha_1,
    &smtpc_sasl_plain,
    &smtpc_sasl_login,
    &smtpc_sasl_cram_md5,
    &smtpc_sasl_oauthbearer,
    &smtpc_sasl_xoauth2,
    &smtpc_sasl_external,
    &smtpc_sasl_anonymous,
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct smtpc_sasl_mechanism *
smtpc_sasl_row(size_t i)
{
    return i < ROW_COUNT ? rows[i] : NULL;
}

const struct smtpc_sasl_mechanism *
smtpc_sasl_find(const char *name, size_t n)
{
    size_t i;

    for (i = 0; i < ROW_COUNT; i++)
        if (smtpc_words_same(name, n, rows[i]->name, strlen(rows[i]->name)))
            return rows[i];
    return NULL;
}

static int
offers_plus(const char *offered)
{
    struct smtpc_words words = smtpc_words_of(offered, strlen(offered), 0);

    while (smtpc_words_next(&words))
        if (words.length > 5 && smtpc_words_same(words.word + words.length - 5, 5, "-PLUS", 5))
            return 1;
    return 0;
}

void
smtpc_sasl_begin(struct smtpc_sasl *sasl, const struct smtpc_sasl_mechanism *mechanism, const char *offered)
{
    sasl->mechanism = mechanism;
    sasl->offers_plus = offers_plus(offered);
    sasl->round = 0;
    sasl->state = 0;
    sasl->cancelled = 0;
    sasl->form = SMTPC_SASL_BASE64;
    sasl->said[0] = '\0';
    smtpc_buffer_clear(&sasl->scratch);
}

void
smtpc_sasl_note_said(struct smtpc_sasl *sasl, const char *octets, size_t n)
{
    size_t i;

    for (i = 0; i < n && i + 1 < sizeof sasl->said; i++)
        sasl->said[i] = (char)(octets[i] < ' ' || octets[i] > '~' ? '?' : octets[i]);
    sasl->said[i] = '\0';
}

static int
is_junk(const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_words words = smtpc_words_of(challenge->text, challenge->text_length, 0);

    return challenge->octets == NULL && smtpc_words_next(&words);
}

/* The beginning of it, so that whoever runs the server can find the place. */
static int
refuse_junk(const char *name, const struct smtpc_sasl_challenge *challenge, struct smtpc_error *error)
{
    char shown[41];
    size_t n = challenge->text_length < sizeof shown - 1 ? challenge->text_length : sizeof shown - 1;
    size_t i;

    for (i = 0; i < n; i++)
        shown[i] = (char)(challenge->text[i] < ' ' || challenge->text[i] > '~' ? '?' : challenge->text[i]);
    shown[n] = '\0';
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the challenge is not base64: \"%s\"%s", name, shown,
                           n < challenge->text_length ? "..." : "");
}

/* Behind AUTH without an initial response a server has nothing to say but "go on". */
static int
is_out_of_turn(const struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge)
{
    return sasl->mechanism->client_first && !sasl->mechanism->reads_any_text && sasl->state == 0
        && challenge->length > 0;
}

/* The rules that hold for every mechanism, before it is asked. */
static int
check_round(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_error *error)
{
    const char *name = sasl->mechanism->name;

    if (sasl->cancelled)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the login has been cancelled", name);
    if (sasl->authzid.length > 0 && !sasl->mechanism->takes_authzid)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s cannot carry an authorization identity", name);
    if (challenge == NULL)
        return sasl->mechanism->client_first && sasl->round == 0
                   ? 0
                   : smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: no initial response here", name);
    if (sasl->round >= SMTPC_SASL_ROUNDS_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: more than %d challenges", name,
                               (int)SMTPC_SASL_ROUNDS_MAX);
    if (is_junk(challenge) && !sasl->mechanism->reads_any_text)
        return refuse_junk(name, challenge, error);
    if (is_out_of_turn(sasl, challenge))
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: a challenge where only an empty one may stand", name);
    return 0;
}

/* A binding is used up by the first octet that tells of it (RFC 9266 section 4.1). */
static enum smtpc_sasl_verdict
ask_mechanism(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
              struct smtpc_error *error)
{
    sasl->round += challenge != NULL;
    sasl->binding_was_used |= sasl->mechanism->binds;
    return sasl->mechanism->answer(sasl, challenge, out, error);
}

enum smtpc_sasl_verdict
smtpc_sasl_answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
                  struct smtpc_error *error)
{
    enum smtpc_sasl_verdict verdict = SMTPC_SASL_CANCEL;

    smtpc_buffer_truncate(out, 0);
    sasl->form = SMTPC_SASL_BASE64;
    if (check_round(sasl, challenge, error) == 0)
        verdict = ask_mechanism(sasl, challenge, out, error);
    if (verdict == SMTPC_SASL_ANSWER)
        return verdict;
    smtpc_buffer_truncate(out, 0);
    sasl->form = SMTPC_SASL_BASE64;
    sasl->cancelled = 1;
    return verdict;
}

int
smtpc_sasl_finish(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error)
{
    if (sasl->cancelled)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: success after the login was cancelled",
                               sasl->mechanism->name);
    return sasl->mechanism->finish != NULL ? sasl->mechanism->finish(sasl, last, error) : 0;
}
