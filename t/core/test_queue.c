/* test_queue: several messages under way on one connection: what a reply means to each, what may be said. */
#include "queued.h"

/* ---- a group behind an unanswered end ---- */

struct group_case {
    const char *name;
    const char *replies;    /* to RSET, MAIL, RCPT, RCPT, DATA */
    const char *says;       /* "": the content is wanted */
    const char *became;
};

static const struct group_case group_cases[] = {
    {"all is well", "250 r\r\n250 m\r\n250 a\r\n250 b\r\n354 go\r\n", "", "sent sent"},
    {"one RCPT refused", "250 r\r\n250 m\r\n550 a\r\n250 b\r\n354 go\r\n", "", "refused sent"},
    {"MAIL refused", "250 r\r\n550 m\r\n503 a\r\n503 b\r\n503 d\r\n", "RSET\r\n", "refused refused, refused 550"},
    {"MAIL deferred", "250 r\r\n451 m\r\n503 a\r\n503 b\r\n554 d\r\n", "RSET\r\n", "deferred deferred, deferred 451"},
    {"all RCPT refused", "250 r\r\n250 m\r\n550 a\r\n450 b\r\n554 d\r\n", "RSET\r\n", "refused deferred, deferred 0"},
    {"all RCPT refused, 354", "250 r\r\n250 m\r\n550 a\r\n550 b\r\n354 go\r\n", ".\r\n",
     "refused refused, refused 0"},
    {"MAIL refused, 354", "250 r\r\n550 m\r\n503 a\r\n503 b\r\n354 go\r\n", ".\r\n", "refused refused, refused 550"},
    {"DATA deferred", "250 r\r\n250 m\r\n250 a\r\n250 b\r\n451 d\r\n", "RSET\r\n", "deferred deferred, deferred 451"},
    {"DATA refused, one RCPT too", "250 r\r\n250 m\r\n550 a\r\n250 b\r\n554 d\r\n", "RSET\r\n",
     "refused refused, refused 554"},
};

static void
try_group(const struct group_case *one, const char *end, const char *first)
{
    struct smtpc_session *s = ended("PIPELINING", SMTPC_BY_DATA);

    begin(s, "b@x", 2);
    says(s, "x\r\n.\r\nRSET\r\nMAIL FROM:<b@x>\r\nRCPT TO:<r0@y>\r\nRCPT TO:<r1@y>\r\nDATA\r\n", one->name);
    hear(s, end);
    is_string(became(s), first, "the message before");
    hear(s, one->replies);
    if (one->says[0] == '\0') {
        ok(smtpc_session_wants(s) == SMTPC_WANT_CONTENT, "content is wanted");
        give(s);
        says(s, "x\r\n.\r\n", "and given");
        hear(s, "250 queued\r\n");
    } else
        says(s, one->says, "and then");
    if (one->says[0] == '.') {
        hear(s, "250 sent to nobody\r\n");
        says(s, "RSET\r\n", "an empty message to nobody is no success");
    }
    if (one->says[0] != '\0')
        hear(s, "250 ok\r\n");
    is_string(became(s), one->became, "what became of it");
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE && smtpc_session_finished(s) == NULL, "that is all");
    smtpc_session_free(s);
}

static void
test_groups(void)
{
    size_t i;

    for (i = 0; i < sizeof group_cases / sizeof group_cases[0]; i++) {
        try_group(&group_cases[i], "250 queued\r\n", "sent");
        try_group(&group_cases[i], "554 spam\r\n", "refused, refused 554");
    }
}

/* The first replies of a good group, then 421 or the end of the stream. */
static void
try_broken_group(int replies, const char *last)
{
    static const char *const good[] = {"250 queued\r\n", "250 r\r\n", "250 m\r\n", "550 a\r\n", "250 b\r\n"};
    struct smtpc_session *s = ended("PIPELINING", SMTPC_BY_DATA);
    const char *second = last != NULL && replies == 2 ? "deferred deferred"    /* MAIL is answered with 421 */
        : last != NULL && replies == 3 ? "deferred not-sent" : replies < 4 ? "not-sent not-sent"
        : last != NULL ? "refused deferred" : "refused not-sent";
    char expected[80];
    int i;

    begin(s, "b@x", 2);
    take(s, SIZE_MAX);
    for (i = 0; i < replies; i++)
        hear(s, good[i]);
    if (last != NULL)
        hear(s, last);
    else
        smtpc_session_feed(s, NULL, 0);
    ok(smtpc_session_wants(s) == SMTPC_WANT_CLOSED, "%s after %d replies", last != NULL ? "421" : "the end", replies);
    is_string(became(s), replies > 0 ? "sent" : last != NULL ? "deferred, deferred 421" : "unknown, closed 0",
              "the message before");
    snprintf(expected, sizeof expected, "%s, %s", second, last == NULL ? "closed 0"
             : replies == 4 ? "deferred 0" : "deferred 421");    /* 0: of two recipients none was accepted */
    is_string(became(s), expected, "this one");
    smtpc_session_free(s);
}

static void
test_broken_groups(void)
{
    int replies;

    for (replies = 0; replies <= 5; replies++) {
        try_broken_group(replies, NULL);
        if (replies < 5)
            try_broken_group(replies, "421 going\r\n");
    }
}

/* What a server keeps of a transaction must not meet with the next one. */
static void
test_reset_between(void)
{
    struct smtpc_session *s = ended(NULL, SMTPC_BY_BDAT_AHEAD);

    says(s, "MAIL FROM:<a@x>\r\nRCPT TO:<r0@y>\r\nBDAT 3 LAST\r\nx\r\n", "a message in one flight");
    begin(s, "b@x", 1);
    says(s, "RSET\r\nMAIL FROM:<b@x>\r\nRCPT TO:<r0@y>\r\n", "RSET comes before the next");
    give(s);
    take(s, SIZE_MAX);
    hear(s, "250 m\r\n550 no\r\n503 nobody\r\n");
    hear(s, "250 reset\r\n250 m\r\n250 r\r\n250 queued\r\n");
    is_string(became(s), "refused, refused 550", "the first");
    is_string(became(s), "sent", "the second owes nothing to it");
    smtpc_session_free(s);

    s = ended("PIPELINING", SMTPC_BY_DATA);
    begin(s, "b@x", 1);
    take(s, SIZE_MAX);
    hear(s, "250 queued\r\n500 RSET?\r\n");
    closed_with(s, SMTPC_ERROR_PROTOCOL, "might be mixed", "a refused RSET ends the session");
    is_string(became(s), "sent", "what was sent is sent");
    is_string(became(s), "not-sent, refused 500", "what might be mixed is not");
    smtpc_session_free(s);

    s = greeted("PIPELINING");
    smtpc_session_set_window(s, QUEUED);
    begin(s, "a@x", 1);
    take(s, SIZE_MAX);
    hear(s, "550 m\r\n503 r\r\n503 d\r\n");
    says(s, "RSET\r\n", "behind a refusal");
    begin(s, "b@x", 1);
    says(s, "MAIL FROM:<b@x>\r\nRCPT TO:<r0@y>\r\nDATA\r\n", "one RSET is enough");
    smtpc_session_free(s);
}

/* ---- what may be said ---- */

static void
test_nothing_else_in_a_group(void)
{
    struct smtpc_session *s = ended(NULL, SMTPC_BY_DATA);

    take(s, SIZE_MAX);
    smtpc_session_set_trusted(s, 1);
    ok(smtpc_session_may_go_on(s), "another message may begin");
    ok(smtpc_session_noop(s) == -1 && smtpc_session_hello(s, "c", 1, 0) == -1 && smtpc_session_starttls(s) == -1
       && session_auth(s, "u", 1, "") == -1 && smtpc_session_command(s, "VRFY", "x", NULL, 0) == -1
       && smtpc_session_rcpt(s, "b@y", 3, "") == -1 && smtpc_session_data(s) == -1 && smtpc_session_reset(s) == -1
       && smtpc_session_bdat(s, "x", 1, 1) == -1 && smtpc_session_content(s, "x", 1) == -1
       && smtpc_session_end(s) == -1, "nothing else");
    says(s, "", "and nothing was said");
    hear(s, "250 queued\r\n");
    is_string(became(s), "sent", "the message minds nothing of it");
    ok(smtpc_session_noop(s) == 0, "NOOP when all is answered");
    smtpc_session_free(s);
}

static void
break_off(struct smtpc_session *s, enum smtpc_error_kind kind)
{
    struct smtpc_error error = {0};

    smtpc_error_set(&error, kind, "broken");
    smtpc_session_fail(s, &error);
}

static void
test_quit_with_the_end(void)
{
    struct smtpc_session *s = ended("PIPELINING", SMTPC_BY_DATA);

    ok(smtpc_session_quit(s) == 0, "QUIT behind the end");
    says(s, "x\r\n.\r\nQUIT\r\n", "in one flight");
    ok(smtpc_session_quit(s) == -1 && begin(s, "b@x", 1) == -1 && !smtpc_session_may_go_on(s), "nothing behind QUIT");
    says(s, "", "and nothing was said");
    ok(smtpc_session_patience(s) == SMTPC_PATIENCE_END, "the end has its patience");
    hear(s, "250 queued\r\n");
    is_string(became(s), "sent", "sent before QUIT is answered");
    smtpc_session_free(s);

    s = ended("PIPELINING", SMTPC_BY_DATA);
    smtpc_session_quit(s);
    take(s, SIZE_MAX);
    hear(s, "250 queued\r\n");
    ok(smtpc_session_patience(s) == SMTPC_PATIENCE_FAREWELL, "little for a farewell");
    break_off(s, SMTPC_ERROR_TIMEOUT);
    closed_with(s, SMTPC_ERROR_NONE, "", "whose time is over");
    is_string(became(s), "sent", "which is nobody's error");
    smtpc_session_free(s);

    s = ended("HELP", SMTPC_BY_DATA);
    ok(smtpc_session_quit(s) == -1 && !smtpc_session_may_go_on(s), "but not without PIPELINING");
    smtpc_session_free(s);
}

/* ---- each message for itself ---- */

static void
test_drop_finished(void)
{
    struct smtpc_session *s = ended(NULL, SMTPC_BY_BDAT_AHEAD);

    smtpc_session_drop_finished(s);
    ok(smtpc_session_finished(s) == NULL && smtpc_session_submission(s)->envelope.count == 1, "nothing is over");
    begin(s, "b@x", 2);
    give(s);
    take(s, SIZE_MAX);
    hear(s, "250 m\r\n250 r\r\n554 no\r\n");
    ok(smtpc_session_finished(s)->envelope.count == 1, "the first");
    ok(smtpc_session_finished(s)->envelope.count == 1, "until it is dropped");
    smtpc_session_drop_finished(s);
    smtpc_session_drop_finished(s);
    ok(smtpc_session_finished(s) == NULL && smtpc_session_submission(s)->envelope.count == 2,
       "the second is not over");
    hear(s, "250 r\r\n250 m\r\n250 r\r\n450 r\r\n250-two\r\n250 lines\r\n");
    ok(smtpc_session_finished(s)->code == 250 && smtpc_session_finished(s)->words_length == 9
       && memcmp(smtpc_session_finished(s)->words, "two\nlines", 9) == 0, "all the words of its reply");
    is_string(became(s), "sent deferred", "now it is, and the other's error is not its own");
    ok(smtpc_session_finished(s) == NULL && smtpc_session_wants(s) == SMTPC_WANT_IDLE, "nothing is left");
    smtpc_session_set_window(s, 0);
    begin(s, "c@x", 1);
    ok(smtpc_session_envelope(s)->count == 1, "and there may be another");
    smtpc_session_free(s);
}

/* What is wrong in itself is over at once; it is told in its turn, and nobody else is told of it. */
static void
test_bad_in_mid_stream(void)
{
    struct smtpc_session *s = ended("PIPELINING", SMTPC_BY_DATA);

    take(s, SIZE_MAX);
    ok(begin(s, "b@x\n", 2) == -1, "a bad sender");
    says(s, "", "says nothing");
    ok(smtpc_session_finished(s) == NULL, "the older one comes first");
    ok(begin(s, "c@x", 1) == 0, "and the next one may begin");
    says(s, "RSET\r\nMAIL FROM:<c@x>\r\nRCPT TO:<r0@y>\r\nDATA\r\n", "behind the end of the first");
    hear(s, "250 queued\r\n250 r\r\n550 m\r\n503 r\r\n503 d\r\n");
    is_string(became(s), "sent", "the first");
    is_string(became(s), "not-sent not-sent, usage 0", "the bad one");
    take(s, SIZE_MAX);
    hear(s, "250 r\r\n");
    is_string(became(s), "refused, refused 550", "the third");
    smtpc_session_free(s);

    s = ended("PIPELINING", SMTPC_BY_DATA);
    take(s, SIZE_MAX);
    begin(s, "b@x\n", 1);
    smtpc_session_feed(s, NULL, 0);
    is_string(became(s), "unknown, closed 0", "what was under way is told why it ended");
    is_string(became(s), "not-sent, usage 0", "and the bad one what was wrong with it");
    smtpc_session_free(s);

    s = ended("PIPELINING", SMTPC_BY_DATA);
    take(s, SIZE_MAX);
    begin(s, "b@x\n", 1);
    hear(s, "451 later\r\n");
    is_string(became(s), "deferred, deferred 451", "so is what was refused");
    smtpc_session_free(s);
}

/* ---- a login that the message follows ---- */

/* More recipients than fit ahead: the login fails while they are being said. */
static void
test_early_and_many(enum smtpc_manner manner)
{
    enum { COUNT = 400 };
    struct smtpc_session *s = chunking();
    size_t answered = 0, lines = 0;

    smtpc_session_set_trusted(s, 1);
    smtpc_session_set_early(s, 1);
    smtpc_session_set_window(s, 1);
    smtpc_session_set_manner(s, manner);
    session_auth(s, "u", 1, "PLAIN");
    session_secret(s, "p", 1);
    begin(s, "a@x", COUNT);
    while (smtpc_session_wants(s) != SMTPC_WANT_IDLE && smtpc_session_wants(s) != SMTPC_WANT_CLOSED
           && smtpc_session_wants(s) != SMTPC_WANT_CONTENT && lines < 2 * COUNT) {
        const char *octets = said(s);

        for (; *octets != '\0'; octets++)
            lines += *octets == '\n';
        if (answered < lines)
            hear(s, answered++ == 0 ? "535 no\r\n" : answered == COUNT + 3 ? "354 go\r\n" : "250 ok\r\n");
    }
    ok(smtpc_session_wants(s) != SMTPC_WANT_CONTENT, "no content without the login, by manner %d", (int)manner);
    smtpc_session_fail(s, smtpc_session_error(s));
    ok(smtpc_envelope_count(&smtpc_session_submission(s)->envelope, SMTPC_OUTCOME_NOT_SENT) == COUNT, "not sent");
    ok(smtpc_session_submission(s)->error.kind == SMTPC_ERROR_AUTH, "the login is the reason");
    smtpc_session_free(s);
}

static void
test_early(void)
{
    test_early_and_many(SMTPC_BY_DATA);
    test_early_and_many(SMTPC_BY_BDAT);
    test_early_and_many(SMTPC_BY_BDAT_AHEAD);
}

/* ---- servers that read and write in turns ---- */

/* at_once: it answers only when there is nothing more to read; else it reads a line when its last reply was read. */
static void
try_patient_server(enum smtpc_manner manner, int at_once)
{
    enum { COUNT = 20000 };
    struct smtpc_session *s = chunking();
    char path[16];
    size_t to_answer = 0;
    int i, turns;

    smtpc_session_set_manner(s, manner);
    smtpc_session_open_envelope(s, "a@x", 3, "");
    for (i = 0; i < COUNT; i++)
        smtpc_session_add_recipient(s, path, (size_t)snprintf(path, sizeof path, "r%d@y", i), "");
    smtpc_session_submit(s);
    for (turns = 0; turns < 3 * COUNT && smtpc_session_wants(s) != SMTPC_WANT_IDLE; turns++) {
        const char *octets, *line;
        size_t n;

        if (smtpc_session_wants(s) == SMTPC_WANT_CLOSED)
            break;
        if (smtpc_session_wants(s) == SMTPC_WANT_CONTENT)
            smtpc_session_end(s);
        smtpc_session_output(s, &octets, &n);
        for (line = octets; line < octets + n && (at_once || line == octets); line++) {
            line = memchr(line, '\n', n - (size_t)(line - octets));
            to_answer++;
        }
        smtpc_session_sent(s, n > 0 ? (size_t)(line - octets) : 0);
        for (; to_answer > 0 && (!at_once || smtpc_session_wants(s) == SMTPC_WANT_READ); to_answer--)
            hear(s, strcmp(smtpc_session_step(s), "DATA") == 0 ? "354 go\r\n" : "250 ok\r\n");
    }
    ok(smtpc_envelope_count(smtpc_session_envelope(s), SMTPC_OUTCOME_SENT) == COUNT,
       "20,000 recipients by manner %d, a server that %s: %d turns", (int)manner,
       at_once ? "reads all there is first" : "answers before it reads on", turns);
    smtpc_session_free(s);
}

int
main(void)
{
    int at_once;

    test_groups();
    test_broken_groups();
    test_reset_between();
    test_nothing_else_in_a_group();
    test_quit_with_the_end();
    test_drop_finished();
    test_bad_in_mid_stream();
    test_early();
    for (at_once = 0; at_once < 2; at_once++) {
        try_patient_server(SMTPC_BY_DATA, at_once);
        try_patient_server(SMTPC_BY_BDAT, at_once);
        try_patient_server(SMTPC_BY_BDAT_AHEAD, at_once);
    }
    return tap_done();
}
