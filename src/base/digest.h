/*
 * digest.h: SHA-256 and HMAC-SHA-256 by OpenSSL's libcrypto. The only door to it in this room and above.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/base.h"
#include "base/error.h"

enum { DIGEST_BYTES = 32 };

/* The digest of the parts, each preceded by its length (8 bytes, big-endian), so that no join can collide. */
CHECKED enum err digest_parts(const struct str *parts, size_t n, uint8_t ret[DIGEST_BYTES],
                              struct error *err);
CHECKED enum err digest_hmac(struct str key, struct str message, uint8_t ret[DIGEST_BYTES],
                             struct error *err);
/* Of the parts one after the other, with nothing in between. */
CHECKED enum err digest_hmac_parts(struct str key, const struct str *parts, size_t n,
                                   uint8_t ret[DIGEST_BYTES], struct error *err);
/* A 64-bit mix of bytes for hash tables and spreading (FNV-1a finished by splitmix64): stable for ever. */
uint64_t digest_mix64(struct str s, uint64_t seed);

#endif
