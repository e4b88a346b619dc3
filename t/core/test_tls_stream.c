/* Tests of tls streams: octets through them, and large transfers in small pieces. */
#include "net/tls.h"

#include <openssl/err.h>
#include <stdint.h>

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;

static void
test_words(void)
{
    struct smtpc_error error = {0};
    struct pair pair;
    char got[64];

    scene_pair(&scene, &pair);
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_AGAIN, "nothing there is AGAIN");
    ok(smtpc_tls_wants(pair.client) == SMTPC_TLS_WAIT_READ, "which waits for reading");
    ok(smtpc_tls_send(pair.server, "220 ready\r\n", 11, &error) == 11, "a send counts octets");
    ok(smtpc_tls_receive(pair.client, got, 4, &error) == 4, "receive gives what there is room for");
    hang_up(&pair.server_end);
    ok(smtpc_tls_receive(pair.client, got + 4, sizeof got - 4, &error) == 7, "and the rest from inside OpenSSL");
    is_octets(got, 11, "220 ready\r\n", 11, "as it was sent");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END, "then the end");
    ok(!smtpc_error_is_set(&error), "without an error");
    pair_close(&pair);
}

/* A wire through which little fits at a time, and which says AGAIN now and then for no reason. */
struct chopper {
    struct smtpc_wire_socket *end;
    uint32_t random;
    long agains;
};

static size_t
chop(struct chopper *chopper, size_t n)
{
    size_t most;

    chopper->random = chopper->random * 1664525u + 1013904223u;
    most = (chopper->random >> 16) % 4000;
    if (most < 400) {
        chopper->agains++;
        return 0;
    }
    return most < n ? most : n;
}

static ssize_t
chopped_send(void *stream, const char *octets, size_t n)
{
    struct chopper *chopper = stream;
    struct smtpc_wire wire = smtpc_wire_of_socket(chopper->end);

    n = chop(chopper, n);
    return n == 0 ? SMTPC_WIRE_AGAIN : wire.send(wire.stream, octets, n);
}

static ssize_t
chopped_receive(void *stream, char *octets, size_t room)
{
    struct chopper *chopper = stream;
    struct smtpc_wire wire = smtpc_wire_of_socket(chopper->end);

    room = chop(chopper, room);
    return room == 0 ? SMTPC_WIRE_AGAIN : wire.receive(wire.stream, octets, room);
}

static struct smtpc_wire
chopped(struct chopper *chopper)
{
    struct smtpc_wire wire = {chopped_send, chopped_receive, NULL};

    wire.stream = chopper;
    return wire;
}

static char
octet_at(size_t i)
{
    return (char)(i * 2654435761u >> 13);
}

/* One way of a transfer. Every attempt offers its octets at another address. */
struct way {
    struct smtpc_tls *from;
    struct smtpc_tls *to;
    size_t sent;
    size_t received;
    int is_wrong;
    long agains;
    int waits[2];
};

enum { HUGE = 4 * 1024 * 1024, PIECE = 40000 };

static void
push(struct way *way, struct smtpc_error *error)
{
    static char places[2][PIECE];
    size_t n = HUGE - way->sent < PIECE ? HUGE - way->sent : PIECE;
    char *moving = places[way->agains % 2];
    ssize_t sent;
    size_t i;

    if (n == 0)
        return;
    for (i = 0; i < n; i++)
        moving[i] = octet_at(way->sent + i);
    sent = smtpc_tls_send(way->from, moving, n, error);
    memset(places, 0, sizeof places);
    if (sent == SMTPC_WIRE_AGAIN) {
        way->agains++;
        way->waits[smtpc_tls_wants(way->from)]++;
    } else if (sent > 0)
        way->sent += (size_t)sent;
}

static void
pull(struct way *way, struct smtpc_error *error)
{
    char got[10000];
    ssize_t n = smtpc_tls_receive(way->to, got, sizeof got, error);
    ssize_t i;

    for (i = 0; i < n; i++)
        way->is_wrong |= got[i] != octet_at(way->received + (size_t)i);
    if (n > 0)
        way->received += (size_t)n;
}

static void
test_huge(void)
{
    struct chopper choppers[2] = {{NULL, 1, 0}, {NULL, 2, 0}};
    struct smtpc_error error = {0};
    struct way up = {0};
    struct way down = {0};
    struct pair pair;
    long rounds;

    pair_sockets(&pair);
    choppers[0].end = &pair.client_end;
    choppers[1].end = &pair.server_end;
    pair.client = smtpc_tls_client(scene.client, chopped(&choppers[0]), "localhost", NULL, &error);
    pair.server = smtpc_tls_server(scene.server, chopped(&choppers[1]), &error);
    pair_handshake(&pair);
    ok(pair.client_result == 1 && pair.server_result == 1, "a handshake in pieces");
    up.from = down.to = pair.client;
    up.to = down.from = pair.server;
    for (rounds = 0; rounds < 200000 && (up.received < HUGE || down.received < HUGE); rounds++) {
        push(&up, &error);
        push(&down, &error);
        pull(&up, &error);
        pull(&down, &error);
        if (smtpc_error_is_set(&error))
            break;
    }
    ok(up.received == HUGE && down.received == HUGE, "%d octets each way at once %s", HUGE, error.text);
    ok(!up.is_wrong && !down.is_wrong, "all of them right");
    ok(up.agains > 10 && up.waits[SMTPC_TLS_WAIT_WRITE] > 10, "with %ld times AGAIN", up.agains);
    ok(choppers[0].agains > 100 && choppers[1].agains > 100, "and more below");
    pair_close(&pair);
}

static void
test_full(void)
{
    static char octets[65536];
    struct smtpc_error error = {0};
    struct pair pair;
    ssize_t sent;

    scene_pair(&scene, &pair);
    sent = smtpc_tls_send(pair.client, octets, sizeof octets, &error);
    ok(sent > 0 && sent < (ssize_t)sizeof octets, "a send takes a record at a time");
    do
        sent = smtpc_tls_send(pair.client, octets, sizeof octets, &error);
    while (sent > 0);
    ok(sent == SMTPC_WIRE_AGAIN && smtpc_tls_wants(pair.client) == SMTPC_TLS_WAIT_WRITE, "a full socket is AGAIN");
    smtpc_tls_close(pair.client);
    ok(ERR_peek_error() == 0, "a close in the middle of it leaves nothing in the queue");
    pair_close(&pair);
}

int
main(void)
{
    scene_open(&scene);
    test_words();
    test_huge();
    test_full();
    scene_close(&scene);
    return tap_done();
}
