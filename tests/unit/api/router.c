/*
 * router.c: each row of the table is found by its own path, and what no row has is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"
#include "base/str.h"

#define AN_ID "01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f"

static void find(const char *method, const char *path, struct route_match *ret)
{
    static char text[1024];
    struct target t;

    (void)snprintf(text, sizeof(text), "%s", path);
    assert_int_equal(target_parse(text, strlen(text), &t, NULL), ERR_NONE);
    route_find(&t, str_of(method), ret);
}

/* The pattern with an id in place of {id}. */
static void path_of(const struct route *r, char ret[256])
{
    const char *at = strstr(r->path, "{id}");

    if (at)
        (void)snprintf(ret, 256, "%.*s" AN_ID "%s", (int)(at - r->path), r->path, at + 4);
    else
        (void)snprintf(ret, 256, "%s", r->path);
}

static void every_row_is_found_by_its_own_path(void **state)
{
    struct route_match m;
    char path[256];

    (void)state;
    for (size_t i = 0; i < routes_n; i++) {
        path_of(&routes[i], path);
        find(method_name(routes[i].method), path, &m);
        assert_int_equal(m.fit, ROUTE_FOUND);
        assert_ptr_equal(m.route, &routes[i]);
        assert_int_equal(m.id.p != NULL, strstr(routes[i].path, "{id}") != NULL);
    }
}

static void every_row_can_be_carried_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_n; i++) {
        assert_non_null(routes[i].handle);
        assert_non_null(routes[i].id);
        assert_true(routes[i].path[0] == '/');
    }
}

static void head_is_found_where_get_is(void **state)
{
    struct route_match m;

    (void)state;
    find("HEAD", "/schedules", &m);
    assert_int_equal(m.fit, ROUTE_FOUND);
    assert_string_equal(m.route->id, "listSchedules");
    find("HEAD", "/preview", &m);
    assert_int_equal(m.fit, ROUTE_NO_METHOD);
}

static void literal_segments_are_meant_before_an_id(void **state)
{
    struct route_match m;

    (void)state;
    find("POST", "/schedules/batch", &m);
    assert_string_equal(m.route->id, "registerBatch");
    find("GET", "/schedules/batch", &m);
    assert_int_equal(m.fit, ROUTE_NO_METHOD);
    find("GET", "/schedules/anything-else", &m);
    assert_string_equal(m.route->id, "getSchedule");
    assert_true(str_eq(m.id, STR("anything-else")));
}

static void other_paths_are_not_found(void **state)
{
    static const char *const paths[] = {"/schedule",
                                        "/schedules/",
                                        "/schedules/a/b",
                                        "/schedules/a/pause/",
                                        "//",
                                        "/Schedules",
                                        "/schedules/a/b/c/d/e/f/g/h/i",
                                        "/docs/",
                                        "/docs/x"};
    struct route_match m;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        find("GET", paths[i], &m);
        assert_int_equal(m.fit, ROUTE_NO_PATH);
    }
}

static void allow_lists_what_the_path_takes(void **state)
{
    struct route_match m;
    char allow[ROUTE_ALLOW_MAX];

    (void)state;
    find("PATCH", "/schedules/x", &m);
    assert_int_equal(m.fit, ROUTE_NO_METHOD);
    route_allow(m.allowed, allow);
    assert_string_equal(allow, "GET, HEAD, PUT, DELETE");
    find("get", "/healthz", &m);
    route_allow(m.allowed, allow);
    assert_string_equal(allow, "GET, HEAD");
    route_allow((1U << METHODS_N) - 1, allow);
    assert_string_equal(allow, "GET, HEAD, POST, PUT, DELETE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_own_path),
        cmocka_unit_test(every_row_can_be_carried_out),
        cmocka_unit_test(head_is_found_where_get_is),
        cmocka_unit_test(literal_segments_are_meant_before_an_id),
        cmocka_unit_test(other_paths_are_not_found),
        cmocka_unit_test(allow_lists_what_the_path_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
