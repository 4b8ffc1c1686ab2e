/*
 * admission.c: see admission.h.
 */
#include "deliver/admission.h"

#include "base/alloc.h"

enum circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_PROBED };

/* A probe that was let go and never heard of again is forgotten so long after its timeout. */
#define PROBE_GRACE_US (10 * US_PER_S)

struct gate {
    struct uuid key;
    struct list node; /* in admission.by_age */
    /* rate: in millionths of an attempt */
    int64_t credit;
    struct mono credit_at;
    /* circuit */
    enum circuit circuit;
    unsigned failures; /* in a row */
    int64_t open_us;   /* how long the circuit stays open this time */
    struct mono until; /* CIRCUIT_OPEN: no probe before; CIRCUIT_PROBED: then the probe is given up */
    const void *probe; /* CIRCUIT_PROBED: once it has begun */
};

void admission_init(struct admission *a, int64_t rate, unsigned failures)
{
    *a = (struct admission){.rate = rate, .failures = failures, .rng.state = random_u64()};
    map_init(&a->targets);
    list_init(&a->by_age);
}

static void forget(struct admission *a, struct gate *g)
{
    list_remove(&g->node);
    MUST(map_remove(&a->targets, g->key) == g);
    a->open -= g->circuit != CIRCUIT_CLOSED;
    alloc_free(g);
}

static struct gate *oldest(struct admission *a)
{
    return CONTAINER_OF(a->by_age.next, struct gate, node);
}

void admission_done(struct admission *a)
{
    while (!list_empty(&a->by_age))
        forget(a, oldest(a));
    map_done(&a->targets);
}

/* --- rate --- */

static int64_t credit_max(const struct admission *a)
{
    int64_t burst = a->rate / ADMISSION_BURST_PER_S;

    return (burst > 1 ? burst : 1) * US_PER_S;
}

static void earn(const struct admission *a, struct gate *g, struct mono now)
{
    int64_t passed_us = now.us - g->credit_at.us;
    int64_t max = credit_max(a);

    if (passed_us <= 0)
        return;
    /* `rate` millionths a microsecond; first the test, since the product could overflow. */
    if (passed_us >= (max - g->credit) / a->rate + 1)
        g->credit = max;
    else
        g->credit += passed_us * a->rate;
    g->credit_at = now;
}

/* When the next attempt is earned. */
static struct mono rate_from(const struct admission *a, struct gate *g, struct mono now)
{
    if (a->rate == 0)
        return now;
    earn(a, g, now);
    if (g->credit >= US_PER_S)
        return now;
    return mono_add(now, (US_PER_S - g->credit + a->rate - 1) / a->rate);
}

/* --- what is remembered --- */

static bool is_blank(const struct admission *a, const struct gate *g)
{
    return g->circuit == CIRCUIT_CLOSED && g->failures == 0 && (a->rate == 0 || g->credit == credit_max(a));
}

/* Those that nothing need be remembered of, a few at a time; and at the limit whatever it is. */
static void tidy(struct admission *a, struct mono now)
{
    for (int i = 0; i < 2 && !list_empty(&a->by_age); i++) {
        struct gate *g = oldest(a);

        if (a->rate > 0)
            earn(a, g, now);
        if (!is_blank(a, g) && a->targets.n < ADMISSION_TARGETS_MAX)
            return;
        forget(a, g);
    }
}

/* NULL when there is no memory for one: then it is as if all was well. */
static struct gate *find_or_make(struct admission *a, struct uuid target, struct mono now)
{
    struct gate *g = map_get(&a->targets, target);
    void *p;

    if (g) {
        list_remove(&g->node);
        list_push_back(&a->by_age, &g->node);
        return g;
    }
    tidy(a, now);
    if (alloc_array(1, sizeof(*g), &p, NULL))
        return NULL;
    g = p;
    *g = (struct gate){.key = target, .credit = credit_max(a), .credit_at = now};
    if (map_put(&a->targets, target, g, NULL)) {
        alloc_free(g);
        return NULL;
    }
    list_push_back(&a->by_age, &g->node);
    return g;
}

/* --- circuit --- */

static void set_circuit(struct admission *a, struct gate *g, enum circuit to)
{
    bool was_open = g->circuit != CIRCUIT_CLOSED;
    bool is_open = to != CIRCUIT_CLOSED;

    a->open += is_open;
    a->open -= was_open;
    a->opened += is_open && !was_open;
    a->closed += was_open && !is_open;
    g->circuit = to;
    g->probe = NULL;
}

/* Some of it is left off by chance, so that many instances do not probe together. */
static void keep_open(struct admission *a, struct gate *g, struct mono now)
{
    int64_t us = g->open_us * 2;

    if (us < ADMISSION_OPEN_MIN_US)
        us = ADMISSION_OPEN_MIN_US;
    g->open_us = us < ADMISSION_OPEN_MAX_US ? us : ADMISSION_OPEN_MAX_US;
    g->until = mono_add(now, g->open_us - (int64_t)rng_below(&a->rng, (uint64_t)g->open_us / 4 + 1));
    set_circuit(a, g, CIRCUIT_OPEN);
}

/* A probe that was given up says nothing: the next one may go. */
static void probe_again(struct admission *a, struct gate *g, struct mono now)
{
    g->until = now;
    set_circuit(a, g, CIRCUIT_OPEN);
}

static struct mono circuit_from(struct admission *a, struct gate *g, struct mono now)
{
    switch (g->circuit) {
    case CIRCUIT_CLOSED:
        return now;
    case CIRCUIT_OPEN:
        return g->until;
    case CIRCUIT_PROBED:
        if (g->until.us <= now.us)
            probe_again(a, g, now);
        return g->until;
    }
    return now;
}

struct mono admission_ask(struct admission *a, struct uuid target, int64_t timeout_us, struct mono now)
{
    struct gate *g;
    struct mono from;
    struct mono earned;

    if (a->rate == 0 && a->targets.n == 0)
        return now;
    g = a->rate > 0 ? find_or_make(a, target, now) : map_get(&a->targets, target);
    if (!g)
        return now;
    from = circuit_from(a, g, now);
    earned = rate_from(a, g, now);
    if (from.us > now.us || earned.us > now.us)
        return from.us > earned.us ? from : earned;
    if (a->rate > 0)
        g->credit -= US_PER_S;
    if (g->circuit == CIRCUIT_OPEN) {
        set_circuit(a, g, CIRCUIT_PROBED);
        g->until = mono_add(mono_add(now, timeout_us), PROBE_GRACE_US);
    }
    return now;
}

void admission_began(struct admission *a, struct uuid target, const void *attempt)
{
    struct gate *g = a->open > 0 ? map_get(&a->targets, target) : NULL;

    if (g && g->circuit == CIRCUIT_PROBED && !g->probe)
        g->probe = attempt;
}

static enum circuit_change silent(struct admission *a, struct gate *g, bool probe, struct mono now)
{
    switch (g->circuit) {
    case CIRCUIT_CLOSED:
        g->failures++;
        if (g->failures < a->failures)
            return CIRCUIT_SAME;
        g->open_us = 0;
        keep_open(a, g, now);
        return CIRCUIT_OPENED;
    case CIRCUIT_OPEN: /* one that began before it opened */
        return CIRCUIT_SAME;
    case CIRCUIT_PROBED:
        if (probe)
            keep_open(a, g, now);
        return CIRCUIT_SAME;
    }
    return CIRCUIT_SAME;
}

static enum circuit_change answered(struct admission *a, struct gate *g)
{
    bool was_open = g->circuit != CIRCUIT_CLOSED;

    g->failures = 0;
    if (was_open)
        set_circuit(a, g, CIRCUIT_CLOSED);
    if (a->rate == 0)
        forget(a, g);
    return was_open ? CIRCUIT_CLOSED_AGAIN : CIRCUIT_SAME;
}

enum circuit_change admission_ended(struct admission *a, struct uuid target, const void *attempt,
                                    enum admission_end how, struct mono now)
{
    struct gate *g;
    bool probe;

    if (a->failures == 0)
        return CIRCUIT_SAME;
    g = how == ADMISSION_SILENT ? find_or_make(a, target, now) : map_get(&a->targets, target);
    if (!g)
        return CIRCUIT_SAME;
    probe = g->circuit == CIRCUIT_PROBED && g->probe == attempt;
    switch (how) {
    case ADMISSION_UNKNOWN:
        if (probe)
            probe_again(a, g, now);
        return CIRCUIT_SAME;
    case ADMISSION_ANSWERED:
        return answered(a, g);
    case ADMISSION_SILENT:
        return silent(a, g, probe, now);
    }
    return CIRCUIT_SAME;
}

void admission_stats(const struct admission *a, struct deliver_stats *ret)
{
    *ret = (struct deliver_stats){
        .circuits_open = a->open, .circuits_opened = a->opened, .circuits_closed = a->closed};
}
