/*
 * wiring_store.c: the database that the settings name, as the lanes open it, and what is heard of the other
 * instances that share it.
 */
#include <string.h>

#include "base/alloc.h"
#include "store/postgres/listen.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "wiring.h"

struct wiring_store {
    const struct settings *settings;
    struct uuid instance;
    struct sqlite_file *file;  /* NULL: it is PostgreSQL */
    struct postgres *postgres; /* NULL: it is SQLite */
    struct listener *listener; /* NULL: nobody is listened to */
};

static bool tells_others(const struct settings *s)
{
    return strcmp(s->wakeup.mode, "auto") == 0 || strcmp(s->wakeup.mode, "postgres") == 0;
}

int64_t wiring_store_look_us(const struct settings *s)
{
    /* Who is told of everything looks for safety alone, and many may share the database. */
    enum { SELDOM = 10 };
    const char *path;
    bool told = tells_others(s) && !settings_sqlite_path(s->database.url, &path);

    return s->scheduler.fetch_interval_us * (told ? SELDOM : 1);
}

static enum err open_postgres(struct wiring_store *w, struct error *err)
{
    const struct settings *s = w->settings;
    struct postgres_options options = {
        .url = s->database.url,
        .schema = s->database.schema,
        .unprepared = !s->database.prepared,
        .instance = w->instance,
        .silent = !tells_others(s),
        .poll_us = wiring_store_look_us(s),
    };

    return postgres_open(&options, &w->postgres, err);
}

enum err wiring_store_open(const struct settings *s, struct uuid instance, struct wiring_store **ret,
                           struct error *err)
{
    CLEANUP(wiring_store_free_p) struct wiring_store *w = alloc_new(struct wiring_store);
    struct sqlite_options options = {0};
    enum err e;

    w->settings = s;
    w->instance = instance;
    if (settings_sqlite_path(s->database.url, &options.path)) {
        e = sqlite_setup(err);
        if (!e)
            e = sqlite_file_open(&options, &w->file, err);
    } else {
        e = open_postgres(w, err);
    }
    if (e)
        return e;
    *ret = TAKE(w);
    return ERR_NONE;
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

enum err wiring_store_listen(struct wiring_store *w, lane_notice_fn notice, void *arg, struct log *log,
                             struct error *err)
{
    const struct settings *s = w->settings;
    struct listener_options options = {
        .url = s->wakeup.url[0] != '\0' ? s->wakeup.url : s->database.url,
        .schema = s->database.schema,
        .instance = w->instance,
        .notice = notice,
        .notice_arg = arg,
        .log = log,
    };

    if (!w->postgres || !tells_others(s))
        return ERR_NONE;
    return listener_new(&options, &w->listener, err);
}

void wiring_store_deafen(struct wiring_store *w)
{
    if (w)
        listener_free(TAKE(w->listener));
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
