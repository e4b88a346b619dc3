/* test_dialogues: every file of t/dialogues, whole, octet by octet, and cut at random: the same result. */
#include "tap.h"

#include <glob.h>

#include "dialogue.h"

enum { SEEDS = 6, FINGERPRINT = 8192 };

static struct dialogue played;

static void
start(struct dialogue *d, uint32_t cuts)
{
    memset(d, 0, sizeof *d);
    d->cuts = cuts;
    d->session = smtpc_session_new();
    if (d->session == NULL)
        abort();
    smtpc_session_trace(d->session)->wanted = 1;
}

/* All that a caller can see in the end, but for words that quote a piece as it was cut. */
static void
fingerprint(struct smtpc_session *s, char text[FINGERPRINT])
{
    const struct smtpc_error *error = smtpc_session_error(s);
    const struct smtpc_reply *reply = smtpc_session_reply(s);
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);
    struct smtpc_trace_entry entry;
    size_t n, i;

    n = (size_t)snprintf(text, FINGERPRINT, "%d %d %s %d %s %d %d %.500s|%d %s %zu|", (int)smtpc_session_wants(s),
                         (int)error->kind, error->step != NULL ? error->step : "", error->code, error->enhanced,
                         error->temporary, error->may_have_been_sent, error->code != 0 ? error->text : "",
                         reply->code, reply->enhanced, reply->text.length);
    for (i = 0; i < envelope->count && n < 4000; i++) {
        const struct smtpc_recipient *r = &envelope->recipients[i];

        n += (size_t)snprintf(text + n, FINGERPRINT - n, "%s %s %s %d %s %.100s|", r->path,
                              smtpc_outcome_name(r->outcome), r->step != NULL ? r->step : "", r->code, r->enhanced,
                              r->text != NULL ? r->text : "");
    }
    while (smtpc_trace_take(smtpc_session_trace(s), &entry) && n < 7000)
        n += (size_t)snprintf(text + n, FINGERPRINT - n, "%c %.*s\n", (char)entry.speaker,
                              (int)(entry.length < 80 ? entry.length : 80), entry.text);
}

/* Every recipient has his one outcome as soon as nothing is under way. */
static int
is_settled(struct smtpc_session *s)
{
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);

    if (smtpc_session_wants(s) != SMTPC_WANT_CLOSED)
        return 1;
    return smtpc_envelope_count(envelope, SMTPC_OUTCOME_NONE) == 0
        && smtpc_envelope_count(envelope, SMTPC_OUTCOME_ACCEPTED) == 0;
}

static int
play(const char *path, uint32_t cuts, char text[FINGERPRINT])
{
    struct dialogue *d = &played;
    int good;

    start(d, cuts);
    good = dialogue_play(d, path) == 0;
    if (!good)
        printf("# %s cut %u: %s\n", path, (unsigned)cuts, d->fault);
    if (!is_settled(d->session)) {
        printf("# %s: a recipient without outcome\n", path);
        good = 0;
    }
    if (!d->dot_was_taken && smtpc_envelope_count(smtpc_session_envelope(d->session), SMTPC_OUTCOME_SENT) > 0
        && strstr(path, "submit-twice") == NULL) {
        printf("# %s: sent, but nobody said so\n", path);
        good = 0;
    }
    fingerprint(d->session, text);
    smtpc_session_free(d->session);
    return good;
}

static void
test_dialogue(const char *path)
{
    static char whole[FINGERPRINT], other[FINGERPRINT];
    const char *name = strrchr(path, '/') + 1;
    int same = 1;
    uint32_t seed;

    ok(play(path, DIALOGUE_WHOLE, whole), "%s", name);
    ok(play(path, DIALOGUE_OCTETS, other), "%s, octet by octet", name);
    same = strcmp(whole, other) == 0;
    for (seed = 2; same && seed < 2 + SEEDS; seed++)
        same = play(path, seed * 2654435761u, other) && strcmp(whole, other) == 0;
    ok(same, "%s, the same however it is cut", name);
    if (!same)
        printf("# cut %u:\n# %s\n# whole:\n# %s\n", (unsigned)(seed - 1), other, whole);
}

static void
test_dialogues(void)
{
    const char *top = getenv("SMTPC_TEST_TOP");
    char pattern[1024];
    glob_t found;
    size_t i;

    snprintf(pattern, sizeof pattern, "%s/t/dialogues/*.smtp", top != NULL ? top : "..");
    if (glob(pattern, 0, NULL, &found) != 0) {
        ok(0, "%s: no dialogues", pattern);
        return;
    }
    ok(found.gl_pathc > 100, "%lu dialogues", (unsigned long)found.gl_pathc);
    for (i = 0; i < found.gl_pathc; i++)
        test_dialogue(found.gl_pathv[i]);
    globfree(&found);
}

int
main(void)
{
    test_dialogues();
    return tap_done();
}
