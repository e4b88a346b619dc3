/* own_name: what this host calls itself towards a server, for EHLO (RFC 5321 section 4.1.4). */
#include "net/own_name.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
is_qualified(const char *name)
{
    static const char *const suffixes[] = {".localdomain", ".local", ".lan", ".internal"};
    size_t n = strlen(name);
    size_t i;

    for (i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t length = strlen(suffixes[i]);

        if (n >= length && strcmp(name + n - length, suffixes[i]) == 0)
            return 0;
    }
    return strchr(name, '.') != NULL && name[0] != '.' && name[n - 1] != '.'
        && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == n;
}

static int
write_literal(int fd, char *name, size_t room)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[NI_MAXHOST];

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0
        || getnameinfo((struct sockaddr *)&address, size, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0
        || (address.ss_family != AF_INET && address.ss_family != AF_INET6))
        return -1;
    text[strcspn(text, "%")] = '\0';    /* a zone means nothing to the other side */
    snprintf(name, room, address.ss_family == AF_INET6 ? "[IPv6:%.200s]" : "[%.200s]", text);
    return 0;
}

void
smtpc_own_name(int fd, char name[SMTPC_OWN_NAME_MAX])
{
    if (gethostname(name, SMTPC_OWN_NAME_MAX) == 0 && memchr(name, '\0', SMTPC_OWN_NAME_MAX) != NULL
        && is_qualified(name))
        return;
    if (write_literal(fd, name, SMTPC_OWN_NAME_MAX) != 0)
        strcpy(name, "[127.0.0.1]");
}
