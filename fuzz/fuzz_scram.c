/* fuzz_scram: a SCRAM login against a server of the fuzzer's choice; the arithmetic is done again by OpenSSL's one-shots.
 *
 * Input: fields that end at octet 0x1f: options, user, secret, authzid, then what the server says. Options: '2' SHA-256,
 * '5' SHA-512, otherwise SHA-1; 'p' -PLUS, 'b' a binding is there, 'o' -PLUS is offered, 'l' the last message stands
 * behind 235. In a message octet 1 is the client's nonce, octet 2 the signature that is right. */
#include "oracle.h"

#include <ctype.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sasl/scram.h"

enum { FIELD_END = 0x1f, ROOM = 8 * SMTPC_SASL_SECRET_MAX, DIGEST_MAX = 64, COUNT_MIN = 2, COUNT_MAX = 50 };

static const char nonce[] = "0123456789+/fuzzABCDwxyz";

struct field {
    const char *octets;
    size_t length;
};

/* The login, and what a second reader of the RFC knows of it. */
struct login {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct smtpc_buffer first;      /* our first message */
    const char *options;
    const EVP_MD *md;
    size_t size;                    /* of its digest */
    struct field secret;
    char signature[2 * DIGEST_MAX]; /* base64 of what the server must say; "" before it can be known */
    int proven;                     /* the server has said it */
    int stopped;                    /* by CANCEL, ABORT or e= */
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

static int
has(const struct login *login, char option)
{
    return strchr(login->options, option) != NULL;
}

static int
is_at(struct field field, size_t where, const char *string)
{
    size_t n = strlen(string);

    return where <= field.length && field.length - where >= n && memcmp(field.octets + where, string, n) == 0;
}

/* ---- the first message ---- */

static void
put(struct smtpc_buffer *out, const char *string)
{
    must(smtpc_buffer_append_string(out, string) == 0);
}

static void
put_name(struct smtpc_buffer *out, struct field name)
{
    size_t i;

    for (i = 0; i < name.length; i++)
        if (name.octets[i] == ',')
            put(out, "=2C");
        else if (name.octets[i] == '=')
            put(out, "=3D");
        else
            must(smtpc_buffer_append(out, name.octets + i, 1) == 0);
}

static void
check_first(struct login *login, struct field user, struct field authzid)
{
    int bound = login->sasl.binding.length > 0;

    put(&login->first, has(login, 'p') ? "p=tls-exporter," : bound && !has(login, 'o') ? "y," : "n,");
    if (authzid.length > 0)
        put(&login->first, "a=");
    put_name(&login->first, authzid);
    put(&login->first, ",n=");
    put_name(&login->first, user);
    put(&login->first, ",r=");
    put(&login->first, nonce);
    must(login->out.length == login->first.length);
    must(memcmp(login->out.bytes, login->first.bytes, login->out.length) == 0);
}

/* ---- the server's first ---- */

/* What r=NONCE,s=SALT,i=COUNT says, read loosely: wherever that is right, the strict reader may say yes. */
struct said {
    struct field nonce;
    struct field salt;
    size_t count;
    int is_whole;      /* nothing stands behind the count */
};

static size_t
to_comma(struct field message, size_t from)
{
    while (from < message.length && message.octets[from] != ',')
        from++;
    return from;
}

/* 0 when a strict reader must refuse. */
static int
read_first(struct field message, struct said *said)
{
    size_t s = to_comma(message, 0), i = to_comma(message, s + 1), end = to_comma(message, i + 1);
    size_t at;

    if (!is_at(message, 0, "r=") || !is_at(message, 2, nonce) || s <= 2 + strlen(nonce))
        return 0;
    if (!is_at(message, s, ",s=") || !is_at(message, i, ",i=") || i == s + 3)
        return 0;
    for (said->count = 0, at = i + 3; at < end && isdigit((unsigned char)message.octets[at]) && at < i + 5; at++)
        said->count = said->count * 10 + (size_t)(message.octets[at] - '0');
    said->nonce.octets = message.octets + 2;
    said->nonce.length = s - 2;
    said->salt.octets = message.octets + s + 3;
    said->salt.length = i - s - 3;
    said->is_whole = end == message.length && at - i == 5 && message.octets[i + 3] != '0';
    return at == end && said->count >= COUNT_MIN && said->count <= COUNT_MAX;
}

static size_t
decode(struct field text, unsigned char *out)
{
    int n = text.length % 4 == 0 ? EVP_DecodeBlock(out, (const unsigned char *)text.octets, (int)text.length) : -1;

    if (n < 0)
        return 0;
    if (text.octets[text.length - 1] == '=')
        n -= text.octets[text.length - 2] == '=' ? 2 : 1;
    return (size_t)n;
}

/* 1 when the text is what the decoded octets are written as. */
static int
is_canonical(struct field text)
{
    unsigned char *octets = malloc(text.length + 4), *back = malloc(text.length + 8);
    size_t n = decode(text, octets);
    int same = n > 0 && (size_t)EVP_EncodeBlock(back, octets, (int)n) == text.length
        && memcmp(back, text.octets, text.length) == 0;

    free(octets);
    free(back);
    return same;
}

static void
salt_password(const struct login *login, const struct said *said, unsigned char *out)
{
    unsigned char *salt = malloc(said->salt.length + 4);
    size_t n = decode(said->salt, salt);

    must(PKCS5_PBKDF2_HMAC(login->secret.octets, (int)login->secret.length, salt, (int)n, (int)said->count, login->md,
                           (int)login->size, out) == 1);
    free(salt);
}

static void
mac(const struct login *login, const unsigned char *key, const char *data, size_t n, unsigned char *out)
{
    must(HMAC(login->md, key, (int)login->size, (const unsigned char *)data, n, out, NULL) != NULL);
}

static void
put_base64(struct smtpc_buffer *out, const char *octets, size_t n)
{
    char *text = malloc(n / 3 * 4 + 5);

    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)octets, (int)n);
    put(out, text);
    free(text);
}

/* c=...,r=... into final, and AuthMessage into message. */
static void
write_final(const struct login *login, const struct said *said, struct field theirs, struct smtpc_buffer *final,
            struct smtpc_buffer *message)
{
    struct field ours = {login->first.bytes, login->first.length};
    size_t bare = to_comma(ours, to_comma(ours, 0) + 1) + 1;
    struct smtpc_buffer bound;

    smtpc_buffer_init(&bound, ROOM);
    must(smtpc_buffer_append(&bound, ours.octets, bare) == 0);
    if (has(login, 'p'))
        put(&bound, "binding");
    put(final, "c=");
    put_base64(final, bound.bytes, bound.length);
    put(final, ",r=");
    must(smtpc_buffer_append(final, said->nonce.octets, said->nonce.length) == 0);
    must(smtpc_buffer_append(message, ours.octets + bare, ours.length - bare) == 0);
    put(message, ",");
    must(smtpc_buffer_append(message, theirs.octets, theirs.length) == 0);
    put(message, ",");
    must(smtpc_buffer_append(message, final->bytes, final->length) == 0);
    smtpc_buffer_clear(&bound);
}

/* The proof behind final, and the signature that the server owes. */
static void
prove(struct login *login, const struct said *said, const struct smtpc_buffer *message, struct smtpc_buffer *final)
{
    unsigned char salted[DIGEST_MAX], client[DIGEST_MAX], stored[DIGEST_MAX], server[DIGEST_MAX], proof[DIGEST_MAX];
    size_t i;

    salt_password(login, said, salted);
    mac(login, salted, "Client Key", 10, client);
    must(EVP_Digest(client, login->size, stored, NULL, login->md, NULL) == 1);
    mac(login, stored, message->bytes, message->length, proof);
    for (i = 0; i < login->size; i++)
        proof[i] ^= client[i];
    put(final, ",p=");
    put_base64(final, (const char *)proof, login->size);
    mac(login, salted, "Server Key", 10, server);
    mac(login, server, message->bytes, message->length, proof);
    EVP_EncodeBlock((unsigned char *)login->signature, proof, (int)login->size);
}

static void
check_final(struct login *login, struct field message)
{
    struct said said;
    struct smtpc_buffer final, auth;

    must(read_first(message, &said));
    must(is_canonical(said.salt));
    smtpc_buffer_init(&final, 4 * ROOM);
    smtpc_buffer_init(&auth, 4 * ROOM);
    write_final(login, &said, message, &final, &auth);
    prove(login, &said, &auth, &final);
    must(login->out.length == final.length && memcmp(login->out.bytes, final.bytes, final.length) == 0);
    smtpc_buffer_clear(&final);
    smtpc_buffer_clear(&auth);
}

/* A message that nobody could find fault with. */
static int
is_perfect(struct field message)
{
    struct said said;
    size_t i;

    if (!read_first(message, &said) || !said.is_whole || !is_canonical(said.salt) || message.length > 1000)
        return 0;
    for (i = 0; i < said.nonce.length; i++)
        if (said.nonce.octets[i] < '!' || said.nonce.octets[i] > '~')
            return 0;
    return 1;
}

/* ---- the rounds ---- */

static void
check_answer(struct login *login, struct field message)
{
    if (is_at(message, 0, "e=")) {
        must(login->out.length == 0);
        login->stopped = 1;
    } else if (login->signature[0] == '\0') {
        check_final(login, message);
    } else {
        size_t n = strlen(login->signature);

        must(!login->proven && login->out.length == 0);
        must(is_at(message, 0, "v=") && is_at(message, 2, login->signature));
        must(message.length == 2 + n || message.octets[2 + n] == ',');
        login->proven = 1;
    }
}

static int
is_right_signature(const struct login *login, struct field message)
{
    return login->signature[0] != '\0' && is_at(message, 0, "v=") && is_at(message, 2, login->signature)
        && message.length == 2 + strlen(login->signature);
}

static void
hear(struct login *login, struct field message)
{
    struct smtpc_sasl_challenge challenge = {"(base64)", 8, message.octets, message.length};
    struct smtpc_error error = {0};
    int perfect = login->signature[0] == '\0' ? is_perfect(message) : is_right_signature(login, message);
    int was_open = !login->stopped && !login->proven;

    if (smtpc_sasl_answer(&login->sasl, &challenge, &login->out, &error) == SMTPC_SASL_ANSWER) {
        must(was_open && !smtpc_error_is_set(&error));
        check_answer(login, message);
    } else {
        must(login->out.length == 0 && smtpc_error_is_set(&error));
        must(!(was_open && perfect));
        login->stopped = 1;
    }
}

static void
end(struct login *login, struct field last)
{
    struct smtpc_sasl_challenge text = {"(base64)", 8, last.octets, last.length};
    struct smtpc_error error = {0};
    int result = smtpc_sasl_finish(&login->sasl, &text, &error);
    int right = login->signature[0] != '\0' && is_at(last, 0, "v=") && is_at(last, 2, login->signature);

    must((result == 0) != smtpc_error_is_set(&error));
    if (result == 0)
        must(!login->stopped && (login->proven || right));
    else
        must(login->stopped || !(login->proven || is_right_signature(login, last)));
}

/* The message with its two octets that stand for something, at most ROOM long. */
static struct field
expand(const struct login *login, struct field message, struct smtpc_buffer *into)
{
    struct field expanded;
    size_t i;

    smtpc_buffer_truncate(into, 0);
    for (i = 0; i < message.length && into->length < ROOM / 2; i++)
        if (message.octets[i] == 1)
            put(into, nonce);
        else if (message.octets[i] == 2)
            put(into, login->signature);
        else
            must(smtpc_buffer_append(into, message.octets + i, 1) == 0);
    expanded.octets = into->length > 0 ? into->bytes : "";
    expanded.length = into->length;
    return expanded;
}

static void
converse(struct login *login, struct field messages)
{
    struct smtpc_buffer said;
    struct field empty = {"", 0};
    int is_ended = 0;

    smtpc_buffer_init(&said, ROOM);
    while (messages.length > 0) {
        struct field message = expand(login, take(&messages), &said);

        is_ended = messages.length == 0 && has(login, 'l');
        if (is_ended)
            end(login, message);
        else
            hear(login, message);
    }
    if (!is_ended)
        end(login, empty);
    smtpc_buffer_clear(&said);
}

/* ---- the login ---- */

static const char *
mechanism_of(struct login *login)
{
    int plus = has(login, 'p');

    login->md = has(login, '2') ? EVP_sha256() : has(login, '5') ? EVP_sha512() : EVP_sha1();
    login->size = has(login, '2') ? 32 : has(login, '5') ? 64 : 20;
    if (login->size == 20)
        return plus ? "SCRAM-SHA-1-PLUS" : "SCRAM-SHA-1";
    if (login->size == 32)
        return plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
    return plus ? "SCRAM-SHA-512-PLUS" : "SCRAM-SHA-512";
}

static int
set(struct login *login, struct field user, struct field authzid)
{
    struct smtpc_sasl_login demands = {0};
    struct smtpc_sasl_text secret = {login->secret.octets, login->secret.length, NULL, 0, NULL};
    struct smtpc_error error = {0};

    demands.user.octets = user.octets;
    demands.user.length = user.length;
    demands.authzid.octets = authzid.octets;
    demands.authzid.length = authzid.length;
    demands.iterations_min = COUNT_MIN;
    demands.iterations_max = COUNT_MAX;
    return smtpc_sasl_set_login(&login->sasl, &demands, &error) == 0
        && smtpc_sasl_set_secret(&login->sasl, &secret, &error) == 0;
}

static void
log_in(struct login *login, struct field user, struct field authzid, struct field messages)
{
    const char *name = mechanism_of(login);
    struct smtpc_error error = {0};

    if (has(login, 'b') || has(login, 'p')) {
        memcpy(login->sasl.binding.name, "tls-exporter", 13);
        memcpy(login->sasl.binding.octets, "binding", 7);
        login->sasl.binding.length = 7;
    }
    smtpc_sasl_begin(&login->sasl, smtpc_sasl_find(name, strlen(name)), has(login, 'o') ? "PLAIN X-PLUS" : "PLAIN");
    must(smtpc_scram_begin(&login->sasl, nonce, strlen(nonce), &login->out, &error) == SMTPC_SASL_ANSWER);
    check_first(login, user, authzid);
    converse(login, messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct field rest = {(const char *)data, size};
    struct field options = take(&rest), user = take(&rest), secret = take(&rest), authzid = take(&rest);
    char letters[8] = "";
    struct login login = {0};

    memcpy(letters, options.octets, options.length < 7 ? options.length : 7);
    login.options = letters;
    login.secret = secret;
    smtpc_sasl_init(&login.sasl);
    smtpc_buffer_init(&login.out, ROOM);
    smtpc_buffer_init(&login.first, ROOM);
    if (set(&login, user, authzid))
        log_in(&login, user, authzid, rest);
    smtpc_sasl_clear(&login.sasl);
    smtpc_buffer_clear(&login.out);
    smtpc_buffer_clear(&login.first);
    return 0;
}
