/* tls_keylog: writes the secrets of each session to the caller's file, in the form that network analysers read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/buffer.h"
#include "net/tls_inside.h"

enum { LINE_MAX_OCTETS = 4096 };

/* One write a line: with O_APPEND those of several processes do not mix. */
static void
note_secret(const SSL *ssl, const char *line)
{
    const struct smtpc_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int before = errno;
    struct smtpc_buffer octets;

    smtpc_buffer_init(&octets, LINE_MAX_OCTETS);
    if (smtpc_buffer_append_string(&octets, line) == 0 && smtpc_buffer_append_octet(&octets, '\n') == 0)
        while (write(context->keylog_fd, octets.bytes, octets.length) < 0 && errno == EINTR)
            ;
    smtpc_buffer_clear(&octets);
    errno = before;
}

int
smtpc_tls_keylog_open(struct smtpc_tls_context *context, const char *path, struct smtpc_error *error)
{
    if (path == NULL)
        return 0;
    context->keylog_fd = smtpc_tls_private_file(path, O_WRONLY | O_APPEND, "keylog_file", error);
    if (context->keylog_fd < 0)
        return -1;
    SSL_CTX_set_app_data(context->ssl_ctx, context);
    SSL_CTX_set_keylog_callback(context->ssl_ctx, note_secret);
    return 0;
}

void
smtpc_tls_keylog_close(struct smtpc_tls_context *context)
{
    if (context->keylog_fd >= 0)
        close(context->keylog_fd);
    context->keylog_fd = -1;
}
