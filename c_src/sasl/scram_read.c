/* scram_read: what a SCRAM server says, attribute after attribute. */
#include "sasl/scram_read.h"

#include <limits.h>
#include <string.h>

#include "codec/base64.h"

/* A message on its way through the reader. */
struct reader {
    const char *mechanism;
    const char *which;          /* "first" or "last" */
    struct smtpc_scram_text rest;
    int has_more;               /* 1: a comma stood before the rest */
};

static int
begins(struct smtpc_scram_text text, char attribute)
{
    return text.length >= 2 && text.octets[0] == attribute && text.octets[1] == '=';
}

/* Takes one attribute off the front, with the comma behind it. */
static struct smtpc_scram_text
take(struct reader *reader)
{
    struct smtpc_scram_text taken = reader->rest;
    const char *comma = taken.length > 0 ? memchr(taken.octets, ',', taken.length) : NULL;

    reader->has_more = comma != NULL;
    if (comma != NULL)
        taken.length = (size_t)(comma - taken.octets);
    reader->rest.octets += taken.length + (comma != NULL);
    reader->rest.length -= taken.length + (comma != NULL);
    return taken;
}

static int
take_value(struct reader *reader, char attribute, struct smtpc_scram_text *value, struct smtpc_error *error)
{
    struct smtpc_scram_text taken = take(reader);

    if (!begins(taken, attribute))
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's %s message has no %c= where it belongs",
                               reader->mechanism, reader->which, attribute);
    value->octets = taken.octets + 2;
    value->length = taken.length - 2;
    return 0;
}

static int
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Extensions mean nothing to us, but one that doubles what was said means two things to two readers. */
static int
check_extensions(struct reader *reader, const char *known, struct smtpc_error *error)
{
    while (reader->has_more) {
        struct smtpc_scram_text taken = take(reader);

        if (taken.length < 3 || !is_letter(taken.octets[0]) || taken.octets[1] != '='
            || memchr(taken.octets, '\0', taken.length) != NULL)
            return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's %s message ends in what is no"
                                   " attribute", reader->mechanism, reader->which);
        if (strchr(known, taken.octets[0]) != NULL)
            return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's %s message has %c= out of its place",
                                   reader->mechanism, reader->which, taken.octets[0]);
    }
    return 0;
}

static int
is_nonce(struct smtpc_scram_text text)
{
    size_t i;

    for (i = 0; i < text.length; i++)
        if (text.octets[i] <= ' ' || text.octets[i] > '~')
            return 0;
    return 1;
}

/* A nonce that is not ours with something behind it was made for another login: replayed, or mixed up. */
static enum smtpc_sasl_verdict
check_nonce(const struct smtpc_scram_terms *terms, struct smtpc_scram_text nonce, struct smtpc_error *error)
{
    const char *name = terms->mechanism;

    if (nonce.length < terms->nonce.length || memcmp(nonce.octets, terms->nonce.octets, terms->nonce.length) != 0) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's nonce does not begin with ours: it answers"
                        " another login, or somebody stands between", name);
        return SMTPC_SASL_ABORT;
    }
    if (nonce.length == terms->nonce.length) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server adds nothing to our nonce", name);
        return SMTPC_SASL_ABORT;
    }
    if (is_nonce(nonce))
        return SMTPC_SASL_ANSWER;
    smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's nonce has an octet that is not printable", name);
    return SMTPC_SASL_CANCEL;
}

static int
read_salt(const char *name, struct smtpc_scram_text text, struct smtpc_buffer *salt, struct smtpc_error *error)
{
    size_t where;
    enum smtpc_base64_fault fault = smtpc_base64_decode(text.octets, text.length, salt, &where);

    if (fault != SMTPC_BASE64_OK)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's salt is no base64: %s", name,
                               smtpc_base64_fault_text(fault));
    if (salt->length == 0)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's salt is empty", name);
    return 0;
}

/* [1-9][0-9]*; what is more than a long can hold is ULONG_MAX. 0 when it is no such number. */
static unsigned long
count_of(struct smtpc_scram_text text)
{
    unsigned long count = 0;
    size_t i;

    if (text.length == 0 || text.octets[0] == '0')
        return 0;
    for (i = 0; i < text.length; i++) {
        unsigned long digit = (unsigned long)(text.octets[i] - '0');

        if (text.octets[i] < '0' || text.octets[i] > '9')
            return 0;
        count = count > (ULONG_MAX - digit) / 10 ? ULONG_MAX : count * 10 + digit;
    }
    return count;
}

static int
check_count(const struct smtpc_scram_terms *terms, unsigned long count, struct smtpc_error *error)
{
    if (count == 0)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's iteration count is no number from 1 on",
                               terms->mechanism);
    if (count < terms->iterations_min)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server wants %lu iterations, and %lu is the least"
                               " that is safe; scram_min_iterations lowers it", terms->mechanism, count,
                               terms->iterations_min);
    if (count > terms->iterations_max)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server wants %s%lu iterations, and %lu is the most"
                               " that are done; scram_max_iterations raises it", terms->mechanism,
                               count == ULONG_MAX ? "at least " : "", count, terms->iterations_max);
    return 0;
}

static int
check_message(const struct reader *reader, struct smtpc_error *error)
{
    if (begins(reader->rest, 'm'))
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server demands an extension (m=) that nobody here"
                               " knows", reader->mechanism);
    if (reader->rest.length > SMTPC_SCRAM_MESSAGE_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's %s message has %zu octets, and %d is the"
                               " limit", reader->mechanism, reader->which, reader->rest.length,
                               (int)SMTPC_SCRAM_MESSAGE_MAX);
    return 0;
}

/* s=, i= and what may follow. */
static int
read_salt_and_count(struct reader *reader, const struct smtpc_scram_terms *terms,
                    struct smtpc_scram_server_first *first, struct smtpc_error *error)
{
    struct smtpc_scram_text salt, count;

    if (take_value(reader, 's', &salt, error) != 0
        || read_salt(terms->mechanism, salt, &first->salt, error) != 0
        || take_value(reader, 'i', &count, error) != 0)
        return -1;
    first->iterations = count_of(count);
    return check_count(terms, first->iterations, error) != 0 ? -1 : check_extensions(reader, "mrsi", error);
}

enum smtpc_sasl_verdict
smtpc_scram_read_first(const struct smtpc_scram_terms *terms, struct smtpc_scram_text message,
                       struct smtpc_scram_server_first *first, struct smtpc_error *error)
{
    struct reader reader = {terms->mechanism, "first", message, 0};
    enum smtpc_sasl_verdict verdict;

    smtpc_buffer_init(&first->salt, SMTPC_SCRAM_SALT_MAX);
    if (check_message(&reader, error) != 0 || take_value(&reader, 'r', &first->nonce, error) != 0)
        return SMTPC_SASL_CANCEL;
    verdict = check_nonce(terms, first->nonce, error);
    if (verdict == SMTPC_SASL_ANSWER && read_salt_and_count(&reader, terms, first, error) != 0)
        verdict = SMTPC_SASL_CANCEL;
    return verdict;
}

int
smtpc_scram_read_final(const char *mechanism, struct smtpc_scram_text message, struct smtpc_buffer *signature,
                       struct smtpc_error *error)
{
    struct reader reader = {mechanism, "last", message, 0};
    struct smtpc_scram_text value;
    enum smtpc_base64_fault fault;
    size_t where;

    if (check_message(&reader, error) != 0 || take_value(&reader, 'v', &value, error) != 0
        || check_extensions(&reader, "mve", error) != 0)
        return -1;
    fault = smtpc_base64_decode(value.octets, value.length, signature, &where);
    if (fault == SMTPC_BASE64_OK)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s: the server's signature (v=) is no base64: %s", mechanism,
                           smtpc_base64_fault_text(fault));
}

int
smtpc_scram_is_error(struct smtpc_scram_text message, struct smtpc_scram_text *value)
{
    struct reader reader = {"", "", message, 0};

    *value = take(&reader);
    if (!begins(*value, 'e'))
        return 0;
    value->octets += 2;
    value->length -= 2;
    return 1;
}

int
smtpc_scram_is(struct smtpc_scram_text text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.octets, string, text.length) == 0;
}
