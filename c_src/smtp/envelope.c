/* envelope: the sender and the recipients of one transaction, and what became of each recipient. */
#include "smtp/envelope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/command.h"
#include "codec/words.h"

void
smtpc_envelope_init(struct smtpc_envelope *envelope)
{
    memset(envelope, 0, sizeof *envelope);
    smtpc_buffer_init(&envelope->sender, SMTPC_ENVELOPE_TEXT_MAX);
    smtpc_buffer_init(&envelope->parameters, SMTPC_ENVELOPE_TEXT_MAX);
}

void
smtpc_envelope_drop_last(struct smtpc_envelope *envelope)
{
    struct smtpc_recipient *last = &envelope->recipients[--envelope->count];

    free(last->path);
    free(last->parameters);
    free(last->text);
}

void
smtpc_envelope_clear(struct smtpc_envelope *envelope)
{
    while (envelope->count > 0)
        smtpc_envelope_drop_last(envelope);
    free(envelope->recipients);
    smtpc_buffer_clear(&envelope->sender);
    smtpc_buffer_clear(&envelope->parameters);
    smtpc_envelope_init(envelope);
}

int
smtpc_envelope_open(struct smtpc_envelope *envelope, const char *sender, size_t n, const char *parameters)
{
    smtpc_envelope_clear(envelope);
    envelope->binary = smtpc_words_has(parameters, strlen(parameters), "BODY=BINARYMIME", 15);
    envelope->eight_bit = smtpc_words_has(parameters, strlen(parameters), "SMTPUTF8", 8);
    /* with its NUL, so that it can be walked as a string */
    if (smtpc_buffer_append(&envelope->sender, sender, n) == 0
        && smtpc_buffer_append(&envelope->parameters, parameters, strlen(parameters) + 1) == 0)
        return 0;
    smtpc_envelope_clear(envelope);
    return -1;
}

int
smtpc_envelope_is_open(const struct smtpc_envelope *envelope)
{
    return envelope->parameters.length > 0;
}

static char *
copy_octets(const char *octets, size_t n)
{
    char *copy = malloc(n + 1);

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, octets, n);
    copy[n] = '\0';
    return copy;
}

static int
grow(struct smtpc_envelope *envelope)
{
    size_t room = envelope->room == 0 ? 8 : envelope->room * 2;
    struct smtpc_recipient *recipients;

    if (envelope->count < envelope->room)
        return 0;
    if (room > SIZE_MAX / sizeof *recipients)
        return -1;
    recipients = realloc(envelope->recipients, room * sizeof *recipients);
    if (recipients == NULL)
        return -1;
    envelope->recipients = recipients;
    envelope->room = room;
    return 0;
}

int
smtpc_envelope_add(struct smtpc_envelope *envelope, const char *path, size_t n, const char *parameters)
{
    struct smtpc_recipient *recipient;

    if (grow(envelope) != 0)
        return -1;
    recipient = &envelope->recipients[envelope->count++];
    memset(recipient, 0, sizeof *recipient);
    recipient->path = copy_octets(path, n);
    recipient->path_length = n;
    recipient->parameters = copy_octets(parameters, strlen(parameters));
    if (recipient->path != NULL && recipient->parameters != NULL)
        return 0;
    smtpc_envelope_drop_last(envelope);
    return -1;
}

static int
write_line(struct smtpc_buffer *out, struct smtpc_error *error, const char *verb, const char *name,
           const char *path, size_t n, const char *parameters, int eight_bit)
{
    struct smtpc_command command;

    smtpc_command_begin(&command, out, error, verb);
    smtpc_command_path(&command, name, path, n, eight_bit);
    if (*parameters != '\0')
        smtpc_command_allow(&command, SMTPC_ENVELOPE_LINE_GROWTH);
    while (*parameters != '\0') {
        size_t length = strcspn(parameters, " ");

        smtpc_command_parameter(&command, "parameter", parameters, length, eight_bit);
        parameters += length + strspn(parameters + length, " ");
    }
    return smtpc_command_end(&command);
}

int
smtpc_envelope_write_mail(const struct smtpc_envelope *envelope, struct smtpc_buffer *out, struct smtpc_error *error)
{
    return write_line(out, error, "MAIL FROM:", "sender", envelope->sender.bytes, envelope->sender.length,
                      envelope->parameters.bytes, envelope->eight_bit);
}

int
smtpc_envelope_write_rcpt(const struct smtpc_envelope *envelope, size_t i, struct smtpc_buffer *out,
                          struct smtpc_error *error)
{
    const struct smtpc_recipient *recipient = &envelope->recipients[i];

    if (recipient->path_length == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "recipient: an empty address");
    return write_line(out, error, "RCPT TO:", "recipient", recipient->path, recipient->path_length,
                      recipient->parameters, envelope->eight_bit);
}

int
smtpc_envelope_check(const struct smtpc_envelope *envelope, struct smtpc_error *error)
{
    struct smtpc_buffer scratch;
    size_t i;
    int result;

    smtpc_buffer_init(&scratch, 2 * (SMTPC_COMMAND_LINE_MAX + SMTPC_ENVELOPE_LINE_GROWTH));
    result = smtpc_envelope_write_mail(envelope, &scratch, error);
    for (i = 0; result == 0 && i < envelope->count; i++) {
        smtpc_buffer_truncate(&scratch, 0);
        result = smtpc_envelope_write_rcpt(envelope, i, &scratch, error);
    }
    smtpc_buffer_clear(&scratch);
    return result;
}

static void
decide(struct smtpc_recipient *recipient, enum smtpc_outcome good, const char *step, const struct smtpc_reply *reply)
{
    size_t n;
    const char *text = smtpc_reply_line_text(reply, 0, &n);
    int digit = smtpc_reply_class(reply);

    recipient->outcome = digit == 2 ? good : digit == 4 ? SMTPC_OUTCOME_DEFERRED : SMTPC_OUTCOME_REFUSED;
    recipient->step = step;
    recipient->code = reply->code;
    memcpy(recipient->enhanced, reply->enhanced, sizeof recipient->enhanced);
    free(recipient->text);
    recipient->text = copy_octets(text, n > SMTPC_RECIPIENT_TEXT_MAX ? SMTPC_RECIPIENT_TEXT_MAX : n);
}

void
smtpc_envelope_hear_rcpt(struct smtpc_envelope *envelope, size_t i, const struct smtpc_reply *reply)
{
    decide(&envelope->recipients[i], SMTPC_OUTCOME_ACCEPTED, "RCPT", reply);
}

void
smtpc_envelope_hear_all(struct smtpc_envelope *envelope, enum smtpc_outcome from, const char *step,
                        const struct smtpc_reply *reply)
{
    size_t i;

    for (i = 0; i < envelope->count; i++)
        if (envelope->recipients[i].outcome == from)
            decide(&envelope->recipients[i], SMTPC_OUTCOME_SENT, step, reply);
}

int
smtpc_envelope_has_next(const struct smtpc_envelope *envelope, size_t *i)
{
    while (*i < envelope->count && envelope->recipients[*i].outcome != SMTPC_OUTCOME_ACCEPTED)
        ++*i;
    return *i < envelope->count;
}

void
smtpc_envelope_hear_next(struct smtpc_envelope *envelope, size_t *i, const char *step, const struct smtpc_reply *reply)
{
    if (smtpc_envelope_has_next(envelope, i))
        decide(&envelope->recipients[(*i)++], SMTPC_OUTCOME_SENT, step, reply);
}

void
smtpc_envelope_settle(struct smtpc_envelope *envelope, enum smtpc_outcome outcome, const char *step)
{
    size_t i;

    for (i = 0; i < envelope->count; i++) {
        struct smtpc_recipient *recipient = &envelope->recipients[i];

        if (recipient->outcome > SMTPC_OUTCOME_ACCEPTED)
            continue;
        recipient->outcome = outcome;
        recipient->step = step;
        recipient->code = 0;    /* a 250 to RCPT would mislead here */
        recipient->enhanced[0] = '\0';
        free(recipient->text);
        recipient->text = NULL;
    }
}

size_t
smtpc_envelope_count(const struct smtpc_envelope *envelope, enum smtpc_outcome outcome)
{
    size_t count = 0;
    size_t i;

    for (i = 0; i < envelope->count; i++)
        count += envelope->recipients[i].outcome == outcome;
    return count;
}

const char *
smtpc_outcome_name(enum smtpc_outcome outcome)
{
    static const char *const names[] = {
        [SMTPC_OUTCOME_NONE] = "",
        [SMTPC_OUTCOME_ACCEPTED] = "",
        [SMTPC_OUTCOME_SENT] = "sent",
        [SMTPC_OUTCOME_REFUSED] = "refused",
        [SMTPC_OUTCOME_DEFERRED] = "deferred",
        [SMTPC_OUTCOME_NOT_SENT] = "not-sent",
        [SMTPC_OUTCOME_UNKNOWN] = "unknown",
    };

    return names[outcome];
}
