/*
 * history.c: what a history database promises, over SQLite and PostgreSQL: an event once, newest first, by
 * schedule, kind and time; retention; and the file or schema of the other kind refused.
 */
#include "ground.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cluster.h"
#include "store/journal.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

#define DAY_US (86400 * US_PER_S)
#define FIRST ((struct uuid){{1}})
#define SECOND_ONE ((struct uuid){{2}})

struct place {
    struct sqlite_file *file;
    struct postgres *postgres;
    struct store *s;
    struct wall now;
    char folder[64];
};

static struct wall place_clock(void *arg)
{
    return ((struct place *)arg)->now;
}

static struct place *place_new(void)
{
    static struct place p;

    p = (struct place){.now = GROUND_NOW, .folder = "/dev/shm/carillon-history-XXXXXX"};
    return &p;
}

static int setup_sqlite(void **state)
{
    struct place *p = place_new();
    char path[96];
    struct sqlite_options o = {.path = path, .history = true, .clock = place_clock, .clock_arg = p};
    struct error err = {0};

    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(path, sizeof(path), "%s/history.db", p->folder);
    ok(sqlite_file_open(&o, &p->file, &err), &err);
    ok(sqlite_connect(p->file, true, &p->s, &err), &err);
    *state = p;
    return 0;
}

static int setup_postgres(void **state)
{
    struct place *p = place_new();
    struct postgres_options o = {.url = cluster_url(cluster_shared()),
                                 .history = true,
                                 .schema = "events",
                                 .clock = place_clock,
                                 .clock_arg = p};
    struct error err = {0};

    p->folder[0] = '\0';
    cluster_exec(cluster_shared(), "DROP SCHEMA IF EXISTS events CASCADE");
    ok(postgres_open(&o, &p->postgres, &err), &err);
    ok(postgres_connect(p->postgres, true, &p->s, &err), &err);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    store_close(p->s);
    sqlite_file_free(p->file);
    postgres_free(p->postgres);
    if (p->folder[0] != '\0')
        ground_folder_remove(p->folder);
    return 0;
}

static struct history_row row(struct wall at, struct uuid schedule, enum history_kind kind, const char *text)
{
    return (struct history_row){
        .id = uuid_v7(at), .schedule_id = schedule, .kind = (int)kind, .text = str_of(text)};
}

static void add(struct place *p, const struct history_row *rows, size_t n)
{
    struct error err = {0};

    ok(store_begin(p->s, true, &err), &err);
    ok(store_history_add(p->s, rows, n, &err), &err);
    ok(store_commit(p->s, &err), &err);
}

/* The texts, in their order. */
static const char *list(struct place *p, struct history_filter f, struct uuid *ret_last)
{
    static char texts[1000];
    struct history_list l = {0};
    struct error err = {0};

    texts[0] = '\0';
    if (f.limit == 0)
        f.limit = 100;
    ok(store_begin(p->s, false, &err), &err);
    ok(store_history_list(p->s, &f, &l, &err), &err);
    ok(store_commit(p->s, &err), &err);
    for (size_t i = 0; i < l.n; i++)
        (void)snprintf(texts + strlen(texts), sizeof(texts) - strlen(texts), "%s", l.items[i].text);
    if (ret_last && l.n > 0)
        *ret_last = l.items[l.n - 1].id;
    history_list_done(&l);
    return texts;
}

#define ALL .kind = -1, .from = {INT64_MIN}, .to = WALL_NEVER
#define LIST(p, ...) list((p), (struct history_filter){__VA_ARGS__}, NULL)

static struct wall after(int64_t s)
{
    return wall_add(GROUND_NOW, s * US_PER_S);
}

static void fill(struct place *p)
{
    const struct history_row rows[] = {
        row(after(1), FIRST, EVENT_REGISTERED, "a"),   row(after(2), FIRST, EVENT_STARTED, "b"),
        row(after(3), SECOND_ONE, EVENT_STARTED, "c"), row(after(4), FIRST, EVENT_SUCCEEDED, "d"),
        row(after(5), SECOND_ONE, EVENT_DEAD, "e"),
    };

    add(p, rows, COUNT_OF(rows));
}

static void an_event_is_there_once_however_often_it_is_added(void **state)
{
    struct place *p = *state;
    struct history_row one = row(after(1), FIRST, EVENT_STARTED, "first");

    add(p, &one, 1);
    one.text = STR("again");
    add(p, &one, 1);
    assert_string_equal(LIST(p, ALL), "first");
}

static void events_are_listed_newest_first_by_schedule_kind_and_time(void **state)
{
    struct place *p = *state;

    fill(p);
    assert_string_equal(LIST(p, ALL), "edcba");
    assert_string_equal(LIST(p, ALL, .schedule_id = FIRST), "dba");
    assert_string_equal(LIST(p, .kind = EVENT_STARTED, .from = {INT64_MIN}, .to = WALL_NEVER), "cb");
    assert_string_equal(LIST(p, .kind = EVENT_DEAD, .from = {INT64_MIN}, .to = WALL_NEVER), "e");
    assert_string_equal(
        LIST(p, .kind = EVENT_STARTED, .schedule_id = FIRST, .from = {INT64_MIN}, .to = WALL_NEVER), "b");
    assert_string_equal(
        LIST(p, .kind = EVENT_REGISTERED, .schedule_id = FIRST, .from = {INT64_MIN}, .to = WALL_NEVER), "a");
    assert_string_equal(
        LIST(p, .kind = EVENT_DEAD, .schedule_id = FIRST, .from = {INT64_MIN}, .to = WALL_NEVER), "");
    assert_string_equal(LIST(p, .kind = -1, .from = after(2), .to = after(4)), "cb");
    assert_string_equal(LIST(p, .kind = -1, .from = after(4), .to = WALL_NEVER), "ed");
}

static void pages_go_on_behind_the_last_id_while_events_come(void **state)
{
    struct place *p = *state;
    struct history_row newer = row(after(9), FIRST, EVENT_STARTED, "z");
    struct uuid last;

    fill(p);
    assert_string_equal(list(p, (struct history_filter){ALL, .limit = 2}, &last), "ed");
    add(p, &newer, 1);
    assert_string_equal(list(p, (struct history_filter){ALL, .limit = 2, .before = last}, &last), "cb");
    assert_string_equal(list(p, (struct history_filter){ALL, .limit = 2, .before = last}, &last), "a");
}

/* Of both schedules and one that has none, in the order of their ids. */
static const char *list_of_each(struct place *p, struct history_filter f, size_t most)
{
    static char texts[1000];
    const struct uuid ids[] = {FIRST, SECOND_ONE, {{3}}};
    CLEANUP(history_list_done) struct history_list l = {0};
    struct error err = {0};
    enum err e;

    texts[0] = '\0';
    ok(store_begin(p->s, false, &err), &err);
    e = store_history_list_of(p->s, ids, COUNT_OF(ids), &f, most, &l, &err);
    ok(store_commit(p->s, &err), &err);
    if (e == ERR_TOO_LARGE)
        return "too large";
    ok(e, &err);
    for (size_t i = 0; i < l.n; i++)
        (void)snprintf(texts + strlen(texts), sizeof(texts) - strlen(texts), "%d%s",
                       l.items[i].schedule_id.b[0], l.items[i].text);
    return texts;
}

static void events_of_many_schedules_are_those_of_each(void **state)
{
    struct place *p = *state;
    struct history_filter f = {ALL, .limit = 100};

    assert_string_equal(list_of_each(p, f, 5), "");
    fill(p);
    assert_string_equal(list_of_each(p, f, 5), "1d1b1a2e2c");
    assert_string_equal(list_of_each(p, f, 4), "too large");
    f.limit = 1;
    assert_string_equal(list_of_each(p, f, 4), "1d2e");
    (void)list(p, (struct history_filter){ALL, .limit = 2}, &f.before);
    f.limit = 2;
    assert_string_equal(list_of_each(p, f, 4), "1b1a2c");
    f.kind = EVENT_STARTED;
    assert_string_equal(list_of_each(p, f, 4), "1b2c");
    f.kind = EVENT_REGISTERED;
    assert_string_equal(list_of_each(p, f, 4), "1a");
    f = (struct history_filter){.kind = -1, .from = after(2), .to = after(4), .limit = 9};
    assert_string_equal(list_of_each(p, f, 9), "1b2c");
}

static size_t trim(struct place *p, struct wall before, size_t limit)
{
    struct error err = {0};
    size_t n = 0;

    ok(store_begin(p->s, true, &err), &err);
    ok(store_history_trim(p->s, before, limit, &n, &err), &err);
    ok(store_commit(p->s, &err), &err);
    store_upkeep(p->s);
    return n;
}

static void old_rows_go_in_batches(void **state)
{
    struct place *p = *state;

    fill(p);
    assert_int_equal(trim(p, after(4), 2), 2);
    assert_string_equal(LIST(p, ALL), "edc");
    assert_int_equal(trim(p, after(4), 2), 1);
    assert_int_equal(trim(p, after(4), 2), 0);
    assert_string_equal(LIST(p, ALL), "ed");
}

static void old_days_are_dropped_whole_and_what_has_no_day_goes_in_batches(void **state)
{
    struct place *p = *state;
    struct history_row long_ago = row(wall_add(GROUND_NOW, -400 * DAY_US), FIRST, EVENT_STARTED, "x");
    const char *days = "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent "
                       "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'events' "
                       "AND c.relname = 'history'";
    int64_t before = cluster_ask(cluster_shared(), days);

    fill(p);
    add(p, &long_ago, 1);
    assert_string_equal(LIST(p, ALL), "edcbax");
    assert_int_equal(trim(p, wall_add(GROUND_NOW, -1 * DAY_US), 10), 1);
    assert_string_equal(LIST(p, ALL), "edcba");
    p->now = wall_add(GROUND_NOW, 2 * DAY_US);
    (void)trim(p, wall_add(p->now, -1 * DAY_US), 10);
    p->now = wall_add(p->now, 2 * 3600 * US_PER_S);
    (void)trim(p, wall_add(p->now, -1 * DAY_US), 10);
    assert_string_equal(LIST(p, ALL), "");
    /* A day was dropped; those ahead are made. */
    assert_true(cluster_ask(cluster_shared(), days) >= before);
    assert_int_equal(cluster_ask(cluster_shared(), "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON "
                                                   "n.oid = c.relnamespace WHERE n.nspname = 'events' "
                                                   "AND c.relname = 'history_20300101'"),
                     0);
}

static void a_database_of_the_other_kind_is_refused(void **state)
{
    struct place *p = *state;
    char path[96];
    struct sqlite_options o = {.path = path};
    struct sqlite_file *f = NULL;
    struct error err = {0};

    (void)snprintf(path, sizeof(path), "%s/history.db", p->folder);
    store_close(TAKE(p->s));
    sqlite_file_free(TAKE(p->file));
    assert_int_equal(sqlite_file_open(&o, &f, &err), ERR_CONFLICT);
}

int main(void)
{
#define BOTH(f)                                                                                              \
    {"sqlite: " #f, f, setup_sqlite, teardown, NULL},                                                        \
    {                                                                                                        \
        "postgres: " #f, f, setup_postgres, teardown, NULL                                                   \
    }
    const struct CMUnitTest tests[] = {
        BOTH(an_event_is_there_once_however_often_it_is_added),
        BOTH(events_are_listed_newest_first_by_schedule_kind_and_time),
        BOTH(pages_go_on_behind_the_last_id_while_events_come),
        BOTH(events_of_many_schedules_are_those_of_each),
        {"sqlite: old_rows_go_in_batches", old_rows_go_in_batches, setup_sqlite, teardown, NULL},
        {"postgres: old_days_are_dropped", old_days_are_dropped_whole_and_what_has_no_day_goes_in_batches,
         setup_postgres, teardown, NULL},
        {"sqlite: a_database_of_the_other_kind_is_refused", a_database_of_the_other_kind_is_refused,
         setup_sqlite, teardown, NULL},
    };

    if (!cluster_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
