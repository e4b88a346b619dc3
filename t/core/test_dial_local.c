/* Tests of dial: local addresses, unix sockets, and no address at all. */
#include "net/dial.h"

#include <errno.h>
#include <sys/un.h>

#include "dial_peers.h"
#include "tap.h"

static void
test_local(void)
{
    struct smtpc_error error = {0};
    struct sockaddr_in here = {0};
    struct addrinfo local = {0};
    int listener = listening(AF_INET);
    struct smtpc_dial *dial;
    socklen_t room = sizeof here;
    int fd;

    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);   /* 127.0.0.2 */
    local.ai_family = AF_INET;
    local.ai_addr = (struct sockaddr *)&here;
    local.ai_addrlen = sizeof here;
    used = 0;
    dial = smtpc_dial_start(add(AF_INET, listener), &local, &error);
    if (drive(dial, 5000, &error) == SMTPC_DIAL_DONE) {
        fd = smtpc_dial_take(dial);
        memset(&here, 0, sizeof here);
        getsockname(fd, (struct sockaddr *)&here, &room);
        ok(here.sin_addr.s_addr == htonl(INADDR_LOOPBACK + 1), "the local address is bound");
        close(fd);
    } else
        ok(strstr(error.text, "bind the local address for 127.0.0.1 port") != NULL, "%s", error.text);
    smtpc_dial_free(dial);
    close(listener);
}

static void
test_bad_local(void)
{
    struct smtpc_error error = {0};
    struct sockaddr_in there = {0};
    struct addrinfo local = {0};
    int listener = listening(AF_INET);
    struct smtpc_dial *dial;

    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(0xc0000201);   /* 192.0.2.1, nobody's */
    local.ai_family = AF_INET;
    local.ai_addr = (struct sockaddr *)&there;
    local.ai_addrlen = sizeof there;
    used = 0;
    dial = smtpc_dial_start(add(AF_INET, listener), &local, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_FAILED && error.system_errno == EADDRNOTAVAIL
       && strncmp(error.text, "bind the local address for 127.0.0.1 port ", 42) == 0, "%s", error.text);
    smtpc_dial_free(dial);
    close(listener);
}

static void
test_unix(void)
{
    char folder[] = "/tmp/smtpc_dial_XXXXXX";
    struct smtpc_error error = {0};
    struct sockaddr_un where = {0};
    struct smtpc_dial *dial;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    char expected[200];
    int fd;

    if (mkdtemp(folder) == NULL)
        exit(2);
    where.sun_family = AF_UNIX;
    snprintf(where.sun_path, sizeof where.sun_path, "%s/lmtp", folder);
    bind(listener, (struct sockaddr *)&where, sizeof where);
    listen(listener, 5);
    used = 0;
    dial = smtpc_dial_start(add(AF_UNIX, listener), NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_DONE, "a unix socket");
    fd = smtpc_dial_take(dial);
    smtpc_dial_free(dial);
    close(fd);
    unlink(where.sun_path);
    dial = smtpc_dial_start(nodes, NULL, &error);
    ok(drive(dial, 5000, &error) == SMTPC_DIAL_FAILED, "one that is not there");
    snprintf(expected, sizeof expected, "%s: %s", where.sun_path, strerror(ENOENT));
    is_string(error.text, expected, "is named by its path");
    smtpc_dial_free(dial);
    close(listener);
    rmdir(folder);
}

static void
test_nothing(void)
{
    struct smtpc_error error = {0};
    struct smtpc_dial *dial = smtpc_dial_start(NULL, NULL, &error);

    ok(smtpc_dial_step(dial, &error) == SMTPC_DIAL_FAILED && error.kind == SMTPC_ERROR_CONNECT, "%s", error.text);
    smtpc_dial_free(dial);
    smtpc_dial_free(NULL);
}

int
main(void)
{
    test_local();
    test_bad_local();
    test_unix();
    test_nothing();
    return tap_done();
}
