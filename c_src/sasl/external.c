/* external: EXTERNAL (RFC 4422 appendix A): the identity to act as, or nothing for the certificate's own. */
#include "sasl/external.h"

static enum smtpc_sasl_verdict
answer(struct smtpc_sasl *sasl, const struct smtpc_sasl_challenge *challenge, struct smtpc_buffer *out,
       struct smtpc_error *error)
{
    const struct smtpc_buffer *identity = sasl->authzid.length > 0 ? &sasl->authzid : &sasl->user;

    (void)challenge;
    if (sasl->state++ > 0) {
        smtpc_error_set(error, SMTPC_ERROR_AUTH, "EXTERNAL: the server asks for more than the identity");
        return SMTPC_SASL_CANCEL;
    }
    if (smtpc_buffer_append(out, identity->bytes, identity->length) == 0)
        return SMTPC_SASL_ANSWER;
    smtpc_error_set_memory(error);
    return SMTPC_SASL_CANCEL;
}

const struct smtpc_sasl_mechanism smtpc_sasl_external = {
    .name = "EXTERNAL",
    .strength = 160,
    .strength_trusted = 160,
    .credential = SMTPC_SASL_NO_SECRET,
    .by_name_only = 1,
    .client_first = 1,
    .one_round = 1,
    .takes_authzid = 1,
    .answer = answer,
};
