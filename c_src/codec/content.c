/* content: message text as DATA wants it: every line end CRLF, every leading dot doubled (RFC 5321 section 4.5.2). */
#include "codec/content.h"

#include <string.h>

void
smtpc_content_init(struct smtpc_content *content)
{
    content->place = SMTPC_CONTENT_LINE_START;
    content->size = 0;
}

/* out NULL: the octets are only counted. */
static int
put(struct smtpc_buffer *out, const char *octets, size_t n)
{
    return out == NULL ? 0 : smtpc_buffer_append(out, octets, n);
}

static int
put_line_end(struct smtpc_content *content, struct smtpc_buffer *out)
{
    content->place = SMTPC_CONTENT_LINE_START;
    content->size += 2;
    return put(out, "\r\n", 2);
}

/* n octets without CR and LF. */
static int
put_run(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out)
{
    if (n == 0)
        return 0;
    if (content->place == SMTPC_CONTENT_LINE_START && octets[0] == '.' && put(out, ".", 1) != 0)
        return -1;
    content->place = SMTPC_CONTENT_IN_LINE;
    content->size += (int64_t)n;
    return put(out, octets, n);
}

/* Where the octet stands first, or end. */
static const char *
find(const char *octets, const char *end, int octet)
{
    const char *found = memchr(octets, octet, (size_t)(end - octets));

    return found == NULL ? end : found;
}

/* A LF alone is heard as the second half of a CRLF. The next LF is remembered, not looked for again at each CR: the
 * time stays linear for a text of nothing but CRs. */
static int
rewrite(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out)
{
    const char *end = octets + n;
    const char *lf = find(octets, end, '\n');
    const char *stop;

    while (octets < end) {
        if (content->place == SMTPC_CONTENT_AFTER_CR) {
            if (put_line_end(content, out) != 0)
                return -1;
            octets += *octets == '\n';
            continue;
        }
        if (lf < octets)
            lf = find(octets, end, '\n');
        stop = find(octets, lf, '\r');
        if (put_run(content, octets, (size_t)(stop - octets), out) != 0)
            return -1;
        if (stop == end)
            return 0;
        content->place = SMTPC_CONTENT_AFTER_CR;
        octets = stop + (*stop == '\r');
    }
    return 0;
}

static int
finish(struct smtpc_content *content, struct smtpc_buffer *out)
{
    if (content->place != SMTPC_CONTENT_LINE_START && put_line_end(content, out) != 0)
        return -1;
    return put(out, ".\r\n", 3);
}

/* All or nothing: undoes a call that failed half-way. */
static int
take_back(struct smtpc_content *content, struct smtpc_content before, struct smtpc_buffer *out, size_t length)
{
    *content = before;
    smtpc_buffer_truncate(out, length);
    return -1;
}

int
smtpc_content_append(struct smtpc_content *content, const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_content before = *content;
    size_t length = out->length;

    if (n == 0 || rewrite(content, octets, n, out) == 0)
        return 0;
    return take_back(content, before, out, length);
}

int
smtpc_content_end(struct smtpc_content *content, struct smtpc_buffer *out)
{
    struct smtpc_content before = *content;
    size_t length = out->length;

    if (finish(content, out) == 0)
        return 0;
    return take_back(content, before, out, length);
}

int64_t
smtpc_content_measure(const char *octets, size_t n)
{
    struct smtpc_content content;

    smtpc_content_init(&content);
    if (n > 0)
        rewrite(&content, octets, n, NULL);
    finish(&content, NULL);
    return content.size;
}
