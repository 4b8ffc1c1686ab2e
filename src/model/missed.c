/*
 * missed.c: see missed.h.
 */
#include "model/missed.h"

#include "base/alloc.h"
#include "model/occurrence.h"
#include "model/timer_internal.h"

enum { LIST_FIRST = 8 };

void missed_list_done(struct missed_list *l)
{
    alloc_free(l->items);
    *l = (struct missed_list){0};
}

static enum err add(struct missed_list *l, struct missed_span span, struct error *err)
{
    struct missed_span *before = l->n > 0 ? &l->items[l->n - 1] : NULL;
    size_t cap = l->cap > 0 ? l->cap * 2 : LIST_FIRST;
    void *items = l->items;

    if (l->n > MISSED_SINGLY_MAX && before->why == span.why) {
        before->last = span.last;
        before->n += span.n;
        return ERR_NONE;
    }
    if (l->n == l->cap) {
        enum err e = alloc_resize(&items, cap, sizeof(*l->items), err);

        if (e)
            return e;
        l->items = items;
        l->cap = cap;
    }
    l->items[l->n++] = span;
    return ERR_NONE;
}

enum err missed_list_add(struct missed_list *l, const struct schedule *s, enum missed why, struct wall first,
                         struct wall last, int64_t n, struct error *err)
{
    struct wall at = first;

    while (n > 1 && l->n < MISSED_SINGLY_MAX) {
        enum err e = add(l, (struct missed_span){why, at, at, 1}, err);

        if (e)
            return e;
        at = occurrence_next(s, at);
        n--;
    }
    return n > 0 ? add(l, (struct missed_span){why, at, n > 1 ? last : at, n}, err) : ERR_NONE;
}

enum err missed_by_pause(const struct schedule *s, const struct timer *paused, struct wall now,
                         struct missed_list *ret, struct error *err)
{
    struct wall first = timer_still_ahead(s, paused);
    struct wall last;

    if (paused->state != SCHEDULE_PAUSED || !schedule_recurs(s) || !timer_runs_left(s, paused) ||
        wall_is_never(first) || occurrence_act(s, first).us > now.us)
        return ERR_NONE;
    last = occurrence_last_due(s, first, now);
    return missed_list_add(ret, s, MISSED_PAUSED, first, last, occurrence_count(s, first, last), err);
}
