/*
 * check_tables.c: what must hold of the tables whatever happens. See store/examine.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "calendar/iso8601.h"
#include "doctor/visit.h"

/* SHOWN_BYTES: of identifiers, each with a blank. */
enum { FOUND_MAX = 1000, PAGE_ROWS = 10000, SHOWN_BYTES = BREACHES_SHOWN * (UUID_TEXT + 1) + 1 };

static void list_shown(const struct breaches *b, char ret[SHOWN_BYTES])
{
    size_t shown = b->n < BREACHES_SHOWN ? b->n : BREACHES_SHOWN;

    ret[0] = '\0';
    for (size_t i = 0; i < shown; i++) {
        size_t n = strlen(ret);
        char id[UUID_TEXT + 1];

        uuid_format(b->shown[i], id);
        (void)snprintf(ret + n, SHOWN_BYTES - n, " %s", id);
    }
}

/* "3 runs", "1000 or more runs" */
static void tell(struct visit *v, enum doctor_verdict verdict, const struct breaches *b, const char *what)
{
    char shown[SHOWN_BYTES];

    list_shown(b, shown);
    visit_saw(v, verdict, "%zu%s %s:%s%s", b->n, b->n >= FOUND_MAX ? " or more" : "", what, shown,
              b->n > BREACHES_SHOWN ? " ..." : "");
}

/* What a worker comes to sooner or later. */
static bool find_late(struct visit *v, enum invariant what, const char *text)
{
    struct looked l = {.look = LOOK_CLOCK};
    char since[ISO_TEXT_MAX];

    if (!visit_asked(v, &l))
        return false;
    l.look = LOOK_EXAMINE;
    l.examination =
        (struct examination){.what = what, .before = wall_add(l.now, -LATE_US), .limit = FOUND_MAX};
    if (!visit_asked(v, &l) || l.breaches.n == 0)
        return false;
    iso_format(l.breaches.earliest, since);
    tell(v, v->workers == 0 ? VERDICT_WARNING : VERDICT_FAILURE, &l.breaches, text);
    visit_saw(v, VERDICT_WARNING, "the first since %s", since);
    return true;
}

static void advise_late(struct visit *v)
{
    if (v->workers == 0)
        visit_advise(v,
                     "no instance with the role worker runs: carillon serve takes them as soon as it starts");
    else
        visit_advise(
            v, "see in the logs of the workers why they do not claim (database errors, a stall), and in "
               "/metrics whether they are at their limits (scheduler.max_in_flight, max_held); a restart "
               "of a worker that hangs loses nothing");
}

void examine_leases(struct visit *v)
{
    if (find_late(v, INVARIANT_LEASES, "runs are held by a lease that ended, and nobody takes them"))
        advise_late(v);
    else if (v->finding->verdict == VERDICT_SKIPPED)
        visit_saw(v, VERDICT_OK, "no lease ended without somebody taking its run");
}

void examine_overdue(struct visit *v)
{
    bool schedules = find_late(v, INVARIANT_SCHEDULES, "schedules are due, and nobody claims them");
    bool runs = !v->hung && find_late(v, INVARIANT_RUNS, "runs are due, and nobody takes them");

    if (schedules || runs)
        advise_late(v);
    else if (v->finding->verdict == VERDICT_SKIPPED)
        visit_saw(v, VERDICT_OK, "nothing is overdue by more than %lld s", (long long)(LATE_US / US_PER_S));
}

/* Page by page, for as long as its patience lasts. */
static bool find_broken(struct visit *v, enum invariant what, const char *text, const char *rows)
{
    struct mono until = mono_add(clock_mono(), PATIENCE_US);
    struct looked l = {.look = LOOK_EXAMINE, .examination = {.what = what, .limit = PAGE_ROWS}};
    struct breaches all = {0};

    do {
        if (!visit_asked(v, &l))
            return false;
        for (size_t i = 0; i < l.breaches.n && i < BREACHES_SHOWN && all.n + i < BREACHES_SHOWN; i++)
            all.shown[all.n + i] = l.breaches.shown[i];
        all.n += l.breaches.n;
        all.looked_at += l.breaches.looked_at;
        l.examination.after = l.breaches.reached;
    } while (!uuid_is_nil(l.breaches.reached) && clock_mono().us < until.us);
    if (all.n > 0)
        tell(v, VERDICT_FAILURE, &all, text);
    visit_saw(v, VERDICT_OK, "%s %zu %s looked at", uuid_is_nil(l.breaches.reached) ? "all" : "the first",
              all.looked_at, rows);
    return all.n > 0;
}

void examine_next(struct visit *v)
{
    if (find_broken(v, INVARIANT_NEXT, "schedules are active, but have no next time and no open run",
                    "schedules"))
        visit_advise(
            v, "pause and resume each: its next time is computed anew then (carillon pause ID, carillon "
               "resume ID); and report it, since nothing that the service does leaves a schedule so");
}

void examine_orphans(struct visit *v)
{
    if (find_broken(v, INVARIANT_ORPHANS, "open runs have no schedule", "runs"))
        visit_advise(v,
                     "discard each (carillon discard RUN); one that is being attempted ends by itself; and "
                     "report it, unless somebody deleted rows by hand");
}

void examine_waiting(struct visit *v)
{
    if (find_broken(v, INVARIANT_WAITING, "runs wait for a predecessor that is not there", "runs"))
        visit_advise(
            v, "discard each (carillon discard RUN), and trigger its schedule if the occurrence must be "
               "made up for (carillon trigger ID); and report it, unless somebody deleted rows by hand");
}
