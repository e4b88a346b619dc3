/* dialogue: says yes to everything that is said in order, and counts it. */
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
say(struct octets *reply, const char *text)
{
    octets_append(reply, text, strlen(text));
}

void
dialogue_greet(struct octets *reply)
{
    say(reply, "220 sink.example ESMTP\r\n");
}

static void
hear_ehlo(struct dialogue *dialogue, struct octets *reply)
{
    say(reply, "250-sink.example\r\n250-SIZE 0\r\n250-8BITMIME\r\n");
    if (settings.offers & OFFERS_PIPELINING)
        say(reply, "250-PIPELINING\r\n");
    if (settings.offers & OFFERS_CHUNKING)
        say(reply, "250-CHUNKING\r\n");
    if (!dialogue->is_secure)
        say(reply, "250-STARTTLS\r\n");
    if (settings.offers & OFFERS_AUTH)
        say(reply, "250-AUTH PLAIN\r\n");
    say(reply, "250 ENHANCEDSTATUSCODES\r\n");
}

static void
log_in(struct dialogue *dialogue, struct octets *reply)
{
    dialogue->place = IN_COMMANDS;
    dialogue->is_logged_in = 1;
    dialogue->counts->logins++;
    say(reply, "235 2.7.0 welcome\r\n");
}

static void
hear_auth(struct dialogue *dialogue, struct octets *reply)
{
    if (strncasecmp(dialogue->line, "AUTH PLAIN", 10) != 0)
        say(reply, "504 5.5.4 PLAIN only\r\n");
    else if (strlen(dialogue->line) > strlen("AUTH PLAIN "))
        log_in(dialogue, reply);
    else {
        dialogue->place = IN_RESPONSE;
        say(reply, "334 \r\n");
    }
}

static void
reset(struct dialogue *dialogue)
{
    dialogue->has_sender = 0;
    dialogue->recipients = 0;
}

static void
end_message(struct dialogue *dialogue, struct octets *reply)
{
    content_end(dialogue);
    dialogue->counts->messages++;
    dialogue->counts->recipients += dialogue->recipients;
    dialogue->counts->last = now();
    reset(dialogue);
    say(reply, "250 2.0.0 taken\r\n");
}

static void
hear_mail(struct dialogue *dialogue, struct octets *reply)
{
    if (dialogue->counts->first == 0)
        dialogue->counts->first = now();
    if (dialogue->has_sender)
        say(reply, "503 5.5.1 a transaction is open\r\n");
    else if (!dialogue->is_logged_in && (settings.offers & OFFERS_AUTH))
        say(reply, "530 5.7.0 log in first\r\n");
    else {
        dialogue->has_sender = 1;
        say(reply, "250 2.1.0 good\r\n");
    }
}

static void
hear_rcpt(struct dialogue *dialogue, struct octets *reply)
{
    dialogue->recipients += dialogue->has_sender;
    say(reply, dialogue->has_sender ? "250 2.1.5 good\r\n" : "503 5.5.1 MAIL first\r\n");
}

static void
hear_data(struct dialogue *dialogue, struct octets *reply)
{
    if (dialogue->recipients == 0) {
        say(reply, "503 5.5.1 RCPT first\r\n");
        return;
    }
    dialogue->place = IN_DATA;
    dialogue->matched = 2;    /* the line before has ended */
    say(reply, "354 go on\r\n");
}

static void
hear_bdat(struct dialogue *dialogue)
{
    char *rest;

    dialogue->chunk = strtoll(dialogue->line + 4, &rest, 10);
    dialogue->is_last_chunk = strncasecmp(rest, " LAST", 5) == 0;
    dialogue->place = IN_CHUNK;
}

static void
end_chunk(struct dialogue *dialogue, struct octets *reply)
{
    dialogue->place = IN_COMMANDS;
    if (dialogue->recipients == 0)
        say(reply, "503 5.5.1 RCPT first\r\n");
    else if (dialogue->is_last_chunk)
        end_message(dialogue, reply);
    else
        say(reply, "250 2.0.0 chunk\r\n");
}

static int
is_command(const struct dialogue *dialogue, const char *verb)
{
    return strncasecmp(dialogue->line, verb, 4) == 0;
}

/* The most frequent first. */
static void
hear_command(struct dialogue *dialogue, struct octets *reply)
{
    if (is_command(dialogue, "RCPT"))
        hear_rcpt(dialogue, reply);
    else if (is_command(dialogue, "MAIL"))
        hear_mail(dialogue, reply);
    else if (is_command(dialogue, "DATA"))
        hear_data(dialogue, reply);
    else if (is_command(dialogue, "BDAT"))
        hear_bdat(dialogue);
    else if (is_command(dialogue, "RSET") || is_command(dialogue, "NOOP")) {
        if (is_command(dialogue, "RSET"))
            reset(dialogue);
        say(reply, "250 2.0.0 good\r\n");
    } else if (is_command(dialogue, "EHLO"))
        hear_ehlo(dialogue, reply);
    else if (is_command(dialogue, "AUTH"))
        hear_auth(dialogue, reply);
    else if (is_command(dialogue, "STARTTLS")) {
        dialogue->wants_tls = 1;
        say(reply, "220 2.0.0 go ahead\r\n");
    } else if (is_command(dialogue, "HELO"))
        say(reply, "250 sink.example\r\n");
    else if (is_command(dialogue, "QUIT")) {
        dialogue->is_over = 1;
        say(reply, "221 2.0.0 bye\r\n");
    } else
        say(reply, "500 5.5.1 what?\r\n");
}

/* Up to the end of a line. */
static size_t
hear_line(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply)
{
    const char *lf = memchr(bytes, '\n', n);
    size_t taken = lf == NULL ? n : (size_t)(lf - bytes) + 1;
    size_t kept = taken;

    if (kept > sizeof dialogue->line - 1 - dialogue->length)
        kept = sizeof dialogue->line - 1 - dialogue->length;
    memcpy(dialogue->line + dialogue->length, bytes, kept);
    dialogue->length += kept;
    if (lf == NULL)
        return taken;
    while (dialogue->length > 0 && strchr("\r\n", dialogue->line[dialogue->length - 1]) != NULL)
        dialogue->length--;
    dialogue->line[dialogue->length] = '\0';
    dialogue->length = 0;
    if (dialogue->place == IN_RESPONSE)
        log_in(dialogue, reply);
    else
        hear_command(dialogue, reply);
    return taken;
}

static size_t
hear_content(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply)
{
    int is_end;
    size_t taken = content_of_data(dialogue, bytes, n, &is_end);

    if (is_end) {
        dialogue->place = IN_COMMANDS;
        end_message(dialogue, reply);
    }
    return taken;
}

static size_t
hear_chunk(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply)
{
    int is_end;
    size_t taken = content_of_chunk(dialogue, bytes, n, &is_end);

    if (is_end)
        end_chunk(dialogue, reply);
    return taken;
}

size_t
dialogue_hear(struct dialogue *dialogue, const char *bytes, size_t n, struct octets *reply)
{
    size_t taken = 0;

    while (!dialogue->wants_tls && !dialogue->is_over
           && (taken < n || (dialogue->place == IN_CHUNK && dialogue->chunk == 0))) {
        if (dialogue->place == IN_DATA)
            taken += hear_content(dialogue, bytes + taken, n - taken, reply);
        else if (dialogue->place == IN_CHUNK)
            taken += hear_chunk(dialogue, bytes + taken, n - taken, reply);
        else
            taken += hear_line(dialogue, bytes + taken, n - taken, reply);
    }
    return taken;
}
