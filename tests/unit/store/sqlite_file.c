/*
 * sqlite_file.c: the database file: its lock, its rights, whose it is, what a previous life left, and its
 * log's length.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ground.h"
#include "store/sqlite/conn.h"

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""

struct place {
    char folder[64];
    char path[96];
};

static int setup(void **state)
{
    static struct place p;

    /* In memory where there is such a place: a quarter of a gigabyte is written. */
    (void)snprintf(p.folder, sizeof(p.folder), "%s/carillon-file-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.path, sizeof(p.path), "%s/store.db", p.folder);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    ground_folder_remove(p->folder);
    return 0;
}

static enum err open_file(const char *path, struct sqlite_file **ret, struct error *err)
{
    struct sqlite_options o = {.path = path};

    return sqlite_file_open(&o, ret, err);
}

static void exec_raw(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_refusal(const char *path, enum err code, const char *text)
{
    struct sqlite_file *f = NULL;
    struct error err = {0};

    assert_int_equal(open_file(path, &f, &err), code);
    assert_null(f);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_string_equal(err.where, path);
}

static void a_second_opening_is_told_who_has_the_file(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct error err = {0};

    ok(open_file(p->path, &f, &err), &err);
    expect_refusal(p->path, ERR_CONFLICT, "another process has this database open");
    sqlite_file_free(TAKE(f));
    ok(open_file(p->path, &f, &err), &err); /* let go, it may be taken again */
    sqlite_file_free(f);
}

/* Opens it by one name, and is refused by the others, whichever is the first. */
static void names_exclude_each_other(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sqlite_file *f = NULL;
        struct error err = {0};

        ok(open_file(names[i], &f, &err), &err);
        for (size_t k = 0; k < n; k++) {
            struct sqlite_file *second = NULL;

            assert_int_equal(open_file(names[k], &second, &err), ERR_CONFLICT);
            assert_null(second);
        }
        sqlite_file_free(f);
    }
}

static void a_file_has_one_lock_whatever_its_path_looks_like(void **state)
{
    struct place *p = *state;
    char folder[96];
    char linked[96];
    char paths[4][160];
    const char *names[5] = {p->path};

    (void)snprintf(folder, sizeof(folder), "%s/elsewhere", p->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(linked, sizeof(linked), "%s/linked", p->folder);
    assert_int_equal(symlink(".", linked), 0);
    (void)snprintf(paths[0], sizeof(paths[0]), "%s/elsewhere/link.db", p->folder);
    assert_int_equal(symlink("../store.db", paths[0]), 0);
    (void)snprintf(paths[1], sizeof(paths[1]), "%s/linked/store.db", p->folder);
    (void)snprintf(paths[2], sizeof(paths[2]), "%s/elsewhere/..//./store.db", p->folder);
    (void)snprintf(paths[3], sizeof(paths[3]), "/proc/self/root%s", p->path);
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        names[i + 1] = paths[i];
    names_exclude_each_other(names + 2, 3); /* before the file is there */
    names_exclude_each_other(names, COUNT_OF(names));
    ground_folder_remove(folder);
}

static void rights_of(const char *path, unsigned expected)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, expected);
}

static void the_file_and_its_folder_are_made_for_their_owner_alone(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct store *s = NULL;
    struct error err = {0};
    char folder[96];
    char path[128];
    char log[160];

    (void)snprintf(folder, sizeof(folder), "%s/data", p->folder);
    (void)snprintf(path, sizeof(path), "%s/store.db", folder);
    (void)snprintf(log, sizeof(log), "%s-wal", path);
    ok(open_file(path, &f, &err), &err);
    ok(sqlite_connect(f, true, &s, &err), &err);
    ok(store_begin(s, true, &err), &err);
    ok(store_set_meta(s, "k", STR("v"), &err), &err);
    ok(store_commit(s, &err), &err);
    rights_of(folder, 0700);
    rights_of(path, 0600);
    rights_of(log, 0600);
    store_close(s);
    sqlite_file_free(f);
    ground_folder_remove(folder);
}

static void all_missing_folders_are_made(void **state)
{
    struct place *p = *state;
    static const char *const tails[] = {"a/b/c/store.db", "a//d/./store.db"};
    static const char *const made[] = {"a/b/c", "a/b", "a/d", "a"};
    struct error err = {0};
    char path[128];

    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        struct sqlite_file *f = NULL;

        (void)snprintf(path, sizeof(path), "%s/%s", p->folder, tails[i]);
        ok(open_file(path, &f, &err), &err);
        sqlite_file_free(f);
    }
    for (size_t i = 0; i < COUNT_OF(made); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", p->folder, made[i]);
        rights_of(path, 0700);
        ground_folder_remove(path);
    }
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct error err = {0};
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/file", p->folder);
    exec_raw(path, "CREATE TABLE recipe (name TEXT)");
    (void)snprintf(path, sizeof(path), "%s/file/a/store.db", p->folder);
    assert_int_equal(open_file(path, &f, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cannot make the database's folder"));
    (void)snprintf(path, sizeof(path), "%s/file/a", p->folder);
    assert_string_equal(err.where, path);
}

static void a_database_of_a_newer_build_is_refused_untouched(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct error err = {0};

    ok(open_file(p->path, &f, &err), &err);
    sqlite_file_free(TAKE(f));
    exec_raw(p->path, "UPDATE meta SET value = value + 9000 WHERE key = 'schema_version'");
    expect_refusal(p->path, ERR_CONFLICT, "schema version 90");
    exec_raw(p->path, "UPDATE meta SET value = value - 9000 WHERE key = 'schema_version'");
    ok(open_file(p->path, &f, &err), &err);
    sqlite_file_free(f);
}

/* As the first version left it, with a run of that version in it. */
static void an_older_builds_database_is_migrated(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct store *s = NULL;
    struct run_record r;
    struct error err = {0};

    ok(open_file(p->path, &f, &err), &err);
    sqlite_file_free(TAKE(f));
    exec_raw(p->path, "ALTER TABLE run DROP COLUMN by_hand_at; ALTER TABLE run_log DROP COLUMN by_hand_at;"
                      "DROP TABLE answer; ALTER TABLE run DROP COLUMN label; UPDATE meta SET value = '1' "
                      "WHERE key = 'schema_version';"
                      "INSERT INTO run (id, schedule_id, version, scheduled_at, state, attempt, failures) "
                      "VALUES (x'00000000000000000000000000000001', x'00', 1, 5, 5, 1, 1)");
    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, true, &s, &err), &err);
    ok(store_begin(s, true, &err), &err);
    ok(store_get_run(s, (struct uuid){{[15] = 1}}, &r, &err), &err);
    assert_int_equal(r.run.by_hand_at.us, 0);
    ok(store_commit(s, &err), &err);
    store_close(s);
    sqlite_file_free(f);
}

static void somebody_elses_database_is_refused(void **state)
{
    struct place *p = *state;

    exec_raw(p->path, "CREATE TABLE recipe (name TEXT)");
    expect_refusal(p->path, ERR_CONFLICT, "not one of Carillon's");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct place *p = *state;
    FILE *file = fopen(p->path, "w");

    assert_non_null(file);
    for (int i = 0; i < 100; i++)
        assert_true(fputs("This is a letter to my grandmother. ", file) >= 0);
    assert_int_equal(fclose(file), 0);
    expect_refusal(p->path, ERR_IO, "not a database");
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_done_p) struct buf value = {0};
    struct sqlite_file *f = NULL;
    struct store *s = NULL;
    struct error err = {0};

    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, true, &s, &err), &err);
    ok(store_begin(s, true, &err), &err);
    ok(store_set_meta(s, "k", STR("v"), &err), &err);
    ok(store_commit(s, &err), &err);
    store_close(TAKE(s));
    sqlite_file_free(TAKE(f));
    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, false, &s, &err), &err);
    buf_init(&value, 10);
    ok(store_begin(s, false, &err), &err);
    ok(store_get_meta(s, "k", &value, &err), &err);
    ok(store_commit(s, &err), &err);
    assert_string_equal(buf_cstr(&value), "v");
    store_close(s);
    sqlite_file_free(f);
}

static void a_reader_sees_commits_but_not_what_is_open(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_done_p) struct buf value = {0};
    struct sqlite_file *f = NULL;
    struct store *writer = NULL;
    struct store *reader = NULL;
    struct error err = {0};

    buf_init(&value, 10);
    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, true, &writer, &err), &err);
    ok(sqlite_connect(f, false, &reader, &err), &err);
    ok(store_begin(writer, true, &err), &err);
    ok(store_set_meta(writer, "k", STR("v"), &err), &err);
    ok(store_begin(reader, false, &err), &err);
    assert_int_equal(store_get_meta(reader, "k", &value, NULL), ERR_NOT_FOUND);
    ok(store_commit(writer, &err), &err);
    assert_int_equal(store_get_meta(reader, "k", &value, NULL), ERR_NOT_FOUND); /* its view stands still */
    ok(store_commit(reader, &err), &err);
    ok(store_begin(reader, false, &err), &err);
    ok(store_get_meta(reader, "k", &value, &err), &err);
    assert_int_equal(store_set_meta(reader, "k", STR("w"), NULL), ERR_IO); /* it may not */
    store_rollback(reader);
    store_close(writer);
    store_close(reader);
    sqlite_file_free(f);
}

/* The ground's clock does not move: only a new opening can end these leases. */
static void leases_of_a_previous_life_end_with_the_next_opening(void **state)
{
    void *inner = (void *)(uintptr_t)kinds[0];
    struct claim_result c;
    struct claim_result again;
    struct ground *g;
    struct error err = {0};
    struct sqlite_options o;
    char path[96];

    (void)state;
    assert_int_equal(ground_setup(&inner), 0);
    g = inner;
    (void)snprintf(path, sizeof(path), "%s/store.db", g->folder);
    (void)registered_as(g, "k", "\"type\":\"now\"");
    c = claim_n(g, 1);
    again = claim_n(g, 0);
    claim_result_done(&again);
    o = (struct sqlite_options){.path = path, .clock = ((struct sqlite_file *)g->own)->clock, .clock_arg = g};
    store_close(g->s);
    sqlite_file_free(g->own);
    g->own = NULL;
    {
        struct sqlite_file *f = NULL;

        ok(sqlite_file_open(&o, &f, &err), &err);
        g->own = f;
        ok(sqlite_connect(f, true, &g->s, &err), &err);
    }
    again = claim_n(g, 1);
    assert_true(uuid_eq(again.items[0].run.id, c.items[0].run.id));
    assert_int_equal(again.items[0].run.attempt, 2);
    assert_true(ended(g, &c.items[0], RUN_SUCCEEDED).stale);
    claim_result_done(&c);
    claim_result_done(&again);
    assert_int_equal(ground_teardown(&inner), 0);
}

/* Pages in the log afterwards. */
static int write_some(struct store *s)
{
    static char text[1 << 18];
    struct error err = {0};

    /* Something new each time: SQLite leaves alone pages that would not change. */
    memset(text, text[0] % 26 + 'a', sizeof(text));
    ok(store_begin(s, true, &err), &err);
    ok(store_set_meta(s, "filler", (struct str){text, sizeof(text)}, &err), &err);
    ok(store_commit(s, &err), &err);
    store_upkeep(s);
    return sqlite_of(s)->wal_pages;
}

static void the_log_begins_anew_when_it_has_grown(void **state)
{
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct store *s = NULL;
    struct error err = {0};
    struct mono began = clock_mono();
    int longest = 0;
    int anew = 0;

    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, true, &s, &err), &err);
    for (int before = 0, pages; anew < 3; before = pages) {
        pages = write_some(s);
        anew += pages < before;
        longest = pages > longest ? pages : longest;
        assert_true(clock_mono().us - began.us < 60 * US_PER_S);
    }
    /* It was let grow before, so that checkpoints are few, but not without bound. */
    assert_in_range(longest, 2000, 70000);
    store_close(s);
    sqlite_file_free(f);
}

/* A backup holds its view. Whatever the log's length: a commit does not wait for it (it used to, for the busy
 * timeout of 5 s each). */
static void a_reader_that_never_leaves_holds_up_nobody(void **state)
{
    enum { LONG = 65000, COMMITS = 50 };
    struct place *p = *state;
    struct sqlite_file *f = NULL;
    struct store *s = NULL;
    sqlite3 *reader = NULL;
    struct error err = {0};
    struct mono began;
    int pages;

    ok(open_file(p->path, &f, &err), &err);
    ok(sqlite_connect(f, true, &s, &err), &err);
    assert_int_equal(sqlite3_open_v2(p->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM meta", NULL, NULL, NULL), SQLITE_OK);
    while (write_some(s) < LONG) {
    }
    began = clock_mono();
    for (int i = 0; i < COMMITS; i++)
        (void)write_some(s);
    assert_true(clock_mono().us - began.us < COMMITS * US_PER_S);
    /* Gone, it is made up for, without anybody being told. */
    assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    began = clock_mono();
    do {
        pages = write_some(s);
        assert_true(clock_mono().us - began.us < 60 * US_PER_S);
    } while (pages > LONG);
    store_close(s);
    sqlite_file_free(f);
}

int main(void)
{
#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        SENTENCE(a_second_opening_is_told_who_has_the_file),
        SENTENCE(a_file_has_one_lock_whatever_its_path_looks_like),
        SENTENCE(the_file_and_its_folder_are_made_for_their_owner_alone),
        SENTENCE(all_missing_folders_are_made),
        SENTENCE(a_folder_that_cannot_be_made_is_named),
        SENTENCE(a_database_of_a_newer_build_is_refused_untouched),
        SENTENCE(an_older_builds_database_is_migrated),
        SENTENCE(somebody_elses_database_is_refused),
        SENTENCE(a_file_that_is_no_database_is_refused),
        SENTENCE(what_was_committed_is_there_after_reopening),
        SENTENCE(a_reader_sees_commits_but_not_what_is_open),
        cmocka_unit_test(leases_of_a_previous_life_end_with_the_next_opening),
        SENTENCE(the_log_begins_anew_when_it_has_grown),
        SENTENCE(a_reader_that_never_leaves_holds_up_nobody),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
