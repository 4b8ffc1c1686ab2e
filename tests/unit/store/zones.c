/*
 * zones.c: another release of the time zone database: what is still to come moves, by whoever of several
 * instances gets to it, and nothing fires twice for it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ground.h"
#include "store/ops_zones.h"

#define NOONS "\"type\":\"cron\",\"schedule\":\"0 12 * * *\",\"timezone\":\"Test\""
#define QUARTERS "\"type\":\"cron\",\"schedule\":\"*/15 * * * * *\",\"timezone\":\"Test\""
#define HOUR (3600 * SECOND)

struct scene {
    struct ground *g;
    char folder[96];
    struct zones *system; /* the ground's own */
};

static void copy_zone(const char *from, const char *folder)
{
    static char data[16384];
    char path[160];
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", from);
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(data, 1, sizeof(data), f);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(path, sizeof(path), "%s/Test", folder);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_release(const char *release, const char *folder)
{
    char path[160];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/+VERSION", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "%s\n", release) > 0);
    assert_int_equal(fclose(f), 0);
}

/* From here on the process knows this release, in which the zone "Test" has the rules of `like`. */
static void install(struct scene *x, const char *release, const char *like)
{
    struct ground *g = x->g;
    struct error err = {0};

    copy_zone(like, x->folder);
    write_release(release, x->folder);
    if (g->zones != x->system)
        zones_free(g->zones);
    ok(zones_new(x->folder, &g->zones, &err), &err);
    g->rules.zones = g->zones;
    g->rules.default_timezone = STR("Test");
    claim_cache_free(g->cache);
    g->cache = claim_cache_new(100);
}

static int setup(void **state)
{
    static struct scene x;
    struct error err = {0};

    x = (struct scene){0};
    if (ground_setup(state) != 0)
        return -1;
    x.g = *state;
    x.system = x.g->zones;
    (void)snprintf(x.folder, sizeof(x.folder), "%s/zones", x.g->folder);
    if (mkdir(x.folder, 0700) != 0)
        return -1;
    install(&x, "2090a", "Asia/Tokyo");
    (void)err;
    *state = &x;
    return 0;
}

static int teardown(void **state)
{
    struct scene *x = *state;
    void *g = x->g;

    zones_free(x->system);
    ground_folder_remove(x->folder);
    return ground_teardown(&g);
}

/* A page, as a lane runs it. */
static void page(struct scene *x, struct op_retime *o)
{
    struct ground *g = x->g;
    struct notice notice = {.earliest = WALL_NEVER};
    struct op *op = &o->op;
    struct error err = {0};

    o->rules = &g->rules;
    o->release = zones_version(g->zones);
    begin(g);
    ok(op->type->run(g->s, &op, 1, g->now, &notice, &err), &err);
    commit(g);
    change_list_done(&notice.changed);
}

/* As a start does; how many it moved. */
static size_t start(struct scene *x)
{
    struct op_retime *o = op_retime_new(NULL);
    size_t moved = 0;

    do {
        page(x, o);
        moved += o->ret_moved;
    } while (o->ret_more);
    op_retime_free(o);
    return moved;
}

static struct timer timer_of(struct scene *x, struct uuid id)
{
    struct record r = record_of(x->g, id);
    struct timer t = r.timer;

    record_done(&r);
    return t;
}

static void paused_schedules_follow_new_rules_too(void **state)
{
    struct scene *x = *state;
    struct uuid active = registered_as(x->g, "active", NOONS);
    struct uuid paused = registered_as(x->g, "paused", NOONS ",\"paused\":true");

    assert_int_equal(start(x), 0);
    install(x, "2090b", "UTC");
    assert_int_equal(start(x), 2);
    assert_int_equal(timer_of(x, active).next_at.us, GROUND_NOW.us + 12 * HOUR);
    assert_int_equal(timer_of(x, paused).occurs_at.us, GROUND_NOW.us + 12 * HOUR);
    assert_int_equal(timer_of(x, paused).state, SCHEDULE_PAUSED);
    assert_true(wall_is_never(timer_of(x, paused).next_at));
    assert_int_equal(stats_of(x->g).schedules[SCHEDULE_PAUSED], 1);
    assert_int_equal(stats_of(x->g).schedules[SCHEDULE_ACTIVE], 1);
    assert_int_equal(start(x), 0);
}

static void what_was_made_ahead_of_its_time_is_not_made_again(void **state)
{
    struct scene *x = *state;
    struct ground *g = x->g;
    struct uuid id = registered_as(g, "k", QUARTERS);
    struct claim_result c;
    struct claim_result again;

    assert_int_equal(start(x), 0);
    sleep_us(g, 14 * SECOND + SECOND / 2);
    c = claim_n(g, 1); /* half a second ahead */
    assert_int_equal(timer_of(x, id).next_at.us, GROUND_NOW.us + 30 * SECOND);
    install(x, "2090b", "UTC");
    assert_int_equal(start(x), 0);
    assert_int_equal(timer_of(x, id).next_at.us, GROUND_NOW.us + 30 * SECOND);
    again = claim_n(g, 0);
    claim_result_done(&again);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    claim_result_done(&c);
}

static void what_the_rules_leave_alone_is_not_written(void **state)
{
    struct scene *x = *state;
    struct timer before;
    struct timer after;
    struct uuid id = registered_as(x->g, "k", NOONS);

    assert_int_equal(start(x), 0);
    before = timer_of(x, id);
    install(x, "2090b", "Asia/Seoul"); /* as far from Greenwich as Tokyo is */
    assert_int_equal(start(x), 0);
    after = timer_of(x, id);
    assert_memory_equal(&before, &after, sizeof(before));
}

/* Two instances start at the same time: their pages are one after the other's, and none is done twice. */
static void instances_that_start_at_once_share_the_pages(void **state)
{
    struct scene *x = *state;
    struct op_retime *one = op_retime_new(NULL);
    struct op_retime *two = op_retime_new(NULL);
    enum { MANY = 250 };

    for (int i = 0; i < MANY; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", i);
        sleep_us(x->g, 1);
        (void)registered_as(x->g, key, NOONS);
    }
    assert_int_equal(start(x), 0);
    install(x, "2090b", "UTC");
    page(x, one);
    assert_string_equal(one->ret_was, "2090a");
    assert_int_equal(one->ret_moved, 100);
    assert_true(one->ret_more);
    page(x, two);
    assert_int_equal(two->ret_moved, 100);
    assert_true(two->ret_more);
    page(x, two);
    assert_int_equal(two->ret_moved, 50);
    assert_false(two->ret_more);
    page(x, one); /* finds all of it done */
    assert_int_equal(one->ret_moved, 0);
    assert_false(one->ret_more);
    op_retime_free(one);
    op_retime_free(two);
}

static void a_start_that_crashed_in_the_middle_is_finished_by_the_next(void **state)
{
    struct scene *x = *state;
    struct op_retime *crashed = op_retime_new(NULL);

    for (int i = 0; i < 150; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", i);
        sleep_us(x->g, 1);
        (void)registered_as(x->g, key, NOONS);
    }
    assert_int_equal(start(x), 0);
    install(x, "2090b", "UTC");
    page(x, crashed);
    op_retime_free(crashed);
    assert_int_equal(start(x), 50);
    install(x, "2090c", "Asia/Tokyo"); /* what an older release had reached is none of the next one's */
    assert_int_equal(start(x), 150);
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, setup, teardown, NULL                                                                         \
    }
    struct CMUnitTest tests[] = {
        SENTENCE(paused_schedules_follow_new_rules_too),
        SENTENCE(what_was_made_ahead_of_its_time_is_not_made_again),
        SENTENCE(what_the_rules_leave_alone_is_not_written),
        SENTENCE(instances_that_start_at_once_share_the_pages),
        SENTENCE(a_start_that_crashed_in_the_middle_is_finished_by_the_next),
    };
    int failed = 0;

    ground_process_setup();
    for (size_t k = 0; k < kinds_n; k++) {
        if (kinds[k]->available && !kinds[k]->available())
            continue;
        for (size_t i = 0; i < COUNT_OF(tests); i++)
            tests[i].initial_state = (void *)(uintptr_t)kinds[k];
        failed += cmocka_run_group_tests_name(kinds[k]->name, tests, NULL, NULL);
    }
    return failed;
}
