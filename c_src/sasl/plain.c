/* plain: PLAIN (RFC 4616), and the legacy dialogue in clear text that some old servers speak. */
#include "sasl/plain.h"

#include <string.h>

#include "codec/words.h"

enum { NOTHING_SENT, MESSAGE_SENT, USER_SHOWN, PASSWORD_SHOWN };

static enum smtpc_sasl_verdict
give_message(struct smtpc_sasl *sasl, struct smtpc_buffer *out, struct smtpc_error *error)
{
    sasl->state = MESSAGE_SENT;
    if (smtpc_buffer_append(out, sasl->authzid.bytes, sasl->authzid.length) == 0
        && smtpc_buffer_append_octet(out, '\0') == 0
        && smtpc_buffer_append(out, sasl->user.bytes, sasl->user.length) == 0
        && smtpc_buffer_append_octet(out, '\0') == 0
        && smtpc_buffer_append(out, sasl->secret.bytes, sasl->secret.length) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

static int
is_prompt(const struct smtpc_sasl_challenge *challenge, const char *prompt)
{
    struct smtpc_words words = smtpc_words_of(challenge->text, challenge->text_length, 0);

    return smtpc_words_next(&words) && smtpc_words_same(words.word, words.length, prompt, strlen(prompt))
        && !smtpc_words_next(&words);
}

static int
breaks_line(const struct smtpc_buffer *octets)
{
    return octets->length > 0
        && (memchr(octets->bytes, '\r', octets->length) != NULL || memchr(octets->bytes, '\n', octets->length) != NULL
            || memchr(octets->bytes, '\0', octets->length) != NULL);
}

/* Both are looked at before either goes: half a login helps nobody. */
static int
check_clear_text(const struct smtpc_sasl *sasl, struct smtpc_error *error)
{
    if (sasl->authzid.length > 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE,
                               "PLAIN in clear text cannot carry an authorization identity");
    if (breaks_line(&sasl->user) || breaks_line(&sasl->secret))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "PLAIN in clear text: %s has a CR, LF or NUL inside",
                               breaks_line(&sasl->user) ? "user name" : "password");
    return 0;
}

static enum smtpc_sasl_verdict
show(struct smtpc_sasl *sasl, int state, const struct smtpc_buffer *octets, struct smtpc_buffer *out,
     struct smtpc_error *error)
{
    if (check_clear_text(sasl, error) != 0)
        return SMTPC_SASL_CANCEL;
    sasl->state = state;
    sasl->form = SMTPC_SASL_CLEARTEXT;
    if (smtpc_buffer_append(out, octets->bytes, octets->length) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

/* The legacy dialogue begins where the server's first words are its prompt, also behind an initial response: such a
 * server has not looked at it, and would take a "*" for the user name. */
static int
begins_legacy(const struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge)
{
    return challenge != NULL && sasl->round == 1 && is_prompt(challenge, "Username:");
}

/* Any other text behind a bare AUTH PLAIN is taken for the empty challenge: some servers put a sentence where nothing
 * should stand. */
static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    if (begins_legacy(sasl, challenge))
        return show(sasl, USER_SHOWN, &sasl->user, out, error);
    if (sasl->state == NOTHING_SENT)
        return give_message(sasl, out, error);
    if (sasl->state == USER_SHOWN && is_prompt(challenge, "Password:"))
        return show(sasl, PASSWORD_SHOWN, &sasl->secret, out, error);
    smtpc_error_set(error, SMTPC_ERROR_AUTH,
                    sasl->state == USER_SHOWN ? "PLAIN in clear text: the server does not ask for the password"
                                              : "PLAIN: the server asks for more after the whole login was sent");
    return SMTPC_SASL_CANCEL;
}

const struct smtpc_sasl_mechanism smtpc_sasl_plain = {
    .name = "PLAIN",
    .strength = 20,
    .strength_trusted = 70,
    .plaintext = 1,
    .client_first = 1,
    .one_round = 1,
    .reads_any_text = 1,
    .takes_authzid = 1,
    .answer = answer,
};
