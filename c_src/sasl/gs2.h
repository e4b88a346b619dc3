/* gs2: the names that stand in a GS2 header (RFC 5801 section 4), for SCRAM and OAUTHBEARER. */
#ifndef SMTPC_SASL_GS2_H
#define SMTPC_SASL_GS2_H

#include "base/buffer.h"

/* Appends the octets with ',' as "=2C" and '=' as "=3D". 0, or -1 when there is no room. */
int smtpc_gs2_append_name(struct smtpc_buffer *out, const struct smtpc_buffer *name);

#endif
