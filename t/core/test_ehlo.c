/* test_ehlo: every row of ehlo.tsv; whole words; the limits. */
#include "tap.h"
#include "vectors.h"

#include "codec/ehlo.h"
#include "codec/lost_crlf.h"
#include "codec/words.h"
#include "json.h"

static enum smtpc_reply_status
parse(struct smtpc_ehlo *ehlo, const char *octets, size_t n, int *may_be_complete)
{
    struct smtpc_reply reply;
    enum smtpc_reply_status status;
    size_t used;

    smtpc_reply_init(&reply);
    status = smtpc_reply_feed(&reply, octets, n, &used);
    *may_be_complete = smtpc_ehlo_may_be_complete(&reply);
    if (smtpc_ehlo_parse(ehlo, &reply) != 0)
        status = SMTPC_REPLY_BAD;
    smtpc_reply_clear(&reply);
    return status;
}

static void
print_parameters(struct json *json, const char *parameters)
{
    struct smtpc_words words = smtpc_words_of(parameters, strlen(parameters), 0);
    const char *comma = "";

    for (; smtpc_words_next(&words); comma = ",") {
        json_print(json, "%s", comma);
        json_string(json, words.word, words.length, 0);
    }
}

static const char *
show(const struct smtpc_ehlo *ehlo)
{
    static struct json json;
    const char *keyword, *parameters;
    size_t i;

    json.length = 0;
    json_print(&json, "{\"domain\":");
    json_string(&json, ehlo->domain.bytes, ehlo->domain.length, 0);
    json_print(&json, ",\"caps\":{");
    for (i = 0; (keyword = smtpc_ehlo_keyword(ehlo, i, &parameters)) != NULL; i++) {
        json_print(&json, "%s\"%s\":[", i == 0 ? "" : ",", keyword);
        print_parameters(&json, parameters);
        json_print(&json, "]");
    }
    json_print(&json, "}}");
    return json.text;
}

/* The seed's reply has no last line; it is complete by the rule of the lost CRLF only. */
static void
test_vectors(void)
{
    static struct vectors v;
    struct smtpc_ehlo ehlo;
    int grace;

    smtpc_ehlo_init(&ehlo);
    vectors_open(&v, "ehlo.tsv");
    while (vectors_next(&v)) {
        size_t n = vectors_unescape(v.field[1]);
        enum smtpc_reply_status status = parse(&ehlo, v.field[1], n, &grace);

        is_string(show(&ehlo), v.field[2], v.field[0]);
        if (strcmp(v.field[0], "seed") == 0)
            ok(status == SMTPC_REPLY_MORE && grace, "%s: may be complete", v.field[0]);
        else
            ok(status == SMTPC_REPLY_DONE, "%s: is complete", v.field[0]);
    }
    smtpc_ehlo_clear(&ehlo);
}

static int
may_be_complete(const char *octets)
{
    struct smtpc_ehlo ehlo;
    int grace;

    smtpc_ehlo_init(&ehlo);
    parse(&ehlo, octets, strlen(octets), &grace);
    smtpc_ehlo_clear(&ehlo);
    return grace;
}

static void
test_may_be_complete(void)
{
    ok(may_be_complete("250-a\n250-DSN 250 SIZE\n"), "a last line is hidden");
    ok(may_be_complete("250-a\n250-DSN 250-HELP 250 SIZE 5\n"), "behind another");
    ok(!may_be_complete("250-a\n250-DSN 250 HELP 250-SIZE\n"), "a line that is not the last is hidden");
    ok(!may_be_complete("250-a\n250-DSN 250 SIZE\n250-HELP\n"), "the reply went on after it");
    ok(!may_be_complete("250-a\n250-DSN 250 SIZE\n2"), "a line is on its way");
    ok(!may_be_complete("250-a 250 SIZE\n"), "the first line hides nothing");
    ok(!may_be_complete("250-a\n250-SIZE 250\n") && !may_be_complete("250-a\n250-X 250 FOO\n")
       && !may_be_complete("250-a\n250-X 250 SIZES\n") && !may_be_complete("250-a\n250-X 250 SIZE:1\n"),
       "250 as a value hides nothing");
    ok(!may_be_complete("220-a\n220-DSN 250 SIZE\n") && !may_be_complete(""), "this is no reply to EHLO");
}

static void
test_whole_words(void)
{
    static const char text[] =
        "250-mail\n250-AUTH PLAIN-CLIENTTOKEN LOGIN2 XPLAIN cram-md5\n250-SARTTLS x\n250 Size 7\n";
    struct smtpc_ehlo ehlo;
    int grace;

    smtpc_ehlo_init(&ehlo);
    ok(smtpc_ehlo_find(&ehlo, "SIZE") == NULL && !smtpc_ehlo_has(&ehlo, "AUTH", "PLAIN"), "nothing is offered yet");
    parse(&ehlo, text, sizeof text - 1, &grace);
    ok(!smtpc_ehlo_has(&ehlo, "AUTH", "PLAIN") && !smtpc_ehlo_has(&ehlo, "AUTH", "LOGIN"), "no parts of mechanisms");
    ok(smtpc_ehlo_has(&ehlo, "auth", "CRAM-md5") && !smtpc_ehlo_has(&ehlo, "AUTH", ""), "any case");
    ok(smtpc_ehlo_find(&ehlo, "STARTTLS") == NULL && smtpc_ehlo_find(&ehlo, "AUT") == NULL
       && smtpc_ehlo_find(&ehlo, "") == NULL, "no parts of keywords");
    is_string(smtpc_ehlo_find(&ehlo, "size"), "7", "a parameter");
    smtpc_ehlo_reset(&ehlo);
    ok(ehlo.count == 0 && smtpc_ehlo_find(&ehlo, "SIZE") == NULL && ehlo.domain.length == 0, "reset forgets");
    smtpc_ehlo_clear(&ehlo);
}

static void
check_line(const char *line, const char *expected)
{
    struct smtpc_ehlo ehlo;
    char text[200], json[200];
    int grace;

    smtpc_ehlo_init(&ehlo);
    parse(&ehlo, text, (size_t)snprintf(text, sizeof text, "250-a\n250-%s\n250 HELP\n", line), &grace);
    snprintf(json, sizeof json, "{\"domain\":\"a\",\"caps\":{%s\"HELP\":[]}}", expected);
    is_string(show(&ehlo), json, line);
    smtpc_ehlo_clear(&ehlo);
}

static void
test_odd_lines(void)
{
    check_line("  DSN", "\"DSN\":[],");
    check_line("DSN=1", "");
    check_line("-DSN", "");
    check_line("DSN/1", "");
    check_line("AUTH PLAIN\rLOGIN X", "\"AUTH\":[\"X\"],");
    check_line("X-FOO caf\xc3\xa9 bar", "\"X-FOO\":[\"bar\"],");
    check_line("X-FOO a,b ,c", "\"X-FOO\":[\"a,b\",\",c\"],");
    check_line("AUTHX=LOGIN", "");
    check_line("DSN\t250\tSIZE\t5", "\"DSN\":[],\"SIZE\":[\"5\"],");
    check_line("X 250 SIZE 5 250-AUTH=PLAIN 250 size 6", "\"X\":[],\"SIZE\":[\"6\"],\"AUTH\":[\"PLAIN\"],");
}

static void
test_longest_keyword(void)
{
    check_line("X23456789-123456789-123456789-123456789-123456789-123456789-1234",
               "\"X23456789-123456789-123456789-123456789-123456789-123456789-1234\":[],");
    check_line("X23456789-123456789-123456789-123456789-123456789-123456789-12345", "");
}

static int64_t
size_limit(const char *parameters)
{
    struct smtpc_ehlo ehlo;
    char text[200];
    int64_t limit;
    int grace;

    smtpc_ehlo_init(&ehlo);
    parse(&ehlo, text, (size_t)snprintf(text, sizeof text, "250-a\n250 %s\n", parameters), &grace);
    limit = smtpc_ehlo_size_limit(&ehlo);
    smtpc_ehlo_clear(&ehlo);
    return limit;
}

static void
test_size_limit(void)
{
    ok(size_limit("SIZE 10240000") == 10240000 && size_limit("size 007 x") == 7, "a number");
    ok(size_limit("SIZE 9223372036854775807") == INT64_MAX, "the largest number");
    ok(size_limit("SIZE 9223372036854775808") == 0 && size_limit("SIZE 99999999999999999999") == 0, "too large");
    ok(size_limit("SIZE") == 0 && size_limit("SIZE 0") == 0 && size_limit("HELP") == 0, "no number");
    ok(size_limit("SIZE 10M") == 0 && size_limit("SIZE -1") == 0 && size_limit("SIZE +1") == 0, "not a number");
}

static void
append_number(struct smtpc_buffer *buffer, const char *format, int i)
{
    char word[100];

    snprintf(word, sizeof word, format, i);
    smtpc_buffer_append_string(buffer, word);
}

static void
test_most_keywords(void)
{
    struct smtpc_buffer text;
    struct smtpc_ehlo ehlo;
    int i, grace;

    smtpc_ehlo_init(&ehlo);
    smtpc_buffer_init(&text, 100000);
    smtpc_buffer_append_string(&text, "250-a\n");
    for (i = 0; i <= SMTPC_EHLO_KEYWORDS_MAX; i++)
        append_number(&text, "250-X%d 1\n", i);
    smtpc_buffer_append_string(&text, "250-X5 6\n250 DSN\n");
    ok(parse(&ehlo, text.bytes, text.length, &grace) == SMTPC_REPLY_DONE, "more keywords than can be");
    ok(ehlo.count == SMTPC_EHLO_KEYWORDS_MAX && smtpc_ehlo_find(&ehlo, "X99") != NULL
       && smtpc_ehlo_find(&ehlo, "X100") == NULL && smtpc_ehlo_find(&ehlo, "DSN") == NULL, "the first ones stay");
    is_string(smtpc_ehlo_find(&ehlo, "X5"), "6", "a known one can still change");
    smtpc_buffer_clear(&text);
    smtpc_ehlo_clear(&ehlo);
}

/* Every keyword as long as it can be, with parameters as long as they can be, each of them twice. */
static void
test_most_octets(void)
{
    struct smtpc_buffer text;
    struct smtpc_ehlo ehlo;
    int i, j, full = 0, grace;

    smtpc_ehlo_init(&ehlo);
    smtpc_buffer_init(&text, 1000000);
    smtpc_buffer_append_string(&text, "250-a\n");
    for (i = 0; i < 2 * SMTPC_EHLO_KEYWORDS_MAX; i++) {
        append_number(&text, "250-X%063d", i % SMTPC_EHLO_KEYWORDS_MAX);
        for (j = 0; j < 150; j++)
            append_number(&text, " %06d", j);
        smtpc_buffer_append_string(&text, "\n");
    }
    smtpc_buffer_append_string(&text, "250 HELP\n");
    ok(parse(&ehlo, text.bytes, text.length, &grace) == SMTPC_REPLY_DONE, "longer than can be");
    for (i = 0; i < SMTPC_EHLO_KEYWORDS_MAX; i++) {
        const char *parameters;

        smtpc_ehlo_keyword(&ehlo, (size_t)i, &parameters);
        full += strlen(parameters) == SMTPC_EHLO_PARAMETERS_MAX / 7 * 7 - 1;
    }
    ok(full == SMTPC_EHLO_KEYWORDS_MAX, "whole words stay, up to the limit");
    smtpc_buffer_clear(&text);
    smtpc_ehlo_clear(&ehlo);
}

static void
test_words(void)
{
    size_t next;

    ok(smtpc_words_same("a-Z9", 4, "A-z9", 4) && !smtpc_words_same("a", 1, "ab", 2), "case does not count");
    ok(!smtpc_words_same("@", 1, "`", 1) && !smtpc_words_same("\xe9", 1, "\xc9", 1), "only ASCII letters have case");
    ok(smtpc_lost_crlf_find("250 SIZE", 8, &next) == 8 && smtpc_lost_crlf_find("", 0, &next) == 0, "nothing lost");
    ok(smtpc_lost_crlf_find("A 250-SIZE", 10, &next) == 1 && next == 6, "a CRLF was lost");
    ok(smtpc_lost_crlf_find("A 250 SIZE", 6, &next) == 6, "not an octet is read behind the end");
}

int
main(void)
{
    test_vectors();
    test_may_be_complete();
    test_whole_words();
    test_odd_lines();
    test_longest_keyword();
    test_size_limit();
    test_most_keywords();
    test_most_octets();
    test_words();
    return tap_done();
}
