/* graphql_accept.c: the form of an answer follows from the Accept header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/graphql/accept.h"
#include "base/str.h"

static enum graphql_media media_of(const char *header)
{
    return graphql_accept(str_of(header)).media;
}

static void who_says_nothing_gets_plain_json(void **state)
{
    (void)state;
    assert_int_equal(graphql_accept((struct str){NULL, 0}).media, MEDIA_JSON);
    assert_int_equal(media_of(""), MEDIA_JSON);
    assert_int_equal(media_of(" \t"), MEDIA_JSON);
    assert_int_equal(media_of("*/*"), MEDIA_JSON);
    assert_int_equal(media_of("application/*"), MEDIA_JSON);
}

static void the_highest_quality_wins_then_the_newer_form(void **state)
{
    (void)state;
    assert_int_equal(media_of("application/graphql-response+json"), MEDIA_RESPONSE);
    assert_int_equal(media_of("application/json, application/graphql-response+json"), MEDIA_RESPONSE);
    assert_int_equal(media_of("application/json;q=0.8, application/graphql-response+json;q=0.7"), MEDIA_JSON);
    assert_int_equal(media_of("application/json;q=0.7 , application/graphql-response+json ; Q=0.701"),
                     MEDIA_RESPONSE);
    assert_int_equal(media_of("APPLICATION/GraphQL-Response+JSON;charset=utf-8"), MEDIA_RESPONSE);
    assert_int_equal(media_of("*/*, application/json;q=0.1"), MEDIA_RESPONSE);
    assert_int_equal(media_of("application/json;q=1.0, */*;q=0"), MEDIA_JSON);
}

static void what_is_named_more_closely_decides_whatever_the_order(void **state)
{
    (void)state;
    assert_int_equal(media_of("application/json;q=0, application/*"), MEDIA_RESPONSE);
    assert_int_equal(media_of("*/*;q=1, application/*;q=0"), MEDIA_NONE);
    assert_int_equal(media_of("application/*;q=0, application/json;q=0.1"), MEDIA_JSON);
}

static void events_and_pages_must_be_named(void **state)
{
    struct graphql_accept a = graphql_accept(STR("text/event-stream"));

    (void)state;
    assert_int_equal(a.media, MEDIA_EVENTS);
    assert_true(a.events);
    a = graphql_accept(STR("text/event-stream, application/json"));
    assert_int_equal(a.media, MEDIA_JSON);
    assert_true(a.events);
    a = graphql_accept(STR("text/event-stream, */*;q=0.5"));
    assert_int_equal(a.media, MEDIA_EVENTS);
    a = graphql_accept(STR("text/*"));
    assert_int_equal(a.media, MEDIA_NONE);
    assert_false(a.events || a.page);
    a = graphql_accept(STR("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    assert_true(a.page);
    assert_int_equal(a.media, MEDIA_JSON);
    assert_false(graphql_accept(STR("application/json, text/html;q=0.9")).page);
}

static void what_is_no_quality_counts_as_one_and_no_header_is_too_odd(void **state)
{
    (void)state;
    assert_int_equal(media_of("application/json;q=x"), MEDIA_JSON);
    assert_int_equal(media_of("application/json;q="), MEDIA_JSON);
    assert_int_equal(media_of("application/json;q=0.0000001"), MEDIA_NONE);
    assert_int_equal(media_of(",,;,/;q=1,*;q"), MEDIA_NONE);
    assert_int_equal(media_of("application"), MEDIA_NONE);
    assert_int_equal(media_of("application/"), MEDIA_NONE);
    assert_int_equal(media_of("image/png"), MEDIA_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_nothing_gets_plain_json),
        cmocka_unit_test(the_highest_quality_wins_then_the_newer_form),
        cmocka_unit_test(what_is_named_more_closely_decides_whatever_the_order),
        cmocka_unit_test(events_and_pages_must_be_named),
        cmocka_unit_test(what_is_no_quality_counts_as_one_and_no_header_is_too_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
