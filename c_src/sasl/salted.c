/* salted: salted passwords of SCRAM, a handful, found by a keyed digest of all that they come from. */
#include "sasl/salted.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/secret.h"

enum {
    KEPT_MAX = 8,
    KEY_SIZE = 32,
    COUNT_SIZE = 8,
    ALL_MAX = 1 << 20      /* user, password and salt have caps of their own, far below */
};

/* One of them; the name is HMAC-SHA-256 with a key of this process, so that it tells nothing about the password. */
struct kept {
    int is_used;
    unsigned char name[KEY_SIZE];
    unsigned char octets[SMTPC_DIGEST_SIZE_MAX];
};

/* All under the lock, which is only tried: in a child of fork(2) it may be held by a thread that is not there. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept store[KEPT_MAX];
static size_t next_place;
static unsigned char key[KEY_SIZE];
static int has_key;

static int
append_number(struct smtpc_buffer *out, uint64_t number)
{
    char octets[COUNT_SIZE];
    size_t i;

    for (i = 0; i < sizeof octets; i++)
        octets[i] = (char)(number >> (8 * i) & 0xff);
    return smtpc_buffer_append(out, octets, sizeof octets);
}

/* The length first: no two lists of octets give the same row of them. */
static int
append_text(struct smtpc_buffer *out, const struct smtpc_buffer *text)
{
    if (append_number(out, text->length) != 0)
        return -1;
    return smtpc_buffer_append(out, text->bytes, text->length);
}

static int
append_all(const struct smtpc_salted *salted, struct smtpc_buffer *all)
{
    if (append_number(all, (uint64_t)salted->digest) != 0 || append_number(all, salted->iterations) != 0
        || append_text(all, salted->user) != 0 || append_text(all, salted->password) != 0)
        return -1;
    return append_text(all, salted->salt);
}

static int
name_of(const struct smtpc_salted *salted, unsigned char *name)
{
    struct smtpc_buffer all;
    int result;

    if (!has_key && smtpc_digest_random(key, sizeof key) != 0)
        return -1;
    has_key = 1;
    smtpc_buffer_init(&all, ALL_MAX);
    result = append_all(salted, &all);
    if (result == 0)
        result = smtpc_digest_hmac(SMTPC_DIGEST_SHA256, (const char *)key, sizeof key, all.bytes, all.length, name);
    smtpc_buffer_clear(&all);
    return result;
}

static struct kept *
find(const unsigned char *name)
{
    size_t i;

    for (i = 0; i < KEPT_MAX; i++)
        if (store[i].is_used && smtpc_secret_equal(store[i].name, name, KEY_SIZE))
            return &store[i];
    return NULL;
}

static void
keep(const unsigned char *name, const unsigned char *octets, size_t n)
{
    struct kept *place = find(name);

    if (place == NULL) {
        place = &store[next_place];
        next_place = (next_place + 1) % KEPT_MAX;
    }
    smtpc_secret_wipe(place, sizeof *place);
    memcpy(place->name, name, KEY_SIZE);
    memcpy(place->octets, octets, n);
    place->is_used = 1;
}

/* 1 and the octets when they are there. Otherwise 0, and the name under which to keep them, *has_name 0 when there is
 * none. */
static int
recall(const struct smtpc_salted *salted, unsigned char *out, unsigned char *name, int *has_name)
{
    const struct kept *found = NULL;

    *has_name = 0;
    if (pthread_mutex_trylock(&lock) != 0)
        return 0;
    *has_name = name_of(salted, name) == 0;
    if (*has_name)
        found = find(name);
    if (found != NULL)
        memcpy(out, found->octets, smtpc_digest_size(salted->digest));
    pthread_mutex_unlock(&lock);
    return found != NULL;
}

/* The lock is not held while the digest works. */
int
smtpc_salted_password(const struct smtpc_salted *salted, unsigned char *out)
{
    const struct smtpc_buffer *password = salted->password, *salt = salted->salt;
    unsigned char name[KEY_SIZE];
    int has_name;

    if (recall(salted, out, name, &has_name))
        return 1;
    if (smtpc_digest_pbkdf2(salted->digest, password->bytes, password->length, salt->bytes, salt->length,
                            salted->iterations, out) != 0)
        return -1;
    if (has_name && pthread_mutex_trylock(&lock) == 0) {
        keep(name, out, smtpc_digest_size(salted->digest));
        pthread_mutex_unlock(&lock);
    }
    return 0;
}

int
smtpc_salted_forget(void)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return -1;
    smtpc_secret_wipe(store, sizeof store);
    pthread_mutex_unlock(&lock);
    return 0;
}
