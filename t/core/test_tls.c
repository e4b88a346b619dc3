/* Tests of tls: which certificates are taken for which names, and what is said of the others. */
#include "net/tls.h"

#include <openssl/err.h>

#include "tap.h"
#include "tls_pair.h"

/* Who signs a server's certificate; OURS is what the client trusts. */
enum signer { OURS, OWN_KEY, FOREIGN, MIDDLE, MIDDLE_MISSING, FOREIGN_SHOWN, EXPIRED_CA, SIGNERS };

struct row {
    const char *what;
    const char *common_name;
    const char *names;         /* subjectAltName */
    long seconds;
    enum signer signer;
    const char *host;          /* what the client asks for */
    const char *option;        /* NULL, "cn", "no name", "no verify" */
    const char *wrong[3];      /* parts of the error; none: it is good */
};

/* DER of a subjectAltName with the dNSName "localhost\0.evil.example". */
#define NUL_NAME "DER:30:19:82:17:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:65:78:61:6d:70:6c:65"

static const struct row rows[] = {
    {"a name", "x", "DNS:localhost", YEAR, OURS, "localhost", NULL, {NULL}},
    {"in other case", "x", "DNS:LocalHost", YEAR, OURS, "LOCALhost", NULL, {NULL}},
    {"with a dot at its end", "x", "DNS:localhost", YEAR, OURS, "localhost.", NULL, {NULL}},
    {"the second of two", "x", "DNS:a.example,DNS:b.example", YEAR, OURS, "b.example", NULL, {NULL}},
    {"an IPv4 address", "x", "IP:127.0.0.1", YEAR, OURS, "127.0.0.1", NULL, {NULL}},
    {"an IPv6 address", "x", "IP:::1", YEAR, OURS, "::1", NULL, {NULL}},
    {"an IPv6 address, written longer", "x", "IP:::1", YEAR, OURS, "0:0::1", NULL, {NULL}},
    {"a wildcard", "x", "DNS:*.example.com", YEAR, OURS, "mail.example.com", NULL, {NULL}},
    {"a chain of three", "x", "DNS:localhost", YEAR, MIDDLE, "localhost", NULL, {NULL}},
    {"a common name, allowed", "localhost", NULL, YEAR, OURS, "localhost", "cn", {NULL}},
    {"a common name and an address, allowed", "localhost", "IP:127.0.0.1", YEAR, OURS, "localhost", "cn", {NULL}},
    {"another name, not checked", "x", "DNS:a.example", YEAR, OURS, "localhost", "no name", {NULL}},
    {"nothing right, nothing checked", "x", "DNS:a.example", -60, OWN_KEY, "localhost", "no verify", {NULL}},

    {"another name", "x", "DNS:a.example,DNS:b.example,IP:192.0.2.1", YEAR, OURS, "localhost", NULL,
     {"certificate \"CN=x\" (depth 0) is not for localhost but for DNS:a.example, DNS:b.example, IP Address:192.",
      "connect by a name it bears", NULL}},
    {"another address", "x", "IP:127.0.0.1", YEAR, OURS, "127.0.0.2", NULL, {"is not for 127.0.0.2", NULL, NULL}},
    {"an address as a dNSName", "x", "DNS:127.0.0.1", YEAR, OURS, "127.0.0.1", NULL, {"is not for 127", NULL, NULL}},
    {"an address as common name", "127.0.0.1", NULL, YEAR, OURS, "127.0.0.1", "cn", {"is not for 127", NULL, NULL}},
    {"a name cut by NUL", "x", NUL_NAME, YEAR, OURS, "localhost", NULL, {"is not for localhost", "evil", NULL}},
    {"a wildcard for two labels", "x", "DNS:*.example.com", YEAR, OURS, "a.b.example.com", NULL,
     {"is not for a.b.example.com but for DNS:*.example.com", NULL, NULL}},
    {"a wildcard for no label", "x", "DNS:*.example.com", YEAR, OURS, "example.com", NULL,
     {"is not for example.com", NULL, NULL}},
    {"a wildcard inside a label", "x", "DNS:m*.example.com", YEAR, OURS, "mail.example.com", NULL,
     {"is not for mail.example.com", NULL, NULL}},
    {"a common name", "localhost", NULL, YEAR, OURS, "localhost", NULL,
     {"is not for localhost: it bears no subjectAltName", "allow_common_name", NULL}},
    {"a common name beside a dNSName, allowed", "localhost", "DNS:a.example", YEAR, OURS, "localhost", "cn",
     {"is not for localhost but for DNS:a.example", NULL, NULL}},
    {"an expired one", "x", "DNS:localhost", -86400, OURS, "localhost", NULL,
     {"certificate \"CN=x\" (depth 0) expired on 20", "T", "renew"}},
    {"one of an expired issuer", "x", "DNS:localhost", YEAR, EXPIRED_CA, "localhost", NULL,
     {"(depth 1) expired on 20", "expired CA", NULL}},
    {"a self-signed one", "x", "DNS:localhost", YEAR, OWN_KEY, "localhost", NULL,
     {"certificate \"CN=x\" (depth 0) is self-signed", "ca_file (SSL_ca_file)", NULL}},
    {"one of an unknown issuer", "x", "DNS:localhost", YEAR, FOREIGN, "localhost", NULL,
     {"the issuer of certificate \"CN=x\" (depth 0), \"CN=foreign CA\", is not known",
      "give ca_file (SSL_ca_file) if this server's issuer is your own", NULL}},
    {"one of an unknown issuer, name not checked", "x", "DNS:localhost", YEAR, FOREIGN, "localhost", "no name",
     {"is not known here", NULL, NULL}},
    {"a chain that ends in an unknown root", "x", "DNS:localhost", YEAR, FOREIGN_SHOWN, "localhost", NULL,
     {"certificate \"CN=foreign CA\" (depth 1) at the end of the chain is not trusted here", "ca_file", NULL}},
    {"a chain with a gap", "x", "DNS:localhost", YEAR, MIDDLE_MISSING, "localhost", NULL,
     {"\"CN=middle CA\", is not known here", "the server may lack an intermediate certificate", NULL}},
};

static struct identity ours;
static struct identity foreign;
static struct identity middle;
static struct identity expired_ca;
static struct identity plain_server;            /* DNS:localhost, of ours */
static struct smtpc_tls_context *plain_context; /* trusts ours */

static const struct identity *
issuer_of(enum signer signer)
{
    static const struct identity *const issuers[SIGNERS] = {
        [OURS] = &ours, [FOREIGN] = &foreign, [MIDDLE] = &middle, [MIDDLE_MISSING] = &middle,
        [FOREIGN_SHOWN] = &foreign, [EXPIRED_CA] = &expired_ca,
    };

    return issuers[signer];
}

static struct smtpc_tls_context *
context_for(const char *option)
{
    struct smtpc_tls_options options = {0};

    options.ca_file = path_of("ca.pem");
    options.allow_common_name = option != NULL && strcmp(option, "cn") == 0;
    options.insecure_no_name_check = option != NULL && strcmp(option, "no name") == 0;
    options.insecure_no_verify = option != NULL && strcmp(option, "no verify") == 0;
    return client_of(&options);
}

static void
check_good(const struct row *row, const struct pair *pair)
{
    int is_checked = row->option == NULL || strcmp(row->option, "cn") == 0;
    struct smtpc_tls_facts facts;

    if (!ok(pair->client_result == 1 && pair->server_result == 1, "%s: good", row->what)) {
        printf("# %s\n", pair->client_error.text);
        return;
    }
    smtpc_tls_facts(pair->client, &facts);
    ok(facts.verified == is_checked, "verified: %d", is_checked);
    ok((facts.name[0] != '\0') == is_checked, "matched: \"%s\"", facts.name);
    ok(strncmp(facts.version, "TLSv1.", 6) == 0 && facts.cipher[0] != '\0', "%s %s", facts.version, facts.cipher);
}

static void
check_bad(const struct row *row, const struct pair *pair)
{
    size_t i;

    ok(pair->client_result == -1, "%s: refused", row->what);
    ok(pair->client_error.kind == SMTPC_ERROR_TLS && !pair->client_error.temporary, "%s", pair->client_error.text);
    for (i = 0; i < 3 && row->wrong[i] != NULL; i++)
        ok(strstr(pair->client_error.text, row->wrong[i]) != NULL, "it says: %s", row->wrong[i]);
    ok(strlen(pair->client_error.text) < SMTPC_ERROR_TEXT_MAX - 1, "all of it");
    ok(ERR_peek_error() == 0, "and leaves OpenSSL's queue empty");
}

static void
test_row(const struct row *row)
{
    const struct identity *issuer = issuer_of(row->signer);
    int shows_issuer = row->signer == MIDDLE || row->signer == FOREIGN_SHOWN;
    struct smtpc_tls_context *client = context_for(row->option);
    struct smtpc_tls_context *server;
    struct identity identity;
    struct pair pair;

    identity_make(&identity, row->common_name, row->names, row->seconds, 0, issuer);
    server = server_of(&identity, shows_issuer ? issuer : NULL, NULL);
    pair_open(&pair, client, server, row->host);
    if (row->wrong[0] == NULL)
        check_good(row, &pair);
    else
        check_bad(row, &pair);
    pair_close(&pair);
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(server);
    identity_clear(&identity);
}

/* A server's own certificate as its ca_file: what the error for a self-signed one advises. */
static void
test_self_signed_trusted(void)
{
    struct smtpc_tls_options options = {0};
    struct smtpc_tls_context *client;
    struct smtpc_tls_context *server;
    struct identity identity;
    struct pair pair;

    identity_make(&identity, "x", "DNS:localhost", YEAR, 0, NULL);
    options.ca_file = write_file("self.pem", identity.certificate.bytes);
    client = client_of(&options);
    server = server_of(&identity, NULL, NULL);
    pair_open(&pair, client, server, "localhost");
    ok(pair.client_result == 1, "a self-signed certificate is good as ca_file %s", pair.client_error.text);
    pair_close(&pair);
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(server);
    identity_clear(&identity);
    remove_file("self.pem");
}

static void
test_facts(void)
{
    struct smtpc_tls_context *server = server_of(&plain_server, NULL, NULL);
    struct smtpc_tls_facts facts;
    struct pair pair;

    pair_open(&pair, plain_context, server, "localhost");
    smtpc_tls_facts(pair.client, &facts);
    is_string(facts.name, "localhost", "the name");
    is_string(facts.subject, "CN=plain", "the subject");
    is_string(facts.issuer, "CN=our CA", "the issuer");
    ok(strlen(facts.not_after) == 20 && facts.not_after[10] == 'T' && facts.not_after[19] == 'Z', "the date %s",
       facts.not_after);
    is_string(smtpc_tls_peer_pem(pair.client), plain_server.certificate.bytes, "the certificate in PEM");
    smtpc_tls_facts(pair.server, &facts);
    ok(!facts.verified && facts.subject[0] == '\0' && facts.not_after[0] == '\0', "the client had none");
    ok(smtpc_tls_peer_pem(pair.server) == NULL, "so no PEM of it");
    ok(smtpc_tls_handshake(pair.client, &pair.client_error) == 1, "a finished handshake stays finished");
    pair_close(&pair);
    smtpc_tls_context_free(server);
}

int
main(void)
{
    struct smtpc_tls_options options = {0};
    size_t i;

    identity_make(&ours, "our CA", NULL, YEAR, 1, NULL);
    identity_make(&foreign, "foreign CA", NULL, YEAR, 1, NULL);
    identity_make(&middle, "middle CA", NULL, YEAR, 1, &ours);
    identity_make(&expired_ca, "expired CA", NULL, -60, 1, NULL);
    identity_make(&plain_server, "plain", "DNS:localhost", YEAR, 0, &ours);
    {
        char both[8192];

        snprintf(both, sizeof both, "%s%s", ours.certificate.bytes, expired_ca.certificate.bytes);
        options.ca_file = write_file("ca.pem", both);
    }
    plain_context = client_of(&options);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        test_row(&rows[i]);
    test_self_signed_trusted();
    test_facts();
    smtpc_tls_context_free(plain_context);
    identity_clear(&ours);
    identity_clear(&foreign);
    identity_clear(&middle);
    identity_clear(&expired_ca);
    identity_clear(&plain_server);
    remove_file("ca.pem");
    remove_folder();
    return tap_done();
}
