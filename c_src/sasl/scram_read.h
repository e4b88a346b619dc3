/* scram_read: what a SCRAM server says (RFC 5802 section 7), read strictly. */
#ifndef SMTPC_SASL_SCRAM_READ_H
#define SMTPC_SASL_SCRAM_READ_H

#include <stddef.h>

#include "sasl/sasl.h"

enum {
    SMTPC_SCRAM_MESSAGE_MAX = 9216,     /* octets: what 12288 characters of base64 hold (RFC 4954 section 4) */
    SMTPC_SCRAM_SALT_MAX = 1024
};

/* Octets, lent. */
struct smtpc_scram_text {
    const char *octets;
    size_t length;
};

/* What the server's first message must fit. */
struct smtpc_scram_terms {
    const char *mechanism;              /* for the error */
    struct smtpc_scram_text nonce;      /* ours */
    unsigned long iterations_min;
    unsigned long iterations_max;
};

struct smtpc_scram_server_first {
    struct smtpc_scram_text nonce;      /* ours and the server's; lent from the message */
    struct smtpc_buffer salt;           /* initialised by the reader, cleared by the caller whatever the result */
    unsigned long iterations;
};

/* r=NONCE,s=SALT,i=COUNT and what may follow, which is not looked into. ANSWER when all is well; CANCEL with an error
 * when it breaks the rules; ABORT with one when the nonce shows that it is no answer to ours. */
enum smtpc_sasl_verdict smtpc_scram_read_first(const struct smtpc_scram_terms *terms, struct smtpc_scram_text message,
                                               struct smtpc_scram_server_first *first, struct smtpc_error *error);

/* Appends the octets of v=SIGNATURE to signature. 0, or -1 with an error. */
int smtpc_scram_read_final(const char *mechanism, struct smtpc_scram_text message, struct smtpc_buffer *signature,
                           struct smtpc_error *error);

/* 1 when the message is e=VALUE, where value then lies; 0 otherwise. */
int smtpc_scram_is_error(struct smtpc_scram_text message, struct smtpc_scram_text *value);

/* 1 when the octets are those of the string. */
int smtpc_scram_is(struct smtpc_scram_text text, const char *string);

#endif
