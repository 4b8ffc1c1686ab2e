/*
 * ground.c: a database opened to be looked at, and a lane that asks it: so that a database that hangs keeps
 * nobody waiting for longer than his patience.
 */
#include "doctor/visit.h"

#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

enum { QUEUE = 16 };

bool visit_is_sqlite(const struct visit *v)
{
    const char *path;

    return settings_sqlite_path(visit_settings(v)->database.url, &path);
}

static enum err connect_ground(void *arg, struct store **ret, struct error *err)
{
    struct ground *g = arg;

    return g->postgres ? postgres_connect(g->postgres, false, ret, err)
                       : sqlite_connect(g->file, false, ret, err);
}

static enum err find(struct ground *g, const char *url, const char *schema, const struct settings *settings,
                     bool history, struct error *err)
{
    struct sqlite_options sqlite = {.history = history, .examines = true};
    struct postgres_options postgres = {.url = url,
                                        .history = history,
                                        .schema = schema,
                                        .application_name = "carillon doctor",
                                        .unprepared = !settings->database.prepared,
                                        .silent = true,
                                        .examines = true};

    if (!settings_sqlite_path(url, &sqlite.path))
        return postgres_open(&postgres, &g->postgres, err);
    return sqlite_file_open(&sqlite, &g->file, err);
}

enum err ground_open(struct ground *g, const char *url, const char *schema, const struct settings *settings,
                     bool history, struct error *err)
{
    struct lane_options options = {.name = "doctor",
                                   .open = connect_ground,
                                   .open_arg = g,
                                   .queue_limit = QUEUE,
                                   .group_limit = 1,
                                   .give_up_us = 1};
    enum err e = find(g, url, schema, settings, history, err);

    return e ? e : lane_new(&options, &g->lane, err);
}

void ground_close(struct ground *g)
{
    lane_free(g->lane);
    postgres_free(g->postgres);
    sqlite_file_free(g->file);
    *g = (struct ground){.lane = NULL};
}
