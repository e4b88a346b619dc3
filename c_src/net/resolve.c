/* resolve: names to addresses without blocking the caller: getaddrinfo in a helper thread, every signal blocked. */
#include "net/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/lookup.h"
#include "net/wire.h"

enum { HIGHEST_PORT = 65535 };

struct smtpc_resolve {
    struct smtpc_lookup *lookup;
    int fd;                      /* -1: no thread */
    struct addrinfo *ordered;    /* an array, linked; what its elements point to belongs to the lookup's list */
};

static smtpc_resolve_function *function = getaddrinfo;

void
smtpc_resolve_replace(smtpc_resolve_function *replacement)
{
    function = replacement != NULL ? replacement : getaddrinfo;
}

/* getaddrinfo would take 65536 for 0. What is no number is left to it. */
static int
is_bad_port(const char *service)
{
    if (service[strspn(service, "0123456789")] != '\0')
        return 0;
    return service[0] == '\0' || strlen(service) > 5 || strtol(service, NULL, 10) > HIGHEST_PORT;
}

static int
check(const char *host, const char *service, struct smtpc_error *error)
{
    if (host[0] == '\0')
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "the host name is empty");
    if (is_bad_port(service))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "port \"%.40s\" is no number from 0 to 65535", service);
    return 0;
}

/* 0, or errno; both ends close-on-exec and above 2. */
static int
open_pipe(int ends[2])
{
    int i;
    int why;

    if (pipe(ends) != 0)
        return errno;
    for (i = 0; i < 2; i++) {
        ends[i] = smtpc_wire_prepare(ends[i]);
        if (ends[i] < 0) {
            why = errno;
            close(ends[1 - i]);
            return why;
        }
    }
    return 0;
}

static int
look_up_aside(struct smtpc_resolve *resolve)
{
    int ends[2];
    int why = open_pipe(ends);

    if (why != 0)
        return why;
    resolve->fd = ends[0];
    why = smtpc_lookup_start(resolve->lookup, ends[1]);
    if (why != 0)
        close(ends[1]);
    return why;
}

static int
begin(struct smtpc_resolve *resolve, const char *host, const char *service, int family)
{
    resolve->fd = -1;
    resolve->lookup = smtpc_lookup_new(host, service, family, function);
    if (resolve->lookup == NULL)
        return ENOMEM;
    return smtpc_lookup_literal(resolve->lookup) ? 0 : look_up_aside(resolve);
}

struct smtpc_resolve *
smtpc_resolve_start(const char *host, const char *service, int family, struct smtpc_error *error)
{
    struct smtpc_resolve *resolve;
    int why;

    if (check(host, service, error) != 0)
        return NULL;
    resolve = calloc(1, sizeof *resolve);
    why = resolve == NULL ? ENOMEM : begin(resolve, host, service, family);
    if (why == 0)
        return resolve;
    smtpc_error_set_system(error, SMTPC_ERROR_SYSTEM, why, "looking up %.200s", host);
    smtpc_resolve_free(resolve);
    return NULL;
}

int
smtpc_resolve_fd(const struct smtpc_resolve *resolve)
{
    return resolve->fd;
}

static size_t
count_of(const struct addrinfo *list)
{
    size_t n = 0;

    for (; list != NULL; list = list->ai_next)
        n++;
    return n;
}

/* The first of list that is (or, with is_wanted 0, is not) of the family. */
static const struct addrinfo *
find(const struct addrinfo *list, int family, int is_wanted)
{
    while (list != NULL && (list->ai_family == family) != is_wanted)
        list = list->ai_next;
    return list;
}

/* Takes in turn from the first choice's family and from the others, then what is left of either. A copy, because
 * freeaddrinfo is only promised to take lists that are linked as getaddrinfo linked them. */
static int
interleave(struct smtpc_resolve *resolve)
{
    const struct addrinfo *list = resolve->lookup->list;
    const struct addrinfo *heads[2] = {list, find(list, list->ai_family, 0)};
    size_t n = count_of(list);
    size_t i;
    int side = 0;

    resolve->ordered = calloc(n, sizeof *resolve->ordered);
    if (resolve->ordered == NULL)
        return -1;
    for (i = 0; i < n; i++) {
        if (heads[side] == NULL)
            side = !side;
        resolve->ordered[i] = *heads[side];
        resolve->ordered[i].ai_next = i + 1 < n ? &resolve->ordered[i + 1] : NULL;
        heads[side] = find(heads[side]->ai_next, list->ai_family, side == 0);
        side = !side;
    }
    return 0;
}

static enum smtpc_resolve_status
fail(const struct smtpc_lookup *lookup, struct smtpc_error *error)
{
    int result = lookup->result != 0 ? lookup->result : EAI_NONAME;

    if (smtpc_error_is_set(error))
        return SMTPC_RESOLVE_FAILED;
    if (result == EAI_SYSTEM)
        smtpc_error_set_system(error, SMTPC_ERROR_CONNECT, lookup->system_errno, "%.200s", lookup->host);
    else
        smtpc_error_set(error, SMTPC_ERROR_CONNECT, "%.200s: %.200s", lookup->host, gai_strerror(result));
    error->temporary = result == EAI_AGAIN || result == EAI_SYSTEM || result == EAI_MEMORY;
    return SMTPC_RESOLVE_FAILED;
}

enum smtpc_resolve_status
smtpc_resolve_step(struct smtpc_resolve *resolve, struct smtpc_error *error)
{
    if (!smtpc_lookup_is_done(resolve->lookup))
        return SMTPC_RESOLVE_WAIT;
    if (resolve->lookup->result != 0 || resolve->lookup->list == NULL)
        return fail(resolve->lookup, error);
    if (resolve->ordered == NULL && interleave(resolve) != 0) {
        smtpc_error_set_memory(error);
        return SMTPC_RESOLVE_FAILED;
    }
    return SMTPC_RESOLVE_DONE;
}

const struct addrinfo *
smtpc_resolve_addresses(const struct smtpc_resolve *resolve)
{
    return resolve->ordered;
}

void
smtpc_resolve_free(struct smtpc_resolve *resolve)
{
    if (resolve == NULL)
        return;
    if (resolve->fd >= 0)
        close(resolve->fd);
    free(resolve->ordered);
    if (resolve->lookup != NULL)
        smtpc_lookup_let_go(resolve->lookup);
    free(resolve);
}
