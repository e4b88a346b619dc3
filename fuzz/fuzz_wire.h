/* fuzz_wire: reads along what a session says and hears, and knows what may be told of a message. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include "oracle.h"

#include "smtp/session.h"

#define WIRE_HOST "@fuzz.example"    /* of senders, so that a message is known by its number: u7@fuzz.example */

enum { WIRE_MESSAGES = 4096, WIRE_LINE = 128, WIRE_ROOM = 1024 };

enum wire_kind { WIRE_OTHER, WIRE_AUTH, WIRE_MAIL, WIRE_RCPT, WIRE_DATA, WIRE_CHUNK, WIRE_END, WIRE_RSET };

struct wire_message {
    int has_left;       /* its end */
    int is_answered;    /* by whole replies, all of them */
    int is_taken;       /* one of them was 2yz */
    int is_void;        /* its envelope was said behind a login that failed */
};

struct wire {
    struct wire_message messages[WIRE_MESSAGES];    /* by number; 0: those that are led command by command */
    struct { enum wire_kind kind; unsigned message; } waiting[WIRE_ROOM];    /* said and not answered */
    size_t first, count;
    char line[WIRE_LINE + 1];
    size_t length;
    unsigned message;          /* whose MAIL was said last */
    size_t chunk;              /* octets that are to come */
    int chunk_is_last;
    int in_content;
    int lmtp;
    int mail_is_good;
    size_t accepted;           /* recipients of the transaction that is answered now */
    struct smtpc_reply reply;
    int was_asked_for;         /* the reply that is being read */
    int is_lost;               /* the dialogue is over, or should be */
};

static inline void
wire_await(struct wire *w, enum wire_kind kind)
{
    must(w->count < WIRE_ROOM);
    w->waiting[(w->first + w->count) % WIRE_ROOM].kind = kind;
    w->waiting[(w->first + w->count) % WIRE_ROOM].message = w->message;
    w->count++;
}

static inline void
wire_init(struct wire *w)
{
    memset(w, 0, sizeof *w);
    smtpc_reply_init(&w->reply);
    wire_await(w, WIRE_OTHER);    /* the greeting */
}

static inline void
wire_end(struct wire *w)
{
    struct wire_message *message = &w->messages[w->message];

    message->has_left = 1;
    message->is_answered = message->is_taken = 0;
    wire_await(w, WIRE_END);
}

/* The content goes only where the login has succeeded. */
static inline void
wire_check_content(const struct wire *w)
{
    size_t i;

    must(!w->messages[w->message].is_void);
    for (i = 0; i < w->count; i++)
        must(w->waiting[(w->first + i) % WIRE_ROOM].kind != WIRE_AUTH);
}

static inline void
wire_say_chunk(struct wire *w)
{
    char *rest;

    wire_check_content(w);
    w->chunk = strtoul(w->line + 5, &rest, 10);
    w->chunk_is_last = strncmp(rest, " LAST", 5) == 0;
    if (w->chunk == 0 && w->chunk_is_last)
        wire_end(w);
    else if (w->chunk == 0)
        wire_await(w, WIRE_CHUNK);
}

static inline void
wire_say_mail(struct wire *w)
{
    unsigned number = 0;
    int used = 0;

    if (sscanf(w->line, "MAIL FROM:<u%u" WIRE_HOST ">%n", &number, &used) != 1 || used == 0)
        number = 0;
    must(number < WIRE_MESSAGES);
    w->message = number;
    wire_await(w, WIRE_MAIL);
}

static inline void
wire_say_line(struct wire *w)
{
    if (w->in_content) {
        w->in_content = strcmp(w->line, ".\r\n") != 0;
        if (!w->in_content)
            wire_end(w);
    } else if (strncmp(w->line, "BDAT ", 5) == 0)
        wire_say_chunk(w);
    else if (strncmp(w->line, "MAIL FROM:<", 11) == 0)
        wire_say_mail(w);
    else if (strcmp(w->line, "RSET\r\n") == 0 || strncmp(w->line + 1, "HLO ", 4) == 0) {
        w->message = 0;    /* what follows without MAIL is no message of ours */
        wire_await(w, WIRE_RSET);
    } else
        wire_await(w, strncmp(w->line, "AUTH ", 5) == 0 ? WIRE_AUTH : strncmp(w->line, "RCPT TO:", 8) == 0 ? WIRE_RCPT
                   : strcmp(w->line, "DATA\r\n") == 0 ? WIRE_DATA : WIRE_OTHER);
}

/* What was handed over. Of long lines the beginning is enough. */
static inline void
wire_say(struct wire *w, const char *octets, size_t n)
{
    for (; n > 0 && !w->is_lost; octets++, n--) {
        if (w->chunk > 0) {
            if (--w->chunk == 0 && w->chunk_is_last)
                wire_end(w);
            else if (w->chunk == 0)
                wire_await(w, WIRE_CHUNK);
            continue;
        }
        if (w->length < WIRE_LINE)
            w->line[w->length++] = *octets;
        if (*octets != '\n')
            continue;
        w->line[w->length] = '\0';
        w->length = 0;
        wire_say_line(w);
    }
}

static inline void
wire_hear_auth(struct wire *w)
{
    size_t i;

    for (i = 0; smtpc_reply_class(&w->reply) != 2 && i < w->count; i++)
        if (w->waiting[(w->first + i) % WIRE_ROOM].kind == WIRE_MAIL)
            w->messages[w->waiting[(w->first + i) % WIRE_ROOM].message].is_void = 1;
}

/* 1 when it is the last reply to the end. In LMTP there is one for each who was accepted. */
static inline int
wire_hear_end(struct wire *w, struct wire_message *message)
{
    message->is_taken |= smtpc_reply_class(&w->reply) == 2;
    if (w->lmtp && w->accepted > 1) {
        w->accepted--;
        return 0;
    }
    w->accepted = 0;
    message->is_answered = 1;
    return 1;
}

static inline void
wire_hear_reply(struct wire *w)
{
    enum wire_kind kind = w->waiting[w->first].kind;
    struct wire_message *message = &w->messages[w->waiting[w->first].message];
    int class = smtpc_reply_class(&w->reply);

    w->is_lost = !w->was_asked_for || w->reply.code == 421
        || (class == 3 && (kind == WIRE_END || kind == WIRE_CHUNK));
    if (w->is_lost || (kind == WIRE_END && !wire_hear_end(w, message)))
        return;
    if (kind == WIRE_AUTH)
        wire_hear_auth(w);
    if (kind == WIRE_MAIL || kind == WIRE_RSET || (kind == WIRE_CHUNK && class != 2))
        w->accepted = 0;
    if (kind == WIRE_MAIL)
        w->mail_is_good = class == 2;
    w->accepted += kind == WIRE_RCPT && class == 2 && w->mail_is_good;
    w->in_content |= kind == WIRE_DATA && class == 3;
    w->first = (w->first + 1) % WIRE_ROOM;
    w->count--;
}

static inline void
wire_hear(struct wire *w, const char *octets, size_t n)
{
    size_t used;

    for (; n > 0 && !w->is_lost; octets += used, n -= used) {
        enum smtpc_reply_status status;

        if (smtpc_reply_is_empty(&w->reply))
            w->was_asked_for = w->count > 0;
        status = smtpc_reply_feed(&w->reply, octets, n, &used);
        w->is_lost |= status == SMTPC_REPLY_BAD;
        if (status != SMTPC_REPLY_DONE)
            continue;
        wire_hear_reply(w);
        smtpc_reply_reset(&w->reply);
    }
}

/* Half a reply to EHLO counts as a whole one. */
static inline void
wire_hear_silence(struct wire *w)
{
    w->first = (w->first + 1) % WIRE_ROOM;
    w->count--;
    smtpc_reply_reset(&w->reply);
}

/* The number of a message by its sender; 0: it is led command by command. */
static inline unsigned
wire_number(const struct smtpc_submission *submission)
{
    const struct smtpc_envelope *envelope = &submission->envelope;
    char sender[WIRE_LINE];
    unsigned number = 0;

    if (!submission->is_whole || envelope->sender.length >= sizeof sender || envelope->sender.length == 0)
        return 0;
    memcpy(sender, envelope->sender.bytes, envelope->sender.length);
    sender[envelope->sender.length] = '\0';
    return strstr(sender, WIRE_HOST) != NULL && sscanf(sender, "u%u", &number) == 1 ? number : 0;
}

/* What is told of a message that runs by itself is what passed. */
static inline void
wire_check(const struct wire *w, const struct smtpc_submission *submission)
{
    const struct wire_message *message = &w->messages[wire_number(submission)];
    size_t sent = smtpc_envelope_count(&submission->envelope, SMTPC_OUTCOME_SENT);
    size_t unknown = smtpc_envelope_count(&submission->envelope, SMTPC_OUTCOME_UNKNOWN);

    if (wire_number(submission) == 0)
        return;
    must(sent == 0 || (message->has_left && message->is_taken && !message->is_void));
    must(unknown == 0 || (message->has_left && !message->is_answered));
}

#endif
