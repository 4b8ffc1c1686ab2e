/*
 * rehearsal.c: see rehearsal.h.
 */
#include "move/rehearsal.h"

#include <string.h>

#include "base/alloc.h"
#include "store/grow.h"

void rehearsal_init(struct rehearsal *r)
{
    *r = (struct rehearsal){0};
    map_init(&r->by_key);
    map_init(&r->gone);
}

void rehearsal_done(struct rehearsal *r)
{
    alloc_free(TAKE(r->items));
    map_done(&r->by_key);
    map_done(&r->gone);
    rehearsal_init(r);
}

struct uuid rehearsal_hash(const struct schedule *s)
{
    struct uuid u;

    _Static_assert(sizeof(u.b) == CLIENT_HASH_BYTES, "a hash fits a uuid");
    memcpy(u.b, s->hash.b, sizeof(u.b));
    return u;
}

static void *number(size_t n)
{
    return (void *)(uintptr_t)n;
}

static const struct rehearsed *find(const struct rehearsal *r, struct uuid key)
{
    size_t n = (size_t)(uintptr_t)map_get(&r->by_key, key);

    return n > 0 ? &r->items[n - 1] : NULL;
}

void rehearsal_look(const struct rehearsal *r, struct moved_schedule *m)
{
    const struct rehearsed *same = find(r, rehearsal_hash(m->schedule));

    if (m->id_taken && map_get(&r->gone, m->record->id))
        m->id_taken = false;
    if (!uuid_is_nil(m->same) && map_get(&r->gone, m->same))
        m->same = (struct uuid){0};
    if (!m->id_taken && uuid_is_nil(m->same))
        m->busy = false;
    m->id_taken = m->id_taken || find(r, m->record->id);
    if (same)
        m->same = same->id;
}

/* Whatever has this id, here and there, goes. */
static enum err remove_id(struct rehearsal *r, struct uuid id, struct error *err)
{
    const struct rehearsed *there = find(r, id);

    if (there) {
        (void)map_remove(&r->by_key, there->hash);
        (void)map_remove(&r->by_key, id);
    }
    return map_put(&r->gone, id, r, err); /* any value says that it is */
}

enum err rehearsal_add(struct rehearsal *r, const struct moved_schedule *m, bool id_made, struct error *err)
{
    struct rehearsed x = {.id = m->record->id, .hash = rehearsal_hash(m->schedule)};
    enum err e = ERR_NONE;

    if (r->n == REHEARSAL_MAX) {
        r->full = true;
        return ERR_NONE;
    }
    if (id_made && !uuid_is_nil(m->same))
        x.id = m->same;
    if (m->id_taken)
        e = remove_id(r, m->record->id, err);
    if (!e && !uuid_is_nil(m->same))
        e = remove_id(r, m->same, err);
    if (!e)
        e = LIST_RESERVE(r, err);
    if (e)
        return e;
    r->items[r->n++] = x;
    e = map_put(&r->by_key, x.id, number(r->n), err);
    return e ? e : map_put(&r->by_key, x.hash, number(r->n), err);
}
