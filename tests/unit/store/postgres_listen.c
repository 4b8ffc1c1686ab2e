/*
 * postgres_listen.c: what one instance commits the others are told, once, and nothing that it did not commit;
 * who did not listen for a while is told to look at everything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cluster.h"
#include "ground.h"
#include "store/ops_schedule.h"
#include "store/postgres/listen.h"
#include "store/postgres/notify.h"
#include "store/postgres/postgres.h"

#define LATER "\"type\":\"delay\",\"schedule\":\"50\""
static const struct uuid me = {{1}}; /* the ground's instance */
static const struct uuid other = {{2}};

/* --- the text --- */

static void encode(const struct notice *n, struct buf *ret)
{
    struct error err = {0};

    buf_init(ret, NOTICE_TEXT_MAX);
    ok(notice_encode(n, me, ret, &err), &err);
}

static struct notice decoded(struct str text, struct uuid expected_sender)
{
    struct notice n;
    struct uuid sender;
    struct error err = {0};

    ok(notice_decode(text, &sender, &n, &err), &err);
    assert_true(uuid_eq(sender, expected_sender));
    return n;
}

static void a_notice_is_read_as_it_was_written(void **state)
{
    struct change changes[2] = {{.schedule_id = {{7}}, .version = 3},
                                {.schedule_id = {{8}}, .version = INT64_MAX}};
    struct notice in = {.earliest = {123}, .changed = {.items = changes, .n = 2}};
    CLEANUP(buf_done_p) struct buf text = {0};
    struct notice out;

    (void)state;
    encode(&in, &text);
    out = decoded(buf_str(&text), me);
    assert_int_equal(out.earliest.us, 123);
    assert_false(out.all);
    assert_int_equal(out.changed.n, 2);
    assert_true(uuid_eq(out.changed.items[0].schedule_id, changes[0].schedule_id));
    assert_int_equal(out.changed.items[0].version, 3);
    assert_true(uuid_eq(out.changed.items[1].schedule_id, changes[1].schedule_id));
    assert_int_equal(out.changed.items[1].version, INT64_MAX);
    change_list_done(&out.changed);
}

static void a_notice_without_a_time_has_none_when_it_is_read(void **state)
{
    struct notice in = {.earliest = WALL_NEVER, .all = true};
    CLEANUP(buf_done_p) struct buf text = {0};
    struct notice out;

    (void)state;
    encode(&in, &text);
    out = decoded(buf_str(&text), me);
    assert_true(wall_is_never(out.earliest));
    assert_true(out.all);
}

static void more_changes_than_fit_become_all(void **state)
{
    struct change changes[300];
    struct notice in = {.earliest = {5}, .changed = {.items = changes}};
    struct notice out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        changes[i] = (struct change){.schedule_id = {{(uint8_t)i, (uint8_t)(i >> 8)}}, .version = 1};
    for (in.changed.n = 1; in.changed.n <= COUNT_OF(changes); in.changed.n++) {
        CLEANUP(buf_done_p) struct buf text = {0};

        encode(&in, &text);
        assert_true(text.n <= NOTICE_TEXT_MAX);
        out = decoded(buf_str(&text), me);
        assert_int_equal(out.earliest.us, 5);
        assert_true(out.all || out.changed.n == in.changed.n);
        assert_true(!out.all || in.changed.n > 100);
        change_list_done(&out.changed);
    }
    assert_true(out.all);
}

static void notices_that_are_merged_tell_what_each_told(void **state)
{
    struct change change = {.schedule_id = {{7}}, .version = 3};
    const struct notice first = {.earliest = {50}, .changed = {.items = &change, .n = 1}};
    const struct notice second = {.earliest = {40}};
    struct notice to = {.earliest = WALL_NEVER};

    (void)state;
    notice_merge(&to, &first, 2);
    notice_merge(&to, &second, 2);
    notice_merge(&to, &first, 2);
    assert_int_equal(to.earliest.us, 40);
    assert_int_equal(to.changed.n, 2);
    assert_int_equal(to.changed.items[0].version, 3);
    assert_false(to.all);
    notice_merge(&to, &first, 2); /* one more than may be kept */
    assert_true(to.all);
    assert_int_equal(to.earliest.us, 40);
    change_list_done(&to.changed);
}

static void text_that_is_not_ours_means_everything(void **state)
{
    static const char *const texts[] = {"",  "hello",   "2 00000000-0000-0000-0000-000000000001 5",
                                        "1", "1 xyz 5", "1 00000000-0000-0000-0000-000000000001"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct notice n;
        struct uuid sender;

        assert_int_equal(notice_decode(str_of(texts[i]), &sender, &n, NULL), ERR_NONE);
        assert_true(n.all);
        change_list_done(&n.changed);
    }
}

/* --- over the database --- */

/* What a listener told, awaited. */
struct ear {
    struct listener *l;
    pthread_mutex_t lock;
    pthread_cond_t heard;
    /* under .lock */
    size_t n; /* notices that named something */
    size_t all;
    struct notice last; /* its list is ours */
};

static void on_notice(void *arg, const struct notice *n)
{
    struct ear *e = arg;

    MUST(pthread_mutex_lock(&e->lock) == 0);
    if (n->all) {
        e->all++;
    } else {
        e->n++;
        change_list_done(&e->last.changed);
        e->last = (struct notice){.earliest = n->earliest};
        for (size_t i = 0; i < n->changed.n; i++)
            MUST(change_list_add(&e->last.changed, n->changed.items[i], NULL) == ERR_NONE);
    }
    MUST(pthread_cond_signal(&e->heard) == 0);
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

/* Ten seconds: then the test fails. */
static void await(struct ear *e, size_t n, size_t all)
{
    struct timespec until;
    int status = 0;

    MUST(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += 10;
    MUST(pthread_mutex_lock(&e->lock) == 0);
    while ((e->n < n || e->all < all) && status == 0)
        status = pthread_cond_timedwait(&e->heard, &e->lock, &until);
    assert_int_equal(e->n, n);
    assert_int_equal(e->all, all);
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

/* Listening already. */
static void ear_open(struct ear *e, struct uuid instance)
{
    struct listener_options o = {.url = cluster_url(cluster_shared()),
                                 .application_name = "listener",
                                 .instance = instance,
                                 .notice = on_notice,
                                 .notice_arg = e};
    struct error err = {0};

    *e = (struct ear){.lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER};
    ok(listener_new(&o, &e->l, &err), &err);
    await(e, 0, 1);
}

static void ear_close(struct ear *e)
{
    listener_free(e->l);
    change_list_done(&e->last.changed);
    MUST(pthread_cond_destroy(&e->heard) == 0);
    MUST(pthread_mutex_destroy(&e->lock) == 0);
}

static enum err open_writer(void *arg, struct store **ret, struct error *err)
{
    return postgres_connect(arg, true, ret, err);
}

static struct lane *new_lane(struct ground *g)
{
    struct lane_options o = {
        .name = "writer", .open = open_writer, .open_arg = g->own, .queue_limit = 100, .group_limit = 100};
    struct error err = {0};
    struct lane *l = NULL;

    ok(lane_new(&o, &l, &err), &err);
    return l;
}

static struct uuid put(struct ground *g, struct lane *l, const char *key, const char *members)
{
    struct op_put *o = NULL;
    struct error err = {0};
    struct uuid id;

    ok(op_put_new(1, NULL, &o, &err), &err);
    o->items[0].schedule = define(g, key, members);
    ok(lane_call(l, &o->op, &err), &err);
    id = o->items[0].ret_id;
    op_put_free(o);
    return id;
}

static void remove_it(struct lane *l, struct uuid id)
{
    struct op_remove *o = op_remove_new(NULL);
    struct error err = {0};

    o->by_id = true;
    o->id = id;
    ok(lane_call(l, &o->op, &err), &err);
    op_remove_free(o);
}

static void others_are_told_what_is_due_and_what_changed(void **state)
{
    struct ground *g = *state;
    struct lane *l = new_lane(g);
    struct ear e;
    struct uuid id;

    ear_open(&e, other);
    id = put(g, l, "k", LATER);
    await(&e, 1, 1);
    assert_int_equal(e.last.earliest.us, g->now.us + 50 * SECOND);
    assert_int_equal(e.last.changed.n, 0);
    (void)put(g, l, "k", "\"type\":\"now\"");
    await(&e, 2, 1);
    assert_int_equal(e.last.earliest.us, g->now.us);
    assert_int_equal(e.last.changed.n, 1);
    assert_true(uuid_eq(e.last.changed.items[0].schedule_id, id));
    assert_int_equal(e.last.changed.items[0].version, 2);
    remove_it(l, id);
    await(&e, 3, 1);
    assert_true(wall_is_never(e.last.earliest));
    assert_true(uuid_eq(e.last.changed.items[0].schedule_id, id));
    assert_int_equal(e.last.changed.items[0].version, INT64_MAX);
    ear_close(&e);
    lane_free(l);
}

static void a_burst_of_registrations_is_few_notices(void **state)
{
    struct ground *g = *state;
    struct lane *l = new_lane(g);
    struct op_put *o = NULL;
    struct error err = {0};
    struct ear e;

    ear_open(&e, other);
    ok(op_put_new(100, NULL, &o, &err), &err);
    for (int i = 0; i < 100; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%d", i);
        o->items[i].schedule = define(g, key, LATER);
    }
    ok(lane_call(l, &o->op, &err), &err);
    op_put_free(o);
    (void)put(g, l, "last", LATER);
    await(&e, 2, 1); /* one a commit, and they come in order */
    ear_close(&e);
    lane_free(l);
}

static void an_instance_does_not_hear_itself(void **state)
{
    struct ground *g = *state;
    struct lane *l = new_lane(g);
    struct ear mine;
    struct ear theirs;

    ear_open(&mine, me);
    ear_open(&theirs, other);
    (void)put(g, l, "k", LATER);
    await(&theirs, 1, 1);
    /* It would have come by now: what follows on the same connection has. */
    cluster_exec(cluster_shared(),
                 "SELECT pg_notify('carillon.notice', '1 00000000-0000-0000-0000-000000000009 77')");
    await(&mine, 1, 1);
    assert_int_equal(mine.last.earliest.us, 77);
    ear_close(&mine);
    ear_close(&theirs);
    lane_free(l);
}

static void what_is_rolled_back_is_told_to_nobody(void **state)
{
    struct ground *g = *state;
    struct notice n = {.earliest = g->now};
    struct error err = {0};
    struct ear e;

    ear_open(&e, other);
    begin(g);
    ok(store_notify(g->s, &n, g->now, &err), &err);
    store_rollback(g->s);
    g->in_transaction = false;
    begin(g);
    n.earliest.us++;
    ok(store_notify(g->s, &n, g->now, &err), &err);
    commit(g);
    await(&e, 1, 1);
    assert_int_equal(e.last.earliest.us, g->now.us + 1);
    ear_close(&e);
}

static void what_is_due_after_everybody_has_looked_is_told_to_nobody(void **state)
{
    struct ground *g = *state;
    struct postgres_options o = {
        .url = cluster_url(cluster_shared()), .instance = me, .poll_us = 30 * SECOND};
    struct postgres *p = NULL;
    struct store *s = NULL;
    struct notice n = {.earliest = wall_add(g->now, 30 * SECOND + 1)};
    struct error err = {0};
    struct ear e;

    ok(postgres_open(&o, &p, &err), &err);
    ok(postgres_connect(p, true, &s, &err), &err);
    ear_open(&e, other);
    for (int i = 0; i < 2; i++) {
        ok(store_begin(s, true, &err), &err);
        ok(store_notify(s, &n, g->now, &err), &err);
        ok(store_commit(s, &err), &err);
        n.earliest.us--;
    }
    await(&e, 1, 1);
    assert_int_equal(e.last.earliest.us, g->now.us + 30 * SECOND);
    ear_close(&e);
    store_close(s);
    postgres_free(p);
}

static void who_lost_the_connection_looks_at_everything(void **state)
{
    struct ground *g = *state;
    struct lane *l = new_lane(g);
    struct listener_stats stats;
    struct ear e;

    ear_open(&e, other);
    cluster_exec(cluster_shared(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE application_name = 'listener'");
    await(&e, 0, 2);
    cluster_restart(cluster_shared(), "immediate");
    await(&e, 0, 3);
    (void)put(g, l, "k", LATER);
    await(&e, 1, 3);
    listener_get_stats(e.l, &stats);
    assert_true(stats.connected);
    assert_int_equal(stats.connects, 3);
    assert_int_equal(stats.notices, 1);
    ear_close(&e);
    lane_free(l);
}

static void a_listener_ends_while_the_database_is_away(void **state)
{
    struct listener_options o = {
        .url = "postgresql://carillon@/postgres?host=/nowhere", .notice = on_notice, .instance = me};
    struct listener *l = NULL;
    struct error err = {0};

    (void)state;
    ok(listener_new(&o, &l, &err), &err);
    listener_free(l);
}

static long long sleeps_of(const char *task)
{
    char path[300];
    char line[200];
    long long n = 0;
    bool is_it = false;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        is_it = is_it || strcmp(line, "Name:\tnotices\n") == 0;
        (void)!sscanf(line, "voluntary_ctxt_switches: %lld", &n);
    }
    if (f)
        (void)fclose(f);
    return is_it ? n : 0;
}

/* How often the listener's thread went to sleep of its own will. */
static long long sleeps(void)
{
    long long sum = 0;
    DIR *d = opendir("/proc/self/task");
    struct dirent *entry;

    assert_non_null(d);
    while ((entry = readdir(d)))
        sum += sleeps_of(entry->d_name);
    (void)closedir(d);
    assert_true(sum > 0);
    return sum;
}

static void a_listener_that_hears_nothing_does_not_wake(void **state)
{
    enum { TRIES = 20, LOOK_MS = 300 };
    struct ear e;
    bool still = false;

    (void)state;
    ear_open(&e, other);
    /* It may not have gone to sleep yet when it is first looked at. */
    for (int i = 0; i < TRIES && !still; i++) {
        long long before = sleeps();

        (void)poll(NULL, 0, LOOK_MS);
        still = sleeps() == before;
    }
    assert_true(still);
    ear_close(&e);
}

int main(void)
{
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)&kind_postgres                              \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notice_is_read_as_it_was_written),
        cmocka_unit_test(a_notice_without_a_time_has_none_when_it_is_read),
        cmocka_unit_test(more_changes_than_fit_become_all),
        cmocka_unit_test(notices_that_are_merged_tell_what_each_told),
        cmocka_unit_test(text_that_is_not_ours_means_everything),
        cmocka_unit_test(a_listener_ends_while_the_database_is_away),
        TEST(others_are_told_what_is_due_and_what_changed),
        TEST(a_burst_of_registrations_is_few_notices),
        TEST(an_instance_does_not_hear_itself),
        TEST(what_is_rolled_back_is_told_to_nobody),
        TEST(what_is_due_after_everybody_has_looked_is_told_to_nobody),
        TEST(who_lost_the_connection_looks_at_everything),
        TEST(a_listener_that_hears_nothing_does_not_wake),
    };

    if (!cluster_installed())
        return 77;
    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
