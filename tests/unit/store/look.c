/*
 * look.c: a question to a lane ends in time, answered or not; and a database is looked at without a trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ground.h"
#include "store/ops_look.h"
#include "store/sqlite/sqlite.h"

static struct mono in_us(int64_t us)
{
    return mono_add(clock_mono(), us);
}

static void path_of(const struct ground *g, const char *name, char ret[200])
{
    (void)snprintf(ret, 200, "%s/%s", g->folder, name);
}

/* A service's hold on a database, as long as it lives. */
static struct sqlite_file *held(const char *path)
{
    struct sqlite_options o = {.path = path};
    struct sqlite_file *f = NULL;
    struct error err = {0};

    ok(sqlite_file_open(&o, &f, &err), &err);
    return f;
}

static struct sqlite_file *looked_at(const char *path)
{
    struct sqlite_options o = {.path = path, .examines = true};
    struct sqlite_file *f = NULL;
    struct error err = {0};

    ok(sqlite_file_open(&o, &f, &err), &err);
    return f;
}

static enum err open_reader(void *arg, struct store **ret, struct error *err)
{
    return sqlite_connect(arg, false, ret, err);
}

static struct lane *lane_over(struct sqlite_file *f)
{
    struct lane_options o = {
        .name = "look", .open = open_reader, .open_arg = f, .queue_limit = 8, .group_limit = 1};
    struct lane *l = NULL;
    struct error err = {0};

    ok(lane_new(&o, &l, &err), &err);
    return l;
}

/* --- questions --- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open; /* under .lock */
};

static enum err run_wait(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    struct gate *g = ops[0]->arg;

    (void)s;
    (void)n;
    (void)now;
    (void)notice;
    (void)err;
    MUST(pthread_mutex_lock(&g->lock) == 0);
    while (!g->open)
        MUST(pthread_cond_wait(&g->changed, &g->lock) == 0);
    MUST(pthread_mutex_unlock(&g->lock) == 0);
    return ERR_NONE;
}

static void waited(struct op *op)
{
    (void)op;
}

static void a_question_that_is_not_answered_in_time_is_dropped(void **state)
{
    static const struct op_type wait_type = {.name = "wait", .run = run_wait};
    struct ground *g = *state;
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct op op = {.type = &wait_type, .done = waited, .arg = &gate};
    struct looked l = {.look = LOOK_SCHEDULES, .limit = 10};
    struct error err = {0};
    struct lane *lane;

    (void)registered_as(g, "k", "\"type\":\"now\"");
    lane = lane_over(g->own);
    ok(lane_submit(lane, &op, &err), &err);
    assert_int_equal(lane_look(lane, &l, in_us(1000), &err), ERR_TIMEOUT);
    MUST(pthread_mutex_lock(&gate.lock) == 0);
    gate.open = true;
    MUST(pthread_cond_signal(&gate.changed) == 0);
    MUST(pthread_mutex_unlock(&gate.lock) == 0);
    ok(lane_look(lane, &l, in_us(60 * SECOND), &err), &err); /* behind the dropped one */
    assert_int_equal(l.schedules.n, 1);
    ok(lane_look(lane, &l, in_us(60 * SECOND), &err), &err); /* into what holds an answer already */
    assert_int_equal(l.schedules.n, 1);
    looked_done(&l);
    lane_free(lane);
}

static void a_question_may_fail(void **state)
{
    struct ground *g = *state;
    struct looked l = {.look = LOOK_INSTANCES};
    struct error err = {0};
    struct lane *lane = lane_over(g->own);

    assert_int_equal(lane_look(lane, &l, in_us(60 * SECOND), &err), ERR_UNSUPPORTED);
    lane_free(lane);
}

/* --- without a trace --- */

static bool is_there(const char *path, const char *suffix)
{
    char whole[220];

    (void)snprintf(whole, sizeof(whole), "%s%s", path, suffix);
    return access(whole, F_OK) == 0;
}

static void what_is_not_there_is_not_made(void **state)
{
    struct ground *g = *state;
    struct sqlite_options o = {.examines = true};
    struct sqlite_file *f = NULL;
    struct error err = {0};
    char path[200];

    path_of(g, "none/db", path);
    o.path = path;
    assert_int_equal(sqlite_file_open(&o, &f, &err), ERR_NOT_FOUND);
    path_of(g, "none", path);
    assert_false(is_there(path, ""));
}

static void a_closed_database_gets_no_log_by_being_looked_at(void **state)
{
    struct ground *g = *state;
    struct looked l = {.look = LOOK_INSPECT, .inspection = INSPECT_INDEXES};
    struct sqlite_file *f;
    struct error err = {0};
    struct lane *lane;
    char path[200];

    path_of(g, "a?b#c%64.db", path); /* none of it means anything */
    sqlite_file_free(held(path));
    assert_false(is_there(path, "-wal"));
    f = looked_at(path);
    lane = lane_over(f);
    ok(lane_look(lane, &l, in_us(60 * SECOND), &err), &err);
    assert_int_equal(l.inspected.faults.n, 0);
    assert_false(is_there(path, "-wal"));
    assert_false(is_there(path, "-shm"));
    lane_free(lane);
    sqlite_file_free(f);
    assert_false(is_there(path, "-wal"));
}

static void who_looks_hinders_nobody_who_opens_it(void **state)
{
    struct ground *g = *state;
    struct looked l = {.look = LOOK_ZONES};
    struct sqlite_file *service;
    struct sqlite_file *f;
    struct error err = {0};
    struct lane *lane;
    struct store *s = NULL;
    char path[200];

    path_of(g, "db", path);
    sqlite_file_free(held(path));
    f = looked_at(path);
    lane = lane_over(f);
    ok(lane_look(lane, &l, in_us(60 * SECOND), &err), &err);
    service = held(path); /* not refused */
    ok(sqlite_connect(service, true, &s, &err), &err);
    ok(store_begin(s, true, &err), &err);
    ok(store_set_meta(s, "tzdata", STR("2031a"), &err), &err);
    ok(store_commit(s, &err), &err);
    /* What it took for a database of its own is somebody's now: said once, and then read as it is. */
    if (lane_look(lane, &l, in_us(60 * SECOND), &err))
        ok(lane_look(lane, &l, in_us(60 * SECOND), &err), &err);
    assert_string_equal(l.release, "2031a");
    lane_free(lane);
    sqlite_file_free(f);
    store_close(s);
    sqlite_file_free(service);
}

int main(void)
{
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                                    \
    }
    const struct CMUnitTest tests[] = {
        TEST(a_question_that_is_not_answered_in_time_is_dropped),
        TEST(a_question_may_fail),
        TEST(what_is_not_there_is_not_made),
        TEST(a_closed_database_gets_no_log_by_being_looked_at),
        TEST(who_looks_hinders_nobody_who_opens_it),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
