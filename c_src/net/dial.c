/* dial: a TCP connection to the first of several addresses that answers (RFC 8305, attempts 250 ms apart). */
#include "net/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial_memory.h"
#include "net/wire.h"

#ifndef SOCK_CLOEXEC   /* where it is missing, smtpc_wire_prepare alone must do */
#define SOCK_CLOEXEC 0
#endif

enum { WHERE_MAX = 200, BUSY_DELAY_MS = 50 };

struct attempt {
    int fd;
    const struct addrinfo *address;
};

struct smtpc_dial {
    const struct addrinfo *next;       /* not tried yet */
    const struct addrinfo *favourite;  /* that answered last, or NULL; tried before the others, not in its place */
    int is_favourite_due;
    const char *name;                  /* to remember what answers under, or NULL */
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
skip_favourite(struct smtpc_dial *dial)
{
    if (dial->next != NULL && dial->next == dial->favourite)
        dial->next = dial->next->ai_next;
}

void
smtpc_dial_remember(struct smtpc_dial *dial, const char *name)
{
    if (dial->next == NULL || dial->next->ai_next == NULL)
        return;
    dial->name = name;
    dial->favourite = smtpc_dial_memory_find(name, dial->next);
    dial->is_favourite_due = dial->favourite != NULL;
    skip_favourite(dial);
}

static void
forget_favourite(const struct smtpc_dial *dial)
{
    if (dial->favourite != NULL && !dial->is_favourite_due)
        smtpc_dial_memory_forget(dial->name, dial->favourite);
}

static void
note_failure(struct smtpc_dial *dial, const struct addrinfo *address, const char *step, int why)
{
    if (address == dial->favourite)
        forget_favourite(dial);
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

/* A unix socket whose queue is full says so at once, and there is nothing to poll for. */
static int
is_busy(const struct addrinfo *address, int why)
{
    return address->ai_family == AF_UNIX && why == EAGAIN;
}

static void
pass_on(struct smtpc_dial *dial)
{
    dial->tried++;
    if (dial->is_favourite_due)
        dial->is_favourite_due = 0;
    else
        dial->next = dial->next->ai_next;
    skip_favourite(dial);
}

static void
begin_next(struct smtpc_dial *dial)
{
    const struct addrinfo *address = dial->is_favourite_due ? dial->favourite : dial->next;
    int fd;
    const char *trouble = try_address(dial, address, &fd);
    int why = errno;

    if (trouble != NULL && fd >= 0)
        close(fd);
    if (trouble != NULL && is_busy(address, why)) {
        dial->next_time = smtpc_clock_after(BUSY_DELAY_MS);
        return;
    }
    pass_on(dial);
    if (trouble != NULL) {
        note_failure(dial, address, trouble, why);
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

/* 1 when it is still under way. */
static int
look_at(struct smtpc_dial *dial, int i)
{
    struct attempt attempt = dial->attempts[i];
    int why = outcome_of(attempt.fd);

    if (why == EINPROGRESS)
        return 1;
    drop(dial, i);
    if (why == 0) {
        dial->connected_fd = attempt.fd;
        if (dial->name != NULL)
            smtpc_dial_memory_keep(dial->name, attempt.address);
        return 0;
    }
    note_failure(dial, attempt.address, "", why);
    close(attempt.fd);
    dial->next_time = 0;
    return 0;
}

/* The eldest first: where two are there at once, it is the better address. */
static void
look_at_all(struct smtpc_dial *dial)
{
    int i = 0;

    while (i < dial->count && dial->connected_fd < 0)
        i += look_at(dial, i);
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
has_next(const struct smtpc_dial *dial)
{
    return dial->next != NULL || dial->is_favourite_due;
}

static int
may_begin(const struct smtpc_dial *dial)
{
    return has_next(dial) && dial->count < SMTPC_DIAL_RACE_MAX;
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
        dial->favourite = NULL;    /* what was kept last holds */
        return SMTPC_DIAL_DONE;
    }
    return dial->count == 0 && !has_next(dial) ? fail(dial, error) : SMTPC_DIAL_WAIT;
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

/* A favourite that has not answered by now is none. */
void
smtpc_dial_free(struct smtpc_dial *dial)
{
    if (dial == NULL)
        return;
    forget_favourite(dial);
    close_attempts(dial);
    if (dial->connected_fd >= 0)
        close(dial->connected_fd);
    free(dial);
}
