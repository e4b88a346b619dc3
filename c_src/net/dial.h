/* dial: a TCP connection to the first of several addresses that answers (RFC 8305, attempts 250 ms apart). */
#ifndef SMTPC_NET_DIAL_H
#define SMTPC_NET_DIAL_H

#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

struct smtpc_dial;

enum { SMTPC_DIAL_RACE_MAX = 4, SMTPC_DIAL_DELAY_MS = 250 };

enum smtpc_dial_status { SMTPC_DIAL_WAIT, SMTPC_DIAL_DONE, SMTPC_DIAL_FAILED };

/* The first step begins with the first address; addresses (AF_UNIX too) and local must outlive the dial. local (may be
 * NULL) is bound first, where the family is the same. NULL with *error set when memory is out. */
struct smtpc_dial *smtpc_dial_start(const struct addrinfo *addresses, const struct addrinfo *local,
                                    struct smtpc_error *error);

/* The addresses are those of name ("host:port", which must outlive the dial): the one that answered last in this process
 * is tried first, what answers is remembered, what does not is forgotten. Before the first step; for one address alone
 * it does nothing. */
void smtpc_dial_remember(struct smtpc_dial *dial, const char *name);

/* Does what can be done without waiting: looks at the attempts, begins the next one when its time has come. FAILED sets
 * *error (kind connect) with the last address and reason, e.g. "127.0.0.1 port 25: Connection refused". */
enum smtpc_dial_status smtpc_dial_step(struct smtpc_dial *dial, struct smtpc_error *error);

/* What to wait for after WAIT: fills up to SMTPC_DIAL_RACE_MAX entries (POLLOUT), returns their number. */
int smtpc_dial_poll(const struct smtpc_dial *dial, struct pollfd *polled);

/* When to call step at the latest, to begin the next attempt. */
int64_t smtpc_dial_deadline(const struct smtpc_dial *dial);

/* Once DONE: the connected socket, prepared (wire.h); the caller owns it from here on. */
int smtpc_dial_take(struct smtpc_dial *dial);

/* Closes what is open. NULL does nothing. */
void smtpc_dial_free(struct smtpc_dial *dial);

#endif
