/* test_base64_lines: attachments in lines: every length whole, in random pieces, octet by octet; sizes foretold. */
#include "tap.h"

#include <stdlib.h>

#include "base64_model.h"
#include "codec/base64_lines.h"

enum { MOST = 500 };

static char octets[MOST];

/* The pieces are of 0 to `most` octets. 1 when the characters are the model's, each time as many as was foretold. */
static int
survives_pieces(size_t n, size_t most, unsigned *seed)
{
    static char expected[2 * MOST + 100], out[2 * MOST + 100];
    struct smtpc_base64_lines lines = {{0}, 0};
    size_t length = base64_model(octets, n, 76, expected), made = 0, at, piece, room;
    int good = (int64_t)length == smtpc_base64_lines_size((int64_t)n);

    for (at = 0; at < n; at += piece) {
        *seed = *seed * 1103515245u + 12345u;
        piece = (*seed >> 16) % (most + 1);
        piece = most == 1 ? 1 : piece < n - at ? piece : n - at;
        room = smtpc_base64_lines_room(&lines, piece);
        out[made + room] = 'z';
        smtpc_base64_lines_put(&lines, octets + at, piece, room == 0 ? NULL : out + made);
        made += room;
        good = good && out[made] == 'z' && memcmp(out, expected, made) == 0;
    }
    made += smtpc_base64_lines_end(&lines, out + made);
    return good && made == length && memcmp(out, expected, length) == 0 && lines.count == 0;
}

static void
test_every_length(void)
{
    unsigned seed = 1;
    size_t n, bad = 0;
    int round;

    for (n = 0; n <= MOST; n++) {
        bad += !survives_pieces(n, 1, &seed);
        for (round = 0; round < 20; round++)
            bad += !survives_pieces(n, 5u << round % 8, &seed);
    }
    ok(bad == 0, "every length up to %d, octet by octet and in pieces", MOST);
}

static void
test_sizes(void)
{
    ok(smtpc_base64_lines_size(0) == 0, "nothing is no line");
    ok(smtpc_base64_lines_size(1) == 6 && smtpc_base64_lines_size(57) == 78 && smtpc_base64_lines_size(58) == 84,
       "lines end at 57 octets");
    ok(smtpc_base64_lines_size((int64_t)57 << 40) == (int64_t)78 << 40, "terabytes");
}

int
main(void)
{
    size_t i;

    for (i = 0; i < MOST; i++)
        octets[i] = (char)(i * i + i / 7);
    test_every_length();
    test_sizes();
    return tap_done();
}
