/* scram_proof: the arithmetic of SCRAM, in the names of RFC 5802. */
#include "sasl/scram_proof.h"

#include "base/secret.h"

/* HMAC with a key as long as the digest. */
static int
hmac(enum smtpc_digest digest, const unsigned char *key, const char *data, size_t n, unsigned char *out)
{
    return smtpc_digest_hmac(digest, (const char *)key, smtpc_digest_size(digest), data, n, out);
}

static int
prove_client(enum smtpc_digest digest, const unsigned char *salted, const struct smtpc_buffer *message,
             unsigned char *proof)
{
    static const char label[] = "Client Key";
    unsigned char client_key[SMTPC_DIGEST_SIZE_MAX], stored_key[SMTPC_DIGEST_SIZE_MAX];
    size_t n = smtpc_digest_size(digest), i;
    int result = -1;

    if (hmac(digest, salted, label, sizeof label - 1, client_key) == 0
        && smtpc_digest_hash(digest, (const char *)client_key, n, stored_key) == 0)
        result = hmac(digest, stored_key, message->bytes, message->length, proof);
    if (result == 0)
        for (i = 0; i < n; i++)
            proof[i] ^= client_key[i];
    smtpc_secret_wipe(client_key, sizeof client_key);
    smtpc_secret_wipe(stored_key, sizeof stored_key);
    return result;
}

static int
expect_server(enum smtpc_digest digest, const unsigned char *salted, const struct smtpc_buffer *message,
              unsigned char *signature)
{
    static const char label[] = "Server Key";
    unsigned char server_key[SMTPC_DIGEST_SIZE_MAX];
    int result = hmac(digest, salted, label, sizeof label - 1, server_key);

    if (result == 0)
        result = hmac(digest, server_key, message->bytes, message->length, signature);
    smtpc_secret_wipe(server_key, sizeof server_key);
    return result;
}

int
smtpc_scram_prove(enum smtpc_digest digest, const unsigned char *salted, const struct smtpc_buffer *message,
                  struct smtpc_scram_proof *proof)
{
    if (prove_client(digest, salted, message, proof->client) != 0)
        return -1;
    return expect_server(digest, salted, message, proof->server);
}
