/* scram_proof: the arithmetic of SCRAM (RFC 5802 section 3). */
#ifndef SMTPC_SASL_SCRAM_PROOF_H
#define SMTPC_SASL_SCRAM_PROOF_H

#include "base/buffer.h"
#include "codec/digest.h"

/* What a client says and what it must hear; smtpc_digest_size() octets each. */
struct smtpc_scram_proof {
    unsigned char client[SMTPC_DIGEST_SIZE_MAX];    /* ClientProof */
    unsigned char server[SMTPC_DIGEST_SIZE_MAX];    /* ServerSignature */
};

/* From the salted password and AuthMessage. 0, or -1 when OpenSSL refuses. The caller wipes the proof. */
int smtpc_scram_prove(enum smtpc_digest digest, const unsigned char *salted, const struct smtpc_buffer *message,
                      struct smtpc_scram_proof *proof);

#endif
