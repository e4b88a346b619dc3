/* lost_crlf: finds "250 KEYWORD" inside a line of an EHLO reply, where a line end was lost. */
#ifndef SMTPC_CODEC_LOST_CRLF_H
#define SMTPC_CODEC_LOST_CRLF_H

#include <stddef.h>

/* The index of the first blank before a "250 KEYWORD" or "250-KEYWORD" of a registered keyword; *next is the index of
 * that KEYWORD. n when nothing was lost. */
size_t smtpc_lost_crlf_find(const char *line, size_t n, size_t *next);

#endif
