/* octets: bytes that grow at their end and are taken from their head. */
#include "sink.h"

#include <stdlib.h>
#include <string.h>

void
octets_append(struct octets *octets, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    if (octets->length + n > octets->room) {
        octets->room = 2 * (octets->length + n);
        octets->bytes = realloc(octets->bytes, octets->room);
        if (octets->bytes == NULL)
            die("realloc");
    }
    memcpy(octets->bytes + octets->length, bytes, n);
    octets->length += n;
}

void
octets_take(struct octets *octets, size_t n)
{
    octets->length -= n;
    if (octets->length > 0)
        memmove(octets->bytes, octets->bytes + n, octets->length);
}
