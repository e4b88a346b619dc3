/* sasl: the table of mechanisms, the credentials, and the rounds of one login. */
#include "sasl/sasl.h"

#include <string.h>

#include "codec/words.h"
#include "sasl/cram_md5.h"
#include "sasl/login.h"
#include "sasl/plain.h"

static const struct smtpc_sasl_mechanism *const rows[] = {
    &smtpc_sasl_plain,
    &smtpc_sasl_login,
    &smtpc_sasl_cram_md5,
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

void
smtpc_sasl_init(struct smtpc_sasl *sasl)
{
    memset(sasl, 0, sizeof *sasl);
    smtpc_buffer_init(&sasl->user, SMTPC_SASL_SECRET_MAX);
    smtpc_buffer_init(&sasl->secret, SMTPC_SASL_SECRET_MAX);
    smtpc_buffer_init(&sasl->authzid, SMTPC_SASL_SECRET_MAX);
}

void
smtpc_sasl_clear(struct smtpc_sasl *sasl)
{
    smtpc_buffer_clear(&sasl->user);
    smtpc_buffer_clear(&sasl->secret);
    smtpc_buffer_clear(&sasl->authzid);
    smtpc_sasl_begin(sasl, NULL);
}

/* The error never shows the octets: users paste passwords into the wrong field. */
static int
check_credential(const char *name, const char *octets, size_t n, struct smtpc_error *error)
{
    const char *nul = n > 0 ? memchr(octets, '\0', n) : NULL;

    if (n > SMTPC_SASL_SECRET_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s has %zu octets, and %d is the limit", name, n,
                               (int)SMTPC_SASL_SECRET_MAX);
    if (nul != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s has a NUL at octet %zu, which no login can carry", name,
                               (size_t)(nul - octets) + 1);
    if (n > 0 && (octets[n - 1] == '\r' || octets[n - 1] == '\n'))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s ends in a line end (CR or LF), as a line read from a"
                               " file or a form does; take it off first, for example with s/\\s+\\z//", name);
    return 0;
}

static int
set_credential(struct smtpc_buffer *credential, const char *name, const char *octets, size_t n,
               struct smtpc_error *error)
{
    if (check_credential(name, octets, n, error) != 0)
        return -1;
    smtpc_buffer_clear(credential);
    if (smtpc_buffer_append(credential, octets, n) != 0)
        return smtpc_error_set_memory(error);
    return 0;
}

int
smtpc_sasl_set_user(struct smtpc_sasl *sasl, const char *user, size_t n, struct smtpc_error *error)
{
    if (n == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "user name is empty");
    return set_credential(&sasl->user, "user name", user, n, error);
}

int
smtpc_sasl_set_secret(struct smtpc_sasl *sasl, const char *secret, size_t n, struct smtpc_error *error)
{
    if (n == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "password is empty");
    return set_credential(&sasl->secret, "password", secret, n, error);
}

int
smtpc_sasl_set_authzid(struct smtpc_sasl *sasl, const char *authzid, size_t n, struct smtpc_error *error)
{
    return set_credential(&sasl->authzid, "authorization identity", authzid, n, error);
}

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

void
smtpc_sasl_begin(struct smtpc_sasl *sasl, const struct smtpc_sasl_mechanism *mechanism)
{
    sasl->mechanism = mechanism;
    sasl->round = 0;
    sasl->state = 0;
    sasl->cancelled = 0;
    sasl->form = SMTPC_SASL_BASE64;
}

static int
is_junk(const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_words words = smtpc_words_of(challenge->text, challenge->text_length, 0);

    return challenge->octets == NULL && smtpc_words_next(&words);
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
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the challenge is not base64", name);
    return 0;
}

enum smtpc_sasl_verdict
smtpc_sasl_answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
                  struct smtpc_error *error)
{
    smtpc_buffer_truncate(out, 0);
    sasl->form = SMTPC_SASL_BASE64;
    if (check_round(sasl, challenge, error) == 0) {
        sasl->round += challenge != NULL;
        if (sasl->mechanism->answer(sasl, challenge, out, error) == SMTPC_SASL_ANSWER)
            return SMTPC_SASL_ANSWER;
    }
    smtpc_buffer_truncate(out, 0);
    sasl->form = SMTPC_SASL_BASE64;
    sasl->cancelled = 1;
    return SMTPC_SASL_CANCEL;
}

int
smtpc_sasl_finish(struct smtpc_sasl *sasl, struct smtpc_error *error)
{
    if (sasl->cancelled)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: success after the login was cancelled",
                               sasl->mechanism->name);
    return sasl->mechanism->finish != NULL ? sasl->mechanism->finish(sasl, error) : 0;
}
