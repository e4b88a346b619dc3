/* choice: which mechanism a login uses, and why none when there is none. */
#include <stdio.h>
#include <string.h>

#include "codec/words.h"
#include "sasl/sasl.h"

/* What a choice is made from. */
struct choice {
    const char *offered;
    const char *wanted;
    const char *tried;
    enum smtpc_sasl_line line;
    int by_name;   /* 1: the server offers nothing of what is wanted */
};

/* The index of the name among the words of the list, -1 when it is not there. */
static int
position(const char *list, const char *name)
{
    struct smtpc_words words = smtpc_words_of(list, strlen(list), 0);
    int i;

    for (i = 0; smtpc_words_next(&words); i++)
        if (smtpc_words_same(words.word, words.length, name, strlen(name)))
            return i;
    return -1;
}

static int
is_candidate(const struct choice *choice, const struct smtpc_sasl_mechanism *row)
{
    if (position(choice->tried, row->name) >= 0)
        return 0;
    if (choice->wanted[0] != '\0' && position(choice->wanted, row->name) < 0)
        return 0;
    return choice->by_name || position(choice->offered, row->name) >= 0;
}

static int
is_forbidden(const struct choice *choice, const struct smtpc_sasl_mechanism *row)
{
    return row->plaintext && choice->line == SMTPC_SASL_LINE_OPEN;
}

/* Higher is better. */
static int
rank(const struct choice *choice, const struct smtpc_sasl_mechanism *row)
{
    if (choice->wanted[0] != '\0')
        return -position(choice->wanted, row->name);
    return choice->line == SMTPC_SASL_LINE_TRUSTED ? row->strength_trusted : row->strength;
}

static int
offers_nothing_wanted(const struct choice *choice)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (position(choice->wanted, row->name) >= 0 && position(choice->offered, row->name) >= 0)
            return 0;
    return choice->wanted[0] != '\0';
}

/* Adds a label and the list behind it to the line; a list that is too long ends in "...". */
static void
describe(char *line, size_t size, const char *label, const char *list, int widest)
{
    size_t used = strlen(line);
    const char *dots = strlen(list) > (size_t)widest ? "..." : "";

    snprintf(line + used, size - used, "%s%.*s%s", label, widest, list, dots);
}

/* The names of our rows: all of them, or those that only the policy keeps from being chosen. */
static void
name_rows(const struct choice *choice, int forbidden, char *names, size_t size)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    names[0] = '\0';
    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (!forbidden || (is_candidate(choice, row) && is_forbidden(choice, row)))
            describe(names, size, names[0] == '\0' ? "" : " ", row->name, SMTPC_SASL_NAME_MAX);
}

/* The widths keep the line below 500 octets however much the server offers. */
static void
explain(const struct choice *choice, struct smtpc_error *error)
{
    char line[SMTPC_ERROR_TEXT_MAX] = "no usable AUTH mechanism: ";
    char names[SMTPC_ERROR_TEXT_MAX];

    if (choice->offered[0] == '\0')
        describe(line, sizeof line, "server offers none", "", 0);
    else
        describe(line, sizeof line, "server offers ", choice->offered, 100);
    name_rows(choice, 0, names, sizeof names);
    describe(line, sizeof line, "; we have ", names, 150);
    if (choice->wanted[0] != '\0')
        describe(line, sizeof line, "; asked for ", choice->wanted, 30);
    if (choice->tried[0] != '\0')
        describe(line, sizeof line, "; failed before: ", choice->tried, 30);
    name_rows(choice, 1, names, sizeof names);
    if (names[0] != '\0')
        describe(line, sizeof line, "; forbidden without TLS (or insecure_cleartext_auth): ", names, 40);
    smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s", line);
}

const struct smtpc_sasl_mechanism *
smtpc_sasl_choose(const char *offered, const char *wanted, const char *tried, enum smtpc_sasl_line line,
                  struct smtpc_error *error)
{
    struct choice choice = {offered, wanted + strspn(wanted, " \t"), tried, line, 0};
    const struct smtpc_sasl_mechanism *best = NULL;
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    choice.by_name = offers_nothing_wanted(&choice);
    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (is_candidate(&choice, row) && !is_forbidden(&choice, row))
            if (best == NULL || rank(&choice, row) > rank(&choice, best))
                best = row;
    if (best == NULL)
        explain(&choice, error);
    return best;
}
