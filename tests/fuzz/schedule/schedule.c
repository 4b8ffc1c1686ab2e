/*
 * schedule.c: fuzz target: a definition's JSON. What is accepted must encode to itself, hide its secrets, and
 * have a timer that can be planned; what is refused must say where.
 */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "model/event.h"
#include "model/schedule.h"
#include "model/timer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct zones *zones_once(void)
{
    static struct zones *zones; /* read once a process: files are slow, and zones are immutable */

    if (!zones) {
        json_setup();
        MUST(zones_new("/usr/share/zoneinfo", &zones, NULL) == ERR_NONE);
    }
    return zones;
}

static json_t *reread(const struct schedule *s)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    json_t *v = NULL;

    buf_init(&b, 1 << 24);
    MUST(schedule_encode(s, &b, NULL) == ERR_NONE);
    MUST(json_parse(buf_str(&b), JSON_DEPTH_LIMIT, &v, NULL) == ERR_NONE);
    return v;
}

/* The store's own text must always be read again, to the same. */
static void check_round_trip(const struct schedule *s, const struct schedule_rules *rules)
{
    CLEANUP(json_free_p) json_t *v = reread(s);
    CLEANUP(schedule_unref_p) struct schedule *again = NULL;
    struct schedule_rules trusting = *rules;
    struct error_list faults = {0};

    trusting.trusted = true;
    MUST(schedule_decode(v, &trusting, NULL, &again, &faults) == ERR_NONE);
    MUST(json_equal(again->json, s->json));
    MUST(memcmp(&again->hash, &s->hash, sizeof(s->hash)) == 0);
}

/* What people read, written back by them, keeps everything. */
static void check_public(struct schedule *s, const struct schedule_rules *rules)
{
    CLEANUP(json_free_p) json_t *shown = NULL;
    CLEANUP(schedule_unref_p) struct schedule *again = NULL;
    struct error_list faults = {0};

    MUST(schedule_public_json(s, rules, &shown, NULL) == ERR_NONE);
    MUST(schedule_decode(shown, rules, s, &again, &faults) == ERR_NONE);
    MUST(json_equal(again->json, s->json));
}

static void check_timer(const struct schedule *s)
{
    const struct timer_rules rules = {.misfire_grace_us = 2 * US_PER_S, .lead_us = US_PER_S / 2};
    struct wall now = {INT64_C(1900000000) * US_PER_S};
    struct wall later = wall_add(now, INT64_C(400) * 86400 * US_PER_S);
    struct timer t;
    struct plan p;

    timer_start(s, now, &t);
    MUST(timer_plan(s, &t, 0, 0, later, wall_add(later, US_PER_S), &rules, &p, NULL) == ERR_NONE);
    MUST(p.runs_n <= TIMER_ALL_MAX);
    MUST(p.after.state != SCHEDULE_ACTIVE || p.runs_n > 0 || !wall_is_never(p.after.next_at));
    plan_done(&p);
}

static void check_body(const struct schedule *s)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct run run = {.scheduled_at = {INT64_C(1900000000) * US_PER_S}, .attempt = 1};

    buf_init(&b, 1 << 24);
    MUST(event_body(s, &run, &b, NULL) == ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct schedule_rules rules = {
        .zones = zones_once(), .default_timezone = STR("Asia/Seoul"), .task_enabled = {true, true, true}};
    CLEANUP(json_free_p) json_t *v = NULL;
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct error_list faults = {0};

    if (json_parse((struct str){(const char *)data, n}, JSON_DEPTH_MAX, &v, NULL))
        return 0;
    (void)schedule_json_keeps_secrets(v);
    if (schedule_decode(v, &rules, NULL, &s, &faults)) {
        MUST(faults.n > 0 && faults.items[0].text[0] != '\0');
        return 0;
    }
    check_round_trip(s, &rules);
    check_public(s, &rules);
    check_timer(s);
    check_body(s);
    return 0;
}
