/* dial_memory: which of a name's addresses answered last: a few names, for as long as the process lives. */
#include "net/dial_memory.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

enum { KEPT_MAX = 16, NAME_SIZE = 272 };   /* a host name, a colon, the name of a service */

struct kept {
    char name[NAME_SIZE];                  /* "": free */
    struct sockaddr_storage place;
    socklen_t room;
    unsigned long used;                    /* the larger, the later */
};

/* All under the lock, which is only tried: in a child of fork(2) it may be held by a thread that is not there. Then
 * nothing is remembered, and nothing waits. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept table[KEPT_MAX];
static unsigned long uses;

static struct kept *
find(const char *name)
{
    size_t i;

    for (i = 0; i < KEPT_MAX; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* A free one has never been used. */
static struct kept *
oldest(void)
{
    struct kept *found = table;
    size_t i;

    for (i = 1; i < KEPT_MAX; i++)
        if (table[i].used < found->used)
            found = &table[i];
    return found;
}

static int
is_place_of(const struct kept *kept, const struct addrinfo *address)
{
    return kept->room == address->ai_addrlen && memcmp(&kept->place, address->ai_addr, kept->room) == 0;
}

static int
is_fit(const char *name)
{
    return name[0] != '\0' && strlen(name) < NAME_SIZE;
}

const struct addrinfo *
smtpc_dial_memory_find(const char *name, const struct addrinfo *list)
{
    struct kept *kept;

    if (!is_fit(name) || pthread_mutex_trylock(&lock) != 0)
        return NULL;
    kept = find(name);
    while (kept != NULL && list != NULL && !is_place_of(kept, list))
        list = list->ai_next;
    if (kept != NULL)
        kept->used = ++uses;
    pthread_mutex_unlock(&lock);
    return kept == NULL ? NULL : list;
}

void
smtpc_dial_memory_keep(const char *name, const struct addrinfo *address)
{
    struct kept *kept;

    if (!is_fit(name) || address->ai_addrlen > sizeof kept->place || pthread_mutex_trylock(&lock) != 0)
        return;
    kept = find(name);
    if (kept == NULL)
        kept = oldest();
    strcpy(kept->name, name);
    memcpy(&kept->place, address->ai_addr, address->ai_addrlen);
    kept->room = address->ai_addrlen;
    kept->used = ++uses;
    pthread_mutex_unlock(&lock);
}

void
smtpc_dial_memory_forget(const char *name, const struct addrinfo *address)
{
    struct kept *kept;

    if (!is_fit(name) || pthread_mutex_trylock(&lock) != 0)
        return;
    kept = find(name);
    if (kept != NULL && is_place_of(kept, address))
        memset(kept, 0, sizeof *kept);
    pthread_mutex_unlock(&lock);
}
