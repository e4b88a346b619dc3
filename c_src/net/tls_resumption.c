/* tls_resumption: a connection begins with a session of an earlier one, and leaves its own for the next. */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls_inside.h"

/* TLS 1.3: tickets come with what the server says first. Older sessions are asked for at the end of the handshake. */
static int
note_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct smtpc_tls *tls = SSL_get_app_data(ssl);
    SSL_SESSION **arrived = tls->resumption.arrived;

    if (tls->resumption.sessions == NULL || tls->state != SMTPC_TLS_OPEN)
        return 0;
    SSL_SESSION_free(arrived[0]);
    memmove(&arrived[0], &arrived[1], (SMTPC_TLS_ARRIVED_MAX - 1) * sizeof arrived[0]);
    arrived[SMTPC_TLS_ARRIVED_MAX - 1] = session;
    return 1;
}

void
smtpc_tls_resumption_prepare(SSL_CTX *ssl_ctx)
{
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_ctx, note_ticket);
}

/* ---- before the handshake ---- */

static int
bears_name(X509 *leaf, const struct smtpc_tls *tls, char **matched)
{
    unsigned int flags = X509_VERIFY_PARAM_get_hostflags(SSL_get0_param(tls->ssl));

    if (smtpc_tls_is_literal(tls->name))
        return X509_check_ip_asc(leaf, tls->name, flags) == 1;
    return X509_check_host(leaf, tls->name, 0, flags, matched) == 1;
}

/* OpenSSL asks nothing again when it resumes. */
static int
is_still_good(X509 *leaf, const struct smtpc_tls *tls, char **matched)
{
    return leaf != NULL && X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0
        && X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0 && bears_name(leaf, tls, matched);
}

/* A reference of the caller's own; NULL when there is none in it. */
static SSL_SESSION *
session_of(const struct smtpc_tls_session_entry *entry)
{
    const unsigned char *octets = (const unsigned char *)entry->octets.bytes;

    if (entry->session == NULL)
        return d2i_SSL_SESSION(NULL, &octets, (long)entry->octets.length);
    SSL_SESSION_up_ref(entry->session);
    return entry->session;
}

static int
offer(struct smtpc_tls *tls, const struct smtpc_tls_session_entry *entry)
{
    SSL_SESSION *session = session_of(entry);
    char *matched = NULL;
    int good = session != NULL && is_still_good(SSL_SESSION_get0_peer(session), tls, &matched)
        && SSL_set_session(tls->ssl, session) == 1;

    SSL_SESSION_free(session);
    if (good && SSL_get_verify_result(tls->ssl) == X509_V_OK) {
        tls->resumption.matched = matched;
        return 1;
    }
    OPENSSL_free(matched);
    SSL_set_session(tls->ssl, NULL);
    return 0;
}

void
smtpc_tls_resumption_offer(struct smtpc_tls *tls, const char *peer)
{
    struct smtpc_tls_resumption *resumption = &tls->resumption;
    struct smtpc_tls_sessions *sessions = tls->context->sessions;
    struct smtpc_tls_session_entry entry = {0};
    int done = 0;

    if (sessions == NULL || peer == NULL
        || smtpc_tls_session_key(sessions->demands, peer, tls->name, resumption->key) != 0)
        return;
    resumption->sessions = sessions;
    while (!done && smtpc_tls_sessions_take(sessions, resumption->key, &entry)) {
        done = offer(tls, &entry);
        smtpc_tls_session_entry_clear(&entry);
    }
    ERR_clear_error();
}

/* ---- after it ---- */

static int64_t
expiry_of(const SSL_SESSION *session)
{
    int64_t now = (int64_t)time(NULL);
    long seconds = SSL_SESSION_get_timeout(session);
    unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);

    if (seconds > SMTPC_TLS_SESSION_SECONDS_MAX)
        seconds = SMTPC_TLS_SESSION_SECONDS_MAX;
    if (hint > 0 && hint < (unsigned long)seconds)
        seconds = (long)hint;
    return now + seconds;
}

static int
write_octets(SSL_SESSION *session, struct smtpc_buffer *octets)
{
    int n = i2d_SSL_SESSION(session, NULL);
    unsigned char *room = NULL;

    smtpc_buffer_init(octets, SMTPC_TLS_SESSION_OCTETS_MAX);
    if (n > 0)
        room = (unsigned char *)smtpc_buffer_reserve(octets, (size_t)n);
    if (room == NULL || i2d_SSL_SESSION(session, &room) != n) {
        smtpc_buffer_clear(octets);
        return 0;
    }
    octets->length += (size_t)n;
    return 1;
}

/* A copy: OpenSSL makes the object itself useless when its connection ends without a goodbye. Octets cost reading the
 * certificate again, so they are for files only. */
static int
copy_session(SSL_SESSION *session, int is_for_file, struct smtpc_tls_session_entry *entry)
{
#ifndef LIBRESSL_VERSION_NUMBER
    if (!is_for_file) {
        entry->session = SSL_SESSION_dup(session);
        return entry->session != NULL;
    }
#else
    (void)is_for_file;
#endif
    return write_octets(session, &entry->octets);
}

static int
entry_of(SSL_SESSION *session, const struct smtpc_tls_resumption *resumption, struct smtpc_tls_session_entry *entry)
{
    memset(entry, 0, sizeof *entry);
    if (!SSL_SESSION_is_resumable(session) || !copy_session(session, resumption->sessions->file != NULL, entry))
        return 0;
    memcpy(entry->key, resumption->key, sizeof entry->key);
    entry->expires = expiry_of(session);
    return 1;
}

void
smtpc_tls_resumption_keep(struct smtpc_tls *tls)
{
    struct smtpc_tls_resumption *resumption = &tls->resumption;
    struct smtpc_tls_session_entry entries[SMTPC_TLS_ARRIVED_MAX];
    size_t n = 0;
    size_t i;

    if (resumption->arrived[SMTPC_TLS_ARRIVED_MAX - 1] == NULL)
        return;
    for (i = 0; i < SMTPC_TLS_ARRIVED_MAX; i++) {
        if (resumption->arrived[i] != NULL)
            n += (size_t)entry_of(resumption->arrived[i], resumption, &entries[n]);
        SSL_SESSION_free(resumption->arrived[i]);
        resumption->arrived[i] = NULL;
    }
    if (n > 0)
        smtpc_tls_sessions_put(resumption->sessions, entries, n);
    ERR_clear_error();
}

void
smtpc_tls_resumption_finish(struct smtpc_tls *tls)
{
    struct smtpc_tls_resumption *resumption = &tls->resumption;

    if (!tls->is_verified || !tls->context->checks_name)
        resumption->sessions = NULL;
    if (resumption->sessions == NULL || SSL_version(tls->ssl) >= TLS1_3_VERSION)
        return;
    resumption->arrived[SMTPC_TLS_ARRIVED_MAX - 1] = SSL_get1_session(tls->ssl);
    smtpc_tls_resumption_keep(tls);
}

void
smtpc_tls_resumption_clear(struct smtpc_tls_resumption *resumption)
{
    size_t i;

    for (i = 0; i < SMTPC_TLS_ARRIVED_MAX; i++)
        SSL_SESSION_free(resumption->arrived[i]);
    OPENSSL_free(resumption->matched);
    memset(resumption, 0, sizeof *resumption);
}
