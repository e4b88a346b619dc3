/* main: the sink's sockets and the bench's questions: sink CERTIFICATE KEY; it lives as long as its input. */
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS = 4, LINES = 64 };    /* listeners: clear, TLS; 127.0.0.1, then ::1 */

struct counts counts;

static SSL_CTX *context;
static int listeners[LISTENERS];
static struct line lines[LINES];
static int is_asked;

int64_t
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the sockets ---- */

static int
listen_on(int family, int port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    int fd = socket(family, SOCK_STREAM, 0);

    address.ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        four->sin_port = htons((uint16_t)port);
    } else {
        six->sin6_addr = in6addr_loopback;
        six->sin6_port = htons((uint16_t)port);
    }
    if (bind(fd, (struct sockaddr *)&address, family == AF_INET ? sizeof *four : sizeof *six) != 0
        || listen(fd, 64) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A port on 127.0.0.1, and on ::1 where there is one. */
static int
open_port(int *pair)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    pair[0] = listen_on(AF_INET, 0);
    if (pair[0] < 0 || getsockname(pair[0], (struct sockaddr *)&address, &length) != 0)
        die("127.0.0.1");
    pair[1] = listen_on(AF_INET6, ntohs(address.sin_port));
    return ntohs(address.sin_port);
}

static void
accept_line(int listener, int is_tls)
{
    int fd = accept(listener, NULL, NULL);
    int i;

    for (i = 0; i < LINES && lines[i].fd >= 0; i++)
        ;
    if (fd < 0 || i == LINES)
        die("accept");
    line_open(&lines[i], fd, context, is_tls);
}

/* ---- the bench's questions ---- */

static void
answer(void)
{
    printf("connections %ld logins %ld messages %ld recipients %ld flights %ld receives %ld octets %lld "
           "stream %lld\n",
           counts.connections, counts.logins, counts.messages, counts.recipients, counts.flights, counts.receives,
           (long long)counts.octets, (long long)(counts.last - counts.first));
    fflush(stdout);
    memset(&counts, 0, sizeof counts);
    is_asked = 0;
}

/* "delay MILLISECONDS", or "count", which is answered when all lines are closed. */
static void
hear_bench(void)
{
    char text[64];
    ssize_t n = read(0, text, sizeof text - 1);

    if (n <= 0)
        exit(0);
    text[n] = '\0';
    if (strncmp(text, "delay ", 6) == 0) {
        round_trip = 1000 * (int64_t)atoi(text + 6);
        puts("delayed");
        fflush(stdout);
    } else
        is_asked = 1;
}

static int
wait_for_events(struct pollfd *polled)
{
    int64_t left = -1;
    int i;

    polled[0] = (struct pollfd){0, POLLIN, 0};
    for (i = 0; i < LISTENERS; i++)
        polled[1 + i] = (struct pollfd){listeners[i], POLLIN, 0};
    for (i = 0; i < LINES; i++) {
        polled[1 + LISTENERS + i] = (struct pollfd){
            lines[i].is_deaf ? -1 : lines[i].fd, (short)(POLLIN | (lines[i].out.length > 0 ? POLLOUT : 0)), 0
        };
        if (lines[i].fd >= 0 && lines[i].first != NULL) {
            int64_t due = lines[i].first->due - now();

            left = left < 0 || due < left ? (due > 0 ? due : 0) : left;
        }
    }
    return poll(polled, 1 + LISTENERS + LINES, left < 0 ? -1 : (int)((left + 999) / 1000));
}

static void
serve(void)
{
    struct pollfd polled[1 + LISTENERS + LINES];
    int open = 0;
    int i;

    if (wait_for_events(polled) < 0 && errno != EINTR)
        die("poll");
    for (i = 0; i < LINES; i++)
        if (lines[i].fd >= 0) {
            if (polled[1 + LISTENERS + i].revents & (POLLIN | POLLHUP | POLLERR))
                line_receive(&lines[i]);
            line_work(&lines[i]);
        }
    for (i = 0; i < LISTENERS; i++)
        if (polled[1 + i].revents)
            accept_line(listeners[i], i >= 2);
    if (polled[0].revents)
        hear_bench();
    for (i = 0; i < LINES; i++)
        open += lines[i].fd >= 0;
    if (is_asked && open == 0)
        answer();
}

int
main(int argc, char **argv)
{
    int i;

    context = SSL_CTX_new(TLS_server_method());
    if (argc != 3 || context == NULL || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1
        || SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "sink CERTIFICATE KEY\n");
        return 2;
    }
    for (i = 0; i < LINES; i++)
        lines[i].fd = -1;
    printf("%d ", open_port(listeners));
    printf("%d\n", open_port(listeners + 2));
    fflush(stdout);
    for (;;)
        serve();
}
