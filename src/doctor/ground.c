/*
 * ground.c: a database opened to be looked at, and a lane that asks it: so that a database that hangs keeps
 * nobody waiting for longer than his patience.
 */
#include "doctor/visit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/str.h"
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

/*
 * Whether a service holds the lock of this SQLite file: by the kernel's list, since trying to take it could
 * keep one from starting. "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
 */
bool is_held(const char *url)
{
    enum { LINE_MAX_BYTES = 256 };
    CLEANUP(buf_done_p) struct buf path = {0};
    char line[LINE_MAX_BYTES];
    const char *file = "";
    struct stat st;
    bool found = false;
    FILE *locks;

    buf_init(&path, 2 * 4096);
    if (settings_sqlite_path(url, &file))
        buf_addf(&path, "%s.lock", file);
    if (!buf_ok(&path) || stat(buf_cstr(&path), &st) < 0)
        return false;
    locks = fopen("/proc/locks", "re");
    while (locks && !found && fgets(line, sizeof(line), locks)) {
        char inode[32];

        (void)snprintf(inode, sizeof(inode), ":%llu ", (unsigned long long)st.st_ino);
        found = strstr(line, "FLOCK") && strstr(line, inode);
    }
    if (locks)
        (void)fclose(locks); /* it was only read */
    return found;
}

static enum err open_once(struct ground *g, const char *url, const char *schema,
                          const struct settings *settings, bool history, struct error *err)
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

/*
 * A service that stops leaves its log without an index for a moment. Whether there is one is looked at
 * before: who let go since has also removed the log.
 */
enum err ground_open(struct ground *g, const char *url, const char *schema, const struct settings *settings,
                     bool history, struct error *err)
{
    struct mono until = mono_add(clock_mono(), PATIENCE_US);

    for (;;) {
        bool held = is_held(url);
        enum err e = open_once(g, url, schema, settings, history, err);

        if (e != ERR_PRECONDITION || !held || clock_mono().us > until.us)
            return e;
        ground_close(g);
        (void)poll(NULL, 0, 1); /* there is nothing to wait for: it is another process */
    }
}

void ground_close(struct ground *g)
{
    lane_free(g->lane);
    postgres_free(g->postgres);
    sqlite_file_free(g->file);
    *g = (struct ground){.lane = NULL};
}
