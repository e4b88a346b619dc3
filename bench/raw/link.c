/* link: one connection, in clear or under TLS, with a buffer for each direction. */
#include "raw.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { FULL = 65536, ROOM = 4 * FULL };

static int fd;
static SSL *ssl;
static SSL_CTX *context;
static SSL_SESSION *session;
static char in[FULL], out[ROOM];
static size_t in_from, in_to, out_length;

static int
keep(SSL *from, SSL_SESSION *given)
{
    (void)from;
    SSL_SESSION_free(session);
    session = given;
    return 1;
}

static void
make_context(const struct job *job)
{
    struct stat known;

    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || stat(job->ca, &known) != 0
        || SSL_CTX_load_verify_locations(context, S_ISDIR(known.st_mode) ? NULL : job->ca,
                                         S_ISDIR(known.st_mode) ? job->ca : NULL) != 1)
        die("TLS");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_read_ahead(context, 1);
    if (job->is_resuming) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
        SSL_CTX_sess_set_new_cb(context, keep);
    }
}

void
link_start_tls(const struct job *job)
{
    if (context == NULL)
        make_context(job);
    ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_set1_host(ssl, "localhost") != 1
        || SSL_set_tlsext_host_name(ssl, "localhost") != 1)
        die("SSL_new");
    if (session != NULL && job->is_resuming)
        SSL_set_session(ssl, session);
    if (SSL_connect(ssl) != 1)
        die("handshake");
}

void
link_open(const struct job *job)
{
    struct addrinfo hints = {0};
    struct addrinfo *list, *i;
    int on = 1;

    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo("localhost", job->port, &hints, &list) != 0)
        die("getaddrinfo");
    for (i = list, fd = -1; i != NULL && fd < 0; i = i->ai_next) {
        fd = socket(i->ai_family, SOCK_STREAM, 0);
        if (fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    in_from = in_to = out_length = 0;
    if (strcmp(job->tls, "implicit") == 0)
        link_start_tls(job);
}

void
link_flush(void)
{
    size_t sent = 0;

    while (sent < out_length) {
        ssize_t n = ssl != NULL ? SSL_write(ssl, out + sent, (int)(out_length - sent))
                                : send(fd, out + sent, out_length - sent, MSG_NOSIGNAL);

        if (n <= 0)
            die("write");
        sent += (size_t)n;
    }
    out_length = 0;
}

char *
link_room(size_t n)
{
    if (out_length + n > ROOM)
        link_flush();
    return out + out_length;
}

void
link_took(size_t n)
{
    out_length += n;
    if (out_length >= FULL)
        link_flush();
}

void
link_say(const char *bytes, size_t n)
{
    memcpy(link_room(n), bytes, n);
    link_took(n);
}

static void
receive(void)
{
    ssize_t n;

    memmove(in, in + in_from, in_to - in_from);
    in_to -= in_from;
    in_from = 0;
    if (in_to == FULL)
        die("reply");
    n = ssl != NULL ? SSL_read(ssl, in + in_to, (int)(FULL - in_to)) : recv(fd, in + in_to, FULL - in_to, 0);
    if (n <= 0)
        die("read");
    in_to += (size_t)n;
}

void
link_expect(int digit)
{
    int is_last = 0;

    while (!is_last) {
        const char *line = in + in_from;
        const char *lf = memchr(line, '\n', in_to - in_from);

        if (lf == NULL) {
            receive();
            continue;
        }
        if (lf - line < 4 || line[0] != digit)
            die(line);
        is_last = line[3] != '-';
        in_from += (size_t)(lf - line) + 1;
    }
}

void
link_close(void)
{
    if (ssl != NULL)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    ssl = NULL;
    close(fd);
}
