/* lookup: one call of getaddrinfo, at once for literals or in a thread of its own; resolve's inner part. */
#ifndef SMTPC_NET_LOOKUP_H
#define SMTPC_NET_LOOKUP_H

#include <netdb.h>

#include "net/resolve.h"

/* Shared by the caller and the thread; the last of the two to let go frees it. */
struct smtpc_lookup {
    int references;            /* atomic, as is_done: no mutex, so that letting go never waits */
    int is_done;               /* set last */
    int result;                /* getaddrinfo's, once done, as the next two */
    int system_errno;
    struct addrinfo *list;
    struct addrinfo hints;
    smtpc_resolve_function *function;
    int write_fd;              /* the thread's */
    const char *service;
    char host[];
};

/* One reference; host and service are copied. NULL when memory is out. */
struct smtpc_lookup *smtpc_lookup_new(const char *host, const char *service, int family,
                                      smtpc_resolve_function *function);

/* 1 when host was a literal and service a number: then it is done. */
int smtpc_lookup_literal(struct smtpc_lookup *lookup);

/* Runs it in a detached thread, which owns write_fd, writes an octet to it at the end and closes it. 0, or an errno:
 * then write_fd is still the caller's. */
int smtpc_lookup_start(struct smtpc_lookup *lookup, int write_fd);

int smtpc_lookup_is_done(const struct smtpc_lookup *lookup);

void smtpc_lookup_let_go(struct smtpc_lookup *lookup);

#endif
