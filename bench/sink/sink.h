/* sink.h: a mail server that keeps nothing and counts: its numbers, its dialogue, its lines. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

/* Of one line; of all lines since they were asked for the last time. */
struct counts {
    long connections, resumed, logins, messages, recipients;
    long wrong;              /* messages with another digest than the one expected */
    long flights;            /* times the server spoke after it had heard: what a client that waits has waited for */
    long receives;           /* pieces that came from the sockets */
    int64_t octets;          /* of messages, without the dots that DATA adds and without its last one */
    int64_t first, last;     /* microseconds: the first MAIL, the last end of a message */
};

enum offer { OFFERS_PIPELINING = 1, OFFERS_CHUNKING = 2, OFFERS_AUTH = 4 };

/* They change while no line is open. */
struct settings {
    int64_t round_trip;      /* microseconds that the sink pretends */
    int offers;
    char digest[65];         /* SHA-256 in hex of what each message must be; "": whatever comes */
};

extern struct settings settings;

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
    int has_sender;
    long recipients;
    int matched;             /* of CRLF.CRLF */
    int64_t chunk;           /* octets that are still to come */
    char line[4096];
    size_t length;
    EVP_MD_CTX *digest;
    struct counts *counts;
};

void dialogue_greet(struct octets *reply);

/* Hears n octets, and appends what is to be said. Octets heard: less than n behind STARTTLS or QUIT. */
size_t dialogue_hear(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply);

/* Content of a message up to its end, or n octets of it; the result is how many were taken. *is_end: it has ended. */
size_t content_of_data(struct dialogue *dialogue, const char *bytes, size_t n, int *is_end);
size_t content_of_chunk(struct dialogue *dialogue, const char *bytes, size_t n, int *is_end);

/* Compares what came with what was expected, and forgets it. */
void content_end(struct dialogue *dialogue);

/* Serves a connected socket until it closes, TLS at once or when STARTTLS comes; adds to counts. */
void line_serve(int fd, SSL_CTX *context, int is_tls, struct counts *counts);

int64_t now(void);
void die(const char *what);

#endif
