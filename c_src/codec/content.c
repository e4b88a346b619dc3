/* content: message text as DATA and BDAT want it: line ends CRLF, for DATA leading dots doubled (RFC 5321 4.5.2). */
#include "codec/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "codec/block.h"

static const struct smtpc_content start = {SMTPC_CONTENT_STUFFED, SMTPC_CONTENT_LINE_START, 0};

void
smtpc_content_init(struct smtpc_content *content)
{
    *content = start;
}

void
smtpc_content_init_plain(struct smtpc_content *content)
{
    *content = start;
    content->form = SMTPC_CONTENT_PLAIN;
}

void
smtpc_content_init_binary(struct smtpc_content *content)
{
    *content = start;
    content->form = SMTPC_CONTENT_BINARY;
}

enum { MARGIN = 2 * SMTPC_BLOCK_SIZE, REST_MOST = SMTPC_BLOCK_SIZE + MARGIN };

/* A block is rewritten line by line: each is copied as a whole block, though it is less, and what is too much is
 * overwritten by what comes next. So nothing is looked at twice, and the processor has to guess no more than how many
 * lines end in a block. What is read too much lies in the two blocks behind it. */
struct rewriting {
    const char *from;
    char *to;
    int is_start;      /* of a line */
    int is_stuffed;
    int64_t dots;
};

static inline void
put_start(struct rewriting *r, const char *line)
{
    int is_dot = r->is_stuffed & r->is_start & (*line == '.');

    *r->to = '.';
    r->to += is_dot;
    r->dots += is_dot;
    memcpy(r->to, line, SMTPC_BLOCK_SIZE);
}

static inline void
rewrite_block(struct rewriting *r)
{
    struct smtpc_block block = smtpc_block_at(r->from);
    uint64_t stops = smtpc_block_is(block, '\n') | smtpc_block_is(block, '\r');
    const char *line = r->from, *next = r->from + SMTPC_BLOCK_SIZE;

    for (; stops != 0; stops &= stops - 1) {
        const char *stop = r->from + smtpc_block_first(stops);
        int is_pair = (stop[0] == '\r') & (stop[1] == '\n');

        put_start(r, line);
        r->to += stop - line;
        memcpy(r->to, "\r\n", 2);
        r->to += 2;
        r->is_start = 1;
        line = stop + 1 + is_pair;
        stops &= stops - (uint64_t)is_pair;    /* a LF that belongs to a CR stops nothing */
    }
    if (line < next) {
        put_start(r, line);
        r->to += next - line;
        r->is_start = 0;
    }
    r->from = line < next ? next : line;
}

/* The last octets, with others behind them so that they fill their blocks; what comes of those is left out again. */
static void
rewrite_rest(struct rewriting *r, size_t n)
{
    char rest[REST_MOST + MARGIN], made[2 * (REST_MOST + MARGIN)];
    struct rewriting bounded = *r;
    size_t length;

    memcpy(rest, r->from, n);
    memset(rest + n, 'x', sizeof rest - n);
    bounded.from = rest;
    bounded.to = made;
    while (bounded.from < rest + n)
        rewrite_block(&bounded);
    length = (size_t)(bounded.to - made) - (size_t)(bounded.from - (rest + n));
    memcpy(r->to, made, length);
    r->to += length;
    r->dots = bounded.dots;
}

/* Returns the end of what it writes to `to`, where there is room for 2n+2 octets; n is not 0. */
static char *
rewrite(struct smtpc_content *content, const char *octets, size_t n, char *to)
{
    const char *end = octets + n;
    struct rewriting r = {octets, to, content->place != SMTPC_CONTENT_IN_LINE,
                          content->form == SMTPC_CONTENT_STUFFED, 0};

    r.from += content->place == SMTPC_CONTENT_AFTER_CR && *octets == '\n';
    while (end - r.from >= REST_MOST)
        rewrite_block(&r);
    if (r.from < end)
        rewrite_rest(&r, (size_t)(end - r.from));
    content->place = end[-1] == '\r' ? SMTPC_CONTENT_AFTER_CR
                   : end[-1] == '\n' ? SMTPC_CONTENT_LINE_START : SMTPC_CONTENT_IN_LINE;
    content->size += r.to - to - r.dots;
    return r.to;
}

/* Near the cap it must be known how much it is before anything is changed, so it is made elsewhere. */
static int
append_tightly(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_content after = *content;
    char *made = malloc(2 * n + 2);
    size_t length;
    int result;

    if (made == NULL)
        return -1;
    length = (size_t)(rewrite(&after, octets, n, made) - made);
    result = smtpc_buffer_append(out, made, length);
    if (result == 0)
        *content = after;
    smtpc_secret_wipe(made, length);
    free(made);
    return result;
}

int
smtpc_content_append(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out)
{
    char *to;

    if (n == 0)
        return 0;
    if (n > SIZE_MAX / 2 - 1)
        return -1;
    if (content->form == SMTPC_CONTENT_BINARY) {
        if (smtpc_buffer_append(out, octets, n) != 0)
            return -1;
        content->size += (int64_t)n;
        return 0;
    }
    to = smtpc_buffer_reserve(out, 2 * n + 2);
    if (to == NULL)
        return append_tightly(content, octets, n, out);
    out->length += (size_t)(rewrite(content, octets, n, to) - to);
    return 0;
}

int
smtpc_content_end(struct smtpc_content *content, struct smtpc_buffer *out)
{
    const char *end = content->form == SMTPC_CONTENT_STUFFED ? "\r\n.\r\n" : "\r\n";
    size_t whole = content->place != SMTPC_CONTENT_IN_LINE || content->form == SMTPC_CONTENT_BINARY ? 2 : 0;

    if (smtpc_buffer_append_string(out, end + whole) != 0)
        return -1;
    if (whole == 0)
        content->size += 2;
    content->place = SMTPC_CONTENT_LINE_START;
    return 0;
}
