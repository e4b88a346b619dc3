/* Tests of TLS sessions in a file: resumed across processes, never across demands, never from a bad file. */
#include "net/tls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tls_resumed.h"

static struct scene scene;

static struct smtpc_tls_options
with_file(void)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.session_file = path_of("sessions");
    return options;
}

/* A client that lives for one connection, as a CGI script does. */
static int
is_resumed_with(const struct smtpc_tls_options *options)
{
    struct smtpc_tls_context *client = client_of(options);
    int resumed = is_resumed(client, scene.server);

    smtpc_tls_context_free(client);
    return resumed;
}

static struct stat
state_of(const char *name)
{
    struct stat found = {0};

    stat(path_of(name), &found);
    return found;
}

static void
test_across_contexts(void)
{
    struct smtpc_tls_options options = with_file();

    ok(is_resumed_with(&options) == 0, "the first one makes the file");
    ok(S_ISREG(state_of("sessions").st_mode) && (state_of("sessions").st_mode & 0777) == 0600, "with mode 0600");
    ok(state_of("sessions").st_size > 100, "and leaves its session there");
    ok(is_resumed_with(&options) == 1, "the next one resumes it");
    ok(is_resumed_with(&options) == 1, "and so on");
    remove_file("sessions");
    ok(is_resumed_with(&options) == 0 && is_resumed_with(&options) == 1, "a file taken away is made anew");
    remove_file("sessions");
}

/* A session was made under options; is it resumed under others? */
static void
check_demands(const struct smtpc_tls_options *others, const char *what)
{
    struct smtpc_tls_options options = with_file();

    is_resumed_with(&options);
    ok(is_resumed_with(others) == 0, "not resumed under %s", what);
    remove_file("sessions");
}

static void
test_demands(void)
{
    struct smtpc_tls_options others = with_file();

    others.allow_common_name = 1;
    check_demands(&others, "allow_common_name");
    others = with_file();
    others.minimum_version = "TLSv1.3";
    check_demands(&others, "another minimum_version");
    others = with_file();
    others.ca_file = write_file("more.pem", scene.ca.certificate.bytes);
    check_demands(&others, "another ca_file");
    others = with_file();
    others.ca_path = path_of(".");
    check_demands(&others, "a ca_path");
    others = with_file();
    others.sni_name = "other.example";
    check_demands(&others, "another sni_name");
    others = with_file();
    others.insecure_no_verify = 1;
    check_demands(&others, "insecure_no_verify");
    remove_file("more.pem");
}

static void
test_changed_trust(void)
{
    struct smtpc_tls_options options = with_file();
    char text[8192];

    is_resumed_with(&options);
    ok(is_resumed_with(&options) == 1, "resumed under the same ca_file");
    snprintf(text, sizeof text, "%s\n", scene.ca.certificate.bytes);
    write_file("ca.pem", text);
    ok(is_resumed_with(&options) == 0, "but not once that has been changed");
    remove_file("sessions");
}

static void
check_untouched(struct smtpc_tls_options options, const char *what)
{
    is_resumed_with(&options);
    ok(state_of("sessions").st_mode == 0, "the file is left alone: %s", what);
    remove_file("sessions");
}

static void
test_untouched(void)
{
    struct smtpc_tls_options options = with_file();

    options.no_resumption = 1;
    check_untouched(options, "no_resumption");
    options = with_file();
    options.insecure_no_verify = 1;
    check_untouched(options, "insecure_no_verify");
    options = with_file();
    options.insecure_no_name_check = 1;
    check_untouched(options, "insecure_no_name_check");
}

/* ---- files that are refused ---- */

static void
check_refused(const char *words)
{
    struct smtpc_tls_options options = with_file();
    struct smtpc_error error = {0};
    struct smtpc_tls_context *client = smtpc_tls_context_client(&options, &error);

    ok(client == NULL && error.kind == SMTPC_ERROR_USAGE && strstr(error.text, "session_file: ") != NULL
       && strstr(error.text, words) != NULL, "refused: %s", error.text);
    smtpc_tls_context_free(client);
    remove_file("sessions");
}

static void
test_refused(void)
{
    chmod(write_file("sessions", ""), 0640);
    check_refused("chmod 600");
    chmod(write_file("sessions", ""), 0602);
    check_refused("chmod 600");
    chmod(write_file("sessions", "my precious letters\n"), 0600);
    check_refused("something else than TLS sessions");
    must(symlink(write_file("target", ""), path_of("sessions")) == 0, "symlink");
    check_refused("symbolic link");
    chmod(path_of("target"), 0600);
    must(link(path_of("target"), path_of("sessions")) == 0, "link");
    check_refused("hard link");
    remove_file("target");
    must(mkfifo(path_of("sessions"), 0600) == 0, "mkfifo");
    check_refused("not a regular file");
    must(mkdir(path_of("sessions"), 0700) == 0, "mkdir");
    check_refused("cannot open");
    rmdir(path_of("sessions"));
    if (geteuid() == 0) {
        chmod(write_file("sessions", ""), 0600);
        must(chown(path_of("sessions"), 65534, 65534) == 0, "chown");
        check_refused("belongs to user 65534");
    }
}

/* A process that locks the file and stops there. */
static pid_t
keep_lock(void)
{
    struct flock whole = {0};
    int ready[2];
    char told;
    pid_t child = -1;

    whole.l_type = F_WRLCK;
    fflush(stdout);
    must(pipe(ready) == 0 && (child = fork()) >= 0, "fork");
    if (child == 0) {
        int fd = open(path_of("sessions"), O_RDWR);

        if (fcntl(fd, F_SETLK, &whole) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    must(read(ready[0], &told, 1) == 1, "no lock");
    close(ready[0]);
    return child;
}

/* Anything may have happened to it since the context was made. */
static void
test_goes_bad(void)
{
    struct smtpc_tls_options options = with_file();
    struct smtpc_tls_context *client = client_of(&options);
    pid_t keeper;
    int fd;

    is_resumed(client, scene.server);
    chmod(path_of("sessions"), 0644);
    ok(is_resumed(client, scene.server) == 0, "a file that others may read now is not used any more");
    chmod(path_of("sessions"), 0600);
    ok(is_resumed(client, scene.server) == 1, "it was not written either");
    fd = open(path_of("sessions"), O_WRONLY);
    must(ftruncate(fd, 300) == 0, "ftruncate");
    ok(is_resumed(client, scene.server) == 0, "a broken file counts as empty");
    ok(is_resumed(client, scene.server) == 1, "and is written anew");
    close(fd);
    keeper = keep_lock();
    ok(is_resumed(client, scene.server) == 0, "nobody waits for a lock that another process keeps");
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
    ok(is_resumed(client, scene.server) == 1, "when it is free again all is as before");
    smtpc_tls_context_free(client);
    remove_file("sessions");
}

/* ---- many at once ---- */

enum { CHILDREN = 4, ROUNDS = 10 };

static void
run_child(int number)
{
    struct smtpc_tls_options options = with_file();
    char peer[40];
    int round;

    for (round = 0; round < ROUNDS; round++) {
        struct smtpc_tls_context *client = client_of(&options);

        snprintf(peer, sizeof peer, "host%d:%d", number, round);
        if (is_resumed(client, scene.server) < 0 || is_resumed_as(client, scene.server, "localhost", peer) < 0)
            _exit(1);
        smtpc_tls_context_free(client);
    }
    _exit(0);
}

static int
is_whole(void)
{
    static char octets[600000];
    struct smtpc_tls_session_store store = {0};
    int fd = open(path_of("sessions"), O_RDONLY);
    ssize_t n = read(fd, octets, sizeof octets);
    int good = n > 0 && smtpc_tls_session_store_read(&store, octets, (size_t)n) == 1
        && store.count == SMTPC_TLS_SESSIONS_MAX;

    close(fd);
    smtpc_tls_session_store_clear(&store);
    return good;
}

static void
test_many(void)
{
    pid_t children[CHILDREN];
    int failed = 0;
    int i;

    fflush(stdout);
    for (i = 0; i < CHILDREN; i++)
        if ((children[i] = fork()) == 0)
            run_child(i);
    for (i = 0; i < CHILDREN; i++) {
        int status = -1;

        waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    ok(failed == 0, "%d processes with %d connections each use the file at once", CHILDREN, 2 * ROUNDS);
    ok(is_whole(), "which is whole, and holds %d sessions", SMTPC_TLS_SESSIONS_MAX);
    ok(state_of("sessions").st_size < 300000, "not more than its bound (%ld octets)",
       (long)state_of("sessions").st_size);
    remove_file("sessions");
}

int
main(void)
{
    scene_open(&scene);
    test_across_contexts();
    test_demands();
    test_changed_trust();
    test_untouched();
    test_refused();
    test_goes_bad();
    test_many();
    scene_close(&scene);
    return tap_done();
}
