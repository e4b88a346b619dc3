/* wire: send and receive on one non-blocking stream socket. */
#include "net/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL   /* there SO_NOSIGPIPE does the same, set once in prepare */
#define MSG_NOSIGNAL 0
#endif

enum { FIRST_FREE_FD = 3 };   /* above the standard streams, which a program may close and open again */

static int
is_for_later(int system_errno)
{
    return system_errno == EAGAIN || system_errno == EWOULDBLOCK || system_errno == EINTR;
}

static ssize_t
send_some(void *stream, const char *octets, size_t n)
{
    const struct smtpc_wire_socket *s = stream;
    ssize_t sent = send(s->fd, octets, n, MSG_NOSIGNAL);

    if (sent < 0)
        return is_for_later(errno) ? SMTPC_WIRE_AGAIN : SMTPC_WIRE_FAILED;
    return sent;
}

static ssize_t
receive_some(void *stream, char *octets, size_t room)
{
    const struct smtpc_wire_socket *s = stream;
    ssize_t got = recv(s->fd, octets, room, 0);

    if (got < 0)
        return is_for_later(errno) ? SMTPC_WIRE_AGAIN : SMTPC_WIRE_FAILED;
    return got;
}

struct smtpc_wire
smtpc_wire_of_socket(struct smtpc_wire_socket *socket)
{
    struct smtpc_wire wire = {send_some, receive_some, NULL};

    wire.stream = socket;
    return wire;
}

static int
fail_closing(int fd)
{
    int why = errno;

    close(fd);
    errno = why;
    return -1;
}

static int
lift(int fd)
{
    int higher;

    if (fd >= FIRST_FREE_FD)
        return fd;
    higher = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (higher < 0)
        return fail_closing(fd);
    close(fd);
    return higher;
}

static int
set_flags(int fd)
{
    int status = fcntl(fd, F_GETFL);
    int descriptor = fcntl(fd, F_GETFD);

    if (status < 0 || descriptor < 0)
        return -1;
    if (fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, descriptor | FD_CLOEXEC) < 0)
        return -1;
    return 0;
}

/* Their failures are left aside: the first is for TCP only, and a pipe has neither. */
static void
set_options(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

int
smtpc_wire_prepare(int fd)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    fd = lift(fd);
    if (fd < 0)
        return -1;
    if (set_flags(fd) != 0)
        return fail_closing(fd);
    set_options(fd);
    return fd;
}

void
smtpc_wire_close(struct smtpc_wire_socket *socket)
{
    if (socket->fd >= 0)
        close(socket->fd);
    socket->fd = -1;
}
