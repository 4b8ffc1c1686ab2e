/*
 * core_record.c: outcomes on their way to the store, in groups: while one record is out, what ends meanwhile
 * is gathered for the next. An outcome keeps its held run until it is durable, so held_max bounds what can
 * pile up.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

/* Outcomes there is always room for, so that recording goes on, slower, without memory. */
enum { RECORD_FIRST = 16 };

enum err records_init(struct core *c, struct error *err)
{
    struct core_records *l = &c->records;
    void *p;
    enum err e;

    list_init(&l->wish.node);
    l->not_before = (struct mono){INT64_MIN};
    e = alloc_array(RECORD_FIRST, sizeof(*l->outcomes), &p, err);
    if (e)
        return e;
    l->outcomes = p;
    l->cap = RECORD_FIRST;
    return ERR_NONE;
}

void records_done(struct core *c)
{
    alloc_free(c->records.outcomes);
}

void records_step(struct core *c)
{
    struct core_records *l = &c->records;

    if (l->asking != ASK_NOT || list_empty(&l->ended) || c->now.mono.us < l->not_before.us)
        return;
    l->asking = ASK_WISHED;
    core_wish(c, &l->wish, CORE_RECORD);
}

struct mono records_wake_at(const struct core *c)
{
    const struct core_records *l = &c->records;

    return l->asking == ASK_NOT && !list_empty(&l->ended) ? l->not_before : MONO_NEVER;
}

/* How many of those that ended the next record carries. */
static size_t group_size(struct core *c)
{
    struct core_records *l = &c->records;
    size_t n = c->count[HELD_ENDED];
    void *p = l->outcomes;

    if (n > c->options.record_limit)
        n = c->options.record_limit;
    if (n > l->cap && !alloc_resize(&p, n, sizeof(*l->outcomes), NULL)) {
        l->outcomes = p;
        l->cap = n;
    }
    return n < l->cap ? n : l->cap;
}

bool records_read(struct core *c, struct core_action *ret)
{
    struct core_records *l = &c->records;
    size_t n = group_size(c);

    MUST(n > 0); /* nothing leaves HELD_ENDED but by this way */
    l->asking = ASK_OUT;
    l->out_n = n;
    for (size_t i = 0; i < n; i++) {
        struct held *h = CONTAINER_OF(l->ended.next, struct held, in_state);

        held_set_state(c, h, HELD_RECORDING);
        l->outcomes[i] = h->outcome;
        l->outcomes[i].run = h->run;
        l->outcomes[i].schedule = h->schedule;
    }
    ret->outcomes = l->outcomes;
    ret->n = n;
    return true;
}

static void answered(struct core *c, struct held *h, bool stale)
{
    const struct core_outcome *o = &h->outcome;

    if (stale && held_inherit(c, h)) {
        held_set_state(c, h, HELD_ENDED);
        return;
    }
    if (stale)
        c->stats.stale++;
    else if (run_state_open(o->to))
        claims_due(c, o->due_at);
    held_recorded(c, h);
}

void core_on_recorded(struct core *c, struct core_now now, const bool *stale, size_t n)
{
    struct core_records *l = &c->records;

    MUST(l->asking == ASK_OUT && n == l->out_n);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = 0;
    for (size_t i = 0; i < n; i++)
        answered(c, CONTAINER_OF(l->out.next, struct held, in_state), stale[i]);
    core_step(c);
}

void core_on_record_failed(struct core *c, struct core_now now)
{
    struct core_records *l = &c->records;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = core_next_backoff(c, l->backoff_us);
    l->not_before = mono_add(now.mono, l->backoff_us);
    while (!list_empty(&l->out)) {
        struct held *h = CONTAINER_OF(l->out.next, struct held, in_state);

        (void)held_inherit(c, h);
        held_set_state(c, h, HELD_ENDED);
    }
    core_step(c);
}
