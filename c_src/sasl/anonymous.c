/* anonymous: ANONYMOUS (RFC 4505): the user name is a trace for the server's log, and may be empty. */
#include "sasl/anonymous.h"

enum { TRACE_MAX = 255 };   /* characters; octets here, which is stricter (RFC 4505 section 2) */

static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    (void)challenge;
    if (sasl->state++ > 0) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "ANONYMOUS: the server asks for more than the trace");
        return SMTPC_SASL_CANCEL;
    }
    if (sasl->user.length > TRACE_MAX) {
        smtpc_error_set(error, SMTPC_ERROR_USAGE, "ANONYMOUS: user name has %zu octets, and %d is the limit",
                        sasl->user.length, (int)TRACE_MAX);
        return SMTPC_SASL_CANCEL;
    }
    if (smtpc_buffer_append(out, sasl->user.bytes, sasl->user.length) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

const struct smtpc_sasl_mechanism smtpc_sasl_anonymous = {
    .name = "ANONYMOUS",
    .strength = 1,
    .strength_trusted = 1,
    .credential = SMTPC_SASL_NO_SECRET,
    .by_name_only = 1,
    .client_first = 1,
    .answer = answer,
};
