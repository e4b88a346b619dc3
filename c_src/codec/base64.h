/* base64: RFC 4648 section 4, always on one line, always padded. */
#ifndef SMTPC_CODEC_BASE64_H
#define SMTPC_CODEC_BASE64_H

#include <stddef.h>

#include "base/buffer.h"

enum smtpc_base64_fault {
    SMTPC_BASE64_OK,
    SMTPC_BASE64_ALPHABET,     /* an octet outside the alphabet */
    SMTPC_BASE64_LENGTH,       /* a single character left over (strict also: padding missing) */
    SMTPC_BASE64_PADDING,      /* too much of it, or '=' before the end */
    SMTPC_BASE64_SPARE_BITS,   /* the unused bits of the last character are not zero */
    SMTPC_BASE64_TOO_LONG      /* the output's cap, or memory */
};

/* Characters for n octets, without a NUL. n is at most SIZE_MAX / 2. */
size_t smtpc_base64_encoded_size(size_t n);

/* Appends the characters for n octets. 0, or -1 when out cannot hold them (then out is unchanged). */
int smtpc_base64_encode(const char *octets, size_t n, struct smtpc_buffer *out);

/* The same to where there is room for exactly that many. */
void smtpc_base64_encode_to(const char *octets, size_t n, char *to);

/* Appends the octets that the characters stand for. On a fault out is unchanged and *where is the index of the
 * character at fault (n when the text ends too early). Strict: only the canonical form is taken. */
enum smtpc_base64_fault smtpc_base64_decode(const char *text, size_t n, struct smtpc_buffer *out, size_t *where);

/* The same for what servers send behind 334 (RFC 4954 section 4): blanks, tabs, CR and LF at both ends do not count,
 * missing padding and spare bits that are not zero are forgiven; everything else is as strict. */
enum smtpc_base64_fault smtpc_base64_decode_wire(const char *text, size_t n, struct smtpc_buffer *out,
                                                 size_t *where);

/* One sentence's worth of English: "a character outside the alphabet". */
const char *smtpc_base64_fault_text(enum smtpc_base64_fault fault);

#endif
