/* test_credentials: what may be logged in with: checks, copies, prepared forms, and that nothing stays. */
#include "exchange.h"

static char long_one[2 * SMTPC_SASL_SECRET_MAX + 1];

static int
set_user(struct exchange *x, const char *user, size_t n, enum smtpc_sasl_credential credential)
{
    struct smtpc_sasl_login login = login_of(user, n, credential, NULL);

    smtpc_error_clear(&x->error);
    return smtpc_sasl_set_login(&x->sasl, &login, &x->error);
}

static int
set_authzid(struct exchange *x, const char *authzid, size_t n)
{
    struct smtpc_sasl_login login = login_of("demo", 4, SMTPC_SASL_PASSWORD, NULL);

    login.authzid = text_of(authzid, n);
    smtpc_error_clear(&x->error);
    return smtpc_sasl_set_login(&x->sasl, &login, &x->error);
}

static int
set_secret(struct exchange *x, const char *secret, size_t n)
{
    struct smtpc_sasl_text text = text_of(secret, n);

    smtpc_error_clear(&x->error);
    return smtpc_sasl_set_secret(&x->sasl, &text, &x->error);
}

/* The name of the argument, the reason, and not an octet of the text. */
static void
is_refused(const struct exchange *x, int result, const char *name, const char *reason)
{
    ok(result == -1 && x->error.kind == SMTPC_ERROR_USAGE, "%s is refused", name);
    ok(strncmp(x->error.text, name, strlen(name)) == 0 && strstr(x->error.text, reason) != NULL
       && strstr(x->error.text, "justwait") == NULL, "%s", x->error.text);
}

static void
refuses(const char *octets, size_t n, const char *reason)
{
    struct exchange x;

    exchange_init(&x);
    is_refused(&x, set_user(&x, octets, n, SMTPC_SASL_PASSWORD), "user name ", reason);
    is_refused(&x, set_secret(&x, octets, n), "password ", reason);
    if (n > 0)
        is_refused(&x, set_authzid(&x, octets, n), "authorization identity ", reason);
    set_user(&x, "demo", 4, SMTPC_SASL_TOKEN);
    is_refused(&x, set_secret(&x, octets, n), "oauth_token ", reason);
    exchange_stop(&x);
}

static void
test_refusals(void)
{
    refuses("justwait \r\n", 11, "ends in a line end (CR or LF)");
    refuses("justwait\n", 9, "s/\\s+\\z//");
    refuses("justwait\r", 9, "line end");
    refuses("justwait\0b", 10, "NUL at octet 9");
    refuses("\0", 1, "NUL at octet 1");
    refuses("", 0, "empty");
    refuses(long_one, SMTPC_SASL_SECRET_MAX + 1, "65537 octets, and 65536 is the limit");
}

static void
test_what_is_taken(void)
{
    struct exchange x;

    exchange_start(&x, "PLAIN", "demo", "secret");
    ok(set_secret(&x, long_one, SMTPC_SASL_SECRET_MAX) == 0, "64 KiB are taken");
    exchange_answer(&x, NULL);
    ok(x.out.length == SMTPC_SASL_SECRET_MAX + 6, "and sent");
    ok(set_user(&x, " a\r\nb ", 6, SMTPC_SASL_PASSWORD) == 0, "line ends inside: base64 carries them");
    ok(set_user(&x, "", 0, SMTPC_SASL_TOKEN) == 0, "a token may come without a user name");
    ok(set_user(&x, "", 0, SMTPC_SASL_NO_SECRET) == 0, "and who has no secret as well");
    ok(set_user(&x, NULL, 0, SMTPC_SASL_NO_SECRET) == 0, "also none at all");
    exchange_stop(&x);
}

static void
test_defaults(void)
{
    struct smtpc_sasl_login login = login_of("demo", 4, SMTPC_SASL_PASSWORD, NULL);
    struct exchange x;

    exchange_init(&x);
    smtpc_sasl_set_login(&x.sasl, &login, &x.error);
    ok(x.sasl.iterations_min == SMTPC_SASL_ITERATIONS_MIN && x.sasl.iterations_max == SMTPC_SASL_ITERATIONS_MAX
       && x.sasl.host[0] == '\0' && x.sasl.port == 0, "defaults");
    login.iterations_min = 1;
    login.iterations_max = 5;
    login.host = long_one;
    smtpc_sasl_set_login(&x.sasl, &login, &x.error);
    ok(x.sasl.iterations_min == 1 && x.sasl.iterations_max == 5, "and what the caller demands");
    ok(strlen(x.sasl.host) < sizeof x.sasl.host, "a host that is too long is cut, not written over the next");
    exchange_stop(&x);
}

/* Copies: what the caller's memory holds afterwards does not count. */
static void
test_copies(void)
{
    char user[] = "demo", secret[] = "secret";
    struct exchange x;

    exchange_start(&x, "PLAIN", user, secret);
    memset(user, 'x', sizeof user - 1);
    memset(secret, 'x', sizeof secret - 1);
    exchange_answer(&x, NULL);
    exchange_said(&x, "AGRlbW8Ac2VjcmV0", "the octets of then");
    exchange_stop(&x);
}

/* ---- prepared forms ---- */

static struct smtpc_sasl_text
prepared_text(const char *octets, const char *prepared, const char *unprepared)
{
    struct smtpc_sasl_text text = {octets, strlen(octets), prepared, prepared != NULL ? strlen(prepared) : 0,
                                   unprepared};

    return text;
}

static void
set_both(struct exchange *x, struct smtpc_sasl_text user, struct smtpc_sasl_text secret)
{
    struct smtpc_sasl_login login = login_of(user.octets, user.length, SMTPC_SASL_PASSWORD, NULL);

    login.user = user;
    exchange_init(x);
    ok(exchange_log_in(x, "PLAIN", &login, secret), "taken");
}

static void
test_prepared(void)
{
    struct exchange x;

    set_both(&x, prepared_text("u", NULL, NULL), prepared_text("p", NULL, NULL));
    ok(smtpc_buffer_equals(smtpc_sasl_prepared_user(&x.sasl), "u")
       && smtpc_buffer_equals(smtpc_sasl_prepared_secret(&x.sasl), "p") && x.sasl.unprepared[0] == '\0',
       "nothing said about SASLprep: the same");
    exchange_stop(&x);

    set_both(&x, prepared_text("u\xc2\xad", "u", NULL), prepared_text("\xc2\xaa", "a", NULL));
    ok(smtpc_buffer_equals(smtpc_sasl_prepared_user(&x.sasl), "u")
       && smtpc_buffer_equals(smtpc_sasl_prepared_secret(&x.sasl), "a"), "prepared");
    exchange_answer(&x, NULL);
    is_octets(x.out.bytes, x.out.length, "\0u\xc2\xad\0\xc2\xaa", 7, "PLAIN sends what was given");
    set_secret(&x, "new", 3);
    ok(smtpc_buffer_equals(smtpc_sasl_prepared_secret(&x.sasl), "new"), "a new secret does not inherit the old form");
    exchange_stop(&x);
    ok(x.sasl.prepared_user.bytes == NULL && x.sasl.prepared_secret.bytes == NULL, "cleared");
}

static void
test_unprepared(void)
{
    struct smtpc_sasl_text large = text_of("p", 1);
    struct exchange x;

    set_both(&x, prepared_text("u\a", "u\a", "U+0007 is forbidden"), prepared_text("p", "q", NULL));
    is_string(x.sasl.unprepared, "user name: U+0007 is forbidden", "why");
    ok(smtpc_buffer_equals(smtpc_sasl_prepared_user(&x.sasl), "u\a"), "no half form");
    exchange_stop(&x);
    ok(x.sasl.unprepared[0] == '\0', "forgotten with the login");

    set_both(&x, prepared_text("u\a", NULL, "first"), prepared_text("p\a", NULL, "second"));
    is_string(x.sasl.unprepared, "user name: first", "the first reason is told");
    exchange_stop(&x);

    set_both(&x, prepared_text("u", NULL, NULL), prepared_text("\xc2\xad", "", NULL));
    is_string(x.sasl.unprepared, "password: nothing is left of it", "a form without octets is not \"the same\"");
    exchange_stop(&x);

    large.prepared = long_one;
    large.prepared_length = sizeof long_one;
    set_both(&x, prepared_text("u", NULL, NULL), large);
    is_string(x.sasl.unprepared, "password: it grows too long", "nor one beyond all bounds");
    exchange_stop(&x);

    set_both(&x, prepared_text("u", NULL, NULL), prepared_text("p", NULL, long_one));
    ok(strlen(x.sasl.unprepared) == sizeof x.sasl.unprepared - 1, "a reason that is too long is cut");
    exchange_stop(&x);
}

/* ---- nothing stays ---- */

/* A buffer's own memory, looked at while the buffer still has it. */
static void
test_cleared(void)
{
    struct smtpc_sasl_binding binding = {"tls-exporter", {1, 2, 3}, 3};
    struct exchange x;

    exchange_start_as(&x, "PLAIN", "demo", "secret", "admin");
    x.sasl.binding = binding;
    x.sasl.binding_was_used = 1;
    exchange_answer(&x, NULL);
    exchange_hear(&x, "");
    ok(exchange_is_cancelled(&x, "more"), "cancelled");
    ok(x.out.length == 0 && x.out.bytes[0] == 0 && x.out.bytes[6] == 0 && x.out.bytes[11] == 0,
       "what was said is wiped with the next challenge");
    smtpc_sasl_clear(&x.sasl);
    ok(x.sasl.user.bytes == NULL && x.sasl.secret.bytes == NULL && x.sasl.authzid.bytes == NULL
       && x.sasl.scratch.bytes == NULL && x.sasl.mechanism == NULL && x.sasl.said[0] == '\0', "nothing is left");
    ok(x.sasl.binding.length == 3 && x.sasl.binding_was_used, "the binding is the connection's and stays");
    exchange_stop(&x);
}

/* A login that cannot be set leaves nothing of the one before. */
static void
test_no_mixture(void)
{
    struct exchange x;

    exchange_start_as(&x, "PLAIN", "demo", "secret", "admin");
    ok(set_user(&x, "other\n", 6, SMTPC_SASL_PASSWORD) == -1, "a login that is refused");
    ok(x.sasl.secret.length == 0 && x.sasl.authzid.length == 0 && x.sasl.user.length == 0,
       "takes nothing over from the one before");
    exchange_stop(&x);
}

int
main(void)
{
    memset(long_one, 'x', sizeof long_one - 1);
    test_refusals();
    test_what_is_taken();
    test_defaults();
    test_copies();
    test_prepared();
    test_unprepared();
    test_cleared();
    test_no_mixture();
    return tap_done();
}
