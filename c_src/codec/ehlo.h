/* ehlo: what a server offers, read from its EHLO reply (RFC 5321 section 4.1.1.1), damaged forms included. */
#ifndef SMTPC_CODEC_EHLO_H
#define SMTPC_CODEC_EHLO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "codec/reply.h"

/* What is beyond a limit is ignored. */
enum {
    SMTPC_EHLO_KEYWORDS_MAX = 100,
    SMTPC_EHLO_KEYWORD_MAX = 64,       /* octets of a keyword */
    SMTPC_EHLO_PARAMETERS_MAX = 1024   /* octets of all parameters of a keyword */
};

/* Capabilities; embedded. Keywords are upper case; parameters are separated by one blank. */
struct smtpc_ehlo {
    struct smtpc_buffer domain;   /* first word of the first line, which is never a capability; may be empty */
    struct smtpc_buffer words;    /* private: keyword NUL parameters NUL, in order of first sight */
    size_t count;                 /* keywords */
};

void smtpc_ehlo_init(struct smtpc_ehlo *ehlo);
void smtpc_ehlo_clear(struct smtpc_ehlo *ehlo);

/* Forgets everything: a capability from before STARTTLS or from before HELO is none (RFC 3207 section 4.2). */
void smtpc_ehlo_reset(struct smtpc_ehlo *ehlo);

/* Replaces what is there by what the reply says. Understands AUTH= beside AUTH, several AUTH lines (their union, in
 * upper case, no repeats, commas as blanks), a lost CRLF before "250 KEYWORD" of a registered keyword, tabs, lower
 * case; ignores lines that are no keyword, and parameters with octets outside 33..126. 0, or -1 when memory is out
 * (then nothing is offered). */
int smtpc_ehlo_parse(struct smtpc_ehlo *ehlo, const struct smtpc_reply *reply);

/* Parameters of a keyword (any case, whole words only), NUL-terminated, lent until the next parse or reset; "" for a
 * keyword without parameters, NULL when it was not offered. */
const char *smtpc_ehlo_find(const struct smtpc_ehlo *ehlo, const char *keyword);

/* 1 when word (any case) is one of the parameters of keyword, as a whole word. */
int smtpc_ehlo_has(const struct smtpc_ehlo *ehlo, const char *keyword, const char *word);

/* Keyword number i (from 0) and its parameters; NULL past the end. */
const char *smtpc_ehlo_keyword(const struct smtpc_ehlo *ehlo, size_t i, const char **parameters);

/* The limit that SIZE names in octets; 0: none told, "no fixed limit", not a number, or too large to matter. */
int64_t smtpc_ehlo_size_limit(const struct smtpc_ehlo *ehlo);

/* For a reply that is still MORE: 1 when its lines so far hide a final "250 KEYWORD" behind a lost CRLF, so that the
 * reply may be complete although its last line said "250-". */
int smtpc_ehlo_may_be_complete(const struct smtpc_reply *reply);

#endif
