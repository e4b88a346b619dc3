/* proxy_http: HTTP CONNECT (RFC 9110 section 9.3.6), with Basic (RFC 7617) where user name and password are given. */
#include "net/proxy_inside.h"

#include <stdio.h>
#include <string.h>

enum {
    REASON_MAX = 100,
    CODE_AT = 9,            /* "HTTP/1.1 200" */
    REASON_AT = 12
};

static const char version[] = "HTTP/1.?";

int
smtpc_proxy_check_http(const struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    if (proxy->user != NULL && strchr(proxy->user, ':') != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_USAGE, "proxy: a user name for HTTP has no \":\"");
    return 0;
}

/* ---- the answer ---- */

static int
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of what is there of the status line. */
static int
is_http(const struct smtpc_buffer *input)
{
    size_t i;

    for (i = 0; i < input->length && i < REASON_AT; i++) {
        char c = input->bytes[i];

        if (i < sizeof version - 1 ? version[i] == '?' ? !is_digit(c) : c != version[i]
            : i < CODE_AT ? c != ' ' : !is_digit(c))
            return 0;
    }
    return input->length <= REASON_AT || memchr(" \r\n", input->bytes[REASON_AT], 3) != NULL;
}

/* A line end, and an empty line; RFC 9112 section 2.2 lets it be LF alone. */
static int
is_whole(const struct smtpc_buffer *input)
{
    size_t n = input->length;

    if (n < 2 || input->bytes[n - 1] != '\n')
        return 0;
    return input->bytes[n - 2] == '\n' || (n > 2 && input->bytes[n - 2] == '\r' && input->bytes[n - 3] == '\n');
}

static int
refused(struct smtpc_proxy *proxy, int code, struct smtpc_error *error)
{
    const char *reason = proxy->input.bytes + REASON_AT;
    size_t n = 0;

    while (n < REASON_MAX && reason[n] != '\r' && reason[n] != '\n' && reason[n] != '\0')
        n++;
    if (smtpc_proxy_tells_secret(proxy, proxy->input.bytes, proxy->input.length))
        n = 0;
    return smtpc_proxy_fail(proxy, code >= 500, error, "refused %s port %u: %d%.*s%s", proxy->host, proxy->port, code,
                            (int)n, reason, code == 407 && proxy->basic == NULL
                            ? " (it wants a login, as in http://user:password@host:port)" : "");
}

static int
not_http(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    size_t n = proxy->input.length < REASON_AT ? proxy->input.length : REASON_AT;

    if (smtpc_proxy_tells_secret(proxy, proxy->input.bytes, n))
        n = 0;
    return smtpc_proxy_fail(proxy, 0, error, "does not speak HTTP: its answer begins with \"%.*s\"", (int)n,
                            proxy->input.bytes);
}

static int hear_header(struct smtpc_proxy *proxy, struct smtpc_error *error);

/* 1yz is not the last word (RFC 9110 section 15.2). Other fields than the code mean nothing for CONNECT. */
static int
judge(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    const char *digits = proxy->input.bytes + CODE_AT;
    int code;

    if (proxy->input.length <= REASON_AT)
        return smtpc_proxy_fail(proxy, 0, error, "does not speak HTTP: its answer is too short");
    code = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (code < 200 && code != 101)
        smtpc_proxy_expect(proxy, 2, hear_header);
    else if (code >= 300 || code < 200)
        return refused(proxy, code, error);
    else
        smtpc_proxy_expect(proxy, 0, NULL);
    return 0;
}

/* Without a line end at its end, an answer that is not whole lacks two octets at least. */
static int
hear_header(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    const struct smtpc_buffer *input = &proxy->input;

    if (!is_http(input))
        return not_http(proxy, error);
    if (is_whole(input))
        return judge(proxy, error);
    proxy->needed = input->length + (memchr("\r\n", input->bytes[input->length - 1], 2) != NULL ? 1 : 2);
    if (proxy->heard + proxy->needed > SMTPC_PROXY_HEADER_MAX)
        return smtpc_proxy_fail(proxy, 0, error, "gave an answer of more than %d octets", SMTPC_PROXY_HEADER_MAX);
    return 0;
}

/* ---- the request ---- */

int
smtpc_proxy_begin_http(struct smtpc_proxy *proxy, struct smtpc_error *error)
{
    char place[SMTPC_PROXY_HOST_MAX + sizeof "[]:65535"];
    char head[2 * sizeof place + sizeof "CONNECT  HTTP/1.1\r\nHost: \r\n"];
    const char *const parts[] = {head, "Proxy-Authorization: Basic ", proxy->basic, "\r\n", "\r\n"};
    size_t i;

    snprintf(place, sizeof place, strchr(proxy->host, ':') != NULL ? "[%s]:%u" : "%s:%u", proxy->host, proxy->port);
    snprintf(head, sizeof head, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", place, place);
    smtpc_proxy_expect(proxy, 2, hear_header);
    for (i = 0; i < sizeof parts / sizeof *parts; i++)
        if (proxy->basic != NULL || i == 0 || i == 4)
            if (smtpc_proxy_say(proxy, parts[i], strlen(parts[i]), error) != 0)
                return -1;
    return 0;
}
