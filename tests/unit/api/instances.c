/*
 * instances.c: the only instance on a store of its own shows itself, and one without the role `api` answers
 * for itself alone. Several over PostgreSQL: tests/integration/test_instances.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "api_fixture.h"
#include "base/str.h"

static struct api_fixture f;

/* 2030-01-01T00:00:00Z */
#define BEGAN_US INT64_C(1893456000000000)

static void on_self(void *arg, struct instance *ret)
{
    static char name[] = "node \"1\"";
    static char roles[] = "api,worker,monitor";
    static char version[] = "1.2.3";

    assert_ptr_equal(arg, &f);
    *ret = (struct instance){
        .id = {{1}},
        .name = name,
        .roles = roles,
        .version = version,
        .started_at = {BEGAN_US},
        .heartbeat_at = {BEGAN_US + 5},
        .held = 7,
        .is_monitor = true,
    };
}

static void start(struct api_options options)
{
    f = (struct api_fixture){.options = options};
    api_fixture_start(&f);
}

static void an_instance_that_is_alone_shows_itself(void **state)
{
    struct reply_text t = {0};
    json_t *all;

    (void)state;
    start((struct api_options){.self = on_self, .self_arg = &f});
    call(&f, "GET /instances", "", &t);
    assert_int_equal(t.status, 200);
    all = reply_json(&t);
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(
        t.body.p, "[{\"id\":\"01000000-0000-0000-0000-000000000000\",\"name\":\"node \\\"1\\\"\",\"roles\":["
                  "\"api\",\"worker\",\"monitor\"],\"version\":\"1.2.3\",\"started_at\":"
                  "\"2030-01-01T00:00:00Z\",\"heartbeat_at\":\"2030-01-01T00:00:00.000005Z\","
                  "\"heartbeat_age_ms\":0,\"held\":7,\"monitor\":true}]");
    json_free(all);
    reply_done(&t);
    api_fixture_stop(&f);
}

static void without_anything_to_say_of_itself_it_shows_nobody(void **state)
{
    struct reply_text t = {0};

    (void)state;
    start((struct api_options){0});
    call(&f, "GET /instances", "", &t);
    assert_int_equal(t.status, 200);
    assert_string_equal(t.body.p, "[]");
    reply_done(&t);
    api_fixture_stop(&f);
}

static unsigned status_of(const char *head, const char *body)
{
    struct reply_text t = {0};
    unsigned status;

    call(&f, head, body, &t);
    status = t.status;
    if (status == 403)
        assert_non_null(strstr(t.body.p, "role `api`"));
    reply_done(&t);
    return status;
}

static void without_the_role_api_only_what_is_about_itself_is_answered(void **state)
{
    static const char *const about_itself[] = {"GET /healthz", "GET /readyz", "GET /metrics", "GET /version",
                                               "GET /instances"};
    static const char *const others[] = {"GET /schedules",
                                         "DELETE /schedules?key=x",
                                         "GET /runs",
                                         "GET /openapi.json",
                                         "GET /docs",
                                         "GET /",
                                         "GET /schedules/01935b5e-7f2a-7c3e-9d55-0a1b2c3d4e5f"};

    (void)state;
    start((struct api_options){.no_api = true, .self = on_self, .self_arg = &f});
    for (size_t i = 0; i < COUNT_OF(about_itself); i++)
        assert_int_equal(status_of(about_itself[i], ""), 200);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(status_of(others[i], ""), 403);
    assert_int_equal(status_of("POST /schedules", "{}"), 403);
    assert_int_equal(status_of("POST /schedules/batch", "[]"), 403);
    assert_int_equal(status_of("POST /preview", "{}"), 403);
    /* What is wrong with any instance is wrong with this one. */
    assert_int_equal(status_of("GET /nothing", ""), 404);
    assert_int_equal(status_of("DELETE /healthz", ""), 405);
    api_fixture_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_that_is_alone_shows_itself),
        cmocka_unit_test(without_anything_to_say_of_itself_it_shows_nobody),
        cmocka_unit_test(without_the_role_api_only_what_is_about_itself_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
