/*
 * trace.c: see sim.h. Entries are kept as numbers and made readable only when somebody reads them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "sim.h"

enum { TRACE_MAX = 4096 };

void trace_init(struct trace *t, bool live)
{
    void *p;

    MUST(alloc_array(TRACE_MAX, sizeof(*t->ring), &p, NULL) == ERR_NONE);
    *t = (struct trace){.ring = p, .live = live};
}

void trace_done(struct trace *t)
{
    alloc_free(t->ring);
}

static void print(const struct trace_entry *e)
{
    (void)printf("%12.6f ", (double)e->t / (double)US_PER_S);
    if (e->inst >= 0)
        (void)printf("i%d ", e->inst);
    else
        (void)printf("   ");
    (void)printf("%-28s", e->what);
    if (e->sched >= 0)
        (void)printf(" s%" PRId64, e->sched);
    if (e->run >= 0)
        (void)printf(" r%" PRId64, e->run);
    if (e->a != NOTHING)
        (void)printf(" %" PRId64, e->a);
    if (e->b != NOTHING)
        (void)printf(" %" PRId64, e->b);
    (void)printf("\n");
}

static uint64_t mix(uint64_t hash, int64_t v)
{
    struct rng rng = {hash ^ (uint64_t)v};

    return rng_next(&rng);
}

void trace_add(struct world *w, const char *what, int inst, const struct sched *s, const struct srun *r,
               int64_t a, int64_t b)
{
    struct trace_entry *e = &w->trace.ring[w->trace.n++ % TRACE_MAX];

    *e = (struct trace_entry){
        .t = w->t,
        .what = what,
        .inst = inst,
        .sched = s   ? (int64_t)s->no
                 : r ? (int64_t)r->sched->no
                     : -1,
        .run = r ? (int64_t)r->no : -1,
        .a = a,
        .b = b,
    };
    /* `what` is told by what goes with it; its address differs from build to build. */
    w->trace.fingerprint =
        mix(mix(mix(w->trace.fingerprint, e->t), e->run * 64 + e->inst), e->a * 1024 + e->b);
    if (w->trace.live)
        print(e);
}

void trace_print(const struct world *w, size_t most)
{
    size_t n = w->trace.n < TRACE_MAX ? w->trace.n : TRACE_MAX;

    if (n > most)
        n = most;
    (void)printf("the last %zu things that happened (seconds; i: instance, s: schedule, r: run):\n", n);
    for (size_t i = w->trace.n - n; i < w->trace.n; i++)
        print(&w->trace.ring[i % TRACE_MAX]);
}
