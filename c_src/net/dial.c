/* dial: a TCP connection to the first of several addresses that answers (RFC 8305, attempts 250 ms apart). */
#include "net/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/wire.h"

#ifndef SOCK_CLOEXEC   /* where it is missing, smtpc_wire_prepare alone must do */
#define SOCK_CLOEXEC 0
#endif

enum { WHERE_MAX = 200 };

struct attempt {
    int fd;
    const struct addrinfo *address;
};

struct smtpc_dial {
    const struct addrinfo *next;       /* not tried yet */
    const struct addrinfo *local;
    int64_t next_time;                 /* when to try it; 0: at once */
    struct attempt attempts[SMTPC_DIAL_RACE_MAX];
    int count;
    int connected_fd;
    int tried;
    const struct addrinfo *failed;     /* the last one that did, with errno and the step it failed at */
    int failed_errno;
    const char *failed_step;
};

struct smtpc_dial *
smtpc_dial_start(const struct addrinfo *addresses, const struct addrinfo *local, struct smtpc_error *error)
{
    struct smtpc_dial *dial = calloc(1, sizeof *dial);

    if (dial == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    dial->next = addresses;
    dial->local = local;
    dial->connected_fd = -1;
    return dial;
}

static void
note_failure(struct smtpc_dial *dial, const struct addrinfo *address, const char *step, int why)
{
    dial->failed = address;
    dial->failed_errno = why;
    dial->failed_step = step;
}

/* 0 also when there is no local address of this family. */
static int
bind_local(int fd, const struct addrinfo *local, int family)
{
    for (; local != NULL; local = local->ai_next)
        if (local->ai_family == family)
            return bind(fd, local->ai_addr, local->ai_addrlen);
    return 0;
}

static int
open_socket(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);

    return fd < 0 ? -1 : smtpc_wire_prepare(fd);
}

/* What went wrong, NULL for nothing. EINTR: the connection goes on being made, POSIX says. */
static const char *
try_address(struct smtpc_dial *dial, const struct addrinfo *address, int *fd)
{
    *fd = open_socket(address);
    if (*fd < 0)
        return "open a socket for ";
    if (bind_local(*fd, dial->local, address->ai_family) != 0)
        return "bind the local address for ";
    if (connect(*fd, address->ai_addr, address->ai_addrlen) == 0)
        return NULL;
    return errno == EINPROGRESS || errno == EINTR ? NULL : "";
}

static void
begin_next(struct smtpc_dial *dial)
{
    const struct addrinfo *address = dial->next;
    int fd;
    const char *trouble = try_address(dial, address, &fd);

    dial->next = address->ai_next;
    dial->tried++;
    if (trouble != NULL) {
        note_failure(dial, address, trouble, errno);
        if (fd >= 0)
            close(fd);
        dial->next_time = 0;
        return;
    }
    dial->attempts[dial->count].fd = fd;
    dial->attempts[dial->count].address = address;
    dial->count++;
    dial->next_time = smtpc_clock_after(SMTPC_DIAL_DELAY_MS);
}

static void
drop(struct smtpc_dial *dial, int i)
{
    dial->count--;
    memmove(dial->attempts + i, dial->attempts + i + 1, (size_t)(dial->count - i) * sizeof dial->attempts[0]);
}

/* 0 connected, EINPROGRESS, or why not. */
static int
outcome_of(int fd)
{
    struct pollfd polled = {fd, POLLOUT, 0};
    int why = 0;
    socklen_t room = sizeof why;

    if (poll(&polled, 1, 0) <= 0)
        return EINPROGRESS;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &room) == 0 ? why : errno;
}

static void
look_at(struct smtpc_dial *dial, int i)
{
    struct attempt attempt = dial->attempts[i];
    int why = outcome_of(attempt.fd);

    if (why == EINPROGRESS)
        return;
    drop(dial, i);
    if (why == 0) {
        dial->connected_fd = attempt.fd;
        return;
    }
    note_failure(dial, attempt.address, "", why);
    close(attempt.fd);
    dial->next_time = 0;
}

/* From the youngest down: dropping one moves only those already seen. */
static void
look_at_all(struct smtpc_dial *dial)
{
    int i;

    for (i = dial->count - 1; i >= 0 && dial->connected_fd < 0; i--)
        look_at(dial, i);
}

static void
close_attempts(struct smtpc_dial *dial)
{
    while (dial->count > 0)
        close(dial->attempts[--dial->count].fd);
}

static void
describe(const struct addrinfo *address, char *where)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    const struct sockaddr_un *local;

    if (address->ai_family == AF_UNIX) {
        local = (const void *)address->ai_addr;
        snprintf(where, WHERE_MAX, "%.*s", (int)sizeof local->sun_path, local->sun_path);
    } else if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, port, sizeof port,
                           NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(where, WHERE_MAX, "%.100s port %.20s", host, port);
    else
        snprintf(where, WHERE_MAX, "an address of family %d", address->ai_family);
}

static enum smtpc_dial_status
fail(const struct smtpc_dial *dial, struct smtpc_error *error)
{
    char where[WHERE_MAX];

    if (dial->failed == NULL) {
        smtpc_error_set(error, SMTPC_ERROR_CONNECT, "no address to connect to");
        return SMTPC_DIAL_FAILED;
    }
    describe(dial->failed, where);
    if (dial->tried > 1)
        smtpc_error_set_system(error, SMTPC_ERROR_CONNECT, dial->failed_errno, "%s%s (the last of %d addresses)",
                               dial->failed_step, where, dial->tried);
    else
        smtpc_error_set_system(error, SMTPC_ERROR_CONNECT, dial->failed_errno, "%s%s", dial->failed_step, where);
    return SMTPC_DIAL_FAILED;
}

static int
may_begin(const struct smtpc_dial *dial)
{
    return dial->next != NULL && dial->count < SMTPC_DIAL_RACE_MAX;
}

enum smtpc_dial_status
smtpc_dial_step(struct smtpc_dial *dial, struct smtpc_error *error)
{
    if (dial->connected_fd < 0)
        look_at_all(dial);
    while (dial->connected_fd < 0 && may_begin(dial) && smtpc_clock_is_past(dial->next_time)) {
        begin_next(dial);
        look_at_all(dial);
    }
    if (dial->connected_fd >= 0) {
        close_attempts(dial);
        return SMTPC_DIAL_DONE;
    }
    return dial->count == 0 ? fail(dial, error) : SMTPC_DIAL_WAIT;
}

int
smtpc_dial_poll(const struct smtpc_dial *dial, struct pollfd *polled)
{
    int i;

    for (i = 0; i < dial->count; i++) {
        polled[i].fd = dial->attempts[i].fd;
        polled[i].events = POLLOUT;
        polled[i].revents = 0;
    }
    return dial->count;
}

int64_t
smtpc_dial_deadline(const struct smtpc_dial *dial)
{
    return may_begin(dial) ? dial->next_time : SMTPC_NEVER;
}

int
smtpc_dial_take(struct smtpc_dial *dial)
{
    int fd = dial->connected_fd;

    dial->connected_fd = -1;
    return fd;
}

void
smtpc_dial_free(struct smtpc_dial *dial)
{
    if (dial == NULL)
        return;
    close_attempts(dial);
    if (dial->connected_fd >= 0)
        close(dial->connected_fd);
    free(dial);
}
