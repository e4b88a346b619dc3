/* plain: PLAIN (RFC 4616), and the legacy dialogue in clear text that some old servers speak. */
#ifndef SMTPC_SASL_PLAIN_H
#define SMTPC_SASL_PLAIN_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_plain;

#endif
