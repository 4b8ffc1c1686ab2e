/*
 * loop_fixture.c: see loop_fixture.h.
 */
#include "loop_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "calendar/zones.h"
#include "store/op.h"

int libraries_setup(void **state)
{
    (void)state;
    json_setup();
    return deliver_setup(NULL) == ERR_NONE && sqlite_setup(NULL) == ERR_NONE ? 0 : -1;
}

int libraries_teardown(void **state)
{
    (void)state;
    deliver_teardown();
    return 0;
}

struct loop_fixture *fixture_new(void)
{
    struct loop_fixture *f = alloc_new(struct loop_fixture);

    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/carillon-test-engine-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(zones_new("/usr/share/zoneinfo", &f->zones, NULL), ERR_NONE);
    f->rules = (struct schedule_rules){
        .zones = f->zones,
        .default_timezone = STR("Asia/Seoul"),
        .task_enabled = {[TASK_REST] = true},
    };
    f->stored_rules = f->rules;
    f->stored_rules.trusted = true;
    f->server = http_server_new(NULL);
    f->options = (struct engine_options){
        .instance = uuid_v7(clock_wall()),
        .timer_rules = {.misfire_grace_us = 2 * US_PER_S},
        .schedule_rules = &f->stored_rules,
        .deliver = {.user_agent = "carillon/test", .connections_max = 200, .per_host_max = 64},
    };
    return f;
}

static enum err open_store(void *arg, struct store **ret, struct error *err)
{
    struct loop_fixture *f = arg;
    enum err e = sqlite_connect(f->file, true, ret, err);

    if (e || !f->patch)
        return e;
    f->store_ops = *(*ret)->ops;
    f->patch(&f->store_ops);
    (*ret)->ops = &f->store_ops;
    return ERR_NONE;
}

static struct wall store_clock(void *arg)
{
    return wall_add(clock_wall(), ((const struct loop_fixture *)arg)->store_ahead_us);
}

static void on_notice(void *arg, const struct notice *n)
{
    engine_notice(((struct loop_fixture *)arg)->engine, n);
}

void fixture_up(struct loop_fixture *f)
{
    char path[96];
    struct sqlite_options file = {.path = path, .clock = store_clock, .clock_arg = f};
    struct lane_options lane = {
        .name = "writer",
        .open = open_store,
        .open_arg = f,
        .notice = on_notice,
        .notice_arg = f,
        .queue_limit = 1000,
        .group_limit = 500,
    };
    struct error err = {0};

    (void)snprintf(path, sizeof(path), "%s/carillon.db", f->dir);
    if (sqlite_file_open(&file, &f->file, &err) != ERR_NONE)
        fail_msg("%s: %s", err.where, err.text);
    assert_int_equal(engine_new(&f->options, &f->engine, &err), ERR_NONE);
    assert_int_equal(lane_new(&lane, &f->writer, &err), ERR_NONE);
    assert_int_equal(engine_start(f->engine, f->writer, &err), ERR_NONE);
}

void fixture_down(struct loop_fixture *f, int64_t grace_us)
{
    if (f->engine)
        engine_stop(f->engine, grace_us);
    lane_free(TAKE(f->writer));
    engine_free(TAKE(f->engine));
    sqlite_file_free(TAKE(f->file));
}

static void remove_dir(const char *dir)
{
    static const char *const names[] = {"carillon.db", "carillon.db-wal", "carillon.db-shm",
                                        "carillon.db.lock", "carillon.db-lock"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    if (rmdir(dir) != 0)
        print_message("%s is left behind\n", dir);
}

void fixture_free(struct loop_fixture *f)
{
    fixture_down(f, 0);
    http_server_free(f->server);
    zones_free(f->zones);
    remove_dir(f->dir);
    alloc_free(f);
}

int fixture_setup(void **state)
{
    struct loop_fixture *f = fixture_new();

    fixture_up(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

const char *instant(struct wall at, char ret[48])
{
    iso_format(at, ret);
    return ret;
}

static struct schedule *decode(struct loop_fixture *f, const char *key, const char *members,
                               const char *task_members)
{
    CLEANUP(buf_done_p) struct buf text;
    struct error_list faults = {0};
    struct schedule *s = NULL;
    json_t *json;

    buf_init(&text, 1 << 20);
    buf_addf(&text,
             "{\"name\":\"t\",\"client\":{\"key\":\"%s\"},%s,\"task\":{\"type\":\"rest\","
             "\"connection\":{\"host\":\"%s\"},\"data\":{\"key\":\"%s\"}%s%s}}",
             key, members, http_server_url(f->server, "/fire"), key, task_members[0] != '\0' ? "," : "",
             task_members);
    assert_int_equal(json_parse(buf_str(&text), JSON_DEPTH_MAX, &json, NULL), ERR_NONE);
    if (schedule_decode(json, &f->rules, NULL, &s, &faults) != ERR_NONE)
        fail_msg("%s: %s", faults.items[0].where, faults.items[0].text);
    json_decref(json);
    return s;
}

static struct uuid submit_put(struct loop_fixture *f, struct op_put *o)
{
    struct uuid id;

    assert_int_equal(lane_call(f->writer, &o->op, NULL), ERR_NONE);
    for (size_t i = 0; i < o->n; i++)
        assert_int_equal(o->items[i].result, ERR_NONE);
    id = o->items[0].ret_id;
    op_put_free(o);
    return id;
}

struct uuid fixture_register(struct loop_fixture *f, const char *key, const char *members,
                             const char *task_members)
{
    struct op_put *o;

    assert_int_equal(op_put_new(1, NULL, &o, NULL), ERR_NONE);
    o->items[0].schedule = decode(f, key, members, task_members);
    return submit_put(f, o);
}

void fixture_register_many(struct loop_fixture *f, size_t n, const char *members)
{
    struct op_put *o;

    assert_int_equal(op_put_new(n, NULL, &o, NULL), ERR_NONE);
    for (size_t i = 0; i < n; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "%zu", i);
        o->items[i].schedule = decode(f, key, members, "");
    }
    (void)submit_put(f, o);
}

void fixture_remove(struct loop_fixture *f, struct uuid id)
{
    struct op_remove *o = op_remove_new(NULL);

    o->by_id = true;
    o->id = id;
    assert_int_equal(lane_call(f->writer, &o->op, NULL), ERR_NONE);
    op_remove_free(o);
}

void fixture_runs(struct loop_fixture *f, struct store_stats *ret)
{
    struct op_stats *o = op_stats_new(NULL);

    assert_int_equal(lane_call(f->writer, &o->op, NULL), ERR_NONE);
    *ret = o->ret;
    op_stats_free(o);
}

struct run_record fixture_last_run(struct loop_fixture *f, struct uuid schedule_id)
{
    struct op_list_runs *o = op_list_runs_new(NULL);
    struct run_record r;

    o->filter = (struct run_filter){.schedule_id = schedule_id, .state = -1, .limit = 1};
    assert_int_equal(lane_call(f->writer, &o->op, NULL), ERR_NONE);
    assert_int_equal(o->ret.n, 1);
    r = o->ret.items[0];
    op_list_runs_free(o);
    return r;
}

void wait_stats(struct loop_fixture *f, stats_fn fn, uint64_t n)
{
    struct mono end = mono_add(clock_mono(), LONG_US);
    struct engine_stats s;

    engine_get_stats(f->engine, &s);
    while (!fn(&s, n)) {
        assert_true(clock_mono().us < end.us);
        (void)poll(NULL, 0, 2);
        engine_get_stats(f->engine, &s);
    }
}

bool stats_held(const struct engine_stats *s, uint64_t n)
{
    return s->core.waiting >= n;
}

bool stats_flying(const struct engine_stats *s, uint64_t n)
{
    return s->core.in_flight >= n;
}

bool stats_ended(const struct engine_stats *s, uint64_t n)
{
    return s->core.ended_ok + s->core.ended_failed >= n && s->core.recording == 0 && s->core.in_flight == 0;
}
