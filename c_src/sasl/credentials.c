/* credentials: what a caller logs in with: checked, copied, wiped. */
#include <stdio.h>
#include <string.h>

#include "sasl/sasl.h"

enum { PREPARED_MAX = 2 * SMTPC_SASL_SECRET_MAX };   /* SASLprep may lengthen */

void
smtpc_sasl_init(struct smtpc_sasl *sasl)
{
    memset(sasl, 0, sizeof *sasl);
    smtpc_buffer_init(&sasl->user, SMTPC_SASL_SECRET_MAX);
    smtpc_buffer_init(&sasl->secret, SMTPC_SASL_SECRET_MAX);
    smtpc_buffer_init(&sasl->authzid, SMTPC_SASL_SECRET_MAX);
    smtpc_buffer_init(&sasl->prepared_user, PREPARED_MAX);
    smtpc_buffer_init(&sasl->prepared_secret, PREPARED_MAX);
    smtpc_buffer_init(&sasl->scratch, 8 * SMTPC_SASL_SECRET_MAX);
}

void
smtpc_sasl_clear(struct smtpc_sasl *sasl)
{
    smtpc_buffer_clear(&sasl->user);
    smtpc_buffer_clear(&sasl->secret);
    smtpc_buffer_clear(&sasl->authzid);
    smtpc_buffer_clear(&sasl->prepared_user);
    smtpc_buffer_clear(&sasl->prepared_secret);
    sasl->unprepared[0] = '\0';
    smtpc_sasl_begin(sasl, NULL, "");
}

/* The error never shows the octets: users paste passwords into the wrong field. */
static int
check(const char *name, const struct smtpc_sasl_text *text, struct smtpc_error *error)
{
    const char *octets = text->octets;
    size_t n = text->length;
    const char *nul = n > 0 ? memchr(octets, '\0', n) : NULL;

    if (n > SMTPC_SASL_SECRET_MAX)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s has %zu octets, and %d is the limit", name, n,
                               (int)SMTPC_SASL_SECRET_MAX);
    if (nul != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s has a NUL at octet %zu, which no login can carry", name,
                               (size_t)(nul - octets) + 1);
    if (n > 0 && (octets[n - 1] == '\r' || octets[n - 1] == '\n'))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s ends in a line end (CR or LF), as a line read from a"
                               " file or a form does; take it off first, for example with s/\\s+\\z//", name);
    return 0;
}

static int
copy(struct smtpc_buffer *buffer, const char *octets, size_t n, struct smtpc_error *error)
{
    smtpc_buffer_clear(buffer);
    return smtpc_buffer_append(buffer, octets, n) == 0 ? 0 : smtpc_error_set_memory(error);
}

static int
set(struct smtpc_buffer *credential, const char *name, const struct smtpc_sasl_text *text, struct smtpc_error *error)
{
    if (check(name, text, error) != 0)
        return -1;
    return copy(credential, text->octets, text->length, error);
}

/* Why a text has no prepared form; NULL: it has one. An empty one would be taken for "the same". */
static const char *
reason_against(const struct smtpc_sasl_text *text)
{
    if (text->unprepared != NULL || text->prepared == NULL)
        return text->unprepared;
    if (text->prepared_length == 0 && text->length > 0)
        return "nothing is left of it";
    return text->prepared_length > PREPARED_MAX ? "it grows too long" : NULL;
}

/* What SASLprep makes of a text, or why it makes nothing. */
static int
set_prepared(struct smtpc_sasl *sasl, struct smtpc_buffer *prepared, const char *name,
             const struct smtpc_sasl_text *text, struct smtpc_error *error)
{
    const char *reason = reason_against(text);

    smtpc_buffer_clear(prepared);
    if (reason != NULL && sasl->unprepared[0] == '\0')
        snprintf(sasl->unprepared, sizeof sasl->unprepared, "%s: %s", name, reason);
    if (text->prepared == NULL || reason != NULL)
        return 0;
    return copy(prepared, text->prepared, text->prepared_length, error);
}

static void
set_terms(struct smtpc_sasl *sasl, const struct smtpc_sasl_login *login)
{
    snprintf(sasl->host, sizeof sasl->host, "%s", login->host != NULL ? login->host : "");
    sasl->port = login->port;
    sasl->credential = login->credential;
    sasl->iterations_min = login->iterations_min > 0 ? login->iterations_min : SMTPC_SASL_ITERATIONS_MIN;
    sasl->iterations_max = login->iterations_max > 0 ? login->iterations_max : SMTPC_SASL_ITERATIONS_MAX;
}

int
smtpc_sasl_set_login(struct smtpc_sasl *sasl, const struct smtpc_sasl_login *login, struct smtpc_error *error)
{
    if (login->user.length == 0 && login->credential == SMTPC_SASL_PASSWORD)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "user name is empty");
    smtpc_sasl_clear(sasl);
    set_terms(sasl, login);
    if (set(&sasl->user, "user name", &login->user, error) != 0
        || set(&sasl->authzid, "authorization identity", &login->authzid, error) != 0)
        return -1;
    return set_prepared(sasl, &sasl->prepared_user, "user name", &login->user, error);
}

int
smtpc_sasl_set_secret(struct smtpc_sasl *sasl, const struct smtpc_sasl_text *secret, struct smtpc_error *error)
{
    const char *name = sasl->credential == SMTPC_SASL_TOKEN ? "oauth_token" : "password";

    if (secret->length == 0)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "%s is empty", name);
    if (set(&sasl->secret, name, secret, error) != 0)
        return -1;
    return set_prepared(sasl, &sasl->prepared_secret, name, secret, error);
}

const struct smtpc_buffer *
smtpc_sasl_prepared_user(const struct smtpc_sasl *sasl)
{
    return sasl->prepared_user.length > 0 ? &sasl->prepared_user : &sasl->user;
}

const struct smtpc_buffer *
smtpc_sasl_prepared_secret(const struct smtpc_sasl *sasl)
{
    return sasl->prepared_secret.length > 0 ? &sasl->prepared_secret : &sasl->secret;
}
