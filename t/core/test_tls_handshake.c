/* Tests of tls handshakes that go wrong before any certificate, of names that are refused, and of SNI. */
#include "net/tls.h"

#include <openssl/err.h>

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;

static void
test_names_refused(void)
{
    static const char *const names[] = {"", ".", ".example.com", "a b", "a\r\nb", "caf\303\251.example", "a\177"};
    struct smtpc_wire_socket none = {-1};
    char longest[300];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct smtpc_error error = {0};

        ok(smtpc_tls_client(scene.client, smtpc_wire_of_socket(&none), names[i], NULL, &error) == NULL
           && error.kind == SMTPC_ERROR_USAGE, "%s", error.text);
    }
    memset(longest, 'a', sizeof longest);
    longest[254] = '\0';
    {
        struct smtpc_error error = {0};

        ok(smtpc_tls_client(scene.client, smtpc_wire_of_socket(&none), longest, NULL, &error) == NULL
           && error.kind == SMTPC_ERROR_USAGE, "a name of 254 octets is refused");
    }
}

/* Whether the client's first octets hold the string, as SNI would: with its length before it. */
static int
is_asked_for(const char *host, const char *sni)
{
    struct smtpc_error error = {0};
    char hello[4096];
    char wanted[100];
    size_t n = strlen(sni) + 2;
    struct pair pair;
    ssize_t got;
    ssize_t i;
    int found = 0;

    pair_sockets(&pair);
    pair.client = smtpc_tls_client(scene.client, smtpc_wire_of_socket(&pair.client_end), host, NULL, &error);
    smtpc_tls_handshake(pair.client, &error);
    got = recv(pair.server_end.fd, hello, sizeof hello, 0);
    snprintf(wanted, sizeof wanted, "%c%c%s", 0, (int)strlen(sni), sni);
    for (i = 0; i + (ssize_t)n <= got; i++)
        found |= memcmp(hello + i, wanted, n) == 0;
    pair_close(&pair);
    return found;
}

static void
test_sni(void)
{
    ok(is_asked_for("mail.example.com", "mail.example.com"), "SNI says the name");
    ok(is_asked_for("mail.example.com.", "mail.example.com"), "without the dot at its end");
    ok(!is_asked_for("127.0.0.1", "127.0.0.1"), "but no IPv4 address");
    ok(!is_asked_for("2001:db8::1", "2001:db8::1"), "and no IPv6 address");
}

/* A peer that is no TLS server at all: what it says, and what the client says of it. */
static void
check_peer_saying(const char *octets, size_t n, enum smtpc_error_kind kind, const char *part, const char *what)
{
    char hello[4096];
    struct pair pair;

    pair_sockets(&pair);
    pair.client = smtpc_tls_client(scene.client, smtpc_wire_of_socket(&pair.client_end), "localhost", NULL,
                                   &pair.client_error);
    ok(smtpc_tls_handshake(pair.client, &pair.client_error) == SMTPC_WIRE_AGAIN
       && smtpc_tls_wants(pair.client) == SMTPC_TLS_WAIT_READ, "%s: the client waits", what);
    ok(recv(pair.server_end.fd, hello, sizeof hello, 0) > 0 && hello[0] == 22, "having sent its hello");
    if (n > 0 && send(pair.server_end.fd, octets, n, 0) != (ssize_t)n)
        must(0, "send");
    hang_up(&pair.server_end);
    ok(smtpc_tls_handshake(pair.client, &pair.client_error) == -1 && pair.client_error.kind == kind, "kind %s",
       smtpc_error_kind_name(kind));
    ok(strstr(pair.client_error.text, part) != NULL, "%s", pair.client_error.text);
    ok(ERR_peek_error() == 0, "the queue is empty");
    ok(smtpc_tls_handshake(pair.client, &pair.client_error) == -1, "and it stays broken");
    smtpc_tls_close(pair.client);
    pair_close(&pair);
}

static void
test_broken_handshakes(void)
{
    static const char smtp[] = "220 mail.example.com ESMTP\r\n";
    static const char busy[] = "421-busy\r\n";
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    static const char protocol[] = "\25\3\3\0\2\2\106";      /* alert protocol_version */
    static const char failure[] = "\25\3\3\0\2\2\50";        /* alert handshake_failure */
    static const char half[] = "\26\3\3\0\100\2";            /* a record that is cut */

    check_peer_saying(smtp, sizeof smtp - 1, SMTPC_ERROR_TLS, "wants STARTTLS: use smtp", "plain SMTP");
    check_peer_saying(busy, sizeof busy - 1, SMTPC_ERROR_TLS, "(\"421\"): this port begins in clear", "421");
    check_peer_saying(http, sizeof http - 1, SMTPC_ERROR_TLS, "does not speak TLS on this port (it sent \"HTTP\")",
                      "HTTP");
    check_peer_saying(protocol, 7, SMTPC_ERROR_TLS, "takes no TLS version that is allowed here", "no common version");
    check_peer_saying(failure, 7, SMTPC_ERROR_TLS, "found nothing it could take", "no common cipher");
    check_peer_saying(half, 6, SMTPC_ERROR_CLOSED, "the server closed the connection", "half a record");
    check_peer_saying("", 0, SMTPC_ERROR_CLOSED, "the server closed the connection", "hanging up");
}

/* A ServerHello of an old version: record, handshake, version, random, no session, a cipher, no compression. */
static void
check_old_server(char minor, const char *what)
{
    char hello[5 + 4 + 38] = {22, 3, 0, 0, 42, 2, 0, 0, 38, 3};

    hello[2] = minor;
    hello[10] = minor;
    memset(hello + 11, 'r', 32);
    hello[44] = (char)0xc0;   /* ECDHE-RSA-AES128-SHA */
    hello[45] = 0x13;
    check_peer_saying(hello, sizeof hello, SMTPC_ERROR_TLS,
                      "speaks no TLS version that is allowed here (1.2 at least)", what);
}

static void
test_minimum_version(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *client;
    struct smtpc_tls_facts facts;
    struct pair pair;

    check_old_server(0, "SSL 3.0");
    check_old_server(1, "TLS 1.0");
    check_old_server(2, "TLS 1.1");
    options.ca_file = path_of("ca.pem");
    options.minimum_version = "TLSv1.3";
    client = client_of(&options);
    pair_open(&pair, client, scene.server, "localhost");
    smtpc_tls_facts(pair.client, &facts);
    is_string(facts.version, "TLSv1.3", "minimum_version TLSv1.3");
    pair_close(&pair);
    smtpc_tls_context_free(client);
}

int
main(void)
{
    scene_open(&scene);
    test_names_refused();
    test_sni();
    test_broken_handshakes();
    test_minimum_version();
    scene_close(&scene);
    return tap_done();
}
