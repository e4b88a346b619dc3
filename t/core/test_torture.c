/* test_torture: every dialogue again and again, the n-th allocation failing, for every n: no crash, no leak, no lie.
 *
 * The core is compiled for this test with malloc, calloc and realloc renamed (c_src/Makefile). */
#include "tap.h"

#include <glob.h>

#include "dialogue.h"
#include "outcome_caller.h"

enum { ALLOCATIONS_MAX = 20000 };

void *smtpc_torture_malloc(size_t n);
void *smtpc_torture_calloc(size_t count, size_t n);
void *smtpc_torture_realloc(void *old, size_t n);

static long until_failure;    /* allocations that still succeed; negative: all */
static int one_only;          /* the next but the failing one succeeds again */
static int has_failed;

static int
is_time_to_fail(void)
{
    if (until_failure < 0)
        return 0;
    if (until_failure > 0) {
        until_failure--;
        return 0;
    }
    has_failed = 1;
    if (one_only)
        until_failure = -1;
    return 1;
}

void *
smtpc_torture_malloc(size_t n)
{
    return is_time_to_fail() ? NULL : malloc(n);
}

void *
smtpc_torture_calloc(size_t count, size_t n)
{
    return is_time_to_fail() ? NULL : calloc(count, n);
}

void *
smtpc_torture_realloc(void *old, size_t n)
{
    return is_time_to_fail() ? NULL : realloc(old, n);
}

static struct dialogue played;

/* What must hold whatever has failed; NULL: all does. */
static const char *
broken_promise(const struct dialogue *d)
{
    struct smtpc_session *s = d->session;
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);
    int is_closed = smtpc_session_wants(s) == SMTPC_WANT_CLOSED;

    if (smtpc_envelope_count(envelope, SMTPC_OUTCOME_SENT) > 0 && !d->dot_was_taken)
        return "sent, but nobody said so";
    if (is_closed && smtpc_envelope_count(envelope, SMTPC_OUTCOME_NONE)
        + smtpc_envelope_count(envelope, SMTPC_OUTCOME_ACCEPTED) > 0)
        return "a recipient without outcome";
    if (smtpc_envelope_count(envelope, SMTPC_OUTCOME_UNKNOWN) > 0 && !smtpc_session_error(s)->may_have_been_sent)
        return "unknown, but not called so";
    return NULL;
}

/* 1 when an allocation failed on the way. */
static int
play_once(const char *path, long n, int only, const char **promise)
{
    struct dialogue *d = &played;

    memset(d, 0, sizeof *d);
    d->is_lenient = 1;
    until_failure = n;
    one_only = only;
    has_failed = 0;
    d->session = smtpc_session_new();
    if (d->session != NULL) {
        smtpc_session_trace(d->session)->wanted = 1;
        dialogue_play(d, path);
        if (strstr(path, "submit-twice") == NULL)
            *promise = broken_promise(d);
        smtpc_session_free(d->session);
    }
    until_failure = -1;
    return has_failed;
}

static void
torture(const char *path)
{
    const char *promise = NULL;
    int only;
    long n = 0;

    for (only = 0; promise == NULL && only < 2; only++)
        for (n = 0; promise == NULL && n < ALLOCATIONS_MAX && play_once(path, n, only, &promise); n++)
            ;
    ok(promise == NULL && n > 0 && n < ALLOCATIONS_MAX, "%s: %ld allocations", strrchr(path, '/') + 1, n);
    if (promise != NULL)
        printf("# allocation %ld, %s: %s\n", n - 1, only == 1 ? "and all behind it" : "alone", promise);
}

/* ---- streams ---- */

static const struct way ways[] = {
    {"a stream", STREAM, 0, 0, 0, 0, 0}, {"a stream by BDAT", STREAM, SMTPC_BY_BDAT, 0, 0, 0, 0},
    {"a stream ahead", STREAM, SMTPC_BY_BDAT_AHEAD, 0, 0, 0, 0},
    {"a stream ahead, all or none", STREAM, SMTPC_BY_BDAT_AHEAD, 1, 0, 0, 0},
    {"LMTP, a stream", STREAM, 0, 0, 1, 0, 0}, {"dropped, a stream ahead", STREAM, SMTPC_BY_BDAT_AHEAD, 0, 0, 1, 0},
    {"early, a stream", STREAM, 0, 0, 0, 0, 1}
};
static const struct server_plan plans[SERVER_MESSAGES] = {
    {250, {250, 550, 250, 0}, 354, 250, 250, 451}, {250, {250, 250, 0, 0}, 354, 250, 554, 554},
    {250, {450, 250, 0, 0}, 354, 250, 250, 250}
};

/* What is over, by the names that stand in its envelope: some may be missing. */
static void
note_finished(struct run *run)
{
    const struct smtpc_submission *over;

    while ((over = smtpc_session_finished(run->session)) != NULL) {
        size_t i;

        for (i = 0; i < over->envelope.count; i++) {
            const struct smtpc_recipient *recipient = &over->envelope.recipients[i];

            run->outcomes[over->envelope.sender.bytes[1] - '0'][recipient->path[1] - '0'] = recipient->outcome;
            if (recipient->outcome <= SMTPC_OUTCOME_ACCEPTED)
                fault(run, "no outcome");
        }
        run->told++;
        smtpc_session_drop_finished(run->session);
    }
}

/* As run_for does it, but for what is checked on the way. */
static void
run_poor(struct run *run)
{
    int steps;

    for (steps = 0; steps < ALLOCATIONS_MAX && smtpc_session_wants(run->session) != SMTPC_WANT_CLOSED; steps++) {
        enum smtpc_want want = smtpc_session_wants(run->session);

        note_finished(run);
        if (want == SMTPC_WANT_CONTENT)
            give_content(run);
        else if ((want == SMTPC_WANT_IDLE || (want == SMTPC_WANT_NEXT && smtpc_session_may_go_on(run->session)))
                 && !introduce(run))
            begin_message_or_quit(run);
        move(run);
    }
    smtpc_session_feed(run->session, NULL, 0);
    note_finished(run);
}

static int
stream_once(const struct mailing *mailing, long n, int only, const char **promise)
{
    static struct run run;

    until_failure = n;
    one_only = only;
    has_failed = 0;
    start(&run, mailing, "WSR", 0);
    if (run.session != NULL) {
        smtpc_session_trace(run.session)->wanted = 1;
        run_poor(&run);
        check_truth(&run);
        *promise = run.fault;
        smtpc_session_free(run.session);
    }
    until_failure = -1;
    return has_failed;
}

static void
torture_stream(const struct way *way)
{
    struct mailing mailing = {way, SERVER_MESSAGES, {{0}}, 0, 0, 235, 0};
    const char *promise = NULL;
    int only;
    long n = 0;

    memcpy(mailing.plan, plans, sizeof plans);
    for (only = 0; promise == NULL && only < 2; only++)
        for (n = 0; promise == NULL && n < ALLOCATIONS_MAX && stream_once(&mailing, n, only, &promise); n++)
            ;
    ok(promise == NULL && n > 20 && n < ALLOCATIONS_MAX, "%s: %ld allocations", way->name, n);
    if (promise != NULL)
        printf("# allocation %ld: %s\n", n - 1, promise);
}

int
main(void)
{
    const char *top = getenv("SMTPC_TEST_TOP");
    char pattern[1024];
    glob_t found;
    size_t i;

    snprintf(pattern, sizeof pattern, "%s/t/dialogues/*.smtp", top != NULL ? top : "..");
    if (glob(pattern, 0, NULL, &found) != 0)
        return tap_done();
    for (i = 0; i < found.gl_pathc; i++)
        torture(found.gl_pathv[i]);
    globfree(&found);
    for (i = 0; i < sizeof ways / sizeof ways[0]; i++)
        torture_stream(&ways[i]);
    return tap_done();
}
