/* test_session: what no dialogue can tell about a session: early replies, broken flights, bad arguments. */
#include "greeted.h"

/* Up to the content, with one recipient. */
static struct smtpc_session *
in_content(void)
{
    struct smtpc_session *s = greeted("PIPELINING");

    smtpc_session_open_envelope(s, "a@x", 3, "");
    smtpc_session_add_recipient(s, "b@y", 3, "");
    smtpc_session_submit(s);
    take(s, SIZE_MAX);
    hear(s, "250 ok\r\n250 ok\r\n354 go\r\n");
    return s;
}

static enum smtpc_outcome
outcome(struct smtpc_session *s)
{
    return smtpc_session_envelope(s)->recipients[0].outcome;
}

/* A 250 that was there before the dot had left is not the answer to the dot (the gravest lie that could be told). */
static void
test_early_reply(void)
{
    struct smtpc_session *s = in_content();
    size_t left;

    smtpc_session_content(s, "Hello\n", 6);
    smtpc_session_end(s);
    hear(s, "250 queued\r\n");
    closed_with(s, SMTPC_ERROR_PROTOCOL, "nothing had asked for", "250 before any of the content has left");
    ok(outcome(s) == SMTPC_OUTCOME_NOT_SENT, "not sent");
    smtpc_session_free(s);

    for (left = 1; left <= 2; left++) {
        s = in_content();
        smtpc_session_content(s, "Hello\n", 6);
        smtpc_session_end(s);
        take(s, 10 - left);
        hear(s, "2");
        take(s, SIZE_MAX);
        hear(s, "50 queued\r\n");
        closed_with(s, SMTPC_ERROR_PROTOCOL, "nothing had asked for", "250 begun before the last octet has left");
        ok(outcome(s) == SMTPC_OUTCOME_UNKNOWN, "all of it left in the end: unknown, not sent");
        smtpc_session_free(s);
    }
    s = in_content();
    smtpc_session_content(s, "Hello\n", 6);
    smtpc_session_end(s);
    take(s, 9);
    hear(s, "552 too big\r\n");
    closed_with(s, SMTPC_ERROR_REFUSED, "too big", "552 before the last octet has left");
    ok(outcome(s) == SMTPC_OUTCOME_REFUSED, "refused");
    smtpc_session_free(s);
}

static void
test_early_command_replies(void)
{
    struct smtpc_session *s = greeted("AUTH PLAIN");

    smtpc_session_set_trusted(s, 1);
    session_auth(s, "demo", 4, "");
    hear(s, "23");
    session_secret(s, "secret", 6);
    take(s, SIZE_MAX);
    hear(s, "5 ok\r\n");
    closed_with(s, SMTPC_ERROR_PROTOCOL, "nothing had asked for", "235 that had begun before AUTH was said");
    ok(smtpc_session_mechanism(s) == NULL, "no login");
    smtpc_session_free(s);

    s = greeted("HELP");
    hear(s, "25");
    ok(smtpc_session_noop(s) == -1, "half a reply before NOOP");
    closed_with(s, SMTPC_ERROR_PROTOCOL, "nothing had asked for", "ends the session");
    smtpc_session_free(s);

    s = greeted("HELP");
    smtpc_session_noop(s);
    take(s, 3);
    hear(s, "421 idle too long\r\n");
    closed_with(s, SMTPC_ERROR_DEFERRED, "idle too long", "421 that crosses a command keeps the server's words");
    ok(smtpc_session_error(s)->code == 421 && strcmp(smtpc_session_error(s)->step, "NOOP") == 0, "and code and step");
    smtpc_session_free(s);

    s = greeted("STARTTLS");
    smtpc_session_starttls(s);
    hear(s, "220 go\r\n");
    ok(smtpc_session_wants(s) == SMTPC_WANT_CLOSED, "220 before STARTTLS has left starts no TLS");
    smtpc_session_free(s);
}

static void
test_half_line_before_tls(void)
{
    struct smtpc_session *s = smtpc_session_new();

    hear(s, "22");
    smtpc_session_tls_started(s);
    closed_with(s, SMTPC_ERROR_TLS, "in clear", "half a greeting before implicit TLS");
    smtpc_session_tls_started(s);
    ok(smtpc_session_wants(s) == SMTPC_WANT_CLOSED, "what is closed stays closed");
    smtpc_session_free(s);

    s = greeted("STARTTLS");
    smtpc_session_starttls(s);
    take(s, SIZE_MAX);
    hear(s, "220 go\r\n2");
    closed_with(s, SMTPC_ERROR_TLS, "plaintext after STARTTLS", "one octet behind the 220, half a line");
    smtpc_session_free(s);
}

static void
break_off(struct smtpc_session *s)
{
    struct smtpc_error error = {0};

    smtpc_error_set(&error, SMTPC_ERROR_CLOSED, "broken");
    smtpc_session_fail(s, &error);
}

/* unknown only when the last octet was handed over. */
static void
test_unknown_or_not(void)
{
    size_t i;

    for (i = 0; i <= 10; i++) {
        struct smtpc_session *s = in_content();

        smtpc_session_content(s, "Hello\n", 6);
        smtpc_session_end(s);
        take(s, i);
        break_off(s);
        ok(outcome(s) == (i < 10 ? SMTPC_OUTCOME_NOT_SENT : SMTPC_OUTCOME_UNKNOWN)
           && smtpc_session_error(s)->may_have_been_sent == (i == 10), "broken after %d of 10 octets: %s", (int)i,
           smtpc_outcome_name(outcome(s)));
        ok(strcmp(smtpc_session_error(s)->step, "end of data") == 0, "step");
        smtpc_session_free(s);
    }
}

static void
test_failures_from_outside(void)
{
    struct smtpc_session *s = greeted("HELP");

    smtpc_session_mail(s, "a\n", 2, "");
    ok(smtpc_session_error(s)->kind == SMTPC_ERROR_USAGE, "a bad address");
    break_off(s);
    closed_with(s, SMTPC_ERROR_CLOSED, "broken", "an idle connection that breaks says so, not what was before");
    smtpc_session_free(s);

    s = greeted("HELP");
    smtpc_session_quit(s);
    take(s, SIZE_MAX);
    break_off(s);
    closed_with(s, SMTPC_ERROR_NONE, "", "whoever has said QUIT does not care how the line ends");
    smtpc_session_free(s);

    s = greeted("HELP");
    smtpc_session_noop(s);
    take(s, SIZE_MAX);
    hear(s, "250-half");
    break_off(s);
    ok(smtpc_session_reply(s)->code == 0, "half a reply leaves no code behind");
    smtpc_session_free(s);
}

/* Every argument, every octet that ends a line or closes a path: not an octet of output. */
static void
try_argument(const char *octets, size_t n, int c, const char *what)
{
    struct smtpc_session *s = greeted("HELP");
    static const char *const names[] = {"hello", "sender", "recipient", "command", "envelope", "its recipient"};
    int i;

    for (i = 0; i < 6; i++) {
        int result = i == 0 ? smtpc_session_hello(s, octets, n, 0)
            : i == 1 ? smtpc_session_mail(s, octets, n, "")
            : i == 2 ? smtpc_session_rcpt(s, octets, n, "")
            : i == 3 ? smtpc_session_command(s, "VRFY", "name", octets, n) : 0;
        int bracket = c == '<' || c == '>';
        int length_only = (i == 0 || i == 3) && bracket;

        if (i >= 4) {
            smtpc_session_open_envelope(s, i == 4 ? octets : "a@x", i == 4 ? n : 3, "");
            smtpc_session_add_recipient(s, i == 5 ? octets : "b@y", i == 5 ? n : 3, "");
            result = smtpc_session_submit(s);
        }
        if (!length_only)
            ok(result == -1 && take(s, SIZE_MAX) == 0 && smtpc_session_error(s)->kind == SMTPC_ERROR_USAGE,
               "%s: %s in %s", smtpc_session_error(s)->text, what, names[i]);
        else if (result == 0) {
            take(s, SIZE_MAX);
            hear(s, "250 ok\r\n");
        }
    }
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE, "and the session is good for more");
    smtpc_session_free(s);
}

static void
test_arguments(void)
{
    static const struct { char octet; const char *name; } bad[] = {
        {'\r', "CR"}, {'\n', "LF"}, {'\0', "NUL"}, {'<', "<"}, {'>', ">"}, {127, "DEL"}, {'\t', "TAB"},
    };
    size_t i, place;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (place = 0; place < 3; place++) {
            char argument[] = "a@xx";

            argument[place == 2 ? 3 : place] = bad[i].octet;
            try_argument(argument, 4, bad[i].octet, bad[i].name);
        }
}

static void
test_parameters_do_not_break_lines(void)
{
    static const char *const bad[] = {"SIZE=1\r\nDATA", "SIZE=1\nX", "X=\x7f", "X=\xc3\xa9", "=", " SIZE=1", "X=a=b"};
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct smtpc_session *s = greeted("HELP");

        ok(smtpc_session_mail(s, "a@x", 3, bad[i]) == -1 && take(s, SIZE_MAX) == 0, "MAIL parameter %d", (int)i);
        ok(smtpc_session_rcpt(s, "a@x", 3, bad[i]) == -1 && take(s, SIZE_MAX) == 0, "RCPT parameter %d", (int)i);
        ok(smtpc_session_envelope(s)->count == 0, "nobody was added");
        smtpc_session_free(s);
    }
}

/* ---- flights ---- */

static struct smtpc_session *
many(size_t count, int pipelining)
{
    struct smtpc_session *s = greeted("PIPELINING");
    char path[32];
    size_t i;

    smtpc_session_set_pipelining(s, pipelining);
    smtpc_session_open_envelope(s, "a@x", 3, "");
    for (i = 0; i < count; i++)
        smtpc_session_add_recipient(s, path, (size_t)snprintf(path, sizeof path, "r%zu@y", i), "");
    ok(smtpc_session_submit(s) == 0, "submission to %zu", count);
    return s;
}

static size_t
commands_said(struct smtpc_session *s)
{
    const char *octets;
    size_t length, i, count = 0;

    smtpc_session_output(s, &octets, &length);
    for (i = 0; i < length; i++)
        count += octets[i] == '\n';
    take(s, SIZE_MAX);
    return count;
}

static void
test_flights(void)
{
    enum { COUNT = 600 };
    struct smtpc_session *s = many(COUNT, 1);
    size_t heard = 0, most = 0, ahead = commands_said(s);

    while (ahead > heard) {
        most = ahead - heard > most ? ahead - heard : most;
        heard++;
        hear(s, heard == COUNT + 2 ? "354 go\r\n" : heard % 3 == 0 ? "550 no\r\n" : "250 ok\r\n");
        ahead += commands_said(s);
    }
    ok(most == SMTPC_SESSION_AHEAD_MAX, "%zu commands ahead at most", most);
    ok(heard == COUNT + 2 && smtpc_session_wants(s) == SMTPC_WANT_CONTENT, "all heard, content wanted");
    smtpc_session_end(s);
    take(s, SIZE_MAX);
    hear(s, "250 queued\r\n");
    ok(smtpc_envelope_count(smtpc_session_envelope(s), SMTPC_OUTCOME_REFUSED) == COUNT / 3
       && smtpc_envelope_count(smtpc_session_envelope(s), SMTPC_OUTCOME_SENT) == COUNT - COUNT / 3,
       "a third refused, the others sent");
    smtpc_session_free(s);

    s = many(3, 0);
    ok(commands_said(s) == 1, "one at a time when the caller wants it so");
    hear(s, "250 ok\r\n");
    ok(commands_said(s) == 1, "and again");
    smtpc_session_free(s);
}

static void
test_broken_flight(void)
{
    struct smtpc_session *s = many(250, 1);

    commands_said(s);
    hear(s, "250 ok\r\n250 ok\r\n550 no\r\n");
    smtpc_session_feed(s, NULL, 0);
    ok(smtpc_envelope_count(smtpc_session_envelope(s), SMTPC_OUTCOME_NOT_SENT) == 249
       && smtpc_envelope_count(smtpc_session_envelope(s), SMTPC_OUTCOME_REFUSED) == 1, "each has one outcome");
    smtpc_session_free(s);
}

/* ---- envelopes ---- */

static void
test_envelope_once(void)
{
    struct smtpc_session *s = in_content();

    smtpc_session_end(s);
    take(s, SIZE_MAX);
    hear(s, "250 queued\r\n");
    ok(outcome(s) == SMTPC_OUTCOME_SENT, "sent");
    ok(smtpc_session_submit(s) == -1 && take(s, SIZE_MAX) == 0, "an envelope is used once: %s",
       smtpc_session_error(s)->text);
    ok(outcome(s) == SMTPC_OUTCOME_SENT, "and its outcome stays");
    smtpc_session_free(s);

    s = greeted("HELP");
    smtpc_session_add_recipient(s, "b@y", 3, "");
    ok(smtpc_session_submit(s) == -1 && take(s, SIZE_MAX) == 0, "no envelope, no mail: %s",
       smtpc_session_error(s)->text);
    ok(outcome(s) == SMTPC_OUTCOME_NOT_SENT, "and the recipient has his outcome");
    smtpc_session_free(s);

    s = many(1, 1);
    ok(smtpc_session_data(s) == -1 && smtpc_session_reset(s) == -1, "nothing else during a submission");
    take(s, SIZE_MAX);
    hear(s, "250 ok\r\n550 no\r\n554 no\r\n");
    ok(outcome(s) == SMTPC_OUTCOME_REFUSED && smtpc_session_wants(s) == SMTPC_WANT_WRITE, "which goes on");
    smtpc_session_free(s);
}

/* ---- content ---- */

static void
test_content_limits(void)
{
    static char big[SMTPC_SESSION_CONTENT_MAX + 1];
    struct smtpc_session *s = in_content();
    size_t most = 0;
    int i;

    memset(big, '\r', sizeof big);
    for (i = 0; i < 40; i++) {
        ok(smtpc_session_content(s, big, SMTPC_SESSION_CONTENT_MAX) == 0, "a piece of nothing but CR");
        while (smtpc_session_wants(s) == SMTPC_WANT_WRITE) {
            size_t n = take(s, 100000);

            most = n > most ? n : most;
        }
    }
    ok(smtpc_session_content(s, big, sizeof big) == -1, "a piece that is too long");
    closed_with(s, SMTPC_ERROR_USAGE, "too much", "would leave a hole in the message: the connection is closed");
    ok(outcome(s) == SMTPC_OUTCOME_NOT_SENT && smtpc_session_end(s) == -1, "and the message is not ended");
    smtpc_session_free(s);

    s = in_content();
    smtpc_session_content(s, big, SMTPC_SESSION_CONTENT_MAX);
    ok(smtpc_session_wants(s) == SMTPC_WANT_WRITE && smtpc_session_content(s, "x", 1) == -1, "a piece too early");
    closed_with(s, SMTPC_ERROR_USAGE, "too much", "neither");
    smtpc_session_free(s);

    s = greeted("HELP");
    ok(smtpc_session_content(s, "x", 1) == -1 && smtpc_session_end(s) == -1 && take(s, SIZE_MAX) == 0,
       "no content outside DATA");
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE, "which hurts nobody");
    smtpc_session_free(s);
}

/* ---- the trace ---- */

static void
test_trace_hides_secrets(void)
{
    static const char *const mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5"};
    size_t i;

    for (i = 0; i < 3; i++) {
        struct smtpc_session *s = greeted("AUTH PLAIN LOGIN CRAM-MD5");
        struct smtpc_trace_entry entry;
        int seen = 0, marked = 0;

        smtpc_session_trace(s)->wanted = 1;
        smtpc_session_set_trusted(s, 1);
        session_auth(s, "demo", 4, mechanisms[i]);
        session_secret(s, "hidden-secret", 13);
        take(s, SIZE_MAX);
        hear(s, i == 0 ? "334 Username:\r\n" : "334 VXNlcm5hbWU6\r\n");
        take(s, SIZE_MAX);
        hear(s, i == 0 ? "334 Password:\r\n" : "334 UGFzc3dvcmQ6\r\n");
        take(s, SIZE_MAX);
        while (smtpc_trace_take(smtpc_session_trace(s), &entry)) {
            char text[300];

            snprintf(text, sizeof text, "%.*s", (int)entry.length, entry.text);
            seen += strstr(text, "hidden") != NULL || strstr(text, "aGlkZGVu") != NULL || strstr(text, "demo") != NULL
                || strstr(text, "ZGVtb") != NULL;
            marked += entry.secret;
        }
        ok(seen == 0 && marked >= 1, "%s: %d entries are masked, nothing shows", mechanisms[i], marked);
        smtpc_session_free(s);
    }
}

int
main(void)
{
    test_early_reply();
    test_early_command_replies();
    test_half_line_before_tls();
    test_unknown_or_not();
    test_failures_from_outside();
    test_arguments();
    test_parameters_do_not_break_lines();
    test_flights();
    test_broken_flight();
    test_envelope_once();
    test_content_limits();
    test_trace_hides_secrets();
    return tap_done();
}
