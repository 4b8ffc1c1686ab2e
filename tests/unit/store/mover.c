/*
 * mover.c: every event is in the history exactly once in the end, whatever is lost on the way: the connection
 * to either database, a commit, or the answer to one. The store is in memory and loses things by seed.
 */
#include "ground.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "store/faulty/faulty.h"
#include "store/journal.h"
#include "store/memory/memory.h"
#include "store/mover.h"
#include "store/sqlite/sqlite.h"

enum { EVENTS = 100 };

struct scene {
    struct memory_db *db;
    struct sqlite_file *file;
    struct faulty_plan writer_plan; /* of the lanes' and the mover's threads, one each */
    struct faulty_plan mover_plan;
    struct faulty_plan history_plan;
    bool away; /* no history can be opened */
    pthread_mutex_t lock;
    struct lane *writer;
    struct lane *history;
    struct mover *mover;
    char folder[64];
};

static enum err wrapped(struct faulty_plan *plan, struct store *inner, struct store **ret, struct error *err)
{
    return faulty_wrap(plan, inner, ret, err);
}

static enum err open_writer(void *arg, struct store **ret, struct error *err)
{
    struct scene *x = arg;
    struct store *inner;
    enum err e = memory_connect(x->db, true, &inner, err);

    return e ? e : wrapped(&x->writer_plan, inner, ret, err);
}

static enum err open_mine(void *arg, struct store **ret, struct error *err)
{
    struct scene *x = arg;
    struct store *inner;
    enum err e = memory_connect(x->db, true, &inner, err);

    return e ? e : wrapped(&x->mover_plan, inner, ret, err);
}

static bool is_away(struct scene *x)
{
    bool away;

    assert_int_equal(pthread_mutex_lock(&x->lock), 0);
    away = x->away;
    assert_int_equal(pthread_mutex_unlock(&x->lock), 0);
    return away;
}

static void set_away(struct scene *x, bool away)
{
    assert_int_equal(pthread_mutex_lock(&x->lock), 0);
    x->away = away;
    assert_int_equal(pthread_mutex_unlock(&x->lock), 0);
}

static enum err open_history(void *arg, struct store **ret, struct error *err)
{
    struct scene *x = arg;
    struct store *inner;
    enum err e;

    if (is_away(x))
        return error_set(err, ERR_UNAVAILABLE, "history", "away");
    e = sqlite_connect(x->file, true, &inner, err);
    return e ? e : wrapped(&x->history_plan, inner, ret, err);
}

static struct lane *lane_of(struct scene *x, const char *name, lane_open_fn open)
{
    struct lane_options o = {.name = name,
                             .open = open,
                             .open_arg = x,
                             .queue_limit = 100,
                             .group_limit = 10,
                             .may_be_away = true};
    struct lane *l;
    struct error err = {0};

    ok(lane_new(&o, &l, &err), &err);
    return l;
}

static void begin_scene(struct scene *x, unsigned fault, bool shared, bool away, uint64_t seed)
{
    struct faulty_plan plan = {
        .rng = {seed}, .drop = fault, .lose_commit = fault, .lose_answer = fault, .refuse_open = fault};
    struct sqlite_options options = {.history = true};
    struct memory_options memory = {0};
    struct mover_options mover = {.open = open_mine,
                                  .open_arg = x,
                                  .shared = shared,
                                  .batch = 7,
                                  .backoff_us = US_PER_MS,
                                  .linger_us = -1,
                                  .sweep_us = 3600 * US_PER_S};
    char path[96];
    struct error err = {0};

    *x = (struct scene){.writer_plan = plan,
                        .mover_plan = plan,
                        .history_plan = plan,
                        .away = away,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .folder = "/dev/shm/carillon-mover-XXXXXX"};
    x->mover_plan.rng.state += 1;
    x->history_plan.rng.state += 2;
    assert_non_null(mkdtemp(x->folder));
    (void)snprintf(path, sizeof(path), "%s/history.db", x->folder);
    options.path = path;
    ok(memory_db_new(&memory, &x->db, &err), &err);
    ok(sqlite_file_open(&options, &x->file, &err), &err);
    x->writer = lane_of(x, "writer", open_writer);
    x->history = lane_of(x, "history", open_history);
    x->mover = mover_new(&mover);
}

/* Written past all faults. */
static void write_events(struct scene *x, int from, int to)
{
    struct store *s;
    struct error err = {0};

    ok(memory_connect(x->db, true, &s, &err), &err);
    for (int i = from; i < to; i++) {
        char text[200];
        char id[UUID_TEXT + 1];
        struct str one;

        uuid_format(uuid_v7((struct wall){1000000 + i}), id);
        (void)snprintf(
            text, sizeof(text),
            "{\"id\":\"%s\",\"at\":\"2030-01-01T00:00:00Z\",\"kind\":\"started\",\"schedule_id\":\"%s\","
            "\"n\":%d}",
            id, id, i);
        one = str_of(text);
        ok(store_begin(s, true, &err), &err);
        ok(store_outbox_add(s, &one, 1, &err), &err);
        ok(store_commit(s, &err), &err);
    }
    store_close(s);
}

static int64_t waiting(struct scene *x)
{
    struct store *s;
    struct outbox_list l = {0};
    struct error err = {0};
    int64_t n;

    ok(memory_connect(x->db, false, &s, &err), &err);
    ok(store_begin(s, false, &err), &err);
    ok(store_outbox_take(s, 0, 100000, &l, &err), &err);
    n = (int64_t)l.n;
    ok(store_commit(s, &err), &err);
    store_close(s);
    outbox_list_done(&l);
    return n;
}

static void await_empty(struct scene *x)
{
    struct timespec pause = {.tv_nsec = 2000000};

    while (waiting(x) > 0) {
        mover_wake(x->mover);
        assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL), 0);
    }
}

static void end_scene(struct scene *x)
{
    mover_stop(x->mover);
    mover_free(x->mover);
    lane_free(x->history);
    lane_free(x->writer);
    memory_db_free(x->db);
}

/* Each of the first `n` once. */
static void expect_history(struct scene *x, int n)
{
    struct history_filter f = {.kind = -1, .from = {INT64_MIN}, .to = WALL_NEVER, .limit = 100000};
    struct history_list l = {0};
    struct error err = {0};
    struct store *s;

    ok(sqlite_connect(x->file, false, &s, &err), &err);
    ok(store_begin(s, false, &err), &err);
    ok(store_history_list(s, &f, &l, &err), &err);
    ok(store_commit(s, &err), &err);
    assert_int_equal(l.n, n);
    for (int i = 0; i < n; i++) {
        char expected[32];

        (void)snprintf(expected, sizeof(expected), "\"n\":%d}", n - 1 - i);
        assert_non_null(strstr(l.items[i].text, expected));
    }
    history_list_done(&l);
    store_close(s);
    sqlite_file_free(x->file);
    ground_folder_remove(x->folder);
}

static void move_all(unsigned fault, bool shared, uint64_t seed)
{
    struct scene x;
    struct error err = {0};

    begin_scene(&x, fault, shared, false, seed);
    ok(mover_start(x.mover, x.writer, x.history, &err), &err);
    write_events(&x, 0, EVENTS);
    await_empty(&x);
    end_scene(&x);
    expect_history(&x, EVENTS);
}

static void events_are_moved_in_their_order(void **state)
{
    (void)state;
    move_all(0, false, 1);
    move_all(0, true, 1);
}

static void whatever_is_lost_on_the_way_each_is_there_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        move_all(30, false, seed);
        move_all(30, true, seed);
    }
}

static void a_history_that_is_away_at_the_start_gets_all_when_it_comes(void **state)
{
    struct mover_stats stats = {0};
    struct scene x;
    struct error err = {0};

    (void)state;
    begin_scene(&x, 0, false, true, 1);
    write_events(&x, 0, 20);
    ok(mover_start(x.mover, x.writer, x.history, &err), &err);
    while (stats.failures == 0 || stats.waiting == 0) {
        (void)sched_yield();
        mover_get_stats(x.mover, &stats);
    }
    assert_int_equal(stats.waiting, 20);
    assert_int_equal(stats.oldest_at.us, INT64_C(1893456000000000));
    assert_int_equal(waiting(&x), 20);
    set_away(&x, false);
    write_events(&x, 20, 40);
    await_empty(&x);
    end_scene(&x);
    expect_history(&x, 40);
}

static void what_waits_at_the_end_is_moved_by_the_next_start(void **state)
{
    struct scene x;
    struct error err = {0};
    struct mover_options again = {
        .open = open_mine, .open_arg = &x, .linger_us = -1, .sweep_us = 3600 * US_PER_S};

    (void)state;
    begin_scene(&x, 0, false, true, 1);
    ok(mover_start(x.mover, x.writer, x.history, &err), &err);
    write_events(&x, 0, 10);
    mover_stop(x.mover);
    mover_free(x.mover);
    assert_int_equal(waiting(&x), 10);
    set_away(&x, false);
    x.mover = mover_new(&again);
    ok(mover_start(x.mover, x.writer, x.history, &err), &err);
    await_empty(&x);
    end_scene(&x);
    expect_history(&x, 10);
}

static void an_event_that_cannot_be_read_holds_up_no_other(void **state)
{
    const struct str damaged = STR("{\"id\":\"?\"}");
    struct scene x;
    struct store *s;
    struct error err = {0};
    struct timespec pause = {.tv_nsec = 2000000};

    (void)state;
    begin_scene(&x, 0, false, false, 1);
    ok(memory_connect(x.db, true, &s, &err), &err);
    ok(store_begin(s, true, &err), &err);
    for (int i = 0; i < 20; i++)
        ok(store_outbox_add(s, &damaged, 1, &err), &err);
    ok(store_commit(s, &err), &err);
    store_close(s);
    write_events(&x, 0, 10);
    ok(mover_start(x.mover, x.writer, x.history, &err), &err);
    while (waiting(&x) > 20)
        assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL), 0);
    end_scene(&x);
    expect_history(&x, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_moved_in_their_order),
        cmocka_unit_test(whatever_is_lost_on_the_way_each_is_there_once),
        cmocka_unit_test(a_history_that_is_away_at_the_start_gets_all_when_it_comes),
        cmocka_unit_test(what_waits_at_the_end_is_moved_by_the_next_start),
        cmocka_unit_test(an_event_that_cannot_be_read_holds_up_no_other),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
