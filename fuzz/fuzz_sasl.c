/* fuzz_sasl: one login with credentials and challenges of the fuzzer's choice: fit choice, true end, nothing leaks.
 *
 * Input: fields that end at octet 0x1f: options, offered, wanted, user, secret, authzid, then the challenges.
 * Options: 't' trusted line, 'b' no initial response, 'k' token, 'n' no secret, 'c' channel binding, 'o' that was
 * used before, 'p' prepared forms, 'u' unprepared user, 'x' the secret of leak.h instead of the field's.
 * Challenges for SCRAM: "~REST" is r= and the client's nonce before REST, "^REST" the right v= before REST. "#TEXT"
 * is the text of 235. */
#include "leak.h"

#include "codec/base64.h"
#include "sasl/sasl.h"

enum { FIELD_END = 0x1f, HEX_LENGTH = 32, ROOM = 5 * SMTPC_SASL_SECRET_MAX, ITERATIONS = 20 };

struct field {
    const char *octets;
    size_t length;
};

struct login {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct smtpc_buffer nonce;   /* of SCRAM, the client's */
    struct field options;
    struct field user;
    struct field secret;
    int is_watched;              /* the secret is one that the input does not know */
    int answers;
    int was_proved;              /* the right v= was among what the server said */
    int cancelled;
};

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

    must(string != NULL);
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

static int
has(const struct login *login, char option)
{
    return login->options.length > 0 && memchr(login->options.octets, option, login->options.length) != NULL;
}

static int
is_scram(const struct smtpc_sasl_mechanism *row)
{
    return strncmp(row->name, "SCRAM-", 6) == 0;
}

/* ---- what is said ---- */

/* "user digest", and the secret is not in the digest (from nine octets on: shorter ones may be there by chance). */
static void
check_cram_md5(const struct login *login)
{
    const char *out = login->out.bytes;
    size_t user = login->user.length;
    size_t i;

    must(login->out.length == user + 1 + HEX_LENGTH);
    must(memcmp(out, login->user.octets, user) == 0 && out[user] == ' ');
    for (i = user + 1; i < login->out.length; i++)
        must((out[i] >= '0' && out[i] <= '9') || (out[i] >= 'a' && out[i] <= 'f'));
    if (login->secret.length > 8)
        must(!contains(out + user + 1, HEX_LENGTH, login->secret));
}

/* The flag says what is known of the binding; the nonce is kept. */
static void
check_scram_first(struct login *login)
{
    const struct smtpc_sasl *sasl = &login->sasl;
    const char *out = login->out.bytes;
    size_t nonce = login->out.length;

    must(login->out.length > 24 && login->nonce.length == 0);
    must(out[0] == (sasl->mechanism->binds ? 'p' : sasl->binding.length > 0 && !sasl->offers_plus ? 'y' : 'n'));
    while (out[nonce - 1] != ',')
        nonce--;
    must(out[nonce] == 'r' && out[nonce + 1] == '=' && login->out.length - nonce - 2 >= 22);
    must(smtpc_buffer_append(&login->nonce, out + nonce + 2, login->out.length - nonce - 2) == 0);
}

static void
check_answer(struct login *login)
{
    const struct smtpc_sasl_mechanism *row = login->sasl.mechanism;

    must(!login->cancelled);
    must(login->answers <= SMTPC_SASL_ROUNDS_MAX);
    must(row->plaintext || !login->is_watched || !leaks(login->out.bytes, login->out.length));
    if (strcmp(row->name, "CRAM-MD5") == 0)
        check_cram_md5(login);
    if (is_scram(row) && login->answers == 1)
        check_scram_first(login);
    if (login->sasl.form == SMTPC_SASL_CLEARTEXT) {
        must(strcmp(row->name, "PLAIN") == 0);
        must(memchr(login->out.bytes, '\r', login->out.length) == NULL);
        must(memchr(login->out.bytes, '\n', login->out.length) == NULL);
    }
}

static void
check_error(const struct login *login, const struct smtpc_error *error)
{
    must(smtpc_error_is_set(error));
    must(!login->is_watched || !leaks(error->text, strlen(error->text)));
}

static void
step(struct login *login, const struct smtpc_sasl_challenge *challenge)
{
    struct smtpc_error error = {0};

    if (smtpc_sasl_answer(&login->sasl, challenge, &login->out, &error) == SMTPC_SASL_ANSWER) {
        login->answers++;
        check_answer(login);
        must(!smtpc_error_is_set(&error));
    } else {
        login->cancelled = 1;
        must(login->out.length == 0 && login->sasl.form == SMTPC_SASL_BASE64);
        check_error(login, &error);
    }
}

/* ---- what the server says ---- */

static void
encode(struct smtpc_buffer *text, const struct smtpc_buffer *octets)
{
    must(smtpc_base64_encode(octets->bytes, octets->length, text) == 0);
}

/* "~" and "^" at the front stand for what no fuzzer can guess. */
static void
append_text(struct login *login, struct field field, struct smtpc_buffer *text)
{
    char mark = field.length > 0 ? field.octets[0] : '\0';
    struct smtpc_buffer octets;

    if (!is_scram(login->sasl.mechanism) || (mark != '~' && mark != '^')) {
        must(smtpc_buffer_append(text, field.octets, field.length) == 0);
        return;
    }
    smtpc_buffer_init(&octets, 2 * ROOM);
    smtpc_buffer_append_string(&octets, mark == '~' ? "r=" : "v=");
    if (mark == '~')
        smtpc_buffer_append(&octets, login->nonce.bytes, login->nonce.length);
    else
        encode(&octets, &login->sasl.scratch);
    login->was_proved |= mark == '^' && login->answers == 2;
    smtpc_buffer_append(&octets, field.octets + 1, field.length - 1);
    encode(text, &octets);
    smtpc_buffer_clear(&octets);
}

/* Hands over a text and its decoding, in memory of just their size. */
static int
with_text(struct login *login, struct field field, int (*use)(struct login *, const struct smtpc_sasl_challenge *))
{
    struct smtpc_sasl_challenge challenge = {NULL, 0, NULL, 0};
    struct smtpc_buffer text, octets;
    size_t where;
    int result;

    smtpc_buffer_init(&text, 4 * ROOM);
    smtpc_buffer_init(&octets, 4 * ROOM);
    append_text(login, field, &text);
    challenge.text = text.bytes;
    challenge.text_length = text.length;
    if (smtpc_base64_decode_wire(text.bytes, text.length, &octets, &where) == SMTPC_BASE64_OK) {
        challenge.octets = octets.bytes;
        challenge.length = octets.length;
    }
    result = use(login, &challenge);
    smtpc_buffer_clear(&text);
    smtpc_buffer_clear(&octets);
    return result;
}

static int
hear(struct login *login, const struct smtpc_sasl_challenge *challenge)
{
    step(login, challenge);
    return 0;
}

/* Nobody is logged in by a server that complains, or that owes its proof. */
static int
finish(struct login *login, const struct smtpc_sasl_challenge *last)
{
    struct smtpc_error error = {0};
    int result = smtpc_sasl_finish(&login->sasl, last, &error);

    if (result != 0)
        check_error(login, &error);
    else {
        must(!login->cancelled && !smtpc_error_is_set(&error));
        must(!is_scram(login->sasl.mechanism) || login->was_proved);
        must(login->sasl.mechanism->credential != SMTPC_SASL_TOKEN || login->answers <= 1);
    }
    return result;
}

static void
log_in(struct login *login, const struct smtpc_sasl_mechanism *row, const char *offered, struct field challenges)
{
    struct field empty = {"", 0};
    int rounds;

    smtpc_sasl_begin(&login->sasl, row, offered);
    if (row->client_first && !has(login, 'b'))
        step(login, NULL);
    while (challenges.length > 0) {
        struct field text = take(&challenges);

        if (text.length > 0 && text.octets[0] == '#') {
            text.octets++;
            text.length--;
            with_text(login, text, finish);
        } else
            with_text(login, text, hear);
    }
    for (rounds = 0; !login->cancelled; rounds++) {
        must(rounds <= SMTPC_SASL_ROUNDS_MAX);
        with_text(login, empty, hear);
    }
    must(with_text(login, empty, finish) == -1);
}

/* ---- what is chosen ---- */

static void
check_choice(const struct login *login, const struct smtpc_sasl_mechanism *row, const char *wanted)
{
    const struct smtpc_sasl *sasl = &login->sasl;

    must(has(login, 't') || !row->plaintext);
    must(row->credential == SMTPC_SASL_NO_SECRET || row->credential == sasl->credential);
    must(!row->by_name_only || wanted[strspn(wanted, " \t")] != '\0');
    must(!row->binds || (has(login, 'c') && !has(login, 'o')));
    must(!row->prepares || !has(login, 'u'));
    must(row->takes_authzid || sasl->authzid.length == 0);
}

static void
choose_and_log_in(struct login *login, struct field offered, struct field wanted, struct field challenges)
{
    enum smtpc_sasl_line line = has(login, 't') ? SMTPC_SASL_LINE_TRUSTED : SMTPC_SASL_LINE_OPEN;
    char *offer = string_of(offered), *wish = string_of(wanted);
    struct smtpc_sasl_lists lists = {offer, wish, ""};
    struct smtpc_error error = {0};
    const struct smtpc_sasl_mechanism *row = smtpc_sasl_choose(&login->sasl, &lists, line, &error);

    must((row == NULL) == smtpc_error_is_set(&error) && strlen(error.text) < 500);
    if (row != NULL) {
        check_choice(login, row, wish);
        log_in(login, row, offer, challenges);
    } else
        check_error(login, &error);
    free(offer);
    free(wish);
}

static void
set_binding(struct smtpc_sasl *sasl, int was_used)
{
    strcpy(sasl->binding.name, "tls-exporter");
    memset(sasl->binding.octets, 0xcb, 32);
    sasl->binding.length = 32;
    sasl->binding_was_used = was_used;
}

static int
set_login(struct login *login, struct field authzid)
{
    struct smtpc_sasl_login given = {{login->user.octets, login->user.length, NULL, 0, NULL}, SMTPC_SASL_PASSWORD,
                                     NULL, {authzid.octets, authzid.length, NULL, 0, NULL}, "mail.example", 587, 1,
                                     ITERATIONS};
    struct smtpc_sasl_text secret = {login->secret.octets, login->secret.length, NULL, 0, NULL};
    struct smtpc_error error = {0};

    if (has(login, 'k'))
        given.credential = SMTPC_SASL_TOKEN;
    else if (has(login, 'n'))
        given.credential = SMTPC_SASL_NO_SECRET;
    given.user.unprepared = has(login, 'u') ? "no" : NULL;
    if (has(login, 'p')) {
        given.user.prepared = secret.prepared = "a prepared text";
        given.user.prepared_length = secret.prepared_length = 15;
    }
    if (smtpc_sasl_set_login(&login->sasl, &given, &error) == 0
        && (given.credential == SMTPC_SASL_NO_SECRET
            || smtpc_sasl_set_secret(&login->sasl, &secret, &error) == 0))
        return 0;
    check_error(login, &error);
    return -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct field rest = {(const char *)data, size}, offered, wanted, authzid;
    struct login login = {0};

    smtpc_sasl_init(&login.sasl);
    smtpc_buffer_init(&login.out, ROOM);
    smtpc_buffer_init(&login.nonce, 64);
    login.options = take(&rest);
    offered = take(&rest);
    wanted = take(&rest);
    login.user = take(&rest);
    login.secret = take(&rest);
    authzid = take(&rest);
    if (has(&login, 'x')) {
        login.secret.octets = leak_secret;
        login.secret.length = sizeof leak_secret - 1;
        login.is_watched = !leaks((const char *)data, size);
    }
    if (has(&login, 'c'))
        set_binding(&login.sasl, has(&login, 'o'));
    if (set_login(&login, authzid) == 0)
        choose_and_log_in(&login, offered, wanted, rest);
    smtpc_sasl_clear(&login.sasl);
    smtpc_buffer_clear(&login.out);
    smtpc_buffer_clear(&login.nonce);
    return 0;
}
