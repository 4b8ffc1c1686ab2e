/*
 * doctor.c: the table of checks, and going through it.
 */
#include "doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "doctor/visit.h"

enum needs {
    NEEDS_NOTHING,
    NEEDS_SETTINGS,
    NEEDS_DATABASE, /* connected */
    NEEDS_SCHEMA    /* of this build */
};

/* The order is that of their needs: each may rely on what those before it found. */
static const struct check {
    const char *id;
    enum needs needs;
    void (*look)(struct visit *v);
} checks[] = {
    {"configuration", NEEDS_NOTHING, examine_configuration},
    {"limits.files", NEEDS_SETTINGS, examine_files},
    {"database.connection", NEEDS_SETTINGS, examine_connection},
    {"database.schema", NEEDS_DATABASE, examine_schema},
    {"database.indexes", NEEDS_SCHEMA, examine_indexes},
    {"database.permissions", NEEDS_DATABASE, examine_permissions},
    {"database.clock", NEEDS_DATABASE, examine_clock},
    {"database.pages", NEEDS_DATABASE, examine_pages},
    {"time.zones", NEEDS_NOTHING, examine_zones},
    {"instances", NEEDS_SCHEMA, examine_instances},
    {"tables.expired_leases", NEEDS_SCHEMA, examine_leases},
    {"tables.overdue", NEEDS_SCHEMA, examine_overdue},
    {"tables.active_without_next", NEEDS_SCHEMA, examine_next},
    {"tables.runs_without_schedule", NEEDS_SCHEMA, examine_orphans},
    {"tables.waiting_for_nothing", NEEDS_SCHEMA, examine_waiting},
    {"history", NEEDS_SETTINGS, examine_history},
    {"redis", NEEDS_SETTINGS, examine_redis},
    {"kafka", NEEDS_SCHEMA, examine_kafka},
};
_Static_assert(COUNT_OF(checks) <= DOCTOR_CHECKS_MAX, "room for each");

const char *verdict_name(enum doctor_verdict v)
{
    static const char *const names[] = {
#define X(value, text) text,
        VERDICT_LIST(X)
#undef X
    };

    return names[v];
}

PRINTF_LIKE(2, 0)
static void add_text(char text[FINDING_TEXT_MAX], const char *format, va_list args)
{
    size_t n = strlen(text);

    if (n > 0 && n + 2 < FINDING_TEXT_MAX)
        n += (size_t)snprintf(text + n, FINDING_TEXT_MAX - n, "; ");
    (void)vsnprintf(text + n, FINDING_TEXT_MAX - n, format, args); /* cut: there is more than enough */
}

void visit_saw(struct visit *v, enum doctor_verdict verdict, const char *format, ...)
{
    struct finding *f = v->finding;
    va_list args;

    if (verdict > f->verdict)
        f->verdict = verdict;
    va_start(args, format);
    add_text(f->seen, format, args);
    va_end(args);
}

void visit_advise(struct visit *v, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_text(v->finding->advice, format, args);
    va_end(args);
}

enum err visit_ask(struct visit *v, struct looked *l, struct error *err)
{
    struct mono until = mono_add(clock_mono(), PATIENCE_US);
    enum err e = lane_look(v->ground.lane, l, until, err);

    if (e == ERR_UNAVAILABLE)
        e = lane_look(v->ground.lane, l, until, err);
    v->hung = v->hung || e == ERR_TIMEOUT;
    return e;
}

bool visit_asked(struct visit *v, struct looked *l)
{
    struct error err = {0};

    if (!visit_ask(v, l, &err))
        return true;
    visit_saw(v, VERDICT_FAILURE, "the database cannot be asked: %s", err.text);
    visit_advise(v, "look at the database's own log and load");
    return false;
}

static const char *why_not(const struct visit *v, const struct check *c)
{
    if (v->o->stop && atomic_load(v->o->stop))
        return "the server is stopping";
    if (c->needs >= NEEDS_SETTINGS && !visit_settings(v))
        return "the settings cannot be read";
    if (c->needs >= NEEDS_DATABASE && !v->ground.lane)
        return "the database is not connected";
    if (c->needs >= NEEDS_DATABASE && v->hung)
        return "the database did not answer before";
    if (c->needs >= NEEDS_SCHEMA && v->misfit)
        return "the schema is not this build's, or not whole";
    return NULL;
}

static void look(struct visit *v, const struct check *c, struct report *ret)
{
    struct finding *f = &ret->items[ret->n++];
    struct mono before = clock_mono();
    const char *why = why_not(v, c);

    *f = (struct finding){.id = c->id, .verdict = VERDICT_SKIPPED};
    v->finding = f;
    if (why)
        visit_saw(v, VERDICT_SKIPPED, "%s", why);
    else
        c->look(v);
    f->took_us = clock_mono().us - before.us;
    if (f->verdict > ret->verdict)
        ret->verdict = f->verdict;
}

struct doctor {
    struct doctor_options options;
    struct visit visit;
};

struct doctor *doctor_new(const struct doctor_options *o)
{
    struct doctor *d = alloc_new(struct doctor);

    d->options = *o;
    d->visit.o = &d->options;
    d->visit.workers = -1;
    return d;
}

void doctor_examine(struct doctor *d, struct report *ret)
{
    ret->n = 0;
    ret->verdict = VERDICT_OK;
    ret->at = clock_wall();
    ret->version = d->options.version;
    ret->running = d->options.running;
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        look(&d->visit, &checks[i], ret);
}

bool doctor_hangs(const struct doctor *d)
{
    return d->visit.hung;
}

void doctor_free(struct doctor *d)
{
    if (!d)
        return;
    ground_close(&d->visit.ground);
    alloc_free(d);
}
