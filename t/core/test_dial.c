/* Tests of dial: the race of addresses on the loopback, with closed, silent and open ports. */
#include "net/dial.h"

#include <errno.h>
#include <fcntl.h>

#include "dial_peers.h"
#include "tap.h"

/* A listener whose queue is full and never emptied: the kernel leaves further connections unanswered. */
struct silent {
    int fd;
    int fillers[MOST];
};

static void
open_silent(struct silent *silent)
{
    struct sockaddr_in where;
    socklen_t room = sizeof where;
    int i;

    silent->fd = bound(AF_INET);
    listen(silent->fd, 0);
    getsockname(silent->fd, (struct sockaddr *)&where, &room);
    for (i = 0; i < MOST; i++) {
        silent->fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(silent->fillers[i], F_SETFL, O_NONBLOCK);
        connect(silent->fillers[i], (struct sockaddr *)&where, room);
    }
}

static void
close_silent(struct silent *silent)
{
    int i;

    for (i = 0; i < MOST; i++)
        close(silent->fillers[i]);
    close(silent->fd);
}

static int
is_connected_to(int fd, int listener)
{
    struct sockaddr_storage peer;
    struct sockaddr_storage own;
    socklen_t peer_room = sizeof peer;
    socklen_t own_room = sizeof own;

    memset(&peer, 0, sizeof peer);
    memset(&own, 0, sizeof own);
    if (getpeername(fd, (struct sockaddr *)&peer, &peer_room) != 0
        || getsockname(listener, (struct sockaddr *)&own, &own_room) != 0)
        return 0;
    return peer_room == own_room && memcmp(&peer, &own, own_room) == 0;
}

static void
test_first(int family, const char *name)
{
    struct smtpc_error error = {0};
    int listener = listening(family);
    struct smtpc_dial *dial;
    int fd;

    if (listener < 0) {
        ok(1, "%s # SKIP not on this machine", name);
        return;
    }
    used = 0;
    dial = smtpc_dial_start(add(family, listener), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_DONE, "%s", name);
    fd = smtpc_dial_take(dial);
    smtpc_dial_free(dial);
    ok(is_connected_to(fd, listener), "the socket is connected, and survives the dial");
    ok((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "and prepared");
    close(fd);
    close(listener);
}

static void
test_refused_then_open(void)
{
    struct smtpc_error error = {0};
    int closed[3] = {bound(AF_INET), bound(AF_INET), bound(AF_INET)};
    int listener = listening(AF_INET);
    int64_t begun = smtpc_clock_now();
    struct smtpc_dial *dial;
    int fd;
    int i;

    used = 0;
    for (i = 0; i < 3; i++)
        add(AF_INET, closed[i]);
    dial = smtpc_dial_start(add(AF_INET, listener), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_DONE, "three closed ports, then an open one");
    ok(smtpc_clock_now() - begun < 3 * SMTPC_DIAL_DELAY_MS, "a refused attempt starts the next at once");
    fd = smtpc_dial_take(dial);
    ok(is_connected_to(fd, listener), "connected to the open one");
    ok(smtpc_dial_take(dial) == -1, "taken once");
    ok(!smtpc_error_is_set(&error), "the refused ones are no error");
    smtpc_dial_free(dial);
    close(fd);
    close(listener);
    for (i = 0; i < 3; i++)
        close(closed[i]);
}

static void
test_both_families(void)
{
    struct smtpc_error error = {0};
    int closed = bound(AF_INET6);
    int listener = listening(AF_INET);
    struct smtpc_dial *dial;
    int fd;

    if (closed < 0) {
        ok(1, "IPv6 refused, IPv4 open # SKIP no IPv6 here");
        close(listener);
        return;
    }
    used = 0;
    add(AF_INET6, closed);
    dial = smtpc_dial_start(add(AF_INET, listener), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_DONE, "IPv6 refused, IPv4 open");
    fd = smtpc_dial_take(dial);
    ok(is_connected_to(fd, listener), "connected over IPv4");
    smtpc_dial_free(dial);
    close(fd);
    close(closed);
    close(listener);
}

static void
test_all_refused(void)
{
    struct smtpc_error error = {0};
    int closed[2] = {bound(AF_INET), bound(AF_INET)};
    struct sockaddr_in last;
    socklen_t room = sizeof last;
    struct smtpc_dial *dial;
    char expected[200];

    used = 0;
    add(AF_INET, closed[0]);
    dial = smtpc_dial_start(add(AF_INET, closed[1]), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_FAILED, "all refused is failure");
    getsockname(closed[1], (struct sockaddr *)&last, &room);
    snprintf(expected, sizeof expected, "127.0.0.1 port %d (the last of 2 addresses): %s",
             ntohs(last.sin_port), strerror(ECONNREFUSED));
    is_string(error.text, expected, "with the last address and reason");
    ok(error.kind == SMTPC_ERROR_CONNECT && error.system_errno == ECONNREFUSED, "kind and errno");
    ok(smtpc_dial_step(dial, &error) == SMTPC_DIAL_FAILED, "and stays so");
    smtpc_dial_free(dial);
    close(closed[0]);
    close(closed[1]);
}

static void
test_one_refused(void)
{
    struct smtpc_error error = {0};
    int closed = bound(AF_INET);
    struct sockaddr_in where;
    socklen_t room = sizeof where;
    struct smtpc_dial *dial;
    char expected[200];

    used = 0;
    dial = smtpc_dial_start(add(AF_INET, closed), NULL, &error);
    drive(dial, 5000, &error);
    getsockname(closed, (struct sockaddr *)&where, &room);
    snprintf(expected, sizeof expected, "127.0.0.1 port %d: %s", ntohs(where.sin_port),
             strerror(ECONNREFUSED));
    is_string(error.text, expected, "a single address is not counted");
    smtpc_dial_free(dial);
    close(closed);
}

static void
test_silent_then_open(void)
{
    struct smtpc_error error = {0};
    struct silent silent;
    int listener = listening(AF_INET);
    int64_t begun;
    int64_t took;
    struct smtpc_dial *dial;
    int fd;

    used = 0;
    open_silent(&silent);
    add(AF_INET, silent.fd);
    begun = smtpc_clock_now();
    dial = smtpc_dial_start(add(AF_INET, listener), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_DONE, "a silent address, then an open one");
    took = smtpc_clock_now() - begun;
    ok(took >= SMTPC_DIAL_DELAY_MS - 5 && took < 3000, "after %d ms", (int)took);
    fd = smtpc_dial_take(dial);
    ok(is_connected_to(fd, listener), "connected to the open one");
    smtpc_dial_free(dial);
    close(fd);
    close(listener);
    close_silent(&silent);
}

/* Four unanswered attempts fill the race; a refused one behind a silent one does not end it. */
static void
test_all_silent(void)
{
    struct smtpc_error error = {0};
    struct pollfd polled[SMTPC_DIAL_RACE_MAX];
    struct silent silent;
    struct smtpc_dial *dial;
    int lowest = dup(0);
    int after;
    int i;

    close(lowest);
    used = 0;
    open_silent(&silent);
    for (i = 0; i < SMTPC_DIAL_RACE_MAX + 2; i++)
        add(AF_INET, silent.fd);
    dial = smtpc_dial_start(nodes, NULL, &error);
    ok(smtpc_dial_step(dial, &error) == SMTPC_DIAL_WAIT && smtpc_dial_poll(dial, polled) == 1, "first one attempt");
    ok(smtpc_clock_left(smtpc_dial_deadline(dial)) <= SMTPC_DIAL_DELAY_MS, "the next is due soon");
    ok(drive(dial, 1200, &error) == SMTPC_DIAL_WAIT, "silence is waited for");
    ok(smtpc_dial_poll(dial, polled) == SMTPC_DIAL_RACE_MAX, "by no more than so many attempts");
    ok(smtpc_dial_deadline(dial) == SMTPC_NEVER, "then nothing is due");
    smtpc_dial_free(dial);
    close_silent(&silent);
    after = dup(0);
    ok(after == lowest, "free closes every attempt");
    close(after);
}

int
main(void)
{
    test_first(AF_INET, "IPv4");
    test_first(AF_INET6, "IPv6");
    test_refused_then_open();
    test_both_families();
    test_all_refused();
    test_one_refused();
    test_silent_then_open();
    test_all_silent();
    return tap_done();
}
