/* test_command: lines as they should be, every octet at every kind of argument, the limits. */
#include "tap.h"

#include "codec/command.h"

enum kind { ARGUMENT, PATH, PARAMETER };

struct result {
    struct smtpc_buffer out;
    struct smtpc_error error;
    int status;
};

/* "X" and one argument, behind a line that stands there already. */
static void
write_line(struct result *result, enum kind kind, const char *octets, size_t n, int eight_bit)
{
    struct smtpc_command command;

    smtpc_buffer_init(&result->out, 100000);
    smtpc_error_clear(&result->error);
    smtpc_buffer_append_string(&result->out, "RSET\r\n");
    smtpc_command_begin(&command, &result->out, &result->error, "X");
    if (kind == ARGUMENT)
        smtpc_command_argument(&command, "text", octets, n, eight_bit);
    if (kind == PATH)
        smtpc_command_path(&command, "recipient", octets, n, eight_bit);
    if (kind == PARAMETER)
        smtpc_command_parameter(&command, "option", octets, n, eight_bit);
    result->status = smtpc_command_end(&command);
}

static void
writes(enum kind kind, const char *text, const char *line)
{
    struct result result;

    write_line(&result, kind, text, strlen(text), 0);
    ok(result.status == 0 && !smtpc_error_is_set(&result.error), "'%s' can be written", text);
    is_octets(result.out.bytes + 6, result.out.length - 6, line, strlen(line), text);
    smtpc_buffer_clear(&result.out);
}

static void
refuses(enum kind kind, const char *octets, size_t n, const char *why)
{
    struct result result;

    write_line(&result, kind, octets, n, 0);
    ok(result.status == -1 && result.error.kind == SMTPC_ERROR_USAGE && smtpc_buffer_equals(&result.out, "RSET\r\n"),
       "refused, and nothing of it is left");
    is_string(result.error.text, why, "the reason");
    smtpc_buffer_clear(&result.out);
}

static void
test_lines(void)
{
    writes(ARGUMENT, "mail.example.org", "X mail.example.org\r\n");
    writes(ARGUMENT, "PLAIN AGEAYg==", "X PLAIN AGEAYg==\r\n");
    writes(PATH, "", "X<>\r\n");
    writes(PATH, "a@example.org", "X<a@example.org>\r\n");
    writes(PATH, "\"a b\\\" c\"@example.org", "X<\"a b\\\" c\"@example.org>\r\n");
    writes(PARAMETER, "SMTPUTF8", "X SMTPUTF8\r\n");
    writes(PARAMETER, "SIZE=100", "X SIZE=100\r\n");
    writes(PARAMETER, "AUTH=<>", "X AUTH=<>\r\n");
    writes(PARAMETER, "MT-PRIORITY=-3", "X MT-PRIORITY=-3\r\n");
}

static void
test_refusals(void)
{
    refuses(ARGUMENT, "a\r\nRSET", 7, "text: CR at octet 2 of 7 must not be there; nothing was sent");
    refuses(ARGUMENT, "a\0b", 3, "text: NUL at octet 2 of 3 must not be there; nothing was sent");
    refuses(PATH, "a@b.c\n", 6, "recipient: LF at octet 6 of 6 must not be there; nothing was sent");
    refuses(PATH, "a@b>NOTIFY=NEVER", 16, "recipient: '>' at octet 4 of 16 must not be there; nothing was sent");
    refuses(PATH, "a@b SIZE=1", 10, "recipient: a blank at octet 4 of 10 must not be there; nothing was sent");
    refuses(PATH, "\"a b@c", 6, "recipient: a blank at octet 3 of 6 must not be there; nothing was sent");
    refuses(PATH, "\"a b\\\"", 6, "recipient: a blank at octet 3 of 6 must not be there; nothing was sent");
    refuses(PATH, "\"a\" b@c", 7, "recipient: a blank at octet 4 of 7 must not be there; nothing was sent");
    refuses(PATH, "\"<\"@c", 5, "recipient: '<' at octet 2 of 5 must not be there; nothing was sent");
    refuses(PATH, "\"\\\r\"@c", 6, "recipient: CR at octet 3 of 6 must not be there; nothing was sent");
    refuses(PATH, "\xc3\xa9@c", 4, "recipient: octet 0xC3 at octet 1 of 4 must not be there; nothing was sent");
    refuses(PARAMETER, "", 0, "option: neither KEYWORD nor KEYWORD=value; nothing was sent");
    refuses(PARAMETER, "SIZE=", 5, "option: neither KEYWORD nor KEYWORD=value; nothing was sent");
    refuses(PARAMETER, "=1", 2, "option: '=' at octet 1 of 2 must not be there; nothing was sent");
    refuses(PARAMETER, "-A", 2, "option: '-' at octet 1 of 2 must not be there; nothing was sent");
    refuses(PARAMETER, "A=b c", 5, "option: a blank at octet 4 of 5 must not be there; nothing was sent");
    refuses(PARAMETER, "A=b=c", 5, "option: '=' at octet 4 of 5 must not be there; nothing was sent");
    refuses(PARAMETER, "A B", 3, "option: a blank at octet 2 of 3 must not be there; nothing was sent");
}

/* How many of the 256 octets can stand in the middle of "A=x?x". */
static int
count_taken(enum kind kind, int eight_bit)
{
    struct result result;
    int c, taken = 0;

    for (c = 0; c < 256; c++) {
        char text[] = "A=x?x";

        text[3] = (char)c;
        write_line(&result, kind, text, 5, eight_bit);
        taken += result.status == 0;
        if (result.status == 0 && (result.out.length < 12 || (c < 32 && c >= 0)))
            taken += 1000;
        smtpc_buffer_clear(&result.out);
    }
    return taken;
}

static void
test_every_octet(void)
{
    ok(count_taken(ARGUMENT, 0) == 95 && count_taken(ARGUMENT, 1) == 95 + 128, "an argument: 32..126");
    ok(count_taken(PATH, 0) == 95 - 3 && count_taken(PATH, 1) == 95 - 3 + 128, "a path: without blank, '<' and '>'");
    ok(count_taken(PARAMETER, 0) == 95 - 2 && count_taken(PARAMETER, 1) == 95 - 2 + 128, "a value: without ' ', '='");
}

/* A line of n octets with its CRLF. */
static int
write_long(size_t n, size_t allowed, struct smtpc_error *error)
{
    static char text[1000];
    struct smtpc_command command;
    struct smtpc_buffer out;
    int status;

    memset(text, 'x', sizeof text);
    smtpc_error_clear(error);
    smtpc_buffer_init(&out, 2000);
    smtpc_command_begin(&command, &out, error, "EHLO");
    smtpc_command_allow(&command, allowed);
    smtpc_command_argument(&command, "hello", text, n - 7, 0);
    status = smtpc_command_end(&command);
    status = out.length == (status == 0 ? n : 0) ? status : 99;
    smtpc_buffer_clear(&out);
    return status;
}

static void
test_limits(void)
{
    struct smtpc_error error;

    ok(write_long(SMTPC_COMMAND_LINE_MAX, 0, &error) == 0, "the longest line");
    ok(write_long(SMTPC_COMMAND_LINE_MAX + 1, 0, &error) == -1, "one octet more");
    is_string(error.text, "a command line of 513 octets, 512 are allowed; nothing was sent", "is too long");
    ok(write_long(SMTPC_COMMAND_LINE_MAX + 26, 26, &error) == 0, "an extension allows more");
    ok(write_long(SMTPC_COMMAND_LINE_MAX + 27, 26, &error) == -1, "and no more than that");
}

static void
test_first_fault_wins(void)
{
    struct smtpc_command command;
    struct smtpc_error error;
    struct smtpc_buffer out;

    smtpc_error_clear(&error);
    smtpc_buffer_init(&out, 1000);
    smtpc_command_begin(&command, &out, &error, "MAIL FROM:");
    smtpc_command_path(&command, "sender", "a\nb", 3, 0);
    smtpc_command_parameter(&command, "size", "", 0, 0);
    smtpc_command_argument(&command, "other", "\r", 1, 0);
    ok(smtpc_command_end(&command) == -1 && out.length == 0, "nothing of the line is left");
    is_string(error.text, "sender: LF at octet 2 of 3 must not be there; nothing was sent", "the first fault");
    smtpc_error_clear(&error);
    smtpc_command_begin(&command, &out, &error, "NOOP\r\nQUIT");
    ok(smtpc_command_end(&command) == -1 && out.length == 0, "the word itself is looked at");
    smtpc_buffer_clear(&out);
}

static void
test_no_room(void)
{
    size_t cap;
    int half = 0, done = 0;

    for (cap = 0; cap < 30; cap++) {
        struct smtpc_command command;
        struct smtpc_error error;
        struct smtpc_buffer out;

        smtpc_error_clear(&error);
        smtpc_buffer_init(&out, cap);
        smtpc_command_begin(&command, &out, &error, "RCPT TO:");
        smtpc_command_path(&command, "recipient", "a@b", 3, 0);
        smtpc_command_parameter(&command, "notify", "X=1", 3, 0);
        if (smtpc_command_end(&command) == 0)
            done++;
        else
            half += out.length != 0 || error.kind != SMTPC_ERROR_SYSTEM;
        smtpc_buffer_clear(&out);
    }
    ok(half == 0 && done == 11, "a whole line or none, whatever the room (%d whole)", done);
}

int
main(void)
{
    test_lines();
    test_refusals();
    test_every_octet();
    test_limits();
    test_first_fault_wins();
    test_no_room();
    return tap_done();
}
