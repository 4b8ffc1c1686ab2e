/*
 * sign.h: Standard Webhooks (https://www.standardwebhooks.com), symmetric signatures, version v1: what proves
 * to a receiver that a request is ours and fresh.
 *
 * A name stands for one secret, or for two while one takes the other's place: then a request carries two
 * signatures and whoever knows either secret can verify it. Immutable once made; any thread may sign.
 */
#ifndef DELIVER_SIGN_H
#define DELIVER_SIGN_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

enum { SIGN_SECRETS = 2 };

struct sign_secret {
    struct str name;
    struct str texts[SIGN_SECRETS]; /* "whsec_..." */
    size_t n;                       /* 1 or 2 */
};

struct signer;

CHECKED enum err signer_new(const struct sign_secret *secrets, size_t n, struct signer **ret,
                            struct error *err);
void signer_free(struct signer *s); /* NULL is fine; the secrets are wiped */
/*
 * Appends the value of webhook-signature for the message `id`, sent at `at_s` (seconds since 1970).
 * ERR_NOT_FOUND: no secret has that name.
 */
CHECKED enum err signer_sign(const struct signer *s, struct str name, struct str id, int64_t at_s,
                             struct str body, struct buf *out, struct error *err);
/* webhook-id, webhook-timestamp and webhook-signature, in whatever case. */
bool sign_owns(struct str header);

#endif
