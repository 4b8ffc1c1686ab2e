/*
 * loop.c: the engine's thread: its turns, its two clocks, its end.
 *
 * A turn runs as libuv's prepare callback, right before the loop would sleep: so everything that one round of
 * timers and descriptors brought is fed to the core at once. Wall time is waited for on a timerfd on
 * CLOCK_REALTIME, which is exact, counts time spent suspended and says when somebody sets the clock.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/loop_internal.h"

#define NOT_SET_WALL ((struct wall){INT64_MIN})
#define NOT_SET_MONO ((struct mono){INT64_MAX})

static struct reactor *reactor(const struct engine *e)
{
    return uv_reactor_base(e->reactor);
}

static struct mono mono_min(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}

void loop_wake_locked(struct engine *e)
{
    if (e->mail.open)
        MUST(uv_async_send(&e->wake) == 0);
}

void loop_wake(struct engine *e)
{
    MUST(pthread_mutex_lock(&e->mail.lock) == 0);
    loop_wake_locked(e);
    MUST(pthread_mutex_unlock(&e->mail.lock) == 0);
}

/* --- what happens between turns --- */

static void on_wake(uv_async_t *handle)
{
    CONTAINER_OF(handle, struct engine, wake)->turn_due = true;
}

static void on_mono_timer(void *arg)
{
    struct engine *e = arg;

    e->mono_set = NOT_SET_MONO;
    e->turn_due = true;
}

static void on_upkeep_timer(void *arg)
{
    struct engine *e = arg;

    e->upkeep_due = true;
    e->turn_due = true;
}

static void on_wall_timer(void *arg, int fd, int events)
{
    struct engine *e = arg;
    uint64_t times;
    ssize_t n = read(fd, &times, sizeof(times));

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    MUST(n == sizeof(times) || errno == ECANCELED);
    if (n < 0)
        e->clock_was_set = true;
    e->wall_set = NOT_SET_WALL;
    e->turn_due = true;
}

/* --- the clocks --- */

static void read_clocks(struct engine *e)
{
    e->own_wall = clock_wall();
    e->now = (struct core_now){.wall = wall_add(e->own_wall, e->offset_us), .mono = clock_mono()};
}

/* `at` by the store's clock. Never is set, too, as the end of all times: the timer still tells of a clock
 * that is set. */
static void set_wall_timer(struct engine *e, struct wall at)
{
    struct wall own = wall_is_never(at) ? at : wall_add(at, -e->offset_us);
    struct itimerspec spec = {0};

    if (own.us > WALL_MAX_US)
        own.us = WALL_MAX_US;
    if (own.us < 1)
        own.us = 1; /* 0 would switch it off */
    if (own.us == e->wall_set.us)
        return;
    spec.it_value.tv_sec = (time_t)(own.us / US_PER_S);
    spec.it_value.tv_nsec = (long)(own.us % US_PER_S) * 1000;
    e->wall_set = own;
    if (timerfd_settime(e->wall_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL) == 0)
        return;
    /* Set all the same; the clock was set since we last looked. */
    MUST(errno == ECANCELED);
    e->clock_was_set = true;
    loop_wake(e);
}

static void set_mono_timer(struct engine *e, struct mono at)
{
    if (at.us == e->mono_set.us)
        return;
    e->mono_set = at;
    if (at.us == NOT_SET_MONO.us)
        reactor(e)->ops->timer_disarm(reactor(e), e->mono_timer);
    else
        reactor(e)->ops->timer_arm(reactor(e), e->mono_timer,
                                   at.us > e->now.mono.us ? at.us - e->now.mono.us : 0);
}

/* --- the end --- */

/* Closes everything; the loop ends when it has done so. */
static void shut(struct engine *e)
{
    struct mailbox *m = &e->mail;
    bool was_open;

    e->shut = true;
    MUST(pthread_mutex_lock(&m->lock) == 0);
    was_open = m->open;
    m->open = false;
    m->running = false;
    MUST(pthread_cond_broadcast(&m->emptied) == 0);
    MUST(pthread_mutex_unlock(&m->lock) == 0);
    if (was_open) {
        uv_close((uv_handle_t *)&e->wake, NULL);
        uv_close((uv_handle_t *)&e->before_sleep, NULL);
    }
    loop_close_deliverers(e);
    if (e->wall_watch)
        reactor(e)->ops->unwatch(reactor(e), TAKE(e->wall_watch));
    if (e->mono_timer)
        reactor(e)->ops->timer_free(reactor(e), TAKE(e->mono_timer));
    if (e->upkeep_timer)
        reactor(e)->ops->timer_free(reactor(e), TAKE(e->upkeep_timer));
}

static void set_phase(struct engine *e, enum loop_phase to, int64_t lasts_us)
{
    MUST(to == e->phase + 1);
    e->phase = to;
    e->phase_end = mono_add(e->now.mono, lasts_us);
}

static void log_over(const struct engine *e)
{
    struct core_stats s;

    core_get_stats(e->core, &s);
    if (s.held == 0)
        log_event(e->options.log, LOG_INFO, "engine", "stopped", KV_I64("attempts", (int64_t)s.started));
    else
        log_event(e->options.log, LOG_WARN, "engine",
                  "stopped before all was recorded; what is open is taken up again when its lease ends",
                  KV_I64("open", (int64_t)s.held));
}

/* From the wish to stop until nothing is held any more, or time is over. Whatever happens, it ends. */
static void go_on_stopping(struct engine *e, bool stop, int64_t grace_us)
{
    if (stop && e->phase == LOOP_RUNNING) {
        set_phase(e, LOOP_DRAINING, grace_us);
        core_drain(e->core, e->now);
    }
    if (e->phase == LOOP_DRAINING && e->now.mono.us >= e->phase_end.us) {
        set_phase(e, LOOP_ABORTING, STOP_RECORDS_US);
        core_drain_now(e->core, e->now);
    }
}

static bool is_over(const struct engine *e)
{
    bool out_of_time = e->phase == LOOP_ABORTING && e->now.mono.us >= e->phase_end.us;

    /* A deliverer ends what it is told to give up within a turn, so this does not wait for any target. */
    return (core_is_drained(e->core) || out_of_time) && e->flights == 0;
}

/* --- the turn --- */

static void take_mail(struct engine *e, bool *ret_stop, int64_t *ret_grace_us)
{
    struct mailbox *m = &e->mail;
    struct change *changes;
    struct wall earliest;
    int64_t look_us;
    bool missed;
    size_t n;

    MUST(pthread_mutex_lock(&m->lock) == 0);
    changes = m->changes;
    n = m->changes_n;
    earliest = m->earliest;
    m->changes = e->changes;
    m->changes_n = 0;
    m->earliest = WALL_NEVER;
    missed = m->missed;
    m->missed = false;
    *ret_stop = m->stop;
    *ret_grace_us = m->grace_us;
    look_us = m->look_us;
    m->look_us = 0;
    if (n > 0)
        MUST(pthread_cond_broadcast(&m->emptied) == 0);
    MUST(pthread_mutex_unlock(&m->lock) == 0);
    e->changes = changes;
    if (look_us > 0)
        loop_look_every(e, look_us);
    for (size_t i = 0; i < n; i++)
        core_on_changed(e->core, e->now, changes[i].schedule_id, changes[i].version);
    if (missed)
        core_on_missed_changes(e->core, e->now);
    if (!wall_is_never(earliest))
        core_on_due(e->core, e->now, earliest);
}

static void carry_out(struct engine *e, const struct core_action *a)
{
    switch (a->kind) {
    case CORE_CLAIM:
        loop_ask_claim(e, a);
        break;
    case CORE_START:
        loop_start_flight(e, a->held);
        break;
    case CORE_ABORT:
        loop_abort_flight(e, a->held);
        break;
    case CORE_RECORD:
        loop_ask_record(e, a);
        break;
    case CORE_ASK_DOOMED:
        loop_ask_doomed(e, a);
        break;
    case CORE_RENEW:
        loop_ask_renew(e, a);
        break;
    }
}

static void sleep_until_wanted(struct engine *e)
{
    struct core_wake wake = core_wake_at(e->core);

    wake.mono = mono_min(wake.mono, loop_monitor_wake_at(e));
    if (e->phase != LOOP_RUNNING)
        wake.mono = mono_min(wake.mono, e->phase_end);
    set_wall_timer(e, wake.wall);
    set_mono_timer(e, wake.mono);
}

static void publish_stats(struct engine *e)
{
    e->stats.wakeups++;
    core_get_stats(e->core, &e->stats.core);
    e->stats.clock_offset_us = e->offset_us;
    loop_deliver_stats(e, e->stats.deliver);
    MUST(pthread_mutex_lock(&e->mail.lock) == 0);
    e->mail.stats = e->stats;
    e->mail.monitor_until = monitor_until(&e->monitor);
    MUST(pthread_mutex_unlock(&e->mail.lock) == 0);
}

static void turn(struct engine *e)
{
    struct core_action action;
    int64_t grace_us;
    bool stop;

    read_clocks(e);
    if (e->clock_was_set) {
        e->clock_was_set = false;
        log_plain(e->options.log, LOG_INFO, "engine", "the system's clock was set");
        e->clock_set_at = e->now.mono;
        /* A store that we have to ourselves goes by our clock. */
        if (!e->monitor.alone)
            core_doubt_clock(e->core, mono_add(e->now.mono, DOUBT_US));
        core_on_clock_set(e->core, e->now);
        monitor_hurry(&e->monitor, e->now.mono);
    }
    /* Changes first: an answer may start what is due, and what was deleted must not be among it. */
    take_mail(e, &stop, &grace_us);
    loop_take_answers(e);
    loop_take_ended(e);
    go_on_stopping(e, stop, grace_us);
    core_tick(e->core, e->now);
    while (core_next_action(e->core, &action))
        carry_out(e, &action);
    loop_tend_monitor(e);
    publish_stats(e);
    if (e->phase != LOOP_RUNNING && is_over(e)) {
        log_over(e);
        loop_leave(e);
        shut(e);
    } else {
        sleep_until_wanted(e);
    }
}

static void on_before_sleep(uv_prepare_t *handle)
{
    struct engine *e = CONTAINER_OF(handle, struct engine, before_sleep);

    if (!e->turn_due)
        return;
    e->turn_due = false;
    turn(e);
}

void *loop_main(void *engine)
{
    struct engine *e = engine;

    e->phase = LOOP_RUNNING;
    e->turn_due = true;
    loop_init_monitor(e, clock_mono());
    /* Ends when shut() has closed every handle. */
    MUST(uv_run(&e->loop, UV_RUN_DEFAULT) == 0);
    return NULL;
}

/* --- making and unmaking --- */

static enum err make_handles(struct engine *e, struct error *err)
{
    int status = uv_loop_init(&e->loop);

    if (status < 0)
        return error_set(err, ERR_IO, "libuv", "cannot make a loop: %s", uv_strerror(status));
    e->loop_made = true;
    e->reactor = uv_reactor_new(&e->loop);
    status = uv_async_init(&e->loop, &e->wake, on_wake);
    if (status < 0)
        return error_set(err, ERR_IO, "libuv", "cannot make a handle: %s", uv_strerror(status));
    MUST(uv_prepare_init(&e->loop, &e->before_sleep) == 0);
    MUST(uv_prepare_start(&e->before_sleep, on_before_sleep) == 0);
    MUST(pthread_mutex_lock(&e->mail.lock) == 0);
    e->mail.open = true;
    MUST(pthread_mutex_unlock(&e->mail.lock) == 0);
    return ERR_NONE;
}

enum err loop_init(struct engine *e, struct error *err)
{
    enum err failed;

    e->wall_set = NOT_SET_WALL;
    e->mono_set = NOT_SET_MONO;
    e->clock_set_at = (struct mono){INT64_MIN};
    list_init(&e->ended);
    failed = make_handles(e, err);
    if (failed)
        return failed;
    e->wall_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (e->wall_fd < 0)
        return error_errno(err, "timerfd", "cannot make a timer");
    failed =
        reactor(e)->ops->watch(reactor(e), e->wall_fd, REACTOR_READ, on_wall_timer, e, &e->wall_watch, err);
    if (!failed)
        failed = reactor(e)->ops->timer_new(reactor(e), on_mono_timer, e, &e->mono_timer, err);
    if (!failed)
        failed = reactor(e)->ops->timer_new(reactor(e), on_upkeep_timer, e, &e->upkeep_timer, err);
    if (!failed)
        failed = loop_open_deliverers(e, err);
    return failed;
}

void loop_done(struct engine *e)
{
    if (e->loop_made) {
        if (!e->shut) {
            shut(e);
            MUST(uv_run(&e->loop, UV_RUN_DEFAULT) == 0);
        }
        uv_reactor_free(e->reactor);
        MUST(uv_loop_close(&e->loop) == 0);
    }
    if (e->wall_fd >= 0)
        MUST(close(e->wall_fd) == 0);
}
