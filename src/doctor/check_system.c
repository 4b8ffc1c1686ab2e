/*
 * check_system.c: what can be told without a database: settings, limits, and the time zones of this machine
 * beside those that the database's times were computed with.
 */
#include <string.h>
#include <sys/resource.h>

#include "calendar/zones.h"
#include "doctor/visit.h"

void examine_configuration(struct visit *v)
{
    const struct settings *s = visit_settings(v);
    const struct error_list *faults = v->o->faults;

    if (!s) {
        for (size_t i = 0; faults && i < faults->n; i++)
            visit_saw(v, VERDICT_FAILURE, "%s: %s", faults->items[i].where, faults->items[i].text);
        visit_advise(v,
                     "correct the settings: carillon config reference lists them all, carillon config check "
                     "says whether they are right");
        return;
    }
    for (size_t i = 0; i < s->notes.n; i++)
        visit_saw(v, VERDICT_WARNING, "%s: %s", s->notes.items[i].where, s->notes.items[i].text);
    if (s->notes.n > 0)
        visit_advise(v,
                     "take out what has no effect, or correct its name: carillon config reference lists all "
                     "settings");
    else
        visit_saw(v, VERDICT_OK, "%s: no faults", s->source[0] != '\0' ? s->source : "built-in settings");
}

int64_t doctor_files_wanted(const struct settings *s)
{
    enum { OF_OUR_OWN = 64 }; /* databases, loops, logs */

    return s->server.max_connections + s->delivery.max_connections + OF_OUR_OWN;
}

/* main() has raised the soft limit as far as it may, as it does for the service. */
void examine_files(struct visit *v)
{
    int64_t wanted = doctor_files_wanted(visit_settings(v));
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        visit_saw(v, VERDICT_WARNING, "the limit of open files cannot be read");
        return;
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (rlim_t)wanted) {
        visit_saw(v, VERDICT_OK, "a process may open %llu files, and the service needs %lld at most",
                  (unsigned long long)limit.rlim_cur, (long long)wanted);
        return;
    }
    visit_saw(
        v, VERDICT_WARNING,
        "a process may open %llu files, but server.max_connections and delivery.max_connections together may "
        "need %lld",
        (unsigned long long)limit.rlim_cur, (long long)wanted);
    visit_advise(
        v, "raise the limit (LimitNOFILE= of a systemd unit, --ulimit nofile= of a container, ulimit -Hn "
           "of a shell), or lower these two settings; without files clients wait and attempts are put off");
}

/* The release that the database's times were computed with; false: it cannot be asked, or does not say. */
static bool stored_release(struct visit *v, char ret[ZONES_RELEASE_MAX])
{
    struct looked l = {.look = LOOK_ZONES};
    struct error err;

    if (!v->ground.lane || v->hung || v->misfit || visit_ask(v, &l, &err) || l.release[0] == '\0')
        return false;
    memcpy(ret, l.release, ZONES_RELEASE_MAX);
    return true;
}

static void compare_releases(struct visit *v, const char *here)
{
    char stored[ZONES_RELEASE_MAX] = "";
    bool known = stored_release(v, stored);

    if (v->o->running && strcmp(v->o->release, here) != 0) {
        visit_saw(v, VERDICT_WARNING, "this machine has release %s, this process computes with %s", here,
                  v->o->release);
        visit_advise(v, "restart this instance: what is still to come is computed anew then");
    } else if (known && strcmp(stored, here) != 0) {
        visit_saw(v, VERDICT_WARNING, "this machine has release %s, the stored times were computed with %s",
                  here, stored);
        visit_advise(v, "give all instances the same release, then restart them: what is still to come is "
                        "computed anew by the first that starts");
    } else {
        visit_saw(v, VERDICT_OK, "release %s in %s%s", here, v->o->zoneinfo,
                  known ? ", and the stored times were computed with it" : "");
    }
}

void examine_zones(struct visit *v)
{
    CLEANUP(zones_free_p) struct zones *zones = NULL;
    struct error err = {0};

    if (zones_new(v->o->zoneinfo, &zones, &err)) {
        visit_saw(v, VERDICT_FAILURE, "%s: %s", err.where, err.text);
        visit_advise(v, "install the time zone database (the package tzdata), or name its folder by "
                        "CARILLON_ZONEINFO");
    } else if (zones_version(zones)[0] == '\0') {
        visit_saw(v, VERDICT_WARNING, "the time zone database in %s does not say which release it is",
                  v->o->zoneinfo);
        visit_advise(v, "have tzdata.zi or +VERSION beside the zone files: without them nobody notices that "
                        "another release moved times that are stored already");
    } else {
        compare_releases(v, zones_version(zones));
    }
}
