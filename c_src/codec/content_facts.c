/* content_facts: what one reading of a message tells of it. */
#include "codec/content_facts.h"

#include <string.h>

#include "codec/block.h"
#include "codec/words.h"

enum { HEADER_MOST = 65536 };    /* octets in which a Message-ID is looked for */

/* What has been seen so far. A LF that follows a CR is a second half: both end one line. */
struct lines {
    size_t start;         /* of the line that is being read */
    size_t cr, lf, halves;
    size_t longest;
    uint64_t high, nul;
    uint64_t after_cr;    /* 1: the last octet was one */
};

static inline void
end_line(struct lines *lines, size_t at)
{
    if (at - lines->start > lines->longest)
        lines->longest = at - lines->start;
    lines->start = at + 1;
}

/* Only the line that ends first in a block can be a long one. */
static inline void
end_lines(struct lines *lines, size_t at, uint64_t ends)
{
    size_t last = smtpc_block_last(ends);

    end_line(lines, at + smtpc_block_first(ends));
    if (lines->longest < SMTPC_BLOCK_SIZE)
        for (ends &= ends - 1; ends != 0; ends &= ends - 1)
            end_line(lines, at + smtpc_block_first(ends));
    lines->start = at + last + 1;
}

static inline void
scan_block(struct lines *lines, const char *from, size_t at)
{
    struct smtpc_block block = smtpc_block_at(from);
    uint64_t lf = smtpc_block_is(block, '\n'), cr = smtpc_block_is(block, '\r');
    uint64_t before = cr << 1 | lines->after_cr;

    lines->high |= smtpc_block_is_high(block);
    lines->nul |= smtpc_block_is(block, '\0');
    lines->after_cr = cr >> (SMTPC_BLOCK_SIZE - 1);
    lines->lf += smtpc_block_count(lf);
    if ((cr | before) != 0) {
        lines->cr += smtpc_block_count(cr);
        lines->halves += smtpc_block_count(lf & before);
    }
    if ((lf | cr) != 0)
        end_lines(lines, at, lf | cr);
}

/* The last octets, less than a block, lie in a copy with blanks behind them. */
static void
scan_lines(struct lines *lines, const char *octets, size_t n)
{
    char rest[SMTPC_BLOCK_SIZE];
    size_t at;

    for (at = 0; at < n; at += SMTPC_BLOCK_SIZE) {
        const char *from = octets + at;

        if (n - at < SMTPC_BLOCK_SIZE) {
            memset(rest, ' ', sizeof rest);
            from = memcpy(rest, from, n - at);
        }
        scan_block(lines, from, at);
    }
}

static int
is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* Behind the blanks, and behind line ends that a blank follows: the field goes on there. */
static const char *
skip_white(const char *at, const char *end)
{
    const char *next;

    for (;;) {
        while (at < end && smtpc_words_is_blank(*at))
            at++;
        next = at + (at < end && *at == '\r');
        next += next < end && *next == '\n';
        if (next == at || next == end || !smtpc_words_is_blank(*next))
            return at;
        at = next;
    }
}

/* The value of a Message-ID field is <...> without white space inside. */
static int
read_message_id(const char *value, const char *end, struct smtpc_content_facts *facts)
{
    const char *from = skip_white(value, end);
    const char *at = from;

    if (at == end || *at++ != '<')
        return 0;
    while (at < end && (unsigned char)*at > ' ' && *at != '<' && *at != '>')
        at++;
    if (at == end || *at != '>' || at - from < 2)
        return 0;
    facts->message_id = from;
    facts->message_id_length = (size_t)(at + 1 - from);
    return 1;
}

/* In the header, which ends at the first empty line. */
static void
find_message_id(const char *octets, const char *end, struct smtpc_content_facts *facts)
{
    static const char name[] = "Message-ID:";
    const size_t length = sizeof name - 1;
    const char *at = octets;

    while (at < end && !is_line_end(*at)) {
        if ((size_t)(end - at) > length && smtpc_words_same(at, length, name, length)
            && read_message_id(at + length, end, facts))
            return;
        while (at < end && !is_line_end(*at))
            at++;
        if (at < end && *at++ == '\r' && at < end && *at == '\n')
            at++;
    }
}

void
smtpc_content_scan(const char *octets, size_t n, struct smtpc_content_facts *facts)
{
    struct lines lines = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t ends, last;

    memset(facts, 0, sizeof *facts);
    if (n == 0)
        return;
    scan_lines(&lines, octets, n);
    last = n - lines.start;
    ends = lines.cr + lines.lf;
    facts->longest_line = last > lines.longest ? last : lines.longest;
    facts->bare_cr = lines.cr - lines.halves;
    facts->bare_lf = lines.lf - lines.halves;
    facts->size = (int64_t)(n - ends + 2 * (ends - lines.halves) + (last > 0 ? 2 : 0));
    facts->eight_bit = lines.high != 0;
    facts->nul = lines.nul != 0;
    find_message_id(octets, octets + (n < HEADER_MOST ? n : HEADER_MOST), facts);
}
