/* test_dial_memory: the address that answered last is tried first, and forgotten when it does not. */
#include "net/dial_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

#include "dial_peers.h"
#include "tap.h"

/* Dials, and gives the number of the address that took the call, -1 for none. */
static int
dial_to(const char *name, const int *listeners, int count)
{
    struct smtpc_error error = {0};
    struct smtpc_dial *dial = smtpc_dial_start(nodes, NULL, &error);
    struct pollfd polled = {-1, POLLIN, 0};
    int fd, i;

    smtpc_dial_remember(dial, name);
    if (drive(dial, 5000, &error) != SMTPC_DIAL_DONE) {
        smtpc_dial_free(dial);
        return -1;
    }
    fd = smtpc_dial_take(dial);
    smtpc_dial_free(dial);
    for (i = 0; i < count; i++) {
        polled.fd = listeners[i];
        if (poll(&polled, 1, 0) == 1) {
            close(accept(listeners[i], NULL, NULL));
            break;
        }
    }
    close(fd);
    return i < count ? i : -1;
}

static void
test_remembered(void)
{
    int peers[3] = {bound(AF_INET), listening(AF_INET), listening(AF_INET)};
    int i;

    used = 0;
    for (i = 0; i < 3; i++)
        add(AF_INET, peers[i]);
    ok(smtpc_dial_memory_find("mail.example:25", nodes) == NULL, "nothing is known at first");
    ok(dial_to("mail.example:25", peers + 1, 2) == 0, "the first address is closed, the second answers");
    ok(smtpc_dial_memory_find("mail.example:25", nodes) == &nodes[1], "it is kept");
    ok(smtpc_dial_memory_find("mail.example:587", nodes) == NULL, "under this name only");
    ok(smtpc_dial_memory_find("mail.example:25", &nodes[2]) == NULL, "and only while it is an address of the name");
    listen(peers[0], 5);
    ok(dial_to("mail.example:25", peers, 3) == 1, "the first answers by now, but the second is asked before it");
    ok(dial_to("another.example:25", peers, 3) == 0, "for another name it is not");
    close(peers[1]);
    ok(dial_to("mail.example:25", peers, 3) == 0, "when it does not answer, the first is next");
    ok(smtpc_dial_memory_find("mail.example:25", nodes) == &nodes[0], "and kept instead");
    close(peers[0]);
    close(peers[2]);
    ok(dial_to("mail.example:25", peers, 0) == -1, "nobody answers");
    ok(smtpc_dial_memory_find("mail.example:25", nodes) == NULL, "so nothing is kept");
}

static void
test_given_up(void)
{
    struct smtpc_error error = {0};
    int peers[2] = {bound(AF_INET), listening(AF_INET)};
    struct smtpc_dial *dial;

    used = 0;
    add(AF_INET, peers[0]);
    add(AF_INET, peers[1]);
    smtpc_dial_memory_keep("slow.example:25", &nodes[1]);
    dial = smtpc_dial_start(nodes, NULL, &error);
    smtpc_dial_remember(dial, "slow.example:25");
    smtpc_dial_free(dial);
    ok(smtpc_dial_memory_find("slow.example:25", nodes) == &nodes[1], "an attempt that never began says nothing");
    used = 0;
    add(AF_INET, peers[1]);
    dial = smtpc_dial_start(nodes, NULL, &error);
    smtpc_dial_remember(dial, "single.example:25");
    drive(dial, 5000, &error);
    smtpc_dial_free(dial);
    ok(smtpc_dial_memory_find("single.example:25", nodes) == NULL, "a single address takes no place");
    close(peers[0]);
    close(peers[1]);
}

static void
test_bounds(void)
{
    int peer = bound(AF_INET);
    char name[400];
    int i;

    used = 0;
    add(AF_INET, peer);
    smtpc_dial_memory_keep("first.example:25", nodes);
    smtpc_dial_memory_keep("second.example:25", nodes);
    for (i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "host%d.example:25", i);
        smtpc_dial_memory_keep(name, nodes);
    }
    ok(smtpc_dial_memory_find("first.example:25", nodes) == nodes, "sixteen names have room");
    smtpc_dial_memory_keep("one-more.example:25", nodes);
    ok(smtpc_dial_memory_find("first.example:25", nodes) == nodes, "one more drives out not the one just used");
    ok(smtpc_dial_memory_find("second.example:25", nodes) == NULL, "but the one that was used longest ago");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    smtpc_dial_memory_keep(name, nodes);
    ok(smtpc_dial_memory_find(name, nodes) == NULL, "a name that is too long is not kept");
    smtpc_dial_memory_keep("", nodes);
    ok(smtpc_dial_memory_find("", nodes) == NULL, "nor is an empty one");
    close(peer);
}

static void *
use_it(void *argument)
{
    int i;

    for (i = 0; i < 20000; i++) {
        smtpc_dial_memory_keep(argument, nodes);
        smtpc_dial_memory_find(argument, nodes);
        smtpc_dial_memory_forget(argument, nodes);
    }
    return NULL;
}

/* A child that is forked while another thread holds the lock remembers nothing, but does not hang either. */
static void
test_threads_and_forks(void)
{
    int peer = bound(AF_INET);
    pthread_t threads[2];
    int hung = 0;
    int i, status;

    used = 0;
    add(AF_INET, peer);
    pthread_create(&threads[0], NULL, use_it, (char[]){"a.example:25"});
    pthread_create(&threads[1], NULL, use_it, (char[]){"b.example:25"});
    for (i = 0; i < 20; i++) {
        pid_t child = fork();

        if (child == 0) {
            alarm(10);
            smtpc_dial_memory_keep("c.example:25", nodes);
            smtpc_dial_memory_find("c.example:25", nodes);
            _exit(0);
        }
        hung += child < 0 || waitpid(child, &status, 0) != child || status != 0;
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    ok(hung == 0, "children of fork(2) do not wait");
    close(peer);
}

int
main(void)
{
    test_remembered();
    test_given_up();
    test_bounds();
    test_threads_and_forks();
    return tap_done();
}
