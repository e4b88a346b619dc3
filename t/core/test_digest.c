/* test_digest: every row of hmac-md5.tsv, in threads, and under a configuration that takes MD5 away. */
#include "tap.h"
#include "vectors.h"

#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include "codec/digest.h"

/* Rows whose digest is wrong, and how many rows there are. */
static int
wrong_rows(int *rows)
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
    int rows, wrong;

    setenv("OPENSSL_CONF", path, 1);
    if (!md5_is_gone())
        _exit(2);
    wrong = wrong_rows(&rows);
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
       "MD5 where openssl.cnf has only the base provider and fips=yes (%d)", status);
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

    ok(smtpc_digest_size(SMTPC_DIGEST_MD5) == 16, "MD5 gives 16 octets");
    ok(smtpc_digest_hmac(SMTPC_DIGEST_MD5, NULL, 0, NULL, 0, digest) == 0, "no key and no data, as null pointers");
    smtpc_digest_hex(digest, 16, hex);
    is_string(hex, "74e6f7298a9c2d168935f58c001bad88", "are empty strings");
    smtpc_digest_hex(digest, 0, hex);
    is_string(hex, "", "no octets, no digits");
}

int
main(void)
{
    int rows, wrong;

    test_strict_configuration();
    test_threads();
    wrong = wrong_rows(&rows);
    ok(wrong == 0 && rows >= 22, "%d rows of hmac-md5.tsv", rows);
    test_edges();
    return tap_done();
}
