/* gs2: the names that stand in a GS2 header (RFC 5801 section 4). */
#include "sasl/gs2.h"

int
smtpc_gs2_append_name(struct smtpc_buffer *out, const struct smtpc_buffer *name)
{
    size_t i;

    for (i = 0; i < name->length; i++) {
        char octet = name->bytes[i];
        int failed = octet == ',' ? smtpc_buffer_append_string(out, "=2C")
                   : octet == '=' ? smtpc_buffer_append_string(out, "=3D")
                                  : smtpc_buffer_append(out, &octet, 1);

        if (failed != 0)
            return -1;
    }
    return 0;
}
