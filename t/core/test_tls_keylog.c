/* Tests of the file that TLS secrets are logged to. */
#include "net/tls.h"

#include "tap.h"
#include "tls_pair.h"

static struct scene scene;

static size_t
read_log(char *text, size_t room)
{
    FILE *file = fopen(path_of("keys"), "r");
    size_t n = file != NULL ? fread(text, 1, room - 1, file) : 0;

    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    return n;
}

static void
test_log(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *client;
    struct stat found;
    struct pair pair;
    char text[8192];
    size_t n;

    options.ca_file = path_of("ca.pem");
    options.keylog_file = path_of("keys");
    client = client_of(&options);
    pair_open(&pair, client, scene.server, "localhost");
    pair_close(&pair);
    n = read_log(text, sizeof text);
    ok(strstr(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET ") != NULL && strstr(text, "\nSERVER_TRAFFIC_SECRET_0 ") != NULL
       && text[n - 1] == '\n', "the secrets of a session, a line each");
    ok(stat(path_of("keys"), &found) == 0 && (found.st_mode & 0777) == 0600, "in a file for its owner alone");
    pair_open(&pair, client, scene.server, "localhost");
    pair_close(&pair);
    ok(read_log(text, sizeof text) == 2 * n, "the next session comes behind it");
    smtpc_tls_context_free(client);
    scene_pair(&scene, &pair);
    pair_close(&pair);
    ok(read_log(text, sizeof text) == 2 * n, "a context without the option logs nothing");
    remove_file("keys");
}

static void
check_refused(const char *words)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_error error = {0};

    options.ca_file = path_of("ca.pem");
    options.keylog_file = path_of("keys");
    ok(smtpc_tls_context_client(&options, &error) == NULL && error.kind == SMTPC_ERROR_USAGE
       && strstr(error.text, words) != NULL, "refused: %s", error.text);
    remove_file("keys");
}

static void
test_refused(void)
{
    chmod(write_file("keys", ""), 0644);
    check_refused("chmod 600");
    must(symlink(path_of("ca.pem"), path_of("keys")) == 0, "symlink");
    check_refused("symbolic link");
    must(mkfifo(path_of("keys"), 0600) == 0, "mkfifo");
    check_refused("keylog_file: ");
}

int
main(void)
{
    scene_open(&scene);
    test_log();
    test_refused();
    scene_close(&scene);
    return tap_done();
}
