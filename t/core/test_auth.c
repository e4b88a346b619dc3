/* test_auth: what no dialogue can tell about a login: proofs over a nonce, what is chosen late, limits, the trace. */
#include "codec/base64.h"
#include "codec/digest.h"
#include "greeted.h"
#include "sasl/scram_proof.h"

enum { ROOM = 8192, ANSWER_MAX = 5 * SMTPC_SASL_SECRET_MAX };

static char said[1 << 20];

/* What the session says, as a string; 0 when it says nothing. */
static size_t
says(struct smtpc_session *s)
{
    const char *octets;
    size_t n;

    smtpc_session_output(s, &octets, &n);
    n = n < sizeof said ? n : sizeof said - 1;
    if (n > 0)
        memcpy(said, octets, n);
    said[n] = '\0';
    smtpc_session_sent(s, n);
    return n;
}

static struct smtpc_session *
trusting(const char *offers)
{
    struct smtpc_session *s = greeted(offers);

    smtpc_session_set_trusted(s, 1);
    return s;
}

static void
is_over(struct smtpc_session *s, const char *words, const char *name)
{
    closed_with(s, SMTPC_ERROR_AUTH, words, name);
    ok(says(s) == 0, "and not a word more is said");
    ok(smtpc_session_mechanism(s) == NULL, "nobody is logged in");
    ok(session_auth(s, "demo", 4, "PLAIN") == -1 && says(s) == 0, "PLAIN is not tried, also not when asked for");
}

/* ---- a SCRAM server ---- */

struct scram {
    struct smtpc_session *session;
    enum smtpc_digest digest;
    char bare[ROOM];        /* client-first-message-bare */
    char first[ROOM];       /* of the server */
    char final[ROOM];       /* of the client, without its proof */
};

static void
decode(const char *base64, char text[ROOM])
{
    struct smtpc_buffer octets;
    size_t where;

    smtpc_buffer_init(&octets, ROOM - 1);
    smtpc_base64_decode(base64, strcspn(base64, "\r"), &octets, &where);
    if (octets.length > 0)
        memcpy(text, octets.bytes, octets.length);
    text[octets.length] = '\0';
    smtpc_buffer_clear(&octets);
}

static void
hear_encoded(struct smtpc_session *s, const char *code, const char *text)
{
    struct smtpc_buffer line;

    smtpc_buffer_init(&line, ROOM);
    smtpc_buffer_append_string(&line, code);
    smtpc_base64_encode(text, strlen(text), &line);
    smtpc_buffer_append(&line, "\r\n", 3);
    hear(s, line.bytes);
    smtpc_buffer_clear(&line);
}

/* Up to the client's proof. */
static void
scram_until_proof(struct scram *scram, const char *mechanism, enum smtpc_digest digest)
{
    struct smtpc_sasl_binding binding = {"tls-exporter", {1, 2, 3}, 3};
    char text[ROOM], offers[100];
    const char *bare;
    char *proof;

    snprintf(offers, sizeof offers, "AUTH PLAIN %s", mechanism);
    scram->session = trusting(offers);
    scram->digest = digest;
    smtpc_session_set_binding(scram->session, &binding);
    session_auth(scram->session, "demo", 4, "");
    session_secret(scram->session, "secret", 6);
    says(scram->session);
    decode(strrchr(said, ' ') + 1, text);
    bare = strstr(text, "n=demo,r=");
    ok(bare != NULL, "%s: %s", mechanism, text);
    snprintf(scram->bare, sizeof scram->bare, "%s", bare != NULL ? bare : "n=demo,r=");
    snprintf(scram->first, sizeof scram->first, "r=%.100s+server,s=c2FsdA==,i=4096", scram->bare + 9);
    hear_encoded(scram->session, "334 ", scram->first);
    says(scram->session);
    decode(said, scram->final);
    proof = strstr(scram->final, ",p=");
    ok(proof != NULL, "%s", scram->final);
    if (proof != NULL)
        *proof = '\0';
}

static void
scram_signature(const struct scram *scram, char v[ROOM])
{
    unsigned char salted[SMTPC_DIGEST_SIZE_MAX];
    struct smtpc_scram_proof proof;
    struct smtpc_buffer message, base64;

    smtpc_buffer_init(&message, 4 * ROOM);
    smtpc_buffer_init(&base64, ROOM - 3);
    smtpc_buffer_append_string(&message, scram->bare);
    smtpc_buffer_append_string(&message, ",");
    smtpc_buffer_append_string(&message, scram->first);
    smtpc_buffer_append_string(&message, ",");
    smtpc_buffer_append_string(&message, scram->final);
    smtpc_digest_pbkdf2(scram->digest, "secret", 6, "salt", 4, 4096, salted);
    smtpc_scram_prove(scram->digest, salted, &message, &proof);
    smtpc_base64_encode((const char *)proof.server, smtpc_digest_size(scram->digest), &base64);
    snprintf(v, ROOM, "v=%.*s", (int)base64.length, base64.bytes);
    smtpc_buffer_clear(&message);
    smtpc_buffer_clear(&base64);
}

static void
test_scram_with(const char *mechanism, enum smtpc_digest digest)
{
    struct scram scram;
    char v[ROOM];

    scram_until_proof(&scram, mechanism, digest);
    scram_signature(&scram, v);
    hear_encoded(scram.session, "334 ", v);
    ok(says(scram.session) == 2 && strcmp(said, "\r\n") == 0, "%s: an empty line answers the proof", mechanism);
    hear(scram.session, "235 2.7.0 ok\r\n");
    ok(smtpc_session_mechanism(scram.session) != NULL, "and 235 is believed");
    smtpc_session_free(scram.session);

    scram_until_proof(&scram, mechanism, digest);
    scram_signature(&scram, v);
    hear_encoded(scram.session, "235 ", v);
    ok(smtpc_session_mechanism(scram.session) != NULL, "so is a proof inside 235");
    smtpc_session_free(scram.session);

    scram_until_proof(&scram, mechanism, digest);
    scram_signature(&scram, v);
    v[2] = v[2] == 'A' ? 'B' : 'A';
    hear_encoded(scram.session, "334 ", v);
    is_over(scram.session, "signature is wrong", "one bit of the proof is wrong");
    smtpc_session_free(scram.session);

    scram_until_proof(&scram, mechanism, digest);
    scram_signature(&scram, v);
    v[2] = v[2] == 'A' ? 'B' : 'A';
    hear_encoded(scram.session, "235 ", v);
    is_over(scram.session, "signature is wrong", "the same inside 235");
    smtpc_session_free(scram.session);

    scram_until_proof(&scram, mechanism, digest);
    hear(scram.session, "235 2.7.0 ok\r\n");
    is_over(scram.session, "no signature", "235 instead of a proof");
    smtpc_session_free(scram.session);

    scram_until_proof(&scram, mechanism, digest);
    hear(scram.session, "334 \r\n");
    is_over(scram.session, "", "an empty challenge instead of a proof");
    smtpc_session_free(scram.session);
}

/* A wrong password is no wrong server: the next mechanism, once. */
static void
test_scram_refusal(void)
{
    struct scram scram;

    scram_until_proof(&scram, "SCRAM-SHA-256", SMTPC_DIGEST_SHA256);
    hear_encoded(scram.session, "334 ", "e=invalid-proof");
    ok(says(scram.session) == 2, "an error is answered with an empty line");
    hear(scram.session, "535 5.7.8 wrong\r\n");
    ok(says(scram.session) > 0 && strncmp(said, "AUTH PLAIN ", 11) == 0, "one more guess");
    hear(scram.session, "535 5.7.8 wrong as well\r\n");
    is_string(smtpc_session_error(scram.session)->text, "wrong (SCRAM-SHA-256: invalid-proof)", "what is told");
    ok(says(scram.session) == 0 && smtpc_session_wants(scram.session) == SMTPC_WANT_IDLE, "and no third");
    smtpc_session_free(scram.session);
}

static void
test_scram(void)
{
    test_scram_with("SCRAM-SHA-1", SMTPC_DIGEST_SHA1);
    test_scram_with("SCRAM-SHA-256", SMTPC_DIGEST_SHA256);
    test_scram_with("SCRAM-SHA-512-PLUS", SMTPC_DIGEST_SHA512);
    test_scram_refusal();
}

/* ---- what is decided late ---- */

static void
test_unprepared_secret(void)
{
    struct smtpc_sasl_text secret = {"se\acret", 7, NULL, 0, "U+0007 is forbidden"};
    struct smtpc_session *s = trusting("AUTH SCRAM-SHA-256");

    ok(session_auth(s, "demo", 4, "") == 0 && smtpc_session_wants(s) == SMTPC_WANT_SECRET, "a password is wanted");
    ok(smtpc_session_secret(s, &secret) == -1 && says(s) == 0, "that SASLprep refuses: nothing is said");
    ok(strstr(smtpc_session_error(s)->text, "SASLprep refuses the password: U+0007 is forbidden: SCRAM") != NULL
       && strcmp(smtpc_session_error(s)->step, "AUTH") == 0, "%s", smtpc_session_error(s)->text);
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE && session_auth(s, "demo", 4, "") == 0, "another may be tried");
    smtpc_session_free(s);

    s = trusting("AUTH SCRAM-SHA-256 PLAIN");
    session_auth(s, "demo", 4, "");
    ok(smtpc_session_secret(s, &secret) == 0 && says(s) > 0 && strncmp(said, "AUTH PLAIN ", 11) == 0,
       "PLAIN takes it as it is");
    smtpc_session_free(s);
}

static void
test_trust_is_asked_for_again(void)
{
    struct smtpc_session *s = trusting("AUTH PLAIN");

    session_auth(s, "demo", 4, "");
    smtpc_session_set_trusted(s, 0);
    ok(session_secret(s, "secret", 6) == -1 && says(s) == 0, "a line that is trusted no more gets no password");
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE, "the session is good for more");
    ok(session_secret(s, "secret", 6) == -1 && says(s) == 0, "and wants none");
    smtpc_session_free(s);
}

/* A binding is of one TLS connection. */
static void
test_binding(void)
{
    struct smtpc_sasl_binding binding = {"tls-exporter", {1}, 1};
    struct smtpc_session *s = trusting("AUTH SCRAM-SHA-256-PLUS");

    ok(session_auth(s, "demo", 4, "") == -1, "none");
    smtpc_session_set_binding(s, &binding);
    binding.length = 0;
    ok(session_auth(s, "demo", 4, "") == 0, "one, copied");
    smtpc_session_free(s);

    s = greeted("AUTH SCRAM-SHA-256-PLUS");
    binding.length = 1;
    smtpc_session_set_binding(s, &binding);
    smtpc_session_set_binding(s, NULL);
    ok(session_auth(s, "demo", 4, "") == -1, "taken back");
    smtpc_session_free(s);

    s = greeted("STARTTLS");
    smtpc_session_set_binding(s, &binding);
    smtpc_session_starttls(s);
    says(s);
    hear(s, "220 go\r\n");
    smtpc_session_tls_started(s);
    smtpc_session_hello(s, "client.example", 14, 0);
    says(s);
    hear(s, "250-mail.example\r\n250 AUTH SCRAM-SHA-256-PLUS\r\n");
    ok(session_auth(s, "demo", 4, "") == -1, "that of the time before STARTTLS is gone");
    smtpc_session_set_binding(s, &binding);
    ok(session_auth(s, "demo", 4, "") == 0, "a new one counts");
    smtpc_session_free(s);
}

static void
test_no_secret(void)
{
    struct smtpc_sasl_login login = login_of("demo", 4, SMTPC_SASL_NO_SECRET, "EXTERNAL");
    struct smtpc_session *s = greeted("AUTH EXTERNAL");

    ok(smtpc_session_auth(s, &login) == 0 && smtpc_session_wants(s) == SMTPC_WANT_WRITE, "no secret is asked for");
    ok(session_secret(s, "secret", 6) == -1, "nor may give one");
    says(s);
    is_string(said, "AUTH EXTERNAL ZGVtbw==\r\n", "what is said");
    smtpc_session_free(s);
}

/* ---- the caller's mechanism ---- */

static char answer[ANSWER_MAX + 1];

static struct smtpc_session *
asked(void)
{
    struct smtpc_session *s = greeted("AUTH GSSAPI");

    smtpc_session_auth_by_caller(s, "GSSAPI", NULL, 0);
    says(s);
    hear(s, "334 bW9yZQ==\r\n");
    return s;
}

static void
test_callers_limits(void)
{
    struct smtpc_session *s = asked();

    memset(answer, 'a', sizeof answer);
    ok(smtpc_session_wants(s) == SMTPC_WANT_RESPONSE, "asked");
    ok(smtpc_session_respond(s, answer, ANSWER_MAX) == 0 && says(s) == (ANSWER_MAX + 2) / 3 * 4 + 2,
       "an answer of %d octets", (int)ANSWER_MAX);
    ok(said[(ANSWER_MAX + 2) / 3 * 4 + 1] == '\n' && strspn(said, "YWFh=") >= ANSWER_MAX, "in one line");
    smtpc_session_free(s);

    s = asked();
    ok(smtpc_session_respond(s, answer, sizeof answer) == -1, "one octet more");
    ok(says(s) == 3 && strcmp(said, "*\r\n") == 0, "is cancelled");
    hear(s, "501 cancelled\r\n");
    ok(smtpc_session_wants(s) == SMTPC_WANT_IDLE && strstr(smtpc_session_error(s)->text, "too long") != NULL, "%s",
       smtpc_session_error(s)->text);
    ok(smtpc_session_auth_by_caller(s, "GSSAPI", answer, sizeof answer) == -1 && says(s) == 0
       && smtpc_session_error(s)->kind == SMTPC_ERROR_USAGE, "%s", smtpc_session_error(s)->text);
    ok(smtpc_session_auth_by_caller(s, "GSSAPI", "", 0) == 0 && says(s) > 0, "which ends nothing");
    is_string(said, "AUTH GSSAPI =\r\n", "the next login");
    smtpc_session_free(s);
}

/* A challenge is lent until the next call; there is none before and after. */
static void
test_callers_challenge(void)
{
    struct smtpc_session *s = asked();
    const char *octets;
    size_t n;

    smtpc_session_challenge(s, &octets, &n);
    is_octets(octets, n, "more", 4, "the challenge");
    smtpc_session_respond(s, "x", 1);
    says(s);
    hear(s, "235 ok\r\n");
    smtpc_session_challenge(s, &octets, &n);
    is_octets(octets, n, "", 0, "is forgotten with the login");
    is_string(smtpc_session_mechanism(s), "GSSAPI", "whose name stays");
    smtpc_session_free(s);

    s = asked();
    ok(session_auth(s, "demo", 4, "") == -1 && smtpc_session_noop(s) == -1 && says(s) == 0
       && smtpc_session_wants(s) == SMTPC_WANT_RESPONSE, "nothing else is done before the answer");
    ok(smtpc_session_respond(s, "x", 1) == 0 && says(s) > 0, "which may still come");
    smtpc_session_free(s);
}

/* ---- the trace ---- */

static int
shows(struct smtpc_session *s, const char *const *parts, int *marked)
{
    struct smtpc_trace_entry entry;
    int shown = 0;
    size_t i;

    *marked = 0;
    while (smtpc_trace_take(smtpc_session_trace(s), &entry)) {
        char text[400];

        snprintf(text, sizeof text, "%.*s", (int)entry.length, entry.text);
        for (i = 0; parts[i] != NULL; i++)
            shown += strstr(text, parts[i]) != NULL;
        *marked += entry.secret;
    }
    return shown;
}

static void
test_trace_of_tokens(void)
{
    static const char *const names[] = {"OAUTHBEARER", "XOAUTH2"};
    static const char *const parts[] = {"hidden", "aGlkZGVu", "hpZGRlb", "oaWRkZW", "demo", NULL};
    char token[600];
    size_t i;
    int marked;

    memset(token, 'h', sizeof token);
    memcpy(token, "hidden-token", 12);
    for (i = 0; i < 4; i++) {
        struct smtpc_sasl_login login = login_of("demo", 4, SMTPC_SASL_TOKEN, names[i % 2]);
        struct smtpc_session *s = trusting("AUTH OAUTHBEARER XOAUTH2");

        smtpc_session_trace(s)->wanted = 1;
        smtpc_session_auth(s, &login);
        session_secret(s, token, i < 2 ? 12 : sizeof token);
        says(s);
        hear(s, "334 \r\n");
        says(s);
        hear(s, "535 5.7.8 no\r\n");
        ok(shows(s, parts, &marked) == 0 && marked > 0, "%s: %d entries are masked", names[i % 2], marked);
        smtpc_session_free(s);
    }
}

static void
test_trace_of_the_callers(void)
{
    static const char *const parts[] = {"hidden", "aGlkZGVu", NULL};
    struct smtpc_session *s = greeted("AUTH GSSAPI");
    int marked;

    smtpc_session_trace(s)->wanted = 1;
    smtpc_session_auth_by_caller(s, "GSSAPI", "hidden", 6);
    says(s);
    hear(s, "334 \r\n");
    smtpc_session_respond(s, "hidden", 6);
    says(s);
    hear(s, "334 \r\n");
    smtpc_session_cancel(s, "enough");
    ok(shows(s, parts, &marked) == 0 && marked == 2, "the caller's words are masked as well");
    smtpc_session_free(s);
}

int
main(void)
{
    test_scram();
    test_unprepared_secret();
    test_trust_is_asked_for_again();
    test_binding();
    test_no_secret();
    test_callers_limits();
    test_callers_challenge();
    test_trace_of_tokens();
    test_trace_of_the_callers();
    return tap_done();
}
