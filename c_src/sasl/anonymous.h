/* anonymous: ANONYMOUS (RFC 4505): no identity, only a word for the server's log. */
#ifndef SMTPC_SASL_ANONYMOUS_H
#define SMTPC_SASL_ANONYMOUS_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_anonymous;

#endif
