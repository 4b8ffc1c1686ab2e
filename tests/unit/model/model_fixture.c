/*
 * model_fixture.c: see model_fixture.h.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/iso8601.h"

#include <stdio.h>
#include <string.h>

static struct zones *zones;

int fixture_setup(void **state)
{
    struct error err = {0};

    (void)state;
    json_setup();
    if (zones_new("/usr/share/zoneinfo", &zones, &err)) {
        print_error("%s: %s\n", err.where, err.text);
        return -1;
    }
    return 0;
}

int fixture_teardown(void **state)
{
    (void)state;
    zones_free(zones);
    return 0;
}

struct schedule_rules fixture_rules(void)
{
    static const struct str secrets[] = {{"hook", 4}};
    static const struct str hidden[] = {{"x-hidden", 8}};

    return (struct schedule_rules){
        .zones = zones,
        .default_timezone = STR("Asia/Seoul"),
        .task_enabled = {true, true, true},
        .secrets = secrets,
        .secrets_n = COUNT_OF(secrets),
        .hidden_headers = hidden,
        .hidden_headers_n = COUNT_OF(hidden),
    };
}

json_t *fixture_json(const char *text)
{
    struct error err = {0};
    json_t *v = NULL;

    if (json_parse(str_of(text), JSON_DEPTH_MAX, &v, &err))
        fail_msg("%s: %s in %s", err.where, err.text, text);
    return v;
}

enum err fixture_decode(const char *text, const struct schedule_rules *rules, const struct schedule *prior,
                        struct schedule **ret, struct error_list *faults)
{
    CLEANUP(json_free_p) json_t *v = fixture_json(text);

    return schedule_decode(v, rules, prior, ret, faults);
}

struct schedule *fixture_schedule(const char *text)
{
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s = NULL;

    if (fixture_decode(text, &rules, NULL, &s, &faults)) {
        for (size_t i = 0; i < faults.n; i++)
            print_error("%s: %s\n", faults.items[i].where, faults.items[i].text);
        fail_msg("refused: %s", text);
    }
    return s;
}

static struct schedule *from_parts(const char *before, const char *members, const char *after)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, 100000);
    buf_addf(&b, "%s%s%s", before, members, after);
    assert_true(buf_ok(&b));
    return fixture_schedule(buf_cstr(&b));
}

struct schedule *fixture_with(const char *members)
{
    return from_parts("{\"name\":\"n\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}},",
                      members, "}");
}

struct schedule *fixture_task(const char *members)
{
    return from_parts("{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":"
                      "\"http://h/\"},",
                      members, "}}");
}

struct wall at(const char *iso)
{
    struct iso_time t;

    assert_int_equal(iso_parse(str_of(iso), &t, NULL), ERR_NONE);
    return (struct wall){t.local_us - (int64_t)t.offset_s * US_PER_S};
}

void assert_wall_equal(struct wall a, struct wall b)
{
    char left[ISO_TEXT_MAX] = "never";
    char right[ISO_TEXT_MAX] = "never";

    if (a.us == b.us)
        return;
    if (!wall_is_never(a))
        iso_format(a, left);
    if (!wall_is_never(b))
        iso_format(b, right);
    fail_msg("%s != %s", left, right);
}

void assert_str_equal(struct str a, const char *b)
{
    if (!str_eq(a, str_of(b)))
        fail_msg("\"%.*s\" != \"%s\"", (int)a.n, a.p, b);
}

char *fixture_text(const json_t *v)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    char *text = NULL;
    size_t n;

    buf_init(&b, 1000000);
    assert_int_equal(json_write_sorted(v, &b, NULL), ERR_NONE);
    assert_int_equal(buf_take(&b, &text, &n, NULL), ERR_NONE);
    return text;
}
