/* ehlo: what a server offers, read from its EHLO reply (RFC 5321 section 4.1.1.1), damaged forms included. */
#include "codec/ehlo.h"

#include <string.h>

#include "codec/lost_crlf.h"
#include "codec/words.h"

/* All keywords at their longest with their NULs, and room to put new parameters beside the old ones. */
enum {
    ENTRY_MAX = SMTPC_EHLO_KEYWORD_MAX + SMTPC_EHLO_PARAMETERS_MAX + 2,
    WORDS_MAX = (SMTPC_EHLO_KEYWORDS_MAX + 1) * ENTRY_MAX
};

void
smtpc_ehlo_init(struct smtpc_ehlo *ehlo)
{
    smtpc_buffer_init(&ehlo->domain, SMTPC_REPLY_LINE_MAX);
    smtpc_buffer_init(&ehlo->words, WORDS_MAX);
    ehlo->count = 0;
}

void
smtpc_ehlo_clear(struct smtpc_ehlo *ehlo)
{
    smtpc_buffer_clear(&ehlo->domain);
    smtpc_buffer_clear(&ehlo->words);
    ehlo->count = 0;
}

void
smtpc_ehlo_reset(struct smtpc_ehlo *ehlo)
{
    smtpc_buffer_truncate(&ehlo->domain, 0);
    smtpc_buffer_truncate(&ehlo->words, 0);
    ehlo->count = 0;
}

/* The parameters of a keyword, or NULL. */
static char *
locate(const struct smtpc_ehlo *ehlo, const char *keyword, size_t n)
{
    char *entry = ehlo->words.bytes;
    char *parameters;
    size_t i;

    for (i = 0; i < ehlo->count; i++, entry = parameters + strlen(parameters) + 1) {
        parameters = entry + strlen(entry) + 1;
        if (smtpc_words_same(entry, strlen(entry), keyword, n))
            return parameters;
    }
    return NULL;
}

/* Adds a keyword without parameters. */
static int
add_keyword(struct smtpc_ehlo *ehlo, const char *keyword, size_t n)
{
    char *end = smtpc_buffer_reserve(&ehlo->words, n + 2);
    size_t i;

    if (end == NULL)
        return -1;
    for (i = 0; i < n; i++)
        end[i] = smtpc_words_upper(keyword[i]);
    end[n] = end[n + 1] = '\0';
    ehlo->words.length += n + 2;
    ehlo->count++;
    return 0;
}

/* Puts other parameters in the place of a keyword's old ones. */
static int
set_parameters(struct smtpc_ehlo *ehlo, const char *keyword, size_t n, const struct smtpc_buffer *parameters)
{
    struct smtpc_buffer *words = &ehlo->words;
    char *old, *tail;

    if (smtpc_buffer_reserve(words, parameters->length) == NULL)
        return -1;
    old = locate(ehlo, keyword, n);
    tail = old + strlen(old);
    memmove(old + parameters->length, tail, (size_t)(words->bytes + words->length - tail));
    words->length = words->length + parameters->length - (size_t)(tail - old);
    if (parameters->length > 0)
        memcpy(old, parameters->bytes, parameters->length);
    return 0;
}

/* 33..126, as RFC 5321 says; a word with anything else in it is none. */
static int
is_printable(const char *word, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (word[i] < 33 || word[i] > 126)
            return 0;
    return 1;
}

/* Gathers the words of a line behind those that all already holds. -1: memory. */
static int
gather(struct smtpc_words *words, int is_auth, struct smtpc_buffer *all)
{
    size_t i;

    while (smtpc_words_next(words)) {
        if (!is_printable(words->word, words->length)
            || (is_auth && smtpc_words_has(all->bytes, all->length, words->word, words->length)))
            continue;
        if (words->length + 1 > all->cap - all->length)
            return 0;
        if (smtpc_buffer_reserve(all, words->length + 1) == NULL)
            return -1;
        if (all->length > 0)
            smtpc_buffer_append(all, " ", 1);
        for (i = 0; i < words->length; i++)
            smtpc_buffer_append_octet(all, is_auth ? smtpc_words_upper(words->word[i]) : words->word[i]);
    }
    return 0;
}

/* AUTH adds to what is there; of any other keyword the last line counts. */
static int
offer(struct smtpc_ehlo *ehlo, const char *keyword, size_t n, const char *text, size_t text_length)
{
    int is_auth = smtpc_words_same(keyword, n, "AUTH", 4);
    struct smtpc_words words = smtpc_words_of(text, text_length, is_auth);
    struct smtpc_buffer all;
    int result = 0;

    if (locate(ehlo, keyword, n) == NULL) {
        if (ehlo->count == SMTPC_EHLO_KEYWORDS_MAX)
            return 0;
        if (add_keyword(ehlo, keyword, n) != 0)
            return -1;
    }
    smtpc_buffer_init(&all, SMTPC_EHLO_PARAMETERS_MAX);
    if (is_auth)
        result = smtpc_buffer_append_string(&all, locate(ehlo, keyword, n));
    if (result == 0)
        result = gather(&words, is_auth, &all);
    if (result == 0)
        result = set_parameters(ehlo, keyword, n, &all);
    smtpc_buffer_clear(&all);
    return result;
}

/* One line, or the piece of one up to a lost CRLF. */
static int
read_piece(struct smtpc_ehlo *ehlo, const char *text, size_t n)
{
    size_t length;

    for (; n > 0 && smtpc_words_is_blank(*text); n--)
        text++;
    length = smtpc_words_keyword_length(text, n);
    if (length == 0 || length > SMTPC_EHLO_KEYWORD_MAX)
        return 0;
    if (length == n)
        return offer(ehlo, text, length, "", 0);
    if (smtpc_words_is_blank(text[length]) || (text[length] == '=' && smtpc_words_same(text, length, "AUTH", 4)))
        return offer(ehlo, text, length, text + length + 1, n - length - 1);
    return 0;
}

static int
read_line(struct smtpc_ehlo *ehlo, const char *line, size_t n)
{
    size_t next = 0;
    size_t end = smtpc_lost_crlf_find(line, n, &next);

    for (; end < n; end = smtpc_lost_crlf_find(line, n, &next)) {
        if (read_piece(ehlo, line, end) != 0)
            return -1;
        line += next;
        n -= next;
    }
    return read_piece(ehlo, line, n);
}

static int
read_domain(struct smtpc_ehlo *ehlo, const char *line, size_t n)
{
    struct smtpc_words words = smtpc_words_of(line, n, 0);

    return smtpc_words_next(&words) ? smtpc_buffer_append(&ehlo->domain, words.word, words.length) : 0;
}

int
smtpc_ehlo_parse(struct smtpc_ehlo *ehlo, const struct smtpc_reply *reply)
{
    const char *line;
    size_t i, n;
    int result = 0;

    smtpc_ehlo_reset(ehlo);
    for (i = 0; result == 0 && i < reply->line_count; i++) {
        line = smtpc_reply_line(reply, i, &n);
        result = i == 0 ? read_domain(ehlo, line, n) : read_line(ehlo, line, n);
    }
    if (result != 0)
        smtpc_ehlo_reset(ehlo);
    return result;
}

const char *
smtpc_ehlo_find(const struct smtpc_ehlo *ehlo, const char *keyword)
{
    return locate(ehlo, keyword, strlen(keyword));
}

int
smtpc_ehlo_has(const struct smtpc_ehlo *ehlo, const char *keyword, const char *word)
{
    const char *parameters = smtpc_ehlo_find(ehlo, keyword);

    return parameters != NULL && smtpc_words_has(parameters, strlen(parameters), word, strlen(word));
}

const char *
smtpc_ehlo_keyword(const struct smtpc_ehlo *ehlo, size_t i, const char **parameters)
{
    const char *entry = ehlo->words.bytes;

    *parameters = NULL;
    if (i >= ehlo->count)
        return NULL;
    for (; i > 0; i--) {
        entry += strlen(entry) + 1;
        entry += strlen(entry) + 1;
    }
    *parameters = entry + strlen(entry) + 1;
    return entry;
}

int64_t
smtpc_ehlo_size_limit(const struct smtpc_ehlo *ehlo)
{
    const char *p = smtpc_ehlo_find(ehlo, "SIZE");
    int64_t limit = 0;

    if (p == NULL)
        return 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (limit > (INT64_MAX - (*p - '0')) / 10)
            return 0;
        limit = limit * 10 + (*p - '0');
    }
    return *p == '\0' || *p == ' ' ? limit : 0;
}

int
smtpc_ehlo_may_be_complete(const struct smtpc_reply *reply)
{
    const char *line;
    size_t n, next = 0;
    int last = 0;

    if (reply->code != 250 || reply->line_count < 2 || reply->line.length > 0)
        return 0;
    line = smtpc_reply_line(reply, reply->line_count - 1, &n);
    for (; smtpc_lost_crlf_find(line, n, &next) < n; line += next, n -= next)
        last = line[next - 1] != '-';
    return last;
}
