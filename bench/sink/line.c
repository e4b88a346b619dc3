/* line: one connection in a thread of its own: TLS, what was said and when it is heard, what is to be sent. */
#include "sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 262144 };

/* What came, and when it would have come from afar. */
struct arrival {
    struct arrival *next;
    int64_t due;
    int is_end;
    size_t length;
    char bytes[];
};

struct line {
    int fd;
    int is_greeted, has_heard;
    int is_deaf;                  /* the end of what comes has come */
    int is_ending;                /* and was heard; or we have said goodbye */
    int64_t opened;
    SSL_CTX *context;
    SSL *ssl;
    struct dialogue dialogue;
    struct arrival *first, **last;
    struct octets reply, out;
    char piece[PIECE], clear[16384];
};

static void
start_tls(struct line *line)
{
    line->ssl = SSL_new(line->context);
    if (line->ssl == NULL)
        die("SSL_new");
    SSL_set_bio(line->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(line->ssl);
    line->dialogue.wants_tls = 0;
    line->dialogue.is_secure = 1;
}

/* ---- what we say ---- */

/* The reply, and whatever TLS itself has to say. */
static void
say(struct line *line)
{
    size_t before = line->out.length;
    int n;

    if (line->ssl == NULL)
        octets_append(&line->out, line->reply.bytes, line->reply.length);
    else {
        if (line->reply.length > 0)
            SSL_write(line->ssl, line->reply.bytes, (int)line->reply.length);
        while ((n = BIO_read(SSL_get_wbio(line->ssl), line->clear, sizeof line->clear)) > 0)
            octets_append(&line->out, line->clear, (size_t)n);
    }
    line->reply.length = 0;
    if (line->out.length > before && line->has_heard) {
        line->has_heard = 0;
        line->dialogue.counts->flights++;
    }
}

static void
send_some(struct line *line)
{
    ssize_t n = 0;

    if (line->out.length > 0)
        n = send(line->fd, line->out.bytes, line->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        octets_take(&line->out, (size_t)n);
    else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        line->is_ending = 1;
        line->out.length = 0;
    }
}

/* ---- what we hear ---- */

static void
greet(struct line *line)
{
    if (line->is_greeted || (line->ssl != NULL && !SSL_is_init_finished(line->ssl)))
        return;
    line->is_greeted = 1;
    line->dialogue.counts->resumed += line->ssl != NULL && SSL_session_reused(line->ssl);
    dialogue_greet(&line->reply);
}

static void
hear_secure(struct line *line, const char *bytes, size_t length)
{
    int n;

    BIO_write(SSL_get_rbio(line->ssl), bytes, (int)length);
    while ((n = SSL_read(line->ssl, line->clear, sizeof line->clear)) > 0)
        dialogue_hear(&line->dialogue, line->clear, (size_t)n, &line->reply);
}

static void
hear(struct line *line, const char *bytes, size_t length, int is_end)
{
    line->has_heard = 1;
    line->is_ending |= is_end;
    if (length > 0 && line->ssl != NULL)
        hear_secure(line, bytes, length);
    else if (length > 0)
        dialogue_hear(&line->dialogue, bytes, length, &line->reply);
    greet(line);
    say(line);
    if (line->dialogue.is_over && line->ssl != NULL && !line->is_ending) {
        SSL_shutdown(line->ssl);
        say(line);
    }
    line->is_ending |= line->dialogue.is_over;
    if (line->dialogue.wants_tls)
        start_tls(line);
}

static void
put_off(struct line *line, size_t n, int is_end)
{
    struct arrival *arrival = malloc(sizeof *arrival + n);
    int64_t from = line->opened + settings.round_trip;    /* TCP's own */

    if (arrival == NULL)
        die("malloc");
    arrival->next = NULL;
    arrival->due = (now() > from ? now() : from) + settings.round_trip;
    arrival->is_end = is_end;
    arrival->length = n;
    if (n > 0)
        memcpy(arrival->bytes, line->piece, n);
    *line->last = arrival;
    line->last = &arrival->next;
}

static void
receive(struct line *line)
{
    ssize_t n = recv(line->fd, line->piece, PIECE, 0);
    size_t length = n > 0 ? (size_t)n : 0;

    if (n < 0 && errno == EINTR)
        return;
    line->dialogue.counts->receives += n > 0;
    line->is_deaf = n <= 0;
    if (settings.round_trip > 0)
        put_off(line, length, line->is_deaf);
    else
        hear(line, line->piece, length, line->is_deaf);
}

static void
hear_due(struct line *line)
{
    while (line->first != NULL && line->first->due <= now()) {
        struct arrival *arrival = line->first;

        hear(line, arrival->bytes, arrival->length, arrival->is_end);
        line->first = arrival->next;
        if (line->first == NULL)
            line->last = &line->first;
        free(arrival);
    }
}

/* Until something comes, or can be sent, or is due; select, as it counts microseconds. */
static void
await(struct line *line)
{
    fd_set reads, writes;
    struct timeval left = {0, 0};
    int64_t due = line->first == NULL ? 0 : line->first->due - now();

    if (line->first == NULL && line->out.length == 0) {
        receive(line);
        return;
    }
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    if (!line->is_deaf)
        FD_SET(line->fd, &reads);
    if (line->out.length > 0)
        FD_SET(line->fd, &writes);
    if (due > 0)
        left = (struct timeval){(time_t)(due / 1000000), (suseconds_t)(due % 1000000)};
    if (select(line->fd + 1, &reads, &writes, NULL, line->first == NULL ? NULL : &left) > 0
        && FD_ISSET(line->fd, &reads))
        receive(line);
}

static void
close_line(struct line *line)
{
    while (line->first != NULL) {
        struct arrival *next = line->first->next;

        free(line->first);
        line->first = next;
    }
    SSL_free(line->ssl);
    EVP_MD_CTX_free(line->dialogue.digest);
    free(line->reply.bytes);
    free(line->out.bytes);
    close(line->fd);
    free(line);
}

void
line_serve(int fd, SSL_CTX *context, int is_tls, struct counts *counts)
{
    struct line *line = calloc(1, sizeof *line);
    int on = 1;

    if (line == NULL)
        die("calloc");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    line->fd = fd;
    line->context = context;
    line->opened = now();
    line->last = &line->first;
    line->dialogue.counts = counts;
    counts->connections++;
    if (is_tls)
        start_tls(line);
    else if (settings.round_trip > 0)
        put_off(line, 0, 0);    /* brings the greeting */
    else
        hear(line, NULL, 0, 0);
    while (!line->is_ending || line->out.length > 0) {
        send_some(line);
        if (!line->is_ending || line->out.length > 0)
            await(line);
        hear_due(line);
    }
    close_line(line);
}
