/* tls_error: OpenSSL's queue of errors, emptied into words that a user of SMTP can act on. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_inside.h"

/* What the peer does or did, to stand behind "the server". */
static const struct { int reason; const char *words; } known[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, "speaks no TLS version that is allowed here (1.2 at least)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "takes no TLS version that is allowed here (1.2 at least)"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "found nothing it could take in what was offered (ciphers, or it wants a "
                                          "client certificate: certificate_file, SSL_cert_file)"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "wants a client certificate: give certificate_file and key_file "
                                              "(SSL_cert_file, SSL_key_file)"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "does not trust the issuer of our certificate (alert unknown_ca)"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "rejects our certificate (alert bad_certificate)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "rejects our certificate (alert certificate_unknown)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "rejects our certificate: it has expired"},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "does not know the name it was asked for (alert unrecognized_name)"},
    {SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, "is too old for safe renegotiation (RFC 5746)"},
    {SSL_R_DH_KEY_TOO_SMALL, "uses a Diffie-Hellman key that is too small; its operator must replace it"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "showed no certificate"},
};

static const char *
reason_of(unsigned long code)
{
    const char *reason = ERR_reason_error_string(code);

#ifdef ERR_SYSTEM_ERROR
    if (code != 0 && ERR_SYSTEM_ERROR(code))
        return strerror(ERR_GET_REASON(code));
#endif
    return reason != NULL ? reason : "unknown reason";
}

const char *
smtpc_tls_take_reason(void)
{
    const char *reason = reason_of(ERR_peek_error());

    ERR_clear_error();
    return reason;
}

static const char *
words_for(unsigned long code)
{
    size_t i;

    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
        return NULL;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].reason == ERR_GET_REASON(code))
            return known[i].words;
    return NULL;
}

static int
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "220 " or "554-": an SMTP reply where a TLS record belongs. */
static int
began_with_reply(const struct smtpc_tls_stream *stream)
{
    const char *p = stream->first;

    return stream->first_length == SMTPC_TLS_FIRST_MAX && is_digit(p[0]) && is_digit(p[1]) && is_digit(p[2])
        && (p[3] == ' ' || p[3] == '-');
}

/* Every TLS record begins with a type from 20 to 24. */
static int
began_without_tls(const struct smtpc_tls_stream *stream)
{
    return stream->first_length > 0 && (stream->first[0] < 20 || stream->first[0] > 24);
}

/* The errno counts only while the stream had not ended: OpenSSL may then have tried to send an alert. */
static int
explain_closed(const struct smtpc_tls_stream *stream, const char *who, const char *prefix, struct smtpc_error *error)
{
    if (!stream->is_at_end)
        return smtpc_error_set_system(error, SMTPC_ERROR_CLOSED, stream->system_errno,
                                      "%sthe connection to the %s broke", prefix, who);
    return smtpc_error_set(error, SMTPC_ERROR_CLOSED, "%sthe %s closed the connection", prefix, who);
}

int
smtpc_tls_explain(const struct smtpc_tls_stream *stream, int is_server, const char *prefix, struct smtpc_error *error)
{
    const char *who = is_server ? "client" : "server";
    unsigned long code = ERR_peek_error();
    const char *words = words_for(code);
    int is_system_error = stream->system_errno != 0 && ERR_GET_LIB(code) != ERR_LIB_SSL;

    ERR_clear_error();
    if (began_with_reply(stream))
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "%sthe %s answered in plain SMTP (\"%.3s\"): this port "
                               "begins in clear and wants STARTTLS: use smtp:// (or new without SSL, then starttls)",
                               prefix, who, stream->first);
    if (began_without_tls(stream))
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "%sthe %s does not speak TLS on this port (it sent "
                               "\"%.*s\")", prefix, who, (int)stream->first_length, stream->first);
    if (words != NULL)
        return smtpc_error_set(error, SMTPC_ERROR_TLS, "%sthe %s %s", prefix, who, words);
    if (stream->is_at_end || is_system_error)
        return explain_closed(stream, who, prefix, error);
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "%s%s", prefix, reason_of(code));
}
