/* fuzz_ehlo: capabilities are whole words of the reply, within limits, and mean the same when written out anew. */
#include "oracle.h"

#include <strings.h>

#include "codec/ehlo.h"
#include "codec/words.h"

static void
read_reply(struct smtpc_reply *reply, const char *octets, size_t n)
{
    size_t used;

    smtpc_reply_init(reply);
    smtpc_reply_feed(reply, octets, n, &used);
    smtpc_ehlo_may_be_complete(reply);
}

static int
is_edge(char c, const char *edges)
{
    return c != '\0' && strchr(edges, c) != NULL;
}

/* 1 when the word stands in the text, any case, with nothing of another word touching it. A '-' may stand before a
 * keyword, that of "250-". */
static int
stands_in(const struct smtpc_buffer *text, const char *word, size_t n, const char *before)
{
    const char *p = text->bytes;
    size_t i;

    for (i = 0; i + n < text->length; i++)
        if (strncasecmp(p + i, word, n) == 0 && is_edge(p[i + n], " \t,=\n") && (i == 0 || is_edge(p[i - 1], before)))
            return 1;
    return 0;
}

static void
check_parameters(const struct smtpc_ehlo *ehlo, const char *keyword, const char *parameters,
                 const struct smtpc_buffer *text)
{
    struct smtpc_words words = smtpc_words_of(parameters, strlen(parameters), 0);
    char word[SMTPC_EHLO_PARAMETERS_MAX + 1];
    size_t total = 0, count = 0;

    must(strlen(parameters) <= SMTPC_EHLO_PARAMETERS_MAX);
    while (smtpc_words_next(&words)) {
        memcpy(word, words.word, words.length);
        word[words.length] = '\0';
        must(smtpc_ehlo_has(ehlo, keyword, word) && stands_in(text, word, words.length, " \t,="));
        must(strcmp(keyword, "AUTH") != 0 || !smtpc_words_has(words.rest, strlen(words.rest), word, words.length));
        total += words.length;
        count++;
    }
    must(strlen(parameters) == total + (count > 0 ? count - 1 : 0));
}

static void
check_keyword(const struct smtpc_ehlo *ehlo, size_t i, const struct smtpc_buffer *text)
{
    const char *parameters;
    const char *keyword = smtpc_ehlo_keyword(ehlo, i, &parameters);
    size_t n = strlen(keyword);

    must(n > 0 && n <= SMTPC_EHLO_KEYWORD_MAX && smtpc_words_keyword_length(keyword, n) == n);
    must(smtpc_ehlo_find(ehlo, keyword) == parameters && stands_in(text, keyword, n, " \t\n-"));
    check_parameters(ehlo, keyword, parameters, text);
}

/* Writes the capabilities as a faultless server would. 0 when a parameter looks like a lost line end. */
static int
write_out(const struct smtpc_ehlo *ehlo, struct smtpc_buffer *out)
{
    const char *keyword, *parameters;
    size_t i;
    int plain = 1;

    smtpc_buffer_append_string(out, "250-anew\r\n");
    for (i = 0; (keyword = smtpc_ehlo_keyword(ehlo, i, &parameters)) != NULL; i++) {
        plain = plain && strstr(parameters, "250") == NULL;
        smtpc_buffer_append_string(out, "250-");
        smtpc_buffer_append_string(out, keyword);
        smtpc_buffer_append_string(out, parameters[0] == '\0' ? "" : " ");
        smtpc_buffer_append_string(out, parameters);
        smtpc_buffer_append_string(out, "\r\n");
    }
    return plain;
}

static void
check_again(const struct smtpc_ehlo *ehlo)
{
    struct smtpc_buffer out;
    struct smtpc_reply reply;
    struct smtpc_ehlo again;

    smtpc_buffer_init(&out, 1000000);
    smtpc_ehlo_init(&again);
    if (write_out(ehlo, &out)) {
        read_reply(&reply, out.bytes, out.length);
        must(smtpc_ehlo_parse(&again, &reply) == 0 && again.count == ehlo->count);
        must(again.words.length == ehlo->words.length && again.words.length <= again.words.cap);
        must(again.count == 0 || memcmp(again.words.bytes, ehlo->words.bytes, again.words.length) == 0);
        smtpc_reply_clear(&reply);
    }
    smtpc_buffer_clear(&out);
    smtpc_ehlo_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smtpc_reply reply;
    struct smtpc_ehlo ehlo;
    size_t i;

    read_reply(&reply, (const char *)data, size);
    smtpc_ehlo_init(&ehlo);
    must(smtpc_ehlo_parse(&ehlo, &reply) == 0);
    must(ehlo.count <= SMTPC_EHLO_KEYWORDS_MAX && smtpc_ehlo_size_limit(&ehlo) >= 0);
    must(memchr(ehlo.domain.length > 0 ? ehlo.domain.bytes : "x", ' ', ehlo.domain.length) == NULL);
    for (i = 0; i < ehlo.count; i++)
        check_keyword(&ehlo, i, &reply.text);
    check_again(&ehlo);
    smtpc_ehlo_clear(&ehlo);
    smtpc_reply_clear(&reply);
    return 0;
}
