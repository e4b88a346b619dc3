/* scram_write: what a SCRAM client says, but for its proof. */
#include "sasl/scram_write.h"

#include <string.h>

#include "codec/base64.h"
#include "sasl/gs2.h"

static int
append_text(struct smtpc_buffer *out, struct smtpc_scram_text text)
{
    return smtpc_buffer_append(out, text.octets, text.length);
}

static int
append_flag(const struct smtpc_sasl *sasl, struct smtpc_buffer *out)
{
    if (sasl->mechanism->binds)
        return smtpc_buffer_append_string(out, "p=") != 0 ? -1 : smtpc_buffer_append_string(out, sasl->binding.name);
    return smtpc_buffer_append_octet(out, sasl->binding.length > 0 && !sasl->offers_plus ? 'y' : 'n');
}

int
smtpc_scram_write_first(const struct smtpc_sasl *sasl, const char *nonce, size_t n, struct smtpc_buffer *out)
{
    if (append_flag(sasl, out) != 0
        || smtpc_buffer_append_string(out, sasl->authzid.length > 0 ? ",a=" : ",") != 0
        || smtpc_gs2_append_name(out, &sasl->authzid) != 0
        || smtpc_buffer_append_string(out, ",n=") != 0
        || smtpc_gs2_append_name(out, smtpc_sasl_prepared_user(sasl)) != 0
        || smtpc_buffer_append_string(out, ",r=") != 0)
        return -1;
    return smtpc_buffer_append(out, nonce, n);
}

/* No name has a comma in it: they are escaped, and a binding's name is ours. */
struct smtpc_scram_first
smtpc_scram_first_of(const struct smtpc_buffer *written)
{
    const char *start = written->bytes, *end = start + written->length, *bare, *nonce = end;
    struct smtpc_scram_first first;

    bare = (const char *)memchr(start, ',', written->length) + 1;
    bare = (const char *)memchr(bare, ',', (size_t)(end - bare)) + 1;
    while (nonce[-1] != ',')
        nonce--;
    first.header.octets = start;
    first.header.length = (size_t)(bare - start);
    first.bare.octets = bare;
    first.bare.length = (size_t)(end - bare);
    first.nonce.octets = nonce + 2;
    first.nonce.length = (size_t)(end - first.nonce.octets);
    return first;
}

int
smtpc_scram_write_final(const struct smtpc_sasl *sasl, struct smtpc_scram_text header, struct smtpc_scram_text nonce,
                        struct smtpc_buffer *out)
{
    struct smtpc_buffer input;
    int result = -1;

    smtpc_buffer_init(&input, SMTPC_SCRAM_WRITTEN_MAX);
    if (append_text(&input, header) == 0
        && (!sasl->mechanism->binds
            || smtpc_buffer_append(&input, (const char *)sasl->binding.octets, sasl->binding.length) == 0)
        && smtpc_buffer_append_string(out, "c=") == 0 && smtpc_base64_encode(input.bytes, input.length, out) == 0
        && smtpc_buffer_append_string(out, ",r=") == 0)
        result = append_text(out, nonce);
    smtpc_buffer_clear(&input);
    return result;
}

int
smtpc_scram_write_auth(struct smtpc_scram_text bare, struct smtpc_scram_text server_first,
                       const struct smtpc_buffer *final, struct smtpc_buffer *out)
{
    if (append_text(out, bare) != 0 || smtpc_buffer_append_octet(out, ',') != 0
        || append_text(out, server_first) != 0 || smtpc_buffer_append_octet(out, ',') != 0)
        return -1;
    return smtpc_buffer_append(out, final->bytes, final->length);
}
