/*
 * check_database.c: is it there, is it ours, is it whole, and may we work with it?
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "doctor/visit.h"

/* A clock that is further from ours than this is told of. */
#define CLOCK_US (1 * US_PER_S)

static void advise_connection(struct visit *v, enum err e)
{
    if (e == ERR_NOT_FOUND)
        visit_advise(v, "carillon serve makes it when it first starts; if it should be there already, "
                        "database.url names another file");
    else if (e == ERR_PRECONDITION)
        visit_advise(
            v, "carillon serve recovers it when it starts; a backup that was restored looks like this, too");
    else if (visit_is_sqlite(v))
        visit_advise(
            v, "look at the file and its folder: who owns them, and whether the disk is whole and mounted");
    else
        visit_advise(v, "start the server, or correct database.url (host, port, user, password, name of the "
                        "database); pg_hba.conf says who is let in");
}

/* Of a running instance: over a connection of its own, so that nobody waits behind our questions. */
static enum err open_anew(struct visit *v, struct error *err)
{
    struct lane_options options = {.name = "doctor",
                                   .open = v->o->open,
                                   .open_arg = v->o->open_arg,
                                   .queue_limit = 16,
                                   .group_limit = 1,
                                   .give_up_us = 1};

    return lane_new(&options, &v->ground.lane, err);
}

static enum err open_ground(struct visit *v, struct error *err)
{
    const struct settings *s = visit_settings(v);

    if (v->o->open)
        return open_anew(v, err);
    return ground_open(&v->ground, s->database.url, s->database.schema, s, false, err);
}

void examine_connection(struct visit *v)
{
    struct looked l = {.look = LOOK_CLOCK};
    struct mono before = clock_mono();
    struct error err = {0};
    const char *path = "";
    enum err e = open_ground(v, &err);

    if (!e)
        e = visit_ask(v, &l, &err);
    if (e) {
        visit_saw(v, e == ERR_NOT_FOUND || e == ERR_PRECONDITION ? VERDICT_WARNING : VERDICT_FAILURE,
                  "%s: %s", err.where, err.text);
        advise_connection(v, e);
        ground_close(&v->ground);
        return;
    }
    if (settings_sqlite_path(visit_settings(v)->database.url, &path))
        visit_saw(v, VERDICT_OK, "SQLite, %s", path);
    else
        visit_saw(v, VERDICT_OK, "PostgreSQL, connected and answered in %lld ms",
                  (long long)((clock_mono().us - before.us) / US_PER_MS));
}

void examine_clock(struct visit *v)
{
    struct looked l = {.look = LOOK_CLOCK};
    struct wall before;
    struct wall after;
    int64_t offset_us;
    int64_t apart_us;

    if (visit_is_sqlite(v)) {
        visit_saw(v, VERDICT_OK, "an embedded database goes by this machine's clock");
        return;
    }
    before = clock_wall();
    if (!visit_asked(v, &l))
        return;
    after = clock_wall();
    offset_us = l.now.us - (before.us + (after.us - before.us) / 2);
    apart_us = offset_us < 0 ? -offset_us : offset_us;
    visit_saw(v, VERDICT_OK, "the database's clock is %lld ms %s this machine's, give or take %lld ms",
              (long long)(apart_us / US_PER_MS), offset_us < 0 ? "behind" : "ahead of",
              (long long)((after.us - before.us) / (2 * US_PER_MS)) + 1);
    if (apart_us - (after.us - before.us) / 2 <= CLOCK_US)
        return;
    visit_saw(v, VERDICT_WARNING,
              "schedules go by the database's, and fire late or early by that of everybody else");
    visit_advise(v, "keep both machines' clocks by NTP (timedatectl, chronyc tracking)");
}

static void judge_version(struct visit *v, const struct inspected *r)
{
    v->misfit = r->version != r->known;
    if (r->version == r->known) {
        visit_saw(v, VERDICT_OK, "%s: version %lld", r->about, (long long)r->version);
    } else if (r->version == 0) {
        visit_saw(v, VERDICT_WARNING, "%s: there are no tables yet", r->about);
        visit_advise(v, "carillon serve makes them when it first starts; if they should be there already, "
                        "database.url or database.schema names another database");
    } else if (r->version < r->known) {
        visit_saw(v, VERDICT_WARNING, "%s: version %lld, and this build works with %lld", r->about,
                  (long long)r->version, (long long)r->known);
        visit_advise(v, "carillon serve of this build migrates it when it starts; take a backup before");
    } else {
        visit_saw(v, VERDICT_FAILURE,
                  "%s: version %lld, and this build knows up to %lld: a newer one made it", r->about,
                  (long long)r->version, (long long)r->known);
        visit_advise(v, "run the newer build; this one does not start on this database");
    }
}

void examine_schema(struct visit *v)
{
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_SCHEMA};
    struct error err = {0};

    if (visit_ask(v, &l, &err)) {
        v->misfit = true;
        visit_saw(v, VERDICT_FAILURE, "%s", err.text);
        visit_advise(
            v, "see whether database.url and database.schema name the database that is meant; one that is "
               "broken is restored from its backup");
        return;
    }
    judge_version(v, &l.inspected);
}

static void tell_all(struct visit *v, const struct error_list *l, enum doctor_verdict verdict)
{
    for (size_t i = 0; i < l->n; i++)
        visit_saw(v, verdict, "%s", l->items[i].text);
    if (l->dropped > 0)
        visit_saw(v, verdict, "and %zu more", l->dropped);
}

void examine_indexes(struct visit *v)
{
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_INDEXES};

    if (!visit_asked(v, &l))
        return;
    if (l.inspected.faults.n == 0) {
        visit_saw(v, VERDICT_OK, "all tables and indexes are there and valid");
        return;
    }
    v->misfit = true;
    tell_all(v, &l.inspected.faults, VERDICT_FAILURE);
    if (l.inspected.repair[0] != '\0')
        visit_advise(v, "make it again%s: %s",
                     visit_is_sqlite(v) ? " while no service runs (sqlite3 FILE)" : " (psql)",
                     l.inspected.repair);
    else if (visit_is_sqlite(v))
        visit_advise(v, "restore a backup: this database is not as any build leaves it");
    else
        visit_advise(
            v,
            "an index that is not valid: REINDEX INDEX CONCURRENTLY %s.NAME; a table or column that is "
            "missing: restore a backup",
            visit_settings(v)->database.schema);
}

void examine_permissions(struct visit *v)
{
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_RIGHTS};

    if (!visit_asked(v, &l))
        return;
    tell_all(v, &l.inspected.faults, VERDICT_FAILURE);
    tell_all(v, &l.inspected.remarks, VERDICT_WARNING);
    if (l.inspected.faults.n + l.inspected.remarks.n == 0)
        visit_saw(v, VERDICT_OK, "%s may do all that the service needs", l.inspected.about);
    else if (visit_is_sqlite(v))
        visit_advise(
            v, "give the user that the service runs as the file and its folder (chown), and let it write "
               "there (chmod u+w)");
    else
        visit_advise(v,
                     "let the service's role own the schema: ALTER SCHEMA %s OWNER TO ROLE, and likewise its "
                     "tables; see docs/postgres.md",
                     visit_settings(v)->database.schema);
}

void examine_pages(struct visit *v)
{
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_PAGES};
    struct error err = {0};
    enum err e;

    if (!v->o->deep) {
        visit_saw(v, VERDICT_SKIPPED, "all of the database is read only with --deep");
        return;
    }
    /* It takes as long as it takes to read it all: that is what was asked for. */
    e = lane_look(v->ground.lane, &l, (struct mono){INT64_MAX}, &err);
    if (e == ERR_UNSUPPORTED) {
        visit_saw(v, VERDICT_SKIPPED, "%s", err.text);
    } else if (e) {
        visit_saw(v, VERDICT_FAILURE, "the database cannot be read: %s", err.text);
        visit_advise(v, "restore a backup");
    } else if (l.inspected.faults.n == 0) {
        visit_saw(v, VERDICT_OK, "PRAGMA quick_check found nothing");
    } else {
        tell_all(v, &l.inspected.faults, VERDICT_FAILURE);
        visit_advise(
            v, "stop the service, keep a copy of the file and its -wal, and restore a backup; without one, "
               "sqlite3 FILE .recover gives what can be read");
    }
}
