/* dial_unix: the path of a unix socket as an address to dial. */
#ifndef SMTPC_NET_DIAL_UNIX_H
#define SMTPC_NET_DIAL_UNIX_H

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

/* Embedded, and not to be moved: the address points into it. */
struct smtpc_dial_unix {
    struct addrinfo address;
    struct sockaddr_un place;
};

/* 0, or -1 with *error set (kind usage): the path is empty, or longer than the system takes. */
int smtpc_dial_unix_init(struct smtpc_dial_unix *dialled, const char *path, struct smtpc_error *error);

#endif
