/* auth: the rows of AUTH (RFC 4954): the answer to a challenge, and what to try after a refusal. */
#include "smtp/state.h"

#include <string.h>

#include "codec/base64.h"

static enum smtpc_sasl_line
line_of(const struct smtpc_session *session)
{
    return session->trusted ? SMTPC_SASL_LINE_TRUSTED : SMTPC_SASL_LINE_OPEN;
}

static const char *
words_of(const struct smtpc_buffer *words)
{
    return words->length > 0 ? words->bytes : "";
}

static int
add_word(struct smtpc_buffer *words, const char *word)
{
    size_t end = words->length;

    if (smtpc_buffer_append(words, word, strlen(word) + 1) != 0)
        return -1;
    if (end > 0)
        words->bytes[end - 1] = ' ';    /* over the NUL */
    return 0;
}

/* The mechanisms know nothing of steps, and an error wants one. */
void
smtpc_auth_name_step(struct smtpc_session *session)
{
    if (smtpc_error_is_set(&session->error) && session->error.step == NULL)
        session->error.step = smtpc_steps[STEP_AUTH].name;
}

const struct smtpc_sasl_mechanism *
smtpc_auth_choose(const struct smtpc_session *session, struct smtpc_error *error)
{
    return smtpc_sasl_choose(smtpc_ehlo_find(&session->ehlo, "AUTH"), words_of(&session->wanted),
                             words_of(&session->tried), line_of(session), error);
}

/* Another mechanism, if the policy has one; the first refusal is what will be reported. */
static enum step
next_mechanism(struct smtpc_session *session)
{
    const struct smtpc_sasl_mechanism *next = NULL;
    struct smtpc_error ignored = {0};

    if (add_word(&session->tried, session->sasl.mechanism->name) == 0)
        next = smtpc_auth_choose(session, &ignored);
    if (next == NULL) {
        smtpc_state_forget_login(session);
        return STEP_IDLE;
    }
    smtpc_trace_note(&session->trace, "%s failed, trying %s", session->sasl.mechanism->name, next->name);
    smtpc_sasl_begin(&session->sasl, next);
    session->without_initial_response = 0;
    return STEP_AUTH;
}

/* All lines of a folded 334 together. */
static int
unfold(const struct smtpc_reply *reply, struct smtpc_buffer *text)
{
    size_t i;

    for (i = 0; i < reply->line_count; i++) {
        size_t n;
        const char *line = smtpc_reply_line(reply, i, &n);

        if (smtpc_buffer_append(text, line, n) != 0)
            return -1;
    }
    return 0;
}

/* What the 334 says, and what it stands for if it is base64; both buffers are to be cleared. */
static int
read_challenge(const struct smtpc_reply *reply, struct smtpc_buffer *text, struct smtpc_buffer *octets,
               struct smtpc_sasl_challenge *challenge)
{
    enum smtpc_base64_fault fault;
    size_t where;

    memset(challenge, 0, sizeof *challenge);
    smtpc_buffer_init(text, SMTPC_REPLY_SIZE_MAX);
    smtpc_buffer_init(octets, SMTPC_REPLY_SIZE_MAX);
    if (unfold(reply, text) != 0)
        return -1;
    challenge->text = text->length > 0 ? text->bytes : "";
    challenge->text_length = text->length;
    fault = smtpc_base64_decode_wire(challenge->text, text->length, octets, &where);
    if (fault == SMTPC_BASE64_TOO_LONG)
        return -1;
    if (fault == SMTPC_BASE64_OK) {
        challenge->octets = octets->length > 0 ? octets->bytes : "";
        challenge->length = octets->length;
    }
    return 0;
}

static enum step
answer_challenge(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    struct smtpc_sasl_challenge challenge;
    struct smtpc_buffer text;
    struct smtpc_buffer octets;
    enum step next;

    if (read_challenge(reply, &text, &octets, &challenge) != 0)
        next = smtpc_state_fail_memory(session);
    else if (smtpc_sasl_answer(&session->sasl, &challenge, &session->answer, &session->error) == SMTPC_SASL_ANSWER)
        next = STEP_ANSWER;
    else
        next = STEP_CANCEL;
    smtpc_buffer_clear(&text);
    smtpc_buffer_clear(&octets);
    smtpc_auth_name_step(session);
    return next;
}

static enum step
succeed(struct smtpc_session *session)
{
    if (smtpc_sasl_finish(&session->sasl, &session->error) != 0) {
        smtpc_auth_name_step(session);
        return smtpc_state_fail(session, SMTPC_ERROR_AUTH, "the server did not prove itself");
    }
    smtpc_error_clear(&session->error);
    session->mechanism = session->sasl.mechanism->name;
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

static int
refused_initial_response(const struct smtpc_session *session, int code)
{
    return session->sasl.mechanism->client_first && !session->without_initial_response
        && session->sasl.round <= 1 && (code == 500 || code == 501 || code == 504);
}

/* Servers count failures and lock accounts, so after a wrong password one more mechanism at most, and only where the
 * line is trusted; a mechanism that the server does not want costs nothing. */
static enum step
after_refusal(struct smtpc_session *session, int code)
{
    if (code == 501 || code == 504 || code == 534)
        return next_mechanism(session);
    if (code == 535 && session->trusted && session->wrong_passwords++ == 0)
        return next_mechanism(session);
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

/* The same mechanism, with one round trip more. */
static enum step
without_initial_response(struct smtpc_session *session)
{
    smtpc_sasl_begin(&session->sasl, session->sasl.mechanism);
    session->without_initial_response = 1;
    return STEP_AUTH;
}

enum step
smtpc_auth_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (reply->code == 334)
        return answer_challenge(session, reply);
    if (smtpc_reply_class(reply) == 3)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "AUTH was answered with %d", reply->code);
    if (smtpc_reply_class(reply) == 2)
        return succeed(session);
    if (refused_initial_response(session, reply->code))
        return without_initial_response(session);
    smtpc_state_refused(session, "AUTH", SMTPC_ERROR_AUTH, reply);
    return after_refusal(session, reply->code);
}

enum step
smtpc_auth_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) < 4)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "a cancelled AUTH was answered with %d", reply->code);
    if (smtpc_reply_class(reply) == 5)
        return next_mechanism(session);
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}
