/* digest: hashes, HMAC (RFC 2104), PBKDF2 (RFC 8018) and random octets over OpenSSL's EVP, in a library context of our
 * own, so that MD5 is there under a FIPS configuration. The only file of codec/ that knows OpenSSL. */
#ifndef SMTPC_CODEC_DIGEST_H
#define SMTPC_CODEC_DIGEST_H

#include <stddef.h>

enum smtpc_digest { SMTPC_DIGEST_MD5, SMTPC_DIGEST_SHA1, SMTPC_DIGEST_SHA256, SMTPC_DIGEST_SHA512 };

enum { SMTPC_DIGEST_SIZE_MAX = 64 };

/* Octets that the digest gives: 16 for MD5, 20, 32, 64 for SHA-1, SHA-256, SHA-512. */
size_t smtpc_digest_size(enum smtpc_digest digest);

/* Writes smtpc_digest_size() octets of HMAC(key, data) to out. Any lengths, also 0 (pointers may then be NULL).
 * 0, or -1 when the library refuses (out is then wiped). Safe in threads. */
int smtpc_digest_hmac(enum smtpc_digest digest, const char *key, size_t key_length, const char *data,
                      size_t data_length, unsigned char *out);

/* The same for the digest of data alone. */
int smtpc_digest_hash(enum smtpc_digest digest, const char *data, size_t n, unsigned char *out);

/* The same for PBKDF2 with HMAC of the digest; as many octets as the digest gives. iterations: at least 1. */
int smtpc_digest_pbkdf2(enum smtpc_digest digest, const char *password, size_t password_length, const char *salt,
                        size_t salt_length, unsigned long iterations, unsigned char *out);

/* n octets that nobody can guess. 0, or -1 when there are none to be had (out is then wiped). */
int smtpc_digest_random(unsigned char *out, size_t n);

/* Lower-case hexadecimal of n octets and a NUL: 2n+1 characters at out. */
void smtpc_digest_hex(const unsigned char *octets, size_t n, char *out);

#endif
