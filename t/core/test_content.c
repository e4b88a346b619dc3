/* test_content: every row of dotstuff.tsv, every small text, random texts in random cuts. */
#include "tap.h"
#include "vectors.h"

#include "codec/content.h"
#include "content_model.h"

enum { TEXT_MAX = 2000 };

static int
wire_is(const char *text, size_t n, const struct smtpc_buffer *out, const struct smtpc_content *content)
{
    static char wire[2 * TEXT_MAX + 5];
    size_t length = content_model(text, n, wire);

    return out->length == length && memcmp(out->bytes, wire, length) == 0
        && content->size == smtpc_content_measure(text, n);
}

/* Cuts the text at the places that bits says (1: behind this octet), and compares with the model. */
static int
survives_cuts(const char *text, size_t n, const unsigned char *cut)
{
    struct smtpc_content content;
    struct smtpc_buffer out;
    size_t i, start = 0;
    int good = 1;

    smtpc_content_init(&content);
    smtpc_buffer_init(&out, 2 * TEXT_MAX + 5);
    for (i = 0; i < n; i++) {
        if (!cut[i] && i + 1 < n)
            continue;
        good = good && smtpc_content_append(&content, text + start, i + 1 - start, &out) == 0;
        start = i + 1;
    }
    good = good && smtpc_content_end(&content, &out) == 0 && wire_is(text, n, &out, &content);
    smtpc_buffer_clear(&out);
    return good;
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
            cut[i] = (seed >> 24 & 15) == 0;
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

static void
test_measure(void)
{
    ok(smtpc_content_measure(NULL, 0) == 0, "an empty message has no octets");
    ok(smtpc_content_measure("a\nb", 3) == 6, "LF counts as CRLF, the missing line end too");
    ok(smtpc_content_measure(".\r\n..\r", 6) == 7, "doubled dots do not count");
}

int
main(void)
{
    test_vectors();
    test_every_small_text_in_every_cut();
    test_random_texts_in_random_cuts();
    test_no_room_changes_nothing();
    test_measure();
    return tap_done();
}
