/* oauth: OAUTHBEARER (RFC 7628) and XOAUTH2: one message with the token, and an answer to the server's complaint. */
#include "sasl/oauth.h"

#include <stdio.h>
#include <string.h>

#include "sasl/gs2.h"

enum { NOTHING_SENT, TOKEN_SENT, COMPLAINT_HEARD };

/* Octet 1 ends each field, so it can stand in none; nor has any other control character business there. */
static int
check_field(const char *mechanism, const char *name, const char *octets, size_t n, struct smtpc_error *error)
{
    size_t i;

    for (i = 0; i < n; i++)
        if ((unsigned char)octets[i] < ' ' || octets[i] == 127)
            return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: %s has a control character at octet %zu", mechanism,
                                   name, i + 1);
    return 0;
}

static int
check_fields(const struct smtpc_sasl *sasl, struct smtpc_error *error)
{
    const char *mechanism = sasl->mechanism->name;

    if (sasl->mechanism == &smtpc_sasl_xoauth2 && sasl->user.length == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s: user name is empty", mechanism);
    if (check_field(mechanism, "user name", sasl->user.bytes, sasl->user.length, error) != 0
        || check_field(mechanism, "authorization identity", sasl->authzid.bytes, sasl->authzid.length, error) != 0
        || check_field(mechanism, "host", sasl->host, strlen(sasl->host), error) != 0)
        return -1;
    return check_field(mechanism, "oauth_token", sasl->secret.bytes, sasl->secret.length, error);
}

static int
append_token(const struct smtpc_sasl *sasl, struct smtpc_buffer *out)
{
    if (smtpc_buffer_append_string(out, "auth=Bearer ") != 0
        || smtpc_buffer_append(out, sasl->secret.bytes, sasl->secret.length) != 0)
        return -1;
    return smtpc_buffer_append_string(out, "\1\1");
}

/* Host and port are those of the connection, so that a token that was meant for another server is of no use to this
 * one. */
static int
append_host(const struct smtpc_sasl *sasl, struct smtpc_buffer *out)
{
    char text[sizeof sasl->host + 32] = "";

    if (sasl->host[0] != '\0')
        snprintf(text, sizeof text, "host=%s\1", sasl->host);
    if (sasl->port > 0)
        snprintf(text + strlen(text), sizeof text - strlen(text), "port=%u\1", sasl->port);
    return smtpc_buffer_append_string(out, text);
}

static int
give_bearer(const struct smtpc_sasl *sasl, struct smtpc_buffer *out)
{
    const struct smtpc_buffer *identity = sasl->authzid.length > 0 ? &sasl->authzid : &sasl->user;

    if (smtpc_buffer_append_string(out, identity->length > 0 ? "n,a=" : "n,") != 0
        || smtpc_gs2_append_name(out, identity) != 0 || smtpc_buffer_append_string(out, ",\1") != 0)
        return -1;
    return append_host(sasl, out) != 0 ? -1 : append_token(sasl, out);
}

static int
give_xoauth2(const struct smtpc_sasl *sasl, struct smtpc_buffer *out)
{
    if (smtpc_buffer_append_string(out, "user=") != 0
        || smtpc_buffer_append(out, sasl->user.bytes, sasl->user.length) != 0
        || smtpc_buffer_append_octet(out, '\1') != 0)
        return -1;
    return append_token(sasl, out);
}

static void
note_complaint(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge)
{
    if (challenge->octets != NULL)
        smtpc_sasl_note_said(sasl, challenge->octets, challenge->length);
    else
        smtpc_sasl_note_said(sasl, challenge->text, challenge->text_length);
}

/* The challenge behind the token is the server's complaint: it wants any answer, and then says its refusal. */
static enum smtpc_sasl_verdict
answer_by(int (*give)(const struct smtpc_sasl *sasl, struct smtpc_buffer *out), const char *to_complaint,
          struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
          struct smtpc_error *error)
{
    int failed;

    if (sasl->state == COMPLAINT_HEARD) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server goes on after its complaint", sasl->mechanism->name);
        return SMTPC_SASL_CANCEL;
    }
    if (sasl->state == TOKEN_SENT) {
        note_complaint(sasl, challenge);
        failed = smtpc_buffer_append_string(out, to_complaint);
    } else if (check_fields(sasl, error) != 0)
        return SMTPC_SASL_CANCEL;
    else
        failed = give(sasl, out);
    sasl->state++;
    if (failed == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

static enum smtpc_sasl_verdict
answer_bearer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
              struct smtpc_error *error)
{
    return answer_by(give_bearer, "\1", sasl, challenge, out, error);
}

static enum smtpc_sasl_verdict
answer_xoauth2(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
               struct smtpc_error *error)
{
    return answer_by(give_xoauth2, "", sasl, challenge, out, error);
}

/* Who complains and then agrees has not understood himself. */
static int
finish(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error)
{
    (void)last;
    if (sasl->state != COMPLAINT_HEARD)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: success after the server's complaint: %s",
                           sasl->mechanism->name, sasl->said);
}

const struct smtpc_sasl_mechanism smtpc_sasl_oauthbearer = {
    .name = "OAUTHBEARER",
    .strength = 90,
    .strength_trusted = 90,
    .credential = SMTPC_SASL_TOKEN,
    .plaintext = 1,
    .client_first = 1,
    .takes_authzid = 1,
    .answer = answer_bearer,
    .finish = finish,
};

const struct smtpc_sasl_mechanism smtpc_sasl_xoauth2 = {
    .name = "XOAUTH2",
    .strength = 80,
    .strength_trusted = 80,
    .credential = SMTPC_SASL_TOKEN,
    .plaintext = 1,
    .client_first = 1,
    .reads_any_text = 1,
    .answer = answer_xoauth2,
    .finish = finish,
};
