/* Tests of resolve: literals at once, names in a thread, the order of addresses, errors, and giving up early. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

static int may_answer;           /* atomic, as the next two: the helper threads look at it */
static int calls_ended;
static int signals_were_blocked;

static void
nap(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Waits as a driver would; 5 seconds at most. */
static enum smtpc_resolve_status
finish(struct smtpc_resolve *resolve, struct smtpc_error *error)
{
    struct pollfd polled = {smtpc_resolve_fd(resolve), POLLIN, 0};
    enum smtpc_resolve_status status = smtpc_resolve_step(resolve, error);

    if (status == SMTPC_RESOLVE_WAIT && poll(&polled, 1, 5000) == 1)
        status = smtpc_resolve_step(resolve, error);
    return status;
}

/* "127.0.0.1:25 ::1:25" */
static const char *
listed(const struct addrinfo *list)
{
    static char text[1000];
    char host[64];
    char port[16];
    size_t used = 0;

    text[0] = '\0';
    for (; list != NULL && used < sizeof text; list = list->ai_next) {
        getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%s", used > 0 ? " " : "", host, port);
    }
    return text;
}

/* A list as getaddrinfo makes them, of space-separated literals. */
static int
list_of(const char *literals, const char *service, struct addrinfo **list)
{
    struct addrinfo hints = {0};
    struct addrinfo **end = list;
    char text[200];
    char *rest = NULL;
    char *one;

    snprintf(text, sizeof text, "%s", literals);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    for (one = strtok_r(text, " ", &rest); one != NULL; one = strtok_r(NULL, " ", &rest)) {
        if (getaddrinfo(one, service, &hints, end) != 0)
            return EAI_NONAME;
        end = &(*end)->ai_next;
    }
    return 0;
}

static const char *answer;

static int
fake_answer(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    sigset_t mask;

    (void)host;
    (void)hints;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    __atomic_store_n(&signals_were_blocked, sigismember(&mask, SIGALRM) && sigismember(&mask, SIGINT)
                     && sigismember(&mask, SIGPIPE) && sigismember(&mask, SIGCHLD), __ATOMIC_SEQ_CST);
    return list_of(answer, service, list);
}

static int
slow_answer(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    int result;

    (void)host;
    (void)hints;
    while (!__atomic_load_n(&may_answer, __ATOMIC_SEQ_CST))
        nap(5);
    result = list_of("192.0.2.1 2001:db8::1", service, list);
    __atomic_add_fetch(&calls_ended, 1, __ATOMIC_SEQ_CST);
    return result;
}

static int
try_again(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    (void)host;
    (void)service;
    (void)hints;
    (void)list;
    return EAI_AGAIN;
}

static int
system_trouble(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    (void)host;
    (void)service;
    (void)hints;
    (void)list;
    errno = EMFILE;
    return EAI_SYSTEM;
}

static void
test_literals(void)
{
    static const struct { const char *host; int family; const char *expected; } rows[] = {
        {"127.0.0.1", AF_UNSPEC, "127.0.0.1:2525"},
        {"127.0.0.1", AF_INET, "127.0.0.1:2525"},
        {"2001:db8::25", AF_UNSPEC, "2001:db8::25:2525"},
        {"::1", AF_INET6, "::1:2525"},
    };
    struct smtpc_error error = {0};
    size_t i;

    smtpc_resolve_replace(try_again);   /* no literal may come as far as a thread */
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct smtpc_resolve *resolve = smtpc_resolve_start(rows[i].host, "2525", rows[i].family, &error);

        ok(resolve != NULL && smtpc_resolve_fd(resolve) == -1, "%s needs no thread", rows[i].host);
        ok(smtpc_resolve_step(resolve, &error) == SMTPC_RESOLVE_DONE, "and is done at once");
        is_string(listed(smtpc_resolve_addresses(resolve)), rows[i].expected, "with its address");
        ok(smtpc_resolve_addresses(resolve)->ai_socktype == SOCK_STREAM, "for a stream");
        smtpc_resolve_free(resolve);
    }
    smtpc_resolve_replace(NULL);
}

static void
test_real_name(void)
{
    struct smtpc_error error = {0};
    struct smtpc_resolve *resolve = smtpc_resolve_start("localhost", "2525", AF_UNSPEC, &error);

    ok(smtpc_resolve_fd(resolve) > 2, "a name is looked up aside, the descriptor is above 2");
    ok((fcntl(smtpc_resolve_fd(resolve), F_GETFD) & FD_CLOEXEC) != 0, "and closes on exec");
    ok(finish(resolve, &error) == SMTPC_RESOLVE_DONE, "localhost is found");
    ok(strstr(listed(smtpc_resolve_addresses(resolve)), "1:2525") != NULL, "on the loopback");
    smtpc_resolve_free(resolve);
}

static void
test_order(void)
{
    static const struct { const char *answer; const char *expected; } rows[] = {
        {"2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "2001:db8::1:25 192.0.2.1:25 2001:db8::2:25 192.0.2.2:25"},
        {"192.0.2.1 2001:db8::1 2001:db8::2", "192.0.2.1:25 2001:db8::1:25 2001:db8::2:25"},
        {"192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1",
         "192.0.2.1:25 2001:db8::1:25 192.0.2.2:25 192.0.2.3:25"},
        {"192.0.2.1 192.0.2.2", "192.0.2.1:25 192.0.2.2:25"},
        {"2001:db8::1", "2001:db8::1:25"},
    };
    struct smtpc_error error = {0};
    size_t i;

    smtpc_resolve_replace(fake_answer);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct smtpc_resolve *resolve;

        answer = rows[i].answer;
        resolve = smtpc_resolve_start("mail.example.com", "25", AF_UNSPEC, &error);
        ok(finish(resolve, &error) == SMTPC_RESOLVE_DONE, "%s", answer);
        is_string(listed(smtpc_resolve_addresses(resolve)), rows[i].expected, "families in turn");
        smtpc_resolve_step(resolve, &error);
        is_string(listed(smtpc_resolve_addresses(resolve)), rows[i].expected, "a second step changes nothing");
        smtpc_resolve_free(resolve);
    }
    ok(__atomic_load_n(&signals_were_blocked, __ATOMIC_SEQ_CST), "the thread takes no signals");
    smtpc_resolve_replace(NULL);
}

static void
check_failure(smtpc_resolve_function *function, const char *host, const char *text, int temporary)
{
    struct smtpc_error error = {0};
    struct smtpc_resolve *resolve;

    smtpc_resolve_replace(function);
    resolve = smtpc_resolve_start(host, "25", AF_UNSPEC, &error);
    ok(finish(resolve, &error) == SMTPC_RESOLVE_FAILED, "%s fails", host);
    ok(error.kind == SMTPC_ERROR_CONNECT && error.temporary == temporary, "temporary: %d", temporary);
    is_string(error.text, text, "with host and reason");
    smtpc_resolve_free(resolve);
    smtpc_resolve_replace(NULL);
}

static void
test_failures(void)
{
    char expected[200];

    answer = "no-literal";   /* fake_answer then says EAI_NONAME */
    snprintf(expected, sizeof expected, "nowhere.example: %s", gai_strerror(EAI_NONAME));
    check_failure(fake_answer, "nowhere.example", expected, 0);
    snprintf(expected, sizeof expected, "later.example: %s", gai_strerror(EAI_AGAIN));
    check_failure(try_again, "later.example", expected, 1);
    snprintf(expected, sizeof expected, "broken.example: %s", strerror(EMFILE));
    check_failure(system_trouble, "broken.example", expected, 1);
    answer = "";             /* success without an address */
    snprintf(expected, sizeof expected, "empty.example: %s", gai_strerror(EAI_NONAME));
    check_failure(fake_answer, "empty.example", expected, 0);
}

static void
test_arguments(void)
{
    static const char *const ports[] = {"65536", "70000", "99999999999999999999", ""};
    struct smtpc_error error = {0};
    size_t i;

    ok(smtpc_resolve_start("", "25", AF_UNSPEC, &error) == NULL, "an empty name is refused");
    ok(error.kind == SMTPC_ERROR_USAGE, "as the caller's mistake");
    for (i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        smtpc_error_clear(&error);
        ok(smtpc_resolve_start("127.0.0.1", ports[i], AF_UNSPEC, &error) == NULL, "so is port \"%s\"", ports[i]);
        ok(error.kind == SMTPC_ERROR_USAGE && strstr(error.text, ports[i]) != NULL, "%s", error.text);
    }
    smtpc_resolve_free(NULL);
}

/* No descriptor may be left, and nothing that valgrind or a sanitizer would find. */
static void
test_given_up(void)
{
    enum { MANY = 8 };
    struct smtpc_error error = {0};
    int64_t end = smtpc_clock_after(5000);
    int lowest = dup(0);
    int after;
    int i;

    close(lowest);
    __atomic_store_n(&may_answer, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&calls_ended, 0, __ATOMIC_SEQ_CST);
    smtpc_resolve_replace(slow_answer);
    for (i = 0; i < MANY; i++) {
        struct smtpc_resolve *resolve = smtpc_resolve_start("slow.example", "25", AF_UNSPEC, &error);

        if (smtpc_resolve_step(resolve, &error) != SMTPC_RESOLVE_WAIT)
            ok(0, "a slow lookup is waited for");
        smtpc_resolve_free(resolve);
    }
    ok(__atomic_load_n(&calls_ended, __ATOMIC_SEQ_CST) == 0, "giving up slow lookups does not wait for them");
    __atomic_store_n(&may_answer, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&calls_ended, __ATOMIC_SEQ_CST) < MANY && !smtpc_clock_is_past(end))
        nap(5);
    nap(50);   /* the threads' last lines, after the call */
    after = dup(0);
    ok(after == lowest, "abandoned lookups leave no descriptor open");
    close(after);
    smtpc_resolve_replace(NULL);
}

static void
test_slow(void)
{
    struct smtpc_error error = {0};
    struct smtpc_resolve *resolve;

    smtpc_resolve_replace(slow_answer);
    resolve = smtpc_resolve_start("slow.example", "25", AF_UNSPEC, &error);
    ok(smtpc_resolve_step(resolve, &error) == SMTPC_RESOLVE_WAIT, "a slow lookup is WAIT");
    __atomic_store_n(&may_answer, 1, __ATOMIC_SEQ_CST);
    ok(finish(resolve, &error) == SMTPC_RESOLVE_DONE, "its descriptor tells when it is there");
    smtpc_resolve_free(resolve);
    smtpc_resolve_replace(NULL);
}

static void
test_low_descriptors(void)
{
    struct smtpc_error error = {0};
    struct smtpc_resolve *resolve;
    int kept = dup(0);

    answer = "192.0.2.1";
    smtpc_resolve_replace(fake_answer);
    close(0);
    resolve = smtpc_resolve_start("mail.example.com", "25", AF_UNSPEC, &error);
    ok(smtpc_resolve_fd(resolve) > 2, "with descriptor 0 free the pipe is still above 2");
    ok(fcntl(0, F_GETFD) < 0, "and 0 stays free");
    ok(finish(resolve, &error) == SMTPC_RESOLVE_DONE, "and it works");
    smtpc_resolve_free(resolve);
    dup2(kept, 0);
    close(kept);
    smtpc_resolve_replace(NULL);
}

int
main(void)
{
    test_literals();
    test_real_name();
    test_order();
    test_failures();
    test_arguments();
    test_slow();
    test_given_up();
    test_low_descriptors();
    return tap_done();
}
