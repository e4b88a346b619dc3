/* scram: SCRAM (RFC 5802, RFC 7677), in which both sides prove that they know the password. */
#ifndef SMTPC_SASL_SCRAM_H
#define SMTPC_SASL_SCRAM_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_512_plus;
extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_256_plus;
extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_1_plus;
extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_512;
extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_256;
extern const struct smtpc_sasl_mechanism smtpc_sasl_scram_sha_1;

/* The first message of a login that has begun, with that nonce (printable, no comma). The mechanisms make a fresh
 * nonce for every login and come here; published vectors, whose nonce is given, come here at once. */
enum smtpc_sasl_verdict smtpc_scram_begin(struct smtpc_sasl *sasl, const char *nonce, size_t n,
                                          struct smtpc_buffer *out, struct smtpc_error *error);

#endif
