/* test_scram: every row of scram.tsv and scram-errors.tsv; what else a server can do; the salted passwords kept. */
#include "tap.h"
#include "vectors.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/base64.h"
#include "login.h"
#include "sasl/salted.h"
#include "sasl/scram.h"

enum { ROOM = 4 * SMTPC_SASL_SECRET_MAX };

/* Columns of scram.tsv. */
enum {
    ID, MECHANISM, CB_TYPE, CB_DATA, USER, PASSWORD, PREPARED, CLIENT_FIRST, SERVER_FIRST, CLIENT_FINAL, SERVER_FINAL,
    SALTED, CLIENT_KEY, STORED_KEY, SERVER_KEY, CLIENT_FIRST_64, SERVER_FIRST_64, CLIENT_FINAL_64, SERVER_FINAL_64
};

static const char nonce7677[] = "rOprNGfwEbeRWgbNEkqO";
static const char first7677[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
static const char final7677[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

static struct vectors table;

/* One login, and what came of the last thing that was heard. */
struct login {
    struct smtpc_sasl sasl;
    struct smtpc_buffer out;
    struct smtpc_error error;
    enum smtpc_sasl_verdict verdict;
};

static void
start(struct login *login, const struct smtpc_sasl_login *demands, const struct smtpc_sasl_text *secret)
{
    memset(login, 0, sizeof *login);
    smtpc_sasl_init(&login->sasl);
    smtpc_buffer_init(&login->out, ROOM);
    ok(smtpc_sasl_set_login(&login->sasl, demands, &login->error) == 0
       && smtpc_sasl_set_secret(&login->sasl, secret, &login->error) == 0, "credentials");
}

static void
stop(struct login *login)
{
    smtpc_sasl_clear(&login->sasl);
    smtpc_buffer_clear(&login->out);
}

static void
begin(struct login *login, const char *mechanism, const char *offered)
{
    smtpc_error_clear(&login->error);
    smtpc_sasl_begin(&login->sasl, smtpc_sasl_find(mechanism, strlen(mechanism)), offered);
}

/* user and pencil, as in the RFCs. */
static void
start_pencil(struct login *login, const char *mechanism)
{
    struct smtpc_sasl_login demands = login_of("user", 4, SMTPC_SASL_PASSWORD, "");
    struct smtpc_sasl_text secret = text_of("pencil", 6);

    start(login, &demands, &secret);
    begin(login, mechanism, mechanism);
}

static void
begin_with(struct login *login, const char *nonce)
{
    smtpc_buffer_truncate(&login->out, 0);
    login->verdict = smtpc_scram_begin(&login->sasl, nonce, strlen(nonce), &login->out, &login->error);
}

static struct smtpc_sasl_challenge
challenge_of(const char *octets, size_t n)
{
    struct smtpc_sasl_challenge challenge = {n > 0 ? "(base64)" : "", n > 0 ? 8 : 0, n > 0 ? octets : NULL, n};

    return challenge;
}

static void
hear_octets(struct login *login, const char *octets, size_t n)
{
    struct smtpc_sasl_challenge challenge = challenge_of(octets, n);

    login->verdict = smtpc_sasl_answer(&login->sasl, &challenge, &login->out, &login->error);
}

static void
hear(struct login *login, const char *message)
{
    hear_octets(login, message, strlen(message));
}

/* What 235 with that text comes to; NULL: without a base64 text. */
static int
succeed(struct login *login, const char *last)
{
    struct smtpc_sasl_challenge text = {"Ok.", 3, last, last != NULL ? strlen(last) : 0};

    smtpc_error_clear(&login->error);
    return smtpc_sasl_finish(&login->sasl, &text, &login->error);
}

static int
said(const struct login *login, const char *message)
{
    return login->verdict == SMTPC_SASL_ANSWER && smtpc_buffer_equals(&login->out, message)
        && !smtpc_error_is_set(&login->error);
}

/* The verdict, nothing said, and a reason with that word in it. */
static int
stopped(const struct login *login, enum smtpc_sasl_verdict verdict, const char *why)
{
    int good = login->verdict == verdict && login->out.length == 0 && strstr(login->error.text, why) != NULL;

    if (!good)
        printf("# verdict %d, error: %s\n", (int)login->verdict, login->error.text);
    return good;
}

/* ---- scram.tsv ---- */

static void
set_binding(struct login *login, const char *name, const char *octets, size_t n)
{
    struct smtpc_sasl_binding *binding = &login->sasl.binding;

    snprintf(binding->name, sizeof binding->name, "%s", name);
    memcpy(binding->octets, octets, n);
    binding->length = n;
}

/* The login that the row tells of, up to the first message. */
static void
start_row(struct login *login)
{
    size_t user = vectors_unhex(table.field[USER]), password = vectors_unhex(table.field[PASSWORD]);
    size_t prepared = vectors_unhex(table.field[PREPARED]), data = vectors_unhex(table.field[CB_DATA]);
    struct smtpc_sasl_login demands = login_of(table.field[USER], user, SMTPC_SASL_PASSWORD, "");
    struct smtpc_sasl_text secret = text_of(table.field[PASSWORD], password);

    secret.prepared = table.field[PREPARED];
    secret.prepared_length = prepared;
    if (strcmp(table.field[ID], "authzid") == 0)
        demands.authzid = text_of("admin,x=1", 9);
    demands.iterations_min = 1;
    start(login, &demands, &secret);
    if (data > 0)
        set_binding(login, table.field[CB_TYPE], table.field[CB_DATA], data);
    else if (table.field[CLIENT_FIRST][0] == 'y')
        set_binding(login, "tls-exporter", "0123456789", 10);
    begin(login, table.field[MECHANISM], data > 0 ? table.field[MECHANISM] : "SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512");
    begin_with(login, strstr(table.field[CLIENT_FIRST], ",r=") + 3);
}

/* A row of either length of base64. */
static int
is_base64_of(const struct smtpc_buffer *out, const char *expected)
{
    struct smtpc_buffer text;
    int same;

    smtpc_buffer_init(&text, ROOM);
    smtpc_base64_encode(out->bytes, out->length, &text);
    same = smtpc_buffer_equals(&text, expected);
    smtpc_buffer_clear(&text);
    return same;
}

/* What the row says of SaltedPassword, from the store: the login has put it there. */
static void
check_salted(struct login *login, const char *id)
{
    size_t n = vectors_unhex(table.field[SALTED]), where;
    struct smtpc_salted salted = {SMTPC_DIGEST_SHA1, &login->sasl.user, smtpc_sasl_prepared_secret(&login->sasl), NULL,
                                  strtoul(strstr(table.field[SERVER_FIRST], ",i=") + 3, NULL, 10)};
    const char *text = strstr(table.field[SERVER_FIRST], ",s=") + 3;
    unsigned char octets[SMTPC_DIGEST_SIZE_MAX] = {0};
    struct smtpc_buffer salt;

    salted.digest = n == 20 ? SMTPC_DIGEST_SHA1 : n == 32 ? SMTPC_DIGEST_SHA256 : SMTPC_DIGEST_SHA512;
    smtpc_buffer_init(&salt, ROOM);
    smtpc_base64_decode(text, (size_t)(strchr(text, ',') - text), &salt, &where);
    salted.salt = &salt;
    ok(smtpc_salted_password(&salted, octets) == 1, "%s: the salted password is kept", id);
    is_octets((const char *)octets, n, table.field[SALTED], n, id);
    smtpc_buffer_clear(&salt);
}

static void
scram_row(void)
{
    const char *id = table.field[ID];
    struct login login;

    start_row(&login);
    ok(said(&login, table.field[CLIENT_FIRST]), "%s: client-first", id);
    ok(is_base64_of(&login.out, table.field[CLIENT_FIRST_64]), "%s: in base64", id);
    ok(succeed(&login, NULL) == -1, "%s: no success yet", id);
    smtpc_error_clear(&login.error);
    hear(&login, table.field[SERVER_FIRST]);
    ok(said(&login, table.field[CLIENT_FINAL]), "%s: client-final %.*s", id, (int)login.out.length, login.out.bytes);
    ok(is_base64_of(&login.out, table.field[CLIENT_FINAL_64]), "%s: in base64", id);
    ok(succeed(&login, NULL) == -1 && strstr(login.error.text, "signature") != NULL, "%s: nor here", id);
    smtpc_error_clear(&login.error);
    hear(&login, table.field[SERVER_FINAL]);
    ok(said(&login, ""), "%s: server-final is right %s", id, login.error.text);
    ok(login.sasl.scratch.length == 0, "%s: nothing is left over", id);
    ok(succeed(&login, NULL) == 0, "%s: success", id);
    check_salted(&login, id);
    hear(&login, table.field[SERVER_FINAL]);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "goes on"), "%s: and that is all", id);
    ok(succeed(&login, NULL) == -1, "%s: no success after that", id);
    stop(&login);
}

static void
test_rows(void)
{
    int rows;

    vectors_open(&table, "scram.tsv");
    for (rows = 0; vectors_next(&table); rows++)
        scram_row();
    ok(rows >= 20, "%d rows of scram.tsv", rows);
}

/* ---- scram-errors.tsv ---- */

static void
check_server_error(struct login *login, const char *id, const char *value)
{
    int is_suspicious = strstr(value, "dont-match") != NULL || strstr(value, "does-support") != NULL;

    is_string(login->sasl.said, value, id);
    if (is_suspicious)
        ok(stopped(login, SMTPC_SASL_ABORT, "downgrade"), "%s: silence", id);
    else
        ok(said(login, ""), "%s: an empty answer", id);
    ok(succeed(login, NULL) == -1, "%s: success after that is none", id);
    ok(is_suspicious || strstr(login->error.text, value) != NULL, "%s: %s", id, login->error.text);
}

/* Which of the two it is when the exchange stops. */
static enum smtpc_sasl_verdict
stop_of(const char *id, int is_final)
{
    return is_final || strcmp(id, "nonce-changed") == 0 || strcmp(id, "nonce-same") == 0 ? SMTPC_SASL_ABORT
                                                                                         : SMTPC_SASL_CANCEL;
}

static const char *
word_of(const char *verdict, int is_final)
{
    if (strcmp(verdict, "error:syntax") != 0)
        return verdict + strlen("error:");
    return is_final ? "last message" : "server's ";
}

static void
error_row(void)
{
    char *id = table.field[0], *first = table.field[1], *final = table.field[2], *verdict = table.field[3];
    int has_final = strcmp(final, "-") != 0, is_missing = final[0] == '(';
    struct login login;

    start_pencil(&login, "SCRAM-SHA-256");
    begin_with(&login, nonce7677);
    hear_octets(&login, first, vectors_unescape(first));
    if (has_final && login.verdict != SMTPC_SASL_ANSWER)
        ok(0, "%s: stopped too early: %s", id, login.error.text);
    if (has_final && !is_missing)
        hear_octets(&login, final, vectors_unescape(final));
    if (strcmp(verdict, "ok") == 0)
        ok(said(&login, "") && succeed(&login, NULL) == 0, "%s: success", id);
    else if (is_missing)
        ok(succeed(&login, NULL) == -1 && strstr(login.error.text, "signature") != NULL, "%s: %s", id,
           login.error.text);
    else if (strncmp(verdict, "error:server:", 13) == 0)
        check_server_error(&login, id, verdict + 13);
    else {
        const char *word = strcmp(verdict, "error:iterations") == 0 ? "iteration" : word_of(verdict, has_final);

        if (strcmp(id, "v-bad64") == 0)
            word = "no base64";
        ok(stopped(&login, stop_of(id, has_final), word), "%s: %s", id, login.error.text);
        ok(login.error.kind == SMTPC_ERROR_AUTH && succeed(&login, NULL) == -1, "%s: and no success", id);
    }
    stop(&login);
}

static void
test_errors(void)
{
    int rows;

    vectors_open(&table, "scram-errors.tsv");
    for (rows = 0; vectors_next(&table); rows++)
        error_row();
    ok(rows >= 28, "%d rows of scram-errors.tsv", rows);
}

/* ---- messages that no table has ---- */

static const struct {
    const char *tail;   /* behind the nonce of RFC 7677 */
    const char *why;
} refused_firsts[] = {
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,", "no attribute"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,x", "no attribute"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,x=", "no attribute"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,4=b", "no attribute"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,x=y,,z=1", "no attribute"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,i=1", "i= out of its place"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,r=x", "r= out of its place"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,m=x", "m= out of its place"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096 ", "no number"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=", "no number"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=+4096", "no number"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001", "scram_max_iterations"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=18446744073709555712", "scram_max_iterations"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999999999999999", "at least"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "4096 is the least"},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", "scram_min_iterations"},
    {",x=1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "no s="},
    {", s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "no s="},
    {",S=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "no s="},
    {",s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096", "no base64"},
    {" ,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "not printable"},
    {"\303\274,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "not printable"},
    {"", "no s="},
};

static void
test_firsts(void)
{
    struct login login;
    char message[256];
    size_t i;

    for (i = 0; i < sizeof refused_firsts / sizeof refused_firsts[0]; i++) {
        snprintf(message, sizeof message, "r=%s3rfc%s", nonce7677, refused_firsts[i].tail);
        start_pencil(&login, "SCRAM-SHA-256");
        begin_with(&login, nonce7677);
        hear(&login, message);
        ok(stopped(&login, SMTPC_SASL_CANCEL, refused_firsts[i].why), "refused: %s", refused_firsts[i].tail);
        stop(&login);
    }
}

static void
test_nul(void)
{
    static const char nonce[] = "r=rOprNGfwEbeRWgbNEkqO\0x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    static const char extension[] = "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,x=\0";
    struct login login;

    start_pencil(&login, "SCRAM-SHA-256");
    begin_with(&login, nonce7677);
    hear_octets(&login, nonce, sizeof nonce - 1);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "nonce"), "NUL in the nonce");
    begin(&login, "SCRAM-SHA-256", "");
    begin_with(&login, nonce7677);
    hear_octets(&login, extension, sizeof extension - 1);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "no attribute"), "NUL in an extension");
    stop(&login);
}

/* A server-first whose salt or nonce is n characters long. */
static void
hear_long(struct login *login, size_t nonce, size_t salt)
{
    char *message = malloc(nonce + salt + 100);
    size_t n = (size_t)sprintf(message, "r=%s", nonce7677);

    memset(message + n, 'n', nonce);
    n += nonce;
    n += (size_t)sprintf(message + n, ",s=");
    memset(message + n, 'A', salt);
    n += salt;
    n += (size_t)sprintf(message + n, ",i=4096");
    begin(login, "SCRAM-SHA-256", "");
    begin_with(login, nonce7677);
    hear_octets(login, message, n);
    free(message);
}

static void
test_sizes(void)
{
    struct login login;

    start_pencil(&login, "SCRAM-SHA-256");
    hear_long(&login, 8000, 4);
    ok(login.verdict == SMTPC_SASL_ANSWER, "a nonce of 8000 octets");
    hear_long(&login, 1, 1024);
    ok(login.verdict == SMTPC_SASL_ANSWER, "a salt of 768 octets");
    hear_long(&login, 1, 1368);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "salt"), "a salt of 1026 octets");
    hear_long(&login, 9300, 4);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "limit"), "a message of more than 9216 octets");
    stop(&login);
}

static void
test_bounds(void)
{
    struct smtpc_sasl_login demands = login_of("user", 4, SMTPC_SASL_PASSWORD, "");
    struct smtpc_sasl_text secret = text_of("pencil", 6);
    struct login login;

    demands.iterations_min = 4097;
    start(&login, &demands, &secret);
    begin(&login, "SCRAM-SHA-256", "");
    begin_with(&login, nonce7677);
    hear(&login, first7677);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "4097 is the least"), "the caller's least: %s", login.error.text);
    stop(&login);
    demands.iterations_min = 1;
    demands.iterations_max = 4095;
    start(&login, &demands, &secret);
    begin(&login, "SCRAM-SHA-256", "");
    begin_with(&login, nonce7677);
    hear(&login, first7677);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "4095 is the most"), "the caller's most: %s", login.error.text);
    stop(&login);
}

/* ---- the last message ---- */

static void
start_final(struct login *login)
{
    start_pencil(login, "SCRAM-SHA-256");
    begin_with(login, nonce7677);
    hear(login, first7677);
    ok(login->verdict == SMTPC_SASL_ANSWER, "up to the last message");
}

static void
test_finals(void)
{
    static const char *const refused[] = {
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,v=x", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,e=x",
        "x=1,v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", " v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n", "m=1", "V=", "v", "r=x", "v=AAAAAAAAAAAAAAAA",
    };
    struct login login;
    size_t i;

    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        start_final(&login);
        hear(&login, refused[i]);
        ok(stopped(&login, SMTPC_SASL_ABORT, "server"), "no proof: %.*s", (int)strcspn(refused[i], "\n"),
           refused[i]);
        ok(succeed(&login, final7677) == -1, "and the right one comes too late");
        stop(&login);
    }
}

static void
test_last(void)
{
    struct login login;

    start_final(&login);
    ok(succeed(&login, final7677) == 0, "v= behind 235");
    ok(succeed(&login, NULL) == 0, "asked again");
    stop(&login);
    start_final(&login);
    ok(succeed(&login, "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == -1
       && strstr(login.error.text, "signature is wrong") != NULL, "a wrong one there: %s", login.error.text);
    ok(succeed(&login, final7677) == -1, "is the last word");
    stop(&login);
    start_final(&login);
    ok(succeed(&login, "welcome") == -1 && strstr(login.error.text, "no signature") != NULL, "anything else there: %s",
       login.error.text);
    ok(succeed(&login, "") == -1 && succeed(&login, "v") == -1, "or nothing");
    ok(smtpc_sasl_finish(&login.sasl, NULL, &login.error) == -1, "or no text at all");
    stop(&login);
    start_pencil(&login, "SCRAM-SHA-256");
    begin_with(&login, nonce7677);
    ok(succeed(&login, final7677) == -1, "v= behind 235 before the proof was ours to give");
    stop(&login);
}

static void
test_refusals(void)
{
    struct login login;

    start_final(&login);
    hear(&login, "e=bad\r\nnews");
    is_string(login.sasl.said, "bad??news", "what the server says is shown printable");
    ok(said(&login, ""), "and answered with nothing");
    hear(&login, final7677);
    ok(stopped(&login, SMTPC_SASL_CANCEL, "goes on"), "a proof after that is none");
    stop(&login);
    start_pencil(&login, "SCRAM-SHA-256");
    begin_with(&login, nonce7677);
    hear(&login, "e=server-does-support-channel-binding");
    ok(stopped(&login, SMTPC_SASL_ABORT, "downgrade"), "the y flag is answered at once: %s", login.error.text);
    stop(&login);
}

/* ---- the first message ---- */

static void
test_nonces(void)
{
    struct login login;
    struct smtpc_sasl_challenge nothing = challenge_of("", 0);
    char first[36];

    start_pencil(&login, "SCRAM-SHA-1");
    login.verdict = smtpc_sasl_answer(&login.sasl, NULL, &login.out, &login.error);
    ok(login.verdict == SMTPC_SASL_ANSWER && login.out.length == 12 + 24, "an initial response");
    ok(strncmp(login.out.bytes, "n,,n=user,r=", 12) == 0, "with a nonce of 24 characters");
    memcpy(first, login.out.bytes, 36);
    begin(&login, "SCRAM-SHA-1", "");
    login.verdict = smtpc_sasl_answer(&login.sasl, &nothing, &login.out, &login.error);
    ok(login.verdict == SMTPC_SASL_ANSWER && login.out.length == 12 + 24, "the same to an empty challenge");
    ok(memcmp(first, login.out.bytes, 36) != 0, "with another nonce");
    begin(&login, "SCRAM-SHA-1", "");
    hear(&login, "r=abc,s=AAAA,i=4096");
    ok(stopped(&login, SMTPC_SASL_CANCEL, "empty one"), "a server that speaks first");
    stop(&login);
}

/* What stands before ",,n=" for that offer. */
static void
check_flag(struct login *login, const char *mechanism, const char *offered, const char *flag)
{
    begin(login, mechanism, offered);
    begin_with(login, "nonce");
    ok(login->verdict == SMTPC_SASL_ANSWER && login->out.length > strlen(flag)
       && strncmp(login->out.bytes, flag, strlen(flag)) == 0 && login->out.bytes[strlen(flag)] == ',',
       "%s of \"%s\": %s", mechanism, offered, flag);
}

static void
test_flags(void)
{
    struct login login;

    start_pencil(&login, "SCRAM-SHA-1");
    check_flag(&login, "SCRAM-SHA-1", "SCRAM-SHA-1", "n");
    check_flag(&login, "SCRAM-SHA-1", "SCRAM-SHA-1 SCRAM-SHA-1-PLUS", "n");
    begin(&login, "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS");
    begin_with(&login, "nonce");
    ok(stopped(&login, SMTPC_SASL_CANCEL, "channel binding"), "-PLUS without a binding: %s", login.error.text);
    ok(login.error.kind == SMTPC_ERROR_USAGE, "is the caller's fault");
    set_binding(&login, "tls-exporter", "0123", 4);
    check_flag(&login, "SCRAM-SHA-1", "SCRAM-SHA-1 PLAIN", "y");
    check_flag(&login, "SCRAM-SHA-1", "SCRAM-SHA-1 SCRAM-SHA-512-PLUS", "n");
    check_flag(&login, "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1 SCRAM-SHA-1-PLUS", "p=tls-exporter");
    stop(&login);
}

/* 1 when a login comes to its proof in buffers that hold that much; a failure must be clean. */
static int
fits(struct login *login, size_t out, size_t scratch)
{
    smtpc_buffer_clear(&login->out);
    begin(login, "SCRAM-SHA-256", "");
    login->out.cap = out;
    login->sasl.scratch.cap = scratch;
    begin_with(login, nonce7677);
    if (login->verdict == SMTPC_SASL_ANSWER)
        hear(login, first7677);
    if (login->verdict == SMTPC_SASL_ANSWER)
        return 1;
    return login->verdict == SMTPC_SASL_CANCEL && login->error.kind == SMTPC_ERROR_SYSTEM ? 0 : -1;
}

/* A buffer at its cap answers as one without memory does. */
static void
test_room(void)
{
    static const size_t out_needed = 106, scratch_needed = 32;     /* the second message, the first one */
    struct login login;
    size_t room;
    int wrong = 0;

    start_pencil(&login, "SCRAM-SHA-256");
    for (room = 0; room < 120; room++) {
        wrong += fits(&login, room, 120) != (room >= out_needed);
        wrong += fits(&login, 120, room) != (room >= scratch_needed);
    }
    ok(wrong == 0, "a login that needs more room than there is (%d)", wrong);
    stop(&login);
}

static void
test_table(void)
{
    static const char *const names[] = {"SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
                                        "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"};
    int strength = 1000;
    size_t i;

    for (i = 0; i < 6; i++) {
        const struct smtpc_sasl_mechanism *row = smtpc_sasl_find(names[i], strlen(names[i]));

        ok(row != NULL && row->strength < strength && row->strength == row->strength_trusted, "%s in its place",
           names[i]);
        if (row == NULL)
            continue;
        strength = row->strength;
        ok(row->binds == (i < 3) && row->client_first && row->prepares && row->takes_authzid && !row->plaintext,
           "and what it is like");
    }
}

/* ---- the salted passwords that are kept ---- */

static struct smtpc_buffer
buffer_of(const char *text)
{
    struct smtpc_buffer buffer;

    smtpc_buffer_init(&buffer, 100);
    smtpc_buffer_append_string(&buffer, text);
    return buffer;
}

static int
salted(enum smtpc_digest digest, const char *const texts[3], unsigned long iterations, unsigned char *out)
{
    struct smtpc_buffer user = buffer_of(texts[0]), password = buffer_of(texts[1]), salt = buffer_of(texts[2]);
    struct smtpc_salted all = {digest, &user, &password, &salt, iterations};
    int result = smtpc_salted_password(&all, out);

    smtpc_buffer_clear(&user);
    smtpc_buffer_clear(&password);
    smtpc_buffer_clear(&salt);
    return result;
}

/* One that differs in one thing is computed anew; what is kept is what was computed. */
static void
test_kept(void)
{
    static const char *const texts[][3] = {
        {"user", "pencil", "salt"}, {"User", "pencil", "salt"}, {"user", "Pencil", "salt"}, {"user", "pencil", "Salt"},
        {"userp", "encil", "salt"}, {"user", "pencils", "alt"},
    };
    unsigned char octets[SMTPC_DIGEST_SIZE_MAX], again[SMTPC_DIGEST_SIZE_MAX], fresh[SMTPC_DIGEST_SIZE_MAX];
    size_t i;

    ok(smtpc_salted_forget() == 0, "all is forgotten");
    for (i = 0; i < 6; i++)
        ok(salted(SMTPC_DIGEST_SHA256, texts[i], 2, octets) == 0, "%s %s %s is new", texts[i][0], texts[i][1],
           texts[i][2]);
    ok(salted(SMTPC_DIGEST_SHA256, texts[0], 3, octets) == 0, "another count is new");
    ok(salted(SMTPC_DIGEST_SHA1, texts[0], 2, octets) == 0, "another digest is new");
    ok(salted(SMTPC_DIGEST_SHA256, texts[0], 2, again) == 1, "the same is kept");
    smtpc_digest_pbkdf2(SMTPC_DIGEST_SHA256, "pencil", 6, "salt", 4, 2, fresh);
    ok(memcmp(again, fresh, 32) == 0, "and is what it was");
    ok(salted(SMTPC_DIGEST_SHA512, texts[0], 2, octets) == 0, "a ninth is new");
    ok(salted(SMTPC_DIGEST_SHA256, texts[0], 2, again) == 0, "and takes the place of the first");
    ok(smtpc_salted_forget() == 0 && salted(SMTPC_DIGEST_SHA512, texts[0], 2, again) == 0, "forgotten again");
    ok(memcmp(octets, again, 64) == 0, "computed again it is the same");
}

static void
test_kept_after_fork(void)
{
    static const char *const texts[3] = {"user", "pencil", "fork"};
    unsigned char octets[SMTPC_DIGEST_SIZE_MAX], childs[SMTPC_DIGEST_SIZE_MAX];
    int status = -1;
    pid_t pid;

    salted(SMTPC_DIGEST_SHA256, texts, 2, octets);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(!(salted(SMTPC_DIGEST_SHA256, texts, 2, childs) == 1 && memcmp(octets, childs, 32) == 0));
    waitpid(pid, &status, 0);
    ok(status == 0, "a child has what its parent kept");
}

int
main(void)
{
    test_rows();
    test_errors();
    test_firsts();
    test_nul();
    test_sizes();
    test_bounds();
    test_finals();
    test_last();
    test_refusals();
    test_nonces();
    test_flags();
    test_room();
    test_table();
    test_kept();
    test_kept_after_fork();
    return tap_done();
}
