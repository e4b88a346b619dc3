/* queued: messages under way on one connection: how they are begun, and what became of them. */
#ifndef T_CORE_QUEUED_H
#define T_CORE_QUEUED_H

#include "greeted.h"

enum { QUEUED = 8, SAID = 65536 };

/* What the session wants to say, taken. */
static inline const char *
said(struct smtpc_session *s)
{
    static char text[SAID];
    const char *octets;
    size_t n;

    smtpc_session_output(s, &octets, &n);
    snprintf(text, sizeof text, "%.*s", (int)n, n > 0 ? octets : "");
    smtpc_session_sent(s, n);
    return text;
}

static inline void
says(struct smtpc_session *s, const char *expected, const char *name)
{
    is_string(said(s), expected, name);
}

static inline int
begin(struct smtpc_session *s, const char *sender, int recipients)
{
    char path[8];
    int i;

    if (smtpc_session_open_envelope(s, sender, strlen(sender), "") != 0)
        return -1;
    for (i = 0; i < recipients; i++)
        if (smtpc_session_add_recipient(s, path, (size_t)snprintf(path, sizeof path, "r%d@y", i), "") != 0)
            return -1;
    return smtpc_session_submit(s);
}

static inline void
give(struct smtpc_session *s)
{
    smtpc_session_content(s, "x\n", 2);
    smtpc_session_end(s);
}

static inline struct smtpc_session *
chunking(void)
{
    struct smtpc_session *s = greeted("HELP");

    smtpc_session_hello(s, "c", 1, 0);
    take(s, SIZE_MAX);
    hear(s, "250-x\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 CHUNKING\r\n");
    return s;
}

/* One message was said up to its end, and is not answered. */
static inline struct smtpc_session *
ended(const char *offers, enum smtpc_manner manner)
{
    struct smtpc_session *s = offers == NULL ? chunking() : greeted(offers);

    smtpc_session_set_window(s, QUEUED);
    smtpc_session_set_manner(s, manner);
    begin(s, "a@x", 1);
    if (manner == SMTPC_BY_DATA) {
        take(s, SIZE_MAX);
        hear(s, "250 ok\r\n250 ok\r\n354 go\r\n");
    }
    give(s);
    return s;
}

/* The outcomes of the oldest message that is over, in a word; then it is dropped. */
static inline const char *
became(struct smtpc_session *s)
{
    static char text[256];
    const struct smtpc_submission *over = smtpc_session_finished(s);
    size_t i;

    text[0] = '\0';
    if (over == NULL)
        return "nothing is over";
    for (i = 0; i < over->envelope.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
                 smtpc_outcome_name(over->envelope.recipients[i].outcome));
    if (smtpc_error_is_set(&over->error))
        snprintf(text + strlen(text), sizeof text - strlen(text), ", %s %d",
                 smtpc_error_kind_name(over->error.kind), over->error.code);
    smtpc_session_drop_finished(s);
    return text;
}

#endif
