/* content: the message, brought from LF to CRLF, with dots doubled for DATA, as it leaves. */
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 32768, SMALL = 1 << 20 };

static int fd;
static size_t size;
static char small[SMALL];    /* the whole, where it fits */

void
content_open(const char *file)
{
    struct stat found;

    fd = open(file, O_RDONLY);
    if (fd < 0 || fstat(fd, &found) != 0)
        die(file);
    size = (size_t)found.st_size;
    if (size <= SMALL && read(fd, small, size) != (ssize_t)size)
        die(file);
}

/* Twice n octets have room in out. *is_line: in begins a line; and then, whether what follows does. */
static size_t
convert(const char *in, size_t n, char *out, int has_dots, int *is_line)
{
    const char *end = in + n;
    char *to = out;

    while (in < end) {
        const char *lf = memchr(in, '\n', (size_t)(end - in));
        size_t length = (size_t)((lf == NULL ? end : lf) - in);

        if (has_dots && *is_line && *in == '.')
            *to++ = '.';
        memcpy(to, in, length);
        to += length;
        in += length;
        *is_line = lf != NULL;
        if (lf != NULL) {
            *to++ = '\r';
            *to++ = '\n';
            in++;
        }
    }
    return (size_t)(to - out);
}

/* Of the file from there on; the result is how many. */
static size_t
piece(size_t from, char *room, const char **in)
{
    size_t n = size - from < PIECE ? size - from : PIECE;

    *in = small + from;
    if (size <= SMALL)
        return n;
    *in = room;
    if (pread(fd, room, n, (off_t)from) != (ssize_t)n)
        die("read");
    return n;
}

void
content_say_data(void)
{
    char room[PIECE];
    const char *in;
    size_t from, n;
    int is_line = 1;

    for (from = 0; from < size; from += n) {
        n = piece(from, room, &in);
        link_took(convert(in, n, link_room(2 * PIECE), 1, &is_line));
    }
    link_say(&"\r\n.\r\n"[is_line ? 2 : 0], is_line ? 3 : 5);
}

/* The head of a chunk has its length, so it is as wide as the largest, and is written last. */
void
content_say_bdat(void)
{
    char room[PIECE];
    const char *in;
    size_t from, n;
    int is_line = 1;

    for (from = 0; from < size; from += n) {
        char head[32];
        char *out = link_room(2 * PIECE + sizeof head);
        size_t length;
        int words;

        n = piece(from, room, &in);
        length = convert(in, n, out + sizeof head, 0, &is_line);
        words = snprintf(head, sizeof head, "BDAT %zu%s\r\n", length, from + n == size ? " LAST" : "");
        memcpy(out, head, (size_t)words);
        memmove(out + words, out + sizeof head, length);
        link_took((size_t)words + length);
    }
}

int
content_chunks(void)
{
    return (int)((size + PIECE - 1) / PIECE);
}
