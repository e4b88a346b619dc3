/* Tests of wire: counts, AGAIN, END, no SIGPIPE, and what prepare makes of a descriptor. */
#include "net/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static struct smtpc_wire_socket near_end;
static struct smtpc_wire_socket far_end;

static void
open_pair(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        exit(2);
    near_end.fd = smtpc_wire_prepare(ends[0]);
    far_end.fd = smtpc_wire_prepare(ends[1]);
}

static void
test_both_ways(void)
{
    struct smtpc_wire near_wire = smtpc_wire_of_socket(&near_end);
    struct smtpc_wire far_wire = smtpc_wire_of_socket(&far_end);
    char got[16];

    open_pair();
    ok(far_wire.receive(far_wire.stream, got, sizeof got) == SMTPC_WIRE_AGAIN, "nothing there is AGAIN");
    ok(near_wire.send(near_wire.stream, "EHLO\r\n\0x", 8) == 8, "send counts octets");
    ok(far_wire.receive(far_wire.stream, got, 3) == 3, "receive gives what there is room for");
    ok(far_wire.receive(far_wire.stream, got, sizeof got) == 5, "and then the rest");
    is_octets(got, 5, "O\r\n\0x", 5, "octets, not strings");
    close(near_end.fd);
    ok(far_wire.receive(far_wire.stream, got, sizeof got) == SMTPC_WIRE_END, "a closed peer is END");
    close(far_end.fd);
}

static void
test_full(void)
{
    struct smtpc_wire wire = smtpc_wire_of_socket(&near_end);
    static char octets[65536];
    ssize_t sent;

    open_pair();
    do
        sent = wire.send(wire.stream, octets, sizeof octets);
    while (sent > 0);
    ok(sent == SMTPC_WIRE_AGAIN, "a full socket is AGAIN");
    close(near_end.fd);
    close(far_end.fd);
}

/* In a child, so that the signal, should it come, is a failed test and not the end of all. */
static void
test_no_sigpipe(void)
{
    struct smtpc_wire wire = smtpc_wire_of_socket(&near_end);
    int status = -1;
    pid_t child;

    open_pair();
    close(far_end.fd);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        _exit(wire.send(wire.stream, "x", 1) == SMTPC_WIRE_FAILED && errno == EPIPE ? 0 : 1);
    }
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "sending to a closed peer is EPIPE and no signal");
    close(near_end.fd);
}

static void
test_prepare(void)
{
    int plain = socket(AF_INET, SOCK_STREAM, 0);
    int fd = smtpc_wire_prepare(plain);
    int on = 0;
    socklen_t room = sizeof on;

    ok(fd == plain, "a descriptor above 2 stays what it is");
    ok((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "it does not block");
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "it closes on exec");
    ok(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &room) == 0 && on != 0, "TCP does not hold small segments back");
    close(fd);
    errno = 0;
    ok(smtpc_wire_prepare(-1) == -1 && errno == EBADF, "no descriptor is an error");
}

static void
test_low_descriptor(void)
{
    int kept = dup(0);
    int low;
    int fd;

    close(0);
    low = socket(AF_UNIX, SOCK_STREAM, 0);
    fd = smtpc_wire_prepare(low);
    ok(low == 0 && fd > 2, "descriptor 0 is moved above 2");
    ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "and still closes on exec");
    ok(fcntl(0, F_GETFD) < 0, "and 0 is closed");
    close(fd);
    dup2(kept, 0);
    close(kept);
}

int
main(void)
{
    test_both_ways();
    test_full();
    test_no_sigpipe();
    test_prepare();
    test_low_descriptor();
    return tap_done();
}
