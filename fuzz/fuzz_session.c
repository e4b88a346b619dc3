/* fuzz_session: the fuzzer plays the server and the caller; the session may not lie, show the secret, grow or hang.
 *
 * Input: lines. "D" is the caller's: a letter for the operation, then its argument; with a backslash at the end what
 * is said then waits. "S": the server says this, with CRLF; "s": without. "<" and an octet: that many octets of
 * output leave, else all do. "E": the server closes. "!" in front: the line is trusted. */
#include "oracle.h"
#include "smtp/session.h"

/* In clear text, and the middle of its base64 behind 0, 1 and 2 other octets. */
static const char secret[] = "Tr0ub4dor-ampersand-3";
static const char *const shapes[] = {secret, "VHIwdWI0ZG9yLWFt", "RyMHViNGRvci1hbX", "UcjB1YjRkb3ItYW"};

enum { SAID_MAX = 4096, OUTPUT_MAX = 524288, STEPS_MAX = 4000 };

struct play {
    struct smtpc_session *session;
    char tail[SAID_MAX];         /* the last octets that were handed over */
    size_t tail_length;
    int trusted;
    int may_show;                /* the secret: the line was trusted when the login began, or the input knows it */
    int is_known;
    int dot_is_out;              /* the last thing that was handed over is the end of a message */
    int taken;                   /* then a whole 2yz began and ended */
    size_t sent;                 /* recipients to whom the message was sent, so far */
    struct smtpc_reply reply;    /* what the server says, read once more by a parser of our own */
    int reply_began_after_dot;
};

static int
contains(const char *octets, size_t n, const char *part)
{
    size_t length = strlen(part);
    size_t i;

    for (i = 0; i + length <= n; i++)
        if (memcmp(octets + i, part, length) == 0)
            return 1;
    return 0;
}

static int
shows_secret(const char *octets, size_t n)
{
    size_t i;

    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (contains(octets, n, shapes[i]))
            return 1;
    return 0;
}

static void
note_said(struct play *p, const char *octets, size_t n)
{
    size_t keep;

    if (n == 0)
        return;
    if (n >= SAID_MAX / 2) {
        octets += n - SAID_MAX / 2;
        n = SAID_MAX / 2;
        p->tail_length = 0;
    }
    keep = p->tail_length > SAID_MAX / 2 ? SAID_MAX / 2 : p->tail_length;
    memmove(p->tail, p->tail + p->tail_length - keep, keep);
    memcpy(p->tail + keep, octets, n);
    p->tail_length = keep + n;
    p->dot_is_out = p->tail_length >= 5 && memcmp(p->tail + p->tail_length - 5, "\r\n.\r\n", 5) == 0;
    if (p->dot_is_out)
        p->taken = 0;
    must(p->may_show || !shows_secret(p->tail, p->tail_length));
}

static void
take(struct play *p, size_t most)
{
    const char *octets;
    size_t n;

    smtpc_session_output(p->session, &octets, &n);
    must(n <= OUTPUT_MAX);
    n = n < most ? n : most;
    note_said(p, octets, n);
    smtpc_session_sent(p->session, n);
}

/* Our own view of the replies: did a whole 2yz follow the dot? */
static void
read_along(struct play *p, const char *octets, size_t n)
{
    size_t used;

    while (n > 0) {
        if (smtpc_reply_is_empty(&p->reply))
            p->reply_began_after_dot = p->dot_is_out;
        switch (smtpc_reply_feed(&p->reply, octets, n, &used)) {
        case SMTPC_REPLY_DONE:
            if (p->reply_began_after_dot && smtpc_reply_class(&p->reply) == 2)
                p->taken = 1;
            smtpc_reply_reset(&p->reply);
            break;
        case SMTPC_REPLY_BAD:
            return;
        case SMTPC_REPLY_MORE:
            break;
        }
        octets += used;
        n -= used;
    }
}

static void
check(struct play *p)
{
    struct smtpc_session *s = p->session;
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);
    const struct smtpc_error *error = smtpc_session_error(s);
    enum smtpc_want want = smtpc_session_wants(s);
    size_t sent = smtpc_envelope_count(envelope, SMTPC_OUTCOME_SENT);
    size_t i;

    must(sent <= p->sent || p->taken);
    p->sent = sent;
    must(strlen(error->text) < SMTPC_ERROR_TEXT_MAX && smtpc_session_step(s) != NULL);
    must(p->is_known || !shows_secret(error->text, strlen(error->text)));
    for (i = 0; i < envelope->count; i++) {
        enum smtpc_outcome outcome = envelope->recipients[i].outcome;

        must(outcome != SMTPC_OUTCOME_UNKNOWN || (p->dot_is_out && error->may_have_been_sent));
        must(want != SMTPC_WANT_CLOSED || outcome > SMTPC_OUTCOME_ACCEPTED);
        must(outcome <= SMTPC_OUTCOME_ACCEPTED || envelope->recipients[i].step != NULL);
    }
    must(!smtpc_session_mechanism(s) || want != SMTPC_WANT_SECRET);
}

static void
feed(struct play *p, const char *octets, size_t n)
{
    char *exact = malloc(n);

    must(exact != NULL);
    memcpy(exact, octets, n);
    read_along(p, exact, n);
    smtpc_session_feed(p->session, exact, n);
    free(exact);
    check(p);
}

static char *
string_of(const char *octets, size_t n)
{
    char *string = malloc(n + 1);

    must(string != NULL);
    memcpy(string, octets, n);
    string[n] = '\0';
    return string;
}

/* No command line that the session queued holds what ends a line before its end; binary data follow AUTH only. */
static void
check_lines(struct play *p, size_t before)
{
    const char *octets;
    size_t n, i;

    smtpc_session_output(p->session, &octets, &n);
    for (i = before; i < n; i++) {
        must(octets[i] != '\0');
        must(octets[i] != '\n' || (i > before && octets[i - 1] == '\r'));
        must(octets[i] != '\r' || (i + 1 < n && octets[i + 1] == '\n'));
    }
}

static void
submit(struct play *p, const char *argument, size_t n)
{
    struct smtpc_session *s = p->session;
    size_t i, count = n > 0 ? (unsigned char)argument[0] % 130 : 1;

    if (smtpc_session_open_envelope(s, "a@x", 3, "") != 0)
        return;
    for (i = 0; i < count; i++)
        smtpc_session_add_recipient(s, "b@y", 3, i == 3 ? "NOTIFY=NEVER" : "");
    if (n > 1)
        smtpc_session_add_recipient(s, argument + 1, n - 1, "");
    if (smtpc_session_submit(s) != 0 && smtpc_session_wants(s) == SMTPC_WANT_IDLE)
        for (i = 0; i < smtpc_session_envelope(s)->count; i++)
            must(smtpc_session_envelope(s)->recipients[i].outcome == SMTPC_OUTCOME_NOT_SENT);
}

static void
log_in(struct play *p, const char *argument, size_t n)
{
    char *wanted = string_of(argument, n);

    if (smtpc_session_auth(p->session, "demo", 4, wanted) == 0) {
        p->may_show = p->trusted || p->is_known;
        p->tail_length = 0;
    }
    free(wanted);
}

static void
mail_or_rcpt(struct play *p, int is_mail, const char *argument, size_t n)
{
    const char *blank = memchr(argument, ' ', n);
    size_t path = blank == NULL ? n : (size_t)(blank - argument);
    char *parameters = string_of(argument + path + (blank != NULL), n - path - (blank != NULL));

    if (is_mail)
        smtpc_session_mail(p->session, argument, path, parameters);
    else
        smtpc_session_rcpt(p->session, argument, path, parameters);
    free(parameters);
}

static void
command(struct play *p, const char *argument, size_t n)
{
    const char *blank = memchr(argument, ' ', n);
    size_t length = blank == NULL ? n : (size_t)(blank - argument);
    char *verb = string_of(argument, length);

    smtpc_session_command(p->session, verb, "argument", blank == NULL ? NULL : blank + 1,
                          blank == NULL ? 0 : n - length - 1);
    free(verb);
}

static void
tls_started(struct play *p)
{
    if (smtpc_session_wants(p->session) != SMTPC_WANT_STARTTLS)
        return;
    smtpc_session_tls_started(p->session);
    must(smtpc_session_wants(p->session) == SMTPC_WANT_IDLE);
    must(smtpc_ehlo_find(smtpc_session_ehlo(p->session), "AUTH") == NULL);
    smtpc_session_set_trusted(p->session, 1);
    p->trusted = 1;
}

static void
fail(struct play *p)
{
    struct smtpc_error error = {0};

    smtpc_error_set(&error, SMTPC_ERROR_TIMEOUT, "given up");
    smtpc_session_fail(p->session, &error);
    must(smtpc_session_wants(p->session) == SMTPC_WANT_CLOSED);
}

static void
operate(struct play *p, char operation, const char *argument, size_t n)
{
    struct smtpc_session *s = p->session;
    const char *octets;
    size_t before;
    int in_content = smtpc_session_in_content(s);

    smtpc_session_output(s, &octets, &before);
    switch (operation) {
    case 'h': smtpc_session_hello(s, argument, n, n % 2 == 1); break;
    case 't': smtpc_session_starttls(s); break;
    case 'T': tls_started(p); break;
    case 'a': log_in(p, argument, n); break;
    case 'p': smtpc_session_secret(s, secret, sizeof secret - 1); break;
    case 'm': case 'r': mail_or_rcpt(p, operation == 'm', argument, n); break;
    case 'd': smtpc_session_data(s); break;
    case 'c': smtpc_session_content(s, argument, n); break;
    case '.': smtpc_session_end(s); break;
    case 'R': smtpc_session_reset(s); break;
    case 'n': smtpc_session_noop(s); break;
    case 'q': smtpc_session_quit(s); break;
    case 'x': command(p, argument, n); break;
    case 'u': submit(p, argument, n); break;
    case 'L': smtpc_session_set_pipelining(s, n % 2 == 1); break;
    case 'z': smtpc_session_silence(s); break;
    case 'F': fail(p); break;
    default: break;
    }
    if (in_content && strchr("c.LzFTp", operation) == NULL && strchr("htamrdRnqxu", operation) != NULL)
        must(smtpc_session_wants(s) == SMTPC_WANT_CLOSED);
    if (operation != 'c' && smtpc_session_wants(s) != SMTPC_WANT_CLOSED)
        check_lines(p, before);
    check(p);
}

static void
read_line(struct play *p, const char *line, size_t n)
{
    if (n >= 2 && line[0] == '<') {
        take(p, (size_t)(unsigned char)line[1]);
        return;
    }
    if (n >= 1 && line[0] == 'E')
        smtpc_session_feed(p->session, NULL, 0);
    else if (n >= 2 && line[0] == 'S') {
        char *text = malloc(n + 1);

        must(text != NULL);
        memcpy(text, line + 1, n - 1);
        memcpy(text + n - 1, "\r\n", 2);
        feed(p, text, n + 1);
        free(text);
    } else if (n >= 2 && line[0] == 's')
        feed(p, line + 1, n - 1);
    else if (n >= 2 && line[0] == 'D') {
        operate(p, line[1], line + 2, n - 2);
        if (n >= 3 && line[n - 1] == '\\')
            return;    /* what was said stays for a while */
    } else
        return;
    take(p, SIZE_MAX);
    check(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nothing[] = "";
    struct play play = {0};
    const char *text = size > 0 ? (const char *)data : nothing;
    struct smtpc_trace_entry entry;
    int steps;

    play.may_show = play.is_known = shows_secret(text, size);
    play.session = smtpc_session_new();
    must(play.session != NULL);
    smtpc_reply_init(&play.reply);
    if (size > 0 && text[0] == '!') {
        smtpc_session_set_trusted(play.session, 1);
        play.trusted = 1;
    }
    smtpc_session_trace(play.session)->wanted = 1;
    for (steps = 0; size > 0 && steps < STEPS_MAX; steps++) {
        const char *lf = memchr(text, '\n', size);
        size_t n = lf == NULL ? size : (size_t)(lf - text);

        read_line(&play, text, n);
        size -= n < size ? n + 1 : n;
        text += n + 1;
    }
    fail(&play);
    check(&play);
    while (smtpc_trace_take(smtpc_session_trace(play.session), &entry))
        must(play.is_known || !shows_secret(entry.text, entry.length));
    smtpc_session_free(play.session);
    smtpc_reply_clear(&play.reply);
    return 0;
}
