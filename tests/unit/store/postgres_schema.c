/*
 * postgres_schema.c: the schema is made once whoever comes first, a newer one is not touched, days come and
 * go; instances know each other, and one of them is the monitor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "cluster.h"
#include "ground.h"
#include "store/ops_instance.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

#define DAY (86400 * SECOND)

/* --- the schema --- */

static struct postgres *opened(const char *schema)
{
    struct postgres_options o = {.url = cluster_url(cluster_shared()), .schema = schema};
    struct postgres *p = NULL;
    struct error err = {0};

    ok(postgres_open(&o, &p, &err), &err);
    return p;
}

static enum err open_error(const char *url, const char *schema, struct error *err)
{
    struct postgres_options o = {.url = url, .schema = schema};
    struct postgres *p = NULL;
    enum err e = postgres_open(&o, &p, err);

    postgres_free(p);
    return e;
}

static void *open_main(void *arg)
{
    struct postgres_options o = {.url = cluster_url(cluster_shared()), .schema = "race"};
    struct postgres *p = NULL;
    struct error *err = arg;

    if (postgres_open(&o, &p, err) == ERR_NONE)
        err->code = ERR_NONE;
    postgres_free(p);
    return NULL;
}

static void instances_that_start_at_once_make_the_schema_once(void **state)
{
    enum { STARTERS = 6 };
    pthread_t threads[STARTERS];
    struct error errors[STARTERS] = {{.code = ERR_NONE}};

    (void)state;
    (void)cluster_shared(); /* started by this thread, not by one of those */
    for (int i = 0; i < STARTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_main, &errors[i]), 0);
    for (int i = 0; i < STARTERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < STARTERS; i++)
        ok(errors[i].code, &errors[i]);
    assert_true(cluster_ask(cluster_shared(), "SELECT value FROM race.meta WHERE key = 'schema_version'") >
                1);
}

static void one_who_may_not_make_schemas_uses_the_one_that_is_there(void **state)
{
    struct cluster *c = cluster_shared();
    char url[200];
    struct error err = {0};

    (void)state;
    cluster_exec(c, "CREATE ROLE modest LOGIN");
    (void)snprintf(url, sizeof(url), "postgresql://modest@/postgres?host=%s", cluster_folder(c));
    assert_int_not_equal(open_error(url, "modest", &err), ERR_NONE);
    assert_non_null(strstr(err.text, "permission denied"));
    cluster_exec(c, "CREATE SCHEMA modest AUTHORIZATION modest");
    ok(open_error(url, "modest", &err), &err);
}

static void a_newer_builds_schema_is_left_alone(void **state)
{
    struct error err = {0};

    (void)state;
    postgres_free(opened("newer"));
    cluster_exec(cluster_shared(), "UPDATE newer.meta SET value = '99' WHERE key = 'schema_version'");
    assert_int_equal(open_error(cluster_url(cluster_shared()), "newer", &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "newer"));
    assert_int_equal(
        cluster_ask(cluster_shared(), "SELECT value FROM newer.meta WHERE key = 'schema_version'"), 99);
}

/* As the first version left it, with an instance of that version in it. */
static void an_older_builds_schema_is_migrated(void **state)
{
    struct error err = {0};
    struct cluster *c = cluster_shared();

    (void)state;
    postgres_free(opened("older"));
    cluster_exec(c, "ALTER TABLE older.instance DROP COLUMN until; DROP TABLE older.answer; "
                    "ALTER TABLE older.run DROP COLUMN by_hand_at; ALTER TABLE older.run DROP COLUMN label; "
                    "ALTER TABLE older.run DROP COLUMN replaced; ALTER TABLE older.run DROP COLUMN owed; "
                    "ALTER TABLE older.run_log DROP COLUMN by_hand_at; "
                    "INSERT INTO older.instance VALUES (gen_random_uuid(), 'n', 'api', '0', 1, 1, 0); "
                    "UPDATE older.meta SET value = '1' WHERE key = 'schema_version'");
    ok(open_error(cluster_url(c), "older", &err), &err);
    assert_true(cluster_ask(c, "SELECT value FROM older.meta WHERE key = 'schema_version'") > 1);
    assert_int_equal(cluster_ask(c, "SELECT until FROM older.instance"), 0);
}

static void anothers_schema_is_left_alone(void **state)
{
    struct error err = {0};

    (void)state;
    cluster_exec(cluster_shared(), "CREATE SCHEMA theirs; CREATE TABLE theirs.meta (key text, value text)");
    assert_int_equal(open_error(cluster_url(cluster_shared()), "theirs", &err), ERR_CONFLICT);
}

static void what_is_wrong_is_said_without_secrets(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(open_error("postgresql://u:se%zzcret@h/d", NULL, &err), ERR_INVALID);
    assert_null(strstr(err.text, "cret"));
    assert_int_equal(open_error("postgresql://u:secret@/d?host=/nowhere", NULL, &err), ERR_UNAVAILABLE);
    assert_null(strstr(err.text, "secret"));
    assert_int_equal(open_error(cluster_url(cluster_shared()), "Robert'; --", &err), ERR_INVALID);
}

static void a_database_of_another_encoding_is_refused(void **state)
{
    struct error err = {0};
    char url[200];

    (void)state;
    cluster_exec(cluster_shared(), "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    (void)snprintf(url, sizeof(url), "postgresql://carillon@/latin?host=%s",
                   cluster_folder(cluster_shared()));
    assert_int_equal(open_error(url, NULL, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "UTF8"));
}

/* --- days --- */

static bool has_day(const char *day)
{
    char sql[200];

    (void)snprintf(sql, sizeof(sql), "SELECT (to_regclass('carillon.run_log_%s') IS NOT NULL)::int", day);
    return cluster_ask(cluster_shared(), sql) != 0;
}

static void fire(struct ground *g, const char *key, enum run_state to)
{
    struct claim_result c;

    (void)registered_as(g, key, "\"type\":\"now\"");
    c = claim_n(g, 1);
    (void)ended(g, &c.items[0], to);
    claim_result_done(&c);
}

static size_t trim(struct ground *g, struct wall before)
{
    struct error err = {0};
    size_t n;

    begin(g);
    ok(store_trim_runs(g->s, before, before, 1000, &n, &err), &err);
    commit(g);
    return n;
}

static void days_are_made_ahead_of_time_and_runs_go_to_theirs(void **state)
{
    struct ground *g = *state; /* at 2030-01-01 */

    assert_true(has_day("20300101"));
    assert_true(has_day("20300108"));
    assert_false(has_day("20300109"));
    fire(g, "a", RUN_SUCCEEDED);
    sleep_us(g, 3 * DAY);
    fire(g, "b", RUN_FAILED);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run_log_20300101"), 1);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run_log_20300104"), 1);
    store_upkeep(g->s);
    assert_true(has_day("20300111"));
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run_log_default"), 0);
}

static void a_day_of_which_nothing_is_kept_is_dropped(void **state)
{
    struct ground *g = *state;

    fire(g, "a", RUN_SUCCEEDED);
    fire(g, "b", RUN_SUCCEEDED);
    store_upkeep(g->s);
    sleep_us(g, 2 * DAY);
    (void)trim(g, wall_add(GROUND_NOW, -DAY)); /* nothing is past */
    store_upkeep(g->s);
    assert_true(has_day("20300101"));
    sleep_us(g, DAY);
    (void)trim(g, wall_add(GROUND_NOW, DAY)); /* all of the first day is */
    store_upkeep(g->s);
    assert_false(has_day("20300101"));
    assert_true(has_day("20300102"));
}

static void a_day_with_a_run_that_ended_late_stays(void **state)
{
    struct ground *g = *state;
    struct claim_result c;

    (void)registered_as(g, "slow", "\"type\":\"now\"");
    c = claim_n(g, 1); /* made on the first day */
    store_upkeep(g->s);
    sleep_us(g, 3 * DAY);
    (void)ended(g, &c.items[0], RUN_FAILED);
    claim_result_done(&c);
    (void)trim(g, wall_add(GROUND_NOW, 2 * DAY));
    store_upkeep(g->s);
    assert_true(has_day("20300101"));
    sleep_us(g, DAY);
    (void)trim(g, g->now);
    store_upkeep(g->s);
    assert_false(has_day("20300101"));
}

static void a_run_of_a_day_that_was_dropped_is_kept_all_the_same(void **state)
{
    struct ground *g = *state;
    struct claim_result c;
    struct uuid run;

    (void)registered_as(g, "slow", "\"type\":\"now\"");
    c = claim_n(g, 1);
    run = c.items[0].run.id;
    store_upkeep(g->s);
    sleep_us(g, 5 * DAY);
    (void)trim(g, wall_add(GROUND_NOW, 3 * DAY));
    store_upkeep(g->s);
    assert_false(has_day("20300101"));
    (void)ended(g, &c.items[0], RUN_FAILED);
    claim_result_done(&c);
    assert_int_equal(run_of(g, run).run.state, RUN_FAILED);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM carillon.run_log_default"), 1);
    assert_int_equal(trim(g, wall_add(g->now, 1)), 1);
}

static struct lane *new_lane(struct ground *g, lane_open_fn open);
static enum err open_writer(void *arg, struct store **ret, struct error *err);

/* As a run of that day whose partition was missing when it ended. */
static void leave_in_default(const char *id)
{
    char sql[400];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO carillon.run_log_default (id, schedule_id, version, scheduled_at, attempt, "
                   "failures, ended_at, took_us, status, state, error) "
                   "VALUES ('%s', gen_random_uuid(), 1, 1, 1, 0, 1, 1, 200, 3, '')",
                   id);
    cluster_exec(cluster_shared(), sql);
}

static void drop_days(void)
{
    cluster_exec(cluster_shared(), "DROP TABLE carillon.run_log_20300101, carillon.run_log_20300102, "
                                   "carillon.run_log_20300103, carillon.run_log_20300104, "
                                   "carillon.run_log_20300105, carillon.run_log_20300106, "
                                   "carillon.run_log_20300107, carillon.run_log_20300108");
}

static void a_day_that_cannot_be_made_keeps_no_other_from_being_made(void **state)
{
    struct ground *g = *state;

    leave_in_default("01b9050b-3c80-7000-8000-000000000000"); /* of 2030-01-09, some hours past midnight */
    store_upkeep(g->s);
    sleep_us(g, 3 * DAY);
    begin(g);
    commit(g);
    store_upkeep(g->s);
    assert_false(has_day("20300109"));
    assert_true(has_day("20300110"));
    assert_true(has_day("20300111"));
}

static void a_day_that_cannot_be_made_is_told_with_what_to_do(void **state)
{
    struct ground *g = *state;
    int fd = memfd_create("log", MFD_CLOEXEC);
    struct log *log = log_new(fd, LOG_JSON, LOG_INFO);
    struct postgres_options options = {.url = cluster_url(cluster_shared()), .log = log};
    struct postgres *p = NULL;
    struct error err = {0};
    char text[4096] = "";

    store_upkeep(g->s);
    /* Today's of the server's clock, which the ground's has nothing to do with. */
    cluster_exec(cluster_shared(),
                 "INSERT INTO carillon.run_log_default (id, schedule_id, version, scheduled_at, attempt, "
                 "failures, ended_at, took_us, status, state, error) "
                 "SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || "
                 "'70008000000000000000')::uuid, gen_random_uuid(), 1, 1, 1, 0, 1, 1, 200, 3, ''");
    ok(postgres_open(&options, &p, &err), &err);
    postgres_free(p);
    log_free(log);
    assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
    (void)close(fd);
    assert_non_null(strstr(text, "no partition"));
    assert_non_null(strstr(text, "run_log_default"));
    assert_non_null(strstr(text, "docs/postgres.md"));
    assert_null(strchr(strchr(text, '\n') + 1, '\n')); /* one line, whatever else was made */
}

static enum err run_look(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)s;
    (void)n;
    (void)now;
    (void)notice;
    (void)err;
    *(bool *)ops[0]->arg = has_day("20300101") && has_day("20300108");
    return ERR_NONE;
}

static void looked(struct op *op)
{
    (void)op;
}

static void days_are_made_before_the_first_group_of_a_new_connection(void **state)
{
    static const struct op_type look = {.name = "look", .writes = true, .run = run_look};
    struct ground *g = *state;
    bool made = false;
    struct op op = {.type = &look, .done = looked, .arg = &made};
    struct error err = {0};
    struct lane *l;

    drop_days();
    l = new_lane(g, open_writer);
    ok(lane_submit(l, &op, &err), &err);
    lane_free(l); /* what was submitted is done first */
    assert_true(made);
}

/* --- instances --- */

struct beat {
    uint8_t id;
    int64_t monitor_us;
    bool leaves;
};

static struct instance_list beaten(struct ground *g, struct beat b)
{
    struct heartbeat h = {.id = {{b.id}},
                          .name = "host",
                          .roles = "api,worker",
                          .version = "1.2",
                          .started_at = {b.id},
                          .held = 10 + b.id,
                          .expire_us = 30 * SECOND,
                          .monitor_us = b.monitor_us,
                          .leaves = b.leaves};
    struct instance_list l = {0};
    struct wall now = {0};
    struct error err = {0};

    begin(g);
    ok(store_heartbeat(g->s, &h, &l, &now, &err), &err);
    commit(g);
    assert_true(b.leaves || now.us == g->now.us);
    return l;
}

/* Of the living, as digits; the monitor's with an asterisk behind it. */
static void expect_living(struct ground *g, struct beat b, const char *text)
{
    struct instance_list l = beaten(g, b);
    char have[64] = "";

    for (size_t i = 0; i < l.n; i++) {
        size_t n = strlen(have);

        (void)snprintf(have + n, sizeof(have) - n, "%d%s", l.items[i].id.b[0],
                       l.items[i].is_monitor ? "*" : "");
    }
    instance_list_done(&l);
    assert_string_equal(have, text);
}

static void instances_know_each_other(void **state)
{
    struct ground *g = *state;
    struct instance_list l;

    l = beaten(g, (struct beat){.id = 1});
    assert_int_equal(l.n, 1);
    assert_string_equal(l.items[0].name, "host");
    assert_string_equal(l.items[0].roles, "api,worker");
    assert_string_equal(l.items[0].version, "1.2");
    assert_int_equal(l.items[0].started_at.us, 1);
    assert_int_equal(l.items[0].heartbeat_at.us, g->now.us);
    assert_int_equal(l.items[0].held, 11);
    assert_false(l.items[0].is_monitor);
    instance_list_done(&l);
    expect_living(g, (struct beat){.id = 2}, "12");
    sleep_us(g, 20 * SECOND);
    expect_living(g, (struct beat){.id = 2}, "12");
    sleep_us(g, 10 * SECOND + 1); /* the first has been silent for too long */
    expect_living(g, (struct beat){.id = 2}, "2");
    expect_living(g, (struct beat){.id = 1}, "12");
    expect_living(g, (struct beat){.id = 1, .leaves = true}, "2");
}

static void one_instance_is_the_monitor_until_it_is_silent(void **state)
{
    struct ground *g = *state;

    expect_living(g, (struct beat){.id = 1, .monitor_us = 5 * SECOND}, "1*");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "1*2");
    sleep_us(g, 4 * SECOND);
    expect_living(g, (struct beat){.id = 1, .monitor_us = 5 * SECOND}, "1*2");
    sleep_us(g, 5 * SECOND);
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "1*2"); /* its time ends now */
    sleep_us(g, 1);
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "12*");
    expect_living(g, (struct beat){.id = 1, .monitor_us = 5 * SECOND}, "12*"); /* it comes back too late */
}

/* The database moved to a server whose clock is behind. */
static void a_clock_that_goes_back_keeps_nobody_alive(void **state)
{
    struct ground *g = *state;

    expect_living(g, (struct beat){.id = 1, .monitor_us = 5 * SECOND}, "1*");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "1*2");
    sleep_us(g, -3600 * SECOND);
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "12*");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "2*");
}

static void a_monitor_that_leaves_makes_room_at_once(void **state)
{
    struct ground *g = *state;

    expect_living(g, (struct beat){.id = 1, .monitor_us = 5 * SECOND}, "1*");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "1*2");
    expect_living(g, (struct beat){.id = 1, .leaves = true}, "2");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "2*");
}

static void an_instance_without_that_role_is_never_the_monitor(void **state)
{
    struct ground *g = *state;

    expect_living(g, (struct beat){.id = 1}, "1");
    expect_living(g, (struct beat){.id = 2, .monitor_us = 5 * SECOND}, "12*");
}

static void held_runs_that_are_doomed_can_be_told(void **state)
{
    struct ground *g = *state;
    CLEANUP(uuid_list_done) struct uuid_list doomed = {0};
    CLEANUP(uuid_list_done) struct uuid_list replaced = {0};
    struct uuid gone = registered_as(g, "gone", "\"type\":\"now\"");
    struct claim_result c;
    struct uuid runs[2];
    struct error err = {0};

    (void)registered_as(g, "stays", "\"type\":\"now\"");
    c = claim_n(g, 2);
    for (size_t i = 0; i < 2; i++)
        runs[i] = c.items[i].run.id;
    begin(g);
    ok(store_remove_id(g->s, gone, 0, g->now, &err), &err);
    commit(g);
    begin(g);
    ok(store_doomed(g->s, runs, 2, &doomed, &replaced, &err), &err);
    commit(g);
    assert_int_equal(doomed.n, 1);
    assert_int_equal(replaced.n, 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(uuid_eq(doomed.items[0], runs[i]), uuid_eq(c.items[i].run.schedule_id, gone));
    claim_result_done(&c);
}

/* --- as operations --- */

static enum err open_writer(void *arg, struct store **ret, struct error *err)
{
    return postgres_connect(arg, true, ret, err);
}

static struct lane *new_lane(struct ground *g, lane_open_fn open)
{
    struct lane_options o = {
        .name = "writer", .open = open, .open_arg = g->own, .queue_limit = 100, .group_limit = 100};
    struct error err = {0};
    struct lane *l = NULL;

    ok(lane_new(&o, &l, &err), &err);
    return l;
}

static struct op_heartbeat *beat(void)
{
    struct op_heartbeat *o = op_heartbeat_new(NULL);

    o->heartbeat = (struct heartbeat){.id = {{1}},
                                      .name = "n",
                                      .roles = "api",
                                      .version = "1",
                                      .expire_us = 30 * SECOND,
                                      .monitor_us = 5 * SECOND};
    return o;
}

static void a_lane_carries_heartbeats_and_tells_of_doomed_runs(void **state)
{
    struct ground *g = *state;
    struct lane *l = new_lane(g, open_writer);
    struct op_heartbeat *o = beat();
    struct op_instances *all = op_instances_new(NULL);
    struct uuid gone = registered_as(g, "gone", "\"type\":\"now\"");
    struct claim_result c = claim_n(g, 1);
    struct op_doomed *d = NULL;
    struct error err = {0};

    ok(lane_call(l, &o->op, &err), &err);
    assert_int_equal(o->ret.n, 1);
    assert_true(o->ret.items[0].is_monitor);
    assert_int_equal(o->ret_now.us, g->now.us);
    op_heartbeat_free(o);
    ok(lane_call(l, &all->op, &err), &err);
    assert_int_equal(all->ret.n, 1);
    assert_true(all->ret.items[0].is_monitor);
    assert_int_equal(all->ret.items[0].expire_us, 30 * SECOND);
    op_instances_free(all);
    begin(g);
    ok(store_remove_id(g->s, gone, 0, g->now, &err), &err);
    commit(g);
    ok(op_doomed_new(1, NULL, &d, &err), &err);
    d->runs[0] = c.items[0].run.id;
    ok(lane_call(l, &d->op, &err), &err);
    assert_int_equal(d->ret.n, 1);
    op_doomed_free(d);
    claim_result_done(&c);
    lane_free(l);
}

/* The contract's stores have a clock that tests set; this one goes by the server's. */
static void a_heartbeat_is_told_by_the_databases_clock(void **state)
{
    struct ground *g = *state;
    struct postgres_options options = {.url = cluster_url(cluster_shared()), .instance = {{1}}};
    struct postgres *own = g->own;
    struct op_heartbeat *o = beat();
    struct error err = {0};
    struct lane *l;
    int64_t before = cluster_ask(cluster_shared(), "SELECT extract(epoch FROM now())::bigint");

    ok(postgres_open(&options, (struct postgres **)&g->own, &err), &err);
    l = new_lane(g, open_writer);
    ok(lane_call(l, &o->op, &err), &err);
    assert_int_equal(o->ret.n, 1);
    assert_true(o->ret_now.us / US_PER_S >= before - 1 && o->ret_now.us / US_PER_S <= before + 60);
    assert_int_equal(o->ret.items[0].heartbeat_at.us, o->ret_now.us);
    assert_int_equal(o->ret.items[0].started_at.us, o->ret_now.us);
    lane_free(l);
    op_heartbeat_free(o);
    postgres_free(g->own);
    g->own = own;
}

static enum err open_sqlite_writer(void *arg, struct store **ret, struct error *err)
{
    return sqlite_connect(arg, true, ret, err);
}

static void a_store_of_one_process_has_no_instances(void **state)
{
    struct ground *g = *state;
    struct op_heartbeat *o = beat();
    struct op_instances *all = op_instances_new(NULL);
    struct error err = {0};
    struct lane *l;

    store_close(TAKE(g->s)); /* the one that writes */
    l = new_lane(g, open_sqlite_writer);
    assert_int_equal(lane_call(l, &o->op, &err), ERR_UNSUPPORTED);
    op_heartbeat_free(o);
    assert_int_equal(lane_call(l, &all->op, &err), ERR_UNSUPPORTED);
    op_instances_free(all);
    lane_free(l);
}

/* A schema of its own: others have left days behind in it. */
static int fresh_setup(void **state)
{
    cluster_exec(cluster_shared(), "DROP SCHEMA IF EXISTS carillon CASCADE");
    return ground_setup(state);
}

int main(void)
{
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)&kind_postgres                              \
    }
#define TEST_FRESH(f)                                                                                        \
    {                                                                                                        \
#f, f, fresh_setup, ground_teardown, (void *)(uintptr_t)&kind_postgres                               \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_that_start_at_once_make_the_schema_once),
        cmocka_unit_test(one_who_may_not_make_schemas_uses_the_one_that_is_there),
        cmocka_unit_test(a_newer_builds_schema_is_left_alone),
        cmocka_unit_test(an_older_builds_schema_is_migrated),
        cmocka_unit_test(anothers_schema_is_left_alone),
        cmocka_unit_test(what_is_wrong_is_said_without_secrets),
        cmocka_unit_test(a_database_of_another_encoding_is_refused),
        TEST_FRESH(days_are_made_ahead_of_time_and_runs_go_to_theirs),
        TEST_FRESH(a_day_of_which_nothing_is_kept_is_dropped),
        TEST_FRESH(a_day_with_a_run_that_ended_late_stays),
        TEST_FRESH(a_run_of_a_day_that_was_dropped_is_kept_all_the_same),
        TEST_FRESH(a_day_that_cannot_be_made_keeps_no_other_from_being_made),
        TEST_FRESH(a_day_that_cannot_be_made_is_told_with_what_to_do),
        TEST_FRESH(days_are_made_before_the_first_group_of_a_new_connection),
        TEST(instances_know_each_other),
        TEST(one_instance_is_the_monitor_until_it_is_silent),
        TEST(a_clock_that_goes_back_keeps_nobody_alive),
        TEST(a_monitor_that_leaves_makes_room_at_once),
        TEST(an_instance_without_that_role_is_never_the_monitor),
        TEST(held_runs_that_are_doomed_can_be_told),
        TEST(a_lane_carries_heartbeats_and_tells_of_doomed_runs),
        TEST(a_heartbeat_is_told_by_the_databases_clock),
        {"a_store_of_one_process_has_no_instances", a_store_of_one_process_has_no_instances, ground_setup,
         ground_teardown, (void *)(uintptr_t)kinds[0]},
    };

    if (!cluster_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
