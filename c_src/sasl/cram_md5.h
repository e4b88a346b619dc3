/* cram_md5: CRAM-MD5 (RFC 2195): the digest of the challenge exactly as it came. */
#ifndef SMTPC_SASL_CRAM_MD5_H
#define SMTPC_SASL_CRAM_MD5_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_cram_md5;

#endif
