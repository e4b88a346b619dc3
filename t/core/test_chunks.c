/* test_chunks: messages of several chunks, cut around the end of each command and chunk: what is told is true. */
#include "outcome_caller.h"
#include "tap.h"

enum { PIECE = SMTPC_SESSION_CONTENT_MAX, PIECES = 2 * SMTPC_CHUNK_SIZE / PIECE, ENDS_MAX = 64, AROUND = 2 };

/* How the first message, which is a long one, goes on behind its second chunk. */
enum tail { MORE, NOTHING, DROPPED, TAIL_COUNT };

static const struct way ways[] = {
    {"BDAT", STREAM, SMTPC_BY_BDAT, 0, 0, 0, 0}, {"ahead", STREAM, SMTPC_BY_BDAT_AHEAD, 0, 0, 0, 0},
    {"ahead, all or none", STREAM, SMTPC_BY_BDAT_AHEAD, 1, 0, 0, 0},
    {"LMTP by BDAT", STREAM, SMTPC_BY_BDAT, 0, 1, 0, 0}
};
enum { WAYS = sizeof ways / sizeof ways[0] };
static const char *const tails[TAIL_COUNT] = {"more", "nothing", "the end of the caller's patience"};

static size_t ends[ENDS_MAX];    /* octets that had left when a command or a chunk was whole */
static size_t end_count;
static char piece[PIECE];
static int given;                /* pieces of the long message */
static size_t cuts;

static void
hear_octets(struct server *server, const char *octets, size_t n)
{
    while (n > 0) {
        size_t some = server->chunk > 1 ? (server->chunk - 1 < n ? server->chunk - 1 : n) : 0;

        server->chunk -= some;    /* as server_hear has it, but for the last */
        octets += some;
        n -= some;
        if (n > 0)
            server_hear(server, *octets++);
        n -= n > 0;
    }
}

/* A piece after the other as they are wanted; a short message at once. */
static void
give_next(struct run *run, enum tail tail)
{
    if (run->message > 0) {
        give_content(run);
        return;
    }
    if (given++ < PIECES)
        smtpc_session_content(run->session, piece, PIECE);
    else if (tail == DROPPED)
        smtpc_session_drop_content(run->session, "dropped");
    else {
        if (tail == MORE)
            smtpc_session_content(run->session, "x\r\n", 3);
        smtpc_session_end(run->session);
    }
}

static int
hear_replies(struct run *run)
{
    int count = 0;

    while (move_in(run))
        count++;
    return count;
}

static size_t
say_octets(struct run *run, size_t most)
{
    const char *octets;
    size_t n;

    smtpc_session_output(run->session, &octets, &n);
    n = smtpc_session_wants(run->session) == SMTPC_WANT_CLOSED ? 0 : n < most ? n : most;
    hear_octets(&run->server, octets, n);
    hear_octets(&run->ideal, octets, n);
    smtpc_session_sent(run->session, n);
    return n;
}

static void
be_asked(struct run *run, enum tail tail)
{
    switch (smtpc_session_wants(run->session)) {
    case SMTPC_WANT_CONTENT: give_next(run, tail); break;
    case SMTPC_WANT_NEXT: go_on(run); break;
    case SMTPC_WANT_IDLE: idle(run); break;
    default: break;
    }
}

/* Until so many octets have left; replies are heard at once, or when nothing else can be done. */
static size_t
lead(struct run *run, enum tail tail, size_t octets, int at_once)
{
    size_t left = 0;

    given = 0;
    while (left < octets && smtpc_session_wants(run->session) != SMTPC_WANT_CLOSED) {
        size_t before = run->server.count, n;
        int was_given = given;

        be_asked(run, tail);
        if (at_once)
            hear_replies(run);
        n = say_octets(run, octets == SIZE_MAX ? 1 + run->server.chunk / 2 : octets - left);
        left += n;
        if (octets == SIZE_MAX && run->server.count > before && end_count < ENDS_MAX)
            ends[end_count++] = left;
        if (n == 0 && hear_replies(run) == 0 && was_given == given
            && smtpc_session_wants(run->session) == SMTPC_WANT_READ)
            break;
    }
    return left;
}

static const char *
cut_at(const struct mailing *mailing, enum tail tail, size_t octets, int at_once, int is_broken)
{
    struct run run;
    struct smtpc_error error = {0};

    start(&run, mailing, "WSR", 0);
    lead(&run, tail, octets, at_once);
    smtpc_error_set(&error, SMTPC_ERROR_TIMEOUT, "cut");
    if (is_broken)
        smtpc_session_fail(run.session, &error);
    else {
        hear_replies(&run);
        smtpc_session_feed(run.session, NULL, 0);
    }
    check_finished(&run);
    if (run.told != run.message + 1)
        fault(&run, "a message was not told of");
    check_truth(&run);
    if (tail == DROPPED && run.ideal.has_come[0])
        fault(&run, "ended, though it was broken off");
    smtpc_session_free(run.session);
    cuts++;
    return run.fault;
}

static void
try_one(const struct mailing *mailing, enum tail tail)
{
    const char *wrong = NULL;
    size_t i, octets = 0;
    struct run run;

    end_count = 0;
    start(&run, mailing, "WSR", 0);
    lead(&run, tail, SIZE_MAX, 1);
    check_finished(&run);
    wrong = run.fault;
    smtpc_session_free(run.session);
    for (i = 0; i < end_count && wrong == NULL; i++)
        for (octets = ends[i] - AROUND; wrong == NULL && octets <= ends[i] + AROUND; octets++)
            wrong = cut_at(mailing, tail, octets, (int)(octets & 1), (int)(octets >> 1 & 1));
    ok(wrong == NULL && end_count > 6, "%s, then %s, chunks %d: %d ends", mailing->way->name, tails[tail],
       mailing->plan[0].chunk, (int)end_count);
    if (wrong != NULL)
        printf("# %s: after %zu octets\n", wrong, octets);
}

int
main(void)
{
    struct mailing mailing = {NULL, 2, {{250, {250, 550, 250, 0}, 354, 250, 250, 451},
                                        {250, {250, 250, 0, 0}, 354, 250, 250, 250}, {0}}, 0, 0, 235, 0};
    static const int codes[] = {250, 552, 452};
    size_t way, code;
    int tail, i;

    memset(piece, 'x', sizeof piece);
    for (i = 1; i <= PIECE / 512; i++)
        memcpy(piece + 512 * i - 2, "\r\n", 2);
    for (way = 0; way < WAYS; way++)
        for (tail = 0; tail < TAIL_COUNT; tail++)
            for (code = 0; code < sizeof codes / sizeof codes[0]; code++) {
                mailing.way = &ways[way];
                mailing.plan[0].chunk = codes[code];
                try_one(&mailing, (enum tail)tail);
            }
    printf("# %zu cuts\n", cuts);
    return tap_done();
}
