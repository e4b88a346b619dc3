/* test_oauth: every row of oauthbearer.tsv and xoauth2.tsv; complaints, junk, and what no token may hold. */
#include "exchange.h"
#include "vectors.h"

enum { LINE = 512 };

static const char complaint[] = "eyJzdGF0dXMiOiI0MDEifQ==";    /* {"status":"401"} */

static struct vectors table;

static struct smtpc_sasl_login
login_with(const char *user, const char *host, unsigned port)
{
    struct smtpc_sasl_login login = login_of(user, strlen(user), SMTPC_SASL_TOKEN, NULL);

    login.host = host;
    login.port = port;
    return login;
}

static const char *
filled(const char *field)
{
    return strcmp(field, "-") == 0 ? "" : field;
}

/* ---- the tables ---- */

/* The message in both places where it may stand. */
static void
check_initial(const char *mechanism, const struct smtpc_sasl_login *login, const char *token, char *message_hex,
              const char *base64, const char *fits)
{
    size_t n = vectors_unhex(message_hex);
    struct exchange x;

    exchange_init(&x);
    ok(exchange_log_in(&x, mechanism, login, text_of(token, strlen(token))), "%s is taken", table.field[0]);
    exchange_answer(&x, NULL);
    is_octets(x.out.bytes, x.out.length, message_hex, n, table.field[0]);
    exchange_said(&x, base64, "its base64");
    ok((strlen("AUTH  ") + strlen(mechanism) + x.line.length + 2 <= LINE) == (strcmp(fits, "yes") == 0),
       "fits into a line: %s", fits);
    ok(exchange_is_done(&x, "ok"), "and 235 is success");
    exchange_begin(&x, mechanism);
    exchange_hear(&x, "");
    exchange_said(&x, base64, "the same behind an empty challenge");
    exchange_stop(&x);
}

static void
check_complaint(const char *mechanism, char *message_hex, const char *base64, const char *reply)
{
    size_t n = vectors_unhex(message_hex), i;
    struct exchange x;

    exchange_start(&x, mechanism, "demo", "tok");
    exchange_answer(&x, NULL);
    exchange_hear(&x, base64);
    exchange_said(&x, reply, table.field[0]);
    for (i = 0; i < n; i++)
        if (message_hex[i] < ' ' || message_hex[i] > '~')
            message_hex[i] = '?';
    ok(strlen(x.sasl.said) == n && memcmp(x.sasl.said, message_hex, n) == 0, "kept: %s", x.sasl.said);
    exchange_hear(&x, base64);
    ok(exchange_is_cancelled(&x, "goes on after its complaint"), "a second complaint is cancelled");
    exchange_stop(&x);
}

/* The RFC's example against its own grammar must not be what we say. */
static void
check_defect(char *message_hex)
{
    size_t n = vectors_unhex(message_hex);
    struct exchange x;

    exchange_start(&x, "OAUTHBEARER", table.field[2], table.field[5]);
    exchange_answer(&x, NULL);
    ok(x.out.length != n || memcmp(x.out.bytes, message_hex, n) != 0, "%s is not copied", table.field[0]);
    ok(memcmp(x.out.bytes, "n,a=", 4) == 0, "its identity is");
    exchange_stop(&x);
}

static void
oauthbearer_row(void)
{
    struct smtpc_sasl_login login = login_with(filled(table.field[2]), filled(table.field[3]),
                                               (unsigned)atoi(filled(table.field[4])));

    if (strcmp(table.field[1], "initial") == 0)
        check_initial("OAUTHBEARER", &login, table.field[5], table.field[6], table.field[7], table.field[8]);
    else if (strcmp(table.field[1], "defect") == 0)
        check_defect(table.field[6]);
    else
        check_complaint("OAUTHBEARER", table.field[6], table.field[7], table.field[8]);
}

static void
xoauth2_row(void)
{
    struct smtpc_sasl_login login = login_with(filled(table.field[2]), "", 0);

    if (strcmp(table.field[1], "initial") == 0)
        check_initial("XOAUTH2", &login, table.field[3], table.field[4], table.field[5], table.field[6]);
    else {
        table.field[6][vectors_unescape(table.field[6])] = '\0';
        check_complaint("XOAUTH2", table.field[4], table.field[5], table.field[6]);
    }
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

/* ---- the complaint ---- */

static void
test_complaint(void)
{
    static const char *const names[] = {"OAUTHBEARER", "XOAUTH2"};
    size_t i;

    for (i = 0; i < 2; i++) {
        struct exchange x;

        exchange_start(&x, names[i], "demo", "tok");
        exchange_answer(&x, NULL);
        exchange_hear(&x, complaint);
        ok(!exchange_is_done(&x, "ok") && strstr(x.error.text, "{\"status\":\"401\"}") != NULL, "%s", x.error.text);
        exchange_begin(&x, names[i]);
        ok(x.sasl.said[0] == '\0', "%s: a new beginning forgets what was said", names[i]);
        exchange_answer(&x, NULL);
        ok(exchange_is_done(&x, "ok"), "%s: and may succeed", names[i]);
        exchange_stop(&x);
    }
}

static void
test_junk(void)
{
    struct exchange x;

    exchange_start(&x, "OAUTHBEARER", "demo", "tok");
    exchange_answer(&x, NULL);
    exchange_hear(&x, "{\"status\":\"401\"}\a");
    ok(exchange_is_cancelled(&x, "not base64: \"{\"status\":\"401\"}?\""), "%s", x.error.text);
    ok(!exchange_is_done(&x, "ok"), "and 235 is no success then");
    exchange_stop(&x);

    exchange_start(&x, "OAUTHBEARER", "demo", "tok");
    exchange_hear(&x, complaint);
    ok(exchange_is_cancelled(&x, "only an empty one may stand"), "a complaint before the token was shown");
    exchange_stop(&x);

    exchange_start(&x, "XOAUTH2", "demo", "tok");
    exchange_hear(&x, "go on, please");
    exchange_said(&x, "dXNlcj1kZW1vAWF1dGg9QmVhcmVyIHRvawEB", "XOAUTH2: any text behind a bare AUTH says \"go on\"");
    exchange_hear(&x, "token\a expired!");
    exchange_said(&x, "", "and any text behind the token is a complaint");
    is_string(x.sasl.said, "token? expired!", "shown as it came");
    exchange_stop(&x);
}

/* Octets of the server's that must not end or break the line of the error. */
static void
test_said(void)
{
    char octets[1000];
    struct exchange x;
    size_t i;

    for (i = 0; i < sizeof octets; i++)
        octets[i] = (char)(i * 7);
    exchange_init(&x);
    smtpc_sasl_note_said(&x.sasl, octets, sizeof octets);
    ok(strlen(x.sasl.said) == sizeof x.sasl.said - 1, "a NUL does not end what was said; too much is cut");
    for (i = 0; x.sasl.said[i] >= ' ' && x.sasl.said[i] <= '~'; i++)
        continue;
    ok(x.sasl.said[i] == '\0', "all of it is printable");
    smtpc_sasl_note_said(&x.sasl, NULL, 0);
    ok(x.sasl.said[0] == '\0', "nothing said");
    exchange_stop(&x);
}

/* ---- the caller's faults ---- */

static void
refuses(const char *mechanism, const struct smtpc_sasl_login *login, const char *token, const char *reason)
{
    struct exchange x;

    exchange_init(&x);
    ok(exchange_log_in(&x, mechanism, login, text_of(token, strlen(token))), "%s: taken for now", mechanism);
    exchange_answer(&x, NULL);
    ok(exchange_is_cancelled(&x, reason) && x.error.kind == SMTPC_ERROR_USAGE, "%s", x.error.text);
    exchange_stop(&x);
}

static void
test_control_characters(void)
{
    static const char *const names[] = {"OAUTHBEARER", "XOAUTH2"};
    struct smtpc_sasl_login good = login_with("demo", "", 0), bad = login_with("de\1mo", "", 0);
    struct exchange x;
    size_t i;

    for (i = 0; i < 2; i++) {
        refuses(names[i], &bad, "tok", "user name has a control character at octet 3");
        refuses(names[i], &good, "\1tok", "oauth_token has a control character at octet 1");
        refuses(names[i], &good, "to\nk", "oauth_token has a control character at octet 3");
        refuses(names[i], &good, "to\rk", "oauth_token has a control character at octet 3");
        refuses(names[i], &good, "tok\x7f", "oauth_token has a control character at octet 4");
    }
    bad = login_with("demo", "mail\1.example", 587);
    refuses("OAUTHBEARER", &bad, "tok", "host has a control character at octet 5");
    bad = login_with("demo", "", 0);
    bad.authzid = text_of("\1", 1);
    refuses("OAUTHBEARER", &bad, "tok", "authorization identity has a control character");
    exchange_start(&x, "OAUTHBEARER", "d\xc3\xa9j\xc3\xa0", "tok");
    exchange_answer(&x, NULL);
    ok(x.out.length > 0, "octets above 127 are no control characters");
    exchange_stop(&x);
}

static void
test_identities(void)
{
    struct smtpc_sasl_login nobody = login_with("", "", 0);
    struct exchange x;

    refuses("XOAUTH2", &nobody, "tok", "XOAUTH2: user name is empty");
    exchange_start_as(&x, "OAUTHBEARER", "demo", "tok", "a,b=c");
    exchange_answer(&x, NULL);
    is_octets(x.out.bytes, x.out.length, "n,a=a=2Cb=3Dc,\1auth=Bearer tok\1\1", 32, "the authzid, escaped");
    exchange_stop(&x);
    exchange_start_as(&x, "XOAUTH2", "demo", "tok", "admin");
    exchange_answer(&x, NULL);
    ok(exchange_is_cancelled(&x, "XOAUTH2 cannot carry an authorization identity"), "XOAUTH2 carries none");
    exchange_stop(&x);
}

/* All that may be set, at its longest. */
static void
test_longest(void)
{
    static char longest[SMTPC_SASL_SECRET_MAX];
    struct smtpc_sasl_login login = login_with("", "", 65535);
    char host[256];
    struct exchange x;

    memset(longest, ',', sizeof longest);
    memset(host, 'h', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    login.user = text_of(longest, sizeof longest);
    login.host = host;
    exchange_init(&x);
    exchange_log_in(&x, "OAUTHBEARER", &login, text_of(longest, sizeof longest));
    exchange_answer(&x, NULL);
    ok(x.out.length == strlen("n,a=,^host=^port=65535^auth=Bearer ^^") + 4 * sizeof longest + 255, "%lu octets",
       (unsigned long)x.out.length);
    exchange_stop(&x);
}

static void
test_no_room(void)
{
    static const char *const names[] = {"OAUTHBEARER", "XOAUTH2"};
    size_t i, cap;

    for (i = 0; i < 2; i++) {
        struct exchange x;
        size_t whole;

        exchange_start(&x, names[i], "demo", "tok");
        exchange_answer(&x, NULL);
        whole = x.out.length;
        exchange_stop(&x);
        for (cap = 0; cap < whole; cap++) {
            exchange_start(&x, names[i], "demo", "tok");
            x.out.cap = cap;
            exchange_answer(&x, NULL);
            if (!exchange_is_cancelled(&x, "out of memory"))
                break;
            exchange_stop(&x);
        }
        ok(cap == whole, "%s without room", names[i]);
        if (cap < whole)
            exchange_stop(&x);
    }
}

int
main(void)
{
    ok(for_each_row("oauthbearer.tsv", oauthbearer_row) == 9, "rows of oauthbearer.tsv");
    ok(for_each_row("xoauth2.tsv", xoauth2_row) == 8, "rows of xoauth2.tsv");
    test_complaint();
    test_junk();
    test_said();
    test_control_characters();
    test_identities();
    test_longest();
    test_no_room();
    return tap_done();
}
