/* test_sasl: every row of plain.tsv, login.tsv and cram-md5.tsv; credentials, and the rounds of a login. */
#include "tap.h"
#include "vectors.h"

#include "codec/base64.h"
#include "sasl/sasl.h"

enum { ROOM = 4 * SMTPC_SASL_SECRET_MAX };

static struct vectors table;

/* One login and the line that the session would send. */
struct login {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct smtpc_buffer line;   /* "*" after a CANCEL */
    struct smtpc_error error;
};

static void
start(struct login *login, const char *mechanism, const char *user, const char *secret)
{
    memset(login, 0, sizeof *login);
    smtpc_sasl_init(&login->sasl);
    smtpc_buffer_init(&login->out, ROOM);
    smtpc_buffer_init(&login->line, ROOM);
    smtpc_sasl_begin(&login->sasl, smtpc_sasl_find(mechanism, strlen(mechanism)));
    smtpc_sasl_set_user(&login->sasl, user, strlen(user), &login->error);
    smtpc_sasl_set_secret(&login->sasl, secret, strlen(secret), &login->error);
}

static void
stop(struct login *login)
{
    smtpc_sasl_clear(&login->sasl);
    smtpc_buffer_clear(&login->out);
    smtpc_buffer_clear(&login->line);
}

static void
answer(struct login *login, const struct smtpc_sasl_challenge *challenge)
{
    enum smtpc_sasl_verdict verdict = smtpc_sasl_answer(&login->sasl, challenge, &login->out, &login->error);

    smtpc_buffer_truncate(&login->line, 0);
    if (verdict == SMTPC_SASL_CANCEL)
        smtpc_buffer_append_string(&login->line, "*");
    else if (login->sasl.form == SMTPC_SASL_CLEARTEXT)
        smtpc_buffer_append(&login->line, login->out.bytes, login->out.length);
    else
        smtpc_base64_encode(login->out.bytes, login->out.length, &login->line);
}

/* The answer to "334 TEXT". */
static void
hear(struct login *login, const char *text)
{
    struct smtpc_sasl_challenge challenge = {text, strlen(text), NULL, 0};
    struct smtpc_buffer octets;
    size_t where;

    smtpc_buffer_init(&octets, ROOM);
    if (smtpc_base64_decode_wire(text, strlen(text), &octets, &where) == SMTPC_BASE64_OK) {
        challenge.octets = octets.bytes;
        challenge.length = octets.length;
    }
    answer(login, &challenge);
    smtpc_buffer_clear(&octets);
}

static void
said(const struct login *login, const char *line, const char *name)
{
    is_octets(login->line.bytes, login->line.length, line, strlen(line), name);
}

static int
is_cancelled(const struct login *login, const char *why)
{
    int good = smtpc_buffer_equals(&login->line, "*") && login->out.length == 0
        && strstr(login->error.text, why) != NULL;

    if (!good)
        printf("# error: %s\n", login->error.text);
    return good;
}

/* ---- the tables ---- */

static int
set_all(struct login *login, size_t authzid, size_t user, size_t secret)
{
    return smtpc_sasl_set_authzid(&login->sasl, table.field[1], authzid, &login->error) == 0
        && smtpc_sasl_set_user(&login->sasl, table.field[2], user, &login->error) == 0
        && smtpc_sasl_set_secret(&login->sasl, table.field[3], secret, &login->error) == 0;
}

static void
plain_row(void)
{
    const char *id = table.field[0];
    const char *verdict = table.field[7];
    size_t authzid = vectors_unhex(table.field[1]);
    size_t user = vectors_unhex(table.field[2]);
    size_t secret = vectors_unhex(table.field[3]);
    size_t message = vectors_unhex(table.field[4]);
    struct login login;

    start(&login, "PLAIN", "nobody", "nothing");
    if (!set_all(&login, authzid, user, secret)) {
        const char *reason = strcmp(verdict, "error:nul") == 0 ? "NUL" : "empty";

        ok(strncmp(verdict, "error:", 6) == 0, "plain %s is refused", id);
        ok(strstr(login.error.text, reason) != NULL, "plain %s: %s", id, login.error.text);
        ok(login.error.kind == SMTPC_ERROR_USAGE, "plain %s: the caller's fault", id);
    } else {
        answer(&login, NULL);
        ok(strcmp(verdict, "ok") == 0, "plain %s is taken", id);
        is_octets(login.out.bytes, login.out.length, table.field[4], message, id);
        said(&login, table.field[5], id);
        smtpc_sasl_begin(&login.sasl, login.sasl.mechanism);
        hear(&login, "");
        said(&login, table.field[5], "the same behind an empty challenge");
    }
    stop(&login);
}

/* What the server has said before the prompt of this row. */
static void
hear_earlier(struct login *login, int step, const char *kind)
{
    if (login->sasl.mechanism->client_first) {
        if (step > 1)
            hear(login, strcmp(kind, "password") == 0 ? "Username:" : "");
        return;
    }
    if (step > 1)
        hear(login, "VXNlcm5hbWU6");
    if (step > 2)
        hear(login, "UGFzc3dvcmQ6");
}

static void
login_row(void)
{
    char *reply = table.field[3];
    int in_clear = strcmp(table.field[5], "cleartext") == 0;
    struct login login;

    reply[vectors_unescape(reply)] = '\0';
    reply[strcspn(reply, "\r")] = '\0';
    start(&login, table.field[1], "demo", "secret");
    hear_earlier(&login, atoi(table.field[2]), table.field[4]);
    hear(&login, reply[3] == ' ' ? reply + 4 : reply + 3);
    said(&login, table.field[6], table.field[0]);
    ok((login.sasl.form == SMTPC_SASL_CLEARTEXT) == in_clear, "%s: %s", table.field[0], table.field[5]);
    stop(&login);
}

static const char seed_challenge[] = "PDIzODkxLjEwMTU5ODM0OTNAcGlvbmVlci5ob3N0LXNlcnZlLm5ldApaAj4=";

/* Rows without a password: only what the published answer decodes to can be checked. */
static void
cram_md5_published(const char *response)
{
    struct smtpc_buffer decoded;
    struct smtpc_buffer expected;
    size_t user = vectors_unhex(table.field[3]);
    size_t where;

    smtpc_buffer_init(&decoded, ROOM);
    smtpc_buffer_init(&expected, ROOM);
    smtpc_buffer_append(&expected, table.field[3], user);
    smtpc_buffer_append_string(&expected, " ");
    smtpc_buffer_append_string(&expected, table.field[5]);
    smtpc_base64_decode(response, strlen(response), &decoded, &where);
    is_octets(decoded.bytes, decoded.length, expected.bytes, expected.length, table.field[0]);
    smtpc_buffer_clear(&decoded);
    smtpc_buffer_clear(&expected);
}

/* An empty password is refused by set_secret; the arithmetic of that row is checked without it. */
static void
cram_md5_row(void)
{
    const char *id = table.field[0];
    struct login login;
    size_t user, secret;

    if (strcmp(table.field[4], "-") == 0) {
        cram_md5_published(table.field[6]);
        return;
    }
    user = vectors_unhex(table.field[3]);
    secret = vectors_unhex(table.field[4]);
    start(&login, "CRAM-MD5", "nobody", "nothing");
    smtpc_buffer_clear(&login.sasl.secret);
    smtpc_sasl_set_user(&login.sasl, table.field[3], user, &login.error);
    ok(smtpc_sasl_set_secret(&login.sasl, table.field[4], secret, &login.error) == (secret > 0 ? 0 : -1),
       "cram-md5 %s: password of %lu octets", id, (unsigned long)secret);
    hear(&login, table.field[1]);
    said(&login, table.field[6], id);
    if (strstr(id, "-WRONG") != NULL) {
        smtpc_sasl_begin(&login.sasl, login.sasl.mechanism);
        hear(&login, seed_challenge);
        ok(!smtpc_buffer_equals(&login.line, table.field[6]), "%s is not the answer to the seed's challenge", id);
    }
    stop(&login);
}

static int
for_each_row(const char *name, void (*row)(void))
{
    int rows = 0;

    vectors_open(&table, name);
    while (vectors_next(&table)) {
        row();
        rows++;
    }
    return rows;
}

/* ---- credentials ---- */

static void
refuses(const char *octets, size_t n, const char *reason)
{
    struct smtpc_sasl sasl;
    struct smtpc_error user = {0};
    struct smtpc_error secret = {0};

    smtpc_sasl_init(&sasl);
    smtpc_sasl_set_user(&sasl, "old", 3, &user);
    ok(smtpc_sasl_set_user(&sasl, octets, n, &user) == -1 && user.kind == SMTPC_ERROR_USAGE, "user name refused");
    ok(strncmp(user.text, "user name ", 10) == 0 && strstr(user.text, reason) != NULL, "%s", user.text);
    ok(smtpc_buffer_equals(&sasl.user, "old"), "the old one stays");
    ok(smtpc_sasl_set_secret(&sasl, octets, n, &secret) == -1, "password refused");
    ok(strncmp(secret.text, "password ", 9) == 0 && strstr(secret.text, reason) != NULL, "%s", secret.text);
    smtpc_sasl_clear(&sasl);
}

static void
test_credentials(void)
{
    static char long_one[SMTPC_SASL_SECRET_MAX + 1];
    struct login login;

    memset(long_one, 'x', sizeof long_one);
    refuses("justwait \r\n", 11, "ends in a line end (CR or LF)");
    refuses("justwait\n", 9, "s/\\s+\\z//");
    refuses("justwait\r", 9, "line end");
    refuses("a\0b", 3, "NUL at octet 2");
    refuses("", 0, "empty");
    refuses(long_one, sizeof long_one, "65537 octets");
    start(&login, "PLAIN", "demo", "secret");
    ok(smtpc_sasl_set_secret(&login.sasl, long_one, SMTPC_SASL_SECRET_MAX, &login.error) == 0, "64 KiB are taken");
    answer(&login, NULL);
    ok(login.out.length == SMTPC_SASL_SECRET_MAX + 6, "and sent");
    ok(smtpc_sasl_set_user(&login.sasl, " a\r\nb ", 6, &login.error) == 0, "line ends inside: base64 carries them");
    stop(&login);
    ok(login.sasl.user.bytes == NULL && login.sasl.secret.bytes == NULL && login.sasl.mechanism == NULL, "cleared");
}

/* ---- dialogues ---- */

static void
test_plain_legacy(void)
{
    struct login login;

    start(&login, "PLAIN", "demo", "secret");
    hear(&login, " \tuSERNAME: ");
    said(&login, "demo", "prompt in any case, trimmed");
    hear(&login, "PASSWORD:  ");
    said(&login, "secret", "the password's as well");
    hear(&login, "Password:");
    ok(is_cancelled(&login, "more") && login.sasl.form == SMTPC_SASL_BASE64, "a third prompt is cancelled");
    stop(&login);

    start(&login, "PLAIN", "demo", "secret");
    answer(&login, NULL);
    hear(&login, "Username:");
    said(&login, "demo", "the legacy dialogue behind an initial response that the server has not looked at");
    hear(&login, "Password:");
    said(&login, "secret", "to its end");
    stop(&login);

    start(&login, "PLAIN", "demo", "secret");
    answer(&login, NULL);
    hear(&login, "Password:");
    ok(is_cancelled(&login, "after the whole login"), "behind an initial response the other prompt is none");
    stop(&login);

    start(&login, "PLAIN", "demo", "secret");
    hear(&login, "");
    hear(&login, "Username:");
    ok(is_cancelled(&login, "after the whole login"), "no legacy dialogue behind a message that was asked for");
    stop(&login);

    start(&login, "PLAIN", "demo", "secret");
    hear(&login, "Username:");
    hear(&login, "Username:");
    ok(is_cancelled(&login, "password"), "only the right prompt gets the password");
    stop(&login);

    start(&login, "PLAIN", "demo", "secret");
    hear(&login, "Username: please");
    said(&login, "AGRlbW8Ac2VjcmV0", "a longer text is not the prompt");
    stop(&login);
}

static void
legacy_refuses(const char *user, size_t user_length, const char *secret, size_t secret_length, const char *reason)
{
    struct login login;

    start(&login, "PLAIN", "nobody", "nothing");
    smtpc_buffer_clear(&login.sasl.user);
    smtpc_buffer_append(&login.sasl.user, user, user_length);
    smtpc_buffer_clear(&login.sasl.secret);
    smtpc_buffer_append(&login.sasl.secret, secret, secret_length);
    hear(&login, "Username:");
    ok(is_cancelled(&login, reason) && login.error.kind == SMTPC_ERROR_USAGE, "%s", login.error.text);
    stop(&login);
}

static void
test_plain_legacy_refuses(void)
{
    struct login login;

    legacy_refuses("de\nmo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("de\rmo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("de\0mo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("demo", 4, "sec\r\nret", 8, "password has a CR");
    legacy_refuses("demo", 4, "sec\0ret", 7, "password has a CR");
    start(&login, "PLAIN", "demo", "secret");
    smtpc_sasl_set_authzid(&login.sasl, "admin", 5, &login.error);
    hear(&login, "Username:");
    ok(is_cancelled(&login, "authorization identity"), "an authorization identity is not lost in silence");
    stop(&login);
}

static void
test_login_guards(void)
{
    struct login login;

    start(&login, "LOGIN", "demo", "secret");
    hear(&login, "VXNlcm5hbWU6");
    hear(&login, "VXNlcm5hbWU6");
    said(&login, "ZGVtbw==", "asked for the user again");
    hear(&login, "UGFzc3dvcmQ6");
    said(&login, "c2VjcmV0", "then for the password");
    hear(&login, "VXNlcm5hbWU6");
    ok(is_cancelled(&login, "asks for more"), "a fourth prompt is cancelled");
    stop(&login);

    start(&login, "LOGIN", "demo", "secret");
    hear(&login, "PASSWORT? pass!");
    ok(is_cancelled(&login, "before the user name"), "the password is not given on a guess, in clear text neither");
    stop(&login);

    start(&login, "LOGIN", "demo", "secret");
    answer(&login, NULL);
    ok(is_cancelled(&login, "initial response"), "LOGIN has no initial response");
    stop(&login);

    start(&login, "LOGIN", "demo", "secret");
    smtpc_sasl_set_authzid(&login.sasl, "admin", 5, &login.error);
    hear(&login, "");
    ok(is_cancelled(&login, "authorization identity"), "LOGIN cannot carry an authorization identity");
    stop(&login);
}

static void
test_cram_md5_guards(void)
{
    struct login login;

    start(&login, "CRAM-MD5", "demo", "secret");
    hear(&login, "<1.2@mail.example.org>");
    ok(is_cancelled(&login, "not base64") && login.error.kind == SMTPC_ERROR_AUTH, "a junk challenge is cancelled");
    hear(&login, "PDEuMkBtYWlsLmV4YW1wbGUub3JnPg==");
    ok(is_cancelled(&login, "not base64"), "and nothing is answered after that");
    ok(smtpc_sasl_finish(&login.sasl, &login.error) == -1, "nor is success believed");
    smtpc_error_clear(&login.error);
    smtpc_sasl_begin(&login.sasl, login.sasl.mechanism);
    hear(&login, "=AAA");
    ok(is_cancelled(&login, "not base64"), "padding in front");
    stop(&login);

    start(&login, "CRAM-MD5", "demo", "secret");
    hear(&login, seed_challenge);
    ok(smtpc_sasl_finish(&login.sasl, &login.error) == 0, "success after one answer");
    hear(&login, seed_challenge);
    ok(is_cancelled(&login, "second challenge"), "a second challenge is cancelled");
    stop(&login);
}

/* A mechanism that talks as long as it is asked, and wants a proof in the end. */
static enum smtpc_sasl_verdict
chatter(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
        struct smtpc_error *error)
{
    (void)sasl, (void)challenge, (void)error;
    return smtpc_buffer_append_string(out, "again") == 0 ? SMTPC_SASL_ANSWER : SMTPC_SASL_CANCEL;
}

static int
unproved(struct smtpc_sasl *sasl, struct smtpc_error *error)
{
    (void)sasl;
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "no proof came");
}

static void
test_rounds(void)
{
    static const struct smtpc_sasl_mechanism endless = {
        .name = "ENDLESS", .client_first = 1, .answer = chatter, .finish = unproved,
    };
    struct login login;
    int i, answers = 0;

    start(&login, "PLAIN", "demo", "secret");
    smtpc_sasl_begin(&login.sasl, &endless);
    answer(&login, NULL);
    said(&login, "YWdhaW4=", "the initial response is no round");
    for (i = 0; i < 20; i++) {
        hear(&login, "");
        answers += smtpc_buffer_equals(&login.line, "YWdhaW4=");
    }
    ok(answers == SMTPC_SASL_ROUNDS_MAX, "%d rounds of at most %d", answers, (int)SMTPC_SASL_ROUNDS_MAX);
    ok(is_cancelled(&login, "more than 10 challenges"), "%s", login.error.text);
    smtpc_error_clear(&login.error);
    smtpc_sasl_begin(&login.sasl, &endless);
    ok(smtpc_sasl_finish(&login.sasl, &login.error) == -1 && strcmp(login.error.text, "no proof came") == 0,
       "235 without the proof that the mechanism promises");
    stop(&login);
}

/* Neither an answer that does not fit nor one cut short leaves anything in out. */
static void
test_no_room(void)
{
    static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
    size_t i;

    for (i = 0; i < 3; i++) {
        struct login login;

        start(&login, names[i], "demo", "secret");
        login.out.cap = 3;
        hear(&login, "");
        ok(is_cancelled(&login, "out of memory"), "%s without room", names[i]);
        stop(&login);
    }
}

int
main(void)
{
    ok(for_each_row("plain.tsv", plain_row) == 18, "rows of plain.tsv");
    ok(for_each_row("login.tsv", login_row) == 25, "rows of login.tsv");
    ok(for_each_row("cram-md5.tsv", cram_md5_row) == 15, "rows of cram-md5.tsv");
    test_credentials();
    test_plain_legacy();
    test_plain_legacy_refuses();
    test_login_guards();
    test_cram_md5_guards();
    test_rounds();
    test_no_room();
    return tap_done();
}
