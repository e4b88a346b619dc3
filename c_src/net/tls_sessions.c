/* tls_sessions: the sessions of a context, in memory or in the caller's file, for all its connections and threads. */
#include "net/tls_sessions.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/tls_inside.h"

enum { ENTER_TRIES = 1000 };

/* The lock is the process's number: a mutex that some thread held in the moment of a fork would stay locked in the
 * child for ever. Whoever cannot get in soon does without: a full handshake does as well. */
static int
replace(pid_t *holder, pid_t expected, pid_t wanted)
{
    return __atomic_compare_exchange_n(holder, &expected, wanted, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

int
smtpc_tls_enter(pid_t *holder)
{
    pid_t self = getpid();
    int tries;

    for (tries = 0; tries < ENTER_TRIES; tries++) {
        pid_t other = __atomic_load_n(holder, __ATOMIC_RELAXED);

        if (other != self && replace(holder, other, self))
            return other == 0 ? 1 : -1;
        sched_yield();
    }
    return 0;
}

void
smtpc_tls_leave(pid_t *holder)
{
    __atomic_store_n(holder, 0, __ATOMIC_RELEASE);
}

static int
enter(struct smtpc_tls_sessions *sessions)
{
    int entered = smtpc_tls_enter(&sessions->holder);

    if (entered < 0)
        memset(&sessions->store, 0, sizeof sessions->store);
    return entered != 0;
}

/* A ticket is used once, and after a fork it would be by both: they stay the parent's. */
static int
enter_own(struct smtpc_tls_sessions *sessions)
{
    if (!enter(sessions))
        return 0;
    if (sessions->owner != getpid()) {
        smtpc_tls_session_store_clear(&sessions->store);
        sessions->owner = getpid();
    }
    return 1;
}

/* Only what chain, name and pins have verified is resumed. What else a caller may demand is a question to the
 * certificate or about it, now, and a resumed handshake shows none. */
static int
are_wanted(const struct smtpc_tls_options *options)
{
    return !options->no_resumption && !options->insecure_no_verify && !options->insecure_no_name_check
        && options->crl_file == NULL && !options->check_crl_of_chain && !options->must_staple
        && options->fingerprints == NULL && options->tlsa == NULL;
}

int
smtpc_tls_sessions_use_file(struct smtpc_tls_sessions *sessions, const char *path, struct smtpc_error *error)
{
    if (sessions == NULL || path == NULL)
        return 0;
    sessions->file = strdup(path);
    if (sessions->file == NULL)
        return smtpc_error_set_memory(error);
    return smtpc_tls_session_file_check(path, error);
}

int
smtpc_tls_sessions_new(const struct smtpc_tls_options *options, struct smtpc_tls_sessions **sessions,
                       struct smtpc_error *error)
{
    *sessions = NULL;
    if (!are_wanted(options))
        return 0;
    *sessions = calloc(1, sizeof **sessions);
    if (*sessions == NULL)
        return smtpc_error_set_memory(error);
    (*sessions)->owner = getpid();
    if (smtpc_tls_session_demands(options, (*sessions)->demands) == 0)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "OpenSSL cannot make a digest: %s", smtpc_tls_take_reason());
}

void
smtpc_tls_sessions_free(struct smtpc_tls_sessions *sessions)
{
    if (sessions == NULL)
        return;
    if (enter(sessions))
        smtpc_tls_session_store_clear(&sessions->store);
    free(sessions->file);
    free(sessions);
}

int
smtpc_tls_sessions_take(struct smtpc_tls_sessions *sessions, const unsigned char key[SMTPC_TLS_DIGEST],
                        struct smtpc_tls_session_entry *entry)
{
    int64_t now = (int64_t)time(NULL);
    int found;

    if (sessions->file != NULL)
        return smtpc_tls_session_file_take(sessions->file, key, now, entry);
    if (!enter_own(sessions))
        return 0;
    found = smtpc_tls_session_store_take(&sessions->store, key, now, entry);
    smtpc_tls_leave(&sessions->holder);
    return found;
}

void
smtpc_tls_sessions_put(struct smtpc_tls_sessions *sessions, struct smtpc_tls_session_entry *entries, size_t n)
{
    size_t i;

    if (sessions->file != NULL) {
        smtpc_tls_session_file_put(sessions->file, entries, n);
        return;
    }
    if (enter_own(sessions)) {
        for (i = 0; i < n; i++)
            smtpc_tls_session_store_put(&sessions->store, &entries[i]);
        smtpc_tls_leave(&sessions->holder);
    }
    for (i = 0; i < n; i++)
        smtpc_tls_session_entry_clear(&entries[i]);
}
