/* test_proxy: what is said to a proxy, and what is made of its answers, whole, octet by octet, and cut. */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tap.h"

static struct sockaddr_in place;
static struct sockaddr_in6 place6;
static struct addrinfo server;
static struct addrinfo server6;

static void
make_servers(void)
{
    place.sin_family = AF_INET;
    place.sin_port = htons(587);
    inet_pton(AF_INET, "192.0.2.7", &place.sin_addr);
    server.ai_family = AF_INET;
    server.ai_addr = (struct sockaddr *)&place;
    server.ai_addrlen = sizeof place;
    place6.sin6_family = AF_INET6;
    place6.sin6_port = htons(465);
    inet_pton(AF_INET6, "2001:db8::7", &place6.sin6_addr);
    server6.ai_family = AF_INET6;
    server6.ai_addr = (struct sockaddr *)&place6;
    server6.ai_addrlen = sizeof place6;
}

static struct smtpc_proxy *
proxy_of(enum smtpc_proxy_kind kind, const char *user)
{
    struct smtpc_error error = {0};
    struct smtpc_proxy *proxy = smtpc_proxy_new(kind, "p.example", "1080", user, user == NULL ? NULL : "pass word",
                                                user == NULL ? NULL : "am9lOnBhc3Mgd29yZA==", &error);

    if (proxy == NULL) {
        printf("# %s\n", error.text);
        exit(2);
    }
    return proxy;
}

/* Takes all that is to be said, three octets at a time. */
static void
is_said(struct smtpc_proxy *proxy, const char *expected, size_t n, const char *name)
{
    char said[2048];
    size_t length = 0;

    while (smtpc_proxy_wants(proxy) == SMTPC_PROXY_WRITE) {
        const char *octets;
        size_t there;

        smtpc_proxy_output(proxy, &octets, &there);
        there = there > 3 ? 3 : there;
        memcpy(said + length, octets, there);
        length += there;
        smtpc_proxy_sent(proxy, there);
    }
    is_octets(said, length, expected, n, name);
}

#define SAYS(proxy, text, name) is_said(proxy, text, sizeof(text) - 1, name)

static void
let_it_say(struct smtpc_proxy *proxy)
{
    while (smtpc_proxy_wants(proxy) == SMTPC_PROXY_WRITE)
        smtpc_proxy_sent(proxy, 1);
}

/* Feeds up to the machine's appetite, at most `most` at a time; what is left over is the server's. */
static size_t
hear(struct smtpc_proxy *proxy, const char *octets, size_t n, size_t most, struct smtpc_error *error)
{
    size_t at = 0;

    while (at < n && smtpc_proxy_wants(proxy) == SMTPC_PROXY_READ) {
        size_t piece = smtpc_proxy_hunger(proxy);

        piece = piece > most ? most : piece;
        piece = piece > n - at ? n - at : piece;
        smtpc_proxy_feed(proxy, octets + at, piece, error);
        at += piece;
    }
    return at;
}

#define HEARS(proxy, text, error) hear(proxy, text, sizeof(text) - 1, (size_t)-1, error)

static void
test_socks(void)
{
    struct smtpc_proxy *proxy = proxy_of(SMTPC_PROXY_SOCKS5, NULL);
    struct smtpc_error error = {0};

    is_string(smtpc_proxy_name(proxy), "socks5://p.example:1080", "its name");
    ok(smtpc_proxy_ask(proxy, "mail.example", &server, &error) == 0, "asked");
    SAYS(proxy, "\5\1\0", "no login is offered");
    ok(HEARS(proxy, "\5\0", &error) == 2, "none is wanted");
    SAYS(proxy, "\5\1\0\1\300\0\2\7\2\113", "the request has the address");
    ok(HEARS(proxy, "\5\0\0\1\0\0\0\0\0\0220 mail", &error) == 10, "the answer, and no octet of what is behind it");
    ok(smtpc_proxy_wants(proxy) == SMTPC_PROXY_OPEN && smtpc_proxy_hunger(proxy) == 0, "the line is open");
    ok(smtpc_proxy_ask(proxy, "mail.example", &server6, &error) == 0, "asked again, on a new connection");
    SAYS(proxy, "\5\1\0", "from the beginning");
    HEARS(proxy, "\5\0", &error);
    SAYS(proxy, "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\1\321", "with an address of IPv6");
    HEARS(proxy, "\5\0\0\4", &error);
    ok(hear(proxy, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, 1, &error) == 18
       && smtpc_proxy_wants(proxy) == SMTPC_PROXY_OPEN, "its answer may have one, too");
    ok(smtpc_proxy_feed(proxy, "2", 1, &error) == -1, "the server's octets are refused");
    smtpc_proxy_free(proxy);
}

static void
test_socks_login(void)
{
    struct smtpc_proxy *proxy = proxy_of(SMTPC_PROXY_SOCKS5H, "joe");
    struct smtpc_error error = {0};

    smtpc_proxy_ask(proxy, "mail.example", &server, &error);
    SAYS(proxy, "\5\2\0\2", "a login is offered");
    HEARS(proxy, "\5\2", &error);
    SAYS(proxy, "\1\3joe\11pass word", "user name and password");
    HEARS(proxy, "\1\0", &error);
    SAYS(proxy, "\5\1\0\3\14mail.example\2\113", "the request has the name");
    ok(hear(proxy, "\5\0\0\3\4here\1\1x", 12, 1, &error) == 11 && smtpc_proxy_wants(proxy) == SMTPC_PROXY_OPEN,
       "an answer with a name");
    smtpc_proxy_ask(proxy, "192.0.2.9", &server, &error);
    SAYS(proxy, "\5\2\0\2", "again");
    HEARS(proxy, "\5\0", &error);
    SAYS(proxy, "\5\1\0\1\300\0\2\11\2\113", "no login where none is wanted; a literal is an address");
    smtpc_proxy_ask(proxy, "mail.example", &server, &error);
    SAYS(proxy, "\5\2\0\2", "again");
    HEARS(proxy, "\5\2", &error);
    SAYS(proxy, "\1\3joe\11pass word", "the login");
    HEARS(proxy, "\1\1", &error);
    is_string(error.text, "the proxy socks5h://p.example:1080 refused user name or password", "is refused");
    ok(error.kind == SMTPC_ERROR_CONNECT && !error.temporary && !smtpc_proxy_may_try_next(proxy), "for good");
    smtpc_proxy_free(proxy);
}

/* What the error says after these octets; the output between them is thrown away. */
static void
fails(enum smtpc_proxy_kind kind, const char *user, const char *octets, size_t n, int may_try_next, const char *words)
{
    struct smtpc_proxy *proxy;
    struct smtpc_error error;
    size_t most, at;

    for (most = 1; most <= 1000; most += 999) {
        memset(&error, 0, sizeof error);
        proxy = proxy_of(kind, user);
        smtpc_proxy_ask(proxy, "mail.example", &server, &error);
        let_it_say(proxy);
        for (at = 0; at < n && smtpc_proxy_wants(proxy) == SMTPC_PROXY_READ; let_it_say(proxy))
            at += hear(proxy, octets + at, n - at, most, &error);
        if (smtpc_proxy_wants(proxy) == SMTPC_PROXY_READ)
            smtpc_proxy_feed(proxy, "", 0, &error);
        ok(smtpc_proxy_wants(proxy) == SMTPC_PROXY_FAILED && error.kind == SMTPC_ERROR_CONNECT
           && smtpc_proxy_may_try_next(proxy) == may_try_next, "fails, pieces of %d", (int)most);
        is_string(error.text, words, "with these words");
        smtpc_proxy_free(proxy);
    }
}

#define FAILS(kind, user, text, next, words) fails(kind, user, text, sizeof(text) - 1, next, words)
#define SOCKS "the proxy socks5h://p.example:1080 "
#define HTTP "the proxy http://p.example:1080 "
#define MAIL "mail.example port 587: "

static void
test_socks_refusals(void)
{
    enum smtpc_proxy_kind kind = SMTPC_PROXY_SOCKS5H;

    FAILS(kind, NULL, "\5\377", 0, SOCKS "refused: it wants a login, as in socks5://user:password@host");
    FAILS(kind, "joe", "\5\377", 0, SOCKS "refused: it takes neither a user name with password nor none");
    FAILS(kind, NULL, "\5\2", 0, SOCKS "does not speak SOCKS5: it chose login method 0x02, which was not offered");
    FAILS(kind, NULL, "220 mail", 0, SOCKS "does not speak SOCKS5: its answer has the octet 0x32 at octet 1, where 0x05 must be");
    FAILS(kind, NULL, "\5\0\4\0\0\1", 0, SOCKS "does not speak SOCKS5: its answer has the octet 0x04 at octet 3, where 0x05 must be");
    FAILS(kind, NULL, "\5\0\5\1\0\1", 1, SOCKS "refused " MAIL "general SOCKS server failure");
    FAILS(kind, NULL, "\5\0\5\2\0\1", 0, SOCKS "refused " MAIL "connection not allowed by ruleset");
    FAILS(kind, NULL, "\5\0\5\5\0\1", 1, SOCKS "refused " MAIL "connection refused");
    FAILS(kind, NULL, "\5\0\5\10\0\1", 1, SOCKS "refused " MAIL "address type not supported");
    FAILS(kind, NULL, "\5\0\5\11\0\1", 0, SOCKS "refused " MAIL "reply 0x09, which no standard knows");
    FAILS(kind, NULL, "\5\0\5\0\0\2", 0, SOCKS "does not speak SOCKS5: an address of type 0x02");
    FAILS(kind, NULL, "", 0, SOCKS "closed the connection without an answer");
    FAILS(kind, NULL, "\5\0\5\0\0\1\0\0\0\0\0", 0, SOCKS "closed the connection in the middle of its answer");
}

static void
test_http(void)
{
    struct smtpc_proxy *proxy = proxy_of(SMTPC_PROXY_HTTP, "joe");
    struct smtpc_error error = {0};
    static const char *const good[] = {
        "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200\r\n\r\n", "HTTP/1.1 200 OK\nVia: x\n\n",
        "HTTP/1.1 299 \r\nContent-Length: 7\r\nX: \r\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 204 x\r\nA: b\n\r\n",
    };
    size_t i;

    smtpc_proxy_ask(proxy, "mail.example", &server, &error);
    SAYS(proxy, "CONNECT mail.example:587 HTTP/1.1\r\nHost: mail.example:587\r\n"
         "Proxy-Authorization: Basic am9lOnBhc3Mgd29yZA==\r\n\r\n", "the request, with a login");
    smtpc_proxy_free(proxy);
    proxy = proxy_of(SMTPC_PROXY_HTTP, NULL);
    smtpc_proxy_ask(proxy, "2001:db8::7", &server, &error);
    SAYS(proxy, "CONNECT [2001:db8::7]:587 HTTP/1.1\r\nHost: [2001:db8::7]:587\r\n\r\n", "without one, to a literal");
    for (i = 0; i < sizeof good / sizeof *good; i++) {
        char octets[200];
        int n = snprintf(octets, sizeof octets, "%s220 mail.example\r\n\r\n", good[i]);

        smtpc_proxy_ask(proxy, "mail.example", &server, &error);
        let_it_say(proxy);
        ok(hear(proxy, octets, (size_t)n, i % 2 == 0 ? 1 : 100, &error) == strlen(good[i])
           && smtpc_proxy_wants(proxy) == SMTPC_PROXY_OPEN, "answer %d, and no octet of the server's", (int)i);
    }
    smtpc_proxy_free(proxy);
}

static void
test_http_refusals(void)
{
    enum smtpc_proxy_kind kind = SMTPC_PROXY_HTTP;
    static char endless[40000] = "HTTP/1.1 200 OK\r\n";

    FAILS(kind, NULL, "HTTP/1.1 407 Proxy Authentication Required\r\nA: b\r\n\r\n", 0, HTTP "refused " MAIL
          "407 Proxy Authentication Required (it wants a login, as in http://user:password@host:port)");
    FAILS(kind, "joe", "HTTP/1.1 407 No\r\n\r\n", 0, HTTP "refused " MAIL "407 No");
    FAILS(kind, "joe", "HTTP/1.1 407 not pass word, please\r\n\r\n", 0, HTTP "refused " MAIL "407");
    FAILS(kind, "joe", "HTTP/1.1 403 am9lOnBhc3Mgd29yZA==\r\n\r\n", 0, HTTP "refused " MAIL "403");
    FAILS(kind, "joe", "HTTP/1.1 400 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
          "123456789 123456789 1234567 pass word\r\n\r\n", 0, HTTP "refused " MAIL "400");
    FAILS(kind, NULL, "HTTP/1.1 502 Bad\33[2J\r\n\r\n", 0, HTTP "refused " MAIL "502 Bad?[2J");
    FAILS(kind, NULL, "HTTP/1.1 101 Switching\r\n\r\n", 0, HTTP "refused " MAIL "101 Switching");
    FAILS(kind, NULL, "HTTP/1.1 302 x\0y\r\n\r\n", 0, HTTP "refused " MAIL "302 x");
    FAILS(kind, NULL, "220 mail.example ESMTP\r\n", 0, HTTP "does not speak HTTP: its answer begins with \"22\"");
    FAILS(kind, NULL, "HTTP/2 200 \r\n\r\n", 0, HTTP "does not speak HTTP: its answer begins with \"HTTP/2\"");
    FAILS(kind, NULL, "HTTP/1.1 200\0\r\n\r\n", 0, HTTP "does not speak HTTP: its answer begins with \"HTTP/1.1 200\"");
    FAILS(kind, NULL, "HTTP/1.1 20x OK\r\n\r\n", 0, HTTP "does not speak HTTP: its answer begins with \"HTTP/1.1 20x\"");
    FAILS(kind, NULL, "HTTP/1.1 200 OK\r\n\r", 0, HTTP "closed the connection in the middle of its answer");
    memset(endless + 17, 'x', sizeof endless - 17);
    fails(kind, NULL, endless, sizeof endless, 0, HTTP "gave an answer of more than 16384 octets");
}

static void
refuses(enum smtpc_proxy_kind kind, const char *user, const char *password, const char *words)
{
    struct smtpc_error error = {0};
    struct smtpc_proxy *proxy = smtpc_proxy_new(kind, "p", "1", user, password, NULL, &error);

    ok(proxy == NULL && error.kind == SMTPC_ERROR_USAGE && strstr(error.text, words) != NULL, "%s", error.text);
    smtpc_proxy_free(proxy);
}

static void
test_arguments(void)
{
    struct smtpc_error error = {0};
    struct smtpc_proxy *proxy = smtpc_proxy_new(SMTPC_PROXY_HTTP, "2001:db8::1", "3128", NULL, NULL, NULL, &error);
    char endless[300];
    static const char *const names[] = {"", "a b", "a\r\nX: y", "\xc3\xa4"};
    size_t i;

    is_string(smtpc_proxy_name(proxy), "http://[2001:db8::1]:3128", "a literal in its name");
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        smtpc_error_clear(&error);
        ok(smtpc_proxy_ask(proxy, names[i], &server, &error) == -1 && error.kind == SMTPC_ERROR_USAGE, "%s", error.text);
    }
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    smtpc_error_clear(&error);
    ok(smtpc_proxy_ask(proxy, endless, &server, &error) == -1 && error.kind == SMTPC_ERROR_USAGE, "a name too long");
    smtpc_proxy_free(proxy);
    refuses(SMTPC_PROXY_SOCKS5, endless, "x", "1 to 255 octets");
    refuses(SMTPC_PROXY_SOCKS5, "", "x", "1 to 255 octets");
    refuses(SMTPC_PROXY_SOCKS5H, "joe", endless, "255 octets at most");
    refuses(SMTPC_PROXY_HTTP, "joe:x", "x", "no \":\"");
    ok(smtpc_proxy_kind_of("socks5") == SMTPC_PROXY_SOCKS5 && smtpc_proxy_kind_of("socks5h") == SMTPC_PROXY_SOCKS5H
       && smtpc_proxy_kind_of("http") == SMTPC_PROXY_HTTP && smtpc_proxy_kind_of("https") == SMTPC_PROXY_NONE
       && smtpc_proxy_kind_of("") == SMTPC_PROXY_NONE, "schemes");
    smtpc_proxy_free(NULL);
}

int
main(void)
{
    make_servers();
    test_socks();
    test_socks_login();
    test_socks_refusals();
    test_http();
    test_http_refusals();
    test_arguments();
    return tap_done();
}
