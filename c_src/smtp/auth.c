/* auth: the rows of AUTH (RFC 4954): the answer to a challenge, and what to try after a refusal. */
#include "smtp/state.h"

#include <stdio.h>
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
    const struct smtpc_sasl_lists lists = {smtpc_ehlo_find(&session->ehlo, "AUTH"), words_of(&session->wanted),
                                           words_of(&session->tried)};

    return smtpc_sasl_choose(&session->sasl, &lists, line_of(session), error);
}

void
smtpc_auth_begin(struct smtpc_session *session, const struct smtpc_sasl_mechanism *mechanism)
{
    smtpc_sasl_begin(&session->sasl, mechanism, smtpc_ehlo_find(&session->ehlo, "AUTH"));
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
    smtpc_auth_begin(session, next);
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
        const char *line = smtpc_reply_class(reply) == 2 ? smtpc_reply_line_text(reply, i, &n)
                                                         : smtpc_reply_line(reply, i, &n);

        if (smtpc_buffer_append(text, line, n) != 0)
            return -1;
    }
    return 0;
}

/* What a reply says, and what it stands for if it is base64; both buffers are to be cleared. */
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

/* The first refusal is what is reported, unless the server is not who it should be: that one gets no other mechanism,
 * and no "*" either. */
static enum step
abort_login(struct smtpc_session *session, const struct smtpc_error *why)
{
    session->error = *why;
    smtpc_auth_name_step(session);
    return smtpc_state_fail(session, SMTPC_ERROR_AUTH, "the server did not prove itself");
}

static enum step
answer_to(struct smtpc_session *session, const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_error why = {0};

    switch (smtpc_sasl_answer(&session->sasl, challenge, &session->answer, &why)) {
    case SMTPC_SASL_ANSWER:
        return STEP_ANSWER;
    case SMTPC_SASL_CANCEL:
        if (!smtpc_error_is_set(&session->error))
            session->error = why;
        return STEP_CANCEL;
    case SMTPC_SASL_ABORT:
        break;
    }
    return abort_login(session, &why);
}

enum step
smtpc_auth_with_challenge(struct smtpc_session *session, const struct smtpc_reply *reply,
                          enum step (*decide)(struct smtpc_session *, const struct smtpc_sasl_challenge *))
{
    struct smtpc_sasl_challenge challenge;
    struct smtpc_buffer text;
    struct smtpc_buffer octets;
    enum step next;

    if (read_challenge(reply, &text, &octets, &challenge) != 0)
        next = smtpc_state_fail_memory(session);
    else
        next = decide(session, &challenge);
    smtpc_buffer_clear(&text);
    smtpc_buffer_clear(&octets);
    smtpc_auth_name_step(session);
    return next;
}

static enum step
succeed(struct smtpc_session *session, const struct smtpc_sasl_challenge *last)
{
    struct smtpc_error why = {0};

    if (smtpc_sasl_finish(&session->sasl, last, &why) != 0)
        return abort_login(session, &why);
    smtpc_error_clear(&session->error);
    session->mechanism = session->sasl.mechanism->name;
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

/* 504 says that the mechanism is not there, but servers with the legacy dialogue of PLAIN mean the initial response. */
static int
refused_initial_response(const struct smtpc_session *session, int code)
{
    const struct smtpc_sasl_mechanism *mechanism = session->sasl.mechanism;

    return mechanism->client_first && !session->without_initial_response && session->sasl.round == 0
        && (code == 500 || code == 501 || (code == 504 && mechanism->reads_any_text));
}

/* A password that is wrong for one of a family is wrong for all of it. Whoever refuses a login that was bound to this TLS
 * connection may be somebody between: nothing follows by itself. */
static int
is_ruled_out(const struct smtpc_session *session, const struct smtpc_sasl_mechanism *row)
{
    const struct smtpc_sasl_mechanism *refused = session->sasl.mechanism;

    if (row == refused || refused->family == NULL)
        return 0;
    if (row->family != NULL && strcmp(row->family, refused->family) == 0)
        return 1;
    return refused->binds && words_of(&session->wanted)[0] == '\0';
}

/* Behind the server's words what it has said in a challenge, and what else they may mean. */
static void
refuse(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    const struct smtpc_sasl_mechanism *mechanism = session->sasl.mechanism;
    struct smtpc_error *error = &session->error;
    size_t used;

    if (smtpc_error_is_set(error))
        return;
    smtpc_state_refused(&session->error, "AUTH", SMTPC_ERROR_AUTH, reply);
    used = strlen(error->text);
    if (session->sasl.said[0] != '\0')
        snprintf(error->text + used, sizeof error->text - used, " (%s: %s)", mechanism->name, session->sasl.said);
    used = strlen(error->text);
    if (reply->code == 535 && mechanism->binds)
        snprintf(error->text + used, sizeof error->text - used, " (%s: the password is wrong, or somebody stands between)",
                 mechanism->name);
}

static void
rule_out(struct smtpc_session *session)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (is_ruled_out(session, row))
            add_word(&session->tried, row->name);
}

/* Servers count failures and lock accounts, so after a wrong password one more mechanism at most, and only where the
 * line is trusted; the same token is no better in another wrapping. A mechanism that the server does not want costs
 * nothing. */
static enum step
after_refusal(struct smtpc_session *session, int code)
{
    if (code == 501 || code == 504 || code == 534)
        return next_mechanism(session);
    if (code == 535 && session->trusted && session->sasl.mechanism->credential != SMTPC_SASL_TOKEN
        && session->wrong_passwords++ == 0) {
        rule_out(session);
        return next_mechanism(session);
    }
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}

/* The same mechanism, with one round trip more. */
static enum step
without_initial_response(struct smtpc_session *session)
{
    smtpc_auth_begin(session, session->sasl.mechanism);
    session->without_initial_response = 1;
    return STEP_AUTH;
}

enum step
smtpc_auth_hear_auth(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (reply->code == 334)
        return smtpc_auth_with_challenge(session, reply, answer_to);
    if (smtpc_reply_class(reply) == 3)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "AUTH was answered with %d", reply->code);
    if (smtpc_reply_class(reply) == 2)
        return smtpc_auth_with_challenge(session, reply, succeed);
    if (refused_initial_response(session, reply->code))
        return without_initial_response(session);
    refuse(session, reply);
    return after_refusal(session, reply->code);
}

static int
has_shown_token(const struct smtpc_session *session)
{
    return session->sasl.mechanism->credential == SMTPC_SASL_TOKEN && session->sasl.state > 0;
}

enum step
smtpc_auth_hear_cancel(struct smtpc_session *session, const struct smtpc_reply *reply)
{
    if (smtpc_reply_class(reply) < 4)
        return smtpc_state_fail(session, SMTPC_ERROR_PROTOCOL, "a cancelled AUTH was answered with %d", reply->code);
    if (smtpc_reply_class(reply) == 5 && !has_shown_token(session))
        return next_mechanism(session);
    smtpc_state_forget_login(session);
    return STEP_IDLE;
}
