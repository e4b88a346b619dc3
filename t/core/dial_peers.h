/* dial_peers: lists of addresses made by hand, the sockets behind them, and a driver, for the tests of dial. */
#ifndef T_CORE_DIAL_PEERS_H
#define T_CORE_DIAL_PEERS_H

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"

enum { MOST = 8 };

/* A list of addresses made by hand. */
static struct addrinfo nodes[MOST];
static struct sockaddr_storage places[MOST];
static int used;

static inline const struct addrinfo *
add(int family, int fd)
{
    socklen_t room = sizeof places[used];

    memset(&nodes[used], 0, sizeof nodes[used]);
    getsockname(fd, (struct sockaddr *)&places[used], &room);
    nodes[used].ai_family = family;
    nodes[used].ai_socktype = SOCK_STREAM;
    nodes[used].ai_addr = (struct sockaddr *)&places[used];
    nodes[used].ai_addrlen = room;
    if (used > 0)
        nodes[used - 1].ai_next = &nodes[used];
    used++;
    return nodes;
}

static inline int
bound(int family)
{
    struct sockaddr_in in = {0};
    struct sockaddr_in6 in6 = {0};
    int fd = socket(family, SOCK_STREAM, 0);

    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in6.sin6_family = AF_INET6;
    in6.sin6_addr = in6addr_loopback;
    if (fd >= 0 && bind(fd, family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
                        family == AF_INET ? sizeof in : sizeof in6) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static inline int
listening(int family)
{
    int fd = bound(family);

    if (fd >= 0 && listen(fd, 5) != 0)
        exit(2);
    return fd;
}

/* Drives as the driver does, until the deadline; WAIT when that passed. */
static inline enum smtpc_dial_status
drive(struct smtpc_dial *dial, int64_t milliseconds, struct smtpc_error *error)
{
    int64_t end = smtpc_clock_after(milliseconds);
    struct pollfd polled[SMTPC_DIAL_RACE_MAX];
    enum smtpc_dial_status status;

    while ((status = smtpc_dial_step(dial, error)) == SMTPC_DIAL_WAIT && !smtpc_clock_is_past(end)) {
        int64_t until = smtpc_clock_earlier(end, smtpc_dial_deadline(dial));

        poll(polled, (nfds_t)smtpc_dial_poll(dial, polled), smtpc_clock_left(until));
    }
    return status;
}

#endif
