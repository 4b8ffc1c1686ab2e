/*
 * ground.c: see ground.h.
 */
#include "ground.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/sqlite/sqlite.h"

void ground_process_setup(void)
{
    struct error err = {0};

    json_setup();
    if (sqlite_setup(&err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

void ok(enum err e, const struct error *err)
{
    if (e)
        fail_msg("%s: %s: %s", err_name(e), err->where, err->text);
}

void ground_folder_remove(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *entry;

    if (!d)
        return;
    while ((entry = readdir(d))) {
        char path[sizeof(entry->d_name) + 128];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path); /* . and .. refuse */
    }
    (void)closedir(d);
    (void)rmdir(folder);
}

int ground_setup(void **state)
{
    struct ground *g = alloc_new(struct ground);
    struct error err = {0};

    g->kind = *state;
    g->now = GROUND_NOW;
    g->instance = (struct uuid){{1}};
    g->cache = claim_cache_new(100);
    /* In memory where there is such a place: these tests are not about the disk, and sync it a thousand
     * times. */
    (void)snprintf(g->folder, sizeof(g->folder), "%s/carillon-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(g->folder));
    ok(zones_new("/usr/share/zoneinfo", &g->zones, &err), &err);
    g->rules = (struct schedule_rules){
        .zones = g->zones,
        .default_timezone = STR("Asia/Seoul"),
        .task_enabled = {true, true, true},
        .trusted = true,
    };
    ok(g->kind->open(g, &err), &err);
    *state = g;
    return 0;
}

int ground_teardown(void **state)
{
    struct ground *g = *state;

    if (g->in_transaction)
        store_rollback(g->s); /* the test failed in the middle */
    g->kind->close(g);
    claim_cache_free(g->cache);
    zones_free(g->zones);
    ground_folder_remove(g->folder);
    alloc_free(g);
    return 0;
}

void begin(struct ground *g)
{
    struct error err = {0};

    ok(store_begin(g->s, true, &err), &err);
    g->in_transaction = true;
}

void commit(struct ground *g)
{
    struct error err = {0};

    ok(store_commit(g->s, &err), &err);
    g->in_transaction = false;
}

void sleep_us(struct ground *g, int64_t us)
{
    g->now = wall_add(g->now, us);
}

struct schedule *define_json(struct ground *g, const char *json)
{
    struct error_list faults = {0};
    struct schedule *s = NULL;
    struct error err = {0};
    json_t *v = NULL;

    if (json_parse(str_of(json), JSON_DEPTH_MAX, &v, &err))
        fail_msg("%s: %s in %s", err.where, err.text, json);
    if (schedule_decode(v, &g->rules, NULL, &s, &faults))
        fail_msg("%s: %s in %s", faults.items[0].where, faults.items[0].text, json);
    json_free(v);
    return s;
}

struct schedule *define(struct ground *g, const char *key, const char *members)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 10000);
    buf_addf(&b,
             "{\"name\":\"%s\",\"client\":{\"key\":\"%s\",\"application\":\"app\",\"group\":\"grp\"},"
             "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}},%s}",
             key, key, members);
    return define_json(g, buf_cstr(&b));
}

struct put put_one(struct ground *g, struct put in, const struct schedule *s)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    struct error err = {0};

    buf_init(&text, 32 << 20);
    ok(schedule_encode(s, &text, &err), &err);
    in.schedule = s;
    in.definition = buf_str(&text);
    timer_start(s, g->now, &in.timer);
    if (!in.by_id)
        in.id = uuid_v7(g->now);
    begin(g);
    ok(store_put(g->s, &in, 1, g->now, &err), &err);
    commit(g);
    in.definition = (struct str){NULL, 0};
    return in;
}

struct uuid registered(struct ground *g, const struct schedule *s)
{
    struct put p = put_one(g, (struct put){0}, s);

    assert_int_equal(p.result, ERR_NONE);
    return p.ret_id;
}

struct uuid registered_as(struct ground *g, const char *key, const char *members)
{
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, key, members);

    return registered(g, s);
}

enum err get_error(struct ground *g, struct uuid id)
{
    struct record r = {0};
    enum err e;

    begin(g);
    e = store_get(g->s, id, &r, NULL);
    commit(g);
    record_done(&r);
    return e;
}

struct record record_of(struct ground *g, struct uuid id)
{
    struct record r = {0};
    struct error err = {0};

    begin(g);
    ok(store_get(g->s, id, &r, &err), &err);
    commit(g);
    return r;
}

struct run_record run_of(struct ground *g, struct uuid id)
{
    struct run_record r;
    struct error err = {0};

    begin(g);
    ok(store_get_run(g->s, id, &r, &err), &err);
    commit(g);
    return r;
}

struct run_record_list runs_of(struct ground *g, struct uuid schedule)
{
    struct run_filter f = {.schedule_id = schedule, .state = -1, .limit = 100};
    struct run_record_list l = {0};
    struct error err = {0};

    begin(g);
    ok(store_list_runs(g->s, &f, &l, &err), &err);
    commit(g);
    return l;
}

struct store_stats stats_of(struct ground *g)
{
    struct store_stats stats;
    struct error err = {0};

    begin(g);
    ok(store_stats(g->s, &stats, &err), &err);
    commit(g);
    return stats;
}

struct claim_result claim_limit(struct ground *g, size_t limit)
{
    struct claim_request req = {
        .instance = g->instance,
        .horizon_us = SECOND,
        .lease_us = 30 * SECOND,
        .limit = limit,
        .timer_rules = {.misfire_grace_us = 5 * SECOND},
        .schedule_rules = &g->rules,
    };
    struct claim_result r = {0};
    struct error err = {0};

    begin(g);
    ok(store_claim(g->s, g->cache, &req, g->now, &r, &err), &err);
    commit(g);
    return r;
}

struct claim_result claim_n(struct ground *g, size_t n_expected)
{
    struct claim_result r = claim_limit(g, 1000);

    assert_int_equal(r.n, n_expected);
    return r;
}

struct outcome outcome_of(struct ground *g, const struct claimed *c, enum run_state to)
{
    bool failed = to == RUN_FAILED || to == RUN_DEAD || to == RUN_RETRYING;
    bool attempted = failed || to == RUN_SUCCEEDED;
    struct outcome o = {
        .run_id = c->run.id,
        .schedule_id = c->run.schedule_id,
        .schedule_version = c->run.schedule_version,
        .token = c->run.lease_token,
        .to = to,
        .due_at = WALL_NEVER,
        .ended_at = g->now,
        .failures = c->run.failures + failed,
        .attempted = attempted,
        .result = {.ok = to == RUN_SUCCEEDED, .retry_after_us = -1},
        .schedule = c->schedule,
    };

    if (attempted) {
        o.result.status = failed ? 500 : 200;
        o.result.took_us = 2000;
    }
    if (failed)
        (void)snprintf(o.result.error, sizeof(o.result.error), "status 500");
    if (to == RUN_RETRYING)
        o.due_at = wall_add(g->now, 60 * SECOND);
    if (to == RUN_PENDING)
        o.due_at = c->run.due_at;
    return o;
}

struct outcome recorded(struct ground *g, struct outcome o)
{
    struct error err = {0};

    begin(g);
    ok(store_complete(g->s, &o, 1, g->now, &err), &err);
    commit(g);
    return o;
}

struct outcome ended(struct ground *g, const struct claimed *c, enum run_state to)
{
    return recorded(g, outcome_of(g, c, to));
}

enum err insert_run(struct ground *g, struct run *run, struct error *err)
{
    struct run_insert in = {.run = *run};
    enum err e = store_insert_run(g->s, &in, err);

    *run = in.run;
    return e;
}
