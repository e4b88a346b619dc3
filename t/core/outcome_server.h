/* outcome_server: a mail server in memory that takes one octet at a time and knows what it has accepted. */
#ifndef T_CORE_OUTCOME_SERVER_H
#define T_CORE_OUTCOME_SERVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER_MESSAGES = 3, SERVER_RECIPIENTS = 4, SERVER_REPLIES = 64, SERVER_SAYS = 2048 };

enum server_step { AT_START, AT_AUTH, AT_MAIL, AT_RCPT, AT_DATA, AT_CHUNK, AT_END, AT_RSET, AT_QUIT, AT_ANY_TIME };

/* One message: what the server answers. "m1@x" is the sender of the second, "r0@x" the first recipient. */
struct server_plan {
    int mail;
    int rcpt[SERVER_RECIPIENTS];     /* 0: there are no more */
    int data;                        /* as long as a recipient was taken */
    int chunk;                       /* to BDAT without LAST */
    int end;
    int other_end;                   /* LMTP: of every second recipient */
};

struct server_reply {
    enum server_step step;
    int message;
    int recipient;
    int code;
    size_t end;                      /* of all octets said, those up to here */
};

struct server {
    const struct server_plan *plan;  /* one for each message */
    const char *offers;              /* the keyword in the EHLO reply */
    int is_lax;                      /* wants content without recipients too */
    int lmtp;
    int auth;                        /* the answer to AUTH; 0: there is no AUTH */
    int is_open_to_all;              /* takes mail without the login */
    size_t farewell;                 /* the reply of this number is 421; 0: none is */
    int is_gone;

    char line[256];
    size_t length;
    int is_in;                       /* logged in */
    int in_auth;                     /* 334 was said: the next line is not a command */
    int in_content;
    size_t chunk;                    /* octets of it that are to come */
    int chunk_is_last;
    int chunk_was_refused;
    int message;                     /* whose transaction is open, as after a refused BDAT LAST; -1: none */
    unsigned taken;                  /* its recipients, a bit each */

    unsigned accepted[SERVER_MESSAGES];    /* what the server is responsible for */
    int has_ended[SERVER_MESSAGES];        /* all of the message came, whatever the answer was */
    int named;                             /* the message that MAIL spoke of last, accepted or not; -1: none */
    int has_come[SERVER_MESSAGES];         /* its last octet came, whether there was a transaction or not */
    struct server_reply replies[SERVER_REPLIES];
    size_t count;
    char says[SERVER_SAYS];
    size_t said;
};

/* A reply tells its number, so that no text can be taken for another's. */
static inline void
server_say(struct server *server, enum server_step step, int recipient, int code)
{
    struct server_reply *reply = &server->replies[server->count++];
    const char *more = step == AT_START && server->count == 2 ? server->offers : "";

    if (server->count >= SERVER_REPLIES || server->said > SERVER_SAYS - 128)
        abort();
    if (server->count == server->farewell)
        code = 421;
    if (*more != '\0')
        server->said += (size_t)sprintf(server->says + server->said, "%d-x\r\n%d-CHUNKING\r\n%s%d %s\r\n",
                                         code, code, server->auth != 0 ? "250-AUTH PLAIN\r\n" : "", code, more);
    else
        server->said += (size_t)sprintf(server->says + server->said, "%d n%d\r\n", code, (int)server->count);
    reply->step = step;
    reply->message = server->message;
    reply->recipient = recipient;
    reply->code = code;
    reply->end = server->said;
    server->is_gone |= code == 421 || step == AT_QUIT;
}

static inline void
server_init(struct server *server, const struct server_plan *plan, const char *offers)
{
    memset(server, 0, sizeof *server);
    server->plan = plan;
    server->offers = offers;
    server->message = server->named = -1;
    server_say(server, AT_START, -1, 220);
}

static inline void
server_hear_auth(struct server *server)
{
    server_say(server, AT_AUTH, -1, server->auth);
    server->is_in = server->replies[server->count - 1].code == 235;
    server->in_auth = server->replies[server->count - 1].code == 334;
}

static inline void
server_hear_mail(struct server *server)
{
    int is_stranger = server->auth != 0 && !server->is_in && !server->is_open_to_all;

    server->named = server->line[12] - '0';
    if (server->message >= 0) {    /* which stays as it was, and would get the recipients that follow */
        server_say(server, AT_RSET, -1, 503);
        return;
    }
    server->message = server->named;
    server->taken = 0;
    server->chunk_was_refused = 0;
    server_say(server, AT_MAIL, -1, is_stranger ? 530 : server->plan[server->message].mail);
    if (server->replies[server->count - 1].code != 250)
        server->message = -1;
}

static inline void
server_hear_rcpt(struct server *server)
{
    int recipient = server->line[10] - '0';

    server_say(server, AT_RCPT, recipient, server->message < 0 ? 503 : server->plan[server->message].rcpt[recipient]);
    if (server->replies[server->count - 1].code == 250)
        server->taken |= 1u << recipient;
}

static inline void
server_hear_data(struct server *server)
{
    int code = server->taken != 0 ? server->plan[server->message].data : server->is_lax ? 354 : 503;

    server_say(server, AT_DATA, -1, code);
    server->in_content = server->replies[server->count - 1].code == 354;
}

/* The answer to the end; a 250 is what makes the server responsible. */
static inline void
server_answer_end(struct server *server, int recipient, unsigned recipients)
{
    const struct server_plan *plan = &server->plan[server->message];

    if (server->is_gone)
        return;
    server_say(server, AT_END, recipient, recipient > 0 && recipient % 2 == 1 ? plan->other_end : plan->end);
    if (server->replies[server->count - 1].code == 250)
        server->accepted[server->message] |= recipients;
}

/* The transaction is over, and what it brought is in. */
static inline void
server_end_message(struct server *server)
{
    int i;

    if (server->named >= 0)
        server->has_come[server->named] = 1;
    server->in_content = 0;
    if (server->message < 0) {
        server_say(server, AT_END, -1, 554);
        return;
    }
    server->has_ended[server->message] = server->taken != 0;
    for (i = 0; server->lmtp && i < SERVER_RECIPIENTS; i++)
        if (server->taken >> i & 1)
            server_answer_end(server, i, 1u << i);
    if (!server->lmtp)
        server_answer_end(server, -1, server->taken);
    server->message = -1;
    server->taken = 0;
}

static inline void
server_end_chunk(struct server *server)
{
    int is_void = server->message < 0 || (server->taken == 0 && !server->is_lax) || server->chunk_was_refused;

    if (server->chunk_is_last && server->named >= 0)
        server->has_come[server->named] = 1;
    if (is_void)
        server_say(server, AT_RSET, -1, 503);
    else if (server->chunk_is_last) {
        int message = server->message;

        server_end_message(server);
        server->chunk_was_refused = server->replies[server->count - 1].code != 250;
        if (server->chunk_was_refused && !server->lmtp)
            server->message = message;
    }
    else {
        server_say(server, AT_CHUNK, -1, server->plan[server->message].chunk);
        server->chunk_was_refused |= server->replies[server->count - 1].code != 250;
    }
}

static inline void
server_hear_bdat(struct server *server)
{
    char *rest;

    server->chunk = strtoul(server->line + 5, &rest, 10);
    server->chunk_is_last = strcmp(rest, " LAST") == 0;
    if (server->chunk == 0)
        server_end_chunk(server);
}

static inline void
server_hear_command(struct server *server)
{
    if (server->in_auth) {
        server->in_auth = 0;
        server_say(server, AT_AUTH, -1, 501);
    } else if (strncmp(server->line, server->lmtp ? "LHLO" : "EHLO", 4) == 0)
        server_say(server, AT_START, -1, 250);
    else if (strncmp(server->line, "AUTH ", 5) == 0)
        server_hear_auth(server);
    else if (strncmp(server->line, "MAIL FROM:<", 11) == 0)
        server_hear_mail(server);
    else if (strncmp(server->line, "RCPT TO:<", 9) == 0)
        server_hear_rcpt(server);
    else if (strcmp(server->line, "DATA") == 0)
        server_hear_data(server);
    else if (strncmp(server->line, "BDAT ", 5) == 0)
        server_hear_bdat(server);
    else if (strcmp(server->line, "QUIT") == 0)
        server_say(server, AT_QUIT, -1, 221);
    else {
        server_say(server, AT_RSET, -1, strcmp(server->line, "RSET") == 0 ? 250 : 500);
        server->message = -1;
        server->taken = 0;
    }
}

static inline void
server_hear(struct server *server, char octet)
{
    if (server->is_gone || server->length >= sizeof server->line - 1)
        return;
    if (server->chunk > 0) {
        if (--server->chunk == 0)
            server_end_chunk(server);
        return;
    }
    server->line[server->length++] = octet;
    if (octet != '\n' || server->length < 2)
        return;
    server->line[server->length - 2] = '\0';
    server->length = 0;
    if (!server->in_content)
        server_hear_command(server);
    else if (strcmp(server->line, ".") == 0)
        server_end_message(server);
}

/* Unasked, and nothing more. */
static inline void
server_go(struct server *server, int code)
{
    if (!server->is_gone)
        server_say(server, AT_ANY_TIME, -1, code);
    server->is_gone = 1;
}

#endif
