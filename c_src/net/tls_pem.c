/* tls_pem: the certificates of a PEM file as DER, if it holds plain certificates and nothing else that counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_bundle.h"

enum { FILE_MAX = 64 * 1024 * 1024, LINE_LENGTH_MAX = 250, DIGITS = 256 };

static const char begin_line[] = "-----BEGIN CERTIFICATE-----";
static const char end_line[] = "-----END CERTIFICATE-----";

struct line {
    const char *p;
    size_t n;
};

/* One block on its way from base64 to octets. */
struct decoder {
    signed char value[DIGITS];         /* of a digit; -1: it is none */
    unsigned bits;
    unsigned digits;
    unsigned padding;
};

static void
set_alphabet(struct decoder *decoder)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    signed char i;

    memset(decoder->value, -1, sizeof decoder->value);
    for (i = 0; i < 64; i++)
        decoder->value[(unsigned char)alphabet[i]] = i;
}

static void
put(struct smtpc_tls_bundle *bundle, struct decoder *decoder)
{
    unsigned char *to = bundle->octets + bundle->length;

    to[0] = (unsigned char)(decoder->bits >> 16 & 0xff);
    to[1] = (unsigned char)(decoder->bits >> 8 & 0xff);
    to[2] = (unsigned char)(decoder->bits & 0xff);
    bundle->length += 3 - decoder->padding;
    decoder->bits = 0;
}

/* Four digits at a time, as long as they are digits: nearly all of the file. How many. */
static size_t
decode_fours(struct smtpc_tls_bundle *bundle, struct decoder *decoder, struct line line)
{
    const unsigned char *p = (const unsigned char *)line.p;
    size_t i;

    if (decoder->digits % 4 != 0 || decoder->padding > 0)
        return 0;
    for (i = 0; i + 4 <= line.n; i += 4, p += 4) {
        const int bits = decoder->value[p[0]] * 0x40000 + decoder->value[p[1]] * 0x1000 + decoder->value[p[2]] * 0x40
                         + decoder->value[p[3]];

        if ((decoder->value[p[0]] | decoder->value[p[1]] | decoder->value[p[2]] | decoder->value[p[3]]) < 0)
            break;
        decoder->bits = (unsigned)bits;
        put(bundle, decoder);
    }
    decoder->digits += (unsigned)i;
    return i;
}

/* 0, or -1 when the line is no base64. Nothing may stand behind padding. */
static int
decode(struct smtpc_tls_bundle *bundle, struct decoder *decoder, struct line line)
{
    size_t i;

    for (i = decode_fours(bundle, decoder, line); i < line.n; i++) {
        int value = decoder->value[(unsigned char)line.p[i]];

        if (line.p[i] == '=' && decoder->digits % 4 >= 2 && decoder->padding < 2)
            decoder->padding++;
        else if (value < 0 || decoder->padding > 0)
            return -1;
        decoder->bits = decoder->bits << 6 | (unsigned)(value < 0 ? 0 : value);
        if (++decoder->digits % 4 == 0)
            put(bundle, decoder);
    }
    return line.n > 0 ? 0 : -1;
}

/* The next line without its end and the blanks before that, as OpenSSL cuts it. 0 when there is none. */
static int
next_line(const char **rest, const char *end, struct line *line)
{
    const char *stop;

    if (*rest == end)
        return 0;
    stop = memchr(*rest, '\n', (size_t)(end - *rest));
    line->p = *rest;
    *rest = stop != NULL ? stop + 1 : end;
    line->n = (size_t)((stop != NULL ? stop : end) - line->p);
    while (line->n > 0 && (unsigned char)line->p[line->n - 1] <= ' ')
        line->n--;
    return 1;
}

static int
is_line(struct line line, const char *text, size_t n)
{
    return line.n == n && memcmp(line.p, text, n) == 0;
}

/* What stands between certificates must not look like PEM at all. */
static int
is_comment(struct line line)
{
    size_t dashes = 0;
    size_t i;

    for (i = 0; i < line.n && dashes < 5; i++)
        dashes = line.p[i] == '-' ? dashes + 1 : 0;
    return dashes < 5 && line.n <= LINE_LENGTH_MAX;
}

/* The lines of one certificate up to its last. 0, or -1. */
static int
read_block(struct smtpc_tls_bundle *bundle, struct decoder *decoder, const char **rest, const char *end)
{
    size_t start = bundle->length;
    struct line line;

    decoder->bits = decoder->digits = decoder->padding = 0;
    while (next_line(rest, end, &line)) {
        if (is_line(line, end_line, sizeof end_line - 1))
            return decoder->digits % 4 == 0 ? smtpc_tls_bundle_note(bundle, start) : -1;
        if (line.n > LINE_LENGTH_MAX || decode(bundle, decoder, line) != 0)
            return -1;
    }
    return -1;
}

static int
read_blocks(struct smtpc_tls_bundle *bundle, const char *text, size_t n)
{
    const char *rest = text;
    struct decoder decoder;
    struct line line;

    set_alphabet(&decoder);
    while (next_line(&rest, text + n, &line)) {
        if (!is_line(line, begin_line, sizeof begin_line - 1)) {
            if (!is_comment(line))
                return -1;
        } else if (read_block(bundle, &decoder, &rest, text + n) != 0)
            return -1;
    }
    return 0;
}

/* A FIFO must not even be opened: it has one reader. */
static int
open_regular(const char *path, size_t *size)
{
    struct stat found;
    int fd;

    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0 && found.st_size <= FILE_MAX) {
        *size = (size_t)found.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

/* -1 also when it is longer by now: somebody is writing it. */
static ssize_t
read_all(int fd, char *text, size_t room)
{
    size_t n = 0;

    while (n < room) {
        ssize_t got = read(fd, text + n, room - n);

        if (got == 0)
            return (ssize_t)n;
        if (got < 0 && errno != EINTR)
            return -1;
        n += got > 0 ? (size_t)got : 0;
    }
    return -1;
}

int
smtpc_tls_bundle_read(struct smtpc_tls_bundle *bundle, const char *path)
{
    size_t size = 0;
    int fd = open_regular(path, &size);
    char *text = fd < 0 ? NULL : malloc(size + 1);
    ssize_t n = -1;
    int result = -1;

    if (text != NULL)
        n = read_all(fd, text, size + 1);
    if (fd >= 0)
        close(fd);
    if (n > 0 && memchr(text, '\0', (size_t)n) == NULL)
        bundle->octets = malloc((size_t)n);
    if (bundle->octets != NULL)
        result = read_blocks(bundle, text, (size_t)n);
    free(text);
    return result;
}
