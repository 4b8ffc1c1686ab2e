/*
 * mover.c: see mover.h. What is not under the lock is the thread's own.
 */
#include "store/mover.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "store/journal.h"
#include "store/ops_history.h"

enum { BATCH = 1000, TRIM_LIMIT = 1000, WARN_FIRST = 10000, EVENT_DEPTH = 8 };
#define LINGER_US (50 * US_PER_MS)
#define SWEEP_US (60 * US_PER_S)
#define FIRST_BACKOFF_US (200 * US_PER_MS)
enum { MAX_BACKOFF = 25 }; /* times the first */

struct mover {
    struct mover_options options;
    struct lane *writer;
    struct lane *history;
    pthread_t thread;
    bool started;

    struct store *store; /* NULL: not connected */
    int64_t after;       /* behind those that could not be moved */
    int64_t backoff_us;  /* 0: the last pass went well */
    uint64_t failures;   /* in a row; the first is logged */
    int64_t warned;      /* at so many events was the last warning */
    struct mono swept;
    bool never_swept;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under .lock */
    bool wanted;
    bool stop;
    struct mover_stats stats;
};

static void lock(struct mover *m)
{
    MUST(pthread_mutex_lock(&m->lock) == 0);
}

static void unlock(struct mover *m)
{
    MUST(pthread_mutex_unlock(&m->lock) == 0);
}

struct mover *mover_new(const struct mover_options *options)
{
    struct mover *m = alloc_new(struct mover);
    pthread_condattr_t attr;

    m->options = *options;
    if (m->options.batch == 0)
        m->options.batch = BATCH;
    if (m->options.linger_us == 0)
        m->options.linger_us = LINGER_US;
    if (m->options.backoff_us <= 0)
        m->options.backoff_us = FIRST_BACKOFF_US;
    if (m->options.sweep_us <= 0)
        m->options.sweep_us = SWEEP_US;
    m->never_swept = true;
    m->stats.oldest_at = WALL_NEVER;
    MUST(pthread_mutex_init(&m->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&m->changed, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    return m;
}

void mover_wake(struct mover *m)
{
    lock(m);
    m->wanted = true;
    MUST(pthread_cond_signal(&m->changed) == 0);
    unlock(m);
}

void mover_get_stats(struct mover *m, struct mover_stats *ret)
{
    lock(m);
    *ret = m->stats;
    unlock(m);
}

/* --- waiting --- */

static struct timespec monotonic_in(int64_t us)
{
    struct timespec t;

    MUST(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    t.tv_sec += us / US_PER_S;
    t.tv_nsec += us % US_PER_S * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* For so long, or until `for_work` and there is some, or the end. False: the end. */
static bool rest(struct mover *m, int64_t us, bool for_work)
{
    struct timespec until = monotonic_in(us);
    bool stop;
    int e = 0;

    lock(m);
    while (e == 0 && !m->stop && !(for_work && m->wanted))
        e = pthread_cond_timedwait(&m->changed, &m->lock, &until);
    MUST(e == 0 || e == ETIMEDOUT);
    stop = m->stop;
    unlock(m);
    return !stop;
}

static void take_wish(struct mover *m)
{
    lock(m);
    m->wanted = false;
    unlock(m);
}

/* --- a batch --- */

struct batch {
    struct outbox_list items;
    struct history_row *rows;
    int64_t *ns;
};

static void batch_done(struct batch *b)
{
    outbox_list_done(&b->items);
    alloc_free(b->rows);
    alloc_free(b->ns);
}

static struct str member(const json_t *event, const char *name)
{
    const json_t *v = json_object_get(event, name);

    return json_is_string(v) ? json_str(v) : (struct str){0};
}

/* What the history's columns are made of. It was written by journal.c, so anything else is damage. */
static enum err read_event(struct str text, struct history_row *ret, struct error *err)
{
    CLEANUP(json_free_p) json_t *event = NULL;
    enum history_kind kind;
    enum err e = json_parse(text, EVENT_DEPTH, &event, err);

    if (e)
        return e;
    if (!uuid_parse(member(event, "id"), &ret->id) ||
        !uuid_parse(member(event, "schedule_id"), &ret->schedule_id) ||
        !history_kind_parse(member(event, "kind"), &kind))
        return error_set(err, ERR_INVALID, "history_outbox", "this is no event");
    ret->kind = (int)kind;
    ret->text = text;
    return ERR_NONE;
}

static struct wall time_of(struct str text)
{
    CLEANUP(json_free_p) json_t *event = NULL;
    struct iso_time t;

    if (json_parse(text, EVENT_DEPTH, &event, NULL) || iso_parse(member(event, "at"), &t, NULL))
        return WALL_NEVER;
    return (struct wall){t.local_us};
}

static enum err batch_rows(struct mover *m, struct batch *b, size_t *ret_n, struct error *err)
{
    void *rows = NULL;
    void *ns = NULL;
    enum err e = alloc_array(b->items.n, sizeof(*b->rows), &rows, err);

    b->rows = rows;
    if (!e)
        e = alloc_array(b->items.n, sizeof(*b->ns), &ns, err);
    b->ns = ns;
    *ret_n = 0;
    for (size_t i = 0; !e && i < b->items.n; i++) {
        const struct outbox_item *item = &b->items.items[i];
        struct error why = {0};

        e = read_event((struct str){item->text, item->text_n}, &b->rows[*ret_n], &why);
        if (e == ERR_MEMORY) {
            *err = why;
            return e;
        }
        if (e) { /* left where it is, for somebody to look at */
            log_error(m->options.log, LOG_ERROR, "history", "an event in the outbox cannot be read", &why);
            e = ERR_NONE;
            continue;
        }
        b->ns[(*ret_n)++] = item->n;
    }
    return e;
}

static enum err add(struct mover *m, const struct history_row *rows, size_t n, struct error *err)
{
    struct op_history_add *o = op_history_add_new(NULL);
    enum err e;

    o->rows = rows;
    o->n = n;
    e = lane_call(m->history, &o->op, err);
    op_history_add_free(o);
    return e;
}

static bool is_away(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_IO || e == ERR_BUSY || e == ERR_MEMORY || e == ERR_TIMEOUT;
}

/* All of them, or, when the batch is refused for what is in it, each that is not refused: *n are in .ns. */
static enum err add_all(struct mover *m, struct batch *b, size_t *n, struct error *err)
{
    enum err e = add(m, b->rows, *n, err);
    size_t done = 0;

    if (!e || is_away(e))
        return e;
    for (size_t i = 0; i < *n; i++) {
        e = add(m, &b->rows[i], 1, err);
        if (is_away(e))
            return e;
        if (e)
            log_error(m->options.log, LOG_ERROR, "history", "an event is refused by the history database",
                      err);
        else
            b->ns[done++] = b->ns[i];
    }
    *n = done;
    return ERR_NONE;
}

static enum err remove_by_lane(struct mover *m, const int64_t *ns, size_t n, struct error *err)
{
    struct op_outbox_remove *o = op_outbox_remove_new(NULL);
    enum err e;

    o->ns = ns;
    o->n = n;
    e = lane_call(m->writer, &o->op, err);
    op_outbox_remove_free(o);
    return e;
}

static void note_oldest(struct mover *m, const struct batch *b)
{
    struct wall at =
        b->items.n > 0 ? time_of((struct str){b->items.items[0].text, b->items.items[0].text_n}) : WALL_NEVER;

    lock(m);
    m->stats.oldest_at = at;
    if (b->items.n == 0)
        m->stats.waiting = 0;
    unlock(m);
}

/* In a transaction of .store, which on a shared store goes on until the batch is moved. */
static enum err move_taken(struct mover *m, struct batch *b, size_t *ret_n, struct error *err)
{
    size_t n = 0;
    enum err e;

    e = store_outbox_take(m->store, m->after, m->options.batch, &b->items, err);
    if (e)
        return e;
    if (m->after == 0)
        note_oldest(m, b);
    if (b->items.n == 0)
        return ERR_NONE;
    if (!m->options.shared)
        store_rollback(m->store); /* nothing is locked while the history is written */
    e = batch_rows(m, b, &n, err);
    if (!e && n > 0)
        e = add_all(m, b, &n, err);
    if (!e && n > 0)
        e = m->options.shared ? store_outbox_remove(m->store, b->ns, n, err)
                              : remove_by_lane(m, b->ns, n, err);
    *ret_n = n;
    return e;
}

/* *ret_more: a whole batch was there, so more may be. */
static enum err move_batch(struct mover *m, bool *ret_more, struct error *err)
{
    CLEANUP(batch_done) struct batch b = {0};
    size_t n = 0;
    enum err e;

    if (!m->store) {
        e = m->options.open(m->options.open_arg, &m->store, err);
        if (e)
            return e;
    }
    e = store_begin(m->store, m->options.shared, err);
    if (!e)
        e = move_taken(m, &b, &n, err);
    if (!e && m->options.shared)
        e = store_commit(m->store, err);
    store_rollback(m->store); /* what is still open */
    if (e)
        return e;
    if (n < b.items.n)
        m->after = b.items.items[b.items.n - 1].n;
    *ret_more = b.items.n == m->options.batch;
    lock(m);
    m->stats.moved += n;
    unlock(m);
    return ERR_NONE;
}

/* --- a pass --- */

static enum err look_at_size(struct mover *m, int64_t *ret, struct error *err)
{
    enum err e = ERR_NONE;

    if (!m->store)
        e = m->options.open(m->options.open_arg, &m->store, err);
    if (!e)
        e = store_begin(m->store, false, err);
    if (!e)
        e = store_outbox_size(m->store, ret, err);
    if (m->store)
        store_rollback(m->store);
    return e;
}

static void warn_of_size(struct mover *m, int64_t waiting)
{
    if (waiting < WARN_FIRST) {
        m->warned = 0;
        return;
    }
    if (waiting < 2 * m->warned)
        return;
    m->warned = waiting;
    log_event(m->options.log, LOG_WARN, "history",
              "events wait for the history database; the outbox grows on the database's disk",
              KV_I64("waiting", waiting));
}

static void pass_failed(struct mover *m, const struct error *err)
{
    int64_t waiting = 0;

    m->backoff_us = m->backoff_us == 0 ? m->options.backoff_us : m->backoff_us * 2;
    if (m->backoff_us > MAX_BACKOFF * m->options.backoff_us)
        m->backoff_us = MAX_BACKOFF * m->options.backoff_us;
    if (m->failures++ == 0)
        log_error(m->options.log, LOG_WARN, "history",
                  "events cannot be moved to the history; they wait and nothing else does", err);
    if (look_at_size(m, &waiting, NULL)) {
        store_close(TAKE(m->store)); /* it is the store itself that is away */
    } else {
        warn_of_size(m, waiting);
        lock(m);
        m->stats.waiting = waiting;
        unlock(m);
    }
    lock(m);
    m->stats.failures++;
    unlock(m);
}

static void pass_done(struct mover *m)
{
    if (m->failures > 0)
        log_event(m->options.log, LOG_INFO, "history", "events are moved again",
                  KV_I64("failures", (int64_t)m->failures));
    m->failures = 0;
    m->backoff_us = 0;
    m->warned = 0;
    if (m->after > 0) /* some could not be moved and are still there */
        return;
    lock(m);
    m->stats.waiting = 0;
    m->stats.oldest_at = WALL_NEVER;
    unlock(m);
}

static bool must_stop(struct mover *m)
{
    bool stop;

    lock(m);
    stop = m->stop;
    unlock(m);
    return stop;
}

/* All that is there. With `once`, at the end: no more than is there now. */
static void pass(struct mover *m, bool last)
{
    struct error err = {0};
    bool more = true;

    take_wish(m);
    while (more && (last || !must_stop(m))) {
        more = false;
        if (move_batch(m, &more, &err)) {
            pass_failed(m, &err);
            return;
        }
    }
    pass_done(m);
}

static void trim(struct mover *m)
{
    struct op_history_trim *o = op_history_trim_new(NULL);

    o->keep_us = m->options.keep_us;
    o->limit = TRIM_LIMIT;
    /* A failure is tried again with the next sweep. */
    do {
        if (lane_call(m->history, &o->op, NULL))
            break;
    } while (o->ret_more && !must_stop(m));
    op_history_trim_free(o);
}

/* From time to time: what dead instances left, what could not be moved, what is too old. */
static void sweep(struct mover *m)
{
    struct mono now = clock_mono();

    if (!m->never_swept && now.us < mono_add(m->swept, m->options.sweep_us).us)
        return;
    m->never_swept = false;
    m->swept = now;
    m->after = 0;
    take_wish(m);
    pass(m, false);
    if (m->options.keep_us > 0 && m->backoff_us == 0)
        trim(m);
}

static void *mover_main(void *arg)
{
    struct mover *m = arg;
    bool on = true;

    while (on) {
        sweep(m);
        if (m->backoff_us > 0) {
            on = rest(m, m->backoff_us, false);
        } else {
            on = rest(m, m->options.sweep_us, true);
            on = on && (m->options.linger_us < 0 || rest(m, m->options.linger_us, false));
        }
        if (on)
            pass(m, false);
    }
    if (m->backoff_us == 0)
        pass(m, true);
    store_close(TAKE(m->store));
    return NULL;
}

enum err mover_start(struct mover *m, struct lane *writer, struct lane *history, struct error *err)
{
    sigset_t all;
    sigset_t before;
    int status;

    m->writer = writer;
    m->history = history;
    MUST(sigfillset(&all) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    status = pthread_create(&m->thread, NULL, mover_main, m);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (status != 0)
        return error_set(err, ERR_IO, "history", "cannot start the history's thread (error %d)", status);
    (void)pthread_setname_np(m->thread, "history");
    m->started = true;
    return ERR_NONE;
}

void mover_stop(struct mover *m)
{
    if (!m || !m->started)
        return;
    lock(m);
    m->stop = true;
    MUST(pthread_cond_signal(&m->changed) == 0);
    unlock(m);
    MUST(pthread_join(m->thread, NULL) == 0);
    m->started = false;
}

void mover_free(struct mover *m)
{
    if (!m)
        return;
    MUST(!m->started);
    MUST(pthread_cond_destroy(&m->changed) == 0);
    MUST(pthread_mutex_destroy(&m->lock) == 0);
    alloc_free(m);
}
