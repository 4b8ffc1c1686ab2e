/*
 * webhook_secret.c: see webhook_secret.h.
 */
#include "base/webhook_secret.h"

#include "base/base64.h"
#include "base/str.h"

enum err webhook_secret_read(struct str text, struct webhook_secret *ret, struct error *err)
{
    const struct str prefix = STR("whsec_");
    struct webhook_secret s = {.n = 0};

    if (!str_starts(text, prefix))
        return error_set(err, ERR_INVALID, NULL, "must begin with whsec_");
    text = (struct str){text.p + prefix.n, text.n - prefix.n};
    if (!base64_read(text, s.key, sizeof(s.key), &s.n) || s.n < WEBHOOK_SECRET_MIN)
        return error_set(err, ERR_INVALID, NULL, "must be whsec_ and base64 of %d to %d bytes",
                         WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
    *ret = s;
    return ERR_NONE;
}
