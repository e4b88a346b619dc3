/* Tests of a context's TLS sessions when threads share it, and when its process forks. */
#include "net/tls.h"

#include <pthread.h>
#include <sys/wait.h>

#include "tls_resumed.h"

static struct scene scene;

static struct smtpc_tls_context *
new_client(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    return client_of(&options);
}

enum { THREADS = 3, ROUNDS = 8 };

static void *
connect_often(void *client)
{
    static char failed;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        struct pair pair;

        pair_open_as(&pair, client, scene.server, "localhost", PEER);
        if (pair.client_result != 1)
            return &failed;
        greet(&pair);
        pair_close(&pair);
    }
    return NULL;
}

static void
test_threads(void)
{
    struct smtpc_tls_context *client = new_client();
    pthread_t threads[THREADS];
    void *failed[THREADS];
    int i;

    for (i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, connect_often, client) == 0, "no thread");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], &failed[i]);
    ok(failed[0] == NULL && failed[1] == NULL && failed[2] == NULL, "threads share a context");
    ok(is_resumed(client, scene.server) == 1, "and its sessions");
    smtpc_tls_context_free(client);
}

/* Each thread has a context of its own, and all the same file. */
static void
test_threads_with_file(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *clients[THREADS];
    pthread_t threads[THREADS];
    void *failed[THREADS];
    int i;

    options.ca_file = path_of("ca.pem");
    options.session_file = path_of("sessions");
    for (i = 0; i < THREADS; i++)
        clients[i] = client_of(&options);
    for (i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, connect_often, clients[i]) == 0, "no thread");
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], &failed[i]);
    ok(failed[0] == NULL && failed[1] == NULL && failed[2] == NULL, "threads share a file");
    is_resumed(clients[0], scene.server);
    ok(is_resumed(clients[1], scene.server) == 1, "what one leaves there another resumes");
    for (i = 0; i < THREADS; i++)
        smtpc_tls_context_free(clients[i]);
    remove_file("sessions");
}

static int
status_of_child(struct smtpc_tls_context *client)
{
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(is_resumed(client, scene.server) == 0 && is_resumed(client, scene.server) == 1 ? 0 : 1);
    waitpid(child, &status, 0);
    return status;
}

static void
test_fork(void)
{
    struct smtpc_tls_context *client = new_client();

    is_resumed(client, scene.server);
    ok(status_of_child(client) == 0, "a child begins anew, with sessions of its own");
    ok(is_resumed(client, scene.server) == 1, "the parent keeps its own");
    client->sessions->holder = getpid();
    ok(status_of_child(client) == 0, "also when a thread of the parent was at work in them");
    client->sessions->holder = 0;
    smtpc_tls_context_free(client);
}

int
main(void)
{
    scene_open(&scene);
    test_threads();
    test_threads_with_file();
    test_fork();
    scene_close(&scene);
    return tap_done();
}
