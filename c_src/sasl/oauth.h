/* oauth: OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner: a bearer token instead of a password. */
#ifndef SMTPC_SASL_OAUTH_H
#define SMTPC_SASL_OAUTH_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_oauthbearer;
extern const struct smtpc_sasl_mechanism smtpc_sasl_xoauth2;

#endif
