/*
 * sqlite_crash.c: a process that registers, claims and completes is killed at any moment: whatever it was
 * answered is there, and what it held can be taken over at once.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ground.h"
#include "store/sqlite/conn.h"

enum { LIVES = 6, ANSWERS = 120 };

struct world {
    struct ground g; /* only what registering and claiming need */
    char path[96];
    struct sqlite_file *file;
};

static void open_world(struct world *w)
{
    struct sqlite_options o = {.path = w->path};
    struct error err = {0};

    ok(sqlite_file_open(&o, &w->file, &err), &err);
    ok(sqlite_connect(w->file, true, &w->g.s, &err), &err);
    w->g.cache = claim_cache_new(10);
}

static void close_world(struct world *w)
{
    store_close(TAKE(w->g.s));
    sqlite_file_free(TAKE(w->file));
    claim_cache_free(TAKE(w->g.cache));
}

/* Never returns: registers a schedule, reports its number once that is durable, fires and ends every other
 * one. */
static void live(struct world *w, uint32_t first, int report_fd)
{
    open_world(w);
    for (uint32_t i = first;; i++) {
        struct claim_result c;
        char key[16];

        (void)snprintf(key, sizeof(key), "k%u", i);
        w->g.now = clock_wall();
        (void)registered_as(&w->g, key, "\"type\":\"now\"");
        if (write(report_fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
            _exit(1);
        c = claim_limit(&w->g, 100);
        if (i % 2 == 0 && c.n > 0)
            (void)ended(&w->g, &c.items[0], RUN_SUCCEEDED);
        claim_result_done(&c);
        store_upkeep(w->g.s);
    }
}

/* The number after the last that was answered. */
static uint32_t one_life(struct world *w, uint32_t first)
{
    uint32_t answered = first;
    uint32_t i;
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        live(w, first, fds[1]);
    assert_int_equal(close(fds[1]), 0);
    while (answered - first < ANSWERS && read(fds[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
        answered = i + 1;
    assert_int_equal(kill(pid, SIGKILL), 0);
    /* What it reported before it died counts too. */
    while (read(fds[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
        answered = i + 1;
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(answered - first >= ANSWERS);
    return answered;
}

static void check_each_is_there(struct world *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        char key[16];
        struct record r = {0};
        struct error err = {0};

        (void)snprintf(key, sizeof(key), "k%u", i);
        CLEANUP(schedule_unref_p) struct schedule *s = define(&w->g, key, "\"type\":\"now\"");
        begin(&w->g);
        ok(store_get_by_client(w->g.s, s, &r, &err), &err);
        commit(&w->g);
        /* Its one run was made once, or is still to be made. */
        assert_true(r.timer.runs <= 1);
        record_done(&r);
    }
}

static int64_t integrity(struct world *w)
{
    sqlite3_stmt *q = NULL;
    int64_t good = 0;

    assert_int_equal(sqlite3_prepare_v2(sqlite_of(w->g.s)->db, "PRAGMA integrity_check", -1, &q, NULL),
                     SQLITE_OK);
    if (sqlite3_step(q) == SQLITE_ROW)
        good = str_eq(str_of((const char *)sqlite3_column_text(q, 0)), STR("ok"));
    (void)sqlite3_finalize(q);
    return good;
}

static void whatever_was_answered_survives_a_kill(void **state)
{
    struct world *w = alloc_new(struct world);
    char folder[64] = "/tmp/carillon-crash-XXXXXX";
    struct store_stats stats;
    uint32_t answered = 0;
    struct claim_result c;
    struct error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(w->path, sizeof(w->path), "%s/store.db", folder);
    ok(zones_new("/usr/share/zoneinfo", &w->g.zones, &err), &err);
    w->g.rules = (struct schedule_rules){.zones = w->g.zones,
                                         .default_timezone = STR("UTC"),
                                         .task_enabled = {true, true, true},
                                         .trusted = true};
    for (int life = 0; life < LIVES; life++) {
        answered = one_life(w, answered);
        open_world(w);
        assert_int_equal(integrity(w), 1);
        check_each_is_there(w, answered);
        stats = stats_of(&w->g);
        /* The dead held some; at once, without waiting for their leases, they are ours. */
        w->g.now = clock_wall();
        c = claim_limit(&w->g, 100000);
        assert_true((int64_t)c.n >= stats.runs[RUN_RUNNING]);
        assert_int_equal(stats_of(&w->g).runs[RUN_RUNNING], c.n);
        for (size_t i = 0; i < c.n; i++)
            assert_false(ended(&w->g, &c.items[i], RUN_SUCCEEDED).stale);
        claim_result_done(&c);
        stats = stats_of(&w->g);
        assert_int_equal(stats.schedules[SCHEDULE_ACTIVE], 0);
        assert_true(stats.schedules[SCHEDULE_FINISHED] >= answered);
        close_world(w);
        /* One that was stored without its answer is registered anew by the next life: it starts behind it. */
        answered = (uint32_t)stats.schedules[SCHEDULE_FINISHED];
    }
    zones_free(w->g.zones);
    ground_folder_remove(folder);
    alloc_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_was_answered_survives_a_kill)};

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
