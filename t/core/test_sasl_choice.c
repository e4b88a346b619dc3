/* test_sasl_choice: which mechanism is chosen, on which line, and what the error says when none is. */
#include "login.h"
#include "tap.h"

#define SHA_PLUS "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS"
#define SHA "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1"
#define WITH_PASSWORD SHA_PLUS " " SHA " PLAIN LOGIN CRAM-MD5"
#define WITH_TOKEN "OAUTHBEARER XOAUTH2"
#define ALL WITH_PASSWORD " " WITH_TOKEN " EXTERNAL ANONYMOUS"

#define OPEN SMTPC_SASL_LINE_OPEN
#define TRUSTED SMTPC_SASL_LINE_TRUSTED

static struct smtpc_sasl sasl;

static void
have(enum smtpc_sasl_credential credential, const char *authzid)
{
    struct smtpc_sasl_login login = login_of("demo", 4, credential, NULL);
    struct smtpc_error error = {0};

    login.authzid = text_of(authzid, strlen(authzid));
    smtpc_sasl_clear(&sasl);
    sasl.binding.length = 0;
    sasl.binding_was_used = 0;
    ok(smtpc_sasl_set_login(&sasl, &login, &error) == 0, "a login");
}

static void
have_binding(void)
{
    sasl.binding.length = 32;
    strcpy(sasl.binding.name, "tls-exporter");
}

static const struct smtpc_sasl_mechanism *
choice(const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line,
       struct smtpc_error *error)
{
    struct smtpc_sasl_lists lists = {offered, wanted, tried};

    memset(error, 0, sizeof *error);
    return smtpc_sasl_choose(&sasl, &lists, line, error);
}

static void
chooses(const char *expected, const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line)
{
    struct smtpc_error error;
    const struct smtpc_sasl_mechanism *row = choice(offered, wanted, tried, line, &error);

    if (!ok(strcmp(row == NULL ? "" : row->name, expected) == 0,
            "offered \"%s\" wanted \"%s\" tried \"%s\" %s: \"%s\"", offered, wanted, tried,
            line == SMTPC_SASL_LINE_OPEN ? "open" : "trusted", expected))
        printf("# %s %s\n", row == NULL ? "none" : row->name, error.text);
    ok((row == NULL) == (error.kind == SMTPC_ERROR_AUTH), "an error if and only if there is none");
}

static void
test_choice(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    chooses("PLAIN", "CRAM-MD5 LOGIN PLAIN", "", "", TRUSTED);
    chooses("LOGIN", "CRAM-MD5 LOGIN PLAIN", "", "PLAIN", TRUSTED);
    chooses("CRAM-MD5", "CRAM-MD5 LOGIN PLAIN", "", "LOGIN PLAIN", TRUSTED);
    chooses("", "CRAM-MD5 LOGIN PLAIN", "", "LOGIN PLAIN CRAM-MD5", TRUSTED);
    chooses("CRAM-MD5", "PLAIN LOGIN CRAM-MD5", "", "", OPEN);
    chooses("", "PLAIN LOGIN CRAM-MD5", "", "CRAM-MD5", OPEN);
    chooses("", "PLAIN LOGIN", "", "", OPEN);
    chooses("LOGIN", "plain-clienttoken LOGIN xplain", "", "", TRUSTED);
    chooses("", "PLAIN-CLIENTTOKEN XPLAIN PLAIN,LOGIN PLAI", "", "", TRUSTED);
    chooses("PLAIN", " \tplain\t", "", "", TRUSTED);
    chooses("", "", "", "", TRUSTED);
}

static void
test_choice_by_name(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    chooses("LOGIN", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "", TRUSTED);
    chooses("PLAIN", "PLAIN LOGIN CRAM-MD5", " login  plain ", "login", TRUSTED);
    chooses("", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "LOGIN PLAIN", TRUSTED);
    chooses("CRAM-MD5", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN CRAM-MD5", "", OPEN);
    chooses("", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "", OPEN);
    chooses("PLAIN", "PLAIN", "LOGIN PLAIN", "", TRUSTED);
    chooses("", "PLAIN", "LOGIN PLAIN", "PLAIN", TRUSTED);
    chooses("CRAM-MD5", "", "CRAM-MD5", "", OPEN);
    chooses("LOGIN", "PLAIN", "LOGIN", "", TRUSTED);
    chooses("", "PLAIN", "LOGIN", "", OPEN);
    chooses("", "PLAIN", "DIGEST-MD5", "", TRUSTED);
    chooses("PLAIN", "PLAIN", "  ", "", TRUSTED);
    chooses("SCRAM-SHA-1", ALL, "SCRAM-SHA-1 SCRAM-SHA-512", "", TRUSTED);
}

/* Takes one after the other from all that there is; expected is what comes, in order. */
static void
comes_in_order(const char *expected, enum smtpc_sasl_line line, const char *name)
{
    char tried[400] = "", order[400] = "";
    struct smtpc_error error;
    const struct smtpc_sasl_mechanism *row;

    while ((row = choice(ALL, "", tried, line, &error)) != NULL && strlen(order) < 300) {
        snprintf(order + strlen(order), sizeof order - strlen(order), "%s%s", order[0] == '\0' ? "" : " ", row->name);
        strcpy(tried, order);
    }
    is_string(order, expected, name);
}

static void
test_order(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    comes_in_order(SHA " PLAIN LOGIN CRAM-MD5", TRUSTED, "a password, trusted");
    comes_in_order(SHA " CRAM-MD5", OPEN, "a password, open");
    have_binding();
    comes_in_order(SHA_PLUS " " SHA " PLAIN LOGIN CRAM-MD5", TRUSTED, "and a binding, trusted");
    comes_in_order(SHA_PLUS " " SHA " CRAM-MD5", OPEN, "and a binding, inside TLS that was not verified");
    have(SMTPC_SASL_TOKEN, "");
    comes_in_order(WITH_TOKEN, TRUSTED, "a token, trusted");
    comes_in_order("", OPEN, "a token, open");
    have_binding();
    comes_in_order(WITH_TOKEN, TRUSTED, "a token needs no binding");
    have(SMTPC_SASL_NO_SECRET, "");
    comes_in_order("", TRUSTED, "nothing is chosen for who has no secret");
    comes_in_order("", OPEN, "nor on an open line");
    have(SMTPC_SASL_PASSWORD, "admin");
    comes_in_order(SHA " PLAIN", TRUSTED, "an identity to act as, trusted");
    comes_in_order(SHA, OPEN, "an identity to act as, open");
    have(SMTPC_SASL_TOKEN, "admin");
    comes_in_order("OAUTHBEARER", TRUSTED, "an identity to act as, and a token");
}

static void
test_by_name_only(void)
{
    have(SMTPC_SASL_NO_SECRET, "");
    chooses("EXTERNAL", ALL, "EXTERNAL", "", TRUSTED);
    chooses("EXTERNAL", ALL, "external", "", OPEN);
    chooses("ANONYMOUS", ALL, "ANONYMOUS EXTERNAL", "", OPEN);
    chooses("EXTERNAL", "PLAIN", "EXTERNAL", "", TRUSTED);
    chooses("", ALL, "PLAIN SCRAM-SHA-256", "", TRUSTED);
    have(SMTPC_SASL_PASSWORD, "");
    chooses("EXTERNAL", ALL, "EXTERNAL PLAIN", "", TRUSTED);
    chooses("PLAIN", ALL, "EXTERNAL PLAIN", "EXTERNAL", TRUSTED);
    chooses("", ALL, "XOAUTH2", "", TRUSTED);
    have(SMTPC_SASL_TOKEN, "");
    chooses("XOAUTH2", ALL, "XOAUTH2 OAUTHBEARER", "", TRUSTED);
    chooses("XOAUTH2", ALL, "PLAIN XOAUTH2", "", TRUSTED);
    chooses("", ALL, "PLAIN LOGIN", "", TRUSTED);
}

static void
test_binding(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    chooses("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "", "", TRUSTED);
    chooses("", "SCRAM-SHA-256-PLUS", "", "", TRUSTED);
    chooses("", ALL, "SCRAM-SHA-256-PLUS", "", TRUSTED);
    have_binding();
    chooses("SCRAM-SHA-256-PLUS", "SCRAM-SHA-512 SCRAM-SHA-256-PLUS", "", "", TRUSTED);
    chooses("SCRAM-SHA-256-PLUS", ALL, "SCRAM-SHA-256-PLUS", "", OPEN);
    sasl.binding_was_used = 1;
    chooses("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "", "", TRUSTED);
    chooses("", ALL, "SCRAM-SHA-256-PLUS", "", TRUSTED);
}

static void
test_binding_is_used_once(void)
{
    struct smtpc_buffer out;
    struct smtpc_error error = {0};

    have(SMTPC_SASL_PASSWORD, "");
    have_binding();
    smtpc_buffer_init(&out, 4096);
    smtpc_sasl_begin(&sasl, smtpc_sasl_find("SCRAM-SHA-256", 13), ALL);
    ok(sasl.offers_plus, "a list with -PLUS");
    smtpc_sasl_answer(&sasl, NULL, &out, &error);
    ok(!sasl.binding_was_used, "SCRAM-SHA-256 tells nothing of the binding");
    smtpc_sasl_begin(&sasl, smtpc_sasl_find("SCRAM-SHA-256-PLUS", 18), "-PLUS PLUS X-PLUSS PLAIN");
    ok(!sasl.binding_was_used && !sasl.offers_plus, "nor is a beginning a use, nor any word with PLUS an offer");
    smtpc_sasl_answer(&sasl, NULL, &out, &error);
    ok(sasl.binding_was_used, "the first message of -PLUS is");
    smtpc_sasl_clear(&sasl);
    ok(sasl.binding_was_used, "and that stays when the login is over");
    smtpc_buffer_clear(&out);
}

static void
test_unprepared(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    have_binding();
    strcpy(sasl.unprepared, "password: U+0007 is forbidden");
    comes_in_order("PLAIN LOGIN CRAM-MD5", TRUSTED, "what SASLprep refuses is for the others");
    chooses("", ALL, "SCRAM-SHA-256", "", TRUSTED);
    chooses("CRAM-MD5", ALL, "", "", OPEN);
}

/* ---- the explanation ---- */

static void
explains(const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line, const char *text)
{
    struct smtpc_error error;

    ok(choice(offered, wanted, tried, line, &error) == NULL, "none");
    is_string(error.text, text, "what was offered, what we have, what is in the way");
}

static void
test_explanation(void)
{
    have(SMTPC_SASL_PASSWORD, "");
    explains("PLAIN LOGIN", "", "", OPEN,
             "no usable AUTH mechanism: server offers PLAIN LOGIN; we have for a password: " WITH_PASSWORD
             "; forbidden without TLS (or insecure_cleartext_auth): PLAIN LOGIN");
    explains("NTLM CRAM-MD5", "", "CRAM-MD5", TRUSTED,
             "no usable AUTH mechanism: server offers NTLM CRAM-MD5; we have for a password: " WITH_PASSWORD
             "; failed before: CRAM-MD5");
    explains("", "", "", OPEN,
             "no usable AUTH mechanism: server offers none; we have for a password: " WITH_PASSWORD);
    explains("PLAIN", "login XYZ", "", OPEN,
             "no usable AUTH mechanism: server offers PLAIN; we have for a password: " WITH_PASSWORD
             "; asked for login XYZ; forbidden without TLS (or insecure_cleartext_auth): LOGIN");
    explains("XOAUTH2 EXTERNAL SCRAM-SHA-1-PLUS", "", "", TRUSTED,
             "no usable AUTH mechanism: server offers XOAUTH2 EXTERNAL SCRAM-SHA-1-PLUS; we have for a password: "
             WITH_PASSWORD "; only when named (mechanism): EXTERNAL; only with oauth_token: XOAUTH2"
             "; no channel binding (it comes with TLS) left or to be had: SCRAM-SHA-1-PLUS");
    strcpy(sasl.unprepared, "password: U+0007 is forbidden");
    explains("SCRAM-SHA-1", "", "", TRUSTED,
             "no usable AUTH mechanism: server offers SCRAM-SHA-1; we have for a password: " WITH_PASSWORD
             "; SASLprep refuses the password: U+0007 is forbidden: SCRAM-SHA-1");
    have(SMTPC_SASL_PASSWORD, "admin");
    explains("LOGIN CRAM-MD5", "", "", TRUSTED,
             "no usable AUTH mechanism: server offers LOGIN CRAM-MD5; we have for a password: " WITH_PASSWORD
             "; cannot carry authzid: LOGIN CRAM-MD5");
    have(SMTPC_SASL_TOKEN, "");
    explains("PLAIN XOAUTH2", "", "", OPEN,
             "no usable AUTH mechanism: server offers PLAIN XOAUTH2; we have for a token: OAUTHBEARER XOAUTH2"
             "; forbidden without TLS (or insecure_cleartext_auth): XOAUTH2; only with a password: PLAIN");
    have(SMTPC_SASL_NO_SECRET, "");
    explains("PLAIN XOAUTH2 ANONYMOUS", "", "", TRUSTED,
             "no usable AUTH mechanism: server offers PLAIN XOAUTH2 ANONYMOUS; we have for no secret:"
             " EXTERNAL ANONYMOUS; only when named (mechanism): ANONYMOUS; only with a password or oauth_token: PLAIN"
             " XOAUTH2");
}

static int
is_one_short_line(const char *text)
{
    size_t n = 0;

    while (text[n] >= ' ' && text[n] <= '~')
        n++;
    return text[n] == '\0' && n < 500;
}

/* Every obstacle at once, on lists that are as long as they like: the way out comes first. */
static void
test_long_explanation(void)
{
    static const enum smtpc_sasl_credential credentials[] = {SMTPC_SASL_PASSWORD, SMTPC_SASL_TOKEN,
                                                             SMTPC_SASL_NO_SECRET};
    char offered[2000], why[200];
    struct smtpc_error error;
    size_t i, most = 0;

    memset(offered, 'X', 150);
    strcpy(offered + 150, " " ALL);
    memset(why, 'w', sizeof why);
    for (i = 0; i < 12; i++) {
        have(credentials[i % 3], i >= 6 ? "admin" : "");
        snprintf(sasl.unprepared, sizeof sasl.unprepared, "%.*s", (int)sizeof why - 2, why);
        ok(choice(offered, i % 2 == 1 ? SHA_PLUS " PLAIN LOGIN XOAUTH2" : "", "CRAM-MD5 OAUTHBEARER", OPEN, &error)
           == NULL, "none");
        ok(is_one_short_line(error.text), "%s", error.text);
        most = strlen(error.text) > most ? strlen(error.text) : most;
        if (credentials[i % 3] == SMTPC_SASL_PASSWORD)
            ok(strstr(error.text, "insecure_cleartext_auth): PLAIN") != NULL, "the way out is told");
    }
    ok(most == 499, "%lu characters at most", (unsigned long)most);
}

static void
test_junk_offer(void)
{
    char junk[2001];
    struct smtpc_error error;
    size_t i;

    have(SMTPC_SASL_PASSWORD, "");
    for (i = 0; i < sizeof junk - 1; i++)
        junk[i] = (char)(i % 255 + 1);
    junk[2000] = '\0';
    memcpy(junk, "PLAIN %s%n", 10);
    ok(choice(junk, junk, junk, OPEN, &error) == NULL, "nothing in 2000 octets of junk");
    ok(is_one_short_line(error.text), "the error is one line of %lu printable characters",
       (unsigned long)strlen(error.text));
    ok(strstr(error.text, "server offers PLAIN %s%n") != NULL, "and shows the beginning as it is");
    ok(strstr(error.text, "insecure_cleartext_auth): PLAIN") == NULL, "PLAIN was tried, so no option would help");
}

/* ---- the table ---- */

static void
test_table(void)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++) {
        ok(strlen(row->name) <= SMTPC_SASL_NAME_MAX, "%s: length of the name", row->name);
        ok(smtpc_sasl_find(row->name, strlen(row->name)) == row, "%s is found", row->name);
        ok(row->credential != SMTPC_SASL_TOKEN || row->plaintext, "%s: a token is shown as it is", row->name);
        ok((strstr(row->name, "-PLUS") != NULL) == row->binds, "%s: binds", row->name);
        ok(!row->binds || (row->finish != NULL && row->prepares), "%s: who binds also proves", row->name);
    }
    ok(i == 13, "%lu rows", (unsigned long)i);
    ok(smtpc_sasl_find("cRaM-mD5", 8) != NULL, "in any case");
    ok(smtpc_sasl_find("PLAIN-CLIENTTOKEN", 17) == NULL && smtpc_sasl_find("PLAI", 4) == NULL
           && smtpc_sasl_find("SCRAM-SHA-1-PLU", 15) == NULL && smtpc_sasl_find("", 0) == NULL, "whole names only");
}

int
main(void)
{
    smtpc_sasl_init(&sasl);
    test_choice();
    test_choice_by_name();
    test_order();
    test_by_name_only();
    test_binding();
    test_binding_is_used_once();
    test_unprepared();
    test_explanation();
    test_long_explanation();
    test_junk_offer();
    test_table();
    smtpc_sasl_clear(&sasl);
    return tap_done();
}
