/* codec: how fast the core brings a message to the form of DATA, reads it, and does base64: codec FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "codec/base64.h"
#include "codec/base64_kernel.h"
#include "codec/base64_lines.h"
#include "codec/content.h"
#include "codec/content_facts.h"

enum { ROOM = 1 << 24, TIMES = 200, PIECE = 65536 };

typedef int job(const char *octets, size_t n, struct smtpc_buffer *out);

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In pieces, each of which leaves before the next comes, as a session does. */
static int
do_content(const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_content content;
    size_t i;

    smtpc_content_init(&content);
    for (i = 0; i < n; i += PIECE) {
        out->length = 0;
        if (smtpc_content_append(&content, octets + i, n - i < PIECE ? n - i : PIECE, out) != 0)
            return -1;
    }
    return 0;
}

static int
do_scan(const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_content_facts facts;

    (void)out;
    smtpc_content_scan(octets, n, &facts);
    return facts.size > 0 ? 0 : -1;
}

static int
do_lines(const char *octets, size_t n, struct smtpc_buffer *out)
{
    struct smtpc_base64_lines lines = {{0}, 0};
    size_t i, piece;

    for (i = 0; i < n; i += piece) {
        piece = n - i < PIECE ? n - i : PIECE;
        smtpc_base64_lines_put(&lines, octets + i, piece,
                               smtpc_buffer_reserve(out, smtpc_base64_lines_room(&lines, piece)));
    }
    return (int)smtpc_base64_lines_end(&lines, smtpc_buffer_reserve(out, 78)) > 0 ? 0 : -1;
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

/* What any copy takes, as a measure of the machine. */
static int
do_copy(const char *octets, size_t n, struct smtpc_buffer *out)
{
    return smtpc_buffer_append(out, octets, n);
}

static void
measure(const char *name, job *work, const char *octets, size_t n)
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
    n -= n % SMTPC_BASE64_LINE_OCTETS == 0;    /* so that a last line is not full */
    smtpc_buffer_init(&text, ROOM);
    if (smtpc_base64_encode(octets, n, &text) != 0)
        return 1;
    measure("content", do_content, octets, n);
    measure("scan", do_scan, octets, n);
    measure("lines", do_lines, octets, n);
    measure("encode", do_encode, octets, n);
    measure("decode", do_decode, text.bytes, text.length);
    measure("copy", do_copy, octets, n);
    return 0;
}
