/* test_tls_sni: the name that a client says in the handshake. */
#include <openssl/ssl.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_attempt.h"

static int
says(const struct scene *scene, const char *sni_name, const char *host, const char *expected)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *client;
    struct pair pair;
    const char *said;
    int good;

    options.insecure_no_verify = 1;
    options.sni_name = sni_name;
    client = client_of(&options);
    pair_open(&pair, client, scene->server, host);
    said = SSL_get_servername(pair.server->ssl, TLSEXT_NAMETYPE_host_name);
    good = expected == NULL ? said == NULL : said != NULL && strcmp(said, expected) == 0;
    pair_close(&pair);
    smtpc_tls_context_free(client);
    return good;
}

static void
test_sni(const struct scene *scene)
{
    ok(says(scene, NULL, "localhost.", "localhost"), "SNI says the name");
    ok(says(scene, NULL, "127.0.0.1", NULL), "... never an address");
    ok(says(scene, "mail.test.", "localhost", "mail.test"), "... another name where one is given");
    ok(says(scene, "mail.test", "127.0.0.1", "mail.test"), "... that for an address too");
    ok(says(scene, "", "localhost", NULL), "... and none where that is wanted");
}

static void
test_bad_sni(const struct scene *scene)
{
    static const struct { const char *name; const char *words; } bad[] = {
        {"192.0.2.1", "is an address"}, {"::1", "is an address"}, {".test", "begins with a dot"},
        {"a b", "printable"},
    };
    struct smtpc_tls_options options = {0};
    size_t i;

    options.ca_file = path_of("ca.pem");
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.sni_name = bad[i].name;
        ok(attempt(&options, scene->server, "localhost") == -1 && last.error.kind == SMTPC_ERROR_USAGE
           && strstr(last.error.text, "sni_name (SSL_hostname): ") == last.error.text
           && strstr(last.error.text, bad[i].words) != NULL, "sni_name \"%s\" refused: %s", bad[i].name,
           last.error.text);
    }
}

int
main(void)
{
    struct scene scene;

    scene_open(&scene);
    test_sni(&scene);
    test_bad_sni(&scene);
    scene_close(&scene);
    return tap_done();
}
