/* Tests of a tls client's own certificate, and of references to contexts. */
#include "net/tls.h"

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;

static struct smtpc_tls_context *
client_with(const struct identity *own)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    if (own != NULL) {
        options.certificate_file = write_file("own.pem", own->certificate.bytes);
        options.key_file = write_file("own.key", own->key.bytes);
    }
    return client_of(&options);
}

/* text: "verified", "none", or words of the client's error. */
static void
check_client_certificate(const struct identity *own, const char *text)
{
    struct smtpc_tls_context *client = client_with(own);
    struct smtpc_tls_context *asking = server_of(&scene.mail, NULL, scene.ca.certificate.bytes);
    struct smtpc_error error = {0};
    struct smtpc_tls_facts facts;
    struct pair pair;
    char got[16];

    pair_open(&pair, client, asking, "localhost");
    smtpc_tls_facts(pair.server, &facts);
    if (strcmp(text, "verified") == 0) {
        ok(pair.server_result == 1 && facts.verified, "the server verifies a client's certificate");
        is_string(facts.subject, "CN=shop", "and knows its subject");
    } else if (strcmp(text, "none") == 0)
        ok(pair.server_result == 1 && !facts.verified && facts.subject[0] == '\0', "a client may show none");
    else {
        ok(pair.server_result == -1, "the server refuses it: %s", pair.server_error.text);
        ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == -1 && strstr(error.text, text) != NULL,
           "the client learns: %s", error.text);
    }
    pair_close(&pair);
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(asking);
}

static void
test_client_certificate(void)
{
    struct identity foreign;
    struct identity shop;
    struct identity stranger;

    identity_make(&foreign, "foreign CA", NULL, YEAR, 1, NULL);
    identity_make(&shop, "shop", NULL, YEAR, 0, &scene.ca);
    identity_make(&stranger, "stranger", NULL, YEAR, 0, &foreign);
    check_client_certificate(&shop, "verified");
    check_client_certificate(NULL, "none");
    check_client_certificate(&stranger, "does not trust the issuer of our certificate");
    identity_clear(&foreign);
    identity_clear(&shop);
    identity_clear(&stranger);
    remove_file("own.pem");
    remove_file("own.key");
}

/* The stream keeps the context that its maker lets go of. */
static void
test_references(void)
{
    struct smtpc_tls_context *client = client_with(NULL);
    struct smtpc_tls_context *server = server_of(&scene.mail, NULL, NULL);
    struct smtpc_error error = {0};
    struct pair pair;
    char got[4];

    pair_open(&pair, client, server, "localhost");
    smtpc_tls_context_free(smtpc_tls_context_keep(client));
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(server);
    smtpc_tls_context_free(NULL);
    ok(smtpc_tls_send(pair.client, "x", 1, &error) == 1 && smtpc_tls_receive(pair.server, got, 4, &error) == 1,
       "a stream outlives its maker's references");
    pair_close(&pair);
    smtpc_tls_free(NULL);
}

int
main(void)
{
    scene_open(&scene);
    test_client_certificate();
    test_references();
    scene_close(&scene);
    return tap_done();
}
