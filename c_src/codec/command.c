/* command: the only writer of command lines. Nothing with CR, LF, NUL or another control octet passes it. */
#include "codec/command.h"

#include <stdio.h>
#include <string.h>

enum { OCTET_NAME_MAX = 24 };

static void
put(struct smtpc_command *command, const char *octets, size_t n)
{
    if (!command->failed && smtpc_buffer_append(command->out, octets, n) != 0)
        command->failed = smtpc_error_set_memory(command->error) != 0;
}

/* The index of the first octet that may not be there, or n. forbidden: those that are wrong in this place only. */
static size_t
clean_length(const char *octets, size_t n, const char *forbidden, int eight_bit)
{
    size_t i;

    for (i = 0; i < n; i++) {
        unsigned char c = (unsigned char)octets[i];

        if (c < 32 || c == 127 || (c > 127 && !eight_bit) || strchr(forbidden, c) != NULL)
            break;
    }
    return i;
}

static void
name_octet(char c, char name[OCTET_NAME_MAX])
{
    static const struct { char octet; const char *name; } known[] = {
        {'\0', "NUL"}, {'\t', "TAB"}, {'\n', "LF"}, {'\r', "CR"}, {' ', "a blank"}, {127, "DEL"},
    };
    size_t i;

    snprintf(name, OCTET_NAME_MAX, c > 32 && c < 127 ? "'%c'" : "octet 0x%02X", (unsigned char)c);
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].octet == c)
            snprintf(name, OCTET_NAME_MAX, "%s", known[i].name);
}

/* Appends the argument between its two ends, unless only its first `clean` octets are fit to be sent. */
static void
put_argument(struct smtpc_command *command, const char *name, const char *octets, size_t n, size_t clean,
             const char *before, const char *after)
{
    char bad[OCTET_NAME_MAX];

    if (!command->failed && clean < n) {
        name_octet(octets[clean], bad);
        smtpc_error_set(command->error, SMTPC_ERROR_USAGE,
                        "%s: %s at octet %zu of %zu must not be there; nothing was sent", name, bad, clean + 1, n);
        command->failed = 1;
    }
    put(command, before, strlen(before));
    put(command, octets, n);
    put(command, after, strlen(after));
}

void
smtpc_command_begin(struct smtpc_command *command, struct smtpc_buffer *out, struct smtpc_error *error,
                    const char *verb)
{
    size_t n = strlen(verb);

    command->out = out;
    command->error = error;
    command->start = out->length;
    command->limit = SMTPC_COMMAND_LINE_MAX;
    command->failed = 0;
    put_argument(command, "command", verb, n, clean_length(verb, n, "", 0), "", "");
}

void
smtpc_command_allow(struct smtpc_command *command, size_t octets)
{
    command->limit += octets;
}

void
smtpc_command_argument(struct smtpc_command *command, const char *name, const char *octets, size_t n, int eight_bit)
{
    put_argument(command, name, octets, n, clean_length(octets, n, "", eight_bit), " ", "");
}

/* Octets of the quoted string that the text begins with, quotes included; 0 when it does not, or does not end. */
static size_t
quoted_length(const char *text, size_t n)
{
    size_t i;

    if (n == 0 || text[0] != '"')
        return 0;
    for (i = 1; i < n && text[i] != '"'; i++)
        i += text[i] == '\\';
    return i < n ? i + 1 : 0;
}

void
smtpc_command_path(struct smtpc_command *command, const char *name, const char *octets, size_t n, int eight_bit)
{
    size_t quoted = quoted_length(octets, n);
    size_t clean = clean_length(octets, quoted, "<>", eight_bit);

    if (n > 0 && clean == quoted)
        clean += clean_length(octets + quoted, n - quoted, "<> ", eight_bit);
    put_argument(command, name, octets, n, clean, "<", ">");
}

static size_t
keyword_length(const char *text, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z')
              || (text[i] >= 'a' && text[i] <= 'z') || (text[i] == '-' && i > 0)))
            break;
    return i;
}

void
smtpc_command_parameter(struct smtpc_command *command, const char *name, const char *octets, size_t n, int eight_bit)
{
    size_t clean = keyword_length(octets, n);
    size_t keyword = clean;

    if (keyword > 0 && keyword < n && octets[keyword] == '=')
        clean += 1 + clean_length(octets + keyword + 1, n - keyword - 1, " =", eight_bit);
    if (!command->failed && (n == 0 || (clean == n && keyword + 1 == n && octets[keyword] == '=')))
        command->failed = smtpc_error_set(command->error, SMTPC_ERROR_USAGE,
                                          "%s: neither KEYWORD nor KEYWORD=value; nothing was sent", name) != 0;
    put_argument(command, name, octets, n, clean, " ", "");
}

int
smtpc_command_end(struct smtpc_command *command)
{
    size_t n = command->out->length - command->start + 2;

    if (!command->failed && n > command->limit)
        command->failed = smtpc_error_set(command->error, SMTPC_ERROR_USAGE,
                                          "a command line of %zu octets, %zu are allowed; nothing was sent", n,
                                          command->limit) != 0;
    put(command, "\r\n", 2);
    if (!command->failed)
        return 0;
    smtpc_buffer_truncate(command->out, command->start);
    return -1;
}
