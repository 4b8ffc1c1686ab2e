/*
 * engine.c: the engine's public door: making it, starting and stopping its thread, and the mailbox in which
 * other threads leave notices and take numbers.
 */
#include "engine/engine.h"

#include <signal.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/loop_internal.h"

static void lock(struct mailbox *m)
{
    MUST(pthread_mutex_lock(&m->lock) == 0);
}

static void unlock(struct mailbox *m)
{
    MUST(pthread_mutex_unlock(&m->lock) == 0);
}

static void on_answer(void *arg)
{
    loop_wake(arg);
}

static enum err changes_new(struct change **ret, struct error *err)
{
    void *items;
    enum err failed = alloc_array(NOTICE_CHANGES, sizeof(**ret), &items, err);

    if (!failed)
        *ret = items;
    return failed;
}

/* The core has the same defaults, but what is asked of the lane is said here. */
static void fill_in_defaults(struct engine_options *o)
{
    if (o->core.lease_us <= 0)
        o->core.lease_us = 30 * US_PER_S;
    if (o->core.record_limit == 0)
        o->core.record_limit = 1000;
    if (o->upkeep_every_us <= 0)
        o->upkeep_every_us = 60 * US_PER_S;
}

static enum err make(struct engine *e, struct error *err)
{
    void *stale;
    enum err failed = changes_new(&e->mail.changes, err);

    if (!failed)
        failed = changes_new(&e->changes, err);
    if (!failed)
        failed = alloc_array(e->options.core.record_limit, sizeof(*e->stale), &stale, err);
    if (failed)
        return failed;
    e->stale = stale;
    e->options.core.admit = loop_admit;
    e->options.core.admit_arg = e;
    e->cache = claim_cache_new(CACHE_SCHEDULES);
    failed = core_new(&e->options.core, &e->core, err);
    if (!failed)
        failed = loop_init(e, err);
    return failed;
}

enum err engine_new(const struct engine_options *options, struct engine **ret, struct error *err)
{
    CLEANUP(engine_free_p) struct engine *e = alloc_new(struct engine);
    enum err failed;

    e->options = *options;
    fill_in_defaults(&e->options);
    e->wall_fd = -1;
    e->mail.earliest = WALL_NEVER;
    e->mail.monitor_until = (struct mono){INT64_MIN};
    MUST(pthread_mutex_init(&e->mail.lock, NULL) == 0);
    MUST(pthread_cond_init(&e->mail.emptied, NULL) == 0);
    for (size_t i = 0; i < ASKED_KINDS; i++)
        e->asked[i] = (struct asked){.engine = e, .kind = (enum asked_kind)i};
    /* One of each kind is out at most, so no limit is ever reached. */
    e->answers = queue_new(ASKED_KINDS, on_answer, e);
    failed = make(e, err);
    if (failed)
        return failed;
    *ret = TAKE(e);
    return ERR_NONE;
}

/* With all signals blocked: they are for main, whichever thread the kernel would have picked. */
static int start_thread(struct engine *e)
{
    sigset_t all;
    sigset_t before;
    int status;

    MUST(sigfillset(&all) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    status = pthread_create(&e->thread, NULL, loop_main, e);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (status == 0)
        (void)pthread_setname_np(e->thread, "engine");
    return status;
}

static void set_running(struct engine *e, bool running)
{
    lock(&e->mail);
    e->mail.running = running;
    unlock(&e->mail);
}

enum err engine_start(struct engine *e, struct lane *writer, struct error *err)
{
    int status;

    MUST(e->phase == LOOP_IDLE && !e->writer);
    e->writer = writer;
    set_running(e, true);
    status = start_thread(e);
    if (status == 0)
        return ERR_NONE;
    set_running(e, false);
    e->writer = NULL;
    return error_set(err, ERR_IO, "engine", "cannot start the engine's thread (error %d)", status);
}

/* Full: the loop takes all of it in its next turn, and nothing in a turn waits for this thread. */
static void wait_for_room(struct engine *e)
{
    struct mailbox *m = &e->mail;

    while (m->running && m->changes_n == NOTICE_CHANGES) {
        loop_wake_locked(e);
        MUST(pthread_cond_wait(&m->emptied, &m->lock) == 0);
    }
}

void engine_notice(struct engine *e, const struct notice *n)
{
    struct mailbox *m = &e->mail;

    lock(m);
    m->earliest = wall_min(m->earliest, n->earliest);
    m->missed = m->missed || n->all;
    for (size_t i = 0; i < n->changed.n; i++) {
        wait_for_room(e);
        if (!m->running)
            break; /* nothing is held that a change could concern */
        m->changes[m->changes_n++] = n->changed.items[i];
    }
    loop_wake_locked(e);
    unlock(m);
}

void engine_look_every(struct engine *e, int64_t us)
{
    lock(&e->mail);
    e->mail.look_us = us;
    loop_wake_locked(e);
    unlock(&e->mail);
}

void engine_get_stats(struct engine *e, struct engine_stats *ret)
{
    lock(&e->mail);
    *ret = e->mail.stats;
    ret->is_monitor = clock_mono().us < e->mail.monitor_until.us;
    unlock(&e->mail);
}

bool engine_is_monitor(struct engine *e)
{
    bool is;

    lock(&e->mail);
    is = clock_mono().us < e->mail.monitor_until.us;
    unlock(&e->mail);
    return is;
}

void engine_begin_stop(struct engine *e, int64_t grace_us)
{
    if (!e->writer)
        return;
    lock(&e->mail);
    if (!e->mail.stop) {
        e->mail.stop = true;
        e->mail.grace_us = grace_us > 0 ? grace_us : 0;
    }
    loop_wake_locked(e);
    unlock(&e->mail);
}

void engine_stop(struct engine *e, int64_t grace_us)
{
    if (!e->writer)
        return;
    engine_begin_stop(e, grace_us);
    MUST(pthread_join(e->thread, NULL) == 0);
    e->writer = NULL;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    MUST(!e->writer);
    loop_done(e);
    loop_drop_answers(e);
    queue_free(e->answers);
    core_free(e->core);
    claim_cache_free(e->cache);
    MUST(pthread_cond_destroy(&e->mail.emptied) == 0);
    MUST(pthread_mutex_destroy(&e->mail.lock) == 0);
    alloc_free(e->mail.changes);
    alloc_free(e->changes);
    alloc_free(e->stale);
    alloc_free(e);
}
