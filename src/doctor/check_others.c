/*
 * check_others.c: who else there is: instances, the history database, Redis.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "doctor/visit.h"
#include "engine/wakeup_redis.h"

/* Events that wait for the history: more is a history that does not keep up. */
enum { OUTBOX_MANY = 10000 };

static bool has_role(const char *roles, const char *role)
{
    struct str rest = str_of(roles);
    struct str one;

    while (str_cut(&rest, ',', &one)) {
        if (str_eq(one, str_of(role)))
            return true;
    }
    return false;
}

static void judge_instances(struct visit *v, const struct instance_list *l)
{
    const char *other = NULL;
    size_t monitors = 0;

    v->workers = 0;
    for (size_t i = 0; i < l->n; i++) {
        v->workers += has_role(l->items[i].roles, "worker");
        monitors += l->items[i].is_monitor;
        if (strcmp(l->items[i].version, l->items[0].version) != 0)
            other = l->items[i].version;
    }
    if (l->n == 0) {
        visit_saw(v, VERDICT_WARNING, "no instance is running");
        visit_advise(v, "start one (carillon serve): nothing fires until then");
        return;
    }
    visit_saw(v, VERDICT_OK, "%zu instances run, %lld of them with the role worker", l->n,
              (long long)v->workers);
    if (v->workers == 0) {
        visit_saw(v, VERDICT_FAILURE, "nothing fires");
        visit_advise(v, "give an instance the role worker (roles)");
    }
    if (monitors == 0) {
        visit_saw(v, VERDICT_WARNING, "none is the monitor");
        visit_advise(
            v, "give an instance the role monitor: without one nothing is trimmed; in the seconds after "
               "the monitor ended this is as it should be");
    }
    if (other) {
        visit_saw(v, VERDICT_WARNING, "versions %s and %s run beside each other", l->items[0].version, other);
        visit_advise(v, "finish the update: restart the older ones");
    }
}

static void judge_alone(struct visit *v, const char *text)
{
    v->workers = settings_list_has(&visit_settings(v)->roles, "worker");
    visit_saw(v, VERDICT_OK, "%s", text);
    if (v->workers > 0)
        return;
    visit_saw(v, VERDICT_FAILURE, "it has not the role worker: nothing fires");
    visit_advise(v, "add worker to roles");
}

void examine_instances(struct visit *v)
{
    struct looked l = {.look = LOOK_INSTANCES};
    struct error err = {0};
    enum err e = visit_ask(v, &l, &err);

    if (!e) {
        judge_instances(v, &l.instances);
        looked_done(&l);
        return;
    }
    if (e != ERR_UNSUPPORTED) {
        visit_saw(v, VERDICT_FAILURE, "the database cannot be asked: %s", err.text);
        return;
    }
    if (v->o->running)
        judge_alone(v, "this one alone, as it is with an embedded database");
    else if (is_held(visit_settings(v)->database.url))
        judge_alone(v, "a service has the database open");
    else
        judge_instances(v, &(struct instance_list){.n = 0});
}

/* --- the history --- */

static void judge_history(struct visit *v, const struct inspected *r)
{
    if (r->version == r->known) {
        visit_saw(v, VERDICT_OK, "%s: version %lld", r->about, (long long)r->version);
    } else if (r->version > r->known) {
        visit_saw(v, VERDICT_FAILURE,
                  "%s: version %lld, and this build knows up to %lld: a newer one made it", r->about,
                  (long long)r->version, (long long)r->known);
        visit_advise(v, "run the newer build; this one cannot write to this history");
    } else {
        visit_saw(v, VERDICT_WARNING,
                  r->version == 0 ? "%s: there are no tables yet" : "%s: an older version", r->about);
        visit_advise(v, "carillon serve brings it up to date when it starts");
    }
}

static void look_at_history(struct visit *v, struct lane *lane)
{
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_SCHEMA};
    struct error err = {0};

    if (!lane_look(lane, &l, mono_add(clock_mono(), PATIENCE_US), &err)) {
        judge_history(v, &l.inspected);
        return;
    }
    visit_saw(v, VERDICT_WARNING, "the history database cannot be asked: %s", err.text);
    visit_advise(v, "events wait in the main database until it can; see history.url");
}

static void open_history(struct visit *v)
{
    const struct settings *s = visit_settings(v);
    struct ground g = {.lane = NULL};
    struct error err = {0};
    enum err e = ground_open(&g, s->history.url, s->history.schema, s, true, &err);

    if (!e) {
        look_at_history(v, g.lane);
    } else if (e == ERR_NOT_FOUND) {
        visit_saw(v, VERDICT_OK, "%s: there is none yet", err.where);
    } else if (e == ERR_PRECONDITION) {
        visit_saw(v, VERDICT_WARNING, "%s %s", err.where, err.text);
        visit_advise(v, "carillon serve recovers it when it starts");
    } else {
        visit_saw(v, VERDICT_WARNING, "the history database cannot be opened: %s", err.text);
        visit_advise(v,
                     "correct history.url, or start its server: events wait in the main database meanwhile");
    }
    ground_close(&g);
}

static void look_at_outbox(struct visit *v)
{
    struct looked l = {.look = LOOK_OUTBOX};
    struct error err;

    if (!v->ground.lane || v->hung || v->misfit || visit_ask(v, &l, &err) || l.waiting <= OUTBOX_MANY)
        return;
    visit_saw(v, VERDICT_WARNING, "%lld events wait to be moved to it", (long long)l.waiting);
    visit_advise(v,
                 "see in the log why they are not moved; they take room in the main database until they are");
}

void examine_history(struct visit *v)
{
    if (v->o->running && v->o->history)
        look_at_history(v, v->o->history);
    else
        open_history(v);
    look_at_outbox(v);
}

/* --- Redis --- */

void examine_redis(struct visit *v)
{
    const struct settings *s = visit_settings(v);
    bool used = strcmp(s->wakeup.mode, "redis") == 0;
    char version[WAKEUP_VERSION_BYTES] = "";
    struct error err = {0};

    if (s->redis.url[0] == '\0') {
        visit_saw(v, VERDICT_SKIPPED, "no redis.url is set, and nothing needs one");
        return;
    }
    if (!wakeup_probe(s->redis.url, PATIENCE_US, version, &err)) {
        visit_saw(v, VERDICT_OK, "it answers%s%s%s", version[0] != '\0' ? ", version " : "", version,
                  used ? "" : "; wakeup.mode does not use it");
        return;
    }
    visit_saw(v, used ? VERDICT_FAILURE : VERDICT_WARNING, "%s%s", err.text,
              used ? "" : "; wakeup.mode does not use it");
    visit_advise(v, "start the server, or correct redis.url (host, port, user, password); until it answers, "
                    "instances find what is new by looking at the database every few seconds");
}
