/* main: what is said in which flight: raw MODE [WINDOW] [resumed]; the job is in the environment. */
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct job job;

void
die(const char *what)
{
    fprintf(stderr, "raw: %.200s\n", what);
    perror("raw");
    exit(1);
}

static void
say(const char *text)
{
    link_say(text, strlen(text));
}

static void
ask(const char *text, int digit)
{
    say(text);
    link_flush();
    link_expect(digit);
}

static void
expect_all(long n, int digit)
{
    for (; n > 0; n--)
        link_expect(digit);
}

/* ---- one message after another ---- */

static void
say_recipients(void)
{
    char line[64];
    long i;

    for (i = 1; i <= job.recipients; i++) {
        int n = snprintf(line, sizeof line, "RCPT TO:<b%ld@example.com>\r\n", i);

        link_say(line, (size_t)n);
        if (job.mode == LOCKSTEP) {
            link_flush();
            link_expect('2');
        }
    }
}

static void
say_envelope(void)
{
    say("MAIL FROM:<a@example.com>\r\n");
    say_recipients();
}

static void
send_in_lockstep(void)
{
    long i;

    for (i = 0; i < job.count; i++) {
        ask("MAIL FROM:<a@example.com>\r\n", '2');
        say_recipients();
        ask("DATA\r\n", '3');
        content_say_data();
        link_flush();
        link_expect('2');
    }
    ask("QUIT\r\n", '2');
}

/* The end of each message and the envelope of the next in one flight. */
static void
send_by_data(void)
{
    long i;

    say_envelope();
    say("DATA\r\n");
    for (i = 0; i < job.count; i++) {
        link_flush();
        expect_all((i > 0) + 1 + job.recipients, '2');
        link_expect('3');
        content_say_data();
        if (i + 1 < job.count) {
            say("RSET\r\n");
            say_envelope();
            say("DATA\r\n");
        } else
            say("QUIT\r\n");
        link_flush();
        link_expect('2');
    }
    link_expect('2');
}

/* When half of the window has been answered it is filled again. */
static void
send_by_bdat(int is_begun)
{
    long said = 0;
    long answered = 0;

    while (answered < job.count) {
        while (said < job.count && said < answered + job.window) {
            if (said > 0)
                say("RSET\r\n");
            if (said > 0 || !is_begun)
                say_envelope();
            content_say_bdat();
            said++;
        }
        if (said == job.count)
            say("QUIT\r\n");    /* once: then all that is left is awaited */
        link_flush();
        do {
            expect_all((answered > 0) + (answered > 0 || !is_begun ? 1 + job.recipients : 0) + content_chunks(), '2');
            answered++;
        } while (answered < said && (said == job.count || said - answered > job.window / 2));
    }
    link_expect('2');
}

/* ---- one session ---- */

static void
introduce(void)
{
    link_expect('2');
    ask("EHLO [127.0.0.1]\r\n", '2');
    if (strcmp(job.tls, "starttls") == 0) {
        ask("STARTTLS\r\n", '2');
        link_start_tls(&job);
        ask("EHLO [127.0.0.1]\r\n", '2');
    }
    say("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    if (job.mode == EARLY)
        say_envelope();
    link_flush();
    link_expect('2');
    if (job.mode == EARLY)
        expect_all(1 + job.recipients, '2');
}

static void
run_session(void)
{
    link_open(&job);
    introduce();
    if (job.mode == LOCKSTEP)
        send_in_lockstep();
    else if (job.mode == PIPELINED)
        send_by_data();
    else
        send_by_bdat(job.mode == EARLY);
    link_close();
}

static const char *
given(const char *name)
{
    const char *value = getenv(name);

    if (value == NULL)
        die(name);
    return value;
}

int
main(int argc, char **argv)
{
    static const char *const modes[] = {"lockstep", "data", "bdat", "early"};
    int i;

    for (i = 0; i < 4 && argc > 1; i++)
        if (strcmp(argv[1], modes[i]) == 0)
            job.mode = (enum mode)i;
    job.window = argc > 2 && atol(argv[2]) > 0 ? atol(argv[2]) : 1;
    job.is_resuming = argc > 1 && strcmp(argv[argc - 1], "resumed") == 0;
    job.port = given("BENCH_PORT");
    job.tls = given("BENCH_TLS");
    job.ca = given("BENCH_CA");
    job.count = atol(given("BENCH_COUNT"));
    job.sessions = atol(given("BENCH_SESSIONS"));
    job.recipients = atol(given("BENCH_RECIPIENTS"));
    content_open(given("BENCH_FILE"));
    for (; job.sessions > 0; job.sessions--)
        run_session();
    return 0;
}
