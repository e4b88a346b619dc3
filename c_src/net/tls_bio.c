/* tls_bio: OpenSSL's input and output over a wire, so that nothing raises SIGPIPE and TLS knows no socket. */
#include <errno.h>
#include <string.h>

#include <openssl/bio.h>

#include "net/tls_inside.h"

/* Keeps errno in the stream: OpenSSL may call other functions before the caller can look. */
static int
note_failure(struct smtpc_tls_stream *stream)
{
    stream->system_errno = errno;
    return -1;
}

static void
note_first(struct smtpc_tls_stream *stream, const char *octets, size_t n)
{
    size_t room = sizeof stream->first - stream->first_length;

    if (n > room)
        n = room;
    memcpy(stream->first + stream->first_length, octets, n);
    stream->first_length += n;
}

static int
bio_write(BIO *bio, const char *octets, int n)
{
    struct smtpc_tls_stream *stream = BIO_get_data(bio);
    ssize_t sent;

    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    sent = stream->wire.send(stream->wire.stream, octets, (size_t)n);
    if (sent == SMTPC_WIRE_AGAIN)
        BIO_set_retry_write(bio);
    if (sent == SMTPC_WIRE_FAILED)
        return note_failure(stream);
    return sent < 0 ? -1 : (int)sent;
}

static int
bio_read(BIO *bio, char *octets, int room)
{
    struct smtpc_tls_stream *stream = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    if (room <= 0)
        return 0;
    got = stream->wire.receive(stream->wire.stream, octets, (size_t)room);
    if (got == SMTPC_WIRE_AGAIN)
        BIO_set_retry_read(bio);
    if (got == SMTPC_WIRE_END)
        stream->is_at_end = 1;
    if (got == SMTPC_WIRE_FAILED)
        return note_failure(stream);
    if (got > 0)
        note_first(stream, octets, (size_t)got);
    return got < 0 ? -1 : (int)got;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct smtpc_tls_stream *stream = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_FLUSH)
        return 1;
    if (command == BIO_CTRL_EOF)
        return stream->is_at_end;
    return 0;
}

/* One for each context: a shared one would be a static of the process. */
BIO_METHOD *
smtpc_tls_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "smtpc wire");

    if (method == NULL)
        return NULL;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

BIO *
smtpc_tls_bio_new(const BIO_METHOD *method, struct smtpc_tls_stream *stream)
{
    BIO *bio = BIO_new(method);

    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    return bio;
}
