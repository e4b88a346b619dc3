/* tls: one handshake and one stream over a wire. */
#include "net/tls.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_inside.h"

static int
attach(struct smtpc_tls *tls)
{
    BIO *bio;

    tls->ssl = SSL_new(tls->context->ssl_ctx);
    if (tls->ssl == NULL)
        return -1;
    bio = smtpc_tls_bio_new(tls->context->bio_method, &tls->stream);
    if (bio == NULL)
        return -1;
    SSL_set_bio(tls->ssl, bio, bio);
    return SSL_set_app_data(tls->ssl, tls) == 1 ? 0 : -1;
}

static struct smtpc_tls *
tls_new(struct smtpc_tls_context *context, struct smtpc_wire wire, struct smtpc_error *error)
{
    struct smtpc_tls *tls = calloc(1, sizeof *tls);

    if (tls == NULL) {
        smtpc_error_set_memory(error);
        return NULL;
    }
    ERR_clear_error();
    tls->context = smtpc_tls_context_keep(context);
    tls->stream.wire = wire;
    tls->trust = "";
    if (attach(tls) == 0)
        return tls;
    smtpc_error_set(error, SMTPC_ERROR_SYSTEM, "OpenSSL cannot begin: %s", smtpc_tls_take_reason());
    smtpc_tls_free(tls);
    return NULL;
}

struct smtpc_tls *
smtpc_tls_client(struct smtpc_tls_context *context, struct smtpc_wire wire, const char *name,
                 const char *peer, struct smtpc_error *error)
{
    struct smtpc_tls *tls = tls_new(context, wire, error);

    if (tls == NULL)
        return NULL;
    SSL_set_connect_state(tls->ssl);
    tls->name = smtpc_tls_reference_name(name, error);
    if (tls->name != NULL && smtpc_tls_verify_prepare(tls, error) == 0) {
        smtpc_tls_resumption_offer(tls, peer);
        return tls;
    }
    smtpc_tls_free(tls);
    return NULL;
}

struct smtpc_tls *
smtpc_tls_server(struct smtpc_tls_context *context, struct smtpc_wire wire, struct smtpc_error *error)
{
    struct smtpc_tls *tls = tls_new(context, wire, error);

    if (tls == NULL)
        return NULL;
    SSL_set_accept_state(tls->ssl);
    if (smtpc_tls_verify_prepare(tls, error) == 0)
        return tls;
    smtpc_tls_free(tls);
    return NULL;
}

/* 1 when there is something to wait for; the queue is left as it is. */
static int
is_waiting(struct smtpc_tls *tls, int result)
{
    int reason = SSL_get_error(tls->ssl, result);

    if (reason == SSL_ERROR_WANT_READ)
        tls->wait = SMTPC_TLS_WAIT_READ;
    else if (reason == SSL_ERROR_WANT_WRITE)
        tls->wait = SMTPC_TLS_WAIT_WRITE;
    else
        return 0;
    ERR_clear_error();
    return 1;
}

static int
break_off(struct smtpc_tls *tls, const char *prefix, struct smtpc_error *error)
{
    tls->state = SMTPC_TLS_BROKEN;
    return smtpc_tls_explain(&tls->stream, tls->context->is_server, prefix, error);
}

static int
check_peer(struct smtpc_tls *tls, struct smtpc_error *error)
{
    if (smtpc_tls_peer_note(&tls->peer, tls->ssl) != 0)
        return smtpc_error_set_memory(error);
    return smtpc_tls_verify_again(tls, error) == 0 ? smtpc_tls_demands_check(tls, error) : -1;
}

static int
finish_handshake(struct smtpc_tls *tls, struct smtpc_error *error)
{
    int good = check_peer(tls, error) == 0;

    ERR_clear_error();
    tls->state = good ? SMTPC_TLS_OPEN : SMTPC_TLS_BROKEN;
    smtpc_tls_resumption_finish(tls);
    return good ? 1 : -1;
}

static int
fail_handshake(struct smtpc_tls *tls, struct smtpc_error *error)
{
    if (!tls->context->checks_chain || tls->verdict.code == X509_V_OK)
        return break_off(tls, "", error);
    ERR_clear_error();
    tls->state = SMTPC_TLS_BROKEN;
    return smtpc_tls_verdict_explain(&tls->verdict, tls->name, error);
}

static ssize_t
count(size_t octets)
{
    ERR_clear_error();
    return (ssize_t)octets;
}

static int
refuse_broken(struct smtpc_error *error)
{
    return smtpc_error_set(error, SMTPC_ERROR_TLS, "TLS: the stream is not open");
}

int
smtpc_tls_handshake(struct smtpc_tls *tls, struct smtpc_error *error)
{
    int result;

    if (tls->state != SMTPC_TLS_HANDSHAKING)
        return tls->state == SMTPC_TLS_OPEN ? 1 : refuse_broken(error);
    ERR_clear_error();
    result = SSL_do_handshake(tls->ssl);
    if (result == 1)
        return finish_handshake(tls, error);
    return is_waiting(tls, result) ? SMTPC_WIRE_AGAIN : fail_handshake(tls, error);
}

/* A wire that takes no more may still hold the server's last words: the stream stays open for reading. */
static int
fail_send(struct smtpc_tls *tls, int result, struct smtpc_error *error)
{
    if (SSL_get_error(tls->ssl, result) != SSL_ERROR_SYSCALL)
        return break_off(tls, "TLS: ", error);
    tls->must_be_silent = 1;
    return smtpc_tls_explain(&tls->stream, tls->context->is_server, "TLS: ", error);
}

ssize_t
smtpc_tls_send(struct smtpc_tls *tls, const char *octets, size_t n, struct smtpc_error *error)
{
    size_t sent = 0;
    int result;

    if (tls->state != SMTPC_TLS_OPEN)
        return refuse_broken(error);
    ERR_clear_error();
    tls->stream.system_errno = 0;
    result = SSL_write_ex(tls->ssl, octets, n, &sent);
    if (result == 1)
        return count(sent);
    return is_waiting(tls, result) ? SMTPC_WIRE_AGAIN : fail_send(tls, result, error);
}

/* The end of the wire inside the stream: OpenSSL 3 calls it a protocol error, 1.1.1 a system error without errno; the
 * wire itself knows. */
static ssize_t
end(struct smtpc_tls *tls, int is_truncated)
{
    ERR_clear_error();
    tls->state = SMTPC_TLS_ENDED;
    tls->is_truncated = is_truncated;
    tls->must_be_silent |= is_truncated;
    return SMTPC_WIRE_END;
}

static ssize_t
receive(struct smtpc_tls *tls, char *octets, size_t room, struct smtpc_error *error)
{
    size_t got = 0;
    int result;

    if (tls->state == SMTPC_TLS_ENDED)
        return SMTPC_WIRE_END;
    if (tls->state != SMTPC_TLS_OPEN)
        return refuse_broken(error);
    ERR_clear_error();
    tls->stream.system_errno = 0;
    result = SSL_read_ex(tls->ssl, octets, room, &got);
    if (result == 1)
        return count(got);
    if (is_waiting(tls, result))
        return SMTPC_WIRE_AGAIN;
    if (SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return end(tls, 0);
    return tls->stream.is_at_end ? end(tls, 1) : break_off(tls, "TLS: ", error);
}

ssize_t
smtpc_tls_receive(struct smtpc_tls *tls, char *octets, size_t room, struct smtpc_error *error)
{
    ssize_t result = receive(tls, octets, room, error);

    smtpc_tls_resumption_keep(tls);
    return result;
}

enum smtpc_tls_wait
smtpc_tls_wants(const struct smtpc_tls *tls)
{
    return tls->wait;
}

int
smtpc_tls_was_truncated(const struct smtpc_tls *tls)
{
    return tls->is_truncated;
}

/* After a cut or an error OpenSSL must not be asked for a goodbye. */
void
smtpc_tls_close(struct smtpc_tls *tls)
{
    if (tls->must_be_silent || (tls->state != SMTPC_TLS_OPEN && tls->state != SMTPC_TLS_ENDED))
        return;
    tls->must_be_silent = 1;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

void
smtpc_tls_free(struct smtpc_tls *tls)
{
    if (tls == NULL)
        return;
    smtpc_tls_resumption_clear(&tls->resumption);
    SSL_free(tls->ssl);
    smtpc_tls_verdict_clear(&tls->verdict);
    smtpc_tls_context_free(tls->context);
    free(tls->name);
    smtpc_tls_peer_clear(&tls->peer);
    free(tls);
}
