/* tls_pair: a TLS client and a server at the ends of a socketpair, driven in one process, with certificates. */
#ifndef T_CORE_TLS_PAIR_H
#define T_CORE_TLS_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls.h"
#include "net/tls_certificate.h"

enum { YEAR = 365 * 86400, PAIR_ROUNDS = 100 };

struct identity {
    struct smtpc_buffer certificate;   /* PEM, NUL-terminated, as the key */
    struct smtpc_buffer key;
};

struct pair {
    struct smtpc_wire_socket client_end;
    struct smtpc_wire_socket server_end;
    struct smtpc_tls *client;
    struct smtpc_tls *server;
    int client_result;                 /* of the handshake */
    int server_result;
    struct smtpc_error client_error;
    struct smtpc_error server_error;
};

static char pair_folder[64];

static inline void
must(int good, const char *what)
{
    if (!good) {
        printf("Bail out! %s\n", what);
        exit(2);
    }
}

/* issuer NULL: signs itself. */
static inline void
identity_of(struct identity *identity, struct smtpc_tls_certificate_request request, const struct identity *issuer)
{
    struct smtpc_error error = {0};

    request.issuer_pem = issuer != NULL ? issuer->certificate.bytes : NULL;
    request.issuer_key_pem = issuer != NULL ? issuer->key.bytes : NULL;
    smtpc_buffer_init(&identity->certificate, 65536);
    smtpc_buffer_init(&identity->key, 65536);
    must(smtpc_tls_certificate_make(&request, &identity->certificate, &identity->key, &error) == 0, error.text);
    smtpc_buffer_append_octet(&identity->certificate, 0);
    smtpc_buffer_append_octet(&identity->key, 0);
}

static inline void
identity_make(struct identity *identity, const char *common_name, const char *names, long seconds, int is_ca,
              const struct identity *issuer)
{
    struct smtpc_tls_certificate_request request = {0};

    request.common_name = common_name;
    request.names = names;
    request.valid_seconds = seconds;
    request.is_ca = is_ca;
    identity_of(identity, request, issuer);
}

static inline void
identity_clear(struct identity *identity)
{
    smtpc_buffer_clear(&identity->certificate);
    smtpc_buffer_clear(&identity->key);
}

/* In the test's own folder, which remove_files() takes away; the path is lent until the eighth call from here. */
static inline const char *
path_of(const char *name)
{
    static char paths[8][200];
    static int turn;
    char *path = paths[turn++ % 8];

    if (pair_folder[0] == '\0') {
        strcpy(pair_folder, "/tmp/smtpc_tls_XXXXXX");
        must(mkdtemp(pair_folder) != NULL, "no temporary folder");
    }
    snprintf(path, sizeof paths[0], "%s/%s", pair_folder, name);
    return path;
}

static inline const char *
write_file(const char *name, const char *text)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "w");

    must(file != NULL && fputs(text, file) >= 0, path);
    fclose(file);
    return path;
}

static inline void
remove_file(const char *name)
{
    unlink(path_of(name));
}

static inline void
remove_folder(void)
{
    if (pair_folder[0] != '\0')
        rmdir(pair_folder);
}

static inline void
pair_sockets(struct pair *pair)
{
    int ends[2];

    memset(pair, 0, sizeof *pair);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "no socketpair");
    pair->client_end.fd = smtpc_wire_prepare(ends[0]);
    pair->server_end.fd = smtpc_wire_prepare(ends[1]);
}

static inline void
hang_up(struct smtpc_wire_socket *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}

/* Both ends until each is done or has failed; one that fails hangs up, as a driver would. */
static inline void
pair_handshake(struct pair *pair)
{
    int round;

    pair->client_result = pair->server_result = SMTPC_WIRE_AGAIN;
    for (round = 0; round < PAIR_ROUNDS; round++) {
        if (pair->client_result == SMTPC_WIRE_AGAIN)
            pair->client_result = smtpc_tls_handshake(pair->client, &pair->client_error);
        if (pair->client_result == -1)
            hang_up(&pair->client_end);
        if (pair->server_result == SMTPC_WIRE_AGAIN)
            pair->server_result = smtpc_tls_handshake(pair->server, &pair->server_error);
        if (pair->server_result == -1)
            hang_up(&pair->server_end);
    }
}

/* Sockets, both objects, and the handshake; peer is what sessions are kept under, NULL: none are. */
static inline void
pair_open_as(struct pair *pair, struct smtpc_tls_context *client, struct smtpc_tls_context *server, const char *name,
             const char *peer)
{
    pair_sockets(pair);
    pair->client = smtpc_tls_client(client, smtpc_wire_of_socket(&pair->client_end), name, peer,
                                    &pair->client_error);
    pair->server = smtpc_tls_server(server, smtpc_wire_of_socket(&pair->server_end), &pair->server_error);
    must(pair->client != NULL && pair->server != NULL, pair->client_error.text);
    pair_handshake(pair);
}

static inline void
pair_open(struct pair *pair, struct smtpc_tls_context *client, struct smtpc_tls_context *server, const char *name)
{
    pair_open_as(pair, client, server, name, NULL);
}

static inline void
pair_close(struct pair *pair)
{
    smtpc_tls_free(pair->client);
    smtpc_tls_free(pair->server);
    hang_up(&pair->client_end);
    hang_up(&pair->server_end);
}

/* A server of this identity; more (may be NULL) follows its certificate in the chain. */
static inline struct smtpc_tls_context *
server_of(const struct identity *identity, const struct identity *more, const char *client_ca_pem)
{
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context;
    char chain[8192];

    snprintf(chain, sizeof chain, "%s%s", identity->certificate.bytes, more != NULL ? more->certificate.bytes : "");
    context = smtpc_tls_context_server(chain, identity->key.bytes, client_ca_pem, &error);
    must(context != NULL, error.text);
    return context;
}

static inline struct smtpc_tls_context *
client_of(const struct smtpc_tls_options *options)
{
    struct smtpc_error error = {0};
    struct smtpc_tls_context *context = smtpc_tls_context_client(options, &error);

    must(context != NULL, error.text);
    return context;
}

/* A CA, a server of it called localhost, and a client that trusts it. */
struct scene {
    struct identity ca;
    struct identity mail;
    struct smtpc_tls_context *client;
    struct smtpc_tls_context *server;
};

static inline void
scene_open(struct scene *scene)
{
    struct smtpc_tls_options options = {0};

    identity_make(&scene->ca, "our CA", NULL, YEAR, 1, NULL);
    identity_make(&scene->mail, "mail", "DNS:localhost", YEAR, 0, &scene->ca);
    options.ca_file = write_file("ca.pem", scene->ca.certificate.bytes);
    scene->client = client_of(&options);
    scene->server = server_of(&scene->mail, NULL, NULL);
}

/* A pair that has shaken hands, or the end of the test. */
static inline void
scene_pair(const struct scene *scene, struct pair *pair)
{
    pair_open(pair, scene->client, scene->server, "localhost");
    must(pair->client_result == 1 && pair->server_result == 1, pair->client_error.text);
}

/* 1 or 0 whether a client of these options takes the scene's server, -1 when there is no such client. */
static inline int
scene_is_trusted(const struct scene *scene, const struct smtpc_tls_options *options)
{
    struct smtpc_error error = {0};
    struct smtpc_tls_context *client = smtpc_tls_context_client(options, &error);
    struct pair pair;
    int good;

    if (client == NULL) {
        printf("# %s\n", error.text);
        return -1;
    }
    pair_open(&pair, client, scene->server, "localhost");
    good = pair.client_result == 1;
    pair_close(&pair);
    smtpc_tls_context_free(client);
    return good;
}

static inline void
scene_close(struct scene *scene)
{
    smtpc_tls_context_free(scene->client);
    smtpc_tls_context_free(scene->server);
    identity_clear(&scene->ca);
    identity_clear(&scene->mail);
    remove_file("ca.pem");
    remove_folder();
}

#endif
