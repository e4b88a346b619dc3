/* buffer: octets that grow up to a cap and are wiped when they go. */
#ifndef SMTPC_BASE_BUFFER_H
#define SMTPC_BASE_BUFFER_H

#include <stddef.h>

/* An embedded object: init before use, clear after. Octets are at bytes[0 .. length-1], not NUL-terminated.
 * A pointer into it dies at the next call that can grow or shorten it. */
struct smtpc_buffer {
    char *bytes;
    size_t length;
    size_t room;   /* allocated */
    size_t cap;    /* length never exceeds it */
};

void smtpc_buffer_init(struct smtpc_buffer *buffer, size_t cap);

/* Wipes and frees what it holds; the buffer may be used again with the same cap. */
void smtpc_buffer_clear(struct smtpc_buffer *buffer);

/* 0, or -1 when the cap would be passed or memory is out; then nothing was changed. p may not lie in the buffer. */
int smtpc_buffer_append(struct smtpc_buffer *buffer, const char *p, size_t n);
int smtpc_buffer_append_string(struct smtpc_buffer *buffer, const char *string);
int smtpc_buffer_append_octet(struct smtpc_buffer *buffer, int octet);

/* Room for n more octets behind the length, to be written by the caller, who then adds to length. NULL as above. */
char *smtpc_buffer_reserve(struct smtpc_buffer *buffer, size_t n);

/* Drops the first n octets (at most length); what is left moves to the front, what was there is wiped. */
void smtpc_buffer_take(struct smtpc_buffer *buffer, size_t n);

/* Shortens to n octets (at most length) and wipes the rest; keeps the allocation. */
void smtpc_buffer_truncate(struct smtpc_buffer *buffer, size_t n);

/* 1 when the octets are those of string. */
int smtpc_buffer_equals(const struct smtpc_buffer *buffer, const char *string);

#endif
