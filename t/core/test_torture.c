/* test_torture: every dialogue again and again, the n-th allocation failing, for every n: no crash, no leak, no lie.
 *
 * The core is compiled for this test with malloc, calloc and realloc renamed (c_src/Makefile). */
#include "tap.h"

#include <glob.h>

#include "dialogue.h"

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
    return tap_done();
}
