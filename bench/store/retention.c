/*
 * retention.c: how long retention holds up the others. Ended runs are removed as upkeep does: alone, and then
 * under fire, on a lane as a server has it, while 1,000 schedules fire each second and registrations are made
 * one group after another. Retention promises never to hold the writer for longer than LIMIT_MS.
 *
 * Three threads beside the lane's: fires, registrations, and the bench's own, which does the removing.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "bench.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "store/lane.h"
#include "store/ops_engine.h"
#include "store/ops_schedule.h"

#define LIMIT_MS 50.0
enum { FIRING = 1000, GROUP = 10, WARM_UP_MS = 3000, REST_MS = 2, AGAIN_MS = 100 };

/* Ended runs of 1,000 schedules, put there without the store, which would take its time. */
static void fill_log(size_t runs)
{
    sqlite3 *db = NULL;
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %zu) "
                   "INSERT INTO run_log (id, schedule_id, version, scheduled_at, state, attempt, failures, "
                   "started_at, ended_at, took_us, status, error) "
                   "SELECT CAST(printf('%%016d', i) AS BLOB), zeroblob(14) || substr(printf('%%04d', i %% "
                   "1000), 3), 1, i, "
                   "CASE WHEN i %% 10 = 0 THEN 4 ELSE 3 END, 1, 0, i, i, 1500, 200, '' FROM n",
                   runs);
    MUST(sqlite3_open(PATH, &db) == SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        exit(1);
    }
    MUST(sqlite3_close(db) == SQLITE_OK);
}

static void alone(struct bench *b, size_t runs)
{
    struct op_upkeep *o = op_upkeep_new(NULL);
    struct op *op = &o->op;
    struct measure m;
    size_t removed = 0;

    bench_open(b);
    fill_log(runs);
    o->limit = 500; /* the engine's */
    m = bench_measure_begin(b);
    do {
        bench_transact(b, &op, 1);
        op->parts = op->unfinished ? op->parts + 1 : 0;
        if (!op->unfinished) {
            removed += o->ret_n;
            o->ret_n = o->committed = 0;
            o->parts = 0;
        }
    } while (op->unfinished || o->ret_more);
    MUST(removed == runs);
    bench_measure_end(b, m, "ended runs removed", removed);
    op_upkeep_free(o);
    bench_close(b);
}

/* --- under fire --- */

/* The lane's thread; read when that has ended. */
struct watch {
    struct store_ops ops;
    const struct store_ops *real;
    struct mono began;
    /* of this transaction, which may hold claims and registrations too */
    bool retains;
    int64_t own_us; /* in retention's own statements */
    /* of those that retain */
    int64_t longest_us;
    int64_t longest_own_us;
    uint64_t n;
};

struct fire {
    struct bench *b;
    struct lane *lane;
    struct watch watch;
    atomic_bool retains;
    atomic_bool over;
    uint64_t fired;      /* while it retains */
    uint64_t registered; /* the same */
    int64_t wait_us[2];  /* the longest of a claim: before, and while it retains */
};

static struct watch *watch_of(struct store *s)
{
    const struct store_ops *ops = s->ops;

    return CONTAINER_OF((struct store_ops *)(uintptr_t)ops, struct watch, ops);
}

static enum err watch_begin(struct store *s, bool writes, struct error *err)
{
    struct watch *w = watch_of(s);

    w->retains = false;
    w->own_us = 0;
    w->began = clock_mono();
    return w->real->begin(s, writes, err);
}

static enum err watch_trim_runs(struct store *s, struct wall ok_before, struct wall failed_before,
                                size_t limit, size_t *ret_n, struct error *err)
{
    struct watch *w = watch_of(s);
    struct mono began = clock_mono();
    enum err e = w->real->trim_runs(s, ok_before, failed_before, limit, ret_n, err);

    w->retains = true;
    w->own_us += clock_mono().us - began.us;
    return e;
}

static enum err watch_remove_finished(struct store *s, struct wall before, struct wall now, size_t limit,
                                      size_t *ret_n, bool *ret_more, struct error *err)
{
    struct watch *w = watch_of(s);
    struct mono began = clock_mono();
    enum err e = w->real->remove_finished(s, before, now, limit, ret_n, ret_more, err);

    w->own_us += clock_mono().us - began.us;
    return e;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err watch_commit(struct store *s, struct error *err)
{
    struct watch *w = watch_of(s);
    enum err e = w->real->commit(s, err);
    int64_t us = clock_mono().us - w->began.us;

    if (!w->retains)
        return e;
    w->n++;
    w->longest_us = longer(w->longest_us, us);
    w->longest_own_us = longer(w->longest_own_us, w->own_us);
    return e;
}

static enum err open_watched(void *arg, struct store **ret, struct error *err)
{
    struct fire *f = arg;
    struct watch *w = &f->watch;
    enum err e = sqlite_connect(f->b->file, true, ret, err);

    if (e)
        return e;
    w->real = (*ret)->ops;
    w->ops = *w->real;
    w->ops.begin = watch_begin;
    w->ops.trim_runs = watch_trim_runs;
    w->ops.remove_finished = watch_remove_finished;
    w->ops.commit = watch_commit;
    (*ret)->ops = &w->ops;
    return ERR_NONE;
}

static void call(struct fire *f, struct op *op)
{
    struct error err = {0};

    bench_must(lane_call(f->lane, op, &err), &err);
}

static void fire_once(struct fire *f)
{
    bool retains = atomic_load(&f->retains);
    struct op_claim *c = bench_claim(f->b);
    struct mono asked = clock_mono();
    int64_t us;

    call(f, &c->op);
    us = clock_mono().us - asked.us;
    f->wait_us[retains] = longer(f->wait_us[retains], us);
    if (c->ret.n > 0) {
        struct op_complete *o = bench_outcomes(c);

        call(f, &o->op);
        op_complete_free(o);
    } else {
        (void)poll(NULL, 0, REST_MS);
    }
    f->fired += retains ? c->ret.n : 0;
    op_claim_free(c);
}

static void *fires(void *arg)
{
    struct fire *f = arg;

    while (!atomic_load(&f->over))
        fire_once(f);
    return NULL;
}

static void register_some(struct fire *f, size_t n, const char *type, const char *text)
{
    struct error err = {0};
    struct op_put *o;

    bench_must(op_put_new(n, NULL, &o, &err), &err);
    for (size_t i = 0; i < n; i++)
        o->items[i].schedule = bench_define(f->b, type, text);
    call(f, &o->op);
    op_put_free(o);
}

static void *registrations(void *arg)
{
    struct fire *f = arg;

    while (!atomic_load(&f->over)) {
        bool retains = atomic_load(&f->retains);

        register_some(f, GROUP, "delay", "86400");
        f->registered += retains ? GROUP : 0;
    }
    return NULL;
}

/* As the engine asks for it. */
static size_t remove_all(struct fire *f)
{
    size_t removed = 0;
    bool more = true;

    while (more) {
        struct op_upkeep *o = op_upkeep_new(NULL);

        o->limit = 500;
        o->keep_finished_us = o->keep_ok_us = o->keep_failed_us = 3600 * US_PER_S;
        call(f, &o->op);
        removed += o->ret_n;
        more = o->ret_more;
        op_upkeep_free(o);
        if (more)
            (void)poll(NULL, 0, AGAIN_MS);
    }
    return removed;
}

static const char *verdict(int64_t us)
{
    return (double)us / 1e3 <= LIMIT_MS ? "within" : "OVER";
}

static void report(const struct fire *f, size_t removed, int64_t took_us)
{
    double s = (double)took_us / 1e6;

    printf("under fire: %zu ended runs removed in %.1f s, beside %.0f fires/s and %.0f registrations/s\n",
           removed, s, (double)f->fired / s, (double)f->registered / s);
    printf(
        "  longest retention transaction %7.2f ms of %" PRIu64
        ", %s the limit of %.0f ms (%.2f ms in its own statements, the rest is the group's and the commit)\n",
        (double)f->watch.longest_us / 1e3, f->watch.n, verdict(f->watch.longest_us), LIMIT_MS,
        (double)f->watch.longest_own_us / 1e3);
    printf("  longest wait of a claim       %7.2f ms, %s the limit of %.0f ms (%.2f ms without retention)\n",
           (double)f->wait_us[1] / 1e3, verdict(f->wait_us[1]), LIMIT_MS, (double)f->wait_us[0] / 1e3);
    (void)fflush(stdout);
}

static void under_fire(struct bench *b, size_t runs)
{
    struct fire f = {.b = b};
    struct lane_options lane = {
        .name = "writer", .open = open_watched, .open_arg = &f, .queue_limit = 1000, .group_limit = 500};
    pthread_t threads[2];
    struct error err = {0};
    struct mono began;
    int64_t took_us;
    size_t removed;

    b->live = true;
    bench_open(b);
    fill_log(runs);
    bench_must(lane_new(&lane, &f.lane, &err), &err);
    register_some(&f, FIRING, "cron", "* * * * * *");
    MUST(pthread_create(&threads[0], NULL, fires, &f) == 0);
    MUST(pthread_create(&threads[1], NULL, registrations, &f) == 0);
    (void)poll(NULL, 0, WARM_UP_MS);
    atomic_store(&f.retains, true);
    began = clock_mono();
    removed = remove_all(&f);
    took_us = clock_mono().us - began.us;
    atomic_store(&f.over, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    lane_free(f.lane);
    MUST(removed >= runs);
    report(&f, removed, took_us);
    bench_close(b);
    b->live = false;
}

void bench_retention(struct bench *b, size_t runs)
{
    alone(b, runs);
    under_fire(b, runs);
}
