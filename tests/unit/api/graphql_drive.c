/*
 * graphql_drive.c: operations whose fields are answered at once, by a thread that is quick, or when the test
 * lets them: each is answered whole, however the answers and the steps meet, and nothing is freed while
 * somebody may still answer. Runs under ThreadSanitizer too.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api_internal.h"
#include "api/events.h"
#include "api/graphql/graphql.h"
#include "api/http.h"
#include "api_fixture.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/str.h"
#include "graphql/execute.h"

enum { CLIENTS = 6, CALLS_EACH = 30, HELD_MAX = 16, LONG_TEXT = 1024 * 1024 };

static const char sdl[] =
    "type Query { now: Int quick: Int soon: Int held: Int thing: Thing things: [Thing!]! big: [String] }\n"
    "type Thing { now: Int quick: Int soon: Int held: Int thing: Thing }\n"
    "type Mutation { now: Int soon: Int held: Int }\n"
    "type Subscription { events(scheduleId: ID): Event }\n"
    "type Event { kind: String soon: Int held: Int }\n";

/* --- who answers --- */

struct later {
    struct queue_node node;
    struct gql_call *call;
};

/* A thread that answers as soon as it is asked, and calls that wait for the test. */
static struct answerer {
    struct queue *queue;
    pthread_t thread;

    pthread_mutex_t lock;
    struct gql_call *held[HELD_MAX];
    size_t n;
} answerer;

static void set_all(struct gql_call *call, int64_t v)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = gql_i64(v);
}

static enum gql_progress resume(struct gql_call *call)
{
    set_all(call, 2);
    return GQL_ANSWERED;
}

static enum gql_progress resolve_now(struct gql_call *call)
{
    set_all(call, 1);
    return GQL_ANSWERED;
}

/* Answered before the resolver has returned. */
static enum gql_progress resolve_quick(struct gql_call *call)
{
    call->resume = resume;
    gql_call_done(call);
    return GQL_LATER;
}

static enum gql_progress resolve_soon(struct gql_call *call)
{
    struct later *l = gql_alloc(call->execution, sizeof(*l));

    assert_non_null(l);
    l->call = call;
    call->resume = resume;
    assert_true(queue_push_always(answerer.queue, &l->node));
    return GQL_LATER;
}

static enum gql_progress resolve_held(struct gql_call *call)
{
    call->resume = resume;
    MUST(pthread_mutex_lock(&answerer.lock) == 0);
    assert_true(answerer.n < HELD_MAX);
    answerer.held[answerer.n++] = call;
    MUST(pthread_mutex_unlock(&answerer.lock) == 0);
    return GQL_LATER;
}

static enum gql_progress resolve_thing(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = gql_object(call);
    return GQL_ANSWERED;
}

static enum gql_progress resolve_things(struct gql_call *call)
{
    call->values[0] = gql_list(call->execution, 100);
    for (size_t i = 0; i < call->values[0].list.n; i++)
        call->values[0].list.items[i] = gql_object(call);
    return GQL_ANSWERED;
}

static char long_text[LONG_TEXT];

static enum gql_progress resolve_big(struct gql_call *call)
{
    call->values[0] = gql_list(call->execution, 80);
    for (size_t i = 0; i < call->values[0].list.n; i++)
        call->values[0].list.items[i] = gql_str((struct str){long_text, LONG_TEXT});
    return GQL_ANSWERED;
}

/* An event is JSON, as Carillon's own are. */
static enum gql_progress resolve_event(struct gql_call *call)
{
    call->values[0] = gql_object(call->objects[0]);
    return GQL_ANSWERED;
}

static const struct gql_binding bindings[] = {
    {"Query", "now", resolve_now},
    {"Query", "quick", resolve_quick},
    {"Query", "soon", resolve_soon},
    {"Query", "held", resolve_held},
    {"Query", "thing", resolve_thing},
    {"Query", "things", resolve_things},
    {"Query", "big", resolve_big},
    {"Thing", "now", resolve_now},
    {"Thing", "quick", resolve_quick},
    {"Thing", "soon", resolve_soon},
    {"Thing", "held", resolve_held},
    {"Thing", "thing", resolve_thing},
    {"Mutation", "now", resolve_now},
    {"Mutation", "soon", resolve_soon},
    {"Mutation", "held", resolve_held},
    {"Event", "soon", resolve_soon},
    {"Event", "held", resolve_held},
    {"Event", "kind", gql_resolve_json},
    {"Subscription", "events", resolve_event},
};
static const struct gql_schema_options options = {.bindings = bindings, .n_bindings = COUNT_OF(bindings)};
static const struct graphql_service service = {{sdl, sizeof(sdl) - 1}, &options};

static void *answer(void *arg)
{
    struct queue_node *n;

    (void)arg;
    while ((n = queue_wait(answerer.queue, 1, (struct mono){INT64_MAX})))
        gql_call_done(CONTAINER_OF(n, struct later, node)->call);
    return NULL;
}

/* Until so many calls wait for the test. */
static void wait_until_held(size_t n)
{
    struct mono until = mono_add(clock_mono(), 30 * US_PER_S);
    size_t is;

    do {
        assert_true(clock_mono().us < until.us);
        (void)sched_yield();
        MUST(pthread_mutex_lock(&answerer.lock) == 0);
        is = answerer.n;
        MUST(pthread_mutex_unlock(&answerer.lock) == 0);
    } while (is < n);
}

static void release(void)
{
    struct gql_call *call;

    MUST(pthread_mutex_lock(&answerer.lock) == 0);
    assert_true(answerer.n > 0);
    call = answerer.held[--answerer.n];
    MUST(pthread_mutex_unlock(&answerer.lock) == 0);
    gql_call_done(call);
}

static void start(struct api_fixture *f)
{
    f->options.graphql = &service;
    answerer.queue = queue_new(SIZE_MAX, NULL, NULL);
    answerer.n = 0;
    MUST(pthread_mutex_init(&answerer.lock, NULL) == 0);
    assert_int_equal(pthread_create(&answerer.thread, NULL, answer, NULL), 0);
    api_fixture_start(f);
}

static void stop(struct api_fixture *f)
{
    api_fixture_stop(f);
    queue_close(answerer.queue);
    assert_int_equal(pthread_join(answerer.thread, NULL), 0);
    queue_free(answerer.queue);
    MUST(pthread_mutex_destroy(&answerer.lock) == 0);
}

static void request_of(const char *query, char *ret, size_t size)
{
    char body[1024];

    (void)snprintf(body, sizeof(body), "{\"query\":\"%s\"}", query);
    (void)snprintf(ret, size,
                   "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
}

static int send_query(const struct api_fixture *f, const char *query)
{
    int fd = client_connect(f);
    char request[2048];

    request_of(query, request, sizeof(request));
    client_send(fd, str_of(request));
    return fd;
}

static void assert_receives(int fd, unsigned status, const char *body)
{
    struct reply_text t = {0};

    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, status);
    if (body)
        assert_string_equal(buf_cstr(&t.body), body);
    reply_done(&t);
    MUST(close(fd) == 0);
}

/* --- the meeting of answers and steps --- */

static const char mixed[] = "{ now quick soon a: soon thing { quick soon thing { soon quick now } } "
                            "things { soon } }";
static char mixed_answer[4096];

static void make_mixed_answer(void)
{
    struct buf b;

    buf_init(&b, sizeof(mixed_answer));
    buf_add_cstr(&b, "{\"data\":{\"now\":1,\"quick\":2,\"soon\":2,\"a\":2,\"thing\":{\"quick\":2,\"soon\":2,"
                     "\"thing\":{\"soon\":2,\"quick\":2,\"now\":1}},\"things\":[");
    for (int i = 0; i < 100; i++)
        buf_addf(&b, "%s{\"soon\":2}", i > 0 ? "," : "");
    buf_add_cstr(&b, "]}}");
    (void)snprintf(mixed_answer, sizeof(mixed_answer), "%s", buf_cstr(&b));
    buf_done(&b);
}

static void *ask_often(void *arg)
{
    const struct api_fixture *f = arg;
    int fd = client_connect(f);
    char request[2048];

    request_of(mixed, request, sizeof(request));
    for (int i = 0; i < CALLS_EACH; i++) {
        struct reply_text t = {0};

        client_send(fd, str_of(request));
        MUST(client_receive(fd, false, &t));
        MUST(t.status == 200 && str_eq(buf_str(&t.body), str_of(mixed_answer)));
        reply_done(&t);
    }
    MUST(close(fd) == 0);
    return NULL;
}

static void answers_of_whatever_speed_make_one_whole(void **state)
{
    struct api_fixture f = {0};
    pthread_t clients[CLIENTS];

    (void)state;
    make_mixed_answer();
    start(&f);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, ask_often, &f), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(clients[i], NULL), 0);
    stop(&f);
}

static void a_thread_is_free_for_others_while_a_request_waits(void **state)
{
    struct api_fixture f = {.options.threads = 1};
    int fd;

    (void)state;
    start(&f);
    fd = send_query(&f, "{ held a: held thing { held } }");
    wait_until_held(2);
    assert_receives(send_query(&f, "{ now soon }"), 200, "{\"data\":{\"now\":1,\"soon\":2}}");
    release();
    wait_until_held(2);
    release();
    release();
    assert_receives(fd, 200, "{\"data\":{\"held\":2,\"a\":2,\"thing\":{\"held\":2}}}");
    stop(&f);
}

static void root_fields_of_a_mutation_wait_for_each_other(void **state)
{
    struct api_fixture f = {0};
    int fd;

    (void)state;
    start(&f);
    fd = send_query(&f, "mutation { a: held soon b: held now }");
    wait_until_held(1);
    release();
    wait_until_held(1);
    release();
    assert_receives(fd, 200, "{\"data\":{\"a\":2,\"soon\":2,\"b\":2,\"now\":1}}");
    stop(&f);
}

static void wait_until_none_is_under_way(const struct api_fixture *f)
{
    struct mono until = mono_add(clock_mono(), 30 * US_PER_S);

    while (http_under_way(f->api->http) > 0) {
        assert_true(clock_mono().us < until.us);
        (void)sched_yield();
    }
}

/* The first answer brings the request back, which finds that its client has gone: what is out is taken back,
 * and what was held back is never asked. */
static void what_a_client_that_hung_up_has_asked_for_comes_back_to_nobody(void **state)
{
    struct api_fixture f = {0};

    (void)state;
    start(&f);
    for (int round = 0; round < 8; round++) {
        struct linger cut = {.l_onoff = round % 2};
        int fd = send_query(&f, "{ held a: held soon b: held thing { held now } }");

        wait_until_held(2);
        MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)) == 0);
        MUST(close(fd) == 0);
        release();
        release();
        wait_until_none_is_under_way(&f);
        assert_int_equal(answerer.n, 0);
        assert_receives(send_query(&f, "{ now }"), 200, "{\"data\":{\"now\":1}}");
        wait_until_none_is_under_way(&f);
    }
    stop(&f);
}

static void a_mutation_goes_on_without_its_client(void **state)
{
    struct api_fixture f = {0};

    (void)state;
    start(&f);
    for (int round = 0; round < 4; round++) {
        struct linger cut = {.l_onoff = round % 2};
        int fd = send_query(&f, "mutation { a: held b: held }");

        wait_until_held(1);
        MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut)) == 0);
        MUST(close(fd) == 0);
        release();
        wait_until_held(1);
        release();
        wait_until_none_is_under_way(&f);
    }
    stop(&f);
}

/* --- the end of the server --- */

static void *stop_server(void *arg)
{
    api_stop(((struct api_fixture *)arg)->api, 0);
    return NULL;
}

/* A stop without grace, until the point at which nothing new is handed over. */
static pthread_t begin_stop(struct api_fixture *f)
{
    struct mono until = mono_add(clock_mono(), 30 * US_PER_S);
    pthread_t stopper;

    assert_int_equal(pthread_create(&stopper, NULL, stop_server, f), 0);
    while (!http_refuses(f->api->http)) {
        assert_true(clock_mono().us < until.us);
        (void)sched_yield();
    }
    return stopper;
}

static void a_query_that_waits_when_the_server_stops_is_given_up_when_all_came_back(void **state)
{
    struct api_fixture f = {0};
    pthread_t stopper;
    int fd;

    (void)state;
    start(&f);
    fd = send_query(&f, "{ held a: held b: held }");
    wait_until_held(2);
    stopper = begin_stop(&f);
    release();
    release();
    assert_receives(fd, 503, NULL);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    stop(&f);
}

static void a_mutation_that_was_begun_is_carried_out_and_told(void **state)
{
    struct api_fixture f = {0};
    pthread_t stopper;
    int fd;

    (void)state;
    start(&f);
    fd = send_query(&f, "mutation { a: held soon b: held }");
    wait_until_held(1);
    stopper = begin_stop(&f);
    release();
    wait_until_held(1);
    release();
    assert_receives(fd, 200, "{\"data\":{\"a\":2,\"soon\":2,\"b\":2}}");
    assert_int_equal(pthread_join(stopper, NULL), 0);
    stop(&f);
}

static void a_stop_waits_for_what_clients_that_are_gone_have_asked_for(void **state)
{
    struct api_fixture f = {0};
    pthread_t stopper;
    int fd;

    (void)state;
    start(&f);
    fd = send_query(&f, "{ held a: held b: held }");
    wait_until_held(2);
    MUST(close(fd) == 0);
    release();
    assert_receives(send_query(&f, "{ now }"), 200, NULL);
    stopper = begin_stop(&f);
    release();
    assert_int_equal(pthread_join(stopper, NULL), 0);
    stop(&f);
}

/* --- subscriptions --- */

static void publish(struct events *e, const char *kind)
{
    char text[64];
    struct journal_entry item = {.kind = EVENT_STARTED};
    struct journal j = {.items = &item, .n = 1};

    (void)snprintf(text, sizeof(text), "{\"kind\":\"%s\"}", kind);
    buf_init(&j.texts, 1024);
    buf_add_cstr(&j.texts, text);
    item.text_n = strlen(text);
    events_publish(e, &j);
    buf_done(&j.texts);
}

static int subscribe(struct api_fixture *f, struct events *e, const char *query)
{
    char body[256];
    char request[1024];
    struct mono until = mono_add(clock_mono(), 30 * US_PER_S);
    size_t before = events_streams(e);
    int fd = client_connect(f);

    (void)snprintf(body, sizeof(body), "{\"query\":\"%s\"}", query);
    (void)snprintf(request, sizeof(request),
                   "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                   "Accept: text/event-stream\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    client_send(fd, str_of(request));
    while (events_streams(e) == before) {
        assert_true(clock_mono().us < until.us);
        (void)sched_yield();
    }
    return fd;
}

/* Reads until `text` has come, so often. */
static void read_until(int fd, const char *text, size_t times)
{
    CLEANUP(buf_done_p) struct buf all = {0};
    char bytes[4096];
    size_t n = 0;

    buf_init(&all, 1024 * 1024);
    while (n < times) {
        ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

        assert_true(got > 0);
        buf_add(&all, (struct str){bytes, (size_t)got});
        n = 0;
        for (const char *p = strstr(buf_cstr(&all), text); p; p = strstr(p + 1, text))
            n++;
    }
}

static struct events *start_with_events(struct api_fixture *f)
{
    struct events_options o = {.streams_max = 8};
    struct events *e = NULL;
    struct error err;

    assert_int_equal(events_new(&o, &e, &err), ERR_NONE);
    f->options.events = e;
    start(f);
    return e;
}

static void each_event_is_executed_before_it_is_told(void **state)
{
    struct api_fixture f = {0};
    struct events *e = start_with_events(&f);
    int fd = subscribe(&f, e, "subscription { events { kind soon held } }");

    (void)state;
    publish(e, "one");
    wait_until_held(1);
    publish(e, "two");
    publish(e, "three");
    for (int i = 0; i < 3; i++) {
        wait_until_held(1);
        release();
    }
    read_until(fd, "\"soon\":2,\"held\":2", 3);
    MUST(close(fd) == 0);
    stop(&f);
    events_free(e);
}

static void a_listener_that_hangs_up_while_an_event_waits_harms_nobody(void **state)
{
    struct api_fixture f = {0};
    struct events *e = start_with_events(&f);
    struct mono until = mono_add(clock_mono(), 30 * US_PER_S);
    int fd = subscribe(&f, e, "subscription { events { held a: held } }");

    (void)state;
    publish(e, "one");
    wait_until_held(2);
    MUST(close(fd) == 0);
    release();
    release();
    while (events_streams(e) > 0) {
        assert_true(clock_mono().us < until.us);
        publish(e, "more");
        MUST(pthread_mutex_lock(&answerer.lock) == 0);
        bool some = answerer.n > 0;
        MUST(pthread_mutex_unlock(&answerer.lock) == 0);
        if (some)
            release();
    }
    while (answerer.n > 0)
        release();
    stop(&f);
    events_free(e);
}

static void a_stop_waits_for_the_event_that_is_being_executed(void **state)
{
    struct api_fixture f = {0};
    struct events *e = start_with_events(&f);
    int fd = subscribe(&f, e, "subscription { events { held a: held } }");
    pthread_t stopper;

    (void)state;
    publish(e, "one");
    wait_until_held(2);
    stopper = begin_stop(&f);
    release();
    release();
    assert_int_equal(pthread_join(stopper, NULL), 0);
    MUST(close(fd) == 0);
    stop(&f);
    events_free(e);
}

/* --- the rest --- */

static void an_answer_that_is_too_large_is_given_up(void **state)
{
    struct api_fixture f = {0};
    struct reply_text t = {0};
    int fd;

    (void)state;
    memset(long_text, 'x', sizeof(long_text));
    start(&f);
    fd = send_query(&f, "{ big }");
    assert_true(client_receive(fd, false, &t));
    assert_int_equal(t.status, 200);
    assert_non_null(strstr(buf_cstr(&t.body), "larger than 64 MiB"));
    reply_done(&t);
    MUST(close(fd) == 0);
    stop(&f);
}

static void an_instance_without_the_role_refuses(void **state)
{
    struct api_fixture f = {.options.no_api = true};

    (void)state;
    start(&f);
    assert_receives(send_query(&f, "{ now }"), 403, NULL);
    stop(&f);
}

static void a_schema_that_cannot_be_built_is_told_with_its_place(void **state)
{
    static const char wrong[] = "type Query {\n  a: Nothing\n}\n";
    const struct graphql_service bad = {{wrong, sizeof(wrong) - 1}, &options};
    struct graphql *g = NULL;
    struct error err = {0};

    (void)state;
    assert_int_not_equal(graphql_new(&bad, 1, &g, &err), ERR_NONE);
    assert_null(g);
    assert_string_equal(err.where, "schema.graphql:2:6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_whatever_speed_make_one_whole),
        cmocka_unit_test(a_thread_is_free_for_others_while_a_request_waits),
        cmocka_unit_test(root_fields_of_a_mutation_wait_for_each_other),
        cmocka_unit_test(what_a_client_that_hung_up_has_asked_for_comes_back_to_nobody),
        cmocka_unit_test(a_mutation_goes_on_without_its_client),
        cmocka_unit_test(a_query_that_waits_when_the_server_stops_is_given_up_when_all_came_back),
        cmocka_unit_test(a_mutation_that_was_begun_is_carried_out_and_told),
        cmocka_unit_test(a_stop_waits_for_what_clients_that_are_gone_have_asked_for),
        cmocka_unit_test(each_event_is_executed_before_it_is_told),
        cmocka_unit_test(a_listener_that_hangs_up_while_an_event_waits_harms_nobody),
        cmocka_unit_test(a_stop_waits_for_the_event_that_is_being_executed),
        cmocka_unit_test(an_answer_that_is_too_large_is_given_up),
        cmocka_unit_test(an_instance_without_the_role_refuses),
        cmocka_unit_test(a_schema_that_cannot_be_built_is_told_with_its_place),
    };
    struct error err;

    json_setup();
    MUST(sqlite_setup(&err) == ERR_NONE);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
