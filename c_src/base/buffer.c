/* buffer: octets that grow up to a cap and are wiped when they go. */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

enum { SMALLEST_ROOM = 256 };

void
smtpc_buffer_init(struct smtpc_buffer *buffer, size_t cap)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->cap = cap;
}

void
smtpc_buffer_clear(struct smtpc_buffer *buffer)
{
    smtpc_secret_wipe(buffer->bytes, buffer->length);
    free(buffer->bytes);
    smtpc_buffer_init(buffer, buffer->cap);
}

/* malloc, copy, wipe, free instead of realloc: realloc may leave a copy of a secret behind. */
static int
grow(struct smtpc_buffer *buffer, size_t needed)
{
    size_t room = buffer->room < SMALLEST_ROOM ? SMALLEST_ROOM : buffer->room;
    char *bytes;

    while (room < needed)
        room = room > buffer->cap / 2 ? buffer->cap : room * 2;
    bytes = malloc(room);
    if (bytes == NULL)
        return -1;
    if (buffer->length > 0)
        memcpy(bytes, buffer->bytes, buffer->length);
    smtpc_secret_wipe(buffer->bytes, buffer->length);
    free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->room = room;
    return 0;
}

char *
smtpc_buffer_reserve(struct smtpc_buffer *buffer, size_t n)
{
    if (n > buffer->cap - buffer->length)
        return NULL;
    if (buffer->length + n > buffer->room || buffer->bytes == NULL)
        if (grow(buffer, buffer->length + n) != 0)
            return NULL;
    return buffer->bytes + buffer->length;
}

int
smtpc_buffer_append(struct smtpc_buffer *buffer, const char *p, size_t n)
{
    char *end = smtpc_buffer_reserve(buffer, n);

    if (end == NULL)
        return -1;
    if (n > 0)
        memcpy(end, p, n);
    buffer->length += n;
    return 0;
}

int
smtpc_buffer_append_string(struct smtpc_buffer *buffer, const char *string)
{
    return smtpc_buffer_append(buffer, string, strlen(string));
}

int
smtpc_buffer_append_octet(struct smtpc_buffer *buffer, int octet)
{
    char c = (char)octet;

    return smtpc_buffer_append(buffer, &c, 1);
}

void
smtpc_buffer_take(struct smtpc_buffer *buffer, size_t n)
{
    size_t left = buffer->length - n;

    if (n == 0)
        return;
    if (left > 0)
        memmove(buffer->bytes, buffer->bytes + n, left);
    smtpc_buffer_truncate(buffer, left);
}

void
smtpc_buffer_truncate(struct smtpc_buffer *buffer, size_t n)
{
    if (n < buffer->length)
        smtpc_secret_wipe(buffer->bytes + n, buffer->length - n);
    buffer->length = n;
}

int
smtpc_buffer_equals(const struct smtpc_buffer *buffer, const char *string)
{
    size_t n = strlen(string);

    return buffer->length == n && (n == 0 || memcmp(buffer->bytes, string, n) == 0);
}
