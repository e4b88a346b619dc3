/* dialogue: plays a file of t/dialogues against a session; the grammar is in t/dialogues/README. */
#ifndef T_CORE_DIALOGUE_H
#define T_CORE_DIALOGUE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "login.h"
#include "smtp/session.h"

enum { DIALOGUE_LINE = 65536, DIALOGUE_SAID = 1 << 20, DIALOGUE_WHOLE = 0, DIALOGUE_OCTETS = 1 };

struct dialogue {
    struct smtpc_session *session;
    uint32_t cuts;               /* DIALOGUE_WHOLE, DIALOGUE_OCTETS, or the seed of random pieces */
    char said[DIALOGUE_SAID];    /* by the client, not yet named by a C line */
    size_t said_length;
    char text[DIALOGUE_LINE];    /* of a submission, until it is wanted */
    size_t text_length;
    int has_text;
    char authzid[256];           /* of the logins that follow */
    char host[256];
    unsigned port;
    int line;                    /* in the file */
    int is_lenient;              /* the client may fail: then the server hangs up, and "=" lines do not count */
    int has_hung_up;
    int secure;
    int last_chunk_was_said;     /* BDAT n LAST */
    int dot_was_said;            /* or the last chunk */
    int dot_was_taken;           /* a 2yz came after the dot */
    int faults;
    char fault[400];             /* the first */
};

static inline void
dialogue_fault(struct dialogue *d, const char *what, const char *detail)
{
    const struct smtpc_error *error = smtpc_session_error(d->session);

    if (d->faults++ == 0)
        snprintf(d->fault, sizeof d->fault, "line %d: %.80s: %.100s [error %s: %.150s]", d->line, what, detail,
                 smtpc_error_kind_name(error->kind), error->text);
}

static inline int
dialogue_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Resolves escapes in place; returns the length. */
static inline size_t
dialogue_unescape(char *text)
{
    const char *in = text;
    char *out = text;

    while (*in != '\0') {
        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        in++;
        if (*in == 'x') {
            *out++ = (char)(dialogue_hex(in[1]) << 4 | dialogue_hex(in[2]));
            in += 2;
        } else
            *out++ = (char)(*in == 'r' ? '\r' : *in == 'n' ? '\n' : *in == '0' ? '\0' : *in);
        in++;
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* The next word; the rest begins behind its blank. "" at the end. */
static inline char *
dialogue_word(char **rest)
{
    char *word = *rest;
    char *blank = strchr(word, ' ');

    *rest = blank == NULL ? word + strlen(word) : blank + 1;
    if (blank != NULL)
        *blank = '\0';
    return word;
}

static inline size_t
dialogue_piece(struct dialogue *d, size_t n)
{
    size_t piece;

    if (d->cuts <= DIALOGUE_OCTETS)
        return d->cuts == DIALOGUE_WHOLE ? n : 1;
    d->cuts = d->cuts * 1664525u + 1013904223u;
    if (d->cuts <= DIALOGUE_OCTETS)
        d->cuts += 2;
    piece = 1 + (d->cuts >> 24) % ((d->cuts >> 20 & 1) ? 3 : 40);
    return piece < n ? piece : n;
}

/* Does what the session wants until it wants the server or the caller. */
static inline void
dialogue_pump(struct dialogue *d)
{
    for (;;) {
        enum smtpc_want want = smtpc_session_wants(d->session);
        const char *octets;
        size_t n;

        if (want == SMTPC_WANT_WRITE) {
            smtpc_session_output(d->session, &octets, &n);
            n = dialogue_piece(d, n);
            if (n > sizeof d->said - d->said_length) {
                dialogue_fault(d, "the client says too much", "");
                return;
            }
            memcpy(d->said + d->said_length, octets, n);
            d->said_length += n;
            smtpc_session_sent(d->session, n);
        } else if (want == SMTPC_WANT_CONTENT && d->has_text) {
            d->has_text = 0;
            if (smtpc_session_content(d->session, d->text, d->text_length) == 0)
                smtpc_session_end(d->session);
        } else
            return;
    }
}

static inline void
dialogue_feed(struct dialogue *d, const char *octets, size_t n)
{
    if (d->dot_was_said && octets[0] == '2')
        d->dot_was_taken = 1;
    d->last_chunk_was_said = 0;
    while (n > 0) {
        size_t piece = dialogue_piece(d, n);
        char *exact = malloc(piece);    /* so that a sanitizer sees whoever reads on */

        if (exact == NULL)
            abort();
        memcpy(exact, octets, piece);
        smtpc_session_feed(d->session, exact, piece);
        free(exact);
        dialogue_pump(d);
        octets += piece;
        n -= piece;
    }
}

static inline int
dialogue_submit(struct smtpc_session *s, struct dialogue *d, char *rest)
{
    char *text = strstr(rest, " : ");
    char *word;

    *text = '\0';
    strcpy(d->text, text + 3);
    d->text_length = dialogue_unescape(d->text);
    d->has_text = 1;
    word = dialogue_word(&rest);
    if (smtpc_session_open_envelope(s, word, dialogue_unescape(word), "") != 0)
        return -1;
    while (*rest != '\0') {
        word = dialogue_word(&rest);
        if (smtpc_session_add_recipient(s, word, dialogue_unescape(word), "") != 0)
            return -1;
    }
    return smtpc_session_submit(s);
}

static inline struct smtpc_sasl_login
dialogue_login(const struct dialogue *d, char *user, enum smtpc_sasl_credential credential, const char *wanted)
{
    struct smtpc_sasl_login login = login_of(user, dialogue_unescape(user), credential, wanted);

    login.authzid = text_of(d->authzid, strlen(d->authzid));
    login.host = d->host;
    login.port = d->port;
    return login;
}

static inline int
dialogue_auth(struct dialogue *d, enum smtpc_sasl_credential credential, char *rest)
{
    char *user = dialogue_word(&rest);
    char *secret = dialogue_word(&rest);
    size_t secret_length = dialogue_unescape(secret);
    struct smtpc_sasl_login login = dialogue_login(d, user, credential, rest);

    if (smtpc_session_auth(d->session, &login) != 0)
        return -1;
    return session_secret(d->session, secret, secret_length);
}

static inline int
dialogue_no_secret(struct dialogue *d, char *rest)
{
    const char *mechanism = dialogue_word(&rest);
    struct smtpc_sasl_login login = dialogue_login(d, rest, SMTPC_SASL_NO_SECRET, mechanism);

    return smtpc_session_auth(d->session, &login);
}

static inline void
dialogue_server(struct dialogue *d, char *rest)
{
    snprintf(d->host, sizeof d->host, "%s", dialogue_word(&rest));
    d->port = (unsigned)atoi(rest);
}

static inline void
dialogue_binding(struct smtpc_session *s, char *rest)
{
    struct smtpc_sasl_binding binding = {"", {0}, 0};

    snprintf(binding.name, sizeof binding.name, "%s", dialogue_word(&rest));
    for (; rest[0] != '\0' && rest[1] != '\0' && binding.length < sizeof binding.octets; rest += 2)
        binding.octets[binding.length++] = (unsigned char)(dialogue_hex(rest[0]) << 4 | dialogue_hex(rest[1]));
    smtpc_session_set_binding(s, &binding);
}

/* No initial response is none; "=" is one without octets. */
static inline int
dialogue_caller(struct smtpc_session *s, char *rest)
{
    const char *mechanism = dialogue_word(&rest);

    if (*rest == '\0')
        return smtpc_session_auth_by_caller(s, mechanism, NULL, 0);
    if (strcmp(rest, "=") == 0)
        return smtpc_session_auth_by_caller(s, mechanism, "", 0);
    return smtpc_session_auth_by_caller(s, mechanism, rest, dialogue_unescape(rest));
}

static inline int
dialogue_mail_or_rcpt(struct smtpc_session *s, int is_mail, char *rest)
{
    char *path = dialogue_word(&rest);
    size_t n = dialogue_unescape(path);

    dialogue_unescape(rest);
    return is_mail ? smtpc_session_mail(s, path, n, rest) : smtpc_session_rcpt(s, path, n, rest);
}

static inline int
dialogue_raw(struct smtpc_session *s, char *rest)
{
    char *verb = dialogue_word(&rest);
    size_t n;

    dialogue_unescape(verb);
    if (*rest == '\0')
        return smtpc_session_command(s, verb, "argument", NULL, 0);
    n = dialogue_unescape(rest);
    return smtpc_session_command(s, verb, "argument", rest, n);
}

static inline void
dialogue_tls(struct dialogue *d)
{
    if (smtpc_session_wants(d->session) != SMTPC_WANT_STARTTLS) {
        dialogue_fault(d, "the client does not want TLS", "");
        return;
    }
    d->secure = 1;
    smtpc_session_tls_started(d->session);
    smtpc_session_set_trusted(d->session, 1);
}

/* A line of the caller's that is about a login; 0: it is not. */
static inline int
dialogue_do_login(struct dialogue *d, const char *verb, char *rest)
{
    struct smtpc_session *s = d->session;

    if (strcmp(verb, "auth") == 0)
        dialogue_auth(d, SMTPC_SASL_PASSWORD, rest);
    else if (strcmp(verb, "token") == 0)
        dialogue_auth(d, SMTPC_SASL_TOKEN, rest);
    else if (strcmp(verb, "nosecret") == 0)
        dialogue_no_secret(d, rest);
    else if (strcmp(verb, "authzid") == 0)
        snprintf(d->authzid, sizeof d->authzid, "%.*s", (int)dialogue_unescape(rest), rest);
    else if (strcmp(verb, "server") == 0)
        dialogue_server(d, rest);
    else if (strcmp(verb, "binding") == 0)
        dialogue_binding(s, rest);
    else if (strcmp(verb, "caller") == 0)
        dialogue_caller(s, rest);
    else if (strcmp(verb, "respond") == 0)
        smtpc_session_respond(s, rest, dialogue_unescape(rest));
    else if (strcmp(verb, "cancel") == 0)
        smtpc_session_cancel(s, rest);
    else
        return 0;
    return 1;
}

/* A line of the caller's. */
static inline void
dialogue_do(struct dialogue *d, char *rest)
{
    struct smtpc_session *s = d->session;
    const char *verb = dialogue_word(&rest);
    size_t n;

    if (strcmp(verb, "chunk") == 0 || strcmp(verb, "last") == 0) {
        n = dialogue_unescape(rest);
        smtpc_session_bdat(s, rest, n, *verb == 'l');
    } else if (strcmp(verb, "ehlo") == 0 || strcmp(verb, "helo") == 0)
        smtpc_session_hello(s, rest, strlen(rest), *verb == 'e' ? SMTPC_HELLO_EHLO : SMTPC_HELLO_HELO);
    else if (strcmp(verb, "trusted") == 0)
        smtpc_session_set_trusted(s, 1);
    else if (strcmp(verb, "silence") == 0)
        smtpc_session_silence(s);
    else if (strcmp(verb, "hello") == 0) {
        n = dialogue_unescape(rest);
        smtpc_session_hello(s, rest, n, 0);
    } else if (strcmp(verb, "starttls") == 0)
        smtpc_session_starttls(s);
    else if (strcmp(verb, "tls") == 0)
        dialogue_tls(d);
    else if (strcmp(verb, "mail") == 0 || strcmp(verb, "rcpt") == 0)
        dialogue_mail_or_rcpt(s, *verb == 'm', rest);
    else if (strcmp(verb, "data") == 0)
        smtpc_session_data(s);
    else if (strcmp(verb, "content") == 0) {
        n = dialogue_unescape(rest);
        smtpc_session_content(s, rest, n);
    } else if (strcmp(verb, "end") == 0)
        smtpc_session_end(s);
    else if (strcmp(verb, "reset") == 0)
        smtpc_session_reset(s);
    else if (strcmp(verb, "noop") == 0)
        smtpc_session_noop(s);
    else if (strcmp(verb, "quit") == 0)
        smtpc_session_quit(s);
    else if (strcmp(verb, "raw") == 0)
        dialogue_raw(s, rest);
    else if (strcmp(verb, "submit") == 0)
        dialogue_submit(s, d, rest);
    else if (!dialogue_do_login(d, verb, rest) && strcmp(verb, "open") != 0)
        dialogue_fault(d, "unknown verb", verb);
    dialogue_pump(d);
}

/* A line that the client must have said, or one that begins so. */
static inline void
dialogue_expect(struct dialogue *d, char *line, int only_begins)
{
    size_t n = dialogue_unescape(line);
    const char *lf = memchr(d->said, '\n', d->said_length);
    size_t said = lf == NULL ? 0 : (size_t)(lf + 1 - d->said);

    if (said < n + 2 || (said > n + 2 && !only_begins) || memcmp(d->said, line, n) != 0
        || memcmp(d->said + said - 2, "\r\n", 2) != 0) {
        d->said[said < sizeof d->said ? said : sizeof d->said - 1] = '\0';
        if (d->is_lenient)
            d->has_hung_up = 1;
        else
            dialogue_fault(d, lf == NULL ? "the client said nothing" : "the client said", d->said);
        return;
    }
    d->last_chunk_was_said |= n > 10 && memcmp(line, "BDAT ", 5) == 0 && memcmp(line + n - 5, " LAST", 5) == 0;
    d->dot_was_said = d->last_chunk_was_said || (n == 1 && line[0] == '.');
    d->said_length -= said;
    memmove(d->said, d->said + said, d->said_length);
}

static inline const struct smtpc_recipient *
dialogue_recipient(const struct smtpc_session *s, const char *path)
{
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);
    size_t i;

    for (i = 0; i < envelope->count; i++)
        if (strcmp(envelope->recipients[i].path, path) == 0)
            return &envelope->recipients[i];
    return NULL;
}

static inline const char *
dialogue_number(int number)
{
    static char text[16];

    snprintf(text, sizeof text, "%d", number);
    return text;
}

/* What the caller's mechanism is to answer, with escapes; NULL: it is not its turn. */
static inline const char *
dialogue_challenge(const struct smtpc_session *s)
{
    static char text[1024];
    const char *octets;
    size_t n, i, used = 0;

    if (smtpc_session_wants(s) != SMTPC_WANT_RESPONSE)
        return NULL;
    smtpc_session_challenge(s, &octets, &n);
    text[0] = '\0';
    for (i = 0; i < n && used < sizeof text - 5; i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 octets[i] >= ' ' && octets[i] <= '~' && octets[i] != '\\' ? "%c" : "\\x%02x",
                                 (unsigned char)octets[i]);
    return text;
}

/* What the key is worth now; NULL: there is none. */
static inline const char *
dialogue_value(const struct dialogue *d, const char *key, char **rest)
{
    struct smtpc_session *s = d->session;
    const struct smtpc_recipient *recipient;

    if (strcmp(key, "failed") == 0)
        return smtpc_error_kind_name(smtpc_session_error(s)->kind);
    if (strcmp(key, "text") == 0)
        return strstr(smtpc_session_error(s)->text, *rest) != NULL ? *rest : smtpc_session_error(s)->text;
    if (strcmp(key, "code") == 0)
        return dialogue_number(smtpc_session_reply(s)->code);
    if (strcmp(key, "enhanced") == 0)
        return smtpc_session_reply(s)->enhanced;
    if (strcmp(key, "mechanism") == 0)
        return smtpc_session_mechanism(s);
    if (strcmp(key, "challenge") == 0)
        return dialogue_challenge(s);
    if (strcmp(key, "maybe-sent") == 0)
        return dialogue_number(smtpc_session_error(s)->may_have_been_sent);
    if (strcmp(key, "cap") == 0)
        return smtpc_ehlo_find(smtpc_session_ehlo(s), dialogue_word(rest));
    if (strcmp(key, "nocap") == 0)
        return smtpc_ehlo_find(smtpc_session_ehlo(s), *rest) == NULL ? *rest : NULL;
    if (strcmp(key, "outcome") == 0) {
        recipient = dialogue_recipient(s, dialogue_word(rest));
        return recipient == NULL ? NULL : smtpc_outcome_name(recipient->outcome);
    }
    if (strcmp(key, "idle") == 0)
        return smtpc_session_wants(s) == SMTPC_WANT_IDLE ? "" : NULL;
    if (strcmp(key, "closed") == 0)
        return smtpc_session_wants(s) == SMTPC_WANT_CLOSED ? "" : NULL;
    return strcmp(key, "secure") == 0 && d->secure ? "" : NULL;
}

static inline void
dialogue_must(struct dialogue *d, char *rest)
{
    const char *key = dialogue_word(&rest);
    const char *value = dialogue_value(d, key, &rest);

    if (value == NULL || strcmp(value, rest) != 0)
        dialogue_fault(d, key, value == NULL ? "not so" : value);
}

static inline void
dialogue_hear(struct dialogue *d, char *line)
{
    size_t n = dialogue_unescape(line);

    memcpy(line + n, "\r\n", 2);
    dialogue_feed(d, line, n + 2);
}

static inline void
dialogue_line(struct dialogue *d, char *line)
{
    char *rest = line + (line[1] == ':' && line[2] != ' ' ? 2 : line[0] == '=' ? 2 : 3);

    if (line[0] == '=') {
        if (!d->is_lenient)
            dialogue_must(d, rest);
        return;
    }
    if (line[0] != 'C' && d->said_length > 0 && !d->is_lenient) {
        d->said[d->said_length < sizeof d->said ? d->said_length : sizeof d->said - 1] = '\0';
        dialogue_fault(d, "the client should not have said", d->said);
        d->said_length = 0;
    }
    if (line[0] == 'C')
        dialogue_expect(d, rest, line[1] == '^');
    else if (line[0] == 'S')
        dialogue_hear(d, rest);
    else if (line[0] == 'D')
        dialogue_do(d, rest);
    else {
        d->said_length = 0;
        smtpc_session_feed(d->session, NULL, 0);
    }
}

/* Plays the file from here to its end; the session is there, and still there afterwards. The number of faults. */
static inline int
dialogue_play(struct dialogue *d, const char *path)
{
    static char line[DIALOGUE_LINE];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        dialogue_fault(d, "cannot be read", path);
        return d->faults;
    }
    d->line = 0;
    while (!d->has_hung_up && fgets(line, sizeof line - 2, file) != NULL) {
        d->line++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            dialogue_line(d, line);
    }
    if (d->said_length > 0 && !d->is_lenient)
        dialogue_fault(d, "the client says more at the end", "");
    if (d->has_hung_up)
        smtpc_session_feed(d->session, NULL, 0);
    fclose(file);
    return d->faults;
}

#endif
