/* scram_write: what a SCRAM client says (RFC 5802 section 7), but for its proof. */
#ifndef SMTPC_SASL_SCRAM_WRITE_H
#define SMTPC_SASL_SCRAM_WRITE_H

#include "sasl/sasl.h"
#include "sasl/scram_read.h"

enum { SMTPC_SCRAM_WRITTEN_MAX = 16 * SMTPC_SASL_SECRET_MAX };

/* The parts of the first message, lent. */
struct smtpc_scram_first {
    struct smtpc_scram_text header;     /* gs2-header */
    struct smtpc_scram_text bare;       /* client-first-message-bare */
    struct smtpc_scram_text nonce;
};

/* All of these append; 0, or -1 when there is no room. */

/* client-first-message, with the names that sasl holds. */
int smtpc_scram_write_first(const struct smtpc_sasl *sasl, const char *nonce, size_t n, struct smtpc_buffer *out);

/* client-final-message-without-proof; the header is that of the first message, the nonce the server's. */
int smtpc_scram_write_final(const struct smtpc_sasl *sasl, struct smtpc_scram_text header,
                            struct smtpc_scram_text nonce, struct smtpc_buffer *out);

/* AuthMessage. */
int smtpc_scram_write_auth(struct smtpc_scram_text bare, struct smtpc_scram_text server_first,
                           const struct smtpc_buffer *final, struct smtpc_buffer *out);

/* The parts of what smtpc_scram_write_first has written. */
struct smtpc_scram_first smtpc_scram_first_of(const struct smtpc_buffer *written);

#endif
