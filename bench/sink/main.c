/* main: the sink's sockets and the bench's questions: sink CERTIFICATE KEY; it lives as long as its input. */
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS = 4 };    /* clear, TLS; 127.0.0.1, then ::1 */

struct settings settings = {0, OFFERS_PIPELINING | OFFERS_CHUNKING | OFFERS_AUTH, ""};

static SSL_CTX *context;
static int listeners[LISTENERS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closed = PTHREAD_COND_INITIALIZER;
static struct counts counts;
static int open_lines;

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
        || listen(fd, 256) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
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

/* ---- a thread for each line ---- */

static void
add(const struct counts *more)
{
    counts.connections += more->connections;
    counts.resumed += more->resumed;
    counts.logins += more->logins;
    counts.messages += more->messages;
    counts.recipients += more->recipients;
    counts.wrong += more->wrong;
    counts.flights += more->flights;
    counts.receives += more->receives;
    counts.octets += more->octets;
    if (more->first != 0 && (counts.first == 0 || more->first < counts.first))
        counts.first = more->first;
    if (more->last > counts.last)
        counts.last = more->last;
}

/* given: the socket, doubled; odd for TLS. */
static void *
serve_line(void *given)
{
    struct counts more = {0};
    intptr_t number = (intptr_t)given;

    line_serve((int)(number / 2), context, (int)(number % 2), &more);
    pthread_mutex_lock(&lock);
    add(&more);
    open_lines--;
    pthread_cond_signal(&closed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void
accept_lines(int listener, int is_tls)
{
    pthread_t thread;
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&lock);
        open_lines++;
        pthread_mutex_unlock(&lock);
        if (pthread_create(&thread, NULL, serve_line, (void *)(intptr_t)(2 * fd + is_tls)) != 0)
            die("pthread_create");
        pthread_detach(thread);
    }
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        die("accept");
}

/* ---- the bench's questions ---- */

static void
answer(void)
{
    pthread_mutex_lock(&lock);
    while (open_lines > 0)
        pthread_cond_wait(&closed, &lock);
    printf("connections %ld resumed %ld logins %ld messages %ld recipients %ld wrong %ld flights %ld receives %ld "
           "octets %lld stream %lld\n",
           counts.connections, counts.resumed, counts.logins, counts.messages, counts.recipients, counts.wrong,
           counts.flights, counts.receives, (long long)counts.octets, (long long)(counts.last - counts.first));
    memset(&counts, 0, sizeof counts);
    pthread_mutex_unlock(&lock);
}

/* The words that follow "offer". */
static int
offers_of(const char *words)
{
    return (strstr(words, "pipelining") != NULL ? OFFERS_PIPELINING : 0)
           | (strstr(words, "chunking") != NULL ? OFFERS_CHUNKING : 0)
           | (strstr(words, "auth") != NULL ? OFFERS_AUTH : 0);
}

/* "delay MILLISECONDS", "offer WORD ...", "tls 1.2", "expect HEX", or "count", answered when all lines are closed. */
static void
hear_bench(void)
{
    char text[128];
    ssize_t n = read(0, text, sizeof text - 1);

    if (n <= 0)
        exit(0);
    text[n] = '\0';
    if (strncmp(text, "count", 5) == 0)
        answer();
    else {
        if (strncmp(text, "delay ", 6) == 0)
            settings.round_trip = 1000 * (int64_t)atoi(text + 6);
        else if (strncmp(text, "offer ", 6) == 0)
            settings.offers = offers_of(text + 6);
        else if (strncmp(text, "tls ", 4) == 0)
            SSL_CTX_set_max_proto_version(context, strstr(text, "1.2") != NULL ? TLS1_2_VERSION : 0);
        else if (strncmp(text, "expect", 6) == 0 && sscanf(text + 6, "%64s", settings.digest) != 1)
            settings.digest[0] = '\0';
        puts("so be it");
    }
    fflush(stdout);
}

static void
serve(void)
{
    struct pollfd polled[1 + LISTENERS];
    int i;

    polled[0] = (struct pollfd){0, POLLIN, 0};
    for (i = 0; i < LISTENERS; i++)
        polled[1 + i] = (struct pollfd){listeners[i], POLLIN, 0};
    if (poll(polled, 1 + LISTENERS, -1) < 0 && errno != EINTR)
        die("poll");
    for (i = 0; i < LISTENERS; i++)
        if (polled[1 + i].revents)
            accept_lines(listeners[i], i >= 2);
    if (polled[0].revents)
        hear_bench();
}

int
main(int argc, char **argv)
{
    context = SSL_CTX_new(TLS_server_method());
    if (argc != 3 || context == NULL || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1
        || SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "sink CERTIFICATE KEY\n");
        return 2;
    }
    printf("%d ", open_port(listeners));
    printf("%d\n", open_port(listeners + 2));
    fflush(stdout);
    for (;;)
        serve();
}
