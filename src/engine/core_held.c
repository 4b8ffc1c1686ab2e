/*
 * core_held.c: a held run's places (maps, heap, lists) and states, from its claim until it is let go. Its
 * state changes in held_set_state() and nowhere else.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

#define STEP(state) (1U << (state))

static const unsigned steps[HELD_STATES_N] = {
    [HELD_NEW] = STEP(HELD_WAITING) | STEP(HELD_BEHIND) | STEP(HELD_GONE),
    [HELD_WAITING] = STEP(HELD_DUE) | STEP(HELD_ENDED) | STEP(HELD_GONE),
    [HELD_BEHIND] = STEP(HELD_WAITING) | STEP(HELD_GONE),
    /* Back to waiting when the clock was set back. */
    [HELD_DUE] = STEP(HELD_WAITING) | STEP(HELD_IN_FLIGHT) | STEP(HELD_ENDED) | STEP(HELD_GONE),
    [HELD_IN_FLIGHT] = STEP(HELD_ABORTING) | STEP(HELD_ENDED),
    [HELD_ABORTING] = STEP(HELD_ENDED),
    [HELD_ENDED] = STEP(HELD_RECORDING),
    [HELD_RECORDING] = STEP(HELD_ENDED) | STEP(HELD_GONE),
    [HELD_GONE] = 0,
};

static const int64_t lateness_bounds_us[] = {1000,    2000,    5000,     10000,    20000,
                                             50000,   100000,  200000,   500000,   1000000,
                                             2000000, 5000000, 10000000, 30000000, 60000000};

const struct run *held_run(const struct held *h)
{
    return &h->run;
}

struct schedule *held_schedule(const struct held *h)
{
    return h->schedule;
}

void held_set_user(struct held *h, void *user)
{
    h->user = user;
}

void *held_user(const struct held *h)
{
    return h->user;
}

void held_free(struct held *h)
{
    schedule_unref(h->schedule);
    attempt_answer_unref(h->outcome.result.answer);
    alloc_free(h);
}

/* --- the maps --- */

static bool is_newest(const struct core *c, const struct held *h)
{
    return map_get(&c->by_run, h->run.id) == h;
}

static enum err join_schedule(struct core *c, struct held *h)
{
    struct held *other = map_get(&c->by_schedule, h->run.schedule_id);

    if (!other)
        return map_put(&c->by_schedule, h->run.schedule_id, h, NULL);
    list_push_back(&other->siblings, &h->siblings);
    return ERR_NONE;
}

static void leave_schedule(struct core *c, struct held *h)
{
    struct list *other = h->siblings.next;
    bool stood_for_it = map_get(&c->by_schedule, h->run.schedule_id) == h;

    list_remove(&h->siblings);
    if (!stood_for_it)
        return;
    if (other == &h->siblings)
        (void)map_remove(&c->by_schedule, h->run.schedule_id);
    else /* replaces a value: needs no memory */
        MUST(map_put(&c->by_schedule, h->run.schedule_id, CONTAINER_OF(other, struct held, siblings), NULL) ==
             ERR_NONE);
}

static void leave_runs(struct core *c, struct held *h)
{
    struct held *twin = h->twin;

    if (twin)
        twin->twin = NULL;
    if (!is_newest(c, h))
        return;
    if (twin)
        MUST(map_put(&c->by_run, h->run.id, twin, NULL) == ERR_NONE);
    else
        (void)map_remove(&c->by_run, h->run.id);
}

/* --- the door --- */

static void on_start(struct core *c, struct held *h)
{
    int64_t late = c->now.wall.us > h->run.due_at.us ? c->now.wall.us - h->run.due_at.us : 0;

    core_wish(c, &h->start, CORE_START);
    c->stats.started++;
    c->stats.lateness_us_sum += (uint64_t)late;
    if ((uint64_t)late > c->stats.lateness_us_max)
        c->stats.lateness_us_max = (uint64_t)late;
    for (size_t i = 0; i < COUNT_OF(lateness_bounds_us); i++)
        c->stats.lateness_buckets[i] += late <= lateness_bounds_us[i];
    c->stats.lateness_buckets[COUNT_OF(lateness_bounds_us)]++;
}

static void on_gone(struct core *c, struct held *h)
{
    leave_runs(c, h);
    leave_schedule(c, h);
    target_leave(c, h->target);
    list_remove(&h->by_age);
    list_remove(&h->suspect);
    c->count[HELD_GONE]--;
    held_free(h);
}

/* False: it is only being recorded, and will be gone in a moment. */
static bool stays(enum held_state state)
{
    return state != HELD_ENDED && state != HELD_RECORDING && state != HELD_GONE;
}

static void on_leave(struct core *c, struct held *h, enum held_state from, enum held_state to)
{
    if (from == HELD_WAITING)
        heap_remove(&c->waiting, &h->due);
    else if (from == HELD_DUE)
        target_queue_leave(c, h);
    else if ((from == HELD_IN_FLIGHT || from == HELD_ABORTING) && to != HELD_ABORTING)
        target_landed(c, h);
    list_remove(&h->in_state);
}

/* `h` is freed when `to` is HELD_GONE. Entering HELD_WAITING is for held_wait() only, which can fail. */
void held_set_state(struct core *c, struct held *h, enum held_state to)
{
    enum held_state from = h->state;

    MUST(steps[from] & STEP(to));
    c->count[from]--;
    c->count[to]++;
    h->state = to;
    if (stays(from) && !stays(to))
        c->bytes -= h->bytes;
    on_leave(c, h, from, to);
    switch (to) {
    case HELD_NEW:
    case HELD_WAITING:
    case HELD_BEHIND:
        break;
    case HELD_DUE:
        target_queue_up(c, h);
        break;
    case HELD_IN_FLIGHT:
        target_fly(c, h);
        on_start(c, h);
        break;
    case HELD_ABORTING:
        core_wish(c, &h->abort, CORE_ABORT);
        break;
    case HELD_ENDED:
        core_unwish(&h->abort); /* it ended before it was told to */
        list_push_back(&c->records.ended, &h->in_state);
        break;
    case HELD_RECORDING:
        list_push_back(&c->records.out, &h->in_state);
        break;
    case HELD_GONE:
        on_gone(c, h);
        break;
    }
}

void held_drop(struct core *c, struct held *h)
{
    struct wall back_at = h->run.lease_until;

    c->stats.dropped++;
    held_set_state(c, h, HELD_GONE);
    claims_due(c, back_at);
}

void held_wait(struct core *c, struct held *h)
{
    if (heap_push(&c->waiting, &h->due, h->run.due_at.us, NULL))
        held_drop(c, h);
    else
        held_set_state(c, h, HELD_WAITING);
}

/* --- from a claim --- */

/* NULL: no memory. The schedule's reference passes on success only. */
static struct held *held_new(struct core *c, const struct core_claimed *item)
{
    void *p;
    struct held *h;

    if (alloc_array(1, sizeof(*h), &p, NULL))
        return NULL;
    h = p;
    h->run = item->run;
    list_init(&h->in_state);
    list_init(&h->by_age);
    list_init(&h->siblings);
    list_init(&h->start.node);
    list_init(&h->abort.node);
    list_init(&h->suspect);
    if (join_schedule(c, h)) {
        alloc_free(h);
        return NULL;
    }
    h->target = target_use(c, item->schedule);
    if (!h->target || map_put(&c->by_run, h->run.id, h, NULL)) {
        target_leave(c, h->target);
        leave_schedule(c, h);
        alloc_free(h);
        return NULL;
    }
    h->schedule = item->schedule;
    h->bytes = item->bytes;
    c->bytes += h->bytes;
    c->count[HELD_NEW]++;
    return h;
}

static void give_lease(struct core *c, struct held *h, const struct run *claimed)
{
    h->run.lease_token = claimed->lease_token;
    h->run.lease_until = claimed->lease_until;
    h->claim_no = c->claims.no;
    leases_given(c, h, c->claims.sent_at);
}

/* The definition is another, and with it maybe the target. Without memory it stays in the queue it knows. */
static void take_target(struct core *c, struct held *h)
{
    struct target *t = h->state == HELD_DUE ? NULL : target_use(c, h->schedule);

    if (!t)
        return;
    target_leave(c, h->target);
    h->target = t;
}

bool held_has_not_started(const struct held *h)
{
    return h->state == HELD_WAITING || h->state == HELD_BEHIND || h->state == HELD_DUE;
}

/*
 * Its lease had run out (a long stall, a step of the clock) and our own claim took it anew. An attempt that
 * is under way, or an outcome, goes on under the new lease: starting another would deliver twice for nothing.
 */
static void claimed_again(struct core *c, struct held *h, struct core_claimed *item)
{
    give_lease(c, h, &item->run);
    if (!held_has_not_started(h)) {
        schedule_unref(item->schedule);
        return;
    }
    h->run = item->run;
    schedule_unref(h->schedule);
    h->schedule = item->schedule;
    take_target(c, h);
    if (h->state == HELD_WAITING)
        heap_move(&c->waiting, &h->due, h->run.due_at.us);
}

void held_take(struct core *c, struct core_claimed *item)
{
    struct held *old = map_get(&c->by_run, item->run.id);
    struct held *h;

    if (old && old->state != HELD_RECORDING) {
        claimed_again(c, old, item);
        return;
    }
    h = held_new(c, item);
    if (!h) {
        c->stats.dropped++;
        schedule_unref(item->schedule);
        claims_due(c, item->run.lease_until);
        return;
    }
    give_lease(c, h, &item->run);
    if (!old) {
        held_wait(c, h);
        return;
    }
    h->twin = old;
    old->twin = h;
    held_set_state(c, h, HELD_BEHIND);
}

/* --- the answer to a record --- */

void held_recorded(struct core *c, struct held *h)
{
    struct held *twin = h->twin;

    held_set_state(c, h, HELD_GONE);
    if (twin)
        held_wait(c, twin);
}

bool held_inherit(struct core *c, struct held *h)
{
    struct held *twin = h->twin;

    if (!twin)
        return false;
    h->run.lease_token = twin->run.lease_token;
    h->run.lease_until = twin->run.lease_until;
    h->lease_end = twin->lease_end;
    held_set_state(c, twin, HELD_GONE);
    return true;
}

/* --- all of them, all of one schedule --- */

void held_each(struct core *c, void (*fn)(struct core *c, struct held *h))
{
    struct list *node = c->leases.held.next;

    while (node != &c->leases.held) {
        struct held *h = CONTAINER_OF(node, struct held, by_age);

        node = node->next;
        fn(c, h);
    }
}

void held_each_of_schedule(struct core *c, struct uuid schedule_id, int64_t arg,
                           void (*fn)(struct core *c, struct held *h, int64_t arg))
{
    struct held *first = map_get(&c->by_schedule, schedule_id);
    struct list *node;

    if (!first)
        return;
    node = first->siblings.next;
    while (node != &first->siblings) {
        struct held *h = CONTAINER_OF(node, struct held, siblings);

        node = node->next;
        fn(c, h, arg);
    }
    fn(c, first, arg);
}
