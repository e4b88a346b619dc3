/* fuzz_proxy: the fuzzer plays the proxy; the line is open only where a plain reading of its answer says so, and no octet
 * of the server's is taken. */
#include "oracle.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/proxy.h"

#define PASSWORD "correct horse"
#define BASIC "am9lOmNvcnJlY3QgaG9yc2U="

static struct smtpc_proxy *
begin(enum smtpc_proxy_kind kind, int has_login)
{
    struct sockaddr_in place = {0};
    struct addrinfo server = {0};
    struct smtpc_error error = {0};
    struct smtpc_proxy *proxy = smtpc_proxy_new(kind, "p.example", "1080", has_login ? "joe" : NULL,
                                                has_login ? PASSWORD : NULL, has_login ? BASIC : NULL, &error);

    must(proxy != NULL);
    place.sin_family = AF_INET;
    place.sin_port = htons(587);
    place.sin_addr.s_addr = htonl(0xc0000207);
    server.ai_family = AF_INET;
    server.ai_addr = (struct sockaddr *)&place;
    server.ai_addrlen = sizeof place;
    must(smtpc_proxy_ask(proxy, "mail.example", &server, &error) == 0);
    return proxy;
}

/* Octets taken; with a seed in pieces that it chooses. */
static size_t
play(struct smtpc_proxy *proxy, const char *octets, size_t n, uint32_t seed, struct smtpc_error *error)
{
    size_t at = 0, piece, there;
    const char *said;

    for (;;) {
        enum smtpc_proxy_want want = smtpc_proxy_wants(proxy);

        if (want == SMTPC_PROXY_WRITE) {
            smtpc_proxy_output(proxy, &said, &there);
            must(there > 0 && there < 2048);
            smtpc_proxy_sent(proxy, seed == 0 ? there : 1);
            continue;
        }
        piece = smtpc_proxy_hunger(proxy);
        must((piece > 0) == (want == SMTPC_PROXY_READ) && piece <= SMTPC_PROXY_HEADER_MAX);
        if (want != SMTPC_PROXY_READ || at == n)
            return at;
        if (piece > n - at)
            piece = n - at;
        if (seed != 0 && piece > 1)
            piece = 1 + next_piece(&seed, piece - 1);
        must((smtpc_proxy_feed(proxy, octets + at, piece, error) == 0) == !smtpc_error_is_set(error));
        at += piece;
    }
}

/* Where the answer to a CONNECT of SOCKS ends, 0 when it is none or none that opens the line. */
static size_t
end_of_socks(const unsigned char *octets, size_t n, int has_login)
{
    size_t at = 2;

    if (n < at || octets[0] != 5 || (octets[1] != 0 && !(octets[1] == 2 && has_login)))
        return 0;
    if (octets[1] == 2) {
        if (n < 4 || octets[3] != 0)
            return 0;
        at = 4;
    }
    if (n < at + 5 || octets[at] != 5 || octets[at + 1] != 0)
        return 0;
    switch (octets[at + 3]) {
    case 1: at += 10; break;
    case 3: at += (size_t)octets[at + 4] + 7; break;
    case 4: at += 22; break;
    default: return 0;
    }
    return at <= n ? at : 0;
}

/* One header: its length, 0 when it is not whole. */
static size_t
end_of_header(const char *octets, size_t n)
{
    size_t i;

    for (i = 1; i < n; i++)
        if (octets[i] == '\n' && (octets[i - 1] == '\n' || (i > 1 && octets[i - 1] == '\r' && octets[i - 2] == '\n')))
            return i + 1;
    return 0;
}

static size_t
end_of_http(const char *octets, size_t n)
{
    size_t at = 0, length;

    for (;;) {
        const char *line = octets + at;
        size_t i;

        length = end_of_header(line, n - at);
        if (length < 13 || memcmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ')
            return 0;
        for (i = 9; i < 12; i++)
            if (line[i] < '0' || line[i] > '9')
                return 0;
        at += length;
        if ((line[12] != ' ' && line[12] != '\r' && line[12] != '\n') || at > SMTPC_PROXY_HEADER_MAX)
            return 0;
        if (line[9] == '2')
            return at;
        if (line[9] > '1' || memcmp(line + 9, "101", 3) == 0)
            return 0;
    }
}

static int
has_within(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smtpc_error error = {0}, cut_error = {0};
    struct smtpc_proxy *proxy, *cut;
    enum smtpc_proxy_kind kind;
    size_t used, end;
    const char *octets;
    int has_login;

    if (size < 1)
        return 0;
    kind = (enum smtpc_proxy_kind)(1 + data[0] % 3);
    has_login = data[0] & 0x80;
    octets = (const char *)data + 1;
    end = kind == SMTPC_PROXY_HTTP ? end_of_http(octets, size - 1) : end_of_socks(data + 1, size - 1, has_login);
    proxy = begin(kind, has_login);
    cut = begin(kind, has_login);
    used = play(proxy, octets, size - 1, 0, &error);
    must((smtpc_proxy_wants(proxy) == SMTPC_PROXY_OPEN) == (end > 0));
    must(end == 0 || used == end);
    play(cut, octets, size - 1, data[0] + 1u, &cut_error);
    must(smtpc_proxy_wants(cut) == smtpc_proxy_wants(proxy) && strcmp(error.text, cut_error.text) == 0);
    must(!has_login || (!has_within(error.text, PASSWORD) && !has_within(error.text, BASIC)));
    must(smtpc_error_is_set(&error) == (smtpc_proxy_wants(proxy) == SMTPC_PROXY_FAILED));
    smtpc_proxy_free(proxy);
    smtpc_proxy_free(cut);
    return 0;
}
