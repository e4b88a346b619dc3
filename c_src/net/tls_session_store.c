/* tls_session_store: a few sessions, the newest first, and their form in a file. */
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "base/secret.h"
#include "net/tls_sessions.h"

/* The file: MARK, the SHA-256 of all that follows, then for each session its key, the second it expires (8 octets,
 * the highest first), the count of its octets (4), and these. */
static const char mark[] = "SMTPAuthC-TLS-1\n";

enum { MARK = sizeof mark - 1, HEAD = MARK + SMTPC_TLS_DIGEST, ENTRY_HEAD = SMTPC_TLS_DIGEST + 8 + 4 };

void
smtpc_tls_session_entry_clear(struct smtpc_tls_session_entry *entry)
{
    smtpc_buffer_clear(&entry->octets);
    SSL_SESSION_free(entry->session);
    smtpc_secret_wipe(entry, sizeof *entry);
}

void
smtpc_tls_session_store_clear(struct smtpc_tls_session_store *store)
{
    while (store->count > 0)
        smtpc_tls_session_entry_clear(&store->entries[--store->count]);
}

/* The entry is gone already. */
static void
close_gap(struct smtpc_tls_session_store *store, size_t i)
{
    store->count--;
    memmove(&store->entries[i], &store->entries[i + 1], (store->count - i) * sizeof store->entries[0]);
    memset(&store->entries[store->count], 0, sizeof store->entries[0]);
}

static void
drop(struct smtpc_tls_session_store *store, size_t i)
{
    smtpc_tls_session_entry_clear(&store->entries[i]);
    close_gap(store, i);
}

/* From the newest on. */
static void
drop_surplus_of(struct smtpc_tls_session_store *store, const unsigned char *key, size_t most)
{
    size_t seen = 0;
    size_t i = 0;

    while (i < store->count)
        if (memcmp(store->entries[i].key, key, SMTPC_TLS_DIGEST) == 0 && ++seen > most)
            drop(store, i);
        else
            i++;
}

void
smtpc_tls_session_store_put(struct smtpc_tls_session_store *store, struct smtpc_tls_session_entry *entry)
{
    drop_surplus_of(store, entry->key, SMTPC_TLS_SESSIONS_OF_ONE_MAX - 1);
    if (store->count == SMTPC_TLS_SESSIONS_MAX)
        drop(store, SMTPC_TLS_SESSIONS_MAX - 1);
    memmove(&store->entries[1], &store->entries[0], store->count * sizeof store->entries[0]);
    store->entries[0] = *entry;
    store->count++;
    memset(entry, 0, sizeof *entry);
}

/* What lasts longer than it may comes from a clock that was put back. */
static int
is_good(const struct smtpc_tls_session_entry *entry, int64_t now)
{
    return entry->expires > now && entry->expires - now <= SMTPC_TLS_SESSION_SECONDS_MAX;
}

int
smtpc_tls_session_store_take(struct smtpc_tls_session_store *store, const unsigned char key[SMTPC_TLS_DIGEST],
                             int64_t now, struct smtpc_tls_session_entry *entry)
{
    size_t i = 0;

    while (i < store->count)
        if (!is_good(&store->entries[i], now))
            drop(store, i);
        else if (memcmp(store->entries[i].key, key, SMTPC_TLS_DIGEST) != 0)
            i++;
        else {
            *entry = store->entries[i];
            close_gap(store, i);
            return 1;
        }
    return 0;
}

/* ---- the form in a file ---- */

static void
write_number(unsigned char *octets, size_t n, uint64_t number)
{
    while (n-- > 0) {
        octets[n] = (unsigned char)(number & 0xff);
        number >>= 8;
    }
}

static uint64_t
read_number(const unsigned char *octets, size_t n)
{
    uint64_t number = 0;

    while (n-- > 0)
        number = number << 8 | *octets++;
    return number;
}

static int
digest_of(const char *octets, size_t n, unsigned char digest[SMTPC_TLS_DIGEST])
{
    return EVP_Digest(octets, n, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

static int
write_entry(const struct smtpc_tls_session_entry *entry, struct smtpc_buffer *octets)
{
    unsigned char head[ENTRY_HEAD];

    memcpy(head, entry->key, SMTPC_TLS_DIGEST);
    write_number(head + SMTPC_TLS_DIGEST, 8, (uint64_t)entry->expires);
    write_number(head + SMTPC_TLS_DIGEST + 8, 4, entry->octets.length);
    if (smtpc_buffer_append(octets, (const char *)head, sizeof head) != 0)
        return -1;
    return smtpc_buffer_append(octets, entry->octets.bytes, entry->octets.length);
}

int
smtpc_tls_session_store_write(const struct smtpc_tls_session_store *store, struct smtpc_buffer *octets)
{
    unsigned char digest[SMTPC_TLS_DIGEST] = {0};
    size_t start = octets->length;
    size_t i;

    if (smtpc_buffer_append(octets, mark, MARK) != 0
        || smtpc_buffer_append(octets, (const char *)digest, sizeof digest) != 0)
        return -1;
    for (i = 0; i < store->count; i++)
        if (write_entry(&store->entries[i], octets) != 0)
            return -1;
    if (digest_of(octets->bytes + start + HEAD, octets->length - start - HEAD, digest) != 0)
        return -1;
    memcpy(octets->bytes + start + MARK, digest, sizeof digest);
    return 0;
}

/* How many octets the entry takes; 0 when it is none, or memory is out. */
static size_t
read_entry(struct smtpc_tls_session_store *store, const unsigned char *octets, size_t n)
{
    struct smtpc_tls_session_entry *entry = &store->entries[store->count];
    uint64_t length;

    if (n < ENTRY_HEAD || store->count == SMTPC_TLS_SESSIONS_MAX)
        return 0;
    length = read_number(octets + SMTPC_TLS_DIGEST + 8, 4);
    if (length == 0 || length > SMTPC_TLS_SESSION_OCTETS_MAX || length > n - ENTRY_HEAD)
        return 0;
    memcpy(entry->key, octets, SMTPC_TLS_DIGEST);
    entry->expires = (int64_t)(read_number(octets + SMTPC_TLS_DIGEST, 8) & INT64_MAX);
    smtpc_buffer_init(&entry->octets, SMTPC_TLS_SESSION_OCTETS_MAX);
    store->count++;
    if (smtpc_buffer_append(&entry->octets, (const char *)octets + ENTRY_HEAD, (size_t)length) != 0)
        return 0;
    return ENTRY_HEAD + (size_t)length;
}

/* A write that was cut off by the machine going down may leave nothing but NULs. */
static int
is_marked(const char *octets, size_t n)
{
    static const char nothing[MARK];
    size_t compared = n < MARK ? n : MARK;

    return memcmp(octets, mark, compared) == 0 || memcmp(octets, nothing, compared) == 0;
}

int
smtpc_tls_session_store_read(struct smtpc_tls_session_store *store, const char *octets, size_t n)
{
    unsigned char digest[SMTPC_TLS_DIGEST];
    size_t at = HEAD;

    if (n == 0)
        return 1;
    if (!is_marked(octets, n))
        return -1;
    if (n < HEAD || digest_of(octets + HEAD, n - HEAD, digest) != 0
        || memcmp(octets + MARK, digest, sizeof digest) != 0)
        return 0;
    while (at < n) {
        size_t taken = read_entry(store, (const unsigned char *)octets + at, n - at);

        if (taken == 0) {
            smtpc_tls_session_store_clear(store);
            return 0;
        }
        at += taken;
    }
    return 1;
}
