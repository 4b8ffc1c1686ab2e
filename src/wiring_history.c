/*
 * wiring_history.c: the history database that the settings name: its lane, what moves events to it, and what
 * is said about both.
 *
 * It may be away, at the start too: nothing but the history waits for it.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/mover.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "wiring.h"

/*
 * SELDOM: sweeps are for what a dead instance left in a cluster that does nothing since, and for retention of
 * days: an idle instance should hardly be heard by its databases.
 */
enum { HISTORY_QUEUE = 4096, HISTORY_GROUP = 64, SELDOM = 10 };

struct wiring_history {
    const struct settings *settings;
    struct wiring_store *store;
    struct log *log;
    /* the lane's thread; once it is freed, whoever frees this */
    struct sqlite_file *file;
    struct postgres *postgres;
    struct lane *lane;
    struct mover *mover;
};

/* The lane's thread, and whoever makes the lane before it runs. Each try begins where the last one failed. */
static enum err open_history(void *arg, struct store **ret, struct error *err)
{
    struct wiring_history *h = arg;
    const struct settings *s = h->settings;
    struct sqlite_options sqlite = {.history = true};
    struct postgres_options postgres = {.url = s->history.url,
                                        .history = true,
                                        .schema = s->history.schema,
                                        .unprepared = !s->database.prepared,
                                        .silent = true,
                                        .log = h->log};
    enum err e = ERR_NONE;

    if (settings_sqlite_path(s->history.url, &sqlite.path)) {
        if (!h->file)
            e = sqlite_file_open(&sqlite, &h->file, err);
        return e ? e : sqlite_connect(h->file, true, ret, err);
    }
    if (!h->postgres)
        e = postgres_open(&postgres, &h->postgres, err);
    return e ? e : postgres_connect(h->postgres, true, ret, err);
}

struct wiring_history *wiring_history_new(const struct settings *s, struct wiring_store *store,
                                          struct log *log)
{
    struct wiring_history *h = alloc_new(struct wiring_history);
    bool shared = wiring_store_is_shared(store);
    struct mover_options options = {
        .open = shared ? wiring_store_writer : wiring_store_reader,
        .open_arg = store,
        .shared = shared,
        .sweep_us = s->retention.every_us * SELDOM,
        .keep_us = s->retention.history_us,
        .log = log,
    };

    h->settings = s;
    h->store = store;
    h->log = log;
    h->mover = mover_new(&options);
    return h;
}

enum err wiring_history_start(struct wiring_history *h, struct lane *writer, struct error *err)
{
    struct lane_options options = {
        .name = "history",
        .open = open_history,
        .open_arg = h,
        .queue_limit = HISTORY_QUEUE,
        .group_limit = HISTORY_GROUP,
        .may_be_away = true,
        .log = h->log,
    };
    const char *path;
    enum err e = lane_new(&options, &h->lane, err);

    if (!e && wiring_store_is_shared(h->store) && settings_sqlite_path(h->settings->history.url, &path))
        log_event(
            h->log, LOG_WARN, "history",
            "a SQLite history beside a PostgreSQL that instances share: each instance keeps its own part",
            KV_CSTR("path", path));
    return e ? e : mover_start(h->mover, writer, h->lane, err);
}

void wiring_history_wake(struct wiring_history *h)
{
    if (h)
        mover_wake(h->mover);
}

struct lane *wiring_history_lane(struct wiring_history *h)
{
    return h->lane;
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP carillon_history_%s %s\n# TYPE carillon_history_%s %s\n", name, help, name, type);
}

void wiring_history_metrics(struct wiring_history *h, struct buf *out)
{
    struct mover_stats m;
    struct lane_stats lane;
    int64_t age_us = 0;

    mover_get_stats(h->mover, &m);
    lane_stats(h->lane, &lane);
    if (!wall_is_never(m.oldest_at))
        age_us = clock_wall().us - m.oldest_at.us;
    head(out, "up", "gauge", "Whether the history database is connected.");
    buf_addf(out, "carillon_history_up %d\n", lane.connected);
    head(out, "outbox_events", "gauge", "Events that wait to be moved to the history, about.");
    buf_addf(out, "carillon_history_outbox_events %lld\n", (long long)m.waiting);
    head(out, "outbox_oldest_seconds", "gauge", "Age of the oldest of them.");
    buf_addf(out, "carillon_history_outbox_oldest_seconds %lld\n",
             (long long)(age_us > 0 ? age_us / US_PER_S : 0));
    head(out, "moved_total", "counter", "Events that this instance moved to the history.");
    buf_addf(out, "carillon_history_moved_total %llu\n", (unsigned long long)m.moved);
    head(out, "failures_total", "counter", "Tries to move events that came to nothing.");
    buf_addf(out, "carillon_history_failures_total %llu\n", (unsigned long long)m.failures);
}

void wiring_history_stop(struct wiring_history *h)
{
    if (h)
        mover_stop(h->mover);
}

void wiring_history_free(struct wiring_history *h)
{
    if (!h)
        return;
    mover_stop(h->mover);
    mover_free(h->mover);
    lane_free(h->lane);
    postgres_free(h->postgres);
    sqlite_file_free(h->file);
    alloc_free(h);
}
