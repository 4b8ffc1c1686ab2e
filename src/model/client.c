/*
 * client.c: a schedule's identity: five texts, absent ones empty.
 */
#include "model/schedule.h"

#include "base/str.h"

#include <string.h>

enum err client_hash(const struct client *c, struct client_hash *ret, struct error *err)
{
    const struct str parts[] = {c->operation, c->application, c->group, c->key, c->type};
    uint8_t digest[DIGEST_BYTES];
    enum err e = digest_parts(parts, COUNT_OF(parts), digest, err);

    if (e)
        return e;
    memcpy(ret->b, digest, sizeof(ret->b));
    return ERR_NONE;
}

bool client_eq(const struct client *a, const struct client *b)
{
    return str_eq(a->operation, b->operation) && str_eq(a->application, b->application) &&
           str_eq(a->group, b->group) && str_eq(a->key, b->key) && str_eq(a->type, b->type);
}
