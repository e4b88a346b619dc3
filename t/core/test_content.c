/* test_content: every row of dotstuff.tsv, every small text, random texts in random cuts. */
#include "tap.h"
#include "vectors.h"

#include "codec/content.h"
#include "codec/content_facts.h"
#include "content_model.h"

enum { TEXT_MAX = 2000 };

static void (*const inits[])(struct smtpc_content *) = {
    [SMTPC_CONTENT_STUFFED] = smtpc_content_init,
    [SMTPC_CONTENT_PLAIN] = smtpc_content_init_plain,
    [SMTPC_CONTENT_BINARY] = smtpc_content_init_binary,
};

static int
wire_is(enum smtpc_content_form form, const char *text, size_t n, const struct smtpc_buffer *out)
{
    static char wire[2 * TEXT_MAX + 5];
    size_t length = content_model_of(form, text, n, wire);

    return out->length == length && (length == 0 || memcmp(out->bytes, wire, length) == 0);
}

/* Cuts the text at the places that bits says (1: behind this octet), and compares with the model. */
static int
survives_cuts_in(enum smtpc_content_form form, const char *text, size_t n, const unsigned char *cut)
{
    struct smtpc_content_facts facts;
    struct smtpc_content content;
    struct smtpc_buffer out;
    size_t i, start = 0;
    int good = 1;

    inits[form](&content);
    smtpc_buffer_init(&out, 2 * TEXT_MAX + 5);
    for (i = 0; i < n; i++) {
        if (!cut[i] && i + 1 < n)
            continue;
        good = good && smtpc_content_append(&content, text + start, i + 1 - start, &out) == 0;
        start = i + 1;
    }
    smtpc_content_scan(text, n, &facts);
    good = good && smtpc_content_end(&content, &out) == 0 && wire_is(form, text, n, &out)
        && content.size == (form == SMTPC_CONTENT_BINARY ? (int64_t)n : facts.size)
        && (form != SMTPC_CONTENT_PLAIN || content.size == (int64_t)out.length)
        && content_model_agrees(&facts, text, n);
    smtpc_buffer_clear(&out);
    return good;
}

static int
survives_cuts(const char *text, size_t n, const unsigned char *cut)
{
    return survives_cuts_in(SMTPC_CONTENT_STUFFED, text, n, cut)
        && survives_cuts_in(SMTPC_CONTENT_PLAIN, text, n, cut)
        && survives_cuts_in(SMTPC_CONTENT_BINARY, text, n, cut);
}

/* A row's chunks are separated by '|'. */
static void
check_row(char *chunks, const char *wire, size_t wire_length, const char *id)
{
    struct smtpc_content content;
    struct smtpc_buffer out;
    char *next;

    smtpc_content_init(&content);
    smtpc_buffer_init(&out, 2 * wire_length);
    for (; chunks != NULL; chunks = next) {
        next = strchr(chunks, '|');
        if (next != NULL)
            *next++ = '\0';
        if (smtpc_content_append(&content, chunks, vectors_unhex(chunks), &out) != 0)
            break;
    }
    ok(chunks == NULL && smtpc_content_end(&content, &out) == 0, "%s: room for all", id);
    is_octets(out.bytes, out.length, wire, wire_length, id);
    smtpc_buffer_clear(&out);
}

static void
test_vectors(void)
{
    static struct vectors v;

    vectors_open(&v, "dotstuff.tsv");
    while (vectors_next(&v))
        check_row(v.field[1], v.field[2], vectors_unhex(v.field[2]), v.field[0]);
}

static void
test_every_small_text_in_every_cut(void)
{
    static const char letters[] = "\r\n.a";
    char text[5];
    unsigned char cut[5];
    size_t n, i;
    unsigned number, cuts;
    int bad = 0;

    for (n = 0; n <= 5; n++)
        for (number = 0; number < 1u << 2 * n; number++)
            for (cuts = 0; cuts < 1u << n; cuts++) {
                for (i = 0; i < n; i++) {
                    text[i] = letters[number >> 2 * i & 3];
                    cut[i] = (unsigned char)(cuts >> i & 1);
                }
                bad += !survives_cuts(text, n, cut);
            }
    ok(bad == 0, "all texts of up to five octets of CR, LF, dot, letter, in all cuts");
}

static void
test_random_texts_in_random_cuts(void)
{
    static const char letters[] = "\r\n.a\0\xff.\n";
    static char text[TEXT_MAX];
    static unsigned char cut[TEXT_MAX];
    unsigned seed = 1;
    int round, bad = 0;
    size_t i, n;

    for (round = 0; round < 2000; round++) {
        seed = seed * 1103515245u + 12345u;
        n = seed >> 8 & 1023;
        for (i = 0; i < n; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = (seed >> 16 & 7) < (unsigned)(round & 7) ? 'x' : letters[seed >> 20 & 7];
            cut[i] = (seed >> 23 & (round & 8 ? 511 : 15)) == 0;    /* pieces shorter and longer than a block */
        }
        bad += !survives_cuts(text, n, cut);
    }
    ok(bad == 0, "two thousand random texts, cut at random");
}

static int
is_same(const struct smtpc_content *a, const struct smtpc_content *b)
{
    return a->place == b->place && a->size == b->size;
}

static void
test_no_room_changes_nothing(void)
{
    static const char text[] = "..\r.\n\na\r";
    size_t cap, tail;
    int half_done = 0, done = 0;

    for (cap = 0; cap < 24; cap++) {
        struct smtpc_content content, before;
        struct smtpc_buffer out;

        smtpc_content_init(&content);
        smtpc_buffer_init(&out, cap);
        before = content;
        if (smtpc_content_append(&content, text, sizeof text - 1, &out) != 0) {
            half_done += out.length != 0 || !is_same(&before, &content);
        } else {
            before = content;
            tail = out.length;
            if (smtpc_content_end(&content, &out) != 0)
                half_done += out.length != tail || !is_same(&before, &content);
            else
                done++;
        }
        smtpc_buffer_clear(&out);
    }
    ok(half_done == 0 && done > 0 && done < 24, "all or nothing for every cap (%d fit)", done);
}

/* Lines of every length about a block's, at every place of one, with each line end and with dots. */
static void
test_every_length_of_line(void)
{
    static const char *const ends[] = {"\n", "\r\n", "\r", "\n.", "\r\n..", "\r\r\n", ".\r"};
    static const unsigned char no_cut[TEXT_MAX];
    char text[200];
    size_t before, length, end, n;
    int bad = 0;

    for (before = 0; before < 20; before++)
        for (length = 0; length < 70; length++)
            for (end = 0; end < sizeof ends / sizeof ends[0]; end++) {
                memset(text, 'x', sizeof text);
                memcpy(text + before, ends[end], strlen(ends[end]));
                n = before + strlen(ends[end]) + length;
                memcpy(text + n, ends[end], strlen(ends[end]));
                n += strlen(ends[end]);
                bad += !survives_cuts(text, n, no_cut) + !survives_cuts(text, n + before, no_cut);
            }
    ok(bad == 0, "lines of every length about a block's");
}

/* However a piece ends, and whatever the next one, of several blocks, begins with. */
static void
test_a_cut_before_blocks(void)
{
    static const char *const ends[] = {"a", "\r", "\n", "a\r", "\r\n", "\r\r", "."};
    static const char letters[] = "\r\n.a";
    unsigned char cut[300];
    char text[300];
    size_t end, i, n;
    unsigned number;
    int bad = 0;

    for (end = 0; end < sizeof ends / sizeof ends[0]; end++)
        for (number = 0; number < 256; number++) {
            n = strlen(ends[end]);
            memset(text, 'x', sizeof text);
            memset(cut, 0, sizeof cut);
            memcpy(text, ends[end], n);
            cut[n - 1] = 1;
            for (i = 0; i < 4; i++)
                text[n + i] = letters[number >> 2 * i & 3];
            bad += !survives_cuts(text, sizeof text, cut);
        }
    ok(bad == 0, "every end of a piece before every start of the next");
}

static void
has_id(const char *text, const char *id)
{
    static int number;
    struct smtpc_content_facts facts;
    char name[40];

    snprintf(name, sizeof name, "Message-ID of text %d", ++number);
    smtpc_content_scan(text, strlen(text), &facts);
    is_octets(facts.message_id == NULL ? "none" : facts.message_id,
              facts.message_id == NULL ? 4 : facts.message_id_length, id, strlen(id), name);
}

static void
test_message_id(void)
{
    has_id("", "none");
    has_id("Message-ID: <a@b>", "<a@b>");
    has_id("Subject: x\r\nMESSAGE-id:<a@b>\r\n\r\n", "<a@b>");
    has_id("Subject: x\nMessage-ID: \t<a@b> (x)\n", "<a@b>");
    has_id("Message-ID:\r\n <a@b>\r\n", "<a@b>");
    has_id("Message-ID: \n\t \r <a@b>\n", "<a@b>");
    has_id("Message-ID:\n<a@b>\n", "none");
    has_id("Message-ID:\n\n <a@b>\n", "none");
    has_id("Message-ID:\r\n\r\n <a@b>\n", "none");
    has_id("Subject: x\n\nMessage-ID: <a@b>\n", "none");
    has_id("Subject: x\r\n\r\nMessage-ID: <a@b>\n", "none");
    has_id("\nMessage-ID: <a@b>\n", "none");
    has_id("X-Message-ID: <a@b>\n", "none");
    has_id("Message-ID: a@b\nMessage-ID: <>\nMessage-ID: <a b>\nMessage-ID: <a@b\nMessage-ID: <c@d>", "<c@d>");
    has_id("Message-ID", "none");
    has_id("Message-ID:", "none");
    has_id("Message-ID: <", "none");
    has_id("Message-ID: <a\xe4@b>", "<a\xe4@b>");
}

static void
test_facts(void)
{
    struct smtpc_content_facts facts;

    smtpc_content_scan(NULL, 0, &facts);
    ok(facts.size == 0 && facts.longest_line == 0, "an empty message has no octets");
    smtpc_content_scan("a\nb", 3, &facts);
    ok(facts.size == 6 && facts.bare_lf == 1, "LF counts as CRLF, the missing line end too");
    smtpc_content_scan(".\r\n..\r", 6, &facts);
    ok(facts.size == 7 && facts.bare_cr == 1 && facts.longest_line == 2, "doubled dots do not count");
    smtpc_content_scan("a\0\xff", 3, &facts);
    ok(facts.nul && facts.eight_bit, "NUL and eight bits");
}

int
main(void)
{
    test_vectors();
    test_every_small_text_in_every_cut();
    test_random_texts_in_random_cuts();
    test_no_room_changes_nothing();
    test_every_length_of_line();
    test_a_cut_before_blocks();
    test_facts();
    test_message_id();
    return tap_done();
}
