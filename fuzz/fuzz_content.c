/* fuzz_content: any text in any cuts gives what the model gives; without room nothing changes. */
#include "oracle.h"

#include "../t/core/content_model.h"
#include "codec/content.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char *expected = malloc(2 * size + 5), *back = malloc(2 * size + 5);
    uint32_t seed = size > 0 ? data[size - 1] : 0;
    size_t at, piece, n = content_model(text, size, expected);
    struct smtpc_content content;
    struct smtpc_buffer out;

    smtpc_content_init(&content);
    smtpc_buffer_init(&out, 2 * size + 5);
    for (at = 0; at < size; at += piece) {
        piece = next_piece(&seed, size - at);
        append(&content, text + at, piece, &out, seed);
    }
    must(smtpc_content_end(&content, &out) == 0);
    must(out.length == n && memcmp(out.bytes, expected, n) == 0);
    must(unstuff(out.bytes, n, back) == (size_t)content.size);
    must(content.size == smtpc_content_measure(text, size));
    smtpc_buffer_clear(&out);
    free(expected);
    free(back);
    return 0;
}
