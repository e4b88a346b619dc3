/* fuzz_content: any text in any cuts gives what the model gives, in each form; without room nothing changes; and what
 * one reading tells is true. */
#include "oracle.h"

#include <strings.h>

#include "../t/core/content_model.h"
#include "codec/content.h"
#include "codec/content_facts.h"

static void (*const inits[])(struct smtpc_content *) = {smtpc_content_init, smtpc_content_init_plain,
                                                        smtpc_content_init_binary};

/* The reader's side (RFC 5321 section 4.5.2): takes the final dot and the doubled ones away. */
static size_t
unstuff(const char *wire, size_t n, char *text)
{
    char *t = text;
    size_t i;

    must(n >= 3 && memcmp(wire + n - 3, ".\r\n", 3) == 0);
    for (i = 0; i < n - 3; i++) {
        int at_start = i == 0 || wire[i - 1] == '\n';

        must((wire[i] == '\n') == (i > 0 && wire[i - 1] == '\r') && (wire[i] != '\r' || wire[i + 1] == '\n'));
        must(!at_start || wire[i] != '.' || wire[i + 1] == '.');
        if (at_start && wire[i] == '.')
            i++;
        *t++ = wire[i];
    }
    must(n == 3 || wire[n - 4] == '\n');
    return (size_t)(t - text);
}

/* A call that has no room must leave no trace; it is then made again with room. */
static void
append(struct smtpc_content *content, const char *text, size_t n, struct smtpc_buffer *out, uint32_t seed)
{
    struct smtpc_content before = *content;
    size_t length = out->length, cap = out->cap;

    out->cap = length + (seed >> 8 & 15);
    if (smtpc_content_append(content, text, n, out) != 0) {
        must(out->length == length && before.place == content->place && before.size == content->size);
        out->cap = cap;
        must(smtpc_content_append(content, text, n, out) == 0);
    }
    out->cap = cap;
    must(out->length - length <= 2 * n + 2);
}

/* Found again the long way: a line of the header that begins so, with the id behind white space, in the same line or
 * in those that go on with it. */
static void
check_message_id(const struct smtpc_content_facts *facts, const char *text, size_t n)
{
    const char *id = facts->message_id, *line;
    size_t i;

    if (id == NULL)
        return;
    must(id >= text && id + facts->message_id_length <= text + n && facts->message_id_length > 2);
    must(id[0] == '<' && id[facts->message_id_length - 1] == '>');
    for (i = 1; i < facts->message_id_length - 1; i++)
        must((unsigned char)id[i] > ' ' && id[i] != '<' && id[i] != '>');
    for (line = id; line > text && strchr(" \t\r\n", line[-1]) != NULL && line[-1] != '\0'; line--)
        must(id - line < 3 || line[0] != '\n' || line[1] != '\n');
    must(line - text >= 11 && strncasecmp(line - 11, "Message-ID:", 11) == 0);
    must(line - 11 == text || line[-12] == '\n' || line[-12] == '\r');
}

static void
check_form(enum smtpc_content_form form, const char *text, size_t size, int64_t counted)
{
    char *expected = malloc(2 * size + 5), *back = malloc(2 * size + 5);
    uint32_t seed = size > 0 ? (uint8_t)text[size - 1] : 0;
    size_t at, piece, n = content_model_of(form, text, size, expected);
    struct smtpc_content content;
    struct smtpc_buffer out;

    inits[form](&content);
    smtpc_buffer_init(&out, 2 * size + 5);
    for (at = 0; at < size; at += piece) {
        piece = next_piece(&seed, size - at);
        append(&content, text + at, piece, &out, seed);
    }
    must(smtpc_content_end(&content, &out) == 0);
    must(out.length == n && (n == 0 || memcmp(out.bytes, expected, n) == 0));
    must(content.size == counted);
    must(form != SMTPC_CONTENT_STUFFED || unstuff(out.bytes, n, back) == (size_t)content.size);
    smtpc_buffer_clear(&out);
    free(expected);
    free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct smtpc_content_facts facts;

    smtpc_content_scan(text, size, &facts);
    must(content_model_agrees(&facts, text, size));
    check_message_id(&facts, text, size);
    check_form(SMTPC_CONTENT_STUFFED, text, size, facts.size);
    check_form(SMTPC_CONTENT_PLAIN, text, size, facts.size);
    check_form(SMTPC_CONTENT_BINARY, text, size, (int64_t)size);
    return 0;
}
