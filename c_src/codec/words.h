/* words: text cut at its blanks, and ASCII compared without case. Server text is never compared as a substring. */
#ifndef SMTPC_CODEC_WORDS_H
#define SMTPC_CODEC_WORDS_H

#include <stddef.h>

/* The words of a text, one after the other; lent from the text. */
struct smtpc_words {
    const char *rest, *end;
    int commas;             /* 1: they count as blanks */
    const char *word;       /* the one that smtpc_words_next has found */
    size_t length;
};

struct smtpc_words smtpc_words_of(const char *text, size_t n, int commas);

/* 1 and the next word, or 0 at the end. */
int smtpc_words_next(struct smtpc_words *words);

/* 1 when the word is one of those in the text, in any case. */
int smtpc_words_has(const char *text, size_t n, const char *word, size_t length);

/* 1 when both are the same but for case. Only A-Z and a-z have case, whatever the locale. */
int smtpc_words_same(const char *a, size_t a_length, const char *b, size_t b_length);

char smtpc_words_upper(char c);

/* 1 for space and tab. */
int smtpc_words_is_blank(char c);

/* Octets of the EHLO keyword that the text begins with, 0 for none: letters, digits, '-', and '_', which Exim's
 * PIPE_CONNECT and others have. */
size_t smtpc_words_keyword_length(const char *text, size_t n);

#endif
