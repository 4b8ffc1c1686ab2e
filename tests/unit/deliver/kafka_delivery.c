/*
 * kafka_delivery.c: records that arrive at a (mock) Kafka cluster, and what becomes of those that do not.
 */
#include "target_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/guard.h"
#include "deliver/kafka.h"
#include "descriptors.h"
#include "kafka_cluster.h"

struct fixture {
    struct target target;
    struct kafka_cluster cluster;
};

static int setup_with(void **state, size_t connections_max)
{
    struct fixture *f = alloc_new(struct fixture);

    kafka_cluster_start(&f->cluster, 1);
    kafka_cluster_topic(&f->cluster, "t", 1);
    target_open(&f->target, kafka_open, connections_max);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, 8);
}

static int setup_of_one(void **state)
{
    return setup_with(state, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    target_close(&f->target);
    kafka_cluster_stop(&f->cluster);
    alloc_free(f);
    return 0;
}

static void trial_kafka(struct trial *a, struct fixture *f, const char *topic)
{
    trial_init(a, &f->target, TASK_KAFKA, f->cluster.brokers, topic);
}

static void assert_header(const rd_kafka_headers_t *headers, const char *name, const char *value)
{
    const void *p;
    size_t n;

    assert_int_equal(rd_kafka_header_get_last(headers, name, &p, &n), RD_KAFKA_RESP_ERR_NO_ERROR);
    if (value) {
        assert_int_equal(n, strlen(value));
        assert_memory_equal(p, value, n);
    }
}

static void check_record(void *arg, const rd_kafka_message_t *m)
{
    const struct run *run = arg;
    rd_kafka_headers_t *headers;
    char text[RUN_KEY_MAX];

    assert_int_equal(m->key_len, 5);
    assert_memory_equal(m->key, "key 1", 5);
    assert_int_equal(m->len, 7);
    assert_memory_equal(m->payload, "{\"a\":1}", 7);
    assert_int_equal(rd_kafka_message_headers(m, &headers), RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_cnt(headers), 8);
    assert_header(headers, "X-Mine", "값");
    assert_header(headers, "Empty", "");
    run_key(run, text);
    assert_header(headers, "Idempotency-Key", text);
    uuid_format(run->schedule_id, text);
    assert_header(headers, "Carillon-Schedule-Id", text);
    uuid_format(run->id, text);
    assert_header(headers, "Carillon-Run-Id", text);
    assert_header(headers, "Carillon-Scheduled-At", "2026-11-23T09:00:00Z");
    assert_header(headers, "Carillon-Attempt", "1");
    assert_header(headers, "traceparent", NULL);
}

static void a_record_carries_key_body_and_headers(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    trial_kafka(&a, f, "t");
    a.schedule.task.headers = json_pack("{s:s,s:s,s:s}", "X-Mine", "값", "Empty", "", "traceparent", "no");
    trial_run(&a);
    assert_ok(&a);
    assert_in_range(a.delivery.result.took_us, 1, LONG_US);
    kafka_cluster_read(&f->cluster, "t", 1, check_record, &a.delivery.run);
    trial_free(&a);
}

static void check_bare(void *arg, const rd_kafka_message_t *m)
{
    (void)arg;
    assert_null(m->key);
    assert_int_equal(m->len, 0);
}

static void without_key_or_data_they_are_absent_and_empty(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    trial_kafka(&a, f, "t");
    a.schedule.client.key = STR("");
    trial_data(&a, json_null());
    trial_run(&a);
    assert_ok(&a);
    kafka_cluster_read(&f->cluster, "t", 1, check_bare, NULL);
    trial_free(&a);
}

enum { MANY = 3000 };

static bool all_ended(void *arg)
{
    const struct trial *many = arg;

    for (size_t i = MANY; i-- > 0;) {
        if (many[i].ended == 0)
            return false;
    }
    return true;
}

static struct trial *start_many(struct fixture *f)
{
    void *memory = NULL;
    struct trial *many;

    assert_int_equal(alloc_array(MANY, sizeof(*many), &memory, NULL), ERR_NONE);
    many = memory;
    for (size_t i = 0; i < MANY; i++) {
        trial_kafka(&many[i], f, "t");
        many[i].schedule.task.timeout_us = LONG_US;
        trial_start(&many[i]);
    }
    return many;
}

static void end_many(struct fixture *f, struct trial *many)
{
    assert_true(poll_reactor_run(f->target.reactor, all_ended, many, LONG_US));
    for (size_t i = 0; i < MANY; i++) {
        assert_ok(&many[i]);
        assert_int_equal(many[i].ended, 1);
        trial_free(&many[i]);
    }
    alloc_free(many);
    assert_int_equal(kafka_cluster_count(&f->cluster, "t"), MANY);
}

static void thousands_at_once_arrive_once_each(void **state)
{
    struct fixture *f = *state;

    end_many(f, start_many(f));
}

static bool first_ended(void *arg)
{
    return ((const struct trial *)arg)->ended > 0;
}

/* Within their time librdkafka tries again, and idempotence keeps it from writing twice. */
static void a_broker_that_goes_and_comes_back_loses_nothing(void **state)
{
    struct fixture *f = *state;
    struct trial *many = start_many(f);

    assert_true(poll_reactor_run(f->target.reactor, first_ended, many, LONG_US));
    assert_int_equal(rd_kafka_mock_broker_set_down(f->cluster.mock, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    target_turn(&f->target, 300 * US_PER_MS);
    assert_int_equal(rd_kafka_mock_broker_set_up(f->cluster.mock, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    end_many(f, many);
}

static void passing_errors_of_a_broker_are_tried_again(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    rd_kafka_mock_push_request_errors(
        f->cluster.mock, KAFKA_API_PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR__TRANSPORT);
    trial_kafka(&a, f, "t");
    trial_run(&a);
    assert_ok(&a);
    trial_free(&a);
    assert_int_equal(kafka_cluster_count(&f->cluster, "t"), 1);
}

static void lasting_errors_of_a_broker_fail_the_attempt(void **state)
{
    static const struct {
        rd_kafka_resp_err_t code;
        const char *error;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "the record is larger than topic t takes"},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, "refused the record for topic t"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "not allowed to write to topic t"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trial a;

        rd_kafka_mock_push_request_errors(f->cluster.mock, KAFKA_API_PRODUCE, 1, cases[i].code);
        trial_kafka(&a, f, "t");
        trial_run(&a);
        assert_failed(&a, cases[i].error);
        /* The next one is judged anew, but for the right to write, which librdkafka asks for now and then. */
        if (i + 1 < COUNT_OF(cases)) {
            trial_run(&a);
            assert_ok(&a);
        }
        trial_free(&a);
    }
}

static void a_topic_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    rd_kafka_mock_topic_set_error(f->cluster.mock, "missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    trial_kafka(&a, f, "missing");
    trial_run(&a);
    assert_failed(&a, "there is no topic missing");
    trial_free(&a);
}

static void a_broker_that_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    char host[64];
    int fd;

    (void)snprintf(host, sizeof(host), "127.0.0.1:%d", closed_port(&fd));
    trial_init(&a, &f->target, TASK_KAFKA, host, "t");
    a.schedule.task.timeout_us = 1500 * US_PER_MS;
    a.schedule.task.config = json_pack("{s:s,s:s}", "sasl.username", "u", "sasl.password", "MARKER");
    trial_run(&a);
    assert_failed(&a, "timeout after 1.5 s: ");
    assert_failed(&a, host);
    assert_failed(&a, "Connection refused");
    assert_null(strstr(a.delivery.result.error, "MARKER"));
    assert_in_range(a.delivery.result.took_us, 1500 * US_PER_MS, 10 * US_PER_S);
    trial_free(&a);

    trial_init(&a, &f->target, TASK_KAFKA, "no-such-name.invalid:9092", "t");
    a.schedule.task.timeout_us = 1500 * US_PER_MS;
    trial_run(&a);
    assert_failed(&a, "no-such-name.invalid:9092");
    trial_free(&a);
    assert_int_equal(close(fd), 0);
}

static void a_broker_that_does_not_answer_costs_the_attempts_time(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    trial_kafka(&a, f, "t");
    trial_run(&a);
    assert_ok(&a);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    a.schedule.task.timeout_us = US_PER_S;
    trial_run(&a);
    assert_failed(&a, "timeout after 1 s: ");
    assert_in_range(a.delivery.result.took_us, US_PER_S, 6 * US_PER_S);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    trial_free(&a);
}

static void settings_that_cannot_be_used_are_told_without_their_secrets(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *error;
    } cases[] = {
        {"compression.type", "rar", "compression.type cannot be used"},
        {"security.protocol", "tls", "security.protocol cannot be used"},
        {"ssl.ca.pem", "MARKER", "settings cannot be used"},
        {"ssl.key.pem", "MARKER", "settings cannot be used"},
        {"ssl.ca.location", "/no/such/file", "settings cannot be used"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct trial a;

        trial_kafka(&a, f, "t");
        a.schedule.task.config = json_pack("{s:s,s:s,s:s}", "security.protocol", "ssl", "ssl.key.password",
                                           "MARKER", cases[i].name, cases[i].value);
        trial_run(&a);
        assert_failed(&a, cases[i].error);
        assert_null(strstr(a.delivery.result.error, "MARKER"));
        trial_free(&a);
    }
}

static void one_given_up_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct trial a;

    /* Before its producer is made. */
    trial_kafka(&a, f, "t");
    trial_start(&a);
    trial_abort(&a);
    trial_wait(&a);
    assert_failed(&a, "given up");
    trial_run(&a);
    assert_ok(&a);
    /* In librdkafka's hands; its report is still owed when the deliverer closes. */
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 5000), RD_KAFKA_RESP_ERR_NO_ERROR);
    trial_start(&a);
    target_turn(&f->target, 50 * US_PER_MS);
    trial_abort(&a);
    trial_abort(&a);
    trial_wait(&a);
    assert_failed(&a, "given up");
    trial_free(&a);
}

static void producers_in_use_are_waited_for_and_idle_ones_make_room(void **state)
{
    struct fixture *f = *state;
    struct trial first;
    struct trial second;

    trial_kafka(&first, f, "t");
    trial_kafka(&second, f, "t");
    second.schedule.task.timeout_us = 20 * US_PER_S;
    trial_start(&first);
    trial_start(&second);
    trial_wait(&first);
    trial_wait(&second);
    assert_ok(&first);
    assert_ok(&second);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 1000), RD_KAFKA_RESP_ERR_NO_ERROR);
    trial_start(&second);
    first.schedule.task.timeout_us = 100 * US_PER_MS;
    trial_run(&first);
    assert_failed(&first, "all connections to Kafka clusters are in use");
    trial_wait(&second);
    trial_free(&first);
    trial_free(&second);
}

/* Making, using and ending producers never holds the loop up. */
static void attempts_without_means_for_a_producer_are_put_off(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    rlim_t limit;

    trial_kafka(&a, f, "t");
    a.schedule.task.config = json_pack("{s:s}", "ssl.ca.location", "/etc/ssl/certs/ca-certificates.crt");
    limit = descriptors_exhaust();
    trial_run(&a);
    descriptors_restore(limit);
    assert_false(a.delivery.result.ok);
    assert_true(a.delivery.result.not_sent);
    poll_reactor_fail_watch(f->target.reactor, 1); /* of its eventfd */
    trial_run(&a);
    assert_true(a.delivery.result.not_sent);
    trial_run(&a);
    assert_ok(&a);
    trial_free(&a);
}

static void a_broker_that_cannot_be_called_for_want_of_descriptors_puts_off(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    rlim_t limit;
    int fd;
    int port = closed_port(&fd);

    trial_kafka(&a, f, "t");
    (void)snprintf(a.host, sizeof(a.host), "127.0.0.1:%d", port);
    a.schedule.task.host = str_of(a.host);
    a.schedule.task.timeout_us = 3 * US_PER_S;
    trial_start(&a);
    target_turn(&f->target, 200 * US_PER_MS); /* the producer is made; it goes on trying to connect */
    limit = descriptors_exhaust();
    trial_wait(&a);
    descriptors_restore(limit);
    assert_false(a.delivery.result.ok);
    assert_true(a.delivery.result.not_sent);
    trial_free(&a);
    assert_int_equal(close(fd), 0);
}

static void a_broker_that_must_not_be_called_is_not(void **state)
{
    const struct str deny[] = {STR("127.0.0.0/8"), STR("::1"), STR("denied.example")};
    const struct guard_lists lists = {.deny = deny, .deny_n = COUNT_OF(deny)};
    struct fixture *f = *state;
    struct target guarded;
    struct guard *guard = NULL;
    struct trial a;

    assert_int_equal(guard_new(&lists, &guard, NULL), ERR_NONE);
    target_open_with(&guarded, kafka_open, (struct deliver_options){.connections_max = 4, .guard = guard});
    guard_unref(guard);
    trial_init(&a, &guarded, TASK_KAFKA, f->cluster.brokers, "t");
    trial_run(&a);
    assert_failed(&a, "must not call 127.0.0.1: denied by delivery.deny: 127.0.0.0/8");
    /* Known only when it has been looked up. */
    (void)snprintf(a.host, sizeof(a.host), "localhost%s", strrchr(f->cluster.brokers, ':'));
    a.schedule.task.host = str_of(a.host);
    a.schedule.task.timeout_us = US_PER_S;
    trial_run(&a);
    assert_failed(&a, "must not call localhost (");
    assert_failed(&a, "denied by delivery.deny: ");
    (void)snprintf(a.host, sizeof(a.host), "k1.example:9092, PLAINTEXT://denied.example:9092");
    a.schedule.task.host = str_of(a.host);
    trial_run(&a);
    assert_failed(&a, "must not call denied.example: denied by delivery.deny: denied.example");
    trial_free(&a);
    target_close(&guarded);
    assert_int_equal(kafka_cluster_count(&f->cluster, "t"), 0);
}

/* One of two brokers is at an address that is denied, which nobody knows by its name. */
static void a_refusal_does_not_explain_what_fails_after_a_record_arrived(void **state)
{
    const struct str deny[] = {STR("127.0.0.2")};
    const struct guard_lists lists = {.deny = deny, .deny_n = COUNT_OF(deny)};
    struct fixture *f = *state;
    struct target guarded;
    struct guard *guard = NULL;
    struct trial a;

    assert_int_equal(guard_new(&lists, &guard, NULL), ERR_NONE);
    target_open_with(&guarded, kafka_open, (struct deliver_options){.connections_max = 4, .guard = guard});
    guard_unref(guard);
    trial_init(&a, &guarded, TASK_KAFKA, f->cluster.brokers, "t");
    (void)snprintf(a.host, sizeof(a.host), "127.2:9092,%s", f->cluster.brokers);
    a.schedule.task.host = str_of(a.host);
    a.schedule.task.timeout_us = 1500 * US_PER_MS;
    /* Both are tried while neither can be had. */
    assert_int_equal(rd_kafka_mock_broker_set_down(f->cluster.mock, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < 20 && !strstr(a.delivery.result.error, "must not call"); i++)
        trial_run(&a);
    assert_failed(&a, "must not call 127.2 (127.0.0.2): denied by delivery.deny: 127.0.0.2");
    assert_int_equal(rd_kafka_mock_broker_set_up(f->cluster.mock, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < 20 && !a.delivery.result.ok; i++)
        trial_run(&a);
    assert_ok(&a);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    trial_run(&a);
    assert_failed(&a, "timeout after 1.5 s: ");
    assert_int_equal(rd_kafka_mock_broker_set_rtt(f->cluster.mock, 1, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    trial_free(&a);
    target_close(&guarded);
}

static void a_cluster_that_does_not_answer_opens_its_circuit(void **state)
{
    const struct deliver_options options = {.connections_max = 4, .circuit_failures = 2};
    struct fixture *f = *state;
    struct target own;
    struct trial a;
    int fd;
    int port = closed_port(&fd);

    rd_kafka_mock_topic_set_error(f->cluster.mock, "not-there", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    target_open_with(&own, kafka_open, options);
    trial_init(&a, &own, TASK_KAFKA, f->cluster.brokers, "not-there");
    for (int i = 0; i < 2; i++) {
        trial_run(&a);
        assert_failed(&a, "there is no topic");
    }
    assert_int_equal(target_circuits_open(&own), 0);
    (void)snprintf(a.host, sizeof(a.host), "127.0.0.1:%d", port);
    a.schedule.task.host = str_of(a.host);
    a.schedule.task.timeout_us = US_PER_S;
    for (int i = 0; i < 2; i++) {
        trial_run(&a);
        assert_failed(&a, "timeout after 1 s");
    }
    assert_int_equal(target_circuits_open(&own), 1);
    trial_free(&a);
    target_close(&own);
    assert_int_equal(close(fd), 0);
}

static void the_loop_never_waits_for_librdkafka(void **state)
{
    struct fixture *f = *state;
    struct trial a;
    char host[64];
    int fd;

    (void)snprintf(host, sizeof(host), "no-such-name.invalid:%d", closed_port(&fd));
    trial_init(&a, &f->target, TASK_KAFKA, host, "t");
    a.schedule.task.timeout_us = US_PER_S;
    trial_run(&a);
    trial_free(&a);
    for (int i = 1; i <= 20; i++) {
        trial_kafka(&a, f, "t");
        a.schedule.task.timeout_us = (10 + i) * US_PER_S;
        trial_run(&a);
        assert_ok(&a);
        trial_free(&a);
    }
    assert_in_range(poll_reactor_longest_turn_us(f->target.reactor), 0, 200 * US_PER_MS);
    assert_int_equal(close(fd), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_carries_key_body_and_headers),
        CASE(without_key_or_data_they_are_absent_and_empty),
        CASE(thousands_at_once_arrive_once_each),
        CASE(a_broker_that_goes_and_comes_back_loses_nothing),
        CASE(passing_errors_of_a_broker_are_tried_again),
        CASE(lasting_errors_of_a_broker_fail_the_attempt),
        CASE(a_topic_that_is_not_there_is_named),
        CASE(a_broker_that_is_not_there_is_named),
        CASE(a_broker_that_does_not_answer_costs_the_attempts_time),
        CASE(settings_that_cannot_be_used_are_told_without_their_secrets),
        CASE(one_given_up_ends_at_once),
        cmocka_unit_test_setup_teardown(producers_in_use_are_waited_for_and_idle_ones_make_room, setup_of_one,
                                        teardown),
        CASE(attempts_without_means_for_a_producer_are_put_off),
        CASE(a_broker_that_cannot_be_called_for_want_of_descriptors_puts_off),
        CASE(a_broker_that_must_not_be_called_is_not),
        CASE(a_refusal_does_not_explain_what_fails_after_a_record_arrived),
        CASE(a_cluster_that_does_not_answer_opens_its_circuit),
        CASE(the_loop_never_waits_for_librdkafka),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
