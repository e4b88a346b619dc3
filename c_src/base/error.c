/* error: what went wrong, at which step, whose fault. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
format_text(struct smtpc_error *error, const char *format, va_list arguments)
{
    size_t i;

    if (vsnprintf(error->text, sizeof error->text, format, arguments) < 0)
        error->text[0] = '\0';
    for (i = 0; error->text[i] != '\0'; i++)
        if (error->text[i] < 32 || error->text[i] > 126)
            error->text[i] = '?';
}

int
smtpc_error_set(struct smtpc_error *error, enum smtpc_error_kind kind, const char *format, ...)
{
    va_list arguments;

    if (smtpc_error_is_set(error))
        return -1;
    error->kind = kind;
    error->temporary = kind == SMTPC_ERROR_CONNECT || kind == SMTPC_ERROR_DEFERRED || kind == SMTPC_ERROR_TIMEOUT
        || kind == SMTPC_ERROR_CLOSED || kind == SMTPC_ERROR_INTERRUPTED || kind == SMTPC_ERROR_SYSTEM;
    va_start(arguments, format);
    format_text(error, format, arguments);
    va_end(arguments);
    return -1;
}

int
smtpc_error_set_system(struct smtpc_error *error, enum smtpc_error_kind kind, int system_errno, const char *format,
                       ...)
{
    va_list arguments;
    char what[SMTPC_ERROR_TEXT_MAX];

    va_start(arguments, format);
    if (vsnprintf(what, sizeof what, format, arguments) < 0)
        what[0] = '\0';
    va_end(arguments);
    if (!smtpc_error_is_set(error)) {
        smtpc_error_set(error, kind, "%.300s: %.200s", what, strerror(system_errno));
        error->system_errno = system_errno;
    }
    return -1;
}

int
smtpc_error_set_memory(struct smtpc_error *error)
{
    return smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "out of memory");
}

void
smtpc_error_clear(struct smtpc_error *error)
{
    memset(error, 0, sizeof *error);
}

int
smtpc_error_is_set(const struct smtpc_error *error)
{
    return error->kind != SMTPC_ERROR_NONE;
}

const char *
smtpc_error_kind_name(enum smtpc_error_kind kind)
{
    static const char *const names[] = {
        [SMTPC_ERROR_NONE] = "",
        [SMTPC_ERROR_USAGE] = "usage",
        [SMTPC_ERROR_CONNECT] = "connect",
        [SMTPC_ERROR_TLS] = "tls",
        [SMTPC_ERROR_PROTOCOL] = "protocol",
        [SMTPC_ERROR_AUTH] = "auth",
        [SMTPC_ERROR_REFUSED] = "refused",
        [SMTPC_ERROR_DEFERRED] = "deferred",
        [SMTPC_ERROR_TIMEOUT] = "timeout",
        [SMTPC_ERROR_CLOSED] = "closed",
        [SMTPC_ERROR_INTERRUPTED] = "interrupted",
        [SMTPC_ERROR_SYSTEM] = "system",
    };

    return names[kind];
}
