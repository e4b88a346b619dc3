/* login: LOGIN (draft-murchison-sasl-login): two prompts, answered by position. */
#include "sasl/login.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/words.h"

enum { NOTHING_SENT, USER_SENT, USER_REPEATED, PASSWORD_SENT };

enum prompt { PROMPT_UNCLEAR, PROMPT_USER, PROMPT_PASSWORD };

static int
contains(const char *octets, size_t n, const char *part)
{
    size_t length = strlen(part);
    size_t i;

    for (i = 0; i + length <= n; i++)
        if (smtpc_words_same(octets + i, length, part, length))
            return 1;
    return 0;
}

/* "User Name", "username:", "Password" NUL: whatever the rest, these two words tell. */
static enum prompt
classify(const char *octets, size_t n)
{
    if (contains(octets, n, "pass"))
        return PROMPT_PASSWORD;
    return contains(octets, n, "user") ? PROMPT_USER : PROMPT_UNCLEAR;
}

static enum prompt
classify_base64(const char *token, size_t n)
{
    enum prompt prompt = PROMPT_UNCLEAR;
    struct smtpc_buffer octets;
    size_t where;

    smtpc_buffer_init(&octets, n);
    if (smtpc_base64_decode_wire(token, n, &octets, &where) == SMTPC_BASE64_OK)
        prompt = classify(octets.bytes, octets.length);
    smtpc_buffer_clear(&octets);
    return prompt;
}

/* The first word in base64 counts before the raw text: AOL sends "UGFzc3dvcmQ6 User=sender@aol.example". */
static enum prompt
read_prompt(const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_words words = smtpc_words_of(challenge->text, challenge->text_length, 0);
    enum prompt prompt = PROMPT_UNCLEAR;

    if (smtpc_words_next(&words))
        prompt = classify_base64(words.word, words.length);
    return prompt != PROMPT_UNCLEAR ? prompt : classify(challenge->text, challenge->text_length);
}

static enum smtpc_sasl_verdict
give(struct smtpc_sasl *sasl, int state, const struct smtpc_buffer *octets, struct smtpc_buffer *out,
     struct smtpc_error *error)
{
    sasl->state = state;
    if (smtpc_buffer_append(out, octets->bytes, octets->length) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

/* The prompt's words are a guard only, because servers write what they like. */
static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    enum prompt prompt = read_prompt(challenge);

    if (sasl->state == NOTHING_SENT && prompt != PROMPT_PASSWORD)
        return give(sasl, USER_SENT, &sasl->user, out, error);
    if (sasl->state == USER_SENT && prompt == PROMPT_USER)
        return give(sasl, USER_REPEATED, &sasl->user, out, error);
    if (sasl->state == USER_SENT || sasl->state == USER_REPEATED)
        return give(sasl, PASSWORD_SENT, &sasl->secret, out, error);
    smtpc_error_set(error, SMTPC_ERROR_AUTH,
                    sasl->state == NOTHING_SENT ? "LOGIN: the server asks for the password before the user name"
                                                : "LOGIN: the server asks for more after user name and password");
    return SMTPC_SASL_CANCEL;
}

const struct smtpc_sasl_mechanism smtpc_sasl_login = {
    .name = "LOGIN",
    .strength = 10,
    .strength_trusted = 60,
    .plaintext = 1,
    .reads_any_text = 1,
    .answer = answer,
};
