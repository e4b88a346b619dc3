/* test_sasl: every row of plain.tsv, login.tsv and cram-md5.tsv; and the rounds of a login. */
#include "exchange.h"
#include "vectors.h"

static struct vectors table;

/* ---- the tables ---- */

static int
set_all(struct exchange *x, size_t authzid, size_t user, size_t secret)
{
    struct smtpc_sasl_login login = login_of(table.field[2], user, SMTPC_SASL_PASSWORD, NULL);

    login.authzid = text_of(table.field[1], authzid);
    return exchange_log_in(x, "PLAIN", &login, text_of(table.field[3], secret));
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
    struct exchange x;

    exchange_init(&x);
    if (!set_all(&x, authzid, user, secret)) {
        const char *reason = strcmp(verdict, "error:nul") == 0 ? "NUL" : "empty";

        ok(strncmp(verdict, "error:", 6) == 0, "plain %s is refused", id);
        ok(strstr(x.error.text, reason) != NULL, "plain %s: %s", id, x.error.text);
        ok(x.error.kind == SMTPC_ERROR_USAGE, "plain %s: the caller's fault", id);
    } else {
        exchange_answer(&x, NULL);
        ok(strcmp(verdict, "ok") == 0, "plain %s is taken", id);
        is_octets(x.out.bytes, x.out.length, table.field[4], message, id);
        exchange_said(&x, table.field[5], id);
        smtpc_sasl_begin(&x.sasl, x.sasl.mechanism, "");
        exchange_hear(&x, "");
        exchange_said(&x, table.field[5], "the same behind an empty challenge");
    }
    exchange_stop(&x);
}

/* What the server has said before the prompt of this row. */
static void
hear_earlier(struct exchange *x, int step, const char *kind)
{
    if (x->sasl.mechanism->client_first) {
        if (step > 1)
            exchange_hear(x, strcmp(kind, "password") == 0 ? "Username:" : "");
        return;
    }
    if (step > 1)
        exchange_hear(x, "VXNlcm5hbWU6");
    if (step > 2)
        exchange_hear(x, "UGFzc3dvcmQ6");
}

static void
login_row(void)
{
    char *reply = table.field[3];
    int in_clear = strcmp(table.field[5], "cleartext") == 0;
    struct exchange x;

    reply[vectors_unescape(reply)] = '\0';
    reply[strcspn(reply, "\r")] = '\0';
    exchange_start(&x, table.field[1], "demo", "secret");
    hear_earlier(&x, atoi(table.field[2]), table.field[4]);
    exchange_hear(&x, reply[3] == ' ' ? reply + 4 : reply + 3);
    exchange_said(&x, table.field[6], table.field[0]);
    ok((x.sasl.form == SMTPC_SASL_CLEARTEXT) == in_clear, "%s: %s", table.field[0], table.field[5]);
    exchange_stop(&x);
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

    smtpc_buffer_init(&decoded, EXCHANGE_ROOM);
    smtpc_buffer_init(&expected, EXCHANGE_ROOM);
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
    struct smtpc_sasl_login login;
    struct exchange x;
    size_t user, secret;

    if (strcmp(table.field[4], "-") == 0) {
        cram_md5_published(table.field[6]);
        return;
    }
    user = vectors_unhex(table.field[3]);
    secret = vectors_unhex(table.field[4]);
    login = login_of(table.field[3], user, SMTPC_SASL_PASSWORD, NULL);
    exchange_init(&x);
    ok(exchange_log_in(&x, "CRAM-MD5", &login, text_of(table.field[4], secret)) == (secret > 0),
       "cram-md5 %s: password of %lu octets", id, (unsigned long)secret);
    exchange_hear(&x, table.field[1]);
    exchange_said(&x, table.field[6], id);
    if (strstr(id, "-WRONG") != NULL) {
        smtpc_sasl_begin(&x.sasl, x.sasl.mechanism, "");
        exchange_hear(&x, seed_challenge);
        ok(!smtpc_buffer_equals(&x.line, table.field[6]), "%s is not the answer to the seed's challenge", id);
    }
    exchange_stop(&x);
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

/* ---- dialogues ---- */

static void
test_plain_legacy(void)
{
    struct exchange x;

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_hear(&x, " \tuSERNAME: ");
    exchange_said(&x, "demo", "prompt in any case, trimmed");
    exchange_hear(&x, "PASSWORD:  ");
    exchange_said(&x, "secret", "the password's as well");
    exchange_hear(&x, "Password:");
    ok(exchange_is_cancelled(&x, "more") && x.sasl.form == SMTPC_SASL_BASE64, "a third prompt is cancelled");
    exchange_stop(&x);

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_answer(&x, NULL);
    exchange_hear(&x, "Username:");
    exchange_said(&x, "demo", "the legacy dialogue behind an initial response that the server has not looked at");
    exchange_hear(&x, "Password:");
    exchange_said(&x, "secret", "to its end");
    exchange_stop(&x);

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_answer(&x, NULL);
    exchange_hear(&x, "Password:");
    ok(exchange_is_cancelled(&x, "after the whole login"), "behind an initial response the other prompt is none");
    exchange_stop(&x);

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_hear(&x, "");
    exchange_hear(&x, "Username:");
    ok(exchange_is_cancelled(&x, "after the whole login"), "no legacy dialogue behind a message that was asked for");
    exchange_stop(&x);

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_hear(&x, "Username:");
    exchange_hear(&x, "Username:");
    ok(exchange_is_cancelled(&x, "password"), "only the right prompt gets the password");
    exchange_stop(&x);

    exchange_start(&x, "PLAIN", "demo", "secret");
    exchange_hear(&x, "Username: please");
    exchange_said(&x, "AGRlbW8Ac2VjcmV0", "a longer text is not the prompt");
    exchange_stop(&x);
}

static void
legacy_refuses(const char *user, size_t user_length, const char *secret, size_t secret_length, const char *reason)
{
    struct exchange x;

    exchange_start(&x, "PLAIN", "nobody", "nothing");
    smtpc_buffer_clear(&x.sasl.user);
    smtpc_buffer_append(&x.sasl.user, user, user_length);
    smtpc_buffer_clear(&x.sasl.secret);
    smtpc_buffer_append(&x.sasl.secret, secret, secret_length);
    exchange_hear(&x, "Username:");
    ok(exchange_is_cancelled(&x, reason) && x.error.kind == SMTPC_ERROR_USAGE, "%s", x.error.text);
    exchange_stop(&x);
}

static void
test_plain_legacy_refuses(void)
{
    struct exchange x;

    legacy_refuses("de\nmo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("de\rmo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("de\0mo", 5, "secret", 6, "user name has a CR");
    legacy_refuses("demo", 4, "sec\r\nret", 8, "password has a CR");
    legacy_refuses("demo", 4, "sec\0ret", 7, "password has a CR");
    exchange_start_as(&x, "PLAIN", "demo", "secret", "admin");
    exchange_hear(&x, "Username:");
    ok(exchange_is_cancelled(&x, "authorization identity"), "an authorization identity is not lost in silence");
    exchange_stop(&x);
}

static void
test_login_guards(void)
{
    struct exchange x;

    exchange_start(&x, "LOGIN", "demo", "secret");
    exchange_hear(&x, "VXNlcm5hbWU6");
    exchange_hear(&x, "VXNlcm5hbWU6");
    exchange_said(&x, "ZGVtbw==", "asked for the user again");
    exchange_hear(&x, "UGFzc3dvcmQ6");
    exchange_said(&x, "c2VjcmV0", "then for the password");
    exchange_hear(&x, "VXNlcm5hbWU6");
    ok(exchange_is_cancelled(&x, "asks for more"), "a fourth prompt is cancelled");
    exchange_stop(&x);

    exchange_start(&x, "LOGIN", "demo", "secret");
    exchange_hear(&x, "PASSWORT? pass!");
    ok(exchange_is_cancelled(&x, "before the user name"), "the password is not given on a guess");
    exchange_stop(&x);

    exchange_start(&x, "LOGIN", "demo", "secret");
    exchange_answer(&x, NULL);
    ok(exchange_is_cancelled(&x, "initial response"), "LOGIN has no initial response");
    exchange_stop(&x);

    exchange_start_as(&x, "LOGIN", "demo", "secret", "admin");
    exchange_hear(&x, "");
    ok(exchange_is_cancelled(&x, "authorization identity"), "LOGIN cannot carry an authorization identity");
    exchange_stop(&x);
}

static void
test_cram_md5_guards(void)
{
    struct exchange x;

    exchange_start(&x, "CRAM-MD5", "demo", "secret");
    exchange_hear(&x, "<1.2@mail.example.org>");
    ok(exchange_is_cancelled(&x, "not base64") && x.error.kind == SMTPC_ERROR_AUTH, "a junk challenge is cancelled");
    exchange_hear(&x, "PDEuMkBtYWlsLmV4YW1wbGUub3JnPg==");
    ok(exchange_is_cancelled(&x, "not base64"), "and nothing is answered after that");
    ok(!exchange_is_done(&x, ""), "nor is success believed");
    smtpc_error_clear(&x.error);
    smtpc_sasl_begin(&x.sasl, x.sasl.mechanism, "");
    exchange_hear(&x, "=AAA");
    ok(exchange_is_cancelled(&x, "not base64"), "padding in front");
    exchange_stop(&x);

    exchange_start(&x, "CRAM-MD5", "demo", "secret");
    exchange_hear(&x, seed_challenge);
    ok(exchange_is_done(&x, ""), "success after one answer");
    exchange_hear(&x, seed_challenge);
    ok(exchange_is_cancelled(&x, "second challenge"), "a second challenge is cancelled");
    exchange_stop(&x);
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
unproved(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *last, struct smtpc_error *error)
{
    (void)sasl, (void)last;
    return smtpc_error_set(error, SMTPC_ERROR_AUTH, "no proof came");
}

static void
test_rounds(void)
{
    static const struct smtpc_sasl_mechanism endless = {
        .name = "ENDLESS", .client_first = 1, .answer = chatter, .finish = unproved,
    };
    struct exchange x;
    int i, answers = 0;

    exchange_start(&x, "PLAIN", "demo", "secret");
    smtpc_sasl_begin(&x.sasl, &endless, "");
    exchange_answer(&x, NULL);
    exchange_said(&x, "YWdhaW4=", "the initial response is no round");
    for (i = 0; i < 20; i++) {
        exchange_hear(&x, "");
        answers += smtpc_buffer_equals(&x.line, "YWdhaW4=");
    }
    ok(answers == SMTPC_SASL_ROUNDS_MAX, "%d rounds of at most %d", answers, (int)SMTPC_SASL_ROUNDS_MAX);
    ok(exchange_is_cancelled(&x, "more than 10 challenges"), "%s", x.error.text);
    smtpc_error_clear(&x.error);
    smtpc_sasl_begin(&x.sasl, &endless, "");
    ok(!exchange_is_done(&x, "") && strcmp(x.error.text, "no proof came") == 0,
       "235 without the proof that the mechanism promises");
    exchange_stop(&x);
}

/* Neither an answer that does not fit nor one cut short leaves anything in out. */
static void
test_no_room(void)
{
    static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
    size_t i;

    for (i = 0; i < 3; i++) {
        struct exchange x;

        exchange_start(&x, names[i], "demo", "secret");
        x.out.cap = 3;
        exchange_hear(&x, "");
        ok(exchange_is_cancelled(&x, "out of memory"), "%s without room", names[i]);
        exchange_stop(&x);
    }
}

int
main(void)
{
    ok(for_each_row("plain.tsv", plain_row) == 18, "rows of plain.tsv");
    ok(for_each_row("login.tsv", login_row) == 25, "rows of login.tsv");
    ok(for_each_row("cram-md5.tsv", cram_md5_row) == 15, "rows of cram-md5.tsv");
    test_plain_legacy();
    test_plain_legacy_refuses();
    test_login_guards();
    test_cram_md5_guards();
    test_rounds();
    test_no_room();
    return tap_done();
}
