/* test_connection_tls: the driver with STARTTLS and TLS from the start, and with servers that break either. */
#include "driver.h"

static void
test_starttls(void)
{
    struct smtpc_connection *c = play(HELLO "C\nS 220 go\nT\nC\nS 250-mail.example|250 AUTH PLAIN\nC\n"
                                      "S 235 ok\nC\nS 221 bye\n");

    hello(c);
    ok(session_auth(session_of(c), "demo", 4, "") == -1, "no PLAIN in clear");
    smtpc_session_starttls(session_of(c));
    ok(run(c) == SMTPC_PUMP_TURN && smtpc_connection_tls(c) != NULL, "STARTTLS");
    ok(smtpc_ehlo_find(smtpc_session_ehlo(session_of(c)), "AUTH") == NULL, "what was offered in clear is forgotten");
    ok(hello(c) == SMTPC_PUMP_TURN && log_in(c) == SMTPC_PUMP_TURN, "EHLO and AUTH inside");
    ok(smtpc_session_mechanism(session_of(c)) != NULL, "logged in");
    smtpc_session_quit(session_of(c));
    ok(run(c) == SMTPC_PUMP_CLOSED && !smtpc_error_is_set(smtpc_session_error(session_of(c))), "QUIT");
    smtpc_connection_close(c, 1);
    end(c);
    ok(strstr(server.heard, "AUTH PLAIN AGRlbW8Ac2VjcmV0\r\nQUIT\r\n") != NULL, "heard by the server");
}

static void
implicit(struct smtpc_tls_context *context, const char *name, const char *script, struct smtpc_connection **c)
{
    struct smtpc_connection_options options;

    server_start(&server, script, context);
    options = options_for(server.service);
    options.implicit_tls = 1;
    options.tls_name = name;
    *c = connect_with(&options);
}

static void
test_implicit_tls(void)
{
    struct smtpc_connection *c;
    struct smtpc_tls_facts facts;

    implicit(certified, NULL, "T\n" HELLO "C\nS 235 ok\n", &c);
    ok(hello(c) == SMTPC_PUMP_TURN && log_in(c) == SMTPC_PUMP_TURN, "TLS from the start");
    smtpc_tls_facts(smtpc_connection_tls(c), &facts);
    ok(facts.verified && strcmp(facts.name, "127.0.0.1") == 0, "verified for %s", facts.name);
    ok(smtpc_connection_handshake_time(c) >= 0, "the handshake took its time");
    ok(smtpc_connection_peer_pem(c) != NULL
       && strncmp(smtpc_connection_peer_pem(c), "-----BEGIN CERTIFICATE-----", 27) == 0, "the certificate in PEM");
    end(c);

    implicit(of_another, "localhost", "T\n" HELLO, &c);
    ok(run(c) == SMTPC_PUMP_CLOSED, "another's certificate");
    failed_with(c, SMTPC_ERROR_TLS, "TLS handshake", "is not for localhost", "is refused");
    ok(smtpc_connection_tls(c) == NULL && smtpc_connection_peer_pem(c) == NULL, "and no TLS is up");
    ok(smtpc_connection_handshake_time(c) == -1, "nor was it");
    end(c);
    ok(server.heard_length == 0, "nothing was said");

    implicit(certified, NULL, "T\n" HELLO ENVELOPE "S 354 go\n.\nE\n", &c);
    ok(submit_some(c) == SMTPC_PUMP_TURN && smtpc_session_end(session_of(c)) == 0 && run(c) == SMTPC_PUMP_CLOSED
       && outcome(c) == SMTPC_OUTCOME_UNKNOWN, "cut after the dot, without close_notify: unknown");
    failed_with(c, SMTPC_ERROR_CLOSED, "end of data", "", "and closed");
    end(c);

    implicit(certified, NULL, "T\n" HELLO ENVELOPE "S 354 go\nW 100\nS 552 5.3.4 too big\nE\n", &c);
    submit_some(c);
    pour(c);
    failed_with_words(c, "too big", "the server's reason inside TLS");
    end(c);

    implicit(certified, NULL, "S 220 mail.example ESMTP\n", &c);
    run(c);
    failed_with(c, SMTPC_ERROR_TLS, "TLS handshake", "", "a server that speaks no TLS");
    end(c);
}

static void
test_broken_starttls(void)
{
    struct smtpc_connection *c = play(HELLO "C\nS 220 go\nE\n");

    hello(c);
    smtpc_session_starttls(session_of(c));
    ok(run(c) == SMTPC_PUMP_CLOSED, "the server closes after its 220");
    ok(smtpc_session_error(session_of(c))->kind == SMTPC_ERROR_TLS
       || smtpc_session_error(session_of(c))->kind == SMTPC_ERROR_CLOSED, "%s",
       smtpc_session_error(session_of(c))->text);
    ok(smtpc_session_mail(session_of(c), "a@x", 3, "") == -1, "nothing more is said");
    end(c);

    c = play(HELLO "C\nS 220 go|250-mail.example|250 AUTH PLAIN\nK\n");
    hello(c);
    smtpc_session_starttls(session_of(c));
    run(c);
    failed_with(c, SMTPC_ERROR_TLS, "TLS handshake", "plaintext after STARTTLS", "octets behind the 220");
    end(c);

    c = play(HELLO "C\nS 220 go\nS 250-mail.example|250 AUTH PLAIN\nT\n");
    hello(c);
    smtpc_session_starttls(session_of(c));
    run(c);
    ok(smtpc_session_wants(session_of(c)) == SMTPC_WANT_CLOSED
       && smtpc_session_error(session_of(c))->kind == SMTPC_ERROR_TLS, "or in a piece of their own: %s",
       smtpc_session_error(session_of(c))->text);
    end(c);
}

/* ---- resumed sessions and channel bindings ---- */

static int
is_noted(struct smtpc_connection *c, const char *words)
{
    struct smtpc_trace_entry entry;
    int found = 0;

    while (smtpc_trace_take(smtpc_session_trace(session_of(c)), &entry)) {
        char text[400];

        snprintf(text, sizeof text, "%.*s", (int)entry.length, entry.text);
        found |= entry.speaker == SMTPC_TRACE_NOTE && strstr(text, words) != NULL;
    }
    return found;
}

static void
test_resumed(void)
{
    static const char *const said[] = {"begins in full", "is resumed, by host and port", "is not, for another name"};
    struct smtpc_connection_options options;
    struct smtpc_tls_facts facts;
    struct smtpc_connection *c;
    int i;

    server_start(&server, "T\n" HELLO "A\nT\n" HELLO "A\nT\n" HELLO, certified);
    options = options_for(server.service);
    options.implicit_tls = 1;
    for (i = 0; i < 3; i++) {
        if (i == 2)
            options.tls_name = "localhost";
        c = connect_with(&options);
        smtpc_session_trace(session_of(c))->wanted = 1;
        ok(hello(c) == SMTPC_PUMP_TURN, "connection %d", i + 1);
        smtpc_tls_facts(smtpc_connection_tls(c), &facts);
        ok(facts.resumed == (i == 1) && facts.verified, "%s", said[i]);
        ok(is_noted(c, ", resumed, certificate verified for 127.0.0.1") == (i == 1), "and so the trace says");
        smtpc_connection_free(c);
    }
    server_stop(&server);
}

/* What the client says first in a login that can tie itself to the connection. */
static void
check_first_words(const char *binding, const char *words, const char *what)
{
    struct smtpc_connection_options options;
    struct smtpc_connection *c;

    server_start(&server, "T\nS 220 x\nC\nS 250-x|250 AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256\nC\nS 535 no\n"
                 "C\nS 535 no\n", certified);
    options = options_for(server.service);
    options.implicit_tls = 1;
    options.channel_binding = binding;
    c = connect_with(&options);
    hello(c);
    log_in(c);
    smtpc_connection_free(c);
    server_stop(&server);
    ok(strstr(server.heard, words) != NULL, "%s", what);
}

static void
test_binding(void)
{
    struct smtpc_connection_options options = options_for("1");
    struct smtpc_error error = {0};

    check_first_words(NULL, "AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIs", "p=tls-exporter by default");
    check_first_words("tls-unique tls-server-end-point", "AUTH SCRAM-SHA-256-PLUS cD10bHMtc2VydmVyLWVuZC1wb2ludCws",
                      "p=tls-server-end-point when it is the first of the list that TLS 1.3 has");
    check_first_words("none", "AUTH SCRAM-SHA-256 biws", "n with none");
    options.channel_binding = "tls-uniqe";
    ok(smtpc_connection_new(&options, &error) == NULL && error.kind == SMTPC_ERROR_USAGE
       && strstr(error.text, "channel_binding: \"tls-uniqe\"") != NULL, "%s", error.text);
}

int
main(void)
{
    make_contexts();
    test_starttls();
    test_implicit_tls();
    test_broken_starttls();
    test_resumed();
    test_binding();
    free_contexts();
    return tap_done();
}
