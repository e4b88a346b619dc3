/* reply: the incremental reader of SMTP replies (RFC 5321 section 4.2), the same result for any cut of the octets. */
#include "codec/reply.h"

#include <string.h>

enum { HEAD = 4 };   /* the code and what separates it from the text */

void
smtpc_reply_init(struct smtpc_reply *reply)
{
    memset(reply, 0, sizeof *reply);
    smtpc_buffer_init(&reply->text, SMTPC_REPLY_SIZE_MAX);
    smtpc_buffer_init(&reply->line, SMTPC_REPLY_LINE_MAX + 1);   /* and a CR of which the LF is not here yet */
}

void
smtpc_reply_clear(struct smtpc_reply *reply)
{
    smtpc_buffer_clear(&reply->text);
    smtpc_buffer_clear(&reply->line);
    smtpc_reply_reset(reply);
}

void
smtpc_reply_reset(struct smtpc_reply *reply)
{
    smtpc_buffer_truncate(&reply->text, 0);
    smtpc_buffer_truncate(&reply->line, 0);
    reply->code = 0;
    reply->enhanced[0] = '\0';
    reply->line_count = 0;
    reply->fault = NULL;
    reply->last_seen = 0;
}

static int
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A line that is nothing but its code may end in several CRs: they are looked at one by one too. */
static int
is_in_head(const struct smtpc_buffer *line)
{
    return line->length < HEAD || line->bytes[HEAD - 1] == '\r';
}

static const char *
fault_of_digit(const struct smtpc_reply *reply, char c)
{
    const char *line = reply->line.bytes;
    size_t i = reply->line.length;

    if (!is_digit(c) || (i == 0 && (c < '2' || c > '5')))
        return "bad-code";
    if (i == 2 && reply->line_count > 0 && (line[0] - '0') * 100 + (line[1] - '0') * 10 + (c - '0') != reply->code)
        return "code-mismatch";
    return NULL;
}

/* What is wrong with the next octet of a line's head, or NULL. */
static const char *
fault_of_head(const struct smtpc_reply *reply, char c)
{
    size_t i = reply->line.length;

    if (i < HEAD - 1)
        return fault_of_digit(reply, c);
    if (c == '\r' || c == '\n')
        return NULL;
    return i == HEAD - 1 && (c == ' ' || c == '\t' || c == '-') ? NULL : "bad-separator";
}

/* "5.7.8" and the blanks behind it: how many octets of the text they are, 0 when the text does not begin with an
 * enhanced code of this class. *size is the code's own length. */
static size_t
enhanced_length(int class, const char *text, size_t n, size_t *size)
{
    size_t i = 1;
    int part, digits;

    if (class == 3 || n == 0 || text[0] != '0' + class)
        return 0;
    for (part = 0; part < 2; part++) {
        if (i == n || text[i++] != '.')
            return 0;
        for (digits = 0; i < n && is_digit(text[i]); digits++)
            i++;
        if (digits < 1 || digits > 3)
            return 0;
    }
    *size = i;
    while (i < n && (text[i] == ' ' || text[i] == '\t'))
        i++;
    return i == n || i > *size ? i : 0;
}

static void
note_enhanced(struct smtpc_reply *reply, const char *text, size_t n)
{
    size_t size;

    if (reply->enhanced[0] != '\0' || enhanced_length(smtpc_reply_class(reply), text, n, &size) == 0)
        return;
    memcpy(reply->enhanced, text, size);
    reply->enhanced[size] = '\0';
}

static const char *
append_line(struct smtpc_reply *reply, const char *text, size_t n)
{
    struct smtpc_buffer *all = &reply->text;

    if (reply->line_count == SMTPC_REPLY_LINES_MAX || n + 1 > all->cap - all->length)
        return "reply-too-long";
    if (smtpc_buffer_reserve(all, n + 1) == NULL)
        return "memory";
    smtpc_buffer_append(all, text, n);
    smtpc_buffer_append_octet(all, '\n');
    reply->line_count++;
    return NULL;
}

/* The LF has come; line holds what was before it. */
static void
end_line(struct smtpc_reply *reply)
{
    const char *line = reply->line.bytes;
    size_t n = reply->line.length;
    size_t head;

    while (line[n - 1] == '\r')
        n--;
    head = n < HEAD ? n : HEAD;
    reply->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    reply->fault = n > SMTPC_REPLY_LINE_MAX ? "line-too-long" : append_line(reply, line + head, n - head);
    if (reply->fault != NULL)
        return;
    note_enhanced(reply, line + head, n - head);
    reply->last_seen = head < HEAD || line[HEAD - 1] != '-';
    smtpc_buffer_truncate(&reply->line, 0);
}

static void
collect(struct smtpc_reply *reply, const char *octets, size_t n)
{
    struct smtpc_buffer *line = &reply->line;

    if (n > line->cap - line->length)
        reply->fault = "line-too-long";
    else if (smtpc_buffer_append(line, octets, n) != 0)
        reply->fault = "memory";
}

/* Takes one octet of a head, or as much of a line as there is; returns how many octets that was. */
static size_t
take(struct smtpc_reply *reply, const char *octets, size_t n)
{
    const char *lf;
    size_t run;

    if (is_in_head(&reply->line)) {
        reply->fault = fault_of_head(reply, octets[0]);
        n = 1;
    }
    lf = memchr(octets, '\n', n);
    run = lf == NULL ? n : (size_t)(lf - octets);
    if (reply->fault == NULL)
        collect(reply, octets, run);
    if (reply->fault == NULL && lf != NULL)
        end_line(reply);
    return lf == NULL ? run : run + 1;
}

enum smtpc_reply_status
smtpc_reply_feed(struct smtpc_reply *reply, const char *octets, size_t n, size_t *used)
{
    *used = 0;
    while (reply->fault == NULL && !reply->last_seen && *used < n)
        *used += take(reply, octets + *used, n - *used);
    if (reply->fault != NULL)
        return SMTPC_REPLY_BAD;
    return reply->last_seen ? SMTPC_REPLY_DONE : SMTPC_REPLY_MORE;
}

int
smtpc_reply_is_empty(const struct smtpc_reply *reply)
{
    return reply->line_count == 0 && reply->line.length == 0 && reply->fault == NULL;
}

const char *
smtpc_reply_line(const struct smtpc_reply *reply, size_t i, size_t *n)
{
    const char *line = reply->text.bytes;
    const char *end, *lf;

    *n = 0;
    if (i >= reply->line_count)
        return "";
    end = line + reply->text.length;
    lf = memchr(line, '\n', (size_t)(end - line));
    while (i-- > 0) {
        line = lf + 1;
        lf = memchr(line, '\n', (size_t)(end - line));
    }
    *n = (size_t)(lf - line);
    return line;
}

const char *
smtpc_reply_line_text(const struct smtpc_reply *reply, size_t i, size_t *n)
{
    const char *line = smtpc_reply_line(reply, i, n);
    size_t size;
    size_t skip = enhanced_length(smtpc_reply_class(reply), line, *n, &size);

    *n -= skip;
    return line + skip;
}

int
smtpc_reply_class(const struct smtpc_reply *reply)
{
    return reply->code / 100;
}
