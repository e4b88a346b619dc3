/* proxy_socks: SOCKS5 (RFC 1928), with user name and password where they are given (RFC 1929). */
#include "net/proxy_inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum {
    VERSION = 5,
    LOGIN_VERSION = 1,
    METHOD_NONE = 0,
    METHOD_LOGIN = 2,
    METHOD_REFUSED = 0xff,
    COMMAND_CONNECT = 1,
    TYPE_IPV4 = 1,
    TYPE_NAME = 3,
    TYPE_IPV6 = 4,
    WORD_MAX = 255,          /* user, password, name: their length is an octet */
    REPLY_HEAD = 4,          /* version, reply, reserved, type of address */
    PORT_SIZE = 2
};

static int
octet(const struct smtpc_proxy *proxy, size_t i)
{
    return (unsigned char)proxy->input.bytes[i];
}

int
smtpc_proxy_check_socks(const struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    if (proxy->user == NULL)
        return 0;
    if (proxy->user[0] == '\0' || strlen(proxy->user) > WORD_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "proxy: a user name for SOCKS has 1 to 255 octets");
    if (strlen(proxy->password) > WORD_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "proxy: a password for SOCKS has 255 octets at most");
    return 0;
}

static int
not_socks(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    return smtpc_proxy_fail(proxy, 0, error, "does not speak SOCKS5: its answer has the octet 0x%02x at octet %d, "
                            "where 0x05 must be", (unsigned)octet(proxy, 0), (int)proxy->heard + 1);
}

static int
say_octet(struct smtpc_proxy *proxy, unsigned value, struct smtpc_error *error)
{
    char c = (char)(value & 0xff);

    return smtpc_proxy_say(proxy, &c, 1, error);
}

static int
say_word(struct smtpc_proxy *proxy, const char *word, struct smtpc_error *error)
{
    if (say_octet(proxy, (unsigned)strlen(word), error) != 0)
        return -1;
    return smtpc_proxy_say(proxy, word, strlen(word), error);
}

/* ---- the answer to the request ---- */

/* The words of RFC 1928 section 6. */
static const char *const replies[] = {
    "", "general SOCKS server failure", "connection not allowed by ruleset", "network unreachable",
    "host unreachable", "connection refused", "TTL expired", "command not supported", "address type not supported"
};

enum { REPLY_NOT_ALLOWED = 2, REPLY_NO_COMMAND = 7, REPLY_COUNT = sizeof replies / sizeof *replies };

static int
is_refused(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    int reply = octet(proxy, 1);
    int is_final = reply == REPLY_NOT_ALLOWED || reply == REPLY_NO_COMMAND || reply >= REPLY_COUNT;

    proxy->may_try_next = !is_final;
    if (reply >= REPLY_COUNT)
        return smtpc_proxy_fail(proxy, 0, error, "refused %s port %u: reply 0x%02x, which no standard knows",
                                proxy->host, proxy->port, (unsigned)reply);
    return smtpc_proxy_fail(proxy, !is_final, error, "refused %s port %u: %s", proxy->host, proxy->port,
                            replies[reply]);
}

/* Which address it took itself is of no use. */
static int
hear_address(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    (void)error;
    smtpc_proxy_expect(proxy, 0, NULL);
    return 0;
}

static int
hear_name_length(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    (void)error;
    smtpc_proxy_expect(proxy, (size_t)octet(proxy, 0) + PORT_SIZE, hear_address);
    return 0;
}

static int
hear_reply(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    int type;

    if (octet(proxy, 0) != VERSION)
        return not_socks(proxy, error);
    if (octet(proxy, 1) != 0)
        return is_refused(proxy, error);
    type = octet(proxy, 3);
    if (type == TYPE_IPV4 || type == TYPE_IPV6)
        smtpc_proxy_expect(proxy, (type == TYPE_IPV4 ? 4 : 16) + PORT_SIZE, hear_address);
    else if (type == TYPE_NAME)
        smtpc_proxy_expect(proxy, 1, hear_name_length);
    else
        return smtpc_proxy_fail(proxy, 0, error, "does not speak SOCKS5: an address of type 0x%02x", (unsigned)type);
    return 0;
}

/* ---- what is said ---- */

static int
say_address(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    unsigned char place[sizeof(struct in6_addr)];
    int family = inet_pton(AF_INET, proxy->host, place) == 1 ? AF_INET
        : inet_pton(AF_INET6, proxy->host, place) == 1 ? AF_INET6 : AF_UNSPEC;

    if (family == AF_UNSPEC)
        return say_octet(proxy, TYPE_NAME, error) != 0 ? -1 : say_word(proxy, proxy->host, error);
    if (say_octet(proxy, family == AF_INET ? TYPE_IPV4 : TYPE_IPV6, error) != 0)
        return -1;
    return smtpc_proxy_say(proxy, (const char *)place, family == AF_INET ? 4 : 16, error);
}

static int
say_request(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    const char head[] = {VERSION, COMMAND_CONNECT, 0};

    smtpc_proxy_expect(proxy, REPLY_HEAD, hear_reply);
    if (smtpc_proxy_say(proxy, head, sizeof head, error) != 0 || say_address(proxy, error) != 0
        || say_octet(proxy, proxy->port >> 8, error) != 0)
        return -1;
    return say_octet(proxy, proxy->port, error);
}

/* The version in it is not looked at: some say 5, where the RFC says 1. */
static int
hear_login(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    if (octet(proxy, 1) != 0)
        return smtpc_proxy_fail(proxy, 0, error, "refused user name or password");
    return say_request(proxy, error);
}

static int
say_login(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    smtpc_proxy_expect(proxy, 2, hear_login);
    if (say_octet(proxy, LOGIN_VERSION, error) != 0 || say_word(proxy, proxy->user, error) != 0)
        return -1;
    return say_word(proxy, proxy->password, error);
}

static int
hear_method(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    if (octet(proxy, 0) != VERSION)
        return not_socks(proxy, error);
    switch (octet(proxy, 1)) {
    case METHOD_NONE:
        return say_request(proxy, error);
    case METHOD_LOGIN:
        if (proxy->user != NULL)
            return say_login(proxy, error);
        break;
    case METHOD_REFUSED:
        return smtpc_proxy_fail(proxy, 0, error, "refused: %s", proxy->user != NULL
                                ? "it takes neither a user name with password nor none"
                                : "it wants a login, as in socks5://user:password@host");
    }
    return smtpc_proxy_fail(proxy, 0, error, "does not speak SOCKS5: it chose login method 0x%02x, which was not "
                            "offered", (unsigned)octet(proxy, 1));
}

int
smtpc_proxy_begin_socks(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    const char without[] = {VERSION, 1, METHOD_NONE};
    const char with[] = {VERSION, 2, METHOD_NONE, METHOD_LOGIN};

    smtpc_proxy_expect(proxy, 2, hear_method);
    return proxy->user == NULL ? smtpc_proxy_say(proxy, without, sizeof without, error)
                               : smtpc_proxy_say(proxy, with, sizeof with, error);
}
