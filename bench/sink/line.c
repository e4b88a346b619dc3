/* line: one connection: TLS, what was said and when it is heard, what is to be sent. */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 262144 };

int64_t round_trip;

static SSL_CTX *tls_context;

void
octets_append(struct octets *octets, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    if (octets->length + n > octets->room) {
        octets->room = 2 * (octets->length + n);
        octets->bytes = realloc(octets->bytes, octets->room);
        if (octets->bytes == NULL)
            die("realloc");
    }
    memcpy(octets->bytes + octets->length, bytes, n);
    octets->length += n;
}

void
octets_take(struct octets *octets, size_t n)
{
    octets->length -= n;
    memmove(octets->bytes, octets->bytes + n, octets->length);
}

/* ---- a line ---- */

static void
close_line(struct line *line)
{
    while (line->first != NULL) {
        struct arrival *next = line->first->next;

        free(line->first);
        line->first = next;
    }
    SSL_free(line->ssl);
    free(line->out.bytes);
    close(line->fd);
    memset(line, 0, sizeof *line);
    line->fd = -1;
}

static void
start_tls(struct line *line)
{
    line->ssl = SSL_new(tls_context);
    if (line->ssl == NULL)
        die("SSL_new");
    SSL_set_bio(line->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(line->ssl);
    line->dialogue.wants_tls = 0;
    line->dialogue.is_secure = 1;
}

static void
send_some(struct line *line)
{
    ssize_t n;

    if (line->out.length == 0)
        return;
    n = send(line->fd, line->out.bytes, line->out.length, MSG_NOSIGNAL);
    if (n > 0)
        octets_take(&line->out, (size_t)n);
    else if (errno != EAGAIN && errno != EINTR)
        close_line(line);
}

/* The reply, and whatever TLS itself has to say. */
static void
say(struct line *line, const struct octets *reply)
{
    char bytes[16384];
    size_t before = line->out.length;
    int n;

    if (line->ssl == NULL)
        octets_append(&line->out, reply->bytes, reply->length);
    else {
        if (reply->length > 0)
            SSL_write(line->ssl, reply->bytes, (int)reply->length);
        while ((n = BIO_read(SSL_get_wbio(line->ssl), bytes, sizeof bytes)) > 0)
            octets_append(&line->out, bytes, (size_t)n);
    }
    if (line->out.length > before && line->has_heard) {
        line->has_heard = 0;
        counts.flights++;
    }
}

static void
hear_secure(struct line *line, const struct arrival *arrival, struct octets *reply)
{
    char bytes[16384];
    int n;

    BIO_write(SSL_get_rbio(line->ssl), arrival->bytes, (int)arrival->length);
    while ((n = SSL_read(line->ssl, bytes, sizeof bytes)) > 0)
        dialogue_hear(&line->dialogue, bytes, (size_t)n, reply);
}

static void
hear(struct line *line, const struct arrival *arrival)
{
    struct octets reply = {0};

    line->has_heard = 1;
    line->is_ending |= arrival->is_end;
    if (arrival->length > 0 && line->ssl != NULL)
        hear_secure(line, arrival, &reply);
    else if (arrival->length > 0)
        dialogue_hear(&line->dialogue, arrival->bytes, arrival->length, &reply);
    if (!line->is_greeted && (line->ssl == NULL || SSL_is_init_finished(line->ssl))) {
        line->is_greeted = 1;
        dialogue_greet(&reply);
    }
    say(line, &reply);
    free(reply.bytes);
    if (line->dialogue.is_over && line->ssl != NULL)
        SSL_shutdown(line->ssl);
    line->is_ending |= line->dialogue.is_over;
    if (line->dialogue.wants_tls)
        start_tls(line);
}

void
line_work(struct line *line)
{
    while (line->first != NULL && line->first->due <= now()) {
        struct arrival *arrival = line->first;

        hear(line, arrival);
        line->first = arrival->next;
        if (line->first == NULL)
            line->last = &line->first;
        free(arrival);
    }
    send_some(line);
    if (line->fd >= 0 && line->is_ending && line->out.length == 0)
        close_line(line);
}

static void
put_off(struct line *line, const char *bytes, size_t n, int is_end)
{
    struct arrival *arrival = malloc(sizeof *arrival + n);
    int64_t from = line->opened + round_trip;    /* TCP's own */

    if (arrival == NULL)
        die("malloc");
    arrival->next = NULL;
    arrival->due = (now() > from ? now() : from) + round_trip;
    arrival->is_end = is_end;
    arrival->length = n;
    if (n > 0)
        memcpy(arrival->bytes, bytes, n);
    *line->last = arrival;
    line->last = &arrival->next;
}

void
line_receive(struct line *line)
{
    static char bytes[PIECE];
    ssize_t n = recv(line->fd, bytes, sizeof bytes, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    counts.receives += n > 0;
    line->is_deaf = n <= 0;
    put_off(line, bytes, n > 0 ? (size_t)n : 0, n <= 0);
}

void
line_open(struct line *line, int fd, SSL_CTX *context, int is_tls)
{
    int on = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    tls_context = context;
    line->fd = fd;
    line->opened = now();
    line->last = &line->first;
    counts.connections++;
    if (is_tls)
        start_tls(line);
    put_off(line, NULL, 0, 0);    /* brings the greeting */
}
