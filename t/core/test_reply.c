/* test_reply: every row of replies.tsv in every cut in two, octet by octet and whole; the limits; every octet. */
#include "tap.h"
#include "vectors.h"

#include "codec/reply.h"
#include "json.h"

static void
print_lines(struct json *json, const struct smtpc_reply *reply)
{
    size_t i, n;

    for (i = 0; i < reply->line_count; i++) {
        const char *text = smtpc_reply_line_text(reply, i, &n);

        json_print(json, i == 0 ? "" : ",");
        json_string(json, text, n, 0);
    }
}

static void
print_reply(struct json *json, const struct smtpc_reply *reply, const char *rest, size_t rest_length)
{
    json_print(json, "{\"code\":%d,\"enh\":", reply->code);
    if (reply->enhanced[0] == '\0')
        json_print(json, "null");
    else
        json_string(json, reply->enhanced, strlen(reply->enhanced), 0);
    json_print(json, ",\"lines\":[");
    print_lines(json, reply);
    json_print(json, "],\"rest\":");
    json_string(json, rest, rest_length, 1);
    json_print(json, "}");
}

/* Reads one reply in pieces that end at `cut` and then every `step` octets, and shows what came of it as the table
 * does. */
static const char *
read_in_pieces(const char *octets, size_t n, size_t cut, size_t step)
{
    static struct json json;
    struct smtpc_reply reply;
    enum smtpc_reply_status status = SMTPC_REPLY_MORE;
    size_t at = 0, used, piece;

    json.length = 0;
    smtpc_reply_init(&reply);
    while (status == SMTPC_REPLY_MORE && at < n) {
        piece = at < cut ? cut - at : step;
        piece = piece < n - at ? piece : n - at;
        status = smtpc_reply_feed(&reply, octets + at, piece, &used);
        if (status == SMTPC_REPLY_MORE && used != piece)
            json_print(&json, "(MORE with octets left) ");
        at += used;
    }
    if (status == SMTPC_REPLY_DONE)
        print_reply(&json, &reply, octets + at, n - at);
    else
        json_print(&json, "{\"error\":\"%s\"}", status == SMTPC_REPLY_MORE ? "eof" : reply.fault);
    smtpc_reply_clear(&reply);
    return json.text;
}

static void
test_vectors(void)
{
    static struct vectors v;

    vectors_open(&v, "replies.tsv");
    while (vectors_next(&v)) {
        size_t n = vectors_unescape(v.field[1]);
        size_t cut;

        is_string(read_in_pieces(v.field[1], n, n, n), v.field[2], v.field[0]);
        is_string(read_in_pieces(v.field[1], n, 0, 1), v.field[2], v.field[0]);
        for (cut = 1; cut < n; cut++)
            if (strcmp(read_in_pieces(v.field[1], n, cut, n), v.field[2]) != 0)
                break;
        ok(cut >= n, "%s: the same in all cuts in two (cut at %zu)", v.field[0], cut);
    }
}

static enum smtpc_reply_status
feed(struct smtpc_reply *reply, const char *octets, size_t n)
{
    size_t used;

    return smtpc_reply_feed(reply, octets, n, &used);
}

/* BAD comes with the first octet that cannot be in a reply, and stays. */
static void
test_bad_is_early_and_sticky(void)
{
    static const struct { const char *good; char bad; const char *fault; } rows[] = {
        {"", '\x16', "bad-code"}, {"", '1', "bad-code"}, {"", '6', "bad-code"}, {"2", 'x', "bad-code"},
        {"25", '\r', "bad-code"}, {"250", 'x', "bad-separator"}, {"250", '\0', "bad-separator"},
        {"250\r", 'x', "bad-separator"}, {"250\r\r", ' ', "bad-separator"}, {"250-a\n25", '1', "code-mismatch"},
        {"250-a\n", '\n', "bad-code"}, {"250-a\n", '0', "bad-code"},
    };
    struct smtpc_reply reply;
    size_t i;

    smtpc_reply_init(&reply);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(feed(&reply, rows[i].good, strlen(rows[i].good)) == SMTPC_REPLY_MORE, "row %zu may be a reply", i);
        ok(feed(&reply, &rows[i].bad, 1) == SMTPC_REPLY_BAD, "and is none");
        is_string(reply.fault, rows[i].fault, "for this reason");
        ok(feed(&reply, "250 ok\r\n", 8) == SMTPC_REPLY_BAD && !smtpc_reply_is_empty(&reply), "it stays bad");
        smtpc_reply_reset(&reply);
    }
    smtpc_reply_clear(&reply);
}

/* Each octet at each place of the head, and in the text. */
static void
test_every_octet(void)
{
    struct smtpc_reply reply;
    int c, heads[4] = {0, 0, 0, 0}, texts = 0;
    size_t i, n;

    smtpc_reply_init(&reply);
    for (c = 0; c < 256; c++) {
        char text[] = "250 a?b\r\n";

        for (i = 0; i < 4; i++) {
            char line[] = "250 ";

            line[i] = (char)c;
            heads[i] += feed(&reply, line, i + 1) != SMTPC_REPLY_BAD;
            smtpc_reply_reset(&reply);
        }
        text[5] = (char)c;
        feed(&reply, text, sizeof text - 1);
        smtpc_reply_line(&reply, 0, &n);
        texts += n == 3 && reply.text.bytes[1] == (char)c;
        smtpc_reply_reset(&reply);
    }
    ok(heads[0] == 4 && heads[1] == 10 && heads[2] == 10, "a code is three digits, the first is 2 to 5");
    ok(heads[3] == 5, "space, tab, '-', CR, LF can follow");
    ok(texts == 255, "every octet but LF stays in the text");
    smtpc_reply_clear(&reply);
}

/* A reply of one line of n octets (with its code), then crs CRs and the LF. */
static enum smtpc_reply_status
feed_line(struct smtpc_reply *reply, size_t n, size_t crs)
{
    static char line[SMTPC_REPLY_LINE_MAX + 100];

    smtpc_reply_reset(reply);
    memcpy(line, "250 ", 4);
    memset(line + 4, 'x', n - 4);
    memset(line + n, '\r', crs);
    line[n + crs] = '\n';
    return feed(reply, line, n + crs + 1);
}

static void
test_longest_line(void)
{
    struct smtpc_reply reply;
    size_t n;

    smtpc_reply_init(&reply);
    ok(feed_line(&reply, SMTPC_REPLY_LINE_MAX, 0) == SMTPC_REPLY_DONE, "the longest line, with LF");
    ok(feed_line(&reply, SMTPC_REPLY_LINE_MAX, 1) == SMTPC_REPLY_DONE, "with CRLF");
    smtpc_reply_line(&reply, 0, &n);
    ok(n == SMTPC_REPLY_LINE_MAX - 4, "and all of its text");
    ok(feed_line(&reply, SMTPC_REPLY_LINE_MAX + 1, 0) == SMTPC_REPLY_BAD, "one octet more, with LF");
    is_string(reply.fault, "line-too-long", "is too long");
    ok(feed_line(&reply, SMTPC_REPLY_LINE_MAX + 1, 1) == SMTPC_REPLY_BAD, "and with CRLF");
    is_string(reply.fault, "line-too-long", "too");
    ok(feed_line(&reply, 4, SMTPC_REPLY_LINE_MAX) == SMTPC_REPLY_BAD, "CRs count until the LF is here");
    ok(feed_line(&reply, SMTPC_REPLY_LINE_MAX + 2, 0) == SMTPC_REPLY_BAD, "a line that is longer still");
    smtpc_reply_reset(&reply);
    ok(feed(&reply, "250 ", 4) == SMTPC_REPLY_MORE, "is not waited for:");
    for (n = 4; n <= SMTPC_REPLY_LINE_MAX && feed(&reply, "x", 1) == SMTPC_REPLY_MORE; n++)
        ;
    ok(feed(&reply, "x", 1) == SMTPC_REPLY_BAD && n == SMTPC_REPLY_LINE_MAX + 1, "it is bad before its end");
    smtpc_reply_clear(&reply);
}

static void
test_most_lines(void)
{
    struct smtpc_reply reply;
    enum smtpc_reply_status status = SMTPC_REPLY_MORE;
    size_t lines, n;

    smtpc_reply_init(&reply);
    for (lines = 0; status == SMTPC_REPLY_MORE && lines < SMTPC_REPLY_LINES_MAX; lines++)
        status = feed(&reply, "250-\n", 5);
    ok(status == SMTPC_REPLY_MORE && reply.line_count == SMTPC_REPLY_LINES_MAX, "as many lines as can be");
    smtpc_reply_line(&reply, SMTPC_REPLY_LINES_MAX - 1, &n);
    ok(n == 0, "the last of them is empty");
    is_string(smtpc_reply_line(&reply, SMTPC_REPLY_LINES_MAX, &n), "", "there is no line behind it");
    ok(feed(&reply, "250 \n", 5) == SMTPC_REPLY_BAD, "one more");
    is_string(reply.fault, "reply-too-long", "is too many");
    smtpc_reply_clear(&reply);
}

static void
test_most_octets(void)
{
    static char line[1024 + 4];
    struct smtpc_reply reply;
    int i;

    memset(line, 'x', sizeof line);
    memcpy(line, "250-", 4);
    line[sizeof line - 1] = '\n';
    smtpc_reply_init(&reply);
    for (i = 0; i < SMTPC_REPLY_SIZE_MAX / 1024; i++)
        if (feed(&reply, line, sizeof line) != SMTPC_REPLY_MORE)
            break;
    ok(i == SMTPC_REPLY_SIZE_MAX / 1024 && reply.text.length == SMTPC_REPLY_SIZE_MAX, "as much text as can be");
    ok(feed(&reply, "250 \n", 5) == SMTPC_REPLY_BAD, "one octet more");
    is_string(reply.fault, "reply-too-long", "is too much");
    smtpc_reply_clear(&reply);
}

static void
test_one_after_the_other(void)
{
    static const char two[] = "250-2.1.0 a\r\n250 2.1.0  b\r\n550 no\r\n";
    struct smtpc_reply reply;
    const char *line;
    size_t used, n;

    smtpc_reply_init(&reply);
    ok(smtpc_reply_is_empty(&reply), "nothing has come");
    ok(feed(&reply, two, 1) == SMTPC_REPLY_MORE && !smtpc_reply_is_empty(&reply), "one octet has");
    ok(smtpc_reply_feed(&reply, two + 1, sizeof two - 2, &used) == SMTPC_REPLY_DONE && used == 26, "one is taken");
    ok(reply.code == 250 && smtpc_reply_class(&reply) == 2 && reply.line_count == 2, "its code and lines");
    is_octets(reply.text.bytes, reply.text.length, "2.1.0 a\n2.1.0  b\n", 17, "its text as received");
    line = smtpc_reply_line(&reply, 1, &n);
    is_octets(line, n, "2.1.0  b", 8, "a line");
    line = smtpc_reply_line_text(&reply, 1, &n);
    is_octets(line, n, "b", 1, "a line's text");
    ok(smtpc_reply_feed(&reply, two + 27, 8, &used) == SMTPC_REPLY_DONE && used == 0, "the end is the end");
    smtpc_reply_reset(&reply);
    ok(smtpc_reply_is_empty(&reply) && reply.enhanced[0] == '\0', "reset forgets");
    ok(feed(&reply, two + 27, 8) == SMTPC_REPLY_DONE && reply.code == 550 && reply.enhanced[0] == '\0', "next");
    smtpc_reply_clear(&reply);
    ok(smtpc_reply_is_empty(&reply) && feed(&reply, "221 bye\n", 8) == SMTPC_REPLY_DONE, "clear allows another life");
    smtpc_reply_clear(&reply);
}

static void
test_enhanced_codes(void)
{
    static const struct { const char *reply; const char *code; } rows[] = {
        {"550-no\n550-5.1.1 x\n550 5.7.1 y\n", "5.1.1"}, {"354 3.0.0 go\n", ""}, {"250 2.123.123\n", "2.123.123"},
        {"450 4.2\n", ""}, {"450 4..1 x\n", ""}, {"450 4.2.1\tx\n", "4.2.1"}, {"450 4.\n", ""}, {"450 4\n", ""},
    };
    struct smtpc_reply reply;
    size_t i;

    smtpc_reply_init(&reply);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(feed(&reply, rows[i].reply, strlen(rows[i].reply)) == SMTPC_REPLY_DONE, "row %zu", i);
        is_string(reply.enhanced, rows[i].code, "its enhanced code");
        smtpc_reply_reset(&reply);
    }
    smtpc_reply_clear(&reply);
}

int
main(void)
{
    test_vectors();
    test_bad_is_early_and_sticky();
    test_every_octet();
    test_enhanced_codes();
    test_longest_line();
    test_most_lines();
    test_most_octets();
    test_one_after_the_other();
    return tap_done();
}
