/*
 * core_target.c: whose turn it is when several wait for a place. A run whose moment has come stands in the
 * queue of its target (model/target.h). Targets that could take an attempt now have their turns one after
 * another, so one that is slow or dead holds up nobody but its own runs, however many there are of them.
 *
 * Nor may several dead ones take all places there are: a target may have so many attempts under way as three
 * times the places that are left (dynamic thresholds). One alone gets three quarters of them, two six
 * sevenths together, and however many there are, some places are left for the next one.
 *
 * What waits in a queue is held, and there is room for so many held runs only. The queue of a target that is
 * slow may be as long as the room that is left is large: one such target gets half of it all, two a third
 * each. What comes beyond it is handed back, to come again about when its turn would have come. A queue that
 * moves quickly may grow as it likes: it is gone before it would help anybody to write it down.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

/*
 * A queue is slow when what stands in it will not all have begun within this. Long enough for what a burst on
 * a busy machine makes of a healthy target: to write its runs down and to claim them again would only cost
 * more.
 */
#define PATIENCE_US (6 * US_PER_S)
/* When what is handed back comes again. */
#define BACK_LEAST_US (1 * US_PER_S)
#define BACK_MOST_US (60 * US_PER_S)
/* Between two looks at queues that were quick when they grew. */
#define LOOK_AGAIN_US (1 * US_PER_S)
/* Of each attempt's time an eighth goes into what attempts at its target are expected to take. */
enum { SMOOTH = 8 };
/* Attempts of a target for each place that is left. */
enum { FOR_EACH_LEFT = 3 };
/* Targets that are looked at for a place that came free; the next time it goes on with the others. */
enum { TURNS_MAX = 64 };

void targets_init(struct core *c)
{
    struct core_targets *l = &c->targets;

    map_init(&l->by_key);
    list_init(&l->ready);
    list_init(&l->queueing);
    heap_init(&l->refused);
    l->look_at = (struct mono){INT64_MIN};
}

void targets_done(struct core *c)
{
    struct core_targets *l = &c->targets;
    struct uuid key;
    void *value;
    size_t at = 0;

    while (map_each(&l->by_key, &at, &key, &value))
        alloc_free(value);
    map_done(&l->by_key);
    heap_done(&l->refused);
}

/* --- a target lives as long as something is held for it --- */

static size_t places(const struct core *c, enum task_type type)
{
    size_t all = c->options.in_flight_max;
    size_t max = c->options.target_max[type];

    return max > 0 && max < all ? max : all;
}

struct target *target_use(struct core *c, const struct schedule *s)
{
    struct uuid key = target_key(&s->task);
    struct target *t = map_get(&c->targets.by_key, key);
    void *p;

    if (t) {
        t->users++;
        return t;
    }
    if (alloc_array(1, sizeof(*t), &p, NULL))
        return NULL;
    t = p;
    *t = (struct target){.key = key, .users = 1, .places = places(c, s->task.type), .back_at = {INT64_MIN}};
    list_init(&t->ready);
    list_init(&t->queueing);
    list_init(&t->queue);
    list_init(&t->flying);
    if (map_put(&c->targets.by_key, key, t, NULL)) {
        alloc_free(t);
        return NULL;
    }
    return t;
}

void target_leave(struct core *c, struct target *t)
{
    if (!t || --t->users > 0)
        return;
    MUST(t->queued == 0 && t->in_flight == 0);
    heap_remove(&c->targets.refused, &t->until);
    MUST(map_remove(&c->targets.by_key, t->key) == t);
    alloc_free(t);
}

/* --- its queue and its places; called by held_set_state() --- */

static void update(struct core *c, struct target *t)
{
    bool could = t->queued > 0 && t->in_flight < t->places && t->until.place == 0;

    if (could && list_empty(&t->ready))
        list_push_back(&c->targets.ready, &t->ready);
    else if (!could)
        list_remove(&t->ready);
    if (t->queued > 0 && list_empty(&t->queueing))
        list_push_back(&c->targets.queueing, &t->queueing);
    else if (t->queued == 0)
        list_remove(&t->queueing);
}

void target_queue_up(struct core *c, struct held *h)
{
    list_push_back(&h->target->queue, &h->in_state);
    h->target->queued++;
    h->target->queued_bytes += h->bytes;
    update(c, h->target);
}

void target_queue_leave(struct core *c, struct held *h)
{
    list_remove(&h->in_state);
    h->target->queued--;
    h->target->queued_bytes -= h->bytes;
    update(c, h->target);
}

void target_fly(struct core *c, struct held *h)
{
    h->started = c->now.mono;
    list_push_back(&h->target->flying, &h->in_state);
    h->target->in_flight++;
    update(c, h->target);
}

void target_landed(struct core *c, struct held *h)
{
    struct target *t = h->target;
    int64_t took_us = c->now.mono.us - h->started.us;

    t->in_flight--;
    t->took_us += t->took_us == 0 ? took_us : (took_us - t->took_us) / SMOOTH;
    /* It may be that what it had refused is possible now. */
    heap_remove(&c->targets.refused, &t->until);
    update(c, t);
}

/* --- what waits too long --- */

/* What attempts took lately, and not less than the oldest one under way has taken already. */
static int64_t attempt_us(const struct core *c, const struct target *t)
{
    const struct list *first = t->flying.next;
    int64_t age_us = 0;

    if (first != &t->flying)
        age_us = c->now.mono.us - CONTAINER_OF(first, struct held, in_state)->started.us;
    return age_us > t->took_us ? age_us : t->took_us;
}

/* Until all that stands in its queue has begun. */
static int64_t queue_us(const struct core *c, const struct target *t)
{
    int64_t us = (int64_t)t->queued * attempt_us(c, t) / (int64_t)t->places;

    return t->until.place == 0 ? us : us + (t->until.key - c->now.mono.us);
}

/* Held runs there is room for; what is only being recorded will be gone in a moment. */
static size_t room(const struct core *c)
{
    size_t stay = core_held(c) - c->count[HELD_ENDED] - c->count[HELD_RECORDING];

    return stay < c->options.held_max ? c->options.held_max - stay : 0;
}

static size_t bytes_room(const struct core *c)
{
    return c->bytes < c->options.held_bytes_max ? c->options.held_bytes_max - c->bytes : 0;
}

static bool is_too_long(const struct core *c, const struct target *t)
{
    return (t->queued > room(c) || t->queued_bytes > bytes_room(c)) && queue_us(c, t) > PATIENCE_US;
}

/* When the next run that is handed back will have its turn, by what is known now. */
static struct wall back_at(const struct core *c, struct target *t, const struct held *h)
{
    int64_t wait_us = queue_us(c, t) / 2;
    int64_t most_us = BACK_MOST_US / 2 + (int64_t)(h->run.id.b[15] % 64) * (BACK_MOST_US / 128);
    struct wall most = wall_add(c->now.wall, most_us); /* not all at one moment */
    struct wall at = wall_add(t->back_at, attempt_us(c, t) / (int64_t)t->places);

    if (wait_us < BACK_LEAST_US)
        wait_us = BACK_LEAST_US;
    at = wall_min(wall_max(at, wall_add(c->now.wall, wait_us)), most);
    t->back_at = at;
    return at;
}

/* From its end: those have the longest to wait. */
static void shorten(struct core *c, struct target *t)
{
    t->users++; /* its last run may be let go of */
    while (t->queued > 0 && is_too_long(c, t)) {
        struct held *last = CONTAINER_OF(t->queue.prev, struct held, in_state);

        if (held_is_fit(c, last))
            held_hand_back(c, last, back_at(c, t, last));
    }
    target_leave(c, t);
}

static bool is_pressed(const struct core *c)
{
    return c->count[HELD_DUE] > room(c) || (c->count[HELD_DUE] > 0 && c->bytes / 2 > bytes_room(c));
}

/* What was quick when it queued up may have become slow since. */
static void look_again(struct core *c)
{
    struct core_targets *l = &c->targets;
    struct list *node = l->queueing.next;

    if (!is_pressed(c) || c->now.mono.us < l->look_at.us)
        return;
    l->look_at = mono_add(c->now.mono, LOOK_AGAIN_US);
    while (node != &l->queueing) {
        struct target *t = CONTAINER_OF(node, struct target, queueing);

        node = node->next;
        shorten(c, t);
    }
}

/* --- turns --- */

static void refuse_until(struct core *c, struct target *t, struct mono until)
{
    struct held *first = CONTAINER_OF(t->queue.next, struct held, in_state);

    if (heap_push(&c->targets.refused, &t->until, until.us, NULL))
        held_drop(c, first); /* no memory to remember it by; nothing may be asked without end */
    else
        update(c, t);
}

static void to_the_end(struct core *c, struct target *t)
{
    list_remove(&t->ready);
    list_push_back(&c->targets.ready, &t->ready);
}

static bool leaves_enough(const struct core *c, const struct target *t)
{
    size_t busy = c->count[HELD_IN_FLIGHT] + c->count[HELD_ABORTING];

    return t->in_flight < FOR_EACH_LEFT * (c->options.in_flight_max - busy);
}

/* One that could start has its turn: starts, or is not to start at all. */
static void give_turn(struct core *c, struct target *t)
{
    struct held *h = CONTAINER_OF(t->queue.next, struct held, in_state);
    struct mono from;

    if (!held_is_fit(c, h))
        return;
    from = c->options.admit ? c->options.admit(c->options.admit_arg, h->schedule, c->now.mono) : c->now.mono;
    if (from.us > c->now.mono.us) {
        refuse_until(c, t, from);
        return;
    }
    held_set_state(c, h, HELD_IN_FLIGHT);
    /* The next turn is another's. */
    if (!list_empty(&t->ready))
        to_the_end(c, t);
}

static void give_turns(struct core *c)
{
    struct core_targets *l = &c->targets;
    size_t passed = 0;

    while (passed < TURNS_MAX && held_may_start(c) && !list_empty(&l->ready)) {
        struct target *t = CONTAINER_OF(l->ready.next, struct target, ready);

        if (leaves_enough(c, t)) {
            give_turn(c, t);
            passed = 0;
        } else {
            to_the_end(c, t);
            passed++;
        }
    }
}

static void admit_again(struct core *c)
{
    struct heap_node *node;

    while ((node = heap_pop_due(&c->targets.refused, c->now.mono.us)))
        update(c, CONTAINER_OF(node, struct target, until));
}

void targets_step(struct core *c)
{
    struct heap_node *node;

    admit_again(c);
    give_turns(c);
    while ((node = heap_peek(&c->waiting)) && node->key <= c->now.wall.us) {
        struct held *h = CONTAINER_OF(node, struct held, due);
        struct target *t = h->target;

        held_set_state(c, h, HELD_DUE);
        t->users++; /* it may start, or be let go of */
        give_turns(c);
        if (is_too_long(c, t))
            shorten(c, t);
        target_leave(c, t);
    }
    look_again(c);
}

struct mono targets_wake_at(const struct core *c)
{
    const struct heap_node *first = heap_peek(&c->targets.refused);
    struct mono wake = MONO_NEVER;

    if (c->phase != CORE_RUNNING)
        return wake;
    if (first && held_may_start(c))
        wake.us = first->key;
    if (is_pressed(c) && c->targets.look_at.us < wake.us)
        wake = c->targets.look_at;
    return wake;
}
