/* resolve: names to addresses without blocking the caller: getaddrinfo in a helper thread, every signal blocked. */
#ifndef SMTPC_NET_RESOLVE_H
#define SMTPC_NET_RESOLVE_H

#include <netdb.h>

#include "base/error.h"

struct smtpc_resolve;

enum smtpc_resolve_status { SMTPC_RESOLVE_WAIT, SMTPC_RESOLVE_DONE, SMTPC_RESOLVE_FAILED };

/* Begins to look host up (a name, an IPv4 or IPv6 literal, without brackets). service: decimal port (0 for a local
 * address) or a name of services(5). family: AF_UNSPEC, AF_INET, AF_INET6. Literals with a decimal port are done at
 * once, without a thread. NULL with *error set when nothing could be begun. */
struct smtpc_resolve *smtpc_resolve_start(const char *host, const char *service, int family,
                                          struct smtpc_error *error);

/* Readable when the answer is there; -1 when it is there already. Belongs to the object. */
int smtpc_resolve_fd(const struct smtpc_resolve *resolve);

/* Looks, without waiting. FAILED sets *error (kind connect, "host: Name or service not known"). */
enum smtpc_resolve_status smtpc_resolve_step(struct smtpc_resolve *resolve, struct smtpc_error *error);

/* The addresses once DONE, lent until free: IPv6 and IPv4 alternating, the system's first choice first (RFC 8305
 * section 4). */
const struct addrinfo *smtpc_resolve_addresses(const struct smtpc_resolve *resolve);

/* Gives up or lets go. Never waits: a thread still at work frees what is left when it ends. NULL does nothing. */
void smtpc_resolve_free(struct smtpc_resolve *resolve);

/* For tests only: what the thread of every later start calls in place of getaddrinfo; what it gives goes to
 * freeaddrinfo. NULL: getaddrinfo again. */
typedef int smtpc_resolve_function(const char *host, const char *service, const struct addrinfo *hints,
                                   struct addrinfo **list);
void smtpc_resolve_replace(smtpc_resolve_function *replacement);

#endif
