/* Tests of how tls streams end: goodbyes, cuts, damage, signals, and what is left in OpenSSL's queue of errors. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>
#include <sys/wait.h>

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;

static void
test_goodbye(void)
{
    struct smtpc_error error = {0};
    struct pair pair;
    char got[16];

    scene_pair(&scene, &pair);
    smtpc_tls_close(pair.server);
    smtpc_tls_close(pair.server);
    hang_up(&pair.server_end);
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END, "close_notify is the end");
    ok(!smtpc_tls_was_truncated(pair.client), "a proper one");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END, "and stays it");
    smtpc_tls_close(pair.client);
    pair_close(&pair);
}

static void
test_truncation(void)
{
    struct smtpc_error error = {0};
    struct pair pair;
    char got[16];

    scene_pair(&scene, &pair);
    smtpc_tls_send(pair.server, "250 o", 5, &error);
    hang_up(&pair.server_end);
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == 5, "what came before the cut");
    ok(!smtpc_tls_was_truncated(pair.client), "no cut yet");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END, "an end without close_notify");
    ok(smtpc_tls_was_truncated(pair.client), "is known as a cut");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END, "and stays the end");
    ok(!smtpc_error_is_set(&error) && ERR_peek_error() == 0, "no error, and OpenSSL's queue is empty");
    ok(smtpc_tls_send(pair.client, "x", 1, &error) == -1, "nothing can be sent after it: %s", error.text);
    pair_close(&pair);
}

/* 421 and a hang-up meet the client's next command: the send fails, the words are still there. */
static void
test_last_words(void)
{
    struct smtpc_error error = {0};
    struct smtpc_error none = {0};
    struct pair pair;
    char got[16];

    scene_pair(&scene, &pair);
    smtpc_tls_send(pair.server, "421 bye\r\n", 9, &error);
    hang_up(&pair.server_end);
    ok(smtpc_tls_send(pair.client, "NOOP\r\n", 6, &error) == -1 && error.kind == SMTPC_ERROR_CLOSED
       && error.system_errno == EPIPE, "%s", error.text);
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &none) == 9, "the last words can be read after a failed send");
    is_octets(got, 9, "421 bye\r\n", 9, "all of them");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &none) == SMTPC_WIRE_END, "then comes the end");
    pair_close(&pair);
}

static void
test_damage(void)
{
    static const char junk[] = "\27\3\3\0\40abcdefghijklmnopqrstuvwxyz012345";
    struct smtpc_error error = {0};
    struct pair pair;
    char got[16];

    scene_pair(&scene, &pair);
    must(send(pair.server_end.fd, junk, sizeof junk - 1, 0) == (ssize_t)sizeof junk - 1, "send");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == -1 && error.kind == SMTPC_ERROR_TLS, "%s",
       error.text);
    ok(ERR_peek_error() == 0, "a damaged record leaves nothing in the queue");
    ok(smtpc_tls_send(pair.client, "x", 1, &error) == -1, "and ends the stream");
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == -1, "both ways");
    pair_close(&pair);
}

/* Another user of OpenSSL in the process left an error behind: it must not be taken for one of the stream. */
static void
leave_error(void)
{
    BIO *bio = BIO_new_mem_buf("junk", 4);

    ERR_clear_error();
    must(PEM_read_bio_X509(bio, NULL, NULL, NULL) == NULL && ERR_peek_error() != 0, "no error to leave");
    BIO_free(bio);
}

static void
test_queue(void)
{
    struct smtpc_error error = {0};
    struct pair pair;
    char got[16];

    leave_error();
    scene_pair(&scene, &pair);
    ok(ERR_peek_error() == 0, "a handshake empties the queue");
    leave_error();
    ok(smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_AGAIN, "AGAIN in spite of an old error");
    ok(ERR_peek_error() == 0, "which is gone then");
    leave_error();
    ok(smtpc_tls_send(pair.client, "x", 1, &error) == 1 && ERR_peek_error() == 0, "a send empties it");
    leave_error();
    ok(smtpc_tls_receive(pair.server, got, 1, &error) == 1 && ERR_peek_error() == 0, "a receive empties it");
    leave_error();
    smtpc_tls_close(pair.client);
    ok(ERR_peek_error() == 0, "a close empties it");
    pair_close(&pair);
}

/* With SIGPIPE's default action: a send, a receive (where OpenSSL sends alerts), a close, a handshake. */
static int
survive(void)
{
    struct smtpc_error error = {0};
    struct smtpc_error second = {0};
    struct pair pair;
    char got[16];
    int good;

    signal(SIGPIPE, SIG_DFL);
    scene_pair(&scene, &pair);
    hang_up(&pair.server_end);
    good = smtpc_tls_send(pair.client, "x", 1, &error) == -1;
    good &= smtpc_tls_receive(pair.client, got, sizeof got, &error) == SMTPC_WIRE_END;
    smtpc_tls_close(pair.client);
    pair_close(&pair);
    scene_pair(&scene, &pair);
    hang_up(&pair.server_end);
    smtpc_tls_close(pair.client);
    pair_close(&pair);
    pair_sockets(&pair);
    hang_up(&pair.server_end);
    pair.client = smtpc_tls_client(scene.client, smtpc_wire_of_socket(&pair.client_end), "localhost", NULL,
                                   &second);
    good &= smtpc_tls_handshake(pair.client, &second) == -1 && second.kind == SMTPC_ERROR_CLOSED;
    pair_close(&pair);
    return good;
}

static void
test_no_sigpipe(void)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(survive() ? 0 : 1);
    waitpid(child, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a peer that is gone raises no SIGPIPE (status %#x)",
       (unsigned)status);
}

int
main(void)
{
    scene_open(&scene);
    test_goodbye();
    test_truncation();
    test_last_words();
    test_damage();
    test_queue();
    test_no_sigpipe();
    scene_close(&scene);
    return tap_done();
}
