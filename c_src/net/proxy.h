/* proxy: the way through a proxy as a machine: octets in, octets out. No I/O, no clock.
 *
 * SOCKS5 (RFC 1928), with user name and password (RFC 1929); HTTP CONNECT (RFC 9110 section 9.3.6), with Basic
 * (RFC 7617). What lies behind the proxy's answer is the server's: the machine never asks for an octet of that. */
#ifndef SMTPC_NET_PROXY_H
#define SMTPC_NET_PROXY_H

#include <netdb.h>
#include <stddef.h>

#include "base/error.h"

struct smtpc_proxy;

enum smtpc_proxy_kind {
    SMTPC_PROXY_NONE,
    SMTPC_PROXY_SOCKS5,     /* is told an address: names are looked up here */
    SMTPC_PROXY_SOCKS5H,    /* is told a name */
    SMTPC_PROXY_HTTP        /* is told a name */
};

enum smtpc_proxy_want {
    SMTPC_PROXY_WRITE,      /* output waits: output, sent */
    SMTPC_PROXY_READ,       /* feed, at most smtpc_proxy_hunger octets */
    SMTPC_PROXY_OPEN,       /* the line leads to the server from here on */
    SMTPC_PROXY_FAILED
};

enum { SMTPC_PROXY_HEADER_MAX = 16384 };   /* octets of an HTTP proxy's whole answer */

/* Of "socks5", "socks5h", "http"; NONE for any other word. */
enum smtpc_proxy_kind smtpc_proxy_kind_of(const char *scheme);

/* host and service: where the proxy is, for errors. user: NULL for none; the password then, too. basic: for HTTP, the
 * base64 of "user:password", or NULL. All is copied; the secrets are wiped at the end. NULL with *error set: memory, or
 * user name or password are such that this kind cannot carry them. */
struct smtpc_proxy *smtpc_proxy_new(enum smtpc_proxy_kind kind, const char *host, const char *service,
                                    const char *user, const char *password, const char *basic,
                                    struct smtpc_error *error);
void smtpc_proxy_free(struct smtpc_proxy *proxy);

/* "socks5://proxy.example:1080"; lent until free. */
const char *smtpc_proxy_name(const struct smtpc_proxy *proxy);

/* Begins, on a new connection to the proxy. The port is that of the address, and so is the host for SOCKS5; the others
 * are told host. 0, or -1 with *error set: such a name cannot be told. */
int smtpc_proxy_ask(struct smtpc_proxy *proxy, const char *host, const struct addrinfo *address,
                    struct smtpc_error *error);

enum smtpc_proxy_want smtpc_proxy_wants(const struct smtpc_proxy *proxy);

/* Lends what is to be sent next, until the next call; sent says how much of it has left. */
void smtpc_proxy_output(const struct smtpc_proxy *proxy, const char **octets, size_t *n);
void smtpc_proxy_sent(struct smtpc_proxy *proxy, size_t n);

/* How many octets may be fed next: the answer has at least so many more. */
size_t smtpc_proxy_hunger(const struct smtpc_proxy *proxy);

/* What the proxy sent; n = 0: it closed. 0, or -1 with *error set (kind connect), which names the proxy and its
 * answer, and never a secret. */
int smtpc_proxy_feed(struct smtpc_proxy *proxy, const char *octets, size_t n, struct smtpc_error *error);

/* Once FAILED: 1 when another address of the server may do better. */
int smtpc_proxy_may_try_next(const struct smtpc_proxy *proxy);

#endif
