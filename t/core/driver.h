/* driver: connections to the scripted server as a program makes them, for the tests of connection. */
#ifndef T_CORE_DRIVER_H
#define T_CORE_DRIVER_H

#include "base/clock.h"
#include "drive/connection.h"
#include "login.h"
#include "scripted_server.h"
#include "tap.h"
#include "tls_pair.h"

#define HELLO "S 220 mail.example ESMTP\nC\nS 250-mail.example|250 AUTH PLAIN\n"
#define ENVELOPE "C\nS 250 ok\nC\nS 250 ok\nC\n"

enum { TEST_PATIENCE_MS = 12000, ROOMY_MS = 10000 };

static struct scripted_server server;
static struct smtpc_tls_context *trusting;      /* a client's */
static struct smtpc_tls_context *certified;     /* a server's: localhost, 127.0.0.1 */
static struct smtpc_tls_context *of_another;    /* a server's, for other.example */

static inline struct smtpc_connection_options
options_for(const char *service)
{
    struct smtpc_connection_options options = {0};

    options.host = "127.0.0.1";
    options.service = service;
    options.tls = trusting;
    options.timeout = ROOMY_MS;
    options.end_timeout = ROOMY_MS;
    return options;
}

static inline struct smtpc_connection *
connect_with(const struct smtpc_connection_options *options)
{
    struct smtpc_error error = {0};
    struct smtpc_connection *c = smtpc_connection_new(options, &error);

    must(c != NULL, error.text);
    return c;
}

static inline struct smtpc_connection *
play(const char *script)
{
    struct smtpc_connection_options options;

    server_start(&server, script, certified);
    options = options_for(server.service);
    return connect_with(&options);
}

/* As a program does it; CLOSED when even our own patience is over. */
static inline enum smtpc_pump
run(struct smtpc_connection *c)
{
    int64_t end = smtpc_clock_after(TEST_PATIENCE_MS);
    struct pollfd polled[SMTPC_CONNECTION_POLL_MAX];
    enum smtpc_pump result;

    while ((result = smtpc_connection_step(c)) == SMTPC_PUMP_WAIT && !smtpc_clock_is_past(end)) {
        int64_t until = smtpc_clock_earlier(end, smtpc_connection_deadline(c));

        poll(polled, (nfds_t)smtpc_connection_poll(c, polled), smtpc_clock_left(until));
    }
    return result;
}

static inline struct smtpc_session *
session_of(struct smtpc_connection *c)
{
    return smtpc_connection_session(c);
}

static inline enum smtpc_pump
hello(struct smtpc_connection *c)
{
    if (run(c) != SMTPC_PUMP_TURN || smtpc_session_hello(session_of(c), "client.example", 14, 0) != 0)
        return SMTPC_PUMP_CLOSED;
    return run(c);
}

static inline void
failed_with(struct smtpc_connection *c, enum smtpc_error_kind kind, const char *step, const char *words,
            const char *name)
{
    const struct smtpc_error *error = smtpc_session_error(session_of(c));
    int good = smtpc_session_wants(session_of(c)) == SMTPC_WANT_CLOSED && error->kind == kind
        && error->step != NULL && strcmp(error->step, step) == 0 && strstr(error->text, words) != NULL;

    ok(good, "%s", name);
    if (!good)
        printf("# %s at %s: %s\n", smtpc_error_kind_name(error->kind), error->step != NULL ? error->step : "-",
               error->text);
}

/* The same for the server's last words before a reset, which other kernels than Linux may throw away. */
static inline void
failed_with_words(struct smtpc_connection *c, const char *words, const char *name)
{
#ifndef __linux__
    if (smtpc_session_error(session_of(c))->kind == SMTPC_ERROR_CLOSED) {
        ok(1, "%s # SKIP not kept by this kernel", name);
        return;
    }
#endif
    failed_with(c, SMTPC_ERROR_REFUSED, "content", words, name);
}

static inline void
end(struct smtpc_connection *c)
{
    smtpc_connection_free(c);
    server_stop(&server);
}

static inline enum smtpc_pump
submit_some(struct smtpc_connection *c)
{
    struct smtpc_session *s = session_of(c);

    if (hello(c) != SMTPC_PUMP_TURN)
        return SMTPC_PUMP_CLOSED;
    smtpc_session_open_envelope(s, "a@x", 3, "");
    smtpc_session_add_recipient(s, "b@y", 3, "");
    return smtpc_session_submit(s) == 0 ? run(c) : SMTPC_PUMP_CLOSED;
}

static inline enum smtpc_outcome
outcome(struct smtpc_connection *c)
{
    return smtpc_session_envelope(session_of(c))->recipients[0].outcome;
}

/* Content as long as the server lets it come. */
static inline void
pour(struct smtpc_connection *c)
{
    static char text[SMTPC_SESSION_CONTENT_MAX];
    int i;

    memset(text, 'x', sizeof text);
    for (i = 0; i < 1000 && smtpc_session_in_content(session_of(c)); i++) {
        smtpc_session_content(session_of(c), text, sizeof text);
        if (run(c) != SMTPC_PUMP_TURN)
            return;
    }
}

static inline enum smtpc_pump
log_in(struct smtpc_connection *c)
{
    if (session_auth(session_of(c), "demo", 4, "") != 0)
        return SMTPC_PUMP_CLOSED;
    session_secret(session_of(c), "secret", 6);
    return run(c);
}

static inline void
make_contexts(void)
{
    struct identity ca, own, another;
    struct smtpc_tls_options options = {0};

    identity_make(&ca, "test CA", NULL, YEAR, 1, NULL);
    identity_make(&own, "x", "DNS:localhost,IP:127.0.0.1", YEAR, 0, &ca);
    identity_make(&another, "x", "DNS:other.example", YEAR, 0, &ca);
    options.ca_file = write_file("ca.pem", ca.certificate.bytes);
    trusting = client_of(&options);
    certified = server_of(&own, NULL, NULL);
    of_another = server_of(&another, NULL, NULL);
    remove_file("ca.pem");
    remove_folder();
    identity_clear(&ca);
    identity_clear(&own);
    identity_clear(&another);
}

static inline void
free_contexts(void)
{
    smtpc_tls_context_free(trusting);
    smtpc_tls_context_free(certified);
    smtpc_tls_context_free(of_another);
}

#endif
