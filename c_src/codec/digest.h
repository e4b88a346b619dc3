/* digest: HMAC over OpenSSL's EVP, in a library context of our own, so that MD5 is there under a FIPS configuration.
 * RFC 2104; vectors RFC 2202. The only file of codec/ that knows OpenSSL. */
#ifndef SMTPC_CODEC_DIGEST_H
#define SMTPC_CODEC_DIGEST_H

#include <stddef.h>

enum smtpc_digest { SMTPC_DIGEST_MD5 };

enum { SMTPC_DIGEST_SIZE_MAX = 64 };

/* Octets that the digest gives: 16 for MD5. */
size_t smtpc_digest_size(enum smtpc_digest digest);

/* Writes smtpc_digest_size() octets of HMAC(key, data) to out. Any lengths, also 0 (pointers may then be NULL).
 * 0, or -1 when the library refuses (out is then wiped). Safe in threads. */
int smtpc_digest_hmac(enum smtpc_digest digest, const char *key, size_t key_length, const char *data,
                      size_t data_length, unsigned char *out);

/* Lower-case hexadecimal of n octets and a NUL: 2n+1 characters at out. */
void smtpc_digest_hex(const unsigned char *octets, size_t n, char *out);

#endif
