/*
 * core_doom.c: runs that may have been given up without our having been told which: a notice named none (more
 * changed than it could name, or notices were missed), or said that a newer run took the place of some. The
 * store is asked about them, a batch at a time. Until it answers they go on: a change takes effect within a
 * second.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

/* Runs asked about at once; the first ones are always room for. */
enum { ASK_MAX = 1000, ASK_FIRST = 16 };

enum err dooms_init(struct core *c, struct error *err)
{
    struct core_dooms *l = &c->dooms;
    void *runs;
    enum err e;

    list_init(&l->wish.node);
    list_init(&l->suspects);
    list_init(&l->out);
    l->not_before = (struct mono){INT64_MIN};
    e = alloc_array(ASK_FIRST, sizeof(*l->runs), &runs, err);
    if (e)
        return e;
    l->runs = runs;
    l->cap = ASK_FIRST;
    return ERR_NONE;
}

void dooms_done(struct core *c)
{
    alloc_free(c->dooms.runs);
}

/* What ends by itself, or was given up by us, needs no asking. */
static void suspect(struct core *c, struct held *h)
{
    if (!held_has_not_started(h) && h->state != HELD_IN_FLIGHT)
        return;
    list_remove(&h->suspect);
    list_push_back(&c->dooms.suspects, &h->suspect);
}

static void suspect_of_schedule(struct core *c, struct held *h, int64_t unused)
{
    (void)unused;
    /* It was our own claim that told of it, by bringing this one. */
    if (h->replaces)
        h->replaces = false;
    else
        suspect(c, h);
}

void dooms_suspect_all(struct core *c)
{
    held_each(c, suspect);
}

void dooms_suspect_schedule(struct core *c, struct uuid schedule_id)
{
    held_each_of_schedule(c, schedule_id, 0, suspect_of_schedule);
}

void dooms_step(struct core *c)
{
    struct core_dooms *l = &c->dooms;

    if (l->asking != ASK_NOT || list_empty(&l->suspects) || c->now.mono.us < l->not_before.us)
        return;
    l->asking = ASK_WISHED;
    core_wish(c, &l->wish, CORE_ASK_DOOMED);
}

struct mono dooms_wake_at(const struct core *c)
{
    const struct core_dooms *l = &c->dooms;

    return l->asking == ASK_NOT && !list_empty(&l->suspects) ? l->not_before : MONO_NEVER;
}

static void make_room(struct core *c)
{
    struct core_dooms *l = &c->dooms;
    size_t n = core_held(c) < ASK_MAX ? core_held(c) : ASK_MAX;
    void *runs = l->runs;

    if (n <= l->cap || alloc_resize(&runs, n, sizeof(*l->runs), NULL))
        return;
    l->runs = runs;
    l->cap = n;
}

bool dooms_read(struct core *c, struct core_action *ret)
{
    struct core_dooms *l = &c->dooms;
    struct list *node;
    size_t n = 0;

    make_room(c);
    while (n < l->cap && (node = list_pop_front(&l->suspects))) {
        list_push_back(&l->out, node);
        l->runs[n++] = CONTAINER_OF(node, struct held, suspect)->run.id;
    }
    l->asking = n > 0 ? ASK_OUT : ASK_NOT;
    ret->runs = l->runs;
    ret->n = n;
    return n > 0;
}

/* An attempt goes on when its schedule was changed, but not when a newer run took its place. */
static void give_up(struct core *c, const struct core_doomed *doomed)
{
    for (size_t i = 0; i < doomed->n; i++) {
        struct held *h = map_get(&c->by_run, doomed->runs[i]);

        if (h && held_has_not_started(h))
            held_refuse_start(c, h);
    }
    for (size_t i = 0; i < doomed->replaced_n; i++) {
        struct held *h = map_get(&c->by_run, doomed->replaced[i]);

        if (h)
            held_abort(c, h, ABORT_REPLACED);
    }
}

void core_on_doomed(struct core *c, struct core_now now, const struct core_doomed *doomed)
{
    struct core_dooms *l = &c->dooms;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = 0;
    give_up(c, doomed);
    while (list_pop_front(&l->out)) {
        /* answered */
    }
    core_step(c);
}

void core_on_ask_doomed_failed(struct core *c, struct core_now now)
{
    struct core_dooms *l = &c->dooms;
    struct list *node;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = core_next_backoff(c, l->backoff_us);
    l->not_before = mono_add(now.mono, l->backoff_us);
    while ((node = list_pop_front(&l->out)))
        suspect(c, CONTAINER_OF(node, struct held, suspect));
    core_step(c);
}

void core_on_missed_changes(struct core *c, struct core_now now)
{
    core_enter(c, now);
    dooms_suspect_all(c);
    claims_remember_missed_changes(c);
    claims_due(c, now.wall);
    core_step(c);
}
