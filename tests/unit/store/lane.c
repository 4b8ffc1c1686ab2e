/*
 * lane.c: groups, answers and reconnection, on a scripted store that counts what it is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/lane.h"
#include "store/op.h"

/* --- a database that can be broken from outside --- */

struct base_ {
    atomic_int opens;
    atomic_int closes;
    atomic_int begins;
    atomic_int writing_begins;
    atomic_int commits;
    atomic_int rollbacks;
    atomic_int upkeeps;
    atomic_int fail_opens;   /* so many of the next fail; -1: all */
    atomic_int fail_commits; /* the same; the commit is lost */
    atomic_int fail_begins;
    atomic_int notifies;
    atomic_int commits_at_notify;
};

struct scripted {
    struct store store;
    struct base_ *base;
};

static struct base_ *base_of(struct store *s)
{
    return CONTAINER_OF(s, struct scripted, store)->base;
}

static bool takes_one(atomic_int *left)
{
    int n = atomic_load(left);

    if (n > 0)
        atomic_fetch_sub(left, 1);
    return n != 0;
}

static enum err scripted_begin(struct store *s, bool writes, struct error *err)
{
    struct base_ *b = base_of(s);

    atomic_fetch_add(&b->begins, 1);
    if (writes)
        atomic_fetch_add(&b->writing_begins, 1);
    if (takes_one(&b->fail_begins))
        return error_set(err, ERR_UNAVAILABLE, "test", "begin: gone");
    return ERR_NONE;
}

static enum err scripted_commit(struct store *s, struct error *err)
{
    if (takes_one(&base_of(s)->fail_commits))
        return error_set(err, ERR_UNAVAILABLE, "test", "commit: gone");
    atomic_fetch_add(&base_of(s)->commits, 1);
    return ERR_NONE;
}

static void scripted_rollback(struct store *s)
{
    atomic_fetch_add(&base_of(s)->rollbacks, 1);
}

static enum err scripted_now(struct store *s, struct wall *ret, struct error *err)
{
    (void)s;
    (void)err;
    *ret = (struct wall){42};
    return ERR_NONE;
}

static enum err scripted_notify(struct store *s, const struct notice *n, struct wall now, struct error *err)
{
    struct base_ *b = base_of(s);

    (void)err;
    MUST(n->earliest.us == 7 && now.us == 42);
    atomic_fetch_add(&b->notifies, 1);
    atomic_store(&b->commits_at_notify, atomic_load(&b->commits));
    return ERR_NONE;
}

static void scripted_upkeep(struct store *s)
{
    atomic_fetch_add(&base_of(s)->upkeeps, 1);
}

static void scripted_close(struct store *s)
{
    atomic_fetch_add(&base_of(s)->closes, 1);
    alloc_free(CONTAINER_OF(s, struct scripted, store));
}

static const struct store_ops scripted_ops = {
    .name = "scripted",
    .begin = scripted_begin,
    .commit = scripted_commit,
    .rollback = scripted_rollback,
    .now = scripted_now,
    .upkeep = scripted_upkeep,
    .notify = scripted_notify,
    .close = scripted_close,
};

static enum err scripted_open(void *arg, struct store **ret, struct error *err)
{
    struct base_ *b = arg;
    struct scripted *s;

    atomic_fetch_add(&b->opens, 1);
    if (takes_one(&b->fail_opens))
        return error_set(err, ERR_UNAVAILABLE, "test", "open: gone");
    s = alloc_new(struct scripted);
    s->store.ops = &scripted_ops;
    s->base = b;
    *ret = &s->store;
    return ERR_NONE;
}

/* --- operations that tell what happens to them --- */

struct world {
    struct base_ base;
    struct lane *lane;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    /* under .lock */
    bool gate_open;  /* the gate's operation may end */
    bool gate_there; /* the lane has come to it */
    size_t answered;
    size_t order[1000]; /* numbers of the answered, in order */
    size_t notices;
    size_t answered_at_notice;
    size_t stretches[100]; /* lengths of run()'s calls */
    size_t stretches_n;
};

struct test_op {
    struct op op;
    struct world *w;
    size_t number;
    enum err fails;   /* the whole group, by run() */
    enum err refused; /* alone */
    int busy;         /* so often it meets another instance */
    int parts;        /* to be run so often */
    atomic_int runs;
    bool notices;
};

static void with_lock(struct world *w)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
}

static void unlock(struct world *w)
{
    MUST(pthread_cond_broadcast(&w->moved) == 0);
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

static void await(struct world *w)
{
    MUST(pthread_cond_wait(&w->moved, &w->lock) == 0);
}

static enum err run_told(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    struct world *w = OP_AS(ops[0], struct test_op)->w;

    (void)s;
    assert_int_equal(now.us, 42);
    with_lock(w);
    if (w->stretches_n < COUNT_OF(w->stretches))
        w->stretches[w->stretches_n++] = n;
    unlock(w);
    for (size_t i = 0; i < n; i++) {
        struct test_op *o = OP_AS(ops[i], struct test_op);

        atomic_fetch_add(&o->runs, 1);
        o->op.unfinished = atomic_load(&o->runs) < o->parts;
        if (o->notices)
            notice->earliest = wall_min(notice->earliest, (struct wall){7});
        if (atomic_load(&o->runs) <= o->busy)
            return error_set(err, ERR_BUSY, "test", "deadlock");
        if (o->fails)
            return error_set(err, o->fails, "test", "as told");
        if (o->refused)
            (void)error_set(&ops[i]->err, o->refused, "test", "refused");
    }
    return ERR_NONE;
}

static enum err run_gate(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    struct world *w = OP_AS(ops[0], struct test_op)->w;

    (void)s;
    (void)n;
    (void)now;
    (void)notice;
    (void)err;
    with_lock(w);
    w->gate_there = true;
    unlock(w);
    with_lock(w);
    while (!w->gate_open)
        await(w);
    unlock(w);
    return ERR_NONE;
}

/* Outside of any transaction. */
static enum err run_lone(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    struct test_op *o = OP_AS(ops[0], struct test_op);
    const struct base_ *b = &o->w->base;

    (void)s;
    (void)now;
    (void)notice;
    assert_int_equal(n, 1);
    assert_int_equal(atomic_load(&b->begins), atomic_load(&b->commits) + atomic_load(&b->rollbacks));
    if (atomic_fetch_add(&o->runs, 1) < o->busy)
        return error_set(err, ERR_UNAVAILABLE, "test", "gone");
    return ERR_NONE;
}

static const struct op_type lone_type = {
    .name = "lone", .writes = true, .repeatable = true, .alone = true, .run = run_lone};
static const struct op_type write_type = {
    .name = "write", .writes = true, .repeatable = true, .run = run_told};
static const struct op_type other_type = {
    .name = "other", .writes = true, .repeatable = true, .run = run_told};
static const struct op_type once_type = {.name = "once", .writes = true, .run = run_told};
static const struct op_type read_type = {.name = "read", .repeatable = true, .run = run_told};
static const struct op_type gate_type = {.name = "gate", .repeatable = true, .run = run_gate};

static void on_done(struct op *op)
{
    struct test_op *o = OP_AS(op, struct test_op);

    with_lock(o->w);
    o->w->order[o->w->answered++] = o->number;
    unlock(o->w);
}

static void on_notice(void *arg, const struct notice *n)
{
    struct world *w = arg;

    assert_int_equal(n->earliest.us, 7);
    with_lock(w);
    w->notices++;
    w->answered_at_notice = w->answered;
    unlock(w);
}

static void op_init(struct world *w, struct test_op *o, size_t number, const struct op_type *type)
{
    *o = (struct test_op){.op = {.type = type, .done = on_done}, .w = w, .number = number};
}

static void submit(struct world *w, struct test_op *o)
{
    assert_int_equal(lane_submit(w->lane, &o->op, NULL), ERR_NONE);
}

static void await_answers(struct world *w, size_t n)
{
    with_lock(w);
    while (w->answered < n)
        await(w);
    unlock(w);
}

static void open_gate(struct world *w)
{
    with_lock(w);
    w->gate_open = true;
    unlock(w);
}

/* Holds the lane, so that what is submitted next becomes one group. */
static void close_gate(struct world *w, struct test_op *gate)
{
    op_init(w, gate, 999, &gate_type);
    submit(w, gate);
    with_lock(w);
    while (!w->gate_there)
        await(w);
    unlock(w);
}

static int setup(void **state)
{
    struct world *w = alloc_new(struct world);
    struct lane_options o = {
        .name = "test",
        .open = scripted_open,
        .open_arg = &w->base,
        .notice = on_notice,
        .notice_arg = w,
        .queue_limit = 100,
        .group_limit = 64,
        .give_up_us = 1000 * US_PER_MS,
    };

    MUST(pthread_mutex_init(&w->lock, NULL) == 0);
    MUST(pthread_cond_init(&w->moved, NULL) == 0);
    assert_int_equal(lane_new(&o, &w->lane, NULL), ERR_NONE);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lane_free(w->lane);
    MUST(pthread_cond_destroy(&w->moved) == 0);
    MUST(pthread_mutex_destroy(&w->lock) == 0);
    alloc_free(w);
    return 0;
}

/* --- sentences --- */

static void what_waits_is_one_group_with_one_commit(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[50];

    close_gate(w, &gate);
    for (size_t i = 0; i < 50; i++) {
        op_init(w, &ops[i], i, &write_type);
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, 51);
    assert_int_equal(atomic_load(&w->base.commits), 2);
    assert_int_equal(w->stretches_n, 1);
    assert_int_equal(w->stretches[0], 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(w->order[i + 1], i);
        assert_int_equal(ops[i].op.err.code, ERR_NONE);
        assert_int_equal(atomic_load(&ops[i].runs), 1);
    }
}

static void a_group_takes_no_more_than_its_limit(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[100];

    close_gate(w, &gate);
    for (size_t i = 0; i < 100; i++) {
        op_init(w, &ops[i], i, &write_type);
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, 101);
    assert_int_equal(w->stretches_n, 2);
    assert_int_equal(w->stretches[0], 64);
    assert_int_equal(w->stretches[1], 36);
}

static void heavy_operations_share_a_group_with_few_others(void **state)
{
    static const size_t weights[] = {1, 6000, 4000, 3999, 20000, 0, 0, 9999};
    static const size_t groups[] = {2, 2, 1, 2, 1};
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[COUNT_OF(weights)];

    close_gate(w, &gate);
    for (size_t i = 0; i < COUNT_OF(weights); i++) {
        op_init(w, &ops[i], i, &write_type);
        ops[i].op.weight = weights[i];
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, COUNT_OF(weights) + 1);
    assert_int_equal(w->stretches_n, COUNT_OF(groups));
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        assert_int_equal(w->stretches[i], groups[i]);
    for (size_t i = 0; i < COUNT_OF(weights); i++)
        assert_int_equal(w->order[i + 1], i);
}

static void a_group_is_run_in_stretches_of_one_type(void **state)
{
    struct world *w = *state;
    static const struct op_type *const types[] = {&write_type, &write_type, &other_type,
                                                  &write_type, &write_type, &write_type};
    struct test_op gate;
    struct test_op ops[COUNT_OF(types)];

    close_gate(w, &gate);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        op_init(w, &ops[i], i, types[i]);
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, 7);
    assert_int_equal(w->stretches_n, 3);
    assert_int_equal(w->stretches[0], 2);
    assert_int_equal(w->stretches[1], 1);
    assert_int_equal(w->stretches[2], 3);
    assert_int_equal(atomic_load(&w->base.commits), 2);
}

/* Gate, two writes, one that is a transaction by itself, two writes. */
static void submit_around_a_lone_one(struct world *w, struct test_op *gate, struct test_op ops[5])
{
    close_gate(w, gate);
    for (size_t i = 0; i < 5; i++)
        op_init(w, &ops[i], i, i == 2 ? &lone_type : &write_type);
}

static void one_that_is_a_transaction_by_itself_shares_none(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[5];

    submit_around_a_lone_one(w, &gate, ops);
    for (size_t i = 0; i < 5; i++)
        submit(w, &ops[i]);
    open_gate(w);
    await_answers(w, 6);
    assert_int_equal(atomic_load(&ops[2].runs), 1);
    assert_int_equal(w->order[1], 2);
    assert_int_equal(w->stretches_n, 1);
    assert_int_equal(w->stretches[0], 4);
    assert_int_equal(atomic_load(&w->base.commits), 2);
}

static void what_came_with_one_that_lost_the_connection_is_done_all_the_same(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[5];

    submit_around_a_lone_one(w, &gate, ops);
    ops[2].busy = 1;
    for (size_t i = 0; i < 5; i++)
        submit(w, &ops[i]);
    open_gate(w);
    await_answers(w, 6);
    assert_int_equal(atomic_load(&w->base.opens), 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ops[i].op.err.code, ERR_NONE);
        assert_int_equal(atomic_load(&ops[i].runs), i == 2 ? 2 : 1);
    }
}

static void a_group_that_only_reads_does_not_ask_to_write(void **state)
{
    struct world *w = *state;
    struct test_op read;
    struct test_op write;

    op_init(w, &read, 0, &read_type);
    op_init(w, &write, 1, &write_type);
    submit(w, &read);
    await_answers(w, 1);
    assert_int_equal(atomic_load(&w->base.writing_begins), 0);
    submit(w, &write);
    await_answers(w, 2);
    assert_int_equal(atomic_load(&w->base.writing_begins), 1);
}

static void an_operation_that_fails_the_group_fails_alone(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[5];

    close_gate(w, &gate);
    for (size_t i = 0; i < 5; i++) {
        op_init(w, &ops[i], i, &write_type);
        if (i == 2)
            ops[i].fails = ERR_INTERNAL;
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, 6);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(w->order[i + 1], i);
        assert_int_equal(ops[i].op.err.code, i == 2 ? ERR_INTERNAL : ERR_NONE);
    }
    assert_string_equal(ops[2].op.err.text, "as told");
    /* The group, then each alone: one rollback for either failure, a commit for each that can. */
    assert_int_equal(atomic_load(&w->base.rollbacks), 2);
    assert_int_equal(atomic_load(&w->base.commits), 1 + 4);
    assert_int_equal(atomic_load(&w->base.opens), 1);
}

static void an_operation_refused_by_its_own_judgement_does_not_trouble_its_group(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[3];

    close_gate(w, &gate);
    for (size_t i = 0; i < 3; i++) {
        op_init(w, &ops[i], i, &write_type);
        if (i == 1)
            ops[i].refused = ERR_PRECONDITION;
        submit(w, &ops[i]);
    }
    open_gate(w);
    await_answers(w, 4);
    assert_int_equal(ops[0].op.err.code, ERR_NONE);
    assert_int_equal(ops[1].op.err.code, ERR_PRECONDITION);
    assert_int_equal(ops[2].op.err.code, ERR_NONE);
    assert_int_equal(atomic_load(&w->base.commits), 2);
}

static void the_notice_goes_out_before_the_answers(void **state)
{
    struct world *w = *state;
    struct test_op ops[2];

    op_init(w, &ops[0], 0, &write_type);
    submit(w, &ops[0]);
    await_answers(w, 1);
    op_init(w, &ops[1], 1, &write_type);
    ops[1].notices = true;
    submit(w, &ops[1]);
    await_answers(w, 2);
    assert_int_equal(w->notices, 1);
    assert_int_equal(w->answered_at_notice, 1);
}

static void a_full_queue_is_busy_but_outcomes_always_fit(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[101];
    struct error err = {0};

    close_gate(w, &gate);
    for (size_t i = 0; i < 101; i++)
        op_init(w, &ops[i], i, &write_type);
    for (size_t i = 0; i < 100; i++)
        submit(w, &ops[i]);
    assert_int_equal(lane_submit(w->lane, &ops[100].op, &err), ERR_BUSY);
    assert_int_equal(lane_submit_always(w->lane, &ops[100].op, &err), ERR_NONE);
    open_gate(w);
    await_answers(w, 102);
    assert_int_equal(ops[100].op.err.code, ERR_NONE);
}

static void an_unfinished_operation_goes_on_in_the_next_group(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op large;
    struct test_op small;

    close_gate(w, &gate);
    op_init(w, &large, 0, &write_type);
    large.parts = 3;
    op_init(w, &small, 1, &write_type);
    submit(w, &large);
    submit(w, &small);
    open_gate(w);
    await_answers(w, 3);
    assert_int_equal(w->order[1], 1); /* was not held up */
    assert_int_equal(w->order[2], 0);
    assert_int_equal(atomic_load(&large.runs), 3);
    assert_int_equal(large.op.parts, 2);
    assert_int_equal(atomic_load(&w->base.commits), 4);
}

static void a_lost_commit_is_repeated_for_what_may_be_repeated(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[3];

    close_gate(w, &gate);
    op_init(w, &ops[0], 0, &write_type);
    op_init(w, &ops[1], 1, &once_type);
    op_init(w, &ops[2], 2, &write_type);
    for (size_t i = 0; i < 3; i++)
        submit(w, &ops[i]);
    /* The gate's own commit is lost first; it is repeated too. */
    atomic_store(&w->base.fail_commits, 2);
    open_gate(w);
    await_answers(w, 4);
    assert_int_equal(ops[0].op.err.code, ERR_NONE);
    assert_int_equal(ops[1].op.err.code, ERR_UNAVAILABLE);
    assert_int_equal(ops[2].op.err.code, ERR_NONE);
    assert_int_equal(atomic_load(&ops[0].runs), 2);
    assert_int_equal(atomic_load(&ops[1].runs), 1);
    assert_int_equal(atomic_load(&w->base.opens), atomic_load(&w->base.closes) + 1);
}

static void a_lane_that_cannot_connect_tries_again_until_it_can(void **state)
{
    struct world *w = *state;
    struct test_op op;
    struct lane_stats stats;

    op_init(w, &op, 0, &write_type);
    atomic_store(&w->base.fail_opens, 2);
    atomic_store(&w->base.fail_begins, 1);
    submit(w, &op);
    await_answers(w, 1);
    assert_int_equal(op.op.err.code, ERR_NONE);
    assert_int_equal(atomic_load(&w->base.opens), 4);
    lane_stats(w->lane, &stats);
    assert_true(stats.connected);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(stats.operations, 1);
}

static void what_waited_too_long_for_a_connection_is_unavailable(void **state)
{
    struct world *w = *state;
    struct test_op first;
    struct test_op later;
    struct lane_stats stats;
    struct mono began = clock_mono();

    op_init(w, &first, 0, &write_type);
    atomic_store(&w->base.fail_opens, -1);
    atomic_store(&w->base.fail_begins, 1);
    submit(w, &first);
    await_answers(w, 1);
    assert_int_equal(first.op.err.code, ERR_UNAVAILABLE);
    assert_true(clock_mono().us - began.us >= 1000 * US_PER_MS);
    /* From now on nobody waits. */
    began = clock_mono();
    op_init(w, &later, 1, &write_type);
    submit(w, &later);
    await_answers(w, 2);
    assert_int_equal(later.op.err.code, ERR_UNAVAILABLE);
    assert_true(clock_mono().us - began.us < 900 * US_PER_MS);
    lane_stats(w->lane, &stats);
    assert_false(stats.connected);
    /* It comes back, and the lane with it. */
    atomic_store(&w->base.fail_opens, 0);
    do {
        op_init(w, &later, 2, &write_type);
        submit(w, &later);
        with_lock(w);
        while (w->answered < 3)
            await(w);
        w->answered = 2;
        unlock(w);
    } while (later.op.err.code == ERR_UNAVAILABLE);
    assert_int_equal(later.op.err.code, ERR_NONE);
}

static void a_question_whether_the_database_answers_does_not_wait_for_it(void **state)
{
    struct world *w = *state;
    struct test_op asks;
    struct test_op waits;
    struct mono began = clock_mono();

    op_init(w, &waits, 0, &write_type);
    op_init(w, &asks, 1, &once_type);
    atomic_store(&w->base.fail_opens, -1);
    atomic_store(&w->base.fail_begins, 1);
    submit(w, &waits);
    submit(w, &asks);
    await_answers(w, 1);
    assert_int_equal(w->order[0], 1);
    assert_int_equal(asks.op.err.code, ERR_UNAVAILABLE);
    assert_true(clock_mono().us - began.us < 900 * US_PER_MS);
    await_answers(w, 2);
}

/* A full disk: the file opens, but nothing can be written. */
static void a_database_that_opens_but_carries_nothing_is_not_hammered(void **state)
{
    struct world *w = *state;
    struct test_op op;

    op_init(w, &op, 0, &write_type);
    atomic_store(&w->base.fail_commits, -1);
    submit(w, &op);
    await_answers(w, 1);
    assert_int_equal(op.op.err.code, ERR_UNAVAILABLE);
    assert_true(atomic_load(&w->base.opens) < 10);
}

static void *free_lane(void *arg)
{
    lane_free(arg);
    return NULL;
}

static void a_lane_that_ends_answers_what_waits(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[50];
    pthread_t thread;

    close_gate(w, &gate);
    for (size_t i = 0; i < 50; i++) {
        op_init(w, &ops[i], i, &write_type);
        submit(w, &ops[i]);
    }
    MUST(pthread_create(&thread, NULL, free_lane, TAKE(w->lane)) == 0);
    open_gate(w);
    MUST(pthread_join(thread, NULL) == 0);
    assert_int_equal(w->answered, 51);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(ops[i].op.err.code, ERR_NONE);
    assert_int_equal(atomic_load(&w->base.closes), 1);
}

static void a_lane_that_ends_without_a_connection_answers_what_waits_at_once(void **state)
{
    struct world *w = *state;
    struct test_op ops[3];
    struct mono began = clock_mono();

    atomic_store(&w->base.fail_opens, -1);
    atomic_store(&w->base.fail_begins, 1);
    for (size_t i = 0; i < 3; i++) {
        op_init(w, &ops[i], i, &write_type);
        submit(w, &ops[i]);
    }
    lane_free(TAKE(w->lane));
    assert_true(clock_mono().us - began.us < 900 * US_PER_MS);
    assert_int_equal(w->answered, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ops[i].op.err.code, ERR_UNAVAILABLE);
    assert_int_equal(atomic_load(&w->base.closes), 1); /* the one that was opened */
}

static void a_first_connection_that_fails_makes_no_lane(void **state)
{
    struct base_ base = {0};
    struct lane_options o = {
        .name = "t", .open = scripted_open, .open_arg = &base, .queue_limit = 1, .group_limit = 1};
    struct lane *lane = NULL;
    struct error err = {0};

    (void)state;
    atomic_store(&base.fail_opens, 1);
    assert_int_equal(lane_new(&o, &lane, &err), ERR_UNAVAILABLE);
    assert_null(lane);
    assert_string_equal(err.text, "open: gone");
}

static void a_call_waits_for_its_answer(void **state)
{
    struct world *w = *state;
    struct test_op op;
    struct error err = {0};

    op_init(w, &op, 0, &write_type);
    assert_int_equal(lane_call(w->lane, &op.op, &err), ERR_NONE);
    op_init(w, &op, 0, &write_type);
    op.refused = ERR_NOT_FOUND;
    assert_int_equal(lane_call(w->lane, &op.op, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "refused");
    assert_ptr_equal(op.op.done, on_done);
}

static void upkeep_is_offered_before_the_first_group_and_after_each(void **state)
{
    struct world *w = *state;
    struct test_op op;

    op_init(w, &op, 0, &write_type);
    submit(w, &op);
    await_answers(w, 1);
    lane_free(TAKE(w->lane));
    assert_int_equal(atomic_load(&w->base.upkeeps), 2);
}

static void a_group_that_met_another_instance_is_run_again_as_a_whole(void **state)
{
    struct world *w = *state;
    struct test_op gate;
    struct test_op ops[3];

    close_gate(w, &gate);
    for (size_t i = 0; i < 3; i++) {
        op_init(w, &ops[i], i, &write_type);
        submit(w, &ops[i]);
    }
    ops[1].busy = 2;
    open_gate(w);
    await_answers(w, 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ops[i].op.err.code, ERR_NONE);
        assert_int_equal(atomic_load(&ops[i].runs), i == 2 ? 1 : 3); /* the last one was not come to before */
    }
    assert_int_equal(w->stretches_n, 3);
    for (size_t i = 0; i < w->stretches_n; i++)
        assert_int_equal(w->stretches[i], 3);
    assert_int_equal(atomic_load(&w->base.rollbacks), 2);
}

static void one_that_meets_others_again_and_again_is_told_so(void **state)
{
    struct world *w = *state;
    struct test_op o;

    op_init(w, &o, 1, &write_type);
    o.busy = 1000;
    submit(w, &o);
    await_answers(w, 1);
    assert_int_equal(o.op.err.code, ERR_BUSY);
    assert_in_range(atomic_load(&o.runs), 2, 10);
}

static void other_instances_are_told_within_the_transaction(void **state)
{
    struct world *w = *state;
    struct test_op quiet;
    struct test_op o;

    op_init(w, &quiet, 1, &write_type);
    submit(w, &quiet);
    await_answers(w, 1);
    assert_int_equal(atomic_load(&w->base.notifies), 0);
    op_init(w, &o, 2, &write_type);
    o.notices = true;
    submit(w, &o);
    await_answers(w, 2);
    assert_int_equal(atomic_load(&w->base.notifies), 1);
    assert_int_equal(atomic_load(&w->base.commits_at_notify), 1);
    assert_int_equal(w->notices, 1);
}

int main(void)
{
#define SENTENCE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        SENTENCE(what_waits_is_one_group_with_one_commit),
        SENTENCE(a_group_takes_no_more_than_its_limit),
        SENTENCE(heavy_operations_share_a_group_with_few_others),
        SENTENCE(a_group_is_run_in_stretches_of_one_type),
        SENTENCE(one_that_is_a_transaction_by_itself_shares_none),
        SENTENCE(what_came_with_one_that_lost_the_connection_is_done_all_the_same),
        SENTENCE(a_group_that_only_reads_does_not_ask_to_write),
        SENTENCE(an_operation_that_fails_the_group_fails_alone),
        SENTENCE(an_operation_refused_by_its_own_judgement_does_not_trouble_its_group),
        SENTENCE(the_notice_goes_out_before_the_answers),
        SENTENCE(a_full_queue_is_busy_but_outcomes_always_fit),
        SENTENCE(an_unfinished_operation_goes_on_in_the_next_group),
        SENTENCE(a_lost_commit_is_repeated_for_what_may_be_repeated),
        SENTENCE(a_lane_that_cannot_connect_tries_again_until_it_can),
        SENTENCE(what_waited_too_long_for_a_connection_is_unavailable),
        SENTENCE(a_question_whether_the_database_answers_does_not_wait_for_it),
        SENTENCE(a_database_that_opens_but_carries_nothing_is_not_hammered),
        SENTENCE(a_lane_that_ends_answers_what_waits),
        SENTENCE(a_lane_that_ends_without_a_connection_answers_what_waits_at_once),
        SENTENCE(a_group_that_met_another_instance_is_run_again_as_a_whole),
        SENTENCE(one_that_meets_others_again_and_again_is_told_so),
        SENTENCE(other_instances_are_told_within_the_transaction),
        cmocka_unit_test(a_first_connection_that_fails_makes_no_lane),
        SENTENCE(a_call_waits_for_its_answer),
        SENTENCE(upkeep_is_offered_before_the_first_group_and_after_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
