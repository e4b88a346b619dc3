/* fuzz_session: the fuzzer plays the server and the caller; the session may not lie, show the secret, grow or hang.
 *
 * Several messages may be under way; those of "u" are known by their numbers (fuzz_wire.h).
 *
 * Input: lines. "D" is the caller's: a letter for the operation, then its argument; with a backslash at the end what
 * is said then waits. "S": the server says this, with CRLF; "s": without; "N": 334 with base64 of "r=", the client's
 * nonce and this. "<" and an octet: that many octets of output leave, else all do. "E": the server closes. "!" in
 * front: the line is trusted. */
#include "leak.h"
#include "fuzz_wire.h"

#include "codec/base64.h"
#include "smtp/session.h"

enum { SAID_MAX = 4096, CONTEXT = 256, OUTPUT_MAX = 524288, STEPS_MAX = 4000, NONCE_MAX = 64, ITERATIONS_MAX = 20 };

struct play {
    struct smtpc_session *session;
    char tail[SAID_MAX];         /* the last octets that were handed over */
    size_t tail_length;
    int trusted;
    int may_show;                /* the secret: the line was trusted when the login began, or the input knows it */
    int is_known;
    int dot_is_out;              /* the last thing that was handed over is the end of a message */
    int last_chunk_waits;        /* BDAT LAST was begun, and not all of it was handed over */
    int taken;                   /* then a whole 2yz began and ended */
    size_t sent;                 /* recipients to whom the message was sent, so far */
    struct smtpc_reply reply;    /* what the server says, read once more by a parser of our own */
    int reply_began_after_dot;
    int is_in;                   /* somebody was logged in when last looked at */
    int is_callers;              /* the last login was by the caller's mechanism */
    int was_let_in;              /* a whole 2yz was read since the last login began */
    char nonce[NONCE_MAX];       /* of SCRAM, the client's */
    struct wire wire;
    unsigned begun;              /* submissions so far, by number */
    unsigned told;               /* the number of the one that was found to be over last */
    unsigned told_count;
    int may_be_untold;           /* the caller has had no window for a while, or led a message himself */
};

/* "AUTH SCRAM-... base64" or the base64 alone: what stands behind the last ",r=". */
static void
note_nonce(struct play *p, const char *octets, size_t n)
{
    struct smtpc_buffer text;
    size_t where, i = n > 2 ? n - 2 : 0;

    while (i > 0 && octets[i - 1] > ' ')
        i--;
    smtpc_buffer_init(&text, SAID_MAX);
    if (n > 2 && smtpc_base64_decode(octets + i, n - 2 - i, &text, &where) == SMTPC_BASE64_OK)
        for (i = 3; i < text.length; i++)
            if (memcmp(text.bytes + i - 3, ",r=", 3) == 0 && text.length - i < NONCE_MAX) {
                memcpy(p->nonce, text.bytes + i, text.length - i);
                p->nonce[text.length - i] = '\0';
            }
    smtpc_buffer_clear(&text);
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
    keep = p->tail_length > CONTEXT ? CONTEXT : p->tail_length;
    memmove(p->tail, p->tail + p->tail_length - keep, keep);
    memcpy(p->tail + keep, octets, n);
    p->tail_length = keep + n;
    p->dot_is_out = p->tail_length >= 5 && memcmp(p->tail + p->tail_length - 5, "\r\n.\r\n", 5) == 0;
    if (p->dot_is_out)
        p->taken = 0;
    note_nonce(p, p->tail, p->tail_length);
    must(p->may_show || !leaks(p->tail, p->tail_length));
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
    wire_say(&p->wire, octets, n);
    smtpc_session_sent(p->session, n);
    smtpc_session_output(p->session, &octets, &n);
    if (p->last_chunk_waits && n == 0 && smtpc_session_wants(p->session) != SMTPC_WANT_CLOSED) {
        p->dot_is_out = 1;
        p->last_chunk_waits = p->taken = 0;
    }
}

/* What is queued is the length, and that many octets as they were. */
static void
chunk(struct play *p, int last, const char *octets, size_t n)
{
    char line[40];
    const char *queued;
    size_t length, head = (size_t)snprintf(line, sizeof line, "BDAT %zu%s\r\n", n, last ? " LAST" : "");

    if (smtpc_session_bdat(p->session, octets, n, last) != 0)
        return;
    smtpc_session_output(p->session, &queued, &length);
    must(length == head + n && memcmp(queued, line, head) == 0 && memcmp(queued + head, octets, n) == 0);
    p->last_chunk_waits = last;
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
            p->was_let_in |= smtpc_reply_class(&p->reply) == 2;
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

/* Only a 2yz makes a login, and SCRAM wants a proof as well, which no fuzzer can give. */
static void
check_login(struct play *p)
{
    const char *mechanism = smtpc_session_mechanism(p->session);
    enum smtpc_want want = smtpc_session_wants(p->session);

    must(mechanism == NULL || (want != SMTPC_WANT_SECRET && want != SMTPC_WANT_RESPONSE));
    must(mechanism == NULL || p->is_in || p->was_let_in);
    must(mechanism == NULL || p->is_callers || strncmp(mechanism, "SCRAM", 5) != 0);
    p->is_in = mechanism != NULL;
}

static void
check(struct play *p)
{
    struct smtpc_session *s = p->session;
    const struct smtpc_envelope *envelope = smtpc_session_envelope(s);
    const struct smtpc_error *error = smtpc_session_error(s);
    enum smtpc_want want = smtpc_session_wants(s);
    size_t sent = smtpc_envelope_count(envelope, SMTPC_OUTCOME_SENT);
    int is_whole = wire_number(smtpc_session_submission(s)) > 0;
    size_t i;

    must(sent <= p->sent || p->taken || is_whole);
    p->sent = sent;
    wire_check(&p->wire, smtpc_session_submission(s));
    must(strlen(error->text) < SMTPC_ERROR_TEXT_MAX && smtpc_session_step(s) != NULL);
    must(p->is_known || !leaks(error->text, strlen(error->text)));
    for (i = 0; i < envelope->count; i++) {
        enum smtpc_outcome outcome = envelope->recipients[i].outcome;

        must(outcome != SMTPC_OUTCOME_UNKNOWN || is_whole
             || (p->dot_is_out && error->may_have_been_sent));
        must(want != SMTPC_WANT_CLOSED || outcome > SMTPC_OUTCOME_ACCEPTED);
        must(outcome <= SMTPC_OUTCOME_ACCEPTED || envelope->recipients[i].step != NULL);
    }
    check_login(p);
}

static void
feed(struct play *p, const char *octets, size_t n)
{
    char *exact = malloc(n);

    must(exact != NULL);
    memcpy(exact, octets, n);
    read_along(p, exact, n);
    p->wire.is_lost |= smtpc_session_wants(p->session) == SMTPC_WANT_CLOSED;
    wire_hear(&p->wire, exact, n);
    smtpc_session_feed(p->session, exact, n);
    free(exact);
    check(p);
}

static void
feed_line(struct play *p, const char *line, size_t n)
{
    char *text = malloc(n + 2);

    must(text != NULL);
    if (n > 0)
        memcpy(text, line, n);
    memcpy(text + n, "\r\n", 2);
    feed(p, text, n + 2);
    free(text);
}

static void
feed_nonce(struct play *p, const char *rest, size_t n)
{
    struct smtpc_buffer message, line;

    smtpc_buffer_init(&message, SIZE_MAX);
    smtpc_buffer_init(&line, SIZE_MAX);
    must(smtpc_buffer_append_string(&message, "r=") == 0 && smtpc_buffer_append_string(&message, p->nonce) == 0
         && smtpc_buffer_append(&message, rest, n) == 0 && smtpc_buffer_append_string(&line, "334 ") == 0
         && smtpc_base64_encode(message.bytes, message.length, &line) == 0);
    feed_line(p, line.bytes, line.length);
    smtpc_buffer_clear(&message);
    smtpc_buffer_clear(&line);
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
    char sender[32];

    snprintf(sender, sizeof sender, "u%u" WIRE_HOST, p->begun + 1);
    if (p->begun + 1 >= WIRE_MESSAGES || smtpc_session_open_envelope(s, sender, strlen(sender), "") != 0)
        return;
    p->begun++;
    for (i = 0; i < count; i++)
        smtpc_session_add_recipient(s, "b@y", 3, i == 3 ? "NOTIFY=NEVER" : "");
    if (n > 1)
        smtpc_session_add_recipient(s, argument + 1, n - 1, "");
    if (smtpc_session_submit(s) != 0 && smtpc_session_wants(s) == SMTPC_WANT_IDLE)
        for (i = 0; i < smtpc_session_envelope(s)->count; i++)
            must(smtpc_session_envelope(s)->recipients[i].outcome == SMTPC_OUTCOME_NOT_SENT);
}

/* Each submission once, in its turn, with what became of it. */
static void
look_at_finished(struct play *p)
{
    const struct smtpc_submission *over = smtpc_session_finished(p->session);
    size_t i;

    if (over == NULL)
        return;
    must(over->is_over && over->awaited == 0 && wire_number(over) > p->told);
    p->told = wire_number(over);
    p->told_count++;
    wire_check(&p->wire, over);
    must(p->is_known || !leaks(over->error.text, strlen(over->error.text)));
    must(smtpc_error_is_set(&over->error) || smtpc_envelope_count(&over->envelope, SMTPC_OUTCOME_SENT) > 0);
    must(!over->error.may_have_been_sent == (smtpc_envelope_count(&over->envelope, SMTPC_OUTCOME_UNKNOWN) == 0));
    for (i = 0; i < over->envelope.count; i++)
        must(over->envelope.recipients[i].outcome > SMTPC_OUTCOME_ACCEPTED);
    smtpc_session_drop_finished(p->session);
}

static void
set_window(struct play *p, size_t n)
{
    smtpc_session_set_window(p->session, n);
    if (p->begun == 0)
        p->may_be_untold = n == 0;
    p->may_be_untold |= n == 0;
}

static void
set_lmtp(struct play *p)
{
    if (smtpc_session_ehlo(p->session)->count > 0 || p->begun > 0)
        return;
    smtpc_session_set_lmtp(p->session, 1);
    p->wire.lmtp = 1;
}

static void
silence(struct play *p)
{
    if (smtpc_session_patience(p->session) == SMTPC_PATIENCE_GRACE && !p->wire.is_lost)
        wire_hear_silence(&p->wire);
    smtpc_session_silence(p->session);
}

static void
begin_login(struct play *p, int is_callers)
{
    p->may_show = p->trusted || p->is_known;
    p->tail_length = 0;
    p->was_let_in = 0;
    p->is_callers = is_callers;
}

/* The argument is what is wanted; for who has no secret, one mechanism and a user name. */
static void
log_in(struct play *p, enum smtpc_sasl_credential credential, const char *argument, size_t n)
{
    const char *blank = credential == SMTPC_SASL_NO_SECRET ? memchr(argument, ' ', n) : NULL;
    size_t length = blank == NULL ? n : (size_t)(blank - argument);
    char *wanted = string_of(argument, length);
    struct smtpc_sasl_login login = {{"demo", 4, NULL, 0, NULL}, credential, wanted, {"", 0, NULL, 0, NULL},
                                     "mail.example", 587, 1, ITERATIONS_MAX};

    if (blank != NULL) {
        login.user.octets = blank + 1;
        login.user.length = n - length - 1;
    }
    if (smtpc_session_auth(p->session, &login) == 0)
        begin_login(p, 0);
    free(wanted);
}

static void
give_secret(struct play *p, int is_unprepared)
{
    struct smtpc_sasl_text secret = {leak_secret, sizeof leak_secret - 1, NULL, 0, is_unprepared ? "no" : NULL};

    smtpc_session_secret(p->session, &secret);
}

/* NAME, or NAME and a blank and its initial response. What the caller says is not ours to judge. */
static void
log_in_by_caller(struct play *p, const char *argument, size_t n)
{
    const char *blank = memchr(argument, ' ', n);
    size_t length = blank == NULL ? n : (size_t)(blank - argument);
    char *mechanism = string_of(argument, length);
    int result = smtpc_session_auth_by_caller(p->session, mechanism, blank == NULL ? NULL : blank + 1,
                                              blank == NULL ? 0 : n - length - 1);

    if (result == 0)
        begin_login(p, 1);
    free(mechanism);
}

static void
respond(struct play *p, const char *argument, size_t n)
{
    const char *challenge;
    size_t length;

    smtpc_session_challenge(p->session, &challenge, &length);
    must(length == 0 || smtpc_session_wants(p->session) == SMTPC_WANT_RESPONSE
         || smtpc_session_finished(p->session) != NULL);
    smtpc_session_respond(p->session, argument, n);
}

static void
cancel(struct play *p, const char *argument, size_t n)
{
    char *why = string_of(argument, n);

    smtpc_session_cancel(p->session, why);
    free(why);
}

static void
set_binding(struct play *p, const char *argument, size_t n)
{
    struct smtpc_sasl_binding binding = {"tls-exporter", {0}, 0};

    binding.length = n < sizeof binding.octets ? n : sizeof binding.octets;
    if (binding.length > 0)
        memcpy(binding.octets, argument, binding.length);
    smtpc_session_set_binding(p->session, binding.length > 0 ? &binding : NULL);
}

static void
mail_or_rcpt(struct play *p, int is_mail, const char *argument, size_t n)
{
    const char *blank = memchr(argument, ' ', n);
    size_t path = blank == NULL ? n : (size_t)(blank - argument);
    char *parameters;

    if (is_mail && n > 0 && argument[0] == 'u')
        return;    /* not to be taken for one of ours */
    parameters = string_of(argument + path + (blank != NULL), n - path - (blank != NULL));

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

    if (strcmp(verb, "BDAT") != 0 && strcmp(verb, "MAIL") != 0 && strcmp(verb, "DATA") != 0)
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
    p->may_be_untold |= operation != '\0' && strchr("mrdRelT", operation) != NULL;
    switch (operation) {
    case 'h': smtpc_session_hello(s, argument, n, (enum smtpc_hello)(n % 3)); break;
    case 't': smtpc_session_starttls(s); break;
    case 'T': tls_started(p); break;
    case 'a': log_in(p, SMTPC_SASL_PASSWORD, argument, n); break;
    case 'k': log_in(p, SMTPC_SASL_TOKEN, argument, n); break;
    case 'X': log_in(p, SMTPC_SASL_NO_SECRET, argument, n); break;
    case 'p': case 'P': give_secret(p, operation == 'P'); break;
    case 'g': log_in_by_caller(p, argument, n); break;
    case 'G': respond(p, argument, n); break;
    case 'C': cancel(p, argument, n); break;
    case 'b': set_binding(p, argument, n); break;
    case 'm': case 'r': mail_or_rcpt(p, operation == 'm', argument, n); break;
    case 'd': smtpc_session_data(s); break;
    case 'c': smtpc_session_content(s, argument, n); break;
    case '.': smtpc_session_end(s); break;
    case 'e': case 'l': chunk(p, operation == 'l', argument, n); break;
    case 'R': smtpc_session_reset(s); break;
    case 'n': smtpc_session_noop(s); break;
    case 'q': smtpc_session_quit(s); break;
    case 'x': command(p, argument, n); break;
    case 'u': submit(p, argument, n); break;
    case 'L': smtpc_session_set_pipelining(s, n % 2 == 1); break;
    case 'z': silence(p); break;
    case 'w': set_window(p, n); break;
    case 'f': look_at_finished(p); break;
    case 'M': smtpc_session_set_manner(s, (enum smtpc_manner)(n % 3)); break;
    case 'A': smtpc_session_set_all_or_none(s, n % 2 == 1); break;
    case 'V': set_lmtp(p); break;
    case 'y': smtpc_session_set_early(s, n % 2 == 1); break;
    case 'B': smtpc_session_drop_content(s, "dropped"); break;
    case 'F': fail(p); break;
    default: break;
    }
    if (in_content && operation != '\0' && strchr("htakXgmrdRnqxuel", operation) != NULL)
        must(smtpc_session_wants(s) == SMTPC_WANT_CLOSED);
    if (strchr("cel.B", operation) == NULL && smtpc_session_wants(s) != SMTPC_WANT_CLOSED)
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
    if (n == 0)
        return;
    if (line[0] == 'E')
        smtpc_session_feed(p->session, NULL, 0);
    else if (n >= 2 && line[0] == 'S')
        feed_line(p, line + 1, n - 1);
    else if (line[0] == 'N' && p->nonce[0] != '\0')
        feed_nonce(p, line + 1, n - 1);
    else if (n >= 2 && line[0] == 's')
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

    play.may_show = play.is_known = leaks(text, size);
    play.session = smtpc_session_new();
    must(play.session != NULL);
    smtpc_reply_init(&play.reply);
    wire_init(&play.wire);
    play.may_be_untold = 1;    /* until there is a window */
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
    for (steps = 0; steps < SMTPC_SESSION_QUEUE_MAX && smtpc_session_finished(play.session) != NULL; steps++)
        look_at_finished(&play);
    must(play.may_be_untold || play.told_count == play.begun);
    while (smtpc_trace_take(smtpc_session_trace(play.session), &entry))
        must(play.is_known || !leaks(entry.text, entry.length));
    smtpc_session_free(play.session);
    smtpc_reply_clear(&play.reply);
    smtpc_reply_clear(&play.wire.reply);
    return 0;
}
