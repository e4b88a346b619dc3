/* wire: send and receive on one non-blocking stream socket. */
#ifndef SMTPC_NET_WIRE_H
#define SMTPC_NET_WIRE_H

#include <stddef.h>
#include <sys/types.h>

/* Results of the functions below, besides a count of octets (> 0). */
enum {
    SMTPC_WIRE_END = 0,        /* receive only: the peer closed */
    SMTPC_WIRE_FAILED = -1,    /* errno says why */
    SMTPC_WIRE_AGAIN = -2      /* nothing now; poll and call again */
};

/* A function table, so that TLS and the tests can stand on other streams than sockets. n and room are at least 1. */
struct smtpc_wire {
    ssize_t (*send)(void *stream, const char *octets, size_t n);
    ssize_t (*receive)(void *stream, char *octets, size_t room);
    void *stream;
};

/* A stream socket of the wire; embedded. fd is -1 when there is none. */
struct smtpc_wire_socket {
    int fd;
};

/* The table for a socket, which must outlive it. Sends never raise SIGPIPE; EINTR is AGAIN. */
struct smtpc_wire smtpc_wire_of_socket(struct smtpc_wire_socket *socket);

/* Makes a descriptor fit: non-blocking, close-on-exec, above 2 (duplicated if need be; the old one is closed then), and
 * TCP_NODELAY where it is TCP. The descriptor to use, or -1 with errno (then fd is closed). */
int smtpc_wire_prepare(int fd);

/* Closes it if there is one. */
void smtpc_wire_close(struct smtpc_wire_socket *socket);

#endif
