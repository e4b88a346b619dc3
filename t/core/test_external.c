/* test_external: EXTERNAL and ANONYMOUS: one word of the client's, or none, and no second. */
#include "exchange.h"

static void
says(const char *mechanism, const char *user, const char *authzid, const char *line)
{
    struct exchange x;

    exchange_start_as(&x, mechanism, user, "", authzid);
    exchange_answer(&x, NULL);
    exchange_said(&x, line, mechanism);
    ok(x.sasl.form == SMTPC_SASL_BASE64 && exchange_is_done(&x, "ok"), "\"%s\" \"%s\"", user, authzid);
    exchange_begin(&x, mechanism);
    exchange_hear(&x, "");
    exchange_said(&x, line, "the same behind an empty challenge");
    exchange_hear(&x, "");
    ok(exchange_is_cancelled(&x, "asks for more than the"), "a second challenge is cancelled");
    ok(!exchange_is_done(&x, "ok"), "and no success after that");
    exchange_stop(&x);
}

static void
test_words(void)
{
    says("EXTERNAL", "", "", "");
    says("EXTERNAL", "user@example.org", "", "dXNlckBleGFtcGxlLm9yZw==");
    says("EXTERNAL", "", "user@example.org", "dXNlckBleGFtcGxlLm9yZw==");
    says("EXTERNAL", "demo", "admin", "YWRtaW4=");
    says("ANONYMOUS", "", "", "");
    says("ANONYMOUS", "anon@example.org", "", "YW5vbkBleGFtcGxlLm9yZw==");
}

static void
test_out_of_turn(void)
{
    static const char *const names[] = {"EXTERNAL", "ANONYMOUS"};
    size_t i;

    for (i = 0; i < 2; i++) {
        struct exchange x;

        exchange_start(&x, names[i], "demo", "");
        exchange_hear(&x, "d2hvIGFyZSB5b3U/");
        ok(exchange_is_cancelled(&x, "only an empty one may stand"), "%s", x.error.text);
        exchange_stop(&x);
        exchange_start(&x, names[i], "demo", "");
        exchange_hear(&x, "who are you?");
        ok(exchange_is_cancelled(&x, "not base64: \"who are you?\""), "%s", x.error.text);
        exchange_stop(&x);
        exchange_start(&x, names[i], "demo", "");
        exchange_answer(&x, NULL);
        exchange_answer(&x, NULL);
        ok(exchange_is_cancelled(&x, "asks for more"), "%s: nothing is said twice", names[i]);
        exchange_stop(&x);
        exchange_start(&x, names[i], "demo", "");
        x.out.cap = 3;
        exchange_answer(&x, NULL);
        ok(exchange_is_cancelled(&x, "out of memory"), "%s without room", names[i]);
        exchange_stop(&x);
    }
}

static void
test_trace(void)
{
    char trace[257];
    struct exchange x;

    memset(trace, 'x', sizeof trace - 1);
    trace[256] = '\0';
    exchange_start(&x, "ANONYMOUS", trace + 1, "");
    exchange_answer(&x, NULL);
    ok(x.out.length == 255, "a trace of 255 octets");
    exchange_stop(&x);
    exchange_start(&x, "ANONYMOUS", trace, "");
    exchange_answer(&x, NULL);
    ok(exchange_is_cancelled(&x, "256 octets, and 255 is the limit") && x.error.kind == SMTPC_ERROR_USAGE,
       "and not one more");
    exchange_stop(&x);
    exchange_start_as(&x, "ANONYMOUS", "demo", "", "admin");
    exchange_answer(&x, NULL);
    ok(exchange_is_cancelled(&x, "ANONYMOUS cannot carry an authorization identity"), "nor an identity");
    exchange_stop(&x);
}

int
main(void)
{
    test_words();
    test_out_of_turn();
    test_trace();
    return tap_done();
}
