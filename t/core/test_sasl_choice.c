/* test_sasl_choice: which mechanism is chosen, on which line, and what the error says when none is. */
#include "tap.h"

#include "sasl/sasl.h"

static void
chooses(const char *expected, const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line)
{
    struct smtpc_error error = {0};
    const struct smtpc_sasl_mechanism *row = smtpc_sasl_choose(offered, wanted, tried, line, &error);

    ok(strcmp(row == NULL ? "" : row->name, expected) == 0, "offered \"%s\" wanted \"%s\" tried \"%s\" %s: \"%s\"",
       offered, wanted, tried, line == SMTPC_SASL_LINE_OPEN ? "open" : "trusted", expected);
    ok((row == NULL) == (error.kind == SMTPC_ERROR_AUTH), "an error if and only if there is none");
}

static void
test_choice(void)
{
    enum smtpc_sasl_line open = SMTPC_SASL_LINE_OPEN, trusted = SMTPC_SASL_LINE_TRUSTED;

    chooses("PLAIN", "CRAM-MD5 LOGIN PLAIN", "", "", trusted);
    chooses("LOGIN", "CRAM-MD5 LOGIN PLAIN", "", "PLAIN", trusted);
    chooses("CRAM-MD5", "CRAM-MD5 LOGIN PLAIN", "", "LOGIN PLAIN", trusted);
    chooses("", "CRAM-MD5 LOGIN PLAIN", "", "LOGIN PLAIN CRAM-MD5", trusted);
    chooses("CRAM-MD5", "PLAIN LOGIN CRAM-MD5", "", "", open);
    chooses("", "PLAIN LOGIN CRAM-MD5", "", "CRAM-MD5", open);
    chooses("", "PLAIN LOGIN", "", "", open);
    chooses("LOGIN", "plain-clienttoken LOGIN xplain", "", "", trusted);
    chooses("", "PLAIN-CLIENTTOKEN XPLAIN PLAIN,LOGIN PLAI", "", "", trusted);
    chooses("PLAIN", " \tplain\t", "", "", trusted);
    chooses("", "", "", "", trusted);
}

static void
test_choice_by_name(void)
{
    enum smtpc_sasl_line open = SMTPC_SASL_LINE_OPEN, trusted = SMTPC_SASL_LINE_TRUSTED;

    chooses("LOGIN", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "", trusted);
    chooses("PLAIN", "PLAIN LOGIN CRAM-MD5", " login  plain ", "login", trusted);
    chooses("", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "LOGIN PLAIN", trusted);
    chooses("CRAM-MD5", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN CRAM-MD5", "", open);
    chooses("", "PLAIN LOGIN CRAM-MD5", "LOGIN PLAIN", "", open);
    chooses("PLAIN", "PLAIN", "LOGIN PLAIN", "", trusted);
    chooses("", "PLAIN", "LOGIN PLAIN", "PLAIN", trusted);
    chooses("CRAM-MD5", "", "CRAM-MD5", "", open);
    chooses("LOGIN", "PLAIN", "LOGIN", "", trusted);
    chooses("", "PLAIN", "LOGIN", "", open);
    chooses("", "PLAIN", "DIGEST-MD5", "", trusted);
    chooses("PLAIN", "PLAIN", "  ", "", trusted);
}

static void
explains(const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line, const char *text)
{
    struct smtpc_error error = {0};

    smtpc_sasl_choose(offered, wanted, tried, line, &error);
    is_string(error.text, text, "what was offered, what we have, what is in the way");
}

static void
test_explanation(void)
{
    explains("PLAIN LOGIN", "", "", SMTPC_SASL_LINE_OPEN,
             "no usable AUTH mechanism: server offers PLAIN LOGIN; we have PLAIN LOGIN CRAM-MD5; forbidden without"
             " TLS (or insecure_cleartext_auth): PLAIN LOGIN");
    explains("NTLM CRAM-MD5", "", "CRAM-MD5", SMTPC_SASL_LINE_TRUSTED,
             "no usable AUTH mechanism: server offers NTLM CRAM-MD5; we have PLAIN LOGIN CRAM-MD5; failed before:"
             " CRAM-MD5");
    explains("", "", "", SMTPC_SASL_LINE_OPEN,
             "no usable AUTH mechanism: server offers none; we have PLAIN LOGIN CRAM-MD5");
    explains("PLAIN", "login XYZ", "", SMTPC_SASL_LINE_OPEN,
             "no usable AUTH mechanism: server offers PLAIN; we have PLAIN LOGIN CRAM-MD5; asked for login XYZ;"
             " forbidden without TLS (or insecure_cleartext_auth): LOGIN");
}

static void
test_junk_offer(void)
{
    char junk[2001];
    struct smtpc_error error = {0};
    size_t i;

    for (i = 0; i < sizeof junk - 1; i++)
        junk[i] = (char)(i % 255 + 1);
    junk[2000] = '\0';
    memcpy(junk, "PLAIN %s%n", 10);
    ok(smtpc_sasl_choose(junk, junk, junk, SMTPC_SASL_LINE_OPEN, &error) == NULL, "nothing in 2000 octets of junk");
    ok(strlen(error.text) < 500, "the error has %lu characters", (unsigned long)strlen(error.text));
    ok(strstr(error.text, "server offers PLAIN %s%n") != NULL, "and shows the beginning as it is");
    ok(strstr(error.text, "insecure_cleartext_auth): PLAIN") == NULL, "PLAIN was tried, so no option would help");
    for (i = 0; error.text[i] >= ' ' && error.text[i] <= '~'; i++)
        continue;
    ok(error.text[i] == '\0', "one line of printable characters");
}

static void
test_table(void)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++) {
        ok(strlen(row->name) <= SMTPC_SASL_NAME_MAX, "%s: length of the name", row->name);
        ok(smtpc_sasl_find(row->name, strlen(row->name)) == row, "%s is found", row->name);
    }
    ok(i == 3, "%lu rows", (unsigned long)i);
    ok(smtpc_sasl_find("cRaM-mD5", 8) != NULL, "in any case");
    ok(smtpc_sasl_find("PLAIN-CLIENTTOKEN", 17) == NULL && smtpc_sasl_find("PLAI", 4) == NULL
           && smtpc_sasl_find("", 0) == NULL, "whole names only");
}

int
main(void)
{
    test_choice();
    test_choice_by_name();
    test_explanation();
    test_junk_offer();
    test_table();
    return tap_done();
}
