/* scripted_server: a server in a thread on the loopback that plays a few lines of script to its one client. */
#ifndef T_CORE_SCRIPTED_SERVER_H
#define T_CORE_SCRIPTED_SERVER_H

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"
#include "net/wire.h"

enum { SERVER_HEARD = 65536, SERVER_PATIENCE_MS = 15000 };

/* The script, a line an act:
 *   S text   sends it with CRLF ("|" inside is a CRLF)    C     reads a line     .     reads up to a lone dot
 *   D text   sends it octet by octet, 30 ms apart         T     TLS from here    W n   waits n milliseconds
 *   E        closes                                       R     resets           K     waits for the client's end
 *   A        waits for the client's end, and for the next client
 * What is left open at the end of the script stays so until the client closes. */
struct scripted_server {
    pthread_t thread;
    int listener;
    struct sockaddr_in where;
    char service[8];                     /* its port */
    const char *script;
    struct smtpc_tls_context *context;   /* for T */
    struct smtpc_wire_socket socket;
    struct smtpc_tls *tls;
    int is_gone;                         /* the client */
    char heard[SERVER_HEARD];            /* all that the client said */
    size_t heard_length;
    size_t looked_at;                    /* by C and . */
};

static inline void
server_wait(struct scripted_server *server, short events)
{
    struct pollfd polled = {server->socket.fd, events, 0};

    if (poll(&polled, 1, SERVER_PATIENCE_MS) <= 0)
        server->is_gone = 1;
}

static inline ssize_t
server_transfer(struct scripted_server *server, int is_send, char *octets, size_t n)
{
    struct smtpc_wire wire = smtpc_wire_of_socket(&server->socket);
    struct smtpc_error error = {0};

    for (;;) {
        ssize_t done;

        if (server->is_gone)
            return -1;
        if (server->tls != NULL)
            done = is_send ? smtpc_tls_send(server->tls, octets, n, &error)
                           : smtpc_tls_receive(server->tls, octets, n, &error);
        else
            done = is_send ? wire.send(wire.stream, octets, n) : wire.receive(wire.stream, octets, n);
        if (done > 0)
            return done;
        if (done != SMTPC_WIRE_AGAIN)
            server->is_gone = 1;
        else
            server_wait(server, is_send ? POLLOUT : POLLIN);
    }
}

static inline void
server_send(struct scripted_server *server, char *octets, size_t n)
{
    while (n > 0 && !server->is_gone) {
        ssize_t done = server_transfer(server, 1, octets, n);

        if (done > 0) {
            octets += done;
            n -= (size_t)done;
        }
    }
}

/* Reads until what was not looked at yet holds the end, and looks at it. */
static inline void
server_read_to(struct scripted_server *server, const char *end)
{
    for (;;) {
        const char *found = strstr(server->heard + server->looked_at, end);
        ssize_t n;

        if (found != NULL) {
            server->looked_at = (size_t)(found - server->heard) + strlen(end);
            return;
        }
        if (server->heard_length > sizeof server->heard / 2) {
            server->heard_length = server->looked_at = 0;    /* only long messages come to this */
            server->heard[0] = '\0';
        }
        n = server_transfer(server, 0, server->heard + server->heard_length,
                            sizeof server->heard - 1 - server->heard_length);
        if (n <= 0)
            return;
        server->heard_length += (size_t)n;
        server->heard[server->heard_length] = '\0';
    }
}

/* The CRLF in front of the dot may be that of DATA. */
static inline void
server_read_to_dot(struct scripted_server *server)
{
    if (server->looked_at >= 2)
        server->looked_at -= 2;
    server_read_to(server, "\r\n.\r\n");
}

static inline void
server_say(struct scripted_server *server, const char *text, size_t n, int drips)
{
    static const char crlf[] = "\r\n";
    char octets[2048];
    size_t length = 0;
    size_t i;

    for (i = 0; i < n && length < sizeof octets - 4; i++) {
        if (text[i] == '|')
            octets[length++] = '\r';
        octets[length++] = (char)(text[i] == '|' ? '\n' : text[i]);
    }
    memcpy(octets + length, crlf, 2);
    length += 2;
    if (!drips) {
        server_send(server, octets, length);
        return;
    }
    for (i = 0; i < length && !server->is_gone; i++) {
        server_send(server, octets + i, 1);
        poll(NULL, 0, 30);
    }
}

static inline void
server_hang_up(struct scripted_server *server, int resets)
{
    struct linger linger = {1, 0};

    if (resets)
        setsockopt(server->socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (server->socket.fd >= 0)
        close(server->socket.fd);
    server->socket.fd = -1;
    server->is_gone = 1;
}

static inline void
server_start_tls(struct scripted_server *server)
{
    struct smtpc_error error = {0};
    int result;

    server->tls = smtpc_tls_server(server->context, smtpc_wire_of_socket(&server->socket), &error);
    if (server->tls == NULL)
        exit(2);
    while ((result = smtpc_tls_handshake(server->tls, &error)) == SMTPC_WIRE_AGAIN && !server->is_gone)
        server_wait(server, smtpc_tls_wants(server->tls) == SMTPC_TLS_WAIT_WRITE ? POLLOUT : POLLIN);
    if (result < 0)
        server_hang_up(server, 0);
}

static inline void
server_accept_another(struct scripted_server *server)
{
    server_read_to(server, "\1never\1");
    server_hang_up(server, 0);
    smtpc_tls_free(server->tls);
    server->tls = NULL;
    server->socket.fd = smtpc_wire_prepare(accept(server->listener, NULL, NULL));
    server->is_gone = server->socket.fd < 0;
}

static inline void
server_act(struct scripted_server *server, const char *line, size_t n)
{
    if (line[0] == 'S' || line[0] == 'D')
        server_say(server, line + 2, n - 2, line[0] == 'D');
    else if (line[0] == 'C')
        server_read_to(server, "\n");
    else if (line[0] == '.')
        server_read_to_dot(server);
    else if (line[0] == 'K')
        server_read_to(server, "\1never\1");
    else if (line[0] == 'A')
        server_accept_another(server);
    else if (line[0] == 'T')
        server_start_tls(server);
    else if (line[0] == 'W')
        poll(NULL, 0, atoi(line + 2));
    else if (line[0] == 'E' || line[0] == 'R')
        server_hang_up(server, line[0] == 'R');
}

static inline void *
server_run(void *pointer)
{
    struct scripted_server *server = pointer;
    const char *line = server->script;

    server->socket.fd = smtpc_wire_prepare(accept(server->listener, NULL, NULL));
    if (server->socket.fd < 0)
        return NULL;
    while (*line != '\0' && !server->is_gone) {
        size_t n = strcspn(line, "\n");

        server_act(server, line, n);
        line += n + (line[n] == '\n');
    }
    if (!server->is_gone)
        server_read_to(server, "\1never\1");
    server_hang_up(server, 0);
    return NULL;
}

/* The context may be NULL where the script has no T. */
static inline void
server_start(struct scripted_server *server, const char *script, struct smtpc_tls_context *context)
{
    struct sockaddr_in *where = &server->where;
    socklen_t room = sizeof *where;

    memset(server, 0, sizeof *server);
    server->script = script;
    server->context = context;
    server->socket.fd = -1;
    where->sin_family = AF_INET;
    where->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)where, sizeof *where) != 0
        || listen(server->listener, 5) != 0 || getsockname(server->listener, (struct sockaddr *)where, &room) != 0)
        exit(2);
    snprintf(server->service, sizeof server->service, "%u", (unsigned)ntohs(where->sin_port));
    if (pthread_create(&server->thread, NULL, server_run, server) != 0)
        exit(2);
}

/* After the client has closed. If none came the thread still waits for somebody. */
static inline void
server_stop(struct scripted_server *server)
{
    int visitor = socket(AF_INET, SOCK_STREAM, 0);

    fcntl(visitor, F_SETFL, O_NONBLOCK);
    connect(visitor, (struct sockaddr *)&server->where, sizeof server->where);
    close(visitor);
    pthread_join(server->thread, NULL);
    close(server->listener);
    smtpc_tls_free(server->tls);
    server->tls = NULL;
}

#endif
