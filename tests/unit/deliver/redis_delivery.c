/*
 * redis_delivery.c: what arrives at a real Redis, and what a real one refuses. Read back over a plain socket.
 */
#include "target_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "deliver/redis.h"
#include "redis_server.h"

struct fixture {
    struct target target;
    struct redis_server *server;
    char host[64];
};

static int setup_with(void **state, const char *password)
{
    struct fixture *f = alloc_new(struct fixture);

    *state = f;
    f->server = redis_server_start(password);
    if (!f->server) {
        print_message("redis-server cannot be started here: skipped\n");
        return 0;
    }
    (void)snprintf(f->host, sizeof(f->host), "127.0.0.1:%d", redis_server_port(f->server));
    target_open(&f->target, redis_open, 8);
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, NULL);
}

static int setup_guarded(void **state)
{
    return setup_with(state, "s3cret");
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->server) {
        target_close(&f->target);
        redis_server_stop(f->server);
    }
    alloc_free(f);
    return 0;
}

static struct fixture *of(void **state)
{
    struct fixture *f = *state;

    if (!f->server)
        skip();
    return f;
}

static void trial_redis(struct trial *a, struct fixture *f, const char *host, const char *topic,
                        enum redis_mode mode)
{
    trial_init(a, &f->target, TASK_REDIS, host, topic);
    a->schedule.task.mode = mode;
}

static void assert_reply(struct fixture *f, const char *command, const char *reply)
{
    assert_string_equal(redis_server_ask(f->server, command), reply);
}

static void a_list_gets_the_body_at_its_head(void **state)
{
    struct fixture *f = of(state);
    struct trial a;

    trial_redis(&a, f, f->host, "jobs", REDIS_LIST);
    trial_run(&a);
    assert_ok(&a);
    assert_in_range(a.delivery.result.took_us, 1, LONG_US);
    trial_data(&a, json_string("둘째\r\n*1"));
    trial_run(&a);
    assert_ok(&a);
    assert_reply(f, "LRANGE jobs 0 -1", "*2\r\n$14\r\n\"둘째\\r\\n*1\"\r\n$7\r\n{\"a\":1}\r\n");
    trial_free(&a);
}

static void a_stream_entry_carries_the_identity_and_the_body(void **state)
{
    struct fixture *f = of(state);
    struct trial a;
    char id[UUID_TEXT + 1];
    char expected[256];
    const char *reply;

    trial_redis(&a, f, f->host, "events", REDIS_STREAM);
    trial_run(&a);
    assert_ok(&a);
    reply = redis_server_ask(f->server, "XRANGE events - +");
    uuid_format(a.delivery.run.schedule_id, id);
    (void)snprintf(expected, sizeof(expected), "$15\r\nIdempotency-Key\r\n$57\r\n%s/2026-11-23T09:00:00Z\r\n",
                   id);
    assert_non_null(strstr(reply, expected));
    (void)snprintf(expected, sizeof(expected), "$20\r\nCarillon-Schedule-Id\r\n$36\r\n%s\r\n", id);
    assert_non_null(strstr(reply, expected));
    uuid_format(a.delivery.run.id, id);
    (void)snprintf(expected, sizeof(expected), "$15\r\nCarillon-Run-Id\r\n$36\r\n%s\r\n", id);
    assert_non_null(strstr(reply, expected));
    assert_non_null(strstr(reply, "$21\r\nCarillon-Scheduled-At\r\n$20\r\n2026-11-23T09:00:00Z\r\n"));
    assert_non_null(strstr(reply, "$16\r\nCarillon-Attempt\r\n$1\r\n1\r\n"));
    assert_non_null(strstr(reply, "$11\r\ntraceparent\r\n$55\r\n00-"));
    assert_non_null(strstr(reply, "$4\r\ndata\r\n$7\r\n{\"a\":1}\r\n"));
    trial_free(&a);
}

static void a_stream_is_cut_to_about_maxlen(void **state)
{
    struct fixture *f = of(state);
    struct trial a;
    int length = 0;

    trial_redis(&a, f, f->host, "short", REDIS_STREAM);
    a.schedule.task.maxlen = 100;
    for (int i = 0; i < 400; i++) {
        trial_run(&a);
        assert_ok(&a);
    }
    assert_int_equal(sscanf(redis_server_ask(f->server, "XLEN short"), ":%d", &length), 1);
    assert_in_range(length, 100, 300);
    trial_free(&a);
}

static void a_published_body_reaches_subscribers_and_needs_none(void **state)
{
    struct fixture *f = of(state);
    struct trial a;
    const char *heard;

    trial_redis(&a, f, f->host, "channel", REDIS_PUBLISH);
    trial_run(&a);
    assert_ok(&a);
    assert_non_null(
        strstr(redis_server_ask(f->server, "SUBSCRIBE channel\r\nUNSUBSCRIBE channel"), "channel"));
    /* Subscribed for good this time: the next answer is what was published meanwhile. */
    (void)redis_server_ask(f->server, "PING\r\nHELLO 3\r\nSUBSCRIBE channel");
    trial_run(&a);
    assert_ok(&a);
    heard = redis_server_ask(f->server, "PING");
    assert_non_null(strstr(heard, "$7\r\nchannel\r\n$7\r\n{\"a\":1}\r\n"));
    trial_free(&a);
}

static void absent_data_is_an_empty_body(void **state)
{
    struct fixture *f = of(state);
    struct trial a;

    trial_redis(&a, f, f->host, "empty", REDIS_LIST);
    trial_data(&a, json_null());
    trial_run(&a);
    assert_ok(&a);
    assert_reply(f, "LRANGE empty 0 -1", "*1\r\n$0\r\n\r\n");
    trial_free(&a);
}

static void the_database_is_the_one_named(void **state)
{
    struct fixture *f = of(state);
    struct trial a;
    char url[128];

    (void)snprintf(url, sizeof(url), "redis://%s/3", f->host);
    trial_redis(&a, f, url, "there", REDIS_LIST);
    trial_run(&a);
    assert_ok(&a);
    assert_reply(f, "EXISTS there", ":0\r\n");
    assert_reply(f, "SELECT 3\r\nEXISTS there\r\nSELECT 0", "+OK\r\n:1\r\n+OK\r\n");
    trial_free(&a);

    (void)snprintf(url, sizeof(url), "redis://%s/99", f->host);
    trial_redis(&a, f, url, "there", REDIS_LIST);
    trial_run(&a);
    assert_failed(&a, "refused database 99: ERR DB index is out of range");
    trial_free(&a);
}

static void a_name_is_looked_up(void **state)
{
    struct fixture *f = of(state);
    struct trial a;
    char url[128];

    (void)snprintf(url, sizeof(url), "redis://LocalHost:%d", redis_server_port(f->server));
    trial_redis(&a, f, url, "named", REDIS_LIST);
    trial_run(&a);
    assert_ok(&a);
    trial_free(&a);
}

static void an_error_of_the_server_fails_the_attempt_alone(void **state)
{
    struct fixture *f = of(state);
    struct trial bad;
    struct trial good;

    assert_reply(f, "SET taken x", "+OK\r\n");
    trial_redis(&bad, f, f->host, "taken", REDIS_LIST);
    trial_redis(&good, f, f->host, "free", REDIS_LIST);
    trial_start(&bad);
    trial_start(&good);
    trial_wait(&bad);
    trial_wait(&good);
    assert_failed(&bad, "answered: WRONGTYPE");
    assert_ok(&good);
    trial_free(&bad);
    trial_free(&good);
}

static void user_and_password_open_the_server(void **state)
{
    struct fixture *f = of(state);
    static const struct {
        const char *login;
        const char *error; /* NULL: let in */
    } cases[] = {
        {"redis://:s3cret@", NULL},
        {"redis://default:s3cret@", NULL},
        {"redis://:%733cret@", NULL},
        {"redis://anna:p%40ss:w%2Frd@", NULL},
        {"redis://:MARKER@", "refused the user or the password (WRONGPASS)"},
        {"redis://anna:MARKER@", "refused the user or the password (WRONGPASS)"},
        {"", "answered: NOAUTH"},
    };

    assert_reply(f, "ACL SETUSER anna on >p@ss:w/rd ~* +@all", "+OK\r\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trial a;
        char url[128];

        (void)snprintf(url, sizeof(url), "%s%s", cases[i].login, f->host);
        trial_redis(&a, f, url, "guarded", REDIS_LIST);
        trial_run(&a);
        if (cases[i].error)
            assert_failed(&a, cases[i].error);
        else
            assert_ok(&a);
        assert_null(strstr(a.delivery.result.error, "MARKER"));
        trial_free(&a);
    }
    assert_reply(f, "LLEN guarded", ":4\r\n");
}

enum { MANY = 5000 };

static bool all_ended(void *arg)
{
    const struct trial *many = arg;

    for (size_t i = MANY; i-- > 0;) {
        if (many[i].ended == 0)
            return false;
    }
    return true;
}

/* More than one pipeline holds, over one connection. */
static void thousands_at_once_arrive_in_order_over_one_connection(void **state)
{
    struct fixture *f = of(state);
    void *memory = NULL;
    struct trial *many;

    assert_int_equal(alloc_array(MANY, sizeof(*many), &memory, NULL), ERR_NONE);
    many = memory;
    for (size_t i = 0; i < MANY; i++) {
        trial_redis(&many[i], f, f->host, "many", REDIS_LIST);
        trial_data(&many[i], json_integer((json_int_t)i));
        many[i].schedule.task.timeout_us = LONG_US;
        trial_start(&many[i]);
    }
    assert_true(poll_reactor_run(f->target.reactor, all_ended, many, LONG_US));
    for (size_t i = 0; i < MANY; i++) {
        assert_ok(&many[i]);
        assert_int_equal(many[i].ended, 1);
        trial_free(&many[i]);
    }
    alloc_free(memory);
    assert_reply(f, "LLEN many", ":5000\r\n");
    assert_reply(f, "LRANGE many 0 1", "*2\r\n$4\r\n4999\r\n$4\r\n4998\r\n");
    assert_reply(f, "LRANGE many -1 -1", "*1\r\n$1\r\n0\r\n");
    assert_non_null(strstr(redis_server_ask(f->server, "INFO clients"), "connected_clients:2\r\n"));
}

static void a_large_body_arrives_whole(void **state)
{
    struct fixture *f = of(state);
    enum { SIZE = 6 * 1024 * 1024 };
    char *text = NULL;
    struct trial a;

    assert_int_equal(alloc_bytes(SIZE, &text, NULL), ERR_NONE);
    memset(text, 'x', SIZE);
    trial_redis(&a, f, f->host, "large", REDIS_LIST);
    trial_data(&a, json_stringn(text, SIZE));
    alloc_free(text);
    trial_run(&a);
    assert_ok(&a);
    assert_reply(f, "EVAL \"return string.len(redis.call('LINDEX','large',0))\" 0", ":6291458\r\n");
    trial_free(&a);
}

/* What was unanswered fails; what comes later finds the new server by itself. */
static void a_restarted_server_is_found_again(void **state)
{
    struct fixture *f = of(state);
    struct trial a;

    trial_redis(&a, f, f->host, "again", REDIS_LIST);
    trial_run(&a);
    assert_ok(&a);
    redis_server_kill(f->server);
    trial_run(&a);
    assert_failed(&a, "127.0.0.1:");
    redis_server_restart(f->server);
    trial_run(&a);
    if (!a.delivery.result.ok)
        trial_run(&a);
    assert_ok(&a);
    assert_reply(f, "LLEN again", ":1\r\n");
    trial_free(&a);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_list_gets_the_body_at_its_head),
        CASE(a_stream_entry_carries_the_identity_and_the_body),
        CASE(a_stream_is_cut_to_about_maxlen),
        CASE(a_published_body_reaches_subscribers_and_needs_none),
        CASE(absent_data_is_an_empty_body),
        CASE(the_database_is_the_one_named),
        CASE(a_name_is_looked_up),
        CASE(an_error_of_the_server_fails_the_attempt_alone),
        cmocka_unit_test_setup_teardown(user_and_password_open_the_server, setup_guarded, teardown),
        CASE(thousands_at_once_arrive_in_order_over_one_connection),
        CASE(a_large_body_arrives_whole),
        CASE(a_restarted_server_is_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
