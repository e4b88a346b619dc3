/* lookup: one call of getaddrinfo, at once for literals or in a thread of its own; resolve's inner part. */
#include "net/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_SIZE = 512 * 1024 };   /* the modules of nsswitch.conf run on it */

struct smtpc_lookup *
smtpc_lookup_new(const char *host, const char *service, int family, smtpc_resolve_function *function)
{
    size_t host_room = strlen(host) + 1;
    size_t service_room = strlen(service) + 1;
    struct smtpc_lookup *lookup = calloc(1, sizeof *lookup + host_room + service_room);

    if (lookup == NULL)
        return NULL;
    memcpy(lookup->host, host, host_room);
    memcpy(lookup->host + host_room, service, service_room);
    lookup->service = lookup->host + host_room;
    lookup->references = 1;
    lookup->write_fd = -1;
    lookup->function = function;
    lookup->hints.ai_family = family;
    lookup->hints.ai_socktype = SOCK_STREAM;
    return lookup;
}

int
smtpc_lookup_literal(struct smtpc_lookup *lookup)
{
    lookup->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    lookup->result = getaddrinfo(lookup->host, lookup->service, &lookup->hints, &lookup->list);
    lookup->is_done = lookup->result == 0;
    return lookup->is_done;
}

/* The octet besides the close: the child of a fork may hold the other copy of write_fd open. */
static void *
run(void *argument)
{
    struct smtpc_lookup *lookup = argument;
    int write_fd = lookup->write_fd;
    ssize_t written;

    lookup->result = lookup->function(lookup->host, lookup->service, &lookup->hints, &lookup->list);
    lookup->system_errno = errno;
    __atomic_store_n(&lookup->is_done, 1, __ATOMIC_RELEASE);
    smtpc_lookup_let_go(lookup);
    written = write(write_fd, "", 1);   /* EPIPE when the caller gave up; SIGPIPE is blocked here */
    (void)written;
    close(write_fd);
    return NULL;
}

static int
create_detached(struct smtpc_lookup *lookup)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int why = pthread_attr_init(&attributes);

    if (why != 0)
        return why;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    why = pthread_create(&thread, &attributes, run, lookup);
    pthread_attr_destroy(&attributes);
    return why;
}

/* AI_ADDRCONFIG only where both families are asked for: with one it hides the loopback of a machine without network.
 * The thread inherits the signal mask: with all blocked no handler of the program runs there. */
int
smtpc_lookup_start(struct smtpc_lookup *lookup, int write_fd)
{
    sigset_t all;
    sigset_t before;
    int why;

    lookup->hints.ai_flags = lookup->hints.ai_family == AF_UNSPEC ? AI_ADDRCONFIG : 0;
    lookup->write_fd = write_fd;
    lookup->references++;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    why = create_detached(lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (why != 0)
        lookup->references--;
    return why;
}

int
smtpc_lookup_is_done(const struct smtpc_lookup *lookup)
{
    return __atomic_load_n(&lookup->is_done, __ATOMIC_ACQUIRE);
}

void
smtpc_lookup_let_go(struct smtpc_lookup *lookup)
{
    if (__atomic_sub_fetch(&lookup->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (lookup->list != NULL)
        freeaddrinfo(lookup->list);
    free(lookup);
}
