/* Tests of the store of TLS sessions and of its form in a file, whole and broken. */
#include "net/tls_sessions.h"

#include <string.h>

#include "tap.h"

enum { NOW = 1000000, LATER = NOW + 3600 };

static struct smtpc_tls_session_store store;

static void
fill_key(unsigned char key[SMTPC_TLS_DIGEST], int peer)
{
    memset(key, peer, SMTPC_TLS_DIGEST);
}

static void
put(int peer, int64_t expires, const char *octets)
{
    struct smtpc_tls_session_entry entry = {0};

    fill_key(entry.key, peer);
    entry.expires = expires;
    smtpc_buffer_init(&entry.octets, SMTPC_TLS_SESSION_OCTETS_MAX);
    smtpc_buffer_append_string(&entry.octets, octets);
    smtpc_tls_session_store_put(&store, &entry);
    if (entry.octets.bytes != NULL)
        ok(0, "the store takes the octets over");
}

static void
takes(int peer, const char *expected, const char *what)
{
    struct smtpc_tls_session_entry entry = {0};
    unsigned char key[SMTPC_TLS_DIGEST];
    int found;

    fill_key(key, peer);
    found = smtpc_tls_session_store_take(&store, key, NOW, &entry);
    if (expected == NULL)
        ok(!found, "%s", what);
    else
        ok(found && smtpc_buffer_equals(&entry.octets, expected), "%s", what);
    smtpc_tls_session_entry_clear(&entry);
}

static void
test_order(void)
{
    put(1, LATER, "old");
    put(2, LATER, "other");
    put(1, LATER, "new");
    takes(1, "new", "the newest comes first");
    takes(1, "old", "then the one before");
    takes(1, NULL, "each of them once");
    takes(2, "other", "another peer has its own");
    ok(store.count == 0, "nothing is left");
}

static void
test_expiry(void)
{
    put(1, NOW, "past");
    takes(1, NULL, "what expires now is gone");
    put(1, NOW + SMTPC_TLS_SESSION_SECONDS_MAX + 1, "future");
    takes(1, NULL, "what lasts longer than anything may is not believed");
    put(1, NOW + SMTPC_TLS_SESSION_SECONDS_MAX, "long");
    put(1, NOW + 1, "short");
    takes(1, "short", "a second is enough");
    takes(1, "long", "and so is a day");
}

static void
test_bounds(void)
{
    char octets[16];
    int i;

    for (i = 0; i < 9; i++) {
        snprintf(octets, sizeof octets, "%d", i);
        put(1, LATER, octets);
    }
    ok(store.count == SMTPC_TLS_SESSIONS_OF_ONE_MAX, "one peer has %d at most", SMTPC_TLS_SESSIONS_OF_ONE_MAX);
    takes(1, "8", "the newest ones");
    for (i = 2; i < 40; i++)
        put(i, LATER, "x");
    ok(store.count == SMTPC_TLS_SESSIONS_MAX, "all together %d at most", SMTPC_TLS_SESSIONS_MAX);
    takes(1, NULL, "the oldest went");
    takes(39, "x", "the newest stayed");
    smtpc_tls_session_store_clear(&store);
}

/* ---- the form in a file ---- */

static void
write_some(struct smtpc_buffer *octets)
{
    smtpc_buffer_init(octets, 1 << 20);
    put(1, LATER, "first");
    put(2, LATER, "second");
    put(1, LATER, "third");
    smtpc_tls_session_store_write(&store, octets);
    smtpc_tls_session_store_clear(&store);
}

static void
test_round_trip(void)
{
    struct smtpc_buffer octets;

    write_some(&octets);
    ok(smtpc_tls_session_store_read(&store, octets.bytes, octets.length) == 1 && store.count == 3, "all come back");
    takes(1, "third", "in their order");
    takes(1, "first", "with their octets");
    takes(2, "second", "and keys");
    ok(smtpc_tls_session_store_read(&store, NULL, 0) == 1 && store.count == 0, "an empty file is an empty store");
    smtpc_buffer_clear(&octets);
}

static void
test_broken(void)
{
    struct smtpc_buffer octets;
    size_t believed = 0;
    size_t i;

    write_some(&octets);
    for (i = 1; i < octets.length; i++)
        believed += smtpc_tls_session_store_read(&store, octets.bytes, i) != 0 || store.count != 0;
    ok(believed == 0, "cut anywhere it is broken, and counts as empty");
    for (i = 16; i < octets.length; i++) {
        octets.bytes[i] = (char)(octets.bytes[i] ^ 1);
        believed += smtpc_tls_session_store_read(&store, octets.bytes, octets.length) != 0 || store.count != 0;
        octets.bytes[i] = (char)(octets.bytes[i] ^ 1);
    }
    ok(believed == 0, "and with any bit turned");
    memset(octets.bytes, 0, octets.length);
    ok(smtpc_tls_session_store_read(&store, octets.bytes, octets.length) == 0, "NULs are what a crash may leave");
    ok(smtpc_tls_session_store_read(&store, "root:x:0:0:root:/root:/bin/sh\n", 30) == -1,
       "anything else is somebody's, and not to be written over");
    ok(smtpc_tls_session_store_read(&store, "x", 1) == -1, "were it an octet");
    smtpc_buffer_clear(&octets);
}

int
main(void)
{
    test_order();
    test_expiry();
    test_bounds();
    test_round_trip();
    test_broken();
    return tap_done();
}
