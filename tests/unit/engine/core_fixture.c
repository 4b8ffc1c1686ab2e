/*
 * core_fixture.c: see core_fixture.h.
 */
#include "core_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define START_WALL_US (INT64_C(1700000000) * US_PER_S)

void fixture_init(struct fixture *f, struct core_options options)
{
    *f = (struct fixture){.now = {.wall = {START_WALL_US}, .mono = {1000 * US_PER_S}}};
    assert_int_equal(zones_new("/usr/share/zoneinfo", &f->zones, NULL), ERR_NONE);
    assert_int_equal(core_new(&options, &f->core, NULL), ERR_NONE);
}

void fixture_done(struct fixture *f)
{
    core_free(f->core);
    zones_free(f->zones);
}

void pass(struct fixture *f, int64_t us)
{
    f->now.wall = wall_add(f->now.wall, us);
    f->now.mono = mono_add(f->now.mono, us);
}

void tick(struct fixture *f, int64_t us)
{
    pass(f, us);
    core_tick(f->core, f->now);
}

void step_wall(struct fixture *f, int64_t us)
{
    f->now.wall = wall_add(f->now.wall, us);
}

struct wall in(const struct fixture *f, int64_t us)
{
    return wall_add(f->now.wall, us);
}

struct uuid id_of(unsigned n)
{
    return (struct uuid){{[0] = 1, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};
}

static struct schedule *make_of_type(struct fixture *f, const char *type, const char *host,
                                     const char *members, const char *task)
{
    struct schedule_rules rules = {
        .zones = f->zones, .default_timezone = STR("UTC"), .task_enabled = {true, true, true}};
    struct error_list faults = {0};
    struct schedule *s = NULL;
    CLEANUP(json_free_p) json_t *json = NULL;
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{\"name\": \"n\", \"client\": {\"key\": \"k\"}, %s%s%s,"
                   "\"task\": {\"type\": \"rest\", \"connection\": {\"host\": \"http://%s/\"}%s%s}}",
                   type, *members ? ", " : "", members, host, *task ? ", " : "", task);
    assert_int_equal(json_parse((struct str){text, strlen(text)}, JSON_DEPTH_MAX, &json, NULL), ERR_NONE);
    if (schedule_decode(json, &rules, NULL, &s, &faults))
        fail_msg("%s: %s", faults.items[0].where, faults.items[0].text);
    return s;
}

static struct schedule *make_schedule_at(struct fixture *f, const char *host, const char *members,
                                         const char *task)
{
    return make_of_type(f, "\"type\": \"now\", \"schedule\": \"\"", host, members, task);
}

struct schedule *make_replacing(struct fixture *f)
{
    return make_of_type(f, "\"type\": \"cron\", \"schedule\": \"* * * * * *\", \"overlap\": \"replace\"",
                        "localhost", "", "");
}

struct schedule *make_schedule(struct fixture *f, const char *members, const char *task)
{
    return make_schedule_at(f, "localhost", members, task);
}

static struct core_claimed make_item(struct fixture *f, unsigned n, unsigned schedule_n, int64_t due_us,
                                     struct schedule *s)
{
    return (struct core_claimed){
        .run = {.id = id_of(n),
                .schedule_id = id_of(schedule_n),
                .schedule_version = 1,
                .scheduled_at = in(f, due_us),
                .due_at = in(f, due_us),
                .state = RUN_RUNNING,
                .attempt = 1,
                .lease_token = n,
                .lease_until = in(f, 30 * US_PER_S)},
        .schedule = s,
    };
}

struct core_claimed item(struct fixture *f, unsigned n, unsigned schedule_n, int64_t due_us)
{
    return make_item(f, n, schedule_n, due_us, make_schedule(f, "", ""));
}

struct core_claimed item_with(struct fixture *f, unsigned n, int64_t due_us, const char *members,
                              const char *task)
{
    return make_item(f, n, n, due_us, make_schedule(f, members, task));
}

struct core_claimed item_at(struct fixture *f, unsigned n, int64_t due_us, const char *host,
                            const char *members, const char *task)
{
    return make_item(f, n, n, due_us, make_schedule_at(f, host, members, task));
}

struct core_action expect(struct fixture *f, enum core_action_kind kind)
{
    struct core_action a;

    assert_true(core_next_action(f->core, &a));
    assert_int_equal(a.kind, kind);
    return a;
}

void expect_nothing(struct fixture *f)
{
    struct core_action a;

    if (core_next_action(f->core, &a))
        fail_msg("unexpected action of kind %d", a.kind);
}

void claimed(struct fixture *f, struct core_claimed *items, size_t n, struct wall next_due)
{
    core_on_claimed(f->core, f->now,
                    &(struct core_claim_answer){.items = items, .n = n, .next_due = next_due});
}

void first_claim(struct fixture *f, struct core_claimed *items, size_t n, struct wall next_due)
{
    tick(f, 0);
    expect(f, CORE_CLAIM);
    claimed(f, items, n, next_due);
}

struct held *start_run(struct fixture *f, unsigned n)
{
    struct core_claimed one = item(f, n, n, 0);

    core_on_due(f->core, f->now, f->now.wall);
    expect(f, CORE_CLAIM);
    claimed(f, &one, 1, WALL_NEVER);
    return expect(f, CORE_START).held;
}

struct attempt_result ok_result(void)
{
    return (struct attempt_result){.ok = true, .status = 200, .retry_after_us = -1};
}

struct attempt_result status_result(int status)
{
    return (struct attempt_result){.status = status, .retry_after_us = -1, .error = "refused"};
}

struct attempt_result no_answer(void)
{
    return (struct attempt_result){.retry_after_us = -1, .error = "no answer"};
}

void recorded(struct fixture *f, size_t n)
{
    bool stale[64] = {false};

    assert_true(n <= COUNT_OF(stale));
    core_on_recorded(f->core, f->now, stale, n);
}

struct core_stats stats_of(const struct fixture *f)
{
    struct core_stats s;

    core_get_stats(f->core, &s);
    return s;
}
