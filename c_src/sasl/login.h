/* login: LOGIN (draft-murchison-sasl-login): two prompts, answered by position. */
#ifndef SMTPC_SASL_LOGIN_H
#define SMTPC_SASL_LOGIN_H

#include "sasl/sasl.h"

extern const struct smtpc_sasl_mechanism smtpc_sasl_login;

#endif
