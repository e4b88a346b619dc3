/* fuzz_sasl: one login with mechanism, credentials and challenges of the fuzzer's choice.
 *
 * Input: fields that end at octet 0x1f: options, offered, wanted, user, secret, authzid, then the challenges.
 * Options: 't' trusted line, 'b' no initial response. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "sasl/sasl.h"

enum { FIELD_END = 0x1f, HEX_LENGTH = 32, ROOM = 4 * SMTPC_SASL_SECRET_MAX };

struct field {
    const char *octets;
    size_t length;
};

struct login {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct field user;
    struct field secret;
    int bare;        /* no initial response */
    int answers;
    int cancelled;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(int true_thing)
{
    if (!true_thing)
        abort();
}

static struct field
take(struct field *rest)
{
    struct field field = {rest->octets, 0};

    while (field.length < rest->length && field.octets[field.length] != FIELD_END)
        field.length++;
    rest->octets += field.length;
    rest->length -= field.length;
    if (rest->length > 0) {
        rest->octets++;
        rest->length--;
    }
    return field;
}

/* A NUL-terminated copy; what lies behind a NUL of the fuzzer's does not count. */
static char *
string_of(struct field field)
{
    char *string = malloc(field.length + 1);

    expect(string != NULL);
    if (field.length > 0)
        memcpy(string, field.octets, field.length);
    string[field.length] = '\0';
    return string;
}

static int
contains(const char *octets, size_t n, struct field part)
{
    size_t i;

    for (i = 0; i + part.length <= n; i++)
        if (memcmp(octets + i, part.octets, part.length) == 0)
            return 1;
    return 0;
}

/* "user digest", and the secret is not in the digest (from nine octets on: shorter ones may be there by chance). */
static void
check_cram_md5(const struct login *login)
{
    const char *out = login->out.bytes;
    size_t user = login->user.length;
    size_t i;

    expect(login->out.length == user + 1 + HEX_LENGTH);
    expect(memcmp(out, login->user.octets, user) == 0 && out[user] == ' ');
    for (i = user + 1; i < login->out.length; i++)
        expect((out[i] >= '0' && out[i] <= '9') || (out[i] >= 'a' && out[i] <= 'f'));
    if (login->secret.length > 8)
        expect(!contains(out + user + 1, HEX_LENGTH, login->secret));
}

static void
check_answer(const struct login *login)
{
    const struct smtpc_sasl_mechanism *row = login->sasl.mechanism;

    expect(!login->cancelled);
    expect(login->answers <= SMTPC_SASL_ROUNDS_MAX);
    if (strcmp(row->name, "CRAM-MD5") == 0)
        check_cram_md5(login);
    if (login->sasl.form == SMTPC_SASL_CLEARTEXT) {
        expect(strcmp(row->name, "PLAIN") == 0);
        expect(memchr(login->out.bytes, '\r', login->out.length) == NULL);
        expect(memchr(login->out.bytes, '\n', login->out.length) == NULL);
    }
}

static void
step(struct login *login, const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_error error = {0};

    if (smtpc_sasl_answer(&login->sasl, challenge, &login->out, &error) == SMTPC_SASL_ANSWER) {
        login->answers++;
        check_answer(login);
        expect(!smtpc_error_is_set(&error));
    } else {
        login->cancelled = 1;
        expect(login->out.length == 0 && smtpc_error_is_set(&error));
        expect(login->sasl.form == SMTPC_SASL_BASE64);
    }
}

static void
challenge(struct login *login, struct field text)
{
    struct smtpc_sasl_challenge challenged = {text.octets, text.length, NULL, 0};
    struct smtpc_buffer octets;
    size_t where;

    smtpc_buffer_init(&octets, ROOM);
    if (smtpc_base64_decode_wire(text.octets, text.length, &octets, &where) == SMTPC_BASE64_OK) {
        challenged.octets = octets.bytes;
        challenged.length = octets.length;
    }
    step(login, &challenged);
    smtpc_buffer_clear(&octets);
}

static void
log_in(struct login *login, const struct smtpc_sasl_mechanism *row, struct field challenges)
{
    struct smtpc_error error = {0};
    int rounds;

    smtpc_sasl_begin(&login->sasl, row);
    if (row->client_first && !login->bare)
        step(login, NULL);
    while (challenges.length > 0)
        challenge(login, take(&challenges));
    for (rounds = 0; !login->cancelled; rounds++) {
        struct field empty = {"", 0};

        expect(rounds <= SMTPC_SASL_ROUNDS_MAX);
        challenge(login, empty);
    }
    expect(smtpc_sasl_finish(&login->sasl, &error) == -1);
}

static const struct smtpc_sasl_mechanism *
choose(struct field *rest, int trusted)
{
    enum smtpc_sasl_line line = trusted ? SMTPC_SASL_LINE_TRUSTED : SMTPC_SASL_LINE_OPEN;
    char *offered = string_of(take(rest));
    char *wanted = string_of(take(rest));
    struct smtpc_error error = {0};
    const struct smtpc_sasl_mechanism *row = smtpc_sasl_choose(offered, wanted, "", line, &error);

    expect((row == NULL) == smtpc_error_is_set(&error));
    expect(row == NULL || trusted || !row->plaintext);
    expect(strlen(error.text) < 500);
    free(offered);
    free(wanted);
    return row;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct field rest = {(const char *)data, size};
    struct field options = take(&rest);
    struct field trusted = {"t", 1}, bare = {"b", 1};
    const struct smtpc_sasl_mechanism *row = choose(&rest, contains(options.octets, options.length, trusted));
    struct login login = {0};
    struct smtpc_error error = {0};
    struct field authzid;

    smtpc_sasl_init(&login.sasl);
    smtpc_buffer_init(&login.out, ROOM);
    login.bare = contains(options.octets, options.length, bare);
    login.user = take(&rest);
    login.secret = take(&rest);
    authzid = take(&rest);
    if (row != NULL && smtpc_sasl_set_user(&login.sasl, login.user.octets, login.user.length, &error) == 0
        && smtpc_sasl_set_secret(&login.sasl, login.secret.octets, login.secret.length, &error) == 0
        && smtpc_sasl_set_authzid(&login.sasl, authzid.octets, authzid.length, &error) == 0)
        log_in(&login, row, rest);
    smtpc_sasl_clear(&login.sasl);
    smtpc_buffer_clear(&login.out);
    return 0;
}
