/* dial_unix: the path of a unix socket as an address to dial. */
#include "net/dial_unix.h"

#include <string.h>

int
smtpc_dial_unix_init(struct smtpc_dial_unix *dialled, const char *path, struct smtpc_error *error)
{
    size_t n = strlen(path);

    if (n == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "the path of the unix socket is empty");
    if (n >= sizeof dialled->place.sun_path)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "the path of a unix socket has %lu octets at most, this one "
                               "has %lu: %.200s", (unsigned long)sizeof dialled->place.sun_path - 1,
                               (unsigned long)n, path);
    memset(dialled, 0, sizeof *dialled);
    dialled->place.sun_family = AF_UNIX;
    memcpy(dialled->place.sun_path, path, n);
    dialled->address.ai_family = AF_UNIX;
    dialled->address.ai_socktype = SOCK_STREAM;
    dialled->address.ai_addr = (struct sockaddr *)&dialled->place;
    dialled->address.ai_addrlen = sizeof dialled->place;
    return 0;
}
