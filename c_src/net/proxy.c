/* proxy: the way through a proxy as a machine: octets in, octets out. No I/O, no clock. */
#include "net/proxy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/secret.h"
#include "net/proxy_inside.h"

enum { OUTPUT_MAX = 16384, WORDS_MAX = 300 };

static const char *const schemes[] = {"", "socks5", "socks5h", "http"};

enum smtpc_proxy_kind
smtpc_proxy_kind_of(const char *scheme)
{
    int kind;

    for (kind = SMTPC_PROXY_HTTP; kind > SMTPC_PROXY_NONE; kind--)
        if (strcmp(schemes[kind], scheme) == 0)
            break;
    return (enum smtpc_proxy_kind)kind;
}

/* NULL for NULL, too. */
static char *
copy_string(const char *string, int *is_out)
{
    size_t n = string == NULL ? 0 : strlen(string) + 1;
    char *copy = string == NULL ? NULL : malloc(n);

    if (copy != NULL)
        memcpy(copy, string, n);
    else if (string != NULL)
        *is_out = 1;
    return copy;
}

static char *
name_of(enum smtpc_proxy_kind kind, const char *host, const char *service)
{
    size_t room = strlen(host) + strlen(service) + sizeof "socks5h://[]:";
    char *name = malloc(room);
    int is_literal = strchr(host, ':') != NULL;

    if (name != NULL)
        snprintf(name, room, is_literal ? "%s://[%s]:%s" : "%s://%s:%s", schemes[kind], host, service);
    return name;
}

struct smtpc_proxy *
smtpc_proxy_new(enum smtpc_proxy_kind kind, const char *host, const char *service, const char *user,
                const char *password, const char *basic, struct smtpc_error *error)
{
    struct smtpc_proxy *proxy = calloc(1, sizeof *proxy);
    int is_out = 0;

    if (proxy == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    smtpc_buffer_init(&proxy->output, OUTPUT_MAX);
    smtpc_buffer_init(&proxy->input, SMTPC_PROXY_HEADER_MAX);
    proxy->kind = kind;
    proxy->name = name_of(kind, host, service);
    proxy->user = copy_string(user, &is_out);
    proxy->password = copy_string(user == NULL || password != NULL ? password : "", &is_out);
    proxy->basic = copy_string(basic, &is_out);
    if (proxy->name == NULL || is_out)
        smtpc_error_set_memory(error);
    else if ((kind == SMTPC_PROXY_HTTP ? smtpc_proxy_check_http : smtpc_proxy_check_socks)(proxy, error) == 0)
        return proxy;
    smtpc_proxy_free(proxy);
    return NULL;
}

static void
wipe_string(char *string)
{
    if (string != NULL)
        smtpc_secret_wipe(string, strlen(string));
    free(string);
}

void
smtpc_proxy_free(struct smtpc_proxy *proxy)
{
    if (proxy == NULL)
        return;
    smtpc_buffer_clear(&proxy->output);
    smtpc_buffer_clear(&proxy->input);
    wipe_string(proxy->user);
    wipe_string(proxy->password);
    wipe_string(proxy->basic);
    free(proxy->name);
    free(proxy);
}

const char *
smtpc_proxy_name(const struct smtpc_proxy *proxy)
{
    return proxy->name;
}

/* What would end the line of a request, or be another word of it. */
static int
has_odd_octet(const char *host)
{
    for (; *host != '\0'; host++)
        if (*host <= ' ' || *host > '~')
            return 1;
    return 0;
}

static int
set_target(struct smtpc_proxy *proxy, const char *host, const struct addrinfo *address, struct smtpc_error *error)
{
    char numeric[NI_MAXHOST];
    char port[NI_MAXSERV];

    if (getnameinfo(address->ai_addr, address->ai_addrlen, numeric, sizeof numeric, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return smtpc_error_set(error, SMTPC_ERROR_CONNECT, "an address of family %d cannot be told to a proxy",
                               address->ai_family);
    if (proxy->kind == SMTPC_PROXY_SOCKS5)
        host = numeric;
    if (host[0] == '\0' || strlen(host) > SMTPC_PROXY_HOST_MAX || has_odd_octet(host))
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "\"%.100s\" is no host name that a proxy can be told", host);
    strcpy(proxy->host, host);
    proxy->host[strcspn(proxy->host, "%")] = '\0';    /* a zone of this machine's */
    proxy->port = (unsigned)strtoul(port, NULL, 10);
    return 0;
}

int
smtpc_proxy_ask(struct smtpc_proxy *proxy, const char *host, const struct addrinfo *address,
                struct smtpc_error *error)
{
    smtpc_buffer_clear(&proxy->output);
    smtpc_buffer_clear(&proxy->input);
    proxy->heard = 0;
    proxy->has_failed = proxy->may_try_next = 0;
    if (set_target(proxy, host, address, error) != 0)
        return -1;
    return proxy->kind == SMTPC_PROXY_HTTP ? smtpc_proxy_begin_http(proxy, error)
                                           : smtpc_proxy_begin_socks(proxy, error);
}

/* ---- what the kinds share ---- */

void
smtpc_proxy_expect(struct smtpc_proxy *proxy, size_t needed, smtpc_proxy_hear *hear)
{
    proxy->heard += proxy->input.length;
    smtpc_buffer_truncate(&proxy->input, 0);
    proxy->needed = needed;
    proxy->hear = hear;
}

static int
has_within(const char *octets, size_t n, const char *word)
{
    size_t length = strlen(word);
    size_t i;

    for (i = 0; i + length <= n; i++)
        if (memcmp(octets + i, word, length) == 0)
            return 1;
    return 0;
}

int
smtpc_proxy_tells_secret(const struct smtpc_proxy *proxy, const char *octets, size_t n)
{
    const char *const secrets[] = {proxy->password, proxy->basic};
    size_t i;

    for (i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (secrets[i] != NULL && secrets[i][0] != '\0' && has_within(octets, n, secrets[i]))
            return 1;
    return 0;
}

int
smtpc_proxy_fail(struct smtpc_proxy *proxy, int temporary, struct smtpc_error *error, const char *format, ...)
{
    char words[WORDS_MAX];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(words, sizeof words, format, arguments) < 0)
        words[0] = '\0';
    va_end(arguments);
    proxy->has_failed = 1;
    smtpc_error_set(error, SMTPC_ERROR_CONNECT, "the proxy %.150s %s", proxy->name, words);
    error->temporary = temporary;
    return -1;
}

int
smtpc_proxy_say(struct smtpc_proxy *proxy, const char *octets, size_t n, struct smtpc_error *error)
{
    if (smtpc_buffer_append(&proxy->output, octets, n) == 0)
        return 0;
    proxy->has_failed = 1;
    return smtpc_error_set_memory(error);
}

/* ---- the pump ---- */

enum smtpc_proxy_want
smtpc_proxy_wants(const struct smtpc_proxy *proxy)
{
    if (proxy->has_failed)
        return SMTPC_PROXY_FAILED;
    if (proxy->output.length > 0)
        return SMTPC_PROXY_WRITE;
    return proxy->hear == NULL ? SMTPC_PROXY_OPEN : SMTPC_PROXY_READ;
}

void
smtpc_proxy_output(const struct smtpc_proxy *proxy, const char **octets, size_t *n)
{
    *octets = proxy->output.bytes;
    *n = proxy->output.length;
}

void
smtpc_proxy_sent(struct smtpc_proxy *proxy, size_t n)
{
    smtpc_buffer_take(&proxy->output, n);
}

size_t
smtpc_proxy_hunger(const struct smtpc_proxy *proxy)
{
    return smtpc_proxy_wants(proxy) == SMTPC_PROXY_READ ? proxy->needed - proxy->input.length : 0;
}

int
smtpc_proxy_feed(struct smtpc_proxy *proxy, const char *octets, size_t n, struct smtpc_error *error)
{
    if (n == 0)
        return smtpc_proxy_fail(proxy, 1, error, "closed the connection %s",
                                proxy->heard + proxy->input.length > 0 ? "in the middle of its answer"
                                                                       : "without an answer");
    if (n > smtpc_proxy_hunger(proxy))
        return smtpc_proxy_fail(proxy, 0, error, "was heard for too long");
    if (smtpc_buffer_append(&proxy->input, octets, n) != 0) {
        proxy->has_failed = 1;
        return smtpc_error_set_memory(error);
    }
    return proxy->input.length < proxy->needed ? 0 : proxy->hear(proxy, error);
}

int
smtpc_proxy_may_try_next(const struct smtpc_proxy *proxy)
{
    return proxy->may_try_next;
}
