/* proxy_inside: what the proxy files share among themselves; nobody else includes it. */
#ifndef SMTPC_NET_PROXY_INSIDE_H
#define SMTPC_NET_PROXY_INSIDE_H

#include "base/buffer.h"
#include "net/proxy.h"

enum { SMTPC_PROXY_HOST_MAX = 255 };

/* 0, or -1 with *error set. */
typedef int smtpc_proxy_hear(struct smtpc_proxy *proxy, struct smtpc_error *error);

struct smtpc_proxy {
    enum smtpc_proxy_kind kind;
    char *name;
    char *user;
    char *password;
    char *basic;
    char host[SMTPC_PROXY_HOST_MAX + 1];    /* of the server */
    unsigned port;
    struct smtpc_buffer output;
    struct smtpc_buffer input;              /* the part of the answer that is read now */
    size_t needed;                          /* so long it must be to be heard */
    smtpc_proxy_hear *hear;                 /* NULL: nothing more is to be heard */
    size_t heard;                           /* octets of parts before this one */
    int has_failed;
    int may_try_next;
};

/* The next part of the answer has so many octets at least; hear is called once they are there. */
void smtpc_proxy_expect(struct smtpc_proxy *proxy, size_t needed, smtpc_proxy_hear *hear);

/* Says "the proxy NAME", and what it did. Always -1. */
int smtpc_proxy_fail(struct smtpc_proxy *proxy, int temporary, struct smtpc_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A proxy that repeats what it was told may not put it into an error. */
int smtpc_proxy_tells_secret(const struct smtpc_proxy *proxy, const char *octets, size_t n);

/* Puts it behind the output. 0, or -1 with *error set. */
int smtpc_proxy_say(struct smtpc_proxy *proxy, const char *octets, size_t n, struct smtpc_error *error);

/* proxy_socks.c, proxy_http.c: the first thing to say. */
int smtpc_proxy_begin_socks(struct smtpc_proxy *proxy, struct smtpc_error *error);
int smtpc_proxy_begin_http(struct smtpc_proxy *proxy, struct smtpc_error *error);

/* Whether the secrets fit into the protocol. 0, or -1 with *error set. */
int smtpc_proxy_check_socks(const struct smtpc_proxy *proxy, struct smtpc_error *error);
int smtpc_proxy_check_http(const struct smtpc_proxy *proxy, struct smtpc_error *error);

#endif
