/*
 * digest.c: libcrypto's EVP interface, the one that OpenSSL 3 does not deprecate.
 */
#include "base/digest.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

CLEANUP_FN(EVP_MD_CTX, EVP_MD_CTX_free)
CLEANUP_FN(EVP_MAC, EVP_MAC_free)
CLEANUP_FN(EVP_MAC_CTX, EVP_MAC_CTX_free)

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

static bool hmac_parts(EVP_MAC_CTX *ctx, struct str key, const struct str *parts, size_t n,
                       uint8_t ret[DIGEST_BYTES])
{
    char sha256[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                                 OSSL_PARAM_construct_end()};
    size_t size = 0;

    if (EVP_MAC_init(ctx, (const unsigned char *)(key.n > 0 ? key.p : ""), key.n, params) != 1)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0 && EVP_MAC_update(ctx, (const unsigned char *)parts[i].p, parts[i].n) != 1)
            return false;
    }
    return EVP_MAC_final(ctx, ret, &size, DIGEST_BYTES) == 1 && size == DIGEST_BYTES;
}

enum err digest_hmac_parts(struct str key, const struct str *parts, size_t n, uint8_t ret[DIGEST_BYTES],
                           struct error *err)
{
    CLEANUP(EVP_MAC_free_p) EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    CLEANUP(EVP_MAC_CTX_free_p) EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    uint8_t made[DIGEST_BYTES];

    if (!ctx || !hmac_parts(ctx, key, parts, n, made))
        return error_set(err, ERR_INTERNAL, NULL, "libcrypto failed in HMAC-SHA-256");
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        ret[i] = made[i];
    return ERR_NONE;
}

enum err digest_hmac(struct str key, struct str message, uint8_t ret[DIGEST_BYTES], struct error *err)
{
    return digest_hmac_parts(key, &message, 1, ret, err);
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
