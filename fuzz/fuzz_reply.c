/* fuzz_reply: any octets in any cuts give the same reply, which is the one that a reading line by line gives. */
#include "oracle.h"

#include "codec/reply.h"

/* Feeds pieces that the seed chooses (0: all at once). *used: octets of the whole. */
static enum smtpc_reply_status
feed_pieces(struct smtpc_reply *reply, const char *octets, size_t n, uint32_t seed, size_t *used)
{
    enum smtpc_reply_status status = SMTPC_REPLY_MORE;
    size_t piece, taken;

    for (*used = 0; status == SMTPC_REPLY_MORE && *used < n; *used += taken) {
        piece = seed == 0 ? n : next_piece(&seed, n - *used);
        status = smtpc_reply_feed(reply, octets + *used, piece, &taken);
        must(taken <= piece && (status != SMTPC_REPLY_MORE || taken == piece));
    }
    return status;
}

static void
must_be_same(const struct smtpc_reply *a, const struct smtpc_reply *b)
{
    must(a->fault == b->fault || (a->fault != NULL && b->fault != NULL && strcmp(a->fault, b->fault) == 0));
    must(a->line_count == b->line_count && strcmp(a->enhanced, b->enhanced) == 0 && a->text.length == b->text.length);
    must(a->text.length == 0 || memcmp(a->text.bytes, b->text.bytes, a->text.length) == 0);
    must(smtpc_reply_is_empty(a) == smtpc_reply_is_empty(b));
}

/* One line of the input, n octets without its LF, against line i of the reply. */
static void
check_line(const struct smtpc_reply *reply, size_t i, const char *line, size_t n)
{
    size_t text_length, rest_length;
    const char *text = smtpc_reply_line(reply, i, &text_length);
    const char *rest = smtpc_reply_line_text(reply, i, &rest_length);
    char code[12];

    while (n > 0 && line[n - 1] == '\r')
        n--;
    snprintf(code, sizeof code, "%d", reply->code);
    must(n >= 3 && n <= SMTPC_REPLY_LINE_MAX && memcmp(line, code, 3) == 0);
    must(i + 1 == reply->line_count ? n == 3 || line[3] == ' ' || line[3] == '\t' : n > 3 && line[3] == '-');
    must(text_length == (n > 4 ? n - 4 : 0) && memcmp(text, line + (n > 4 ? 4 : n), text_length) == 0);
    must(rest + rest_length == text + text_length && rest_length <= text_length);
}

static void
check_lines(const struct smtpc_reply *reply, const char *octets, size_t used)
{
    const char *line = octets, *lf;
    size_t i;

    must(reply->code >= 200 && reply->code <= 599 && smtpc_reply_class(reply) == reply->code / 100);
    must(reply->line_count > 0 && reply->line_count <= SMTPC_REPLY_LINES_MAX);
    must(reply->text.length <= SMTPC_REPLY_SIZE_MAX);
    must(reply->enhanced[0] == '\0' || reply->enhanced[0] == '0' + reply->code / 100);
    for (i = 0; i < reply->line_count; i++) {
        lf = memchr(line, '\n', (size_t)(octets + used - line));
        must(lf != NULL);
        check_line(reply, i, line, (size_t)(lf - line));
        line = lf + 1;
    }
    must(line == octets + used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *octets = (const char *)data;
    uint32_t seed = size > 0 ? data[size - 1] + 1u : 1;
    struct smtpc_reply whole, cut;
    enum smtpc_reply_status status;
    size_t used, used_cut, at = 0;

    smtpc_reply_init(&whole);
    smtpc_reply_init(&cut);
    do {
        smtpc_reply_reset(&whole);
        smtpc_reply_reset(&cut);
        status = feed_pieces(&whole, octets + at, size - at, 0, &used);
        must(feed_pieces(&cut, octets + at, size - at, seed, &used_cut) == status);
        must(status == SMTPC_REPLY_BAD || used == used_cut);
        must_be_same(&whole, &cut);
        if (status == SMTPC_REPLY_DONE)
            check_lines(&whole, octets + at, used);
        at += used;
    } while (status == SMTPC_REPLY_DONE);
    smtpc_reply_clear(&whole);
    smtpc_reply_clear(&cut);
    return 0;
}
