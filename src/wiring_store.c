/*
 * wiring_store.c: the database that the settings name, as the lanes open it, and what is heard of the other
 * instances that share it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "engine/wakeup_redis.h"
#include "store/postgres/listen.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "wiring.h"

/* How often at least an engine looks while it cannot be told. */
#define DEAF_LOOK_US (5 * US_PER_S)

/* What a database is opened for. */
enum use { USE_SERVE, USE_LOOK, USE_IMPORT };

struct wiring_store {
    const struct settings *settings;
    struct uuid instance;
    struct sqlite_file *file;  /* NULL: it is PostgreSQL */
    struct postgres *postgres; /* NULL: it is SQLite */
    struct listener *listener; /* NULL: nobody is listened to by LISTEN */
    struct wakeup *wakeup;     /* NULL: nobody is told and heard over Redis */
    struct engine *engine;
};

static bool is_shared(const struct settings *s)
{
    const char *path;

    return !settings_sqlite_path(s->database.url, &path);
}

static bool tells_by_redis(const struct settings *s)
{
    return is_shared(s) && strcmp(s->wakeup.mode, "redis") == 0;
}

static bool tells_by_notify(const struct settings *s)
{
    return is_shared(s) && (strcmp(s->wakeup.mode, "auto") == 0 || strcmp(s->wakeup.mode, "postgres") == 0);
}

int64_t wiring_store_look_us(const struct settings *s)
{
    /* Who is told of everything looks for safety alone, and many may share the database. */
    enum { SELDOM = 10 };
    bool told = tells_by_notify(s) || tells_by_redis(s);

    return s->scheduler.fetch_interval_us * (told ? SELDOM : 1);
}

static enum err open_postgres(struct wiring_store *w, enum use use, struct log *log, struct error *err)
{
    const struct settings *s = w->settings;
    struct postgres_options options = {
        .url = s->database.url,
        .schema = s->database.schema,
        .look = use == USE_LOOK,
        .unprepared = !s->database.prepared,
        .instance = w->instance,
        .silent = !tells_by_notify(s),
        /* How often instances look by themselves, their own settings say: not those of a command line. */
        .poll_us = use == USE_SERVE ? wiring_store_look_us(s) : 0,
        .log = log,
    };

    return postgres_open(&options, &w->postgres, err);
}

static enum err open_store(const struct settings *s, struct uuid instance, enum use use, struct log *log,
                           struct wiring_store **ret, struct error *err)
{
    CLEANUP(wiring_store_free_p) struct wiring_store *w = alloc_new(struct wiring_store);
    struct sqlite_options options = {.look = use == USE_LOOK};
    enum err e;

    w->settings = s;
    w->instance = instance;
    if (settings_sqlite_path(s->database.url, &options.path)) {
        e = sqlite_setup(err);
        if (!e)
            e = sqlite_file_open(&options, &w->file, err);
    } else {
        e = open_postgres(w, use, log, err);
    }
    if (e)
        return e;
    *ret = TAKE(w);
    return ERR_NONE;
}

enum err wiring_store_open(const struct settings *s, struct uuid instance, struct log *log,
                           struct wiring_store **ret, struct error *err)
{
    return open_store(s, instance, USE_SERVE, log, ret, err);
}

enum err wiring_store_look(const struct settings *s, struct wiring_store **ret, struct error *err)
{
    return open_store(s, (struct uuid){{0}}, USE_LOOK, NULL, ret, err);
}

enum err wiring_store_import(const struct settings *s, struct wiring_store **ret, struct error *err)
{
    return open_store(s, uuid_v7(clock_wall()), USE_IMPORT, NULL, ret, err);
}

bool wiring_store_is_shared(const struct wiring_store *w)
{
    return w->postgres != NULL;
}

enum err wiring_store_writer(void *arg, struct store **ret, struct error *err)
{
    struct wiring_store *w = arg;

    return w->postgres ? postgres_connect(w->postgres, true, ret, err)
                       : sqlite_connect(w->file, true, ret, err);
}

enum err wiring_store_reader(void *arg, struct store **ret, struct error *err)
{
    struct wiring_store *w = arg;

    return w->postgres ? postgres_connect(w->postgres, false, ret, err)
                       : sqlite_connect(w->file, false, ret, err);
}

/* A thread that hears for us: what other instances committed. */
static void on_notice(void *arg, const struct notice *n)
{
    struct wiring_store *w = arg;

    engine_notice(w->engine, n);
}

/*
 * While nobody is heard, the engine looks more often: what is registered elsewhere is seen then, and nothing
 * is lost by that.
 */
static void on_hears(void *arg, bool hears)
{
    struct wiring_store *w = arg;
    int64_t every_us = w->settings->scheduler.fetch_interval_us;

    if (hears)
        every_us = wiring_store_look_us(w->settings);
    else if (every_us > DEAF_LOOK_US)
        every_us = DEAF_LOOK_US;
    engine_look_every(w->engine, every_us);
}

static enum err wake_up_by_notify(struct wiring_store *w, struct log *log, struct error *err)
{
    const struct settings *s = w->settings;
    struct listener_options options = {
        .url = s->wakeup.url[0] != '\0' ? s->wakeup.url : s->database.url,
        .schema = s->database.schema,
        .instance = w->instance,
        .notice = on_notice,
        .hears = on_hears,
        .notice_arg = w,
        .log = log,
    };

    return listener_new(&options, &w->listener, err);
}

static enum err wake_up_by_redis(struct wiring_store *w, struct log *log, struct error *err)
{
    const struct settings *s = w->settings;
    char secret[POSTGRES_SECRET_BYTES] = "";
    enum err e = postgres_secret(w->postgres, secret, err);
    struct wakeup_options options = {
        .url = s->redis.url,
        .name = s->database.schema,
        .key = str_of(secret),
        .instance = w->instance,
        .notice = on_notice,
        .hears = on_hears,
        .arg = w,
        .log = log,
    };

    return e ? e : wakeup_new(&options, &w->wakeup, err);
}

enum err wiring_store_listen(struct wiring_store *w, struct engine *engine, struct log *log,
                             struct error *err)
{
    w->engine = engine;
    if (tells_by_redis(w->settings))
        return wake_up_by_redis(w, log, err);
    return tells_by_notify(w->settings) ? wake_up_by_notify(w, log, err) : ERR_NONE;
}

void wiring_store_tell(struct wiring_store *w, const struct notice *n)
{
    if (w->wakeup)
        wakeup_tell(w->wakeup, n);
}

void wiring_store_deafen(struct wiring_store *w)
{
    if (!w)
        return;
    listener_free(TAKE(w->listener));
    wakeup_free(TAKE(w->wakeup));
}

bool wiring_store_wakeup_stats(const struct wiring_store *w, struct wakeup_stats *ret)
{
    struct listener_stats l;

    if (w->wakeup) {
        wakeup_get_stats(w->wakeup, ret);
        return true;
    }
    if (!w->listener)
        return false;
    listener_get_stats(w->listener, &l);
    *ret = (struct wakeup_stats){.heard = l.notices, .connects = l.connects, .connected = l.connected};
    return true;
}

void wiring_store_free(struct wiring_store *w)
{
    if (!w)
        return;
    wiring_store_deafen(w);
    postgres_free(w->postgres);
    sqlite_file_free(w->file);
    alloc_free(w);
}
