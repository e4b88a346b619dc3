/* words: text cut at its blanks, and ASCII compared without case. */
#include "codec/words.h"

struct smtpc_words
smtpc_words_of(const char *text, size_t n, int commas)
{
    struct smtpc_words words = {text, text + n, commas, text, 0};

    return words;
}

static int
is_gap(const struct smtpc_words *words, char c)
{
    return smtpc_words_is_blank(c) || (words->commas && c == ',');
}

int
smtpc_words_next(struct smtpc_words *words)
{
    while (words->rest < words->end && is_gap(words, *words->rest))
        words->rest++;
    words->word = words->rest;
    while (words->rest < words->end && !is_gap(words, *words->rest))
        words->rest++;
    words->length = (size_t)(words->rest - words->word);
    return words->length > 0;
}

int
smtpc_words_has(const char *text, size_t n, const char *word, size_t length)
{
    struct smtpc_words words = smtpc_words_of(text, n, 0);

    while (smtpc_words_next(&words))
        if (smtpc_words_same(words.word, words.length, word, length))
            return 1;
    return 0;
}

int
smtpc_words_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t i;

    if (a_length != b_length)
        return 0;
    for (i = 0; i < a_length; i++)
        if (smtpc_words_upper(a[i]) != smtpc_words_upper(b[i]))
            return 0;
    return 1;
}

/* Not toupper(3): in a Turkish locale the I of PLAIN is not the upper case of i. */
char
smtpc_words_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

int
smtpc_words_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

size_t
smtpc_words_keyword_length(const char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        char c = smtpc_words_upper(text[i]);

        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i > 0 && (c == '-' || c == '_'))))
            break;
    }
    return i;
}
