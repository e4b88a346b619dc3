/* greeted: a session past its EHLO, what a server says to it, and what it says. */
#ifndef T_CORE_GREETED_H
#define T_CORE_GREETED_H

#include <stdint.h>

#include "login.h"
#include "tap.h"

static inline void
hear(struct smtpc_session *s, const char *text)
{
    smtpc_session_feed(s, text, strlen(text));
}

/* Takes n octets of what the session wants to say, or all of it; counts them. */
static inline size_t
take(struct smtpc_session *s, size_t n)
{
    const char *octets;
    size_t length;

    smtpc_session_output(s, &octets, &length);
    if (n > length)
        n = length;
    smtpc_session_sent(s, n);
    return n;
}

/* With what the server offers, in one line. */
static inline struct smtpc_session *
greeted(const char *offers)
{
    struct smtpc_session *s = smtpc_session_new();
    char reply[512];

    hear(s, "220 mail.example\r\n");
    smtpc_session_hello(s, "client.example", 14, 0);
    take(s, SIZE_MAX);
    snprintf(reply, sizeof reply, "250-mail.example\r\n250 %s\r\n", offers);
    hear(s, reply);
    return s;
}

static inline void
closed_with(struct smtpc_session *s, enum smtpc_error_kind kind, const char *words, const char *name)
{
    const struct smtpc_error *error = smtpc_session_error(s);
    int good = smtpc_session_wants(s) == SMTPC_WANT_CLOSED && error->kind == kind
        && strstr(error->text, words) != NULL;

    ok(good, "%s", name);
    if (!good)
        printf("# %s: %s\n", smtpc_error_kind_name(error->kind), error->text);
}

#endif
