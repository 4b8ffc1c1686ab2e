/*
 * list.c: reading schedules: by identity, by filter, in pages, in numbers.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define DELAY "\"type\":\"delay\",\"schedule\":\"50\""

/* The names of what a filter finds, joined. */
static void found(struct ground *g, struct filter f, char *ret, size_t size)
{
    struct record_list l = {0};
    struct error err = {0};
    size_t at = 0;

    if (f.limit == 0)
        f.limit = 100;
    begin(g);
    ok(store_list(g->s, &f, &l, &err), &err);
    commit(g);
    ret[0] = '\0';
    for (size_t i = 0; i < l.n; i++) {
        CLEANUP(schedule_unref_p) struct schedule *s = define_json(g, l.items[i].definition);

        at += (size_t)snprintf(ret + at, size - at, "%s%.*s", i > 0 ? " " : "", (int)s->name.n, s->name.p);
    }
    record_list_done(&l);
}

static void expect(struct ground *g, struct filter f, const char *names)
{
    char text[200];

    found(g, f, text, sizeof(text));
    assert_string_equal(text, names);
}

static struct uuid with_client(struct ground *g, const char *name, const char *client, const char *more)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;

    buf_init(&b, 10000);
    buf_addf(&b,
             "{\"name\":\"%s\",\"client\":%s,\"type\":\"delay\",\"schedule\":\"50\","
             "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}}%s}",
             name, client, more);
    s = define_json(g, buf_cstr(&b));
    sleep_us(g, SECOND); /* identifiers sort by time */
    return registered(g, s);
}

/* Five schedules that share some members. */
static void populate(struct ground *g, struct uuid ret[5])
{
    ret[0] = with_client(g, "alpha",
                         "{\"operation\":\"o1\",\"application\":\"a1\",\"group\":\"g1\",\"key\":\"k1\"}", "");
    ret[1] = with_client(g, "alps",
                         "{\"operation\":\"o2\",\"application\":\"a1\",\"group\":\"g2\",\"key\":\"k1\"}", "");
    ret[2] = with_client(g, "beta", "{\"application\":\"a2\",\"group\":\"g1\",\"key\":\"k2\",\"type\":\"t\"}",
                         ",\"paused\":true");
    ret[3] = with_client(g, "gamma", "{\"operation\":\"only\"}", "");
    ret[4] = with_client(g, "100%_", "{\"group\":\"g1\"}", ",\"paused\":true");
}

static void no_filter_lists_everything_in_the_order_of_registration(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1}, "alpha alps beta gamma 100%_");
}

static void nothing_is_listed_from_an_empty_store(void **state)
{
    expect(*state, (struct filter){.state = -1}, "");
}

static void each_member_filters(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1, .operation = STR("o1")}, "alpha");
    expect(*state, (struct filter){.state = -1, .application = STR("a1")}, "alpha alps");
    expect(*state, (struct filter){.state = -1, .group = STR("g1")}, "alpha beta 100%_");
    expect(*state, (struct filter){.state = -1, .key = STR("k1")}, "alpha alps");
    expect(*state, (struct filter){.state = -1, .type = STR("t")}, "beta");
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("al")}, "alpha alps");
    expect(*state, (struct filter){.state = SCHEDULE_PAUSED}, "beta 100%_");
    expect(*state, (struct filter){.state = SCHEDULE_ACTIVE}, "alpha alps gamma");
    expect(*state, (struct filter){.state = SCHEDULE_FINISHED}, "");
}

static void members_filter_together(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1, .key = STR("k1"), .group = STR("g2")}, "alps");
    expect(*state, (struct filter){.state = SCHEDULE_PAUSED, .group = STR("g1"), .name_prefix = STR("be")},
           "beta");
    expect(*state,
           (struct filter){.state = -1, .application = STR("a1"), .group = STR("g1"), .key = STR("k1")},
           "alpha");
    expect(*state, (struct filter){.state = -1, .application = STR("a1"), .operation = STR("o2")}, "alps");
    expect(*state, (struct filter){.state = SCHEDULE_PAUSED, .key = STR("k2")}, "beta");
    expect(*state, (struct filter){.state = SCHEDULE_ACTIVE, .key = STR("k2")}, "");
}

static void an_empty_member_finds_those_without_it(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1, .key = STR("")}, "gamma 100%_");
    expect(*state, (struct filter){.state = -1, .group = STR("")}, "gamma");
    expect(*state, (struct filter){.state = -1, .application = STR("")}, "gamma 100%_");
}

static void a_name_prefix_is_text_not_a_pattern(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("100%_")}, "100%_");
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("%")}, "");
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("_")}, "");
}

static void a_name_prefix_may_end_in_any_character(void **state)
{
    (void)with_client(*state, "종이", "{\"key\":\"1\"}", "");
    (void)with_client(*state, "종소리", "{\"key\":\"2\"}", "");
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("종소")}, "종소리");
    expect(*state, (struct filter){.state = -1, .name_prefix = STR("종")}, "종이 종소리");
}

static void pages_follow_each_other_without_gap_or_repetition(void **state)
{
    struct uuid ids[5];

    populate(*state, ids);
    expect(*state, (struct filter){.state = -1, .limit = 2}, "alpha alps");
    expect(*state, (struct filter){.state = -1, .limit = 2, .after = ids[1]}, "beta gamma");
    expect(*state, (struct filter){.state = -1, .limit = 2, .after = ids[3]}, "100%_");
    expect(*state, (struct filter){.state = -1, .limit = 2, .after = ids[4]}, "");
    expect(*state, (struct filter){.state = -1, .group = STR("g1"), .limit = 1, .after = ids[0]}, "beta");
    expect(*state, (struct filter){.state = -1, .application = STR("a1"), .after = ids[0]}, "alps");
    expect(*state, (struct filter){.state = -1, .key = STR("k1"), .after = ids[0]}, "alps");
    expect(*state, (struct filter){.state = SCHEDULE_PAUSED, .after = ids[2]}, "100%_");
}

static void a_schedule_is_found_by_its_client(void **state)
{
    struct ground *g = *state;
    struct uuid id = registered_as(g, "k", DELAY);
    CLEANUP(schedule_unref_p) struct schedule *same = define(g, "k", "\"type\":\"now\"");
    CLEANUP(schedule_unref_p) struct schedule *other = define(g, "K", "\"type\":\"now\"");
    struct record r = {0};
    struct error err = {0};

    begin(g);
    ok(store_get_by_client(g->s, same, &r, &err), &err);
    assert_int_equal(store_get_by_client(g->s, other, &(struct record){0}, NULL), ERR_NOT_FOUND);
    commit(g);
    assert_true(uuid_eq(r.id, id));
    record_done(&r);
}

static void numbers_follow_what_happens(void **state)
{
    struct ground *g = *state;
    struct uuid ids[5];
    struct claim_result c;
    struct store_stats s;

    populate(g, ids);
    s = stats_of(g);
    assert_int_equal(s.schedules[SCHEDULE_ACTIVE], 3);
    assert_int_equal(s.schedules[SCHEDULE_PAUSED], 2);
    assert_int_equal(s.schedules[SCHEDULE_FINISHED], 0);
    sleep_us(g, 50 * SECOND);
    c = claim_n(g, 3);
    assert_int_equal(stats_of(g).runs[RUN_RUNNING], 3);
    (void)ended(g, &c.items[0], RUN_SUCCEEDED);
    (void)ended(g, &c.items[1], RUN_RETRYING);
    (void)ended(g, &c.items[2], RUN_DEAD);
    claim_result_done(&c);
    s = stats_of(g);
    assert_int_equal(s.schedules[SCHEDULE_ACTIVE], 1);
    assert_int_equal(s.schedules[SCHEDULE_FINISHED], 2);
    assert_int_equal(s.runs[RUN_RUNNING], 0);
    assert_int_equal(s.runs[RUN_RETRYING], 1);
    assert_int_equal(s.runs[RUN_DEAD], 1);
    assert_int_equal(s.runs[RUN_PENDING], 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_filter_lists_everything_in_the_order_of_registration),
    cmocka_unit_test(nothing_is_listed_from_an_empty_store),
    cmocka_unit_test(each_member_filters),
    cmocka_unit_test(members_filter_together),
    cmocka_unit_test(an_empty_member_finds_those_without_it),
    cmocka_unit_test(a_name_prefix_is_text_not_a_pattern),
    cmocka_unit_test(a_name_prefix_may_end_in_any_character),
    cmocka_unit_test(pages_follow_each_other_without_gap_or_repetition),
    cmocka_unit_test(a_schedule_is_found_by_its_client),
    cmocka_unit_test(numbers_follow_what_happens),
};
SUITE(list, tests);
