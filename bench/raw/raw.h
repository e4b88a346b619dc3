/* raw.h: the limit that others are compared with: a client in C that knows its server, and nothing more. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <stddef.h>

/* lock-step: each command waits; DATA: a round trip a message; BDAT: a transaction in one flight; early: AUTH, MAIL
   and RCPT in one flight, BDAT behind it. */
enum mode { LOCKSTEP, PIPELINED, BDAT, EARLY };

struct job {
    enum mode mode;
    long window;             /* messages that wait for their reply at most; with BDAT */
    int is_resuming;
    const char *port, *tls;  /* "implicit", "starttls", "none" */
    const char *ca;          /* a file, or a hashed folder */
    const char *file;        /* LF line ends */
    long count, sessions, recipients;
};

/* ---- link: a connection ---- */

void link_open(const struct job *job);
void link_start_tls(const struct job *job);
void link_say(const char *bytes, size_t n);      /* into a buffer, which leaves when it is large */
char *link_room(size_t n);                       /* of that buffer, for n octets */
void link_took(size_t n);                        /* so many were written there */
void link_flush(void);
void link_expect(int digit);                     /* the next reply begins with it, or this is the end */
void link_close(void);

/* ---- content: the message ---- */

void content_open(const char *file);
void content_say_data(void);                     /* with its last dot */
void content_say_bdat(void);                     /* its last chunk is LAST */
int content_chunks(void);                        /* and so many replies */

void die(const char *what);

#endif
