/* salted: salted passwords of SCRAM (RFC 5802 section 3), kept for the next login of the process. */
#ifndef SMTPC_SASL_SALTED_H
#define SMTPC_SASL_SALTED_H

#include <stddef.h>

#include "base/buffer.h"
#include "codec/digest.h"

/* All that a salted password comes from; the buffers are lent. */
struct smtpc_salted {
    enum smtpc_digest digest;
    const struct smtpc_buffer *user;
    const struct smtpc_buffer *password;
    const struct smtpc_buffer *salt;
    unsigned long iterations;           /* at least 1 */
};

/* Writes smtpc_digest_size() octets to out, which the caller wipes: 1 when they were kept, 0 when they were computed
 * now, -1 when OpenSSL refuses. One of the things above being different is never a match. Safe in threads and after a
 * fork: who finds the store busy computes. */
int smtpc_salted_password(const struct smtpc_salted *salted, unsigned char *out);

/* Wipes all that is kept. 0, or -1 when another thread is at it. */
int smtpc_salted_forget(void);

#endif
