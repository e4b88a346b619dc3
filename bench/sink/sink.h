/* sink.h: a mail server that keeps nothing and counts: its numbers, its dialogue, its lines. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/* Since they were asked for the last time. */
struct counts {
    long connections, logins, messages, recipients;
    long flights;            /* times the server spoke after it had heard: what a client that waits has waited for */
    long receives;           /* pieces that came from the sockets */
    int64_t octets;          /* of messages, as they came */
    int64_t first, last;     /* microseconds: the first MAIL, the last end of a message */
};

extern struct counts counts;

struct octets {
    char *bytes;
    size_t length, room;
};

void octets_append(struct octets *octets, const char *bytes, size_t n);
void octets_take(struct octets *octets, size_t n);

enum place { IN_COMMANDS, IN_RESPONSE, IN_DATA, IN_CHUNK };

struct dialogue {
    enum place place;
    int is_secure, is_logged_in, wants_tls, is_over, is_last_chunk;
    int matched;             /* of CRLF.CRLF */
    int64_t chunk;           /* octets that are still to come */
    char line[4096];
    size_t length;
};

void dialogue_greet(struct octets *reply);

/* Hears n octets, and appends what is to be said. Octets heard: less than n behind STARTTLS or QUIT. */
size_t dialogue_hear(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply);

/* What came, and when it would have come from afar. */
struct arrival {
    struct arrival *next;
    int64_t due;
    int is_end;
    size_t length;
    char bytes[];
};

struct line {
    int fd;                       /* -1: free */
    int is_greeted, has_heard, is_ending;
    int is_deaf;                  /* the end of what comes has come */
    int64_t opened;
    SSL *ssl;
    struct dialogue dialogue;
    struct arrival *first, **last;
    struct octets out;
};

/* On a connected socket; TLS at once, or when STARTTLS comes. */
void line_open(struct line *line, int fd, SSL_CTX *context, int is_tls);
void line_receive(struct line *line);

/* Hears all that has arrived by now, and sends what there is to say; may close the line. */
void line_work(struct line *line);

extern int64_t round_trip;        /* microseconds that the sink pretends */

int64_t now(void);
void die(const char *what);

#endif
