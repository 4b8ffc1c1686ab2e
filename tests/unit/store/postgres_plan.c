/*
 * postgres_plan.c: every statement of the PostgreSQL store is explained, and no plan may read a table that
 * grows from end to end: neither with 100,000 rows and fresh statistics, nor by a plan that was made while
 * the tables were empty and is kept when they have grown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "cluster.h"
#include "ground.h"
#include "store/postgres/postgres.h"
#include "store/postgres/sql.h"

/*
 * A statement and its parameters: u uuid, i bigint, t text; capital: an array of them. `walks`: it may go
 * along a partial index without a further condition, since what that holds is what is asked for.
 */
static const struct explained {
    enum sql id;
    const char *params;
    bool walks;
} statements[] = {
    {Q_META_GET, "t", false},
    {Q_META_SET, "tt", false},
    {Q_TALLY_ADD, "iii", false},
    {Q_PUT_NEW, "iUUTTTTTTT", false},
    {Q_PUT_NEW_TIMERS, "iUIIIIIIIIIII", false},
    {Q_PUT_LOCK, "TUU", false},
    {Q_PUT_READ, "TUU", false},
    {Q_PUT_OVER, "iUUTTTTTTTI", false},
    {Q_SCHEDULE_TOUCH, "iu", false},
    {Q_SCHEDULES_DELETE, "Ui", false},
    {Q_TIMERS_LOCK, "U", false},
    {Q_VERSION, "u", false},
    {Q_TIMERS_UPDATE, "iUIIIIIIIIIII", false},
    {Q_TIMERS_DELETE, "U", false},
    {Q_GET_LOCK, "u", false},
    {Q_GET, "u", false},
    {Q_ID_BY_IDENTITY, "tu", false},
    {Q_LIST_BY_ID, "uttttttii", false},
    {Q_LIST_BY_KEY, "uttttttii", false},
    {Q_LIST_BY_GROUP, "uttttttii", false},
    {Q_LIST_BY_APPLICATION, "uttttttii", false},
    {Q_LIST_BY_PAUSED, "uttttttii", true},
    {Q_IDS_BY_ID, "uttttttii", false},
    {Q_IDS_BY_KEY, "uttttttii", false},
    {Q_IDS_BY_GROUP, "uttttttii", false},
    {Q_IDS_BY_APPLICATION, "uttttttii", false},
    {Q_IDS_BY_PAUSED, "uttttttii", true},
    {Q_FINISHED_LOCK, "ii", false},
    {Q_WITHOUT_RUNS, "U", false},
    {Q_FINISHED_KEEP, "Ui", false},
    {Q_STATS_WAITING, "", true},
    {Q_STATS_RUNNING, "", true},
    {Q_STATS_DEAD, "", true},
    {Q_OPEN_CANCEL, "Uiii", false},
    {Q_OPEN_DOOM, "Ui", false},
    {Q_DUE_LOCK, "ii", false},
    {Q_DUE_READ, "Ui", false},
    {Q_OWE, "UI", false},
    {Q_RUNS_INSERT, "UUIIIIIIIIIT", false},
    {Q_RETAKE_LOCK, "iiii", false},
    {Q_RETAKE, "Uuii", false},
    {Q_NEXT_DUE, "", true},
    {Q_ENDS_TIMERS, "U", false},
    {Q_ENDS_TIMERS_FREE, "U", false},
    {Q_ENDS_RUNS, "U", false},
    {Q_ENDS_OPEN, "U", false},
    {Q_ORPHANS, "U", false},
    {Q_EXISTING, "U", false},
    {Q_RUNS_DELETE, "U", false},
    {Q_LOG_INSERT, "UUIIIIIIIIITI", false},
    {Q_RUNS_KEEP, "UIIIIIIIIIT", false},
    {Q_RUNS_RELEASE, "Ui", false},
    {Q_TIMERS_ENDED, "iUIIIIIIIIIIIII", false},
    {Q_DOOMED, "U", false},
    {Q_RENEW, "UIi", false},
    {Q_RUN_OPEN_ONE, "u", false},
    {Q_RUN_LOG_ONE, "u", false},
    {Q_RUNS_ALL, "uii", false},
    {Q_RUNS_WAITING, "uii", true},
    {Q_RUNS_RUNNING, "uii", true},
    {Q_RUNS_DEAD, "uii", true},
    {Q_RUNS_OPEN_OF, "uiiu", false},
    {Q_RUNS_DEAD_OF, "uiiu", false},
    {Q_LOG_ALL, "uii", false},
    {Q_LOG_OTHER, "uii", false},
    {Q_LOG_OF, "uiiu", false},
    {Q_GET_MANY, "U", false},
    {Q_RUNS_OF_EACH, "uiiUi", false},
    {Q_RUNS_OPEN_OF_EACH, "uiiUi", false},
    {Q_RUNS_DEAD_OF_EACH, "uiiUi", false},
    {Q_LOG_OF_EACH, "uiiUi", false},
    {Q_RUNS_OPEN_MANY, "U", false},
    {Q_RUNS_LOG_MANY, "U", false},
    {Q_REDRIVE, "Ui", false},
    {Q_DISCARD, "Ui", false},
    {Q_TIMES_RUN, "uiiu", false},
    {Q_MOVED_OPEN, "uii", false},
    {Q_MOVED_DEAD, "uui", false},
    {Q_MOVED_LOOK, "TUUi", false},
    {Q_MOVED_SCHEDULES, "UUTTTTTTTIII", false},
    {Q_MOVED_LAST, "UII", false},
    {Q_MOVED_RUNS, "iUUIIIIIIIIIIIIITT", false},
    {Q_LOG_DELETE, "U", false},
    {Q_ANSWER_GET, "u", false},
    {Q_ANSWER_PUT, "uuit", false},
    {Q_ANSWERS_TRIM, "ii", false},
    {Q_CLEAR_DEAD, "i", false},
    {Q_CLEAR_LOG, "i", false},
    {Q_CLEAR_ANSWERS, "i", false},
    {Q_RUN_TRACE, "Ui", false},
    {Q_OUTBOX_ADD, "T", false},
    {Q_OUTBOX_TAKE, "ii", false},
    {Q_OUTBOX_REMOVE, "I", false},
    {Q_OUTBOX_SIZE, "", false},
    {Q_TRIM_OK, "ii", false},
    {Q_TRIM_OTHER, "ii", false},
    {Q_EXAMINE_LEASES, "ii", false},
    {Q_EXAMINE_SCHEDULES, "ii", false},
    {Q_EXAMINE_RUNS, "ii", false},
    {Q_EXAMINE_NEXT, "ui", false},
    {Q_EXAMINE_ORPHANS, "ui", false},
    {Q_EXAMINE_WAITING, "ui", false},
};

/* The same of a history database. */
static const struct explained history_statements[] = {
    {Q_HISTORY_ADD, "UUIT", false},
    {Q_HISTORY_LIST, "uui", false},
    {Q_HISTORY_LIST_KIND, "uuii", false},
    {Q_HISTORY_LIST_RARE, "uuii", false},
    {Q_HISTORY_OF, "uuiu", false},
    {Q_HISTORY_OF_KIND, "uuiui", false},
    {Q_HISTORY_OF_EACH, "uuiUi", false},
    {Q_HISTORY_OF_EACH_KIND, "uuiUii", false},
    {Q_HISTORY_OF_EACH_RARE, "uuiUii", false},
    {Q_HISTORY_OF_RARE, "uuiui", false},
    {Q_HISTORY_TRIM, "ui", false},
};

/* An identifier from the middle of those of fill(). */
#define MIDDLE "01ba60f3-50d8-7000-8000-00000003d090"

struct plans {
    struct sql_texts sql;
    struct postgres *store;
    PGconn *pg;
};

static PGresult *run(const struct plans *p, const char *text)
{
    PGresult *r = PQexec(p->pg, text);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s\n%s", text, PQerrorMessage(p->pg));
    return r;
}

static void exec(const struct plans *p, const char *text)
{
    PQclear(run(p, text));
}

static const char *type_of(char c)
{
    switch (c) {
    case 'u':
        return "uuid";
    case 'U':
        return "uuid[]";
    case 'i':
        return "bigint";
    case 'I':
        return "bigint[]";
    case 't':
        return "text";
    default:
        return "text[]";
    }
}

static void prepare(const struct plans *p, const struct explained *s)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 100000);
    buf_addf(&b, "PREPARE %s", sql_name(s->id));
    for (const char *c = s->params; *c; c++)
        buf_addf(&b, "%s%s", c == s->params ? " (" : ", ", type_of(*c));
    buf_addf(&b, "%s AS %s", *s->params ? ")" : "", p->sql.text[s->id]);
    exec(p, buf_cstr(&b));
}

static const char *value_of(char c)
{
    switch (c) {
    case 'u':
        return "'" MIDDLE "'";
    case 'U':
        return "'{" MIDDLE "}'";
    case 'i':
        return "50000";
    case 'I':
        return "'{1}'";
    case 't':
        return "'key7'";
    default:
        return "'{key7}'";
    }
}

static PGresult *explain(const struct plans *p, const struct explained *s)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 100000);
    buf_addf(&b, "EXPLAIN (COSTS OFF) EXECUTE %s", sql_name(s->id));
    for (const char *c = s->params; *c; c++)
        buf_addf(&b, "%s%s", c == s->params ? " (" : ", ", value_of(*c));
    buf_add_cstr(&b, *s->params ? ")" : "");
    return run(p, buf_cstr(&b));
}

/* --- judging --- */

/* Of tables that stay small, and of sets that are in memory already. */
static bool may_be_read_whole(const char *line)
{
    static const char *const small[] = {"Function Scan", "CTE Scan", "Subquery Scan", " on meta",
                                        " on tally"};

    for (size_t i = 0; i < COUNT_OF(small); i++) {
        if (strstr(line, small[i]))
            return true;
    }
    return false;
}

/* These hold only what is asked for, in the order in which it is. */
static bool is_by_partial_index(const char *line)
{
    static const char *const partial[] = {"timer_due", "run_due", "run_lease", "run_dead", "timer_paused"};

    for (size_t i = 0; i < COUNT_OF(partial); i++) {
        if (strstr(line, partial[i]))
            return true;
    }
    return false;
}

/* The line that follows a scan's, or one of the next, is its condition. */
static bool has_condition(const PGresult *r, int line)
{
    for (int i = line + 1; i < PQntuples(r) && !strstr(PQgetvalue(r, i, 0), "->"); i++) {
        if (strstr(PQgetvalue(r, i, 0), "Index Cond") || strstr(PQgetvalue(r, i, 0), "TID Cond"))
            return true;
    }
    return false;
}

static bool is_fine(const struct explained *s, const PGresult *r, int line)
{
    const char *text = PQgetvalue(r, line, 0);

    if (strstr(text, "Hash Join") || strstr(text, "Merge Join"))
        return false;
    if (!strstr(text, " Scan") || may_be_read_whole(text))
        return true;
    if (strstr(text, "Seq Scan"))
        return false;
    return (s->walks && is_by_partial_index(text)) || has_condition(r, line);
}

static void judge(const struct plans *p, const struct explained *s)
{
    PGresult *r = explain(p, s);
    bool fine = true;

    for (int i = 0; i < PQntuples(r); i++)
        fine = is_fine(s, r, i) && fine;
    for (int i = 0; !fine && i < PQntuples(r); i++)
        print_message("%s %s\n", is_fine(s, r, i) ? " " : "!", PQgetvalue(r, i, 0));
    PQclear(r);
    if (!fine)
        fail_msg("%s reads too much", sql_name(s->id));
}

static void judge_all(const struct plans *p)
{
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        judge(p, &statements[i]);
}

/* --- a database --- */

static int setup_of(void **state, bool history)
{
    static struct plans p;
    struct postgres_options o = {.url = cluster_url(cluster_shared()), .schema = "plans", .history = history};
    struct error err = {0};

    cluster_exec(cluster_shared(), "DROP SCHEMA IF EXISTS plans CASCADE");
    ok(postgres_open(&o, &p.store, &err), &err);
    ok(sql_texts_init(&p.sql, "plans", &err), &err);
    p.pg = PQconnectdb(cluster_url(cluster_shared()));
    assert_int_equal(PQstatus(p.pg), CONNECTION_OK);
    /* What a connection sets for each transaction. */
    exec(&p, "BEGIN");
    exec(&p, p.sql.text[Q_TX_WRITE]);
    exec(&p, "SET LOCAL idle_in_transaction_session_timeout = 0");
    *state = &p;
    return 0;
}

static int setup(void **state)
{
    return setup_of(state, false);
}

static int setup_history(void **state)
{
    return setup_of(state, true);
}

static int teardown(void **state)
{
    struct plans *p = *state;

    PQfinish(p->pg);
    sql_texts_done(&p->sql);
    postgres_free(p->store);
    return 0;
}

/* Identifiers as ours are: ordered by time. */
#define ID(n)                                                                                                \
    "(lpad(to_hex(1900000000000 + " n "), 12, '0') || '70008000' || lpad(to_hex(" n "), 12, '0'))::uuid"

static void fill(const struct plans *p, int n)
{
    static const char *const texts[] = {
        "INSERT INTO plans.schedule SELECT " ID(
            "i") ", md5(i::text)::uuid, 1, 0, 0, '', 'app' || i % 10, "
                 "'group' || i % 100, 'key' || i, '', 'name', '{}' FROM generate_series(1, $N) i",
        "INSERT INTO plans.timer SELECT " ID(
            "i") ", 1900000000000000 + i * 1000, 0, 0, 0, 0, 0, 0, 0, 0, "
                 "0, 0, i, CASE WHEN i % 10 = 0 THEN 1 WHEN i % 10 = 1 THEN 2 ELSE 0 END "
                 "FROM generate_series(1, $N) i",
        "INSERT INTO plans.run (id, schedule_id, version, scheduled_at, due_at, attempt, failures, "
        "lease_token, lease_until, state) SELECT " ID("i") ", " ID(
            "i") ", 1, i, i, 1, 0, 1, i, "
                 "(ARRAY[0, 1, 2, 5])[1 + i % 4] FROM generate_series(1, $N) i",
        "INSERT INTO plans.history_outbox (event) SELECT '{}' FROM generate_series(1, $N) i",
        "INSERT INTO plans.run_log SELECT " ID("i * 5") ", " ID(
            "i") ", 1, i, 1, 0, 0, i, 0, 200, "
                 "CASE WHEN i % 10 = 0 THEN 4 ELSE 3 END, '' FROM generate_series(1, $N) i",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(buf_done_p) struct buf b = {0};
        size_t head = (size_t)(strstr(texts[i], "$N") - texts[i]);

        buf_init(&b, 10000);
        buf_add(&b, (struct str){texts[i], head});
        buf_addf(&b, "%d%s", n, texts[i] + head + 2);
        exec(p, buf_cstr(&b));
    }
}

static void with_many_rows_no_statement_reads_a_table_from_end_to_end(void **state)
{
    struct plans *p = *state;

    fill(p, 100000);
    exec(p, "ANALYZE plans.schedule, plans.timer, plans.run, plans.run_log");
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        prepare(p, &statements[i]);
    judge_all(p);
}

static void a_plan_made_on_an_empty_database_is_still_good_when_it_has_grown(void **state)
{
    struct plans *p = *state;

    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        prepare(p, &statements[i]);
        PQclear(explain(p, &statements[i])); /* the plan is made now, and kept */
    }
    fill(p, 1000);
    judge_all(p);
}

static bool plan_names(const struct plans *p, enum sql id, const char *index)
{
    struct explained s = {id, "uttttttii", false};
    PGresult *r;
    bool found = false;

    prepare(p, &s);
    r = explain(p, &s);
    for (int i = 0; i < PQntuples(r); i++)
        found = found || strstr(PQgetvalue(r, i, 0), index);
    for (int i = 0; !found && i < PQntuples(r); i++)
        print_message("! %s\n", PQgetvalue(r, i, 0));
    PQclear(r);
    return found;
}

/* There the statistics say that an index by application or group finds as much as the primary key does. */
static void lists_go_by_their_index_even_if_all_schedules_have_one_application(void **state)
{
    struct plans *p = *state;

    fill(p, 100000);
    exec(p, "UPDATE plans.schedule SET application = 'one', client_group = 'one'");
    exec(p, "ANALYZE plans.schedule, plans.timer, plans.run, plans.run_log");
    assert_true(plan_names(p, Q_LIST_BY_APPLICATION, "schedule_application"));
    assert_true(plan_names(p, Q_IDS_BY_APPLICATION, "schedule_application"));
    assert_true(plan_names(p, Q_LIST_BY_GROUP, "schedule_group"));
    assert_true(plan_names(p, Q_IDS_BY_GROUP, "schedule_group"));
}

static void no_statement_reads_a_history_from_end_to_end(void **state)
{
    struct plans *p = *state;

    exec(p,
         "INSERT INTO plans.history SELECT " ID("i") ", " ID("i % 100") ", i % 12, '{}' "
                                                                        "FROM generate_series(1, 100000) i");
    exec(p, "ANALYZE plans.history");
    for (size_t i = 0; i < COUNT_OF(history_statements); i++) {
        prepare(p, &history_statements[i]);
        judge(p, &history_statements[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_many_rows_no_statement_reads_a_table_from_end_to_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_plan_made_on_an_empty_database_is_still_good_when_it_has_grown,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(lists_go_by_their_index_even_if_all_schedules_have_one_application,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(no_statement_reads_a_history_from_end_to_end, setup_history,
                                        teardown),
    };

    if (!cluster_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
