/*
 * loop_fixture.h: what the tests of the engine's loop share: a SQLite file in a fresh folder, its lanes, an
 * engine and a receiver, all in this process.
 */
#ifndef TESTS_LOOP_FIXTURE_H
#define TESTS_LOOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "http_server.h"
#include "store/ops_run.h"
#include "store/ops_schedule.h"
#include "store/sqlite/sqlite.h"

/* Longer than any sound machine needs: only a failing test waits for it. */
#define LONG_US (INT64_C(30) * US_PER_S)

struct loop_fixture {
    char dir[64];
    struct zones *zones;
    struct schedule_rules rules;
    struct schedule_rules stored_rules;
    struct sqlite_file *file;
    struct lane *writer;   /* NULL while down */
    struct engine *engine; /* NULL while down */
    struct http_server *server;
    struct engine_options options;
    int64_t store_ahead_us;               /* the store's clock minus ours */
    struct store_ops store_ops;           /* what the store's calls are, when `patch` is given */
    void (*patch)(struct store_ops *ops); /* changes some of them; NULL: none */
};

/* For the group. */
int libraries_setup(void **state);
int libraries_teardown(void **state);
/* As cmocka's setup: up, with usual options. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Folder, rules and receiver; nothing runs yet. `options` may be changed before fixture_up(). */
struct loop_fixture *fixture_new(void);
void fixture_up(struct loop_fixture *f);
/* Stops engine and lane, as a service would, and closes the file. */
void fixture_down(struct loop_fixture *f, int64_t grace_us);
void fixture_free(struct loop_fixture *f);

/* Registers one definition: `members` are JSON members beside client, task.type and task.connection
 * ("\"type\":\"now\""). */
struct uuid fixture_register(struct loop_fixture *f, const char *key, const char *members,
                             const char *task_members);
/* The same without waiting for each: `n` schedules with keys "0", "1" and so on, in one operation. */
void fixture_register_many(struct loop_fixture *f, size_t n, const char *members);
void fixture_remove(struct loop_fixture *f, struct uuid id);
/* "YYYY-MM-DDThh:mm:ss.ffffffZ" of `at`. */
const char *instant(struct wall at, char ret[48]);

/* Numbers of runs that are open and dead, by state. */
void fixture_runs(struct loop_fixture *f, struct store_stats *ret);
/* The newest run of a schedule, ended or open. */
struct run_record fixture_last_run(struct loop_fixture *f, struct uuid schedule_id);
/* Until the engine's numbers satisfy `fn`; fails the test when they never do. */
typedef bool (*stats_fn)(const struct engine_stats *s, uint64_t n);
void wait_stats(struct loop_fixture *f, stats_fn fn, uint64_t n);
bool stats_held(const struct engine_stats *s, uint64_t n);   /* waiting for their moment */
bool stats_flying(const struct engine_stats *s, uint64_t n); /* in flight */
bool stats_ended(const struct engine_stats *s, uint64_t n);  /* attempts that ended, all of them recorded */

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
