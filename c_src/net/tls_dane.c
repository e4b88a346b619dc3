/* tls_dane: TLSA records that the caller got from a DNS that it knows to be authentic (RFC 6698, 7671, 7672). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/ssl.h>

#include "net/tls_inside.h"

#ifdef LIBRESSL_VERSION_NUMBER

int
smtpc_tls_dane_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                    struct smtpc_error *error)
{
    (void)context;
    if (options->tlsa == NULL)
        return 0;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa: this OpenSSL (%s) has no DANE: use pins instead",
                           OpenSSL_version(OPENSSL_VERSION));
}

int
smtpc_tls_dane_prepare(const struct smtpc_tls *tls, struct smtpc_error *error)
{
    (void)tls;
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa: this OpenSSL has no DANE");
}

int
smtpc_tls_dane_has_matched(const struct smtpc_tls *tls)
{
    (void)tls;
    return 0;
}

void
smtpc_tls_dane_clear(struct smtpc_tls_context *context)
{
    (void)context;
}

#else

enum { NUMBER_MAX = 255, DANE_TA = 2, DANE_EE = 3, LINE_SHOWN = 100 };

struct smtpc_tls_record {
    uint8_t usage;
    uint8_t selector;
    uint8_t type;
    unsigned char *octets;
    size_t length;
};

struct line {
    const char *p;
    size_t n;
};

/* The next line that holds anything; 0 when there is none behind *rest. */
static int
next_line(const char **rest, struct line *line)
{
    line->p = *rest + strspn(*rest, " \t\r\n");
    line->n = strcspn(line->p, "\r\n");
    *rest = line->p + line->n;
    return line->n > 0;
}

/* What stands before the numbers where the record is copied from a zone: "_25._tcp.mail.example. IN TLSA". */
static void
skip_owner(struct line *line)
{
    size_t i;

    for (i = 1; i + 5 < line->n; i++)
        if (isspace((unsigned char)line->p[i - 1]) && strncasecmp(line->p + i, "TLSA", 4) == 0
            && isspace((unsigned char)line->p[i + 4])) {
            line->p += i + 5;
            line->n -= i + 5;
            return;
        }
}

/* 0 to 255 with blanks around; -1 when there is none. */
static int
take_number(struct line *line)
{
    int number = 0;
    size_t digits = 0;

    while (line->n > 0 && (*line->p == ' ' || *line->p == '\t')) {
        line->p++;
        line->n--;
    }
    while (digits < line->n && isdigit((unsigned char)line->p[digits]) && number <= NUMBER_MAX)
        number = 10 * number + line->p[digits++] - '0';
    if (digits == 0 || digits == line->n || !isspace((unsigned char)line->p[digits]) || number > NUMBER_MAX)
        return -1;
    line->p += digits;
    line->n -= digits;
    return number;
}

/* 0, or -1 when the line is no record, -2 when memory is out. */
static int
read_record(struct line line, struct smtpc_tls_record *record)
{
    int usage;
    int selector;
    int type;
    ssize_t n;

    skip_owner(&line);
    usage = take_number(&line);
    selector = take_number(&line);
    type = take_number(&line);
    if (usage < 0 || selector < 0 || type < 0)
        return -1;
    record->usage = (uint8_t)usage;
    record->selector = (uint8_t)selector;
    record->type = (uint8_t)type;
    record->octets = malloc(line.n / 2 + 1);
    if (record->octets == NULL)
        return -2;
    n = smtpc_tls_read_hex(line.p, line.n, " \t()", record->octets, line.n / 2 + 1);
    record->length = n > 0 ? (size_t)n : 0;
    return n > 0 ? 0 : -1;
}

/* As SSL_dane_tlsa_add. Usages 0 and 1 say nothing between mail servers (RFC 7672 section 3.1.3). */
static int
add(SSL *ssl, const struct smtpc_tls_record *record)
{
    if (record->usage != DANE_TA && record->usage != DANE_EE)
        return 0;
    return SSL_dane_tlsa_add(ssl, record->usage, record->selector, record->type, record->octets, record->length);
}

static int
refuse_line(struct line line, const char *trouble, struct smtpc_error *error)
{
    return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa: \"%.*s\" %s",
                           (int)(line.n < LINE_SHOWN ? line.n : LINE_SHOWN), line.p, trouble);
}

/* Keeps the record if ssl can use it. 0, or -1 with *error set. */
static int
load_record(struct smtpc_tls_context *context, SSL *ssl, struct line line, struct smtpc_error *error)
{
    struct smtpc_tls_record *record = &context->records[context->record_count];
    int result = read_record(line, record);

    if (result == 0)
        result = add(ssl, record);
    else if (result == -1)
        refuse_line(line, "is no TLSA record; wanted are lines as \"3 1 1 HEX\" (usage, selector, matching type, "
                    "data)", error);
    if (result > 0) {
        context->record_count++;
        return 0;
    }
    free(record->octets);
    record->octets = NULL;
    return result == 0 ? 0 : smtpc_error_is_set(error) ? -1 : smtpc_error_set_memory(error);
}

static int
load_records(struct smtpc_tls_context *context, SSL *ssl, const char *text, struct smtpc_error *error)
{
    const char *rest = text;
    struct line line;

    while (next_line(&rest, &line))
        if (load_record(context, ssl, line, error) != 0)
            return -1;
    if (context->record_count > 0)
        return 0;
    rest = text;
    if (!next_line(&rest, &line))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa: it holds no record; wanted are lines as "
                               "\"3 1 1 HEX\"");
    return refuse_line(line, "cannot be used, nor another record: usage must be 2 or 3 (RFC 7672), selector 0 or 1, "
                       "type 0, 1 (64 hex digits) or 2 (128)", error);
}

static size_t
count_lines(const char *text)
{
    struct line line;
    size_t lines = 0;

    while (next_line(&text, &line))
        lines++;
    return lines;
}

int
smtpc_tls_dane_load(struct smtpc_tls_context *context, const struct smtpc_tls_options *options,
                    struct smtpc_error *error)
{
    SSL *ssl;
    int result;

    if (options->tlsa == NULL)
        return 0;
    context->records = calloc(count_lines(options->tlsa) + 1, sizeof *context->records);
    if (context->records == NULL)
        return smtpc_error_set_memory(error);
    ssl = SSL_CTX_dane_enable(context->ssl_ctx) == 1 ? SSL_new(context->ssl_ctx) : NULL;
    if (ssl != NULL && SSL_dane_enable(ssl, "localhost") == 1)   /* only to ask which records it takes */
        result = load_records(context, ssl, options->tlsa, error);
    else
        result = smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "tlsa: OpenSSL cannot begin with DANE: %s",
                                 smtpc_tls_take_reason());
    SSL_free(ssl);
    return result;
}

/* It sets the name that the certificate must bear too, for usage 2; for usage 3 the record alone vouches (RFC 7672
 * section 3.1.1). */
int
smtpc_tls_dane_prepare(const struct smtpc_tls *tls, struct smtpc_error *error)
{
    const struct smtpc_tls_context *context = tls->context;
    const char *sni_name = context->sni_name;
    size_t i;
    int good;

    if (smtpc_tls_is_literal(tls->name))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "tlsa: DANE vouches for host names, not for the address "
                               "%.60s: connect by name", tls->name);
    good = SSL_dane_enable(tls->ssl, tls->name) == 1;
    for (i = 0; i < context->record_count; i++)
        good = good && add(tls->ssl, &context->records[i]) > 0;
    if (good && sni_name != NULL && sni_name[0] == '\0')
        good = SSL_set_tlsext_host_name(tls->ssl, NULL) == 1;
    if (!good)
        return smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "tlsa: OpenSSL cannot use the records: %s",
                               smtpc_tls_take_reason());
    SSL_dane_set_flags(tls->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    return 0;
}

int
smtpc_tls_dane_has_matched(const struct smtpc_tls *tls)
{
    return SSL_get0_dane_authority(tls->ssl, NULL, NULL) >= 0;
}

void
smtpc_tls_dane_clear(struct smtpc_tls_context *context)
{
    size_t i;

    for (i = 0; i < context->record_count; i++)
        free(context->records[i].octets);
    free(context->records);
}

#endif
