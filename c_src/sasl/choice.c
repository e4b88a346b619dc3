/* choice: which mechanism a login uses, and why none when there is none. */
#include <stdio.h>
#include <string.h>

#include "codec/words.h"
#include "sasl/sasl.h"

/* What a choice is made from. */
struct choice {
    const struct smtpc_sasl *sasl;
    struct smtpc_sasl_lists lists;
    enum smtpc_sasl_line line;
    int by_name;   /* 1: the server offers nothing of what is wanted */
};

/* What keeps a candidate from being chosen. */
enum obstacle { NONE, LINE_IS_OPEN, OTHER_CREDENTIAL, NOT_NAMED, NO_IDENTITY, NO_BINDING, NOT_PREPARED };

enum { LINE_MAX_HERE = 499 };   /* characters of the error, whatever the server offers */

static const char *const credentials[] = {"a password", "a token", "no secret"};
static const char *const others[] = {"oauth_token", "a password", "a password or oauth_token"};

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
    if (position(choice->lists.tried, row->name) >= 0)
        return 0;
    if (choice->lists.wanted[0] != '\0' && position(choice->lists.wanted, row->name) < 0)
        return 0;
    return choice->by_name || position(choice->lists.offered, row->name) >= 0;
}

static enum obstacle
obstacle_of(const struct choice *choice, const struct smtpc_sasl_mechanism *row)
{
    const struct smtpc_sasl *sasl = choice->sasl;

    if (row->by_name_only && choice->lists.wanted[0] == '\0')
        return NOT_NAMED;
    if (row->credential != SMTPC_SASL_NO_SECRET && row->credential != sasl->credential)
        return OTHER_CREDENTIAL;
    if (row->plaintext && choice->line == SMTPC_SASL_LINE_OPEN)
        return LINE_IS_OPEN;
    if (sasl->authzid.length > 0 && !row->takes_authzid)
        return NO_IDENTITY;
    if (row->binds && (sasl->binding.length == 0 || sasl->binding_was_used))
        return NO_BINDING;
    return row->prepares && sasl->unprepared[0] != '\0' ? NOT_PREPARED : NONE;
}

/* Higher is better. */
static int
rank(const struct choice *choice, const struct smtpc_sasl_mechanism *row)
{
    if (choice->lists.wanted[0] != '\0')
        return -position(choice->lists.wanted, row->name);
    return choice->line == SMTPC_SASL_LINE_TRUSTED ? row->strength_trusted : row->strength;
}

static int
offers_nothing_wanted(const struct choice *choice)
{
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (position(choice->lists.wanted, row->name) >= 0 && position(choice->lists.offered, row->name) >= 0)
            return 0;
    return choice->lists.wanted[0] != '\0';
}

/* ---- why none ---- */

/* Adds a label and the list behind it to the line; a list that is too long ends in "...". */
static void
describe(char *line, size_t size, const char *label, const char *list, int widest)
{
    size_t used = strlen(line);
    const char *dots = strlen(list) > (size_t)widest ? "..." : "";

    snprintf(line + used, size - used, "%s%.*s%s", label, widest, list, dots);
}

static void
add_name(char *names, size_t size, const struct smtpc_sasl_mechanism *row)
{
    describe(names, size, names[0] == '\0' ? "" : " ", row->name, SMTPC_SASL_NAME_MAX);
}

/* Our rows for what the caller logs in with. */
static void
describe_ours(const struct choice *choice, char *line, size_t size)
{
    const struct smtpc_sasl_mechanism *row;
    char names[SMTPC_ERROR_TEXT_MAX] = "";
    char label[40];
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (row->credential == choice->sasl->credential)
            add_name(names, sizeof names, row);
    snprintf(label, sizeof label, "; we have for %s: ", credentials[choice->sasl->credential]);
    describe(line, size, label, names, 130);
}

/* The candidates that something keeps from being chosen. */
static void
describe_obstacle(const struct choice *choice, enum obstacle obstacle, const char *label, char *line, size_t size)
{
    const struct smtpc_sasl_mechanism *row;
    char names[SMTPC_ERROR_TEXT_MAX] = "";
    size_t i;

    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (is_candidate(choice, row) && obstacle_of(choice, row) == obstacle)
            add_name(names, sizeof names, row);
    if (names[0] != '\0')
        describe(line, size, label, names, 40);
}

static void
describe_obstacles(const struct choice *choice, char *line, size_t size)
{
    char label[SMTPC_SASL_SAID_MAX];

    describe_obstacle(choice, LINE_IS_OPEN, "; forbidden without TLS (or insecure_cleartext_auth): ", line, size);
    snprintf(label, sizeof label, "; SASLprep refuses the %.80s: ", choice->sasl->unprepared);
    describe_obstacle(choice, NOT_PREPARED, label, line, size);
    describe_obstacle(choice, NO_IDENTITY, "; cannot carry authzid: ", line, size);
    describe_obstacle(choice, NOT_NAMED, "; only when named (mechanism): ", line, size);
    snprintf(label, sizeof label, "; only with %s: ", others[choice->sasl->credential]);
    describe_obstacle(choice, OTHER_CREDENTIAL, label, line, size);
    describe_obstacle(choice, NO_BINDING, "; no channel binding (it comes with TLS) left or to be had: ", line, size);
}

/* What comes first helps most; the rest is cut where the line is full. */
static void
explain(const struct choice *choice, struct smtpc_error *error)
{
    char line[LINE_MAX_HERE + 1] = "no usable AUTH mechanism: ";

    if (choice->lists.offered[0] == '\0')
        describe(line, sizeof line, "server offers none", "", 0);
    else
        describe(line, sizeof line, "server offers ", choice->lists.offered, 100);
    describe_ours(choice, line, sizeof line);
    if (choice->lists.wanted[0] != '\0')
        describe(line, sizeof line, "; asked for ", choice->lists.wanted, 30);
    if (choice->lists.tried[0] != '\0')
        describe(line, sizeof line, "; failed before: ", choice->lists.tried, 30);
    describe_obstacles(choice, line, sizeof line);
    smtpc_error_set(error, SMTPC_ERROR_AUTH, "%s", line);
}

const struct smtpc_sasl_mechanism *
smtpc_sasl_choose(const struct smtpc_sasl *sasl, const struct smtpc_sasl_lists *lists, enum smtpc_sasl_line line,
                  struct smtpc_error *error)
{
    struct choice choice = {sasl, *lists, line, 0};
    const struct smtpc_sasl_mechanism *best = NULL;
    const struct smtpc_sasl_mechanism *row;
    size_t i;

    choice.lists.wanted += strspn(lists->wanted, " \t");
    choice.by_name = offers_nothing_wanted(&choice);
    for (i = 0; (row = smtpc_sasl_row(i)) != NULL; i++)
        if (is_candidate(&choice, row) && obstacle_of(&choice, row) == NONE)
            if (best == NULL || rank(&choice, row) > rank(&choice, best))
                best = row;
    if (best == NULL)
        explain(&choice, error);
    return best;
}
