/*
 * sign.c: see sign.h.
 *
 * What is signed is "id.timestamp.body". The id is a schedule's id and a time, which may have a full stop
 * before its fraction; since that is followed by digits and a Z, no other id and timestamp make the same
 * text.
 */
#include "deliver/sign.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/webhook_secret.h"

struct named {
    char *name;
    struct webhook_secret secrets[SIGN_SECRETS];
    size_t n;
};

struct signer {
    struct named *items;
    size_t n;
};

static enum err add(struct signer *s, const struct sign_secret *from, struct error *err)
{
    struct named *to = &s->items[s->n];
    enum err e = alloc_str(from->name, &to->name, err);

    if (e)
        return e;
    s->n++;
    MUST(from->n >= 1 && from->n <= SIGN_SECRETS);
    for (; to->n < from->n && !e; to->n += !e)
        e = webhook_secret_read(from->texts[to->n], &to->secrets[to->n], err);
    return e;
}

enum err signer_new(const struct sign_secret *secrets, size_t n, struct signer **ret, struct error *err)
{
    struct signer *s = alloc_new(struct signer);
    enum err e = alloc_array(n, sizeof(*s->items), (void **)&s->items, err);

    for (size_t i = 0; i < n && !e; i++)
        e = add(s, &secrets[i], err);
    if (e) {
        signer_free(s);
        return e;
    }
    *ret = s;
    return ERR_NONE;
}

void signer_free(struct signer *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        alloc_free(s->items[i].name);
    if (s->items)
        explicit_bzero(s->items, s->n * sizeof(*s->items));
    alloc_free(s->items);
    alloc_free(s);
}

static const struct named *find(const struct signer *s, struct str name)
{
    for (size_t i = 0; s && i < s->n; i++) {
        if (str_eq(str_of(s->items[i].name), name))
            return &s->items[i];
    }
    return NULL;
}

enum err signer_sign(const struct signer *s, struct str name, struct str id, int64_t at_s, struct str body,
                     struct buf *out, struct error *err)
{
    const struct named *by = find(s, name);
    char stamp[32];
    uint8_t mac[DIGEST_BYTES];

    if (!by)
        return error_set(err, ERR_NOT_FOUND, "/task/sign", "no secret named %.*s is configured",
                         (int)(name.n < 100 ? name.n : 100), name.p);
    (void)snprintf(stamp, sizeof(stamp), ".%lld.", (long long)at_s);
    for (size_t i = 0; i < by->n; i++) {
        const struct str key = {(const char *)by->secrets[i].key, by->secrets[i].n};
        const struct str parts[] = {id, str_of(stamp), body};
        enum err e = digest_hmac_parts(key, parts, COUNT_OF(parts), mac, err);

        if (e)
            return e;
        buf_add_cstr(out, i > 0 ? " v1," : "v1,");
        base64_add(out, mac, sizeof(mac));
    }
    return ERR_NONE;
}

bool sign_owns(struct str header)
{
    return str_eq_nocase(header, STR("webhook-id")) || str_eq_nocase(header, STR("webhook-timestamp")) ||
           str_eq_nocase(header, STR("webhook-signature"));
}
