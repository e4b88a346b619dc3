/* test_digest: every row of hmac-md5.tsv and digest.tsv, in threads, and under a configuration that takes MD5 away. */
#include "tap.h"
#include "vectors.h"

#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "codec/digest.h"

/* Rows whose digest is wrong, and how many rows there are. */
static int
wrong_hmac_md5(int *rows)
{
    struct vectors *v = malloc(sizeof *v);
    unsigned char digest[SMTPC_DIGEST_SIZE_MAX];
    char hex[2 * SMTPC_DIGEST_SIZE_MAX + 1];
    int wrong = 0;

    vectors_open(v, "hmac-md5.tsv");
    for (*rows = 0; vectors_next(v); ++*rows) {
        size_t key = vectors_unhex(v->field[1]);
        size_t data = vectors_unhex(v->field[2]);
        int result = smtpc_digest_hmac(SMTPC_DIGEST_MD5, v->field[1], key, v->field[2], data, digest);

        smtpc_digest_hex(digest, smtpc_digest_size(SMTPC_DIGEST_MD5), hex);
        if (result != 0 || strcmp(hex, v->field[3]) != 0) {
            printf("# %s: got %s\n", v->field[0], hex);
            wrong++;
        }
    }
    free(v);
    return wrong;
}

static enum smtpc_digest
digest_named(const char *name)
{
    if (strcmp(name, "MD5") == 0)
        return SMTPC_DIGEST_MD5;
    if (strcmp(name, "SHA1") == 0)
        return SMTPC_DIGEST_SHA1;
    return strcmp(name, "SHA256") == 0 ? SMTPC_DIGEST_SHA256 : SMTPC_DIGEST_SHA512;
}

/* What the row of digest.tsv asks for, in hexadecimal. */
static int
compute(struct vectors *v, char *hex)
{
    enum smtpc_digest digest = digest_named(v->field[2]);
    char *key = v->field[3], *data = v->field[4];
    size_t key_length = vectors_unhex(key), data_length = vectors_unhex(data);
    unsigned char out[SMTPC_DIGEST_SIZE_MAX];
    int result;

    if (strcmp(v->field[1], "hash") == 0)
        result = smtpc_digest_hash(digest, data, data_length, out);
    else if (strcmp(v->field[1], "hmac") == 0)
        result = smtpc_digest_hmac(digest, key, key_length, data, data_length, out);
    else
        result = smtpc_digest_pbkdf2(digest, key, key_length, data, data_length, strtoul(v->field[5], NULL, 10), out);
    smtpc_digest_hex(out, smtpc_digest_size(digest), hex);
    return result;
}

static int
wrong_digests(int *rows)
{
    struct vectors *v = malloc(sizeof *v);
    char hex[2 * SMTPC_DIGEST_SIZE_MAX + 1];
    int wrong = 0;

    vectors_open(v, "digest.tsv");
    for (*rows = 0; vectors_next(v); ++*rows)
        if (compute(v, hex) != 0 || strcmp(hex, v->field[6]) != 0) {
            printf("# %s: got %s\n", v->field[0], hex);
            wrong++;
        }
    free(v);
    return wrong;
}

/* Rows of both tables. */
static int
wrong_rows(int *rows)
{
    int more, wrong = wrong_hmac_md5(rows) + wrong_digests(&more);

    *rows = *rows >= 22 && more >= 48 ? *rows + more : 0;
    return wrong;
}

/* 1 when OpenSSL's own default context has MD5 no more: the configuration works. */
static int
md5_is_gone(void)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    EVP_MD *md5 = EVP_MD_fetch(NULL, "MD5", NULL);

    EVP_MD_free(md5);
    return md5 == NULL;
#else
    return 1;
#endif
}

static const char strict[] =
    "openssl_conf = all\n"
    "[all]\nproviders = providers\nalg_section = algorithms\n"
    "[providers]\nbase = base\n"
    "[base]\nactivate = 1\n"
    "[algorithms]\ndefault_properties = fips=yes\n";

static void
strict_child(const char *path)
{
    unsigned char octets[16];
    int rows, wrong;

    setenv("OPENSSL_CONF", path, 1);
    if (!md5_is_gone())
        _exit(2);
    wrong = wrong_rows(&rows);
    if (smtpc_digest_random(octets, sizeof octets) != 0)
        wrong++;
    fflush(stdout);
    _exit(wrong > 0 || rows == 0);
}

/* In a child, because OpenSSL reads its configuration once. */
static void
test_strict_configuration(void)
{
    char path[] = "/tmp/smtpc-digest-XXXXXX";
    int fd = mkstemp(path), status = -1;
    ssize_t written = write(fd, strict, sizeof strict - 1);
    pid_t child;

    close(fd);
    fflush(stdout);
    child = fork();
    if (child == 0)
        strict_child(path);
    waitpid(child, &status, 0);
    unlink(path);
    ok(written == (ssize_t)sizeof strict - 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "all of them, and random octets, where openssl.cnf has only the base provider and fips=yes (%d)", status);
}

static void *
run_rows(void *wrong)
{
    int rows;

    *(int *)wrong = wrong_rows(&rows);
    return NULL;
}

static void
test_threads(void)
{
    pthread_t threads[4];
    int wrong[4] = {1, 1, 1, 1}, i;

    for (i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_rows, &wrong[i]);
    for (i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ok(wrong[i] == 0, "the same in thread %d", i);
    }
}

static void
test_edges(void)
{
    unsigned char digest[SMTPC_DIGEST_SIZE_MAX];
    char hex[2 * SMTPC_DIGEST_SIZE_MAX + 1];

    ok(smtpc_digest_size(SMTPC_DIGEST_MD5) == 16 && smtpc_digest_size(SMTPC_DIGEST_SHA1) == 20
       && smtpc_digest_size(SMTPC_DIGEST_SHA256) == 32 && smtpc_digest_size(SMTPC_DIGEST_SHA512) == 64, "the sizes");
    ok(smtpc_digest_hmac(SMTPC_DIGEST_MD5, NULL, 0, NULL, 0, digest) == 0, "no key and no data, as null pointers");
    smtpc_digest_hex(digest, 16, hex);
    is_string(hex, "74e6f7298a9c2d168935f58c001bad88", "are empty strings");
    ok(smtpc_digest_hash(SMTPC_DIGEST_MD5, NULL, 0, digest) == 0, "no data for a hash");
    smtpc_digest_hex(digest, 16, hex);
    is_string(hex, "d41d8cd98f00b204e9800998ecf8427e", "is an empty string");
    ok(smtpc_digest_pbkdf2(SMTPC_DIGEST_SHA1, NULL, 0, NULL, 0, 1, digest) == 0, "no password and no salt");
    smtpc_digest_hex(digest, 0, hex);
    is_string(hex, "", "no octets, no digits");
}

static void
test_refusal(void)
{
    unsigned char digest[SMTPC_DIGEST_SIZE_MAX], zeroes[SMTPC_DIGEST_SIZE_MAX] = {0};

    memset(digest, 7, sizeof digest);
    ok(smtpc_digest_pbkdf2(SMTPC_DIGEST_SHA256, "p", 1, "s", 1, 0, digest) == -1, "no iterations is refused");
    ok(memcmp(digest, zeroes, 32) == 0 && digest[32] == 7, "and the place is wiped, no further than it reaches");
}

/* Others in the thread use OpenSSL too, and look into the queue. */
static void
test_error_queue(void)
{
    unsigned char digest[SMTPC_DIGEST_SIZE_MAX];
    unsigned long theirs;
    int rows;

    ERR_clear_error();
    wrong_rows(&rows);
    ok(ERR_peek_error() == 0, "nothing of ours is in the error queue");
    EVP_PKEY_free(EVP_PKEY_new_mac_key(0, NULL, NULL, 0));
    theirs = ERR_peek_last_error();
    smtpc_digest_hash(SMTPC_DIGEST_SHA1, "abc", 3, digest);
    smtpc_digest_pbkdf2(SMTPC_DIGEST_SHA1, "abc", 3, "s", 1, 0, digest);
    ok(theirs != 0 && ERR_peek_last_error() == theirs, "what was there before is there still");
    ERR_clear_error();
}

static void
random_child(int fd)
{
    unsigned char octets[32];
    int result = smtpc_digest_random(octets, sizeof octets);

    if (write(fd, octets, sizeof octets) != (ssize_t)sizeof octets)
        result = -1;
    _exit(result != 0);
}

/* Two processes that come from one must not give the same octets. */
static void
test_random(void)
{
    unsigned char one[32] = {0}, two[32] = {0}, child[32] = {0};
    int ends[2], status = -1;
    pid_t pid;

    ok(smtpc_digest_random(one, 0) == 0, "no octets");
    ok(smtpc_digest_random(one, sizeof one) == 0, "random octets");
    ok(pipe(ends) == 0, "a pipe");
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        random_child(ends[1]);
    smtpc_digest_random(two, sizeof two);
    ok(read(ends[0], child, sizeof child) == (ssize_t)sizeof child, "random octets of a child");
    waitpid(pid, &status, 0);
    ok(status == 0 && memcmp(one, two, sizeof one) != 0 && memcmp(two, child, sizeof two) != 0,
       "no two of them the same");
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    int rows, wrong;

    test_strict_configuration();
    test_threads();
    wrong = wrong_rows(&rows);
    ok(wrong == 0 && rows > 0, "%d rows of hmac-md5.tsv and digest.tsv", rows);
    test_edges();
    test_refusal();
    test_error_queue();
    test_random();
    return tap_done();
}
