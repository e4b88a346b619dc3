/* test_connection: the driver against a scripted server: deadlines, broken lines, and whose descriptor it is. */
#include "drive/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "driver.h"
#include "net/resolve.h"

static volatile sig_atomic_t sigpipes;

/* ---- before the greeting ---- */

static void
test_refused(void)
{
    struct smtpc_connection_options options;
    struct smtpc_connection *c;

    server_start(&server, "", NULL);
    server_stop(&server);
    options = options_for(server.service);
    c = connect_with(&options);
    ok(smtpc_connection_fd(c) == -1, "no descriptor yet");
    ok(run(c) == SMTPC_PUMP_CLOSED, "a closed port");
    failed_with(c, SMTPC_ERROR_CONNECT, "connect", "refused", "says so");
    ok(smtpc_connection_tls(c) == NULL && smtpc_connection_fd(c) == -1, "no TLS, no descriptor");
    smtpc_connection_free(c);
}

static int
unknown_name(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    (void)host, (void)service, (void)hints, (void)list;
    return EAI_NONAME;
}

static int
slow_name(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    poll(NULL, 0, 600);
    return unknown_name(host, service, hints, list);
}

static void
test_lookup(void)
{
    struct smtpc_connection_options options = options_for("25");
    struct smtpc_connection *c;
    int64_t begun;

    options.host = "mail.example";
    smtpc_resolve_replace(unknown_name);
    c = connect_with(&options);
    run(c);
    failed_with(c, SMTPC_ERROR_CONNECT, "name lookup", "mail.example", "an unknown name");
    smtpc_connection_free(c);

    smtpc_resolve_replace(slow_name);
    options.timeout = 150;
    begun = smtpc_clock_now();
    c = connect_with(&options);
    run(c);
    failed_with(c, SMTPC_ERROR_TIMEOUT, "name lookup", "0.1", "a slow name server");
    ok(smtpc_clock_now() - begun < 500, "nobody waits for it");
    smtpc_connection_free(c);
    smtpc_resolve_replace(NULL);
    poll(NULL, 0, 700);    /* its thread ends */
}

static void
test_options(void)
{
    struct smtpc_connection_options options;
    struct smtpc_error error = {0};
    struct smtpc_connection *c;

    server_start(&server, HELLO, NULL);
    options = options_for(server.service);
    options.local_host = "local.example";
    ok(smtpc_connection_new(&options, &error) == NULL && error.kind == SMTPC_ERROR_USAGE, "%s", error.text);
    options.local_host = "127.0.0.1";
    options.tls = NULL;
    c = connect_with(&options);
    ok(hello(c) == SMTPC_PUMP_TURN, "bound to a local address");
    smtpc_session_starttls(session_of(c));
    smtpc_connection_abandon(c, SMTPC_ERROR_INTERRUPTED, "enough");
    failed_with(c, SMTPC_ERROR_INTERRUPTED, "STARTTLS", "enough", "abandoned");
    end(c);
}

/* ---- deadlines ---- */

static void
late(const char *script, int64_t timeout, const char *step, const char *name)
{
    const char *words = strcmp(name, "a server that does not greet") == 0 ? "smtps://" : "no answer within";
    struct smtpc_connection_options options;
    struct smtpc_connection *c;
    int64_t took, begun = smtpc_clock_now();

    server_start(&server, script, certified);
    options = options_for(server.service);
    options.timeout = timeout;
    options.implicit_tls = strcmp(step, "TLS handshake") == 0;
    c = connect_with(&options);
    hello(c);
    took = smtpc_clock_now() - begun;
    failed_with(c, SMTPC_ERROR_TIMEOUT, step, words, name);
    ok((strstr(smtpc_session_error(session_of(c))->text, "smtps://") != NULL) == (words[0] == 's'),
       "TLS from the start is suspected only where nothing at all came in clear");
    ok(took >= timeout && took < timeout + 1500, "after %ld ms", (long)took);
    ok(smtpc_session_error(session_of(c))->temporary, "temporary");
    end(c);
}

static void
test_deadlines(void)
{
    late("K\n", 200, "greeting", "a server that does not greet");
    late("D 220 " "a greeting that comes octet by octet and would take two seconds and a half in all\n", 300,
         "greeting", "one that drips");
    late("D 220-a|220-b|220-c|220-d|220-e|220-f|220-g|220-h|220 i\n", 300, "greeting", "one that drips lines");
    late("S 220 mail.example\nC\nD 250-a|250-b|250-c|250-d|250-e|250-f|250-g|250-h|250 i\n", 300, "EHLO",
         "or drips later");
    late("K\n", 200, "TLS handshake", "a server that shakes no hands");
}

static void
test_overall_deadline(void)
{
    struct smtpc_connection *c = play("K\n");
    int64_t begun = smtpc_clock_now();

    smtpc_connection_set_deadline(c, smtpc_clock_after(200));
    ok(run(c) == SMTPC_PUMP_CLOSED && smtpc_clock_now() - begun < 1500, "a deadline for everything");
    failed_with(c, SMTPC_ERROR_TIMEOUT, "greeting", "overall deadline", "says which");
    end(c);
}

static void
test_grace(void)
{
    struct smtpc_connection *c = play("S 220 mail.example\nC\n"
                                      "S 250-mail.example|250-PIPELINING 250 8BITMIME\nC\nS 250 ok\n");
    int64_t begun = smtpc_clock_now();
    int64_t took;

    ok(hello(c) == SMTPC_PUMP_TURN, "an EHLO reply that lost a CRLF");
    took = smtpc_clock_now() - begun;
    ok(took >= 1990 && took < 4000, "is over after %ld ms of silence", (long)took);
    ok(smtpc_ehlo_find(smtpc_session_ehlo(session_of(c)), "8BITMIME") != NULL, "and understood");
    smtpc_session_noop(session_of(c));
    ok(run(c) == SMTPC_PUMP_TURN && smtpc_session_reply(session_of(c))->code == 250, "the session goes on");
    end(c);
}

/* ---- poll facts ---- */

static void
test_poll_facts(void)
{
    struct smtpc_connection *c = play("W 300\n" HELLO "K\n");
    struct pollfd polled[SMTPC_CONNECTION_POLL_MAX];
    int64_t deadline;

    while (smtpc_connection_fd(c) < 0 && smtpc_connection_step(c) == SMTPC_PUMP_WAIT)
        poll(polled, (nfds_t)smtpc_connection_poll(c, polled), 100);
    ok(smtpc_connection_step(c) == SMTPC_PUMP_WAIT, "waits for the greeting");
    ok(smtpc_connection_poll(c, polled) == 1 && polled[0].fd == smtpc_connection_fd(c) && polled[0].events == POLLIN,
       "one descriptor, to be read");
    deadline = smtpc_connection_deadline(c) - smtpc_clock_now();
    ok(deadline > ROOMY_MS - 2000 && deadline <= ROOMY_MS, "deadline in %ld ms", (long)deadline);
    smtpc_connection_set_deadline(c, smtpc_clock_after(5000));
    ok(smtpc_connection_deadline(c) - smtpc_clock_now() <= 5000, "the overall one when it is earlier");
    smtpc_connection_set_deadline(c, SMTPC_NEVER);
    ok(hello(c) == SMTPC_PUMP_TURN, "goes on");
    smtpc_connection_set_timeout(c, 0, 0);
    smtpc_session_noop(session_of(c));
    ok(smtpc_connection_step(c) == SMTPC_PUMP_WAIT && smtpc_connection_deadline(c) == SMTPC_NEVER,
       "no limit, no deadline");
    smtpc_connection_set_timeout(c, 700, 0);
    smtpc_connection_abandon(c, SMTPC_ERROR_INTERRUPTED, "enough");
    end(c);
}

/* ---- the message ---- */

/* The whole of a small message. */
static enum smtpc_outcome
outcome_of(const char *script, struct smtpc_connection **c)
{
    *c = play(script);
    if (submit_some(*c) == SMTPC_PUMP_TURN && smtpc_session_in_content(session_of(*c))) {
        smtpc_session_content(session_of(*c), "Hello\n.\n", 8);
        smtpc_session_end(session_of(*c));
        run(*c);
    }
    return outcome(*c);
}

static void
test_outcomes(void)
{
    struct smtpc_connection *c;

    ok(outcome_of(HELLO ENVELOPE "S 354 go\n.\nS 250 queued\nC\nS 221 bye\n", &c) == SMTPC_OUTCOME_SENT, "sent");
    ok(smtpc_session_quit(session_of(c)) == 0 && run(c) == SMTPC_PUMP_CLOSED, "QUIT");
    ok(!smtpc_error_is_set(smtpc_session_error(session_of(c))), "a good end");
    smtpc_connection_close(c, 1);
    end(c);
    ok(strstr(server.heard, "DATA\r\nHello\r\n..\r\n.\r\nQUIT\r\n") != NULL, "as it should arrive");

    ok(outcome_of(HELLO ENVELOPE "S 354 go\n.\nR\n", &c) == SMTPC_OUTCOME_UNKNOWN, "reset after the dot: unknown");
    failed_with(c, SMTPC_ERROR_CLOSED, "end of data", "", "the connection broke");
    ok(smtpc_session_error(session_of(c))->may_have_been_sent, "may have been sent");
    end(c);
    ok(outcome_of(HELLO ENVELOPE "S 354 go\n.\nE\n", &c) == SMTPC_OUTCOME_UNKNOWN, "closed after the dot: unknown");
    end(c);
    ok(outcome_of(HELLO ENVELOPE "S 354 go\n.\nS 250-queu\nE\n", &c) == SMTPC_OUTCOME_UNKNOWN,
       "half a reply: unknown");
    end(c);
    ok(outcome_of(HELLO ENVELOPE "R\n", &c) == SMTPC_OUTCOME_NOT_SENT, "reset before 354: not sent");
    failed_with(c, SMTPC_ERROR_CLOSED, "DATA", "", "at DATA");
    end(c);
    ok(outcome_of(HELLO ENVELOPE "S 354 go|250 queued\nK\n", &c) == SMTPC_OUTCOME_NOT_SENT,
       "250 before the content: not sent");
    failed_with(c, SMTPC_ERROR_PROTOCOL, "content", "nothing had asked for", "and the end of the connection");
    end(c);
}

static void
test_end_timeout(void)
{
    struct smtpc_connection *c = play(HELLO ENVELOPE "S 354 go\n.\nK\n");
    int64_t begun;

    smtpc_connection_set_timeout(c, ROOMY_MS, 300);
    submit_some(c);
    smtpc_session_end(session_of(c));
    begun = smtpc_clock_now();
    ok(run(c) == SMTPC_PUMP_CLOSED && smtpc_clock_now() - begun < 1800, "the dot's reply has its own limit");
    failed_with(c, SMTPC_ERROR_TIMEOUT, "end of data", "0.3 s", "which passed");
    ok(outcome(c) == SMTPC_OUTCOME_UNKNOWN, "unknown");
    end(c);
}

static void
test_broken_content(void)
{
    struct smtpc_connection *c = play(HELLO ENVELOPE "S 354 go\nW 100\nR\n");

    submit_some(c);
    pour(c);
    failed_with(c, SMTPC_ERROR_CLOSED, "content", "", "reset inside the content");
    ok(outcome(c) == SMTPC_OUTCOME_NOT_SENT && !smtpc_session_error(session_of(c))->may_have_been_sent, "not sent");
    end(c);

    c = play(HELLO ENVELOPE "S 354 go\nW 100\nS 552 5.3.4 too big\nE\n");
    submit_some(c);
    pour(c);
    failed_with_words(c, "too big", "the server's reason, not the broken pipe");
    ok(outcome(c) == SMTPC_OUTCOME_REFUSED || smtpc_session_error(session_of(c))->code != 552, "refused");
    end(c);

    c = play(HELLO ENVELOPE "S 354 go\nW 100\nS 552 5.3.4 too big\nR\n");
    submit_some(c);
    poll(NULL, 0, 400);
    pour(c);
    ok(outcome(c) == SMTPC_OUTCOME_REFUSED || outcome(c) == SMTPC_OUTCOME_NOT_SENT, "a reset may swallow it: %s",
       smtpc_session_error(session_of(c))->text);
    end(c);
}

/* Content until no more of it fits into the pipe. */
static void
fill(struct smtpc_connection *c)
{
    static char text[SMTPC_SESSION_CONTENT_MAX];
    int i;

    memset(text, 'x', sizeof text);
    submit_some(c);
    for (i = 0; i < 1000 && smtpc_session_wants(session_of(c)) == SMTPC_WANT_CONTENT; i++) {
        smtpc_session_content(session_of(c), text, sizeof text);
        if (smtpc_connection_step(c) != SMTPC_PUMP_TURN)
            break;
    }
}

/* The server reads nothing more, so output stays; both directions are waited for. */
static void
test_full_pipe(void)
{
    struct smtpc_connection *c = play(HELLO ENVELOPE "S 354 go\nW 3000\nS 451 4.3.0 no disk\nE\n");
    struct pollfd polled[SMTPC_CONNECTION_POLL_MAX];

    fill(c);
    ok(smtpc_connection_step(c) == SMTPC_PUMP_WAIT, "a full pipe is waited for");
    smtpc_connection_poll(c, polled);
    ok(polled[0].events == (POLLIN | POLLOUT), "in both directions");
    run(c);
    failed_with(c, SMTPC_ERROR_DEFERRED, "content", "no disk", "so the server is heard");
    ok(outcome(c) == SMTPC_OUTCOME_DEFERRED, "deferred");
    end(c);
}

/* The server has said why and gone, and the next thing that happens is a write that fails. */
static void
test_last_words(void)
{
    struct smtpc_connection *c = play(HELLO ENVELOPE "S 354 go\nW 1000\nS 552 5.3.4 too big\nE\n");

    fill(c);
    ok(smtpc_session_wants(session_of(c)) == SMTPC_WANT_WRITE, "there is more to be written");
    poll(NULL, 0, 1500);
    run(c);
    failed_with_words(c, "too big", "the server's last words, not the broken pipe");
    end(c);
}

/* ---- what comes unasked ---- */

static void
test_listen(void)
{
    struct smtpc_connection *c = play(HELLO "W 50\nS 421 4.4.2 idle too long\nE\n");

    ok(hello(c) == SMTPC_PUMP_TURN, "idle");
    smtpc_connection_listen(c);
    ok(smtpc_session_wants(session_of(c)) == SMTPC_WANT_IDLE, "nothing there yet");
    poll(NULL, 0, 300);
    smtpc_connection_listen(c);
    failed_with(c, SMTPC_ERROR_DEFERRED, "idle connection", "idle too long", "a 421 that came meanwhile");
    ok(smtpc_session_noop(session_of(c)) == -1 && run(c) == SMTPC_PUMP_CLOSED, "no command after it");
    end(c);

    c = play(HELLO "W 50\nS 421 4.4.2 idle too long\nR\n");
    hello(c);
    poll(NULL, 0, 300);
    smtpc_session_noop(session_of(c));
    run(c);
    ok(smtpc_session_error(session_of(c))->code == 421
       || smtpc_session_error(session_of(c))->kind == SMTPC_ERROR_CLOSED, "the same without looking first: %s",
       smtpc_session_error(session_of(c))->text);
    end(c);
}

static void
test_insecure(void)
{
    struct smtpc_connection_options options;
    struct smtpc_connection *c;

    server_start(&server, HELLO "C\nS 235 ok\n", NULL);
    options = options_for(server.service);
    options.insecure_cleartext_auth = 1;
    c = connect_with(&options);
    hello(c);
    ok(log_in(c) == SMTPC_PUMP_TURN && smtpc_session_mechanism(session_of(c)) != NULL, "in clear when told to");
    end(c);
}

/* ---- the descriptor ---- */

static void
test_given_descriptor(void)
{
    struct smtpc_connection *c = play(HELLO "C\nS 250 ok\n");
    int fd, other;

    hello(c);
    fd = smtpc_connection_give_fd(c);
    ok(fd == smtpc_connection_fd(c) && fd > 2, "given away");
    smtpc_session_noop(session_of(c));
    ok(run(c) == SMTPC_PUMP_TURN, "and still in use");
    close(fd);
    other = open("/dev/null", O_RDONLY);
    ok(other == fd, "the number has another owner now");
    smtpc_connection_close(c, 0);
    failed_with(c, SMTPC_ERROR_CLOSED, "idle", "closed by the program", "closed by the program");
    ok(smtpc_connection_fd(c) == -1, "no descriptor");
    end(c);
    ok(fcntl(other, F_GETFD) >= 0, "which was not closed");
    close(other);

    c = play(HELLO);
    hello(c);
    fd = smtpc_connection_fd(c);
    smtpc_connection_close(c, 0);
    ok(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "one that was not given away is closed");
    smtpc_connection_close(c, 1);
    end(c);
    smtpc_connection_free(NULL);
}

static void
test_standard_streams_closed(void)
{
    int saved[3];
    struct smtpc_connection *c;
    int fd, i;

    fflush(stdout);
    for (i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        close(i);
    }
    c = play(HELLO);
    hello(c);
    fd = smtpc_connection_fd(c);
    end(c);
    for (i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    ok(fd > 2, "descriptor %d though 0 to 2 were free", fd);
}

static void
count_sigpipe(int signal)
{
    (void)signal;
    sigpipes++;
}

int
main(void)
{
    signal(SIGPIPE, count_sigpipe);
    make_contexts();
    test_refused();
    test_lookup();
    test_options();
    test_deadlines();
    test_overall_deadline();
    test_grace();
    test_poll_facts();
    test_outcomes();
    test_end_timeout();
    test_broken_content();
    test_full_pipe();
    test_last_words();
    test_listen();
    test_insecure();
    test_given_descriptor();
    test_standard_streams_closed();
    ok(sigpipes == 0, "no SIGPIPE all the way");
    free_contexts();
    return tap_done();
}
