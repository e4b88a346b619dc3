/* codec: how fast the core brings a message to CRLF with its dots doubled, and does base64: codec FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "codec/base64.h"
#include "codec/content.h"

enum { ROOM = 1 << 24, TIMES = 200 };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
do_content(const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_content content;

    smtpc_content_init(&content);
    return smtpc_content_append(&content, octets, n, out);
}

static int
do_measure(const char *octets, size_t n, struct smtpc_buffer *out)
{
    (void)out;
    return smtpc_content_measure(octets, n) > 0 ? 0 : -1;
}

static int
do_encode(const char *octets, size_t n, struct smtpc_buffer *out)
{
    return smtpc_base64_encode(octets, n, out);
}

static int
do_decode(const char *octets, size_t n, struct smtpc_buffer *out)
{
    size_t where;

    return smtpc_base64_decode(octets, n, out, &where) == SMTPC_BASE64_OK ? 0 : -1;
}

static void
measure(const char *name, int (*work)(const char *, size_t, struct smtpc_buffer *), const char *octets, size_t n)
{
    struct smtpc_buffer out;
    double began = 0;
    int i;

    smtpc_buffer_init(&out, ROOM);
    for (i = -1; i < TIMES; i++) {
        if (i == 0)
            began = now();
        out.length = 0;    /* kept, not wiped: the wiping is not what is measured */
        if (work(octets, n, &out) != 0)
            exit(1);
    }
    printf("%s %.6f\n", name, (now() - began) / TIMES / (double)n * 1e9);
    smtpc_buffer_clear(&out);
}

int
main(int argc, char **argv)
{
    static char octets[ROOM / 8];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n = file == NULL ? 0 : fread(octets, 1, sizeof octets, file);
    struct smtpc_buffer text;

    if (n == 0)
        return 2;
    smtpc_buffer_init(&text, ROOM);
    if (smtpc_base64_encode(octets, n, &text) != 0)
        return 1;
    measure("content", do_content, octets, n);
    measure("measure", do_measure, octets, n);
    measure("encode", do_encode, octets, n);
    measure("decode", do_decode, text.bytes, text.length);
    return 0;
}
