/* Tests of many authorities in one file: the verdicts are those of a client that has read them all. */
#include "net/tls_bundle.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tap.h"
#include "tls_family.h"

enum { CROWD = 12, THREADS = 4, TEXT_MAX = 65536 };

static struct family family;
static struct identity crowd[CROWD];
static struct smtpc_tls_context *leaf_server;    /* shows its own certificate, not that of its issuer */
static char text[TEXT_MAX];

static void
add(const char *more)
{
    must(strlen(text) + strlen(more) < sizeof text, "a text is too long");
    strcat(text, more);
}

static void
add_crowd(int from, int to)
{
    for (; from < to; from++)
        add(crowd[from].certificate.bytes);
}

/* The crowd with these in its midst. */
static void
compose(const char *first, const char *second)
{
    text[0] = '\0';
    add_crowd(0, CROWD / 2);
    add(first);
    add_crowd(CROWD / 2, CROWD);
    add(second);
    write_file("bundle.pem", text);
}

static const char *
pem_of(const struct identity *identity)
{
    return identity->certificate.bytes;
}

static struct smtpc_tls_options
options_of(const char *file)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of(file);
    return options;
}

/* 1 when OpenSSL itself can load the bundle. */
static int
is_loadable(void)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
    int good = SSL_CTX_load_verify_locations(ssl_ctx, path_of("bundle.pem"), NULL) == 1;

    SSL_CTX_free(ssl_ctx);
    ERR_clear_error();
    return good;
}

/* is_asked: whether the file is asked name by name, or given to OpenSSL whole. */
static void
check(const char *what, struct smtpc_tls_context *server, int is_asked, int expected)
{
    struct smtpc_tls_options options = options_of("bundle.pem");
    struct smtpc_error error = {0};
    struct smtpc_tls_context *client = smtpc_tls_context_client(&options, &error);

    ok((client != NULL) == is_loadable(), "%s: as OpenSSL takes the file", what);
    if (client != NULL)
        ok((client->bundle_method != NULL) == is_asked, "... %s", is_asked ? "asked" : "given to it");
    smtpc_tls_context_free(client);
    ok(attempt(&options, server, "localhost") == expected, "... %s", expected > 0 ? "trusted"
       : expected == 0 ? "not trusted" : "refused");
    ok(ERR_peek_error() == 0, "... and nothing is left in the queue");
}

static void
test_places(void)
{
    char *p;

    compose("", pem_of(&family.ca));
    check("at the end", family.server, 1, 1);
    compose(pem_of(&family.ca), "");
    check("in the midst", family.server, 1, 1);
    compose("", "");
    check("not in it", family.server, 1, 0);
    compose(pem_of(&family.between), pem_of(&family.ca));
    check("two that build on each other", leaf_server, 1, 1);
    compose(pem_of(&family.between), "");
    check("the lower one alone", leaf_server, 1, 0);
    compose("# Our authority: subject=/CN=x\n===\n\n", pem_of(&family.ca));
    check("words between", family.server, 1, 1);
    p = strrchr(text, '\n');
    *p = '\0';
    write_file("bundle.pem", text);
    check("no end of the last line", family.server, 1, 1);
}

static void
test_namesakes(void)
{
    compose(pem_of(&family.stranger), pem_of(&family.ca));
    check("behind another of its name", family.server, 1, 1);
    compose(pem_of(&family.ca), pem_of(&family.stranger));
    check("before another of its name", family.server, 1, 1);
    compose(pem_of(&family.ca), pem_of(&family.ca));
    check("twice", family.server, 1, 1);
    compose(pem_of(&family.stranger), "");
    check("only another of its name", family.server, 1, 0);
}

static void
test_line_ends(void)
{
    char *copy = malloc(TEXT_MAX);
    char *to = text;
    const char *p;

    compose(pem_of(&family.ca), "");
    strcpy(copy, text);
    for (p = copy; *p != '\0'; p++) {
        if (*p == '\n') {
            *to++ = ' ';
            *to++ = '\r';
        }
        *to++ = *p;
    }
    *to = '\0';
    write_file("bundle.pem", text);
    check("CRLF, and blanks before it", family.server, 1, 1);
    free(copy);
}

static char *
body_of_last(void)
{
    char *p = NULL;
    char *q;

    for (q = text; (q = strstr(q, "-----BEGIN")) != NULL; q++)
        p = strchr(q, '\n') + 1;
    return p;
}

static void
test_damage(void)
{
    char *p;

    compose(pem_of(&family.ca), pem_of(&crowd[0]));
    p = strstr(text + strlen(text) / 2, "\n-----END") - 30;
    *p = '!';
    write_file("bundle.pem", text);
    check("no base64 in the midst", family.server, 0, -1);
    compose(pem_of(&family.ca), pem_of(&crowd[0]));
    memcpy(body_of_last(), "MIIA", 4);
    write_file("bundle.pem", text);
    check("a wrong length", family.server, 0, -1);
    compose(pem_of(&family.ca), pem_of(&crowd[0]));
    p = strrchr(text, '-') - 60;
    *p = '\0';
    write_file("bundle.pem", text);
    check("cut off", family.server, 0, -1);
    ok(strstr(last.error.text, "ca_file (SSL_ca_file): no certificate can be read") != NULL, "%s", last.error.text);
    text[0] = '\0';
    add("# nothing\n");
    write_file("bundle.pem", text);
    check("no certificate", family.server, 0, -1);
    write_file("bundle.pem", "");
    check("empty", family.server, 0, -1);
}

/* As "openssl x509 -trustout" writes it: a certificate and what it is good for. */
static void
add_trusted(const struct identity *identity, int is_rejected)
{
    X509 *certificate = certificate_of(identity);
    ASN1_OBJECT *use = OBJ_nid2obj(NID_server_auth);
    BIO *bio = BIO_new(BIO_s_mem());
    char *octets = NULL;
    long n;

    must((is_rejected ? X509_add1_reject_object(certificate, use) : X509_add1_trust_object(certificate, use)) == 1
         && PEM_write_bio_X509_AUX(bio, certificate) == 1, "no trusted certificate");
    n = BIO_get_mem_data(bio, &octets);
    must(strlen(text) + (size_t)n < sizeof text, "a text is too long");
    strncat(text, octets, (size_t)n);
    BIO_free(bio);
    X509_free(certificate);
}

static void
test_other_blocks(void)
{
    compose("", "");
    add_trusted(&family.ca, 0);
    write_file("bundle.pem", text);
    check("a certificate that is trusted for servers", family.server, 0, 1);
    compose("", "");
    add_trusted(&family.ca, 1);
    write_file("bundle.pem", text);
    check("one that is rejected for servers", family.server, 0, 0);
    compose(pem_of(&family.ca), family.ca.key.bytes);
    check("a key", family.server, 0, 1);
    compose(pem_of(&family.ca), " -----BEGIN CERTIFICATE-----\n");
    check("what looks like a certificate, and is none", family.server, 0, 1);
    text[0] = '\0';
    add(pem_of(&family.ca));
    write_file("bundle.pem", text);
    check("only one", family.server, 0, 1);
}

static void
test_variable(void)
{
    struct smtpc_tls_options options = {0};

    compose(pem_of(&family.ca), "");
    setenv("SSL_CERT_DIR", path_of("nothing"), 1);
    setenv("SSL_CERT_FILE", path_of("bundle.pem"), 1);
    ok(attempt(&options, family.server, "localhost") == 1, "SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    ok(attempt(&options, family.server, "localhost") == 1, "SSL_CERT_FILE beside the system's folder");
    unsetenv("SSL_CERT_FILE");
}

static int
is_taken(struct smtpc_tls_context *client)
{
    struct pair pair;
    int good;

    pair_open(&pair, client, family.server, "localhost");
    good = pair.client_result == 1;
    pair_close(&pair);
    return good;
}

/* What was read counts, not what somebody writes later: that is another configuration. */
static void
test_change(void)
{
    struct smtpc_tls_options options = options_of("bundle.pem");
    struct smtpc_tls_context *client;

    compose(pem_of(&family.ca), "");
    client = client_of(&options);
    write_file("bundle.pem", "junk");
    ok(is_taken(client), "the file was overwritten");
    remove_file("bundle.pem");
    ok(is_taken(client), "the file is gone");
    smtpc_tls_context_free(client);
}

static void *
connect_often(void *client)
{
    int i;

    for (i = 0; i < 5; i++)
        if (!is_taken(client))
            return client;
    return NULL;
}

static void
test_sharing(void)
{
    struct smtpc_tls_options options = options_of("bundle.pem");
    struct smtpc_tls_context *client;
    pthread_t threads[THREADS];
    void *failed = NULL;
    int status = -1;
    pid_t child;
    int i;

    compose(pem_of(&family.stranger), pem_of(&family.ca));
    options.no_resumption = 1;
    client = client_of(&options);
    child = fork();
    if (child == 0)
        _exit(is_taken(client) ? 0 : 1);
    ok(waitpid(child, &status, 0) == child && status == 0, "a forked process asks it");
    for (i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, connect_often, client) == 0, "no thread");
    for (i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        failed = result != NULL ? result : failed;
    }
    ok(failed == NULL, "threads ask it at once");
    smtpc_tls_context_free(client);
}

static void
lay_out(void)
{
    char name[40];
    int i;

    family_open(&family);
    leaf_server = server_of(&family.deep, NULL, NULL);
    for (i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "authority %d", i);
        identity_make(&crowd[i], name, NULL, YEAR, 1, NULL);
    }
}

static void
clear_up(void)
{
    int i;

    for (i = 0; i < CROWD; i++)
        identity_clear(&crowd[i]);
    smtpc_tls_context_free(leaf_server);
    remove_file("bundle.pem");
    family_close(&family);
}

int
main(void)
{
    lay_out();
    test_places();
    test_namesakes();
    test_line_ends();
    test_damage();
    test_other_blocks();
    test_variable();
    test_change();
    test_sharing();
    clear_up();
    return tap_done();
}
