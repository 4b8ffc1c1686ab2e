/*
 * digest.c: libcrypto's EVP interface, the one that OpenSSL 3 does not deprecate.
 */
#include "base/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

CLEANUP_FN(EVP_MD_CTX, EVP_MD_CTX_free)

static bool add_part(EVP_MD_CTX *ctx, struct str part)
{
    uint8_t length[8];

    for (size_t i = 0; i < sizeof(length); i++)
        length[i] = (uint8_t)((uint64_t)part.n >> (56 - 8 * i));
    if (EVP_DigestUpdate(ctx, length, sizeof(length)) != 1)
        return false;
    return part.n == 0 || EVP_DigestUpdate(ctx, part.p, part.n) == 1;
}

enum err digest_parts(const struct str *parts, size_t n, uint8_t ret[DIGEST_BYTES], struct error *err)
{
    CLEANUP(EVP_MD_CTX_free_p) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!ctx)
        return error_set(err, ERR_MEMORY, NULL, "out of memory for a digest");
    if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        return error_set(err, ERR_INTERNAL, NULL, "SHA-256 is not available in libcrypto");
    for (size_t i = 0; i < n; i++) {
        if (!add_part(ctx, parts[i]))
            return error_set(err, ERR_INTERNAL, NULL, "libcrypto failed in SHA-256");
    }
    if (EVP_DigestFinal_ex(ctx, digest, &size) != 1 || size != DIGEST_BYTES)
        return error_set(err, ERR_INTERNAL, NULL, "libcrypto failed in SHA-256");
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        ret[i] = digest[i];
    return ERR_NONE;
}

enum err digest_hmac(struct str key, struct str message, uint8_t ret[DIGEST_BYTES], struct error *err)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (key.n > INT_MAX)
        return error_set(err, ERR_TOO_LARGE, NULL, "the key has %zu bytes", key.n);
    if (!HMAC(EVP_sha256(), key.n > 0 ? key.p : "", (int)key.n,
              (const unsigned char *)(message.n > 0 ? message.p : ""), message.n, mac, &size) ||
        size != DIGEST_BYTES)
        return error_set(err, ERR_INTERNAL, NULL, "libcrypto failed in HMAC-SHA-256");
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        ret[i] = mac[i];
    return ERR_NONE;
}

uint64_t digest_mix64(struct str s, uint64_t seed)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < s.n; i++) {
        h ^= (uint8_t)s.p[i];
        h *= UINT64_C(0x100000001b3);
    }
    /* FNV's high bits are weak for short texts; splitmix64's finish spreads them. */
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}
