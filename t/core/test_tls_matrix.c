/* test_tls_matrix: certificates good and bad: the verdict on each, and the words for it. */
#include <openssl/x509_vfy.h>

#include "net/tls_inside.h"
#include "tap.h"
#include "tls_pair.h"

enum { DAY = 86400 };

/* Who signs, and what else the server sends. */
enum issuer {
    BY_CA, BY_ITSELF, BY_STRANGER, BY_INTERMEDIATE,
    BY_INTERMEDIATE_SENT, BY_WEAK_SENT, BY_NO_AUTHORITY_SENT
};

struct row {
    const char *test;
    const char *host;                /* that the client connects to */
    const char *names;
    const char *words;               /* of the refusal; NULL: it is accepted */
    enum issuer issuer;
    int allow_common_name;
    long from;
    long until;
    const char *key;
    const char *usage;
    const char *common_name;         /* NULL: "mail" */
};

#define NUL_NAME "DER:30:16:82:14:6c:6f:63:61:6c:68:6f:73:74:00:2e:65:76:69:6c:2e:74:65:73:74"

static const struct row rows[] = {
    {"good", "localhost", "DNS:localhost", .words = NULL},
    {"good, in capitals", "localhost", "DNS:LocalHost", .words = NULL},
    {"good, one of many names", "localhost", "DNS:a.test,DNS:localhost", .words = NULL},
    {"good, a dot behind the name asked for", "localhost.", "DNS:localhost", .words = NULL},
    {"expired", "localhost", "DNS:localhost", .words = "(depth 0) expired on ", .until = -DAY},
    {"not yet valid", "localhost", "DNS:localhost", .words = "is valid only from ", .from = DAY},
    {"wrong name", "localhost", "DNS:other.test", .words = "is not for localhost but for DNS:other.test"},
    {"self-signed", "localhost", "DNS:localhost", .issuer = BY_ITSELF, .words = "is self-signed"},
    {"unknown CA", "localhost", "DNS:localhost", .issuer = BY_STRANGER,
     .words = "\"CN=a stranger\", is not known here"},
    {"missing intermediate", "localhost", "DNS:localhost", .issuer = BY_INTERMEDIATE,
     .words = "may lack an intermediate certificate"},
    {"intermediate sent", "localhost", "DNS:localhost", .issuer = BY_INTERMEDIATE_SENT},
    {"signed by what is no authority", "localhost", "DNS:localhost", .issuer = BY_NO_AUTHORITY_SENT,
     .words = "is not of an authority"},

    {"wildcard, complete left-most label", "a.mail.test", "DNS:*.mail.test", .words = NULL},
    {"wildcard, not the domain itself", "mail.test", "DNS:*.mail.test", .words = "is not for mail.test"},
    {"wildcard, two labels", "a.b.mail.test", "DNS:*.mail.test",
     .words = "is not for a.b.mail.test but for DNS:*.mail.test"},
    {"wildcard, end of a label", "abc.mail.test", "DNS:a*.mail.test", .words = "is not for abc"},
    {"wildcard, start of a label", "abc.mail.test", "DNS:*c.mail.test", .words = "is not for abc"},
    {"wildcard, not left-most", "a.mail.test", "DNS:a.*.test", .words = "is not for a.mail"},
    {"wildcard, twice", "a.mail.test", "DNS:*.*.test", .words = "is not for a.mail"},
    {"wildcard, a whole top level", "mail.test", "DNS:*.test", .words = "is not for mail.test"},
    {"wildcard, everything", "localhost", "DNS:*", .words = "is not for localhost"},

    {"address", "127.0.0.1", "IP:127.0.0.1", .words = NULL},
    {"address of IPv6, written otherwise", "0:0::1", "IP:::1", .words = NULL},
    {"another address", "127.0.0.2", "IP:127.0.0.1", .words = "is not for 127.0.0.2 but for IP Address:127.0.0.1"},
    {"address as dNSName", "127.0.0.1", "DNS:127.0.0.1", .words = "is not for 127.0.0.1"},
    {"address as common name", "127.0.0.1", NULL, .words = "is not for 127.0.0.1", .allow_common_name = 1,
     .common_name = "127.0.0.1"},

    {"common name only", "localhost", NULL, .words = "bears no subjectAltName", .common_name = "localhost"},
    {"common name only, allowed", "localhost", NULL, .allow_common_name = 1, .common_name = "localhost"},
    {"common name beside a dNSName, allowed", "localhost", "DNS:other.test", .words = "but for DNS:other.test",
     .allow_common_name = 1, .common_name = "localhost"},
    {"a NUL in the name", "localhost", NUL_NAME, .words = "is not for localhost"},
    {"a NUL in the name, common names allowed", "localhost", NUL_NAME, .words = "is not for localhost",
     .allow_common_name = 1, .common_name = "localhost"},

    {"RSA of 2048 bits", "localhost", "DNS:localhost", .key = "RSA-2048"},
    {"weak key", "localhost", "DNS:localhost", .words = "has a key too small to be safe (1024 bits)",
     .key = "RSA-1024"},
    {"weak key of the issuer", "localhost", "DNS:localhost", .issuer = BY_WEAK_SENT,
     .words = "\"CN=weak\" (depth 1) has a key too small"},
    {"for clients only", "localhost", "DNS:localhost", .words = "needs serverAuth", .usage = "clientAuth"},
    {"for servers only", "localhost", "DNS:localhost", .usage = "serverAuth"},
    {"for no use by name", "localhost", "DNS:localhost", .usage = ""},
};

struct issuers {
    struct identity ca;
    struct identity stranger;
    struct identity intermediate;
    struct identity weak;
    struct identity no_authority;
};

static void
make_issuers(struct issuers *issuers)
{
    struct smtpc_tls_certificate_request weak = {0};

    identity_make(&issuers->ca, "our CA", NULL, YEAR, 1, NULL);
    identity_make(&issuers->stranger, "a stranger", NULL, YEAR, 1, NULL);
    identity_make(&issuers->intermediate, "between", NULL, YEAR, 1, &issuers->ca);
    identity_make(&issuers->no_authority, "mail", "DNS:localhost", YEAR, 0, &issuers->ca);
    weak.common_name = "weak";
    weak.valid_seconds = YEAR;
    weak.is_ca = 1;
    weak.key = "RSA-1024";
    identity_of(&issuers->weak, weak, &issuers->ca);
}

static const struct identity *
issuer_of(const struct issuers *issuers, enum issuer issuer)
{
    switch (issuer) {
    case BY_CA: return &issuers->ca;
    case BY_STRANGER: return &issuers->stranger;
    case BY_INTERMEDIATE:
    case BY_INTERMEDIATE_SENT: return &issuers->intermediate;
    case BY_WEAK_SENT: return &issuers->weak;
    case BY_NO_AUTHORITY_SENT: return &issuers->no_authority;
    default: return NULL;
    }
}

static void
show(const struct row *row, const struct pair *pair)
{
    struct smtpc_tls_facts facts;

    if (row->words == NULL && ok(pair->client_result == 1, "%s: accepted", row->test)) {
        smtpc_tls_facts(pair->client, &facts);
        ok(facts.verified && strcmp(facts.trust, "chain") == 0, "%s: by its chain", row->test);
    } else if (row->words != NULL) {
        ok(pair->client_result == -1 && pair->client_error.kind == SMTPC_ERROR_TLS, "%s: refused", row->test);
        if (!ok(strstr(pair->client_error.text, row->words) != NULL, "%s: ... in words", row->test))
            printf("# not '%s'\n", row->words);
    }
    printf("# %s\n", pair->client_error.text);
}

static void
try_row(const struct row *row, const struct issuers *issuers, struct smtpc_tls_context *client)
{
    struct smtpc_tls_certificate_request request = {0};
    const struct identity *issuer = issuer_of(issuers, row->issuer);
    struct smtpc_tls_context *server;
    struct identity mail;
    struct pair pair;

    request.common_name = row->common_name != NULL ? row->common_name : "mail";
    request.names = row->names;
    request.valid_seconds = row->until != 0 ? row->until : YEAR;
    request.valid_from_seconds = row->from;
    request.key = row->key;
    request.extended_key_usage = row->usage;
    identity_of(&mail, request, issuer);
    server = server_of(&mail, row->issuer >= BY_INTERMEDIATE_SENT ? issuer : NULL, NULL);
    pair_open(&pair, client, server, row->host);
    show(row, &pair);
    pair_close(&pair);
    smtpc_tls_context_free(server);
    identity_clear(&mail);
}

/* What is too rare, or too much work, for a certificate of its own. */
static void
test_other_words(void)
{
    static const struct { int code; const char *words; } others[] = {
        {X509_V_ERR_CA_MD_TOO_WEAK, "SHA-1"}, {X509_V_ERR_PATH_LENGTH_EXCEEDED, "pathlen"},
        {X509_V_ERR_CERT_SIGNATURE_FAILURE, "forged"}, {X509_V_ERR_PERMITTED_VIOLATION, "nameConstraints"},
        {X509_V_ERR_CERT_CHAIN_TOO_LONG, "shorter"}, {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "critical extension"},
    };
    size_t i;

    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct smtpc_tls_verdict verdict = {0};
        struct smtpc_error error = {0};

        verdict.code = others[i].code;
        ok(smtpc_tls_verdict_explain(&verdict, "localhost", &error) == -1 && error.kind == SMTPC_ERROR_TLS
           && strstr(error.text, others[i].words) != NULL, "%s", error.text);
    }
}

/* What a request can ask wrongly. */
static void
test_maker(void)
{
    struct smtpc_tls_certificate_request request = {0};
    struct smtpc_error error = {0};
    struct smtpc_buffer text;

    request.common_name = "mail";
    request.valid_seconds = YEAR;
    request.key = "DSA-512";
    smtpc_buffer_init(&text, 65536);
    ok(smtpc_tls_certificate_make(&request, &text, &text, &error) == -1 && error.kind == SMTPC_ERROR_USAGE,
       "an unknown kind of key is refused");
    ok(strstr(error.text, "RSA-1024") != NULL, "... with the kinds there are: %s", error.text);
    smtpc_buffer_clear(&text);
}

int
main(void)
{
    struct smtpc_tls_options options = {0};
    struct issuers issuers;
    struct smtpc_tls_context *client;
    struct smtpc_tls_context *lenient;
    size_t i;

    make_issuers(&issuers);
    options.ca_file = write_file("ca.pem", issuers.ca.certificate.bytes);
    client = client_of(&options);
    options.allow_common_name = 1;
    lenient = client_of(&options);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        try_row(&rows[i], &issuers, rows[i].allow_common_name ? lenient : client);
    test_other_words();
    test_maker();
    smtpc_tls_context_free(client);
    smtpc_tls_context_free(lenient);
    identity_clear(&issuers.ca);
    identity_clear(&issuers.stranger);
    identity_clear(&issuers.intermediate);
    identity_clear(&issuers.weak);
    identity_clear(&issuers.no_authority);
    remove_file("ca.pem");
    remove_folder();
    return tap_done();
}
