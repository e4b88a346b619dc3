/* tls_resumed: connections one after the other, for the tests of resumed TLS sessions. */
#ifndef T_CORE_TLS_RESUMED_H
#define T_CORE_TLS_RESUMED_H

#include <openssl/ssl.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_pair.h"

#define PEER "localhost:465"

/* The server's first words, which bring the tickets of TLS 1.3. */
static inline void
greet(struct pair *pair)
{
    struct smtpc_error error = {0};
    char got[16];

    must(smtpc_tls_send(pair->server, "220 x\r\n", 7, &error) == 7, error.text);
    must(smtpc_tls_receive(pair->client, got, sizeof got, &error) == 7, error.text);
}

/* One connection that ends without a goodbye: whether it was resumed, or -1 when it failed. */
static inline int
is_resumed_as(struct smtpc_tls_context *client, struct smtpc_tls_context *server, const char *name, const char *peer)
{
    struct smtpc_tls_facts facts = {0};
    struct pair pair;
    int good;

    pair_open_as(&pair, client, server, name, peer);
    good = pair.client_result == 1 && pair.server_result == 1;
    if (good) {
        greet(&pair);
        smtpc_tls_facts(pair.client, &facts);
    } else
        printf("# %s\n", pair.client_error.text);
    pair_close(&pair);
    return good ? facts.resumed : -1;
}

static inline int
is_resumed(struct smtpc_tls_context *client, struct smtpc_tls_context *server)
{
    return is_resumed_as(client, server, "localhost", PEER);
}

/* As if that server knew nothing newer. */
static inline struct smtpc_tls_context *
old_server_of(const struct identity *identity)
{
    struct smtpc_tls_context *server = server_of(identity, NULL, NULL);

    must(SSL_CTX_set_max_proto_version(server->ssl_ctx, TLS1_2_VERSION) == 1, "no TLS 1.2");
    return server;
}

#endif
