/* Tests of TLS sessions kept in the process: which are resumed, and which are not. */
#include "net/tls.h"

#include <time.h>

#include "tls_resumed.h"

static struct scene scene;
static struct smtpc_tls_context *old_server;

static struct smtpc_tls_options
ordinary(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    return options;
}

static struct smtpc_tls_context *
new_client(void)
{
    struct smtpc_tls_options options = ordinary();

    return client_of(&options);
}

static void
test_resumes(void)
{
    struct smtpc_tls_context *client = new_client();
    struct smtpc_tls_facts full, again;
    struct pair first, second;

    pair_open_as(&first, client, scene.server, "localhost", PEER);
    greet(&first);
    pair_open_as(&second, client, scene.server, "localhost", PEER);
    smtpc_tls_facts(first.client, &full);
    smtpc_tls_facts(second.client, &again);
    ok(!full.resumed && again.resumed, "the second connection resumes the first");
    ok(again.verified && strcmp(again.trust, "chain") == 0, "and is as verified");
    is_string(again.name, full.name, "for the same name");
    is_string(again.subject, full.subject, "the same subject");
    is_string(again.not_after, full.not_after, "the same last day");
    is_string(again.group, full.group, "and has a group of its own");
#ifdef SSL_get_negotiated_group
    ok(full.group[0] != '\0', "which is %s", full.group);
#endif
    ok(smtpc_tls_peer_pem(second.client) != NULL
       && strcmp(smtpc_tls_peer_pem(second.client), smtpc_tls_peer_pem(first.client)) == 0,
       "the certificate is still there");
    smtpc_tls_facts(second.server, &again);
    ok(again.resumed, "the server says the same");
    pair_close(&first);
    pair_close(&second);
    smtpc_tls_context_free(client);
}

static void
test_wildcard(void)
{
    struct smtpc_tls_context *client = new_client();
    struct smtpc_tls_facts facts;
    struct pair pair;

    is_resumed_as(client, scene.server, "mail.example.test", PEER);
    pair_open_as(&pair, client, scene.server, "mail.example.test", PEER);
    smtpc_tls_facts(pair.client, &facts);
    ok(facts.resumed, "a host that a wildcard stands for is resumed");
    is_string(facts.name, "*.example.test", "and the facts name the wildcard, as after a full handshake");
    pair_close(&pair);
    smtpc_tls_context_free(client);
}

static int
is_resumed_silently(struct smtpc_tls_context *client, struct smtpc_tls_context *server)
{
    struct smtpc_tls_facts facts;
    struct pair pair;

    pair_open_as(&pair, client, server, "localhost", PEER);
    smtpc_tls_facts(pair.client, &facts);
    pair_close(&pair);
    return facts.resumed;
}

static void
test_tickets_once(void)
{
    struct smtpc_tls_context *client = new_client();

    ok(is_resumed(client, scene.server) == 0, "a connection that gets two tickets");
    ok(is_resumed_silently(client, scene.server) && is_resumed_silently(client, scene.server), "serves two more");
    ok(!is_resumed_silently(client, scene.server), "and then there is none");
    smtpc_tls_context_free(client);
}

static void
test_tls12(void)
{
    struct smtpc_tls_context *client = new_client();
    int i;

    ok(is_resumed(client, old_server) == 0, "TLS 1.2 begins in full");
    for (i = 0; i < 3; i++)
        ok(is_resumed_silently(client, old_server), "and is resumed as often as one likes");
    ok(is_resumed(client, scene.server) == 0, "a server that has learnt TLS 1.3 since does that in full");
    smtpc_tls_context_free(client);
}

static void
test_peers(void)
{
    struct smtpc_tls_context *client = new_client();
    struct smtpc_tls_context *stranger = server_of(&scene.mail, NULL, NULL);

    is_resumed(client, scene.server);
    ok(is_resumed_as(client, scene.server, "localhost", "localhost:587") == 0, "another port is another peer");
    ok(is_resumed_as(client, scene.server, "127.0.0.1", PEER) == 0, "another name is another peer");
    ok(is_resumed_as(client, scene.server, "localhost", NULL) == 0, "no peer, no session");
    ok(is_resumed(client, stranger) == 0, "a server that does not know the ticket shakes hands in full");
    ok(is_resumed(client, stranger) == 1, "and gives one of its own");
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(stranger);
}

static void
check_never(const struct smtpc_tls_options *options, const char *what)
{
    struct smtpc_tls_context *client = client_of(options);

    ok(is_resumed(client, scene.server) == 0 && is_resumed(client, scene.server) == 0, "never resumed: %s", what);
    ok(is_resumed(client, old_server) == 0 && is_resumed(client, old_server) == 0, "nor with TLS 1.2: %s", what);
    smtpc_tls_context_free(client);
}

static void
test_never(void)
{
    struct smtpc_tls_options options = ordinary();

    options.no_resumption = 1;
    check_never(&options, "no_resumption");
    options = ordinary();
    options.insecure_no_verify = 1;
    check_never(&options, "insecure_no_verify");
    options = ordinary();
    options.insecure_no_name_check = 1;
    check_never(&options, "insecure_no_name_check");
}

/* ---- sessions that somehow came to the wrong place ---- */

static int
believe_all(X509_STORE_CTX *store, void *argument)
{
    (void)argument;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* The session that a credulous client made with this server, as if it belonged to "localhost" and to the client. */
static void
smuggle(struct smtpc_tls_context *server, int is_credulous, struct smtpc_tls_context *client)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *other;
    struct smtpc_tls_session_entry entry = {0};
    SSL_SESSION *session;
    struct pair pair;
    unsigned char *room;

    options.insecure_no_verify = 1;
    other = client_of(&options);
    if (is_credulous)
        SSL_CTX_set_cert_verify_callback(other->ssl_ctx, believe_all, NULL);
    pair_open(&pair, other, server, "localhost");
    must(pair.client_result == 1, pair.client_error.text);
    session = SSL_get1_session(pair.client->ssl);
    smtpc_buffer_init(&entry.octets, SMTPC_TLS_SESSION_OCTETS_MAX);
    room = (unsigned char *)smtpc_buffer_reserve(&entry.octets, (size_t)i2d_SSL_SESSION(session, NULL));
    entry.octets.length = (size_t)i2d_SSL_SESSION(session, &room);
    entry.expires = (int64_t)time(NULL) + 100;
    smtpc_tls_session_key(client->sessions->demands, PEER, "localhost", entry.key);
    smtpc_tls_sessions_put(client->sessions, &entry, 1);
    SSL_SESSION_free(session);
    pair_close(&pair);
    smtpc_tls_context_free(other);
}

static void
check_smuggled(const struct identity *identity, int is_credulous, int expected, const char *what)
{
    struct smtpc_tls_context *client = new_client();
    struct smtpc_tls_context *server = old_server_of(identity);

    smuggle(server, is_credulous, client);
    ok(is_resumed(client, server) == expected, "%s", what);
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(server);
}

static void
test_looks_again(void)
{
    struct identity expired, wrong, stranger, foreign;

    identity_make(&foreign, "foreign CA", NULL, YEAR, 1, NULL);
    identity_make(&expired, "mail", "DNS:localhost", -3600, 0, &scene.ca);
    identity_make(&wrong, "mail", "DNS:elsewhere.example", YEAR, 0, &scene.ca);
    identity_make(&stranger, "mail", "DNS:localhost", YEAR, 0, &foreign);
    check_smuggled(&scene.mail, 1, 1, "a session whose certificate is good is taken");
    check_smuggled(&expired, 1, -1, "one whose certificate has expired is not");
    check_smuggled(&wrong, 1, -1, "nor one whose certificate is for another name");
    check_smuggled(&stranger, 0, -1, "nor one that was never verified");
    identity_clear(&expired);
    identity_clear(&wrong);
    identity_clear(&stranger);
    identity_clear(&foreign);
}

int
main(void)
{
    scene_open(&scene);
    identity_clear(&scene.mail);
    smtpc_tls_context_free(scene.server);
    identity_make(&scene.mail, "mail", "DNS:localhost,IP:127.0.0.1,DNS:*.example.test", YEAR, 0, &scene.ca);
    scene.server = server_of(&scene.mail, NULL, NULL);
    old_server = old_server_of(&scene.mail);
    test_resumes();
    test_wildcard();
    test_tickets_once();
    test_tls12();
    test_peers();
    test_never();
    test_looks_again();
    smtpc_tls_context_free(old_server);
    scene_close(&scene);
    return tap_done();
}
