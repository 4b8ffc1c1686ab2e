/*
 * check_kafka.c: the brokers that registered schedules name: a few different ones, each asked as an attempt
 * would connect to it, under the same guard.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "calendar/zones.h"
#include "deliver/kafka_probe.h"
#include "doctor/visit.h"
#include "model/schedule.h"

/* Different brokers or settings that are asked; definitions read at once. A definition may be a megabyte. */
enum { TARGETS_MAX = 4, PAGE = 100 };
#define BROKER_US (3 * US_PER_S)

struct targets {
    struct schedule_rules rules;
    struct schedule *items[TARGETS_MAX];
    size_t n;
    bool more;        /* there are others */
    size_t looked_at; /* schedules */
};

static bool same_target(const struct task *a, const struct task *b)
{
    if (!str_eq(a->host, b->host) || (a->config == NULL) != (b->config == NULL))
        return false;
    return a->config == NULL || json_equal(a->config, b->config) == 1;
}

static void add_target(struct targets *t, struct schedule *s)
{
    for (size_t i = 0; i < t->n; i++) {
        if (same_target(&t->items[i]->task, &s->task)) {
            schedule_unref(s);
            return;
        }
    }
    if (t->n == TARGETS_MAX) {
        t->more = true;
        schedule_unref(s);
        return;
    }
    t->items[t->n++] = s;
}

/* One that cannot be read is another check's, or a claim's, who pauses it. */
static void look_at(struct targets *t, const struct record *r)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error_list faults = {0};
    struct schedule *s = NULL;

    t->looked_at++;
    if (r->timer.state == SCHEDULE_FINISHED || !memmem(r->definition, r->definition_n, "\"kafka\"", 7))
        return;
    if (json_parse((struct str){r->definition, r->definition_n}, JSON_DEPTH_LIMIT, &json, NULL))
        return;
    if (schedule_decode(json, &t->rules, NULL, &s, &faults))
        return;
    if (s->task.type == TASK_KAFKA)
        add_target(t, s);
    else
        schedule_unref(s);
}

/* True: all schedules were looked at. */
static bool gather(struct visit *v, struct targets *t)
{
    struct mono until = mono_add(clock_mono(), PATIENCE_US);
    struct looked l = {.look = LOOK_SCHEDULES, .limit = PAGE};
    bool whole = false;

    while (!whole && !t->more && clock_mono().us < until.us && visit_asked(v, &l)) {
        for (size_t i = 0; i < l.schedules.n; i++)
            look_at(t, &l.schedules.items[i]);
        whole = l.schedules.n < PAGE;
        if (!whole)
            l.after = l.schedules.items[l.schedules.n - 1].id;
    }
    looked_done(&l);
    return whole;
}

static void probe(struct visit *v, const struct task *task)
{
    const struct settings *s = visit_settings(v);
    const char *ca = s->delivery.ca_file[0] != '\0' ? s->delivery.ca_file : NULL;
    struct error err = {0};
    size_t brokers = 0;
    enum err e = kafka_probe(task, v->o->guard, ca, BROKER_US, &brokers, &err);
    int shown = (int)(task->host.n < 100 ? task->host.n : 100);

    if (!e) {
        visit_saw(v, VERDICT_OK, "%.*s: %zu brokers", shown, task->host.p, brokers);
        return;
    }
    visit_saw(v, VERDICT_WARNING, "%.*s: %s", shown, task->host.p, err.text);
    if (e == ERR_REFUSED)
        visit_advise(v, "allow these brokers by delivery.allow, or delete the schedules that name them");
    else
        visit_advise(
            v, "start the brokers, or correct task.connection of the schedules that name them; their runs "
               "are retried meanwhile as their policies say");
}

static bool is_stopping(const struct visit *v)
{
    return v->o->stop && atomic_load(v->o->stop);
}

void examine_kafka(struct visit *v)
{
    CLEANUP(zones_free_p) struct zones *zones = NULL;
    struct targets t = {.n = 0};
    bool whole;

    if (zones_new(v->o->zoneinfo, &zones, NULL)) {
        visit_saw(v, VERDICT_SKIPPED, "schedules cannot be read without time zones");
        return;
    }
    t.rules = (struct schedule_rules){.zones = zones,
                                      .default_timezone = str_of(visit_settings(v)->scheduler.timezone),
                                      .tls_insecure_allowed = true,
                                      .trusted = true};
    for (size_t i = 0; i < COUNT_OF(t.rules.task_enabled); i++)
        t.rules.task_enabled[i] = true;
    whole = gather(v, &t);
    for (size_t i = 0; i < t.n; i++) {
        if (!is_stopping(v))
            probe(v, &t.items[i]->task);
        schedule_unref(t.items[i]);
    }
    if (t.n == 0 && v->finding->verdict == VERDICT_SKIPPED)
        visit_saw(v, VERDICT_SKIPPED, "no schedule has a kafka task");
    if (t.more)
        visit_saw(v, VERDICT_SKIPPED, "other brokers were not asked");
    if (!whole && !v->hung)
        visit_saw(v, VERDICT_SKIPPED, "the first %zu schedules were looked at", t.looked_at);
}
