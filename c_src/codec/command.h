/* command: the only writer of command lines. Nothing with CR, LF, NUL or another control octet passes it. */
#ifndef SMTPC_CODEC_COMMAND_H
#define SMTPC_CODEC_COMMAND_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum { SMTPC_COMMAND_LINE_MAX = 512 };   /* with CRLF; RFC 5321 section 4.5.3.1.4 */

/* A line in the making, behind what out already holds. Calls chain: after a fault the others do nothing, and
 * smtpc_command_end takes the whole line back, so that out never holds half a command. */
struct smtpc_command {
    struct smtpc_buffer *out;
    struct smtpc_error *error;   /* gets SMTPC_ERROR_USAGE "recipient: LF at octet 7 ..." */
    size_t start;                /* where the line begins in out */
    size_t limit;                /* octets with CRLF */
    int failed;
};

/* Begins a line with a word of ours: "EHLO", "MAIL FROM:". */
void smtpc_command_begin(struct smtpc_command *command, struct smtpc_buffer *out, struct smtpc_error *error,
                         const char *verb);

/* Extensions let the line grow (SIZE 26, AUTH= 500, ...): adds octets to the limit. */
void smtpc_command_allow(struct smtpc_command *command, size_t octets);

/* A blank, then the caller's octets; name is the argument's name for the error. Refuses octets 0..31 and 127, and
 * octets above 127 unless eight_bit. */
void smtpc_command_argument(struct smtpc_command *command, const char *name, const char *octets, size_t n,
                            int eight_bit);

/* As above without the blank, in angle brackets, as MAIL and RCPT want it. Refuses '<' and '>' inside too, and
 * blanks outside a quoted local part. n = 0 gives "<>". */
void smtpc_command_path(struct smtpc_command *command, const char *name, const char *octets, size_t n,
                        int eight_bit);

/* A blank, then an esmtp-param "KEYWORD" or "KEYWORD=value" (RFC 5321 section 4.1.2): keyword of letters, digits and
 * '-'; value without blanks, '=' and controls (xtext, also that of AUTH=, never holds '=': one rule fits all). */
void smtpc_command_parameter(struct smtpc_command *command, const char *name, const char *octets, size_t n,
                             int eight_bit);

/* CRLF. 0, or -1 with *error set and out as it was before begin. */
int smtpc_command_end(struct smtpc_command *command);

#endif
