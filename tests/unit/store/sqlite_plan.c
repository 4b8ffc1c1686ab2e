/*
 * sqlite_plan.c: how SQLite means to carry out every statement of ours, asked of itself: no table is read
 * from end to end, and what a claim or an outcome runs sorts nothing.
 */
#include <stdio.h>
#include <string.h>

#include "ground.h"
#include "store/sqlite/conn.h"
#include "store/sqlite/schema.h"

static const char *name_of(enum sql id)
{
    static const char *const names[] = {
#define X(name, text) [name] = #name,
        SQL_LIST(X)
#undef X
    };

    return names[id];
}

/* False: this line of a statement's plan is not as it should be. */
typedef bool (*look_fn)(enum sql id, const char *detail);

static bool explain(sqlite3 *db, enum sql id, look_fn look)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    sqlite3_stmt *q = NULL;
    bool good = true;

    buf_init(&sql, 10000);
    buf_addf(&sql, "EXPLAIN QUERY PLAN %s", sql_text(id));
    assert_int_equal(sqlite3_prepare_v2(db, buf_cstr(&sql), -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(q, 3);

        if (!look(id, detail)) {
            print_error("%s: %s\n", name_of(id), detail);
            good = false;
        }
    }
    (void)sqlite3_finalize(q);
    return good;
}

static bool is_of_history(enum sql id)
{
    return id >= Q_HISTORY_ADD && id <= Q_HISTORY_TRIM;
}

static void each_statement(struct ground *g, look_fn look)
{
    sqlite3 *history = NULL;
    struct error err = {0};
    bool good = true;

    assert_int_equal(sqlite3_open(":memory:", &history), SQLITE_OK);
    ok(schema_migrate(history, ":memory:", SCHEMA_HISTORY, &err), &err);
    for (int id = 0; id < (int)Q_N; id++)
        good =
            explain(is_of_history((enum sql)id) ? history : sqlite_of(g->s)->db, (enum sql)id, look) && good;
    (void)sqlite3_close(history);
    assert_true(good);
}

static bool scans_no_table(enum sql id, const char *detail)
{
    (void)id;
    /* A walk along an index is one that stops at LIMIT or covers few rows; `tally` has three. */
    return !strstr(detail, "SCAN") || strstr(detail, "USING") || strstr(detail, "SCAN tally") ||
           strstr(detail, "CONSTANT ROW");
}

static void no_statement_reads_a_table_from_end_to_end(void **state)
{
    each_statement(*state, scans_no_table);
}

static bool is_for_people(enum sql id)
{
    /* By key and by several members at once, and waiting runs by id: sorted after the fact, at most a page is
     * kept. */
    switch ((int)id) {
    case Q_LIST_BY_KEY:
    case Q_IDS_BY_KEY:
    case Q_RUNS_WAITING:
    case Q_RUNS_RUNNING:
    case Q_RUNS_OPEN_OF:
    case Q_STATS_WAITING:
        return true;
    default:
        return false;
    }
}

static bool sorts_nothing(enum sql id, const char *detail)
{
    return !strstr(detail, "TEMP B-TREE") || is_for_people(id);
}

static void what_fires_sorts_nothing(void **state)
{
    each_statement(*state, sorts_nothing);
}

struct expectation {
    enum sql id;
    const char *text;
    bool met;
};

/* Of this file's one thread. */
static struct expectation expected[] = {
    {Q_DUE, "SEARCH t USING INDEX timer_due (next_at>? AND next_at<?)", false},
    {Q_DUE, "SEARCH s USING INDEX schedule_id (id=?)", false},
    {Q_DUE, "SEARCH r USING INDEX run_identity (schedule_id=?)", false},
    {Q_RETAKE_DUE, "SEARCH r USING INDEX run_due (due_at<?)", false},
    {Q_RETAKE_LOST, "SEARCH r USING INDEX run_lease (lease_until<?)", false},
    {Q_NEXT_DUE, "SCAN run USING INDEX run_lease", false},
    {Q_NEXT_DUE, "SEARCH run USING INDEX run_due (due_at>?)", false},
    {Q_NEXT_DUE, "SEARCH timer USING INDEX timer_due (next_at>?)", false},
    {Q_TIMER_UPDATE, "SEARCH timer USING PRIMARY KEY (id=?)", false},
    {Q_TIMER_AT_END, "SEARCH t USING PRIMARY KEY (id=?)", false},
    {Q_RUN_GET, "SEARCH r USING PRIMARY KEY (id=?)", false},
    {Q_RENEW, "SEARCH run USING PRIMARY KEY (id=?)", false},
    {Q_FIND_BY_IDENTITY, "SEARCH s USING INDEX schedule_identity (client_key=? AND hash=?)", false},
    {Q_TRIM_OK, "SEARCH run_log USING INDEX run_log_ok (ended_at<?)", false},
    {Q_OUTBOX_TAKE, "SEARCH history_outbox USING INTEGER PRIMARY KEY (rowid>?)", false},
    {Q_HISTORY_OF, "SEARCH h USING INDEX history_schedule (schedule_id=? AND id>? AND id<?)", false},
    {Q_HISTORY_LIST_RARE, "SEARCH h USING INDEX history_kind (kind=? AND id>? AND id<?)", false},
    {Q_FINISHED, "SEARCH t USING INDEX timer_finished (finished_at<?)", false},
};

static bool note_expected(enum sql id, const char *detail)
{
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        if (expected[i].id == id && strcmp(expected[i].text, detail) == 0)
            expected[i].met = true;
    }
    return true;
}

static void what_fires_goes_by_the_narrow_indexes(void **state)
{
    each_statement(*state, note_expected);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        if (!expected[i].met)
            fail_msg("%s does not say: %s", name_of(expected[i].id), expected[i].text);
    }
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[0]                                    \
    }
    const struct CMUnitTest tests[] = {
        SENTENCE(no_statement_reads_a_table_from_end_to_end),
        SENTENCE(what_fires_sorts_nothing),
        SENTENCE(what_fires_goes_by_the_narrow_indexes),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
