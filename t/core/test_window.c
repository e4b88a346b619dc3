/* test_window: how much may be under way on one connection, and in whose turn things happen. */
#include "queued.h"

static void
test_window(void)
{
    size_t window;

    for (window = 1; window <= 5; window++) {
        struct smtpc_session *s = chunking();
        size_t begun = 0;

        smtpc_session_set_window(s, window);
        smtpc_session_set_manner(s, SMTPC_BY_BDAT_AHEAD);
        do {
            begun += begin(s, "a@x", 1) == 0;
            give(s);
        } while (smtpc_session_wants(s) == SMTPC_WANT_NEXT && begun < 20);
        ok(begun == window, "%zu asked for with a window of %zu", begun, window);
        take(s, SIZE_MAX);
        ok(smtpc_session_wants(s) == SMTPC_WANT_READ, "then it is the server's turn");
        hear(s, "250 m\r\n250 r\r\n250 queued\r\n");
        ok(smtpc_session_wants(s) == (window > 1 ? SMTPC_WANT_NEXT : SMTPC_WANT_IDLE), "one is over");
        is_string(became(s), "sent", "it");
        ok(smtpc_session_wants(s) == (window > 1 ? SMTPC_WANT_NEXT : SMTPC_WANT_IDLE), "another may come");
        smtpc_session_free(s);
    }
}

/* Whoever does not drop what is over is stopped at some time, and can go on afterwards. */
static void
test_queue_is_bounded(void)
{
    struct smtpc_session *s = chunking();
    int begun = 0, told = 0;

    smtpc_session_set_window(s, SIZE_MAX);
    smtpc_session_set_manner(s, SMTPC_BY_BDAT_AHEAD);
    while (begun < 1000 && begin(s, "a@x", 1) == 0) {
        give(s);
        take(s, SIZE_MAX);
        hear(s, "250 m\r\n250 r\r\n250 queued\r\n");
        begun++;
    }
    ok(begun == SMTPC_SESSION_QUEUE_MAX, "%d messages that nobody has dropped", begun);
    ok(smtpc_session_wants(s) != SMTPC_WANT_CLOSED, "and the session lives");
    for (; smtpc_session_finished(s) != NULL; told++)
        smtpc_session_drop_finished(s);
    ok(told == begun && begin(s, "a@x", 1) == 0, "when they are dropped, another may come");
    smtpc_session_free(s);
}

/* Never more ahead than is allowed, in commands and in octets, whatever is asked for. */
static void
test_ahead_is_bounded(void)
{
    static char path[200];
    struct smtpc_session *s = chunking();
    size_t most = 0, lines = 0, heard = 0;
    int i, k;

    memset(path, 'r', sizeof path);
    path[100] = '@';
    smtpc_session_set_window(s, 50);
    smtpc_session_set_manner(s, SMTPC_BY_BDAT_AHEAD);
    for (i = 0; i < 20; i++) {
        while (smtpc_session_wants(s) == SMTPC_WANT_WRITE || smtpc_session_wants(s) == SMTPC_WANT_READ) {
            const char *octets;
            size_t n;

            smtpc_session_output(s, &octets, &n);
            most = n > most ? n : most;
            for (; n > 0; n--)
                lines += *octets++ == '\n';
            take(s, SIZE_MAX);
            if (lines - heard > 2 * SMTPC_SESSION_AHEAD_MAX)
                break;
            if (smtpc_session_wants(s) == SMTPC_WANT_READ) {
                hear(s, "250 ok\r\n");
                heard++;
            }
        }
        if (smtpc_session_wants(s) == SMTPC_WANT_CONTENT)
            give(s);
        if (smtpc_session_wants(s) != SMTPC_WANT_NEXT && smtpc_session_wants(s) != SMTPC_WANT_IDLE)
            continue;
        while (smtpc_session_finished(s) != NULL)
            smtpc_session_drop_finished(s);
        if (!smtpc_session_may_go_on(s) && smtpc_session_wants(s) != SMTPC_WANT_IDLE)
            continue;
        smtpc_session_open_envelope(s, "a@x", 3, "");
        for (k = 0; k < 2000; k++)
            smtpc_session_add_recipient(s, path, sizeof path, "");
        ok(smtpc_session_submit(s) == 0, "2000 long recipients");
    }
    ok(smtpc_session_wants(s) != SMTPC_WANT_CLOSED && most <= 131072 + 1024, "%zu octets at most", most);
    ok(lines - heard <= 2 * SMTPC_SESSION_AHEAD_MAX, "and so many commands");
    smtpc_session_free(s);
}

/* Content that waits for the server while an earlier message comes to its end: the caller has asked for nothing new, so
 * that a piece that is wanted, or the end, is always taken; and an end that is too early is no end. */
static struct smtpc_session *
two_long_ones(void)
{
    static char piece[SMTPC_SESSION_CONTENT_MAX];
    struct smtpc_session *s = chunking();
    int i;

    memset(piece, 'x', sizeof piece);
    for (i = 2; i <= SMTPC_SESSION_CONTENT_MAX; i += 512)
        memcpy(piece + SMTPC_SESSION_CONTENT_MAX - i, "\r\n", 2);
    smtpc_session_set_window(s, QUEUED);
    smtpc_session_set_manner(s, SMTPC_BY_BDAT_AHEAD);
    begin(s, "a@x", 1);
    give(s);
    begin(s, "b@x", 1);
    for (i = 0; i < 2 * SMTPC_CHUNK_SIZE / SMTPC_SESSION_CONTENT_MAX; i++) {
        take(s, SIZE_MAX);
        smtpc_session_content(s, piece, sizeof piece);
    }
    take(s, SIZE_MAX);
    return s;
}

static void
test_over_while_another_waits(void)
{
    struct smtpc_session *s = two_long_ones();

    ok(smtpc_session_in_content(s) && smtpc_session_wants(s) == SMTPC_WANT_READ, "two chunks wait for their replies");
    hear(s, "250 m\r\n250 r\r\n250 queued\r\n");
    ok(smtpc_session_finished(s) != NULL && smtpc_session_wants(s) == SMTPC_WANT_READ,
       "a message is over: the other's content waits as before");
    hear(s, "250 reset\r\n250 m\r\n250 r\r\n250 chunk\r\n");
    ok(smtpc_session_wants(s) == SMTPC_WANT_CONTENT && smtpc_session_end(s) == 0, "until it is wanted again");
    says(s, "BDAT 0 LAST\r\n", "and its end is said");
    hear(s, "250 chunk\r\n250 queued\r\n");
    is_string(became(s), "sent", "the one");
    is_string(became(s), "sent", "the other");
    smtpc_session_free(s);
    s = two_long_ones();
    ok(smtpc_session_end(s) == -1, "an end that is too early");
    closed_with(s, SMTPC_ERROR_USAGE, "wait", "ends the session");
    is_string(became(s), "unknown, usage 0", "what was ended before");
    is_string(became(s), "not-sent, usage 0", "what was not");
    smtpc_session_free(s);
}

int
main(void)
{
    test_window();
    test_queue_is_bounded();
    test_ahead_is_bounded();
    test_over_while_another_waits();
    return tap_done();
}
