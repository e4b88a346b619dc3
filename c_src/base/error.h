/* error: what went wrong, at which step, whose fault. */
#ifndef SMTPC_BASE_ERROR_H
#define SMTPC_BASE_ERROR_H

#include <stddef.h>

/* Whose fault it is; the names that smtpc_error_kind_name() gives are those of Net::SMTP::AuthC::Error. */
enum smtpc_error_kind {
    SMTPC_ERROR_NONE,
    SMTPC_ERROR_USAGE,       /* the caller's argument; nothing was sent for it */
    SMTPC_ERROR_CONNECT,     /* name lookup, TCP */
    SMTPC_ERROR_TLS,         /* handshake, certificate, STARTTLS refused */
    SMTPC_ERROR_PROTOCOL,    /* the server broke RFC 5321 */
    SMTPC_ERROR_AUTH,        /* no usable mechanism, or the server refused the login */
    SMTPC_ERROR_REFUSED,     /* 5yz */
    SMTPC_ERROR_DEFERRED,    /* 4yz */
    SMTPC_ERROR_TIMEOUT,     /* a deadline passed */
    SMTPC_ERROR_CLOSED,      /* the connection ended */
    SMTPC_ERROR_INTERRUPTED, /* the caller left a call half-way (a signal handler died) */
    SMTPC_ERROR_SYSTEM       /* memory, descriptors */
};

enum { SMTPC_ERROR_TEXT_MAX = 512, SMTPC_ENHANCED_MAX = 12 };

/* The sticky first failure. Zeroed bytes are "no error". text is one printable line of ASCII. */
struct smtpc_error {
    enum smtpc_error_kind kind;
    const char *step;                    /* static: "EHLO", "RCPT", "connect"; NULL: none */
    int system_errno;                    /* 0: none */
    int code;                            /* SMTP reply code, 0: none */
    char enhanced[SMTPC_ENHANCED_MAX];   /* "5.7.8" or "" */
    int temporary;                       /* 1: trying later may help */
    int may_have_been_sent;              /* 1: the last octet of a message left, and no reply came */
    char text[SMTPC_ERROR_TEXT_MAX];
};

/* Records a failure unless one is there already. Always -1, so that callers can return it.
 * Octets outside 32..126 in the formatted text are shown as '?'. */
int smtpc_error_set(struct smtpc_error *error, enum smtpc_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with ": " and the system's words for system_errno behind the text. */
int smtpc_error_set_system(struct smtpc_error *error, enum smtpc_error_kind kind, int system_errno,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The failure of an allocation. */
int smtpc_error_set_memory(struct smtpc_error *error);

void smtpc_error_clear(struct smtpc_error *error);

int smtpc_error_is_set(const struct smtpc_error *error);

/* "usage", "connect", ...; "" for SMTPC_ERROR_NONE. */
const char *smtpc_error_kind_name(enum smtpc_error_kind kind);

#endif
