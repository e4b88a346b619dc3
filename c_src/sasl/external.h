/* external: EXTERNAL (RFC 4422 appendix A): who the client is, the server knows from the certificate. */
#ifndef SMTPC_SASL_EXTERNAL_H
#define SMTPC_SASL_EXTERNAL_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_external;

#endif
