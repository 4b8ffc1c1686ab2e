/*
 * target_memory.c: whichever allocation fails, an attempt at Redis or Kafka ends once and nothing leaks.
 */
#include "target_fixture.h"

#include <stdio.h>

#include "base/alloc.h"
#include "deliver/kafka.h"
#include "deliver/redis.h"
#include "kafka_cluster.h"
#include "redis_server.h"

enum { ENOUGH = 500 };

/* `n`-th allocation of an attempt by a new deliverer fails; true when the attempt succeeded. */
static bool try_one(struct target *t, struct trial *a, uint64_t n)
{
    bool ok;

    alloc_test_fail_nth(n);
    trial_run(a);
    alloc_test_fail_nth(0);
    ok = a->delivery.result.ok;
    assert_true(ok || a->delivery.result.error[0] != '\0');
    /* And the deliverer is none the worse for it. */
    trial_run(a);
    assert_ok(a);
    assert_int_equal(t->deliverer->ops->in_flight(t->deliverer), 0);
    return ok;
}

static void every_allocation_of_an_attempt_at_redis_may_fail(void **state)
{
    size_t in_a_row = 0;
    size_t failures = 0;

    (void)state;
    for (uint64_t n = 1; in_a_row < 5; n++) {
        struct target t;
        struct trial a;
        struct liar *liar;
        char host[96];
        bool ok;

        assert_true(n < ENOUGH);
        target_open(&t, redis_open, 4);
        liar = liar_start(t.reactor);
        liar_answers(liar, "+OK\r\n");
        (void)snprintf(host, sizeof(host), "redis://u:p@127.0.0.1:%d/1", liar_port(liar));
        trial_init(&a, &t, TASK_REDIS, host, "t");
        a.schedule.task.mode = REDIS_STREAM;
        ok = try_one(&t, &a, n);
        in_a_row = ok ? in_a_row + 1 : 0;
        failures += ok ? 0 : 1;
        trial_free(&a);
        liar_stop(liar);
        target_close(&t);
    }
    assert_true(failures > 3);
}

static void every_allocation_of_an_attempt_at_kafka_may_fail(void **state)
{
    struct kafka_cluster cluster;
    size_t in_a_row = 0;
    size_t failures = 0;

    (void)state;
    kafka_cluster_start(&cluster, 1);
    kafka_cluster_topic(&cluster, "t", 1);
    for (uint64_t n = 1; in_a_row < 3; n++) {
        struct target t;
        struct trial a;
        bool ok;

        assert_true(n < ENOUGH);
        target_open(&t, kafka_open, 4);
        trial_init(&a, &t, TASK_KAFKA, cluster.brokers, "t");
        a.schedule.task.config = json_pack("{s:s}", "sasl.password", "x");
        ok = try_one(&t, &a, n);
        in_a_row = ok ? in_a_row + 1 : 0;
        failures += ok ? 0 : 1;
        trial_free(&a);
        target_close(&t);
    }
    assert_true(failures > 3);
    kafka_cluster_stop(&cluster);
}

static void every_allocation_of_opening_may_fail(void **state)
{
    static const deliver_open_fn opens[] = {redis_open, kafka_open};
    const struct deliver_options options = {.user_agent = "x", .connections_max = 1, .ca_file = "/x"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(opens); i++) {
        struct poll_reactor *p = poll_reactor_new();
        struct deliverer *d = NULL;

        for (uint64_t n = 1;; n++) {
            enum err e;

            assert_true(n < ENOUGH);
            alloc_test_fail_nth(n);
            e = opens[i](poll_reactor_base(p), &options, &d, NULL);
            alloc_test_fail_nth(0);
            if (!e)
                break;
            assert_int_equal(e, ERR_MEMORY);
        }
        d->ops->close(d);
        /* A descriptor that cannot be watched. */
        poll_reactor_fail_watch(p, 1);
        assert_int_equal(opens[i](poll_reactor_base(p), &options, &d, NULL), ERR_IO);
        poll_reactor_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_an_attempt_at_redis_may_fail),
        cmocka_unit_test(every_allocation_of_an_attempt_at_kafka_may_fail),
        cmocka_unit_test(every_allocation_of_opening_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
