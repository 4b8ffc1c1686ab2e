/*
 * lane.c: the lane's thread: groups, their answers, and the way back to a lost database.
 *
 * The store is touched by the lane's thread alone. No lock is held while operations run or are answered.
 * What happens to a lost connection is in lane_link.c.
 */
#include "store/lane.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/grow.h"
#include "store/lane_internal.h"

enum { GROUP_WEIGHT_MAX = 10000, BUSY_TRIES = 5 };

enum err change_list_add(struct change_list *l, struct change c, struct error *err)
{
    enum err e = LIST_RESERVE(l, err);

    if (e)
        return e;
    l->items[l->n++] = c;
    return ERR_NONE;
}

void change_list_done(struct change_list *l)
{
    alloc_free(l->items);
    *l = (struct change_list){0};
}

#define GIVE_UP_US (10 * US_PER_S)

static void count_group(struct lane *l, size_t operations, bool failed)
{
    MUST(pthread_mutex_lock(&l->lock) == 0);
    l->stats.operations += failed ? 0 : operations;
    l->stats.groups++;
    l->stats.commit_us += (uint64_t)l->commit_us;
    l->stats.failures += failed;
    MUST(pthread_mutex_unlock(&l->lock) == 0);
}

/* Every operation once, in stretches of one type. */
static enum err run_ops(struct lane *l, struct op **ops, size_t n, struct wall now, struct notice *notice,
                        struct error *err)
{
    for (size_t from = 0, to; from < n; from = to) {
        const struct op_type *type = ops[from]->type;
        enum err e;

        for (to = from; to < n && ops[to]->type == type; to++) {
            ops[to]->err = (struct error){0};
            ops[to]->unfinished = false;
        }
        e = type->run(l->store, ops + from, to - from, now, notice, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static bool any_writes(struct op **ops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ops[i]->type->writes)
            return true;
    }
    return false;
}

static enum err run_alone(struct lane *l, struct op *op, struct notice *notice, struct error *err)
{
    op->err = (struct error){0};
    op->unfinished = false;
    return op->type->run(l->store, &op, 1, WALL_NEVER, notice, err);
}

static void begin_journal(struct lane *l, struct wall now)
{
    if (l->options.journal)
        journal_begin(&l->journal, l->options.listened && l->options.listened(l->options.events_arg), now);
}

/* One transaction. When it fails in the commit, nobody knows whether it is there. */
static enum err transact(struct lane *l, struct op **ops, size_t n, struct notice *notice, struct error *err)
{
    bool writes = any_writes(ops, n);
    struct wall now;
    struct mono began;
    enum err e;

    if (n == 1 && ops[0]->type->alone)
        return run_alone(l, ops[0], notice, err);
    e = store_begin(l->store, writes, err);
    if (e)
        return e;
    e = store_now(l->store, &now, err);
    if (!e && writes)
        begin_journal(l, now);
    if (!e)
        e = run_ops(l, ops, n, now, notice, err);
    if (!e && writes && l->options.journal) {
        e = journal_flush(&l->journal, l->store, err);
        notice->events = l->journal.kept_n;
    }
    /* In the transaction: who is told finds it there, and of what is lost nobody is told. */
    if (!e && writes && !notice_is_empty(notice))
        e = store_notify(l->store, notice, now, err);
    if (!e) {
        began = clock_mono();
        e = store_commit(l->store, err);
        l->undecided = e != ERR_NONE;
        l->commit_us = clock_mono().us - began.us;
    }
    if (e)
        store_rollback(l->store);
    return e;
}

/* Hands one back, or keeps it for the next group. */
static void answer(struct lane *l, struct op *op)
{
    if (op->unfinished && op->err.code == ERR_NONE) {
        op->parts++;
        lane_keep(l, op);
    } else {
        op->done(op);
    }
}

/*
 * A commit's answer was lost. If it is there, its operations find on their repetition that nothing is left to
 * do, and tell nothing; so what it changed is told then. If it is not there, it is told for nothing. Events
 * cannot be told for nothing: those who listen learn that some may be missing.
 */
static void owe(struct lane *l, struct notice *notice)
{
    l->owed.earliest = wall_min(l->owed.earliest, notice->earliest);
    l->owed.events += notice->events;
    if (l->options.events_lost && l->journal.listened && l->journal.n > 0)
        l->options.events_lost(l->options.events_arg);
    for (size_t i = 0; i < notice->changed.n; i++) {
        /* More than fits is told as "anything may have changed". */
        if (change_list_add(&l->owed.changed, notice->changed.items[i], NULL)) {
            l->owed.all = true;
            return;
        }
    }
}

static void tell_owed(struct lane *l)
{
    if (notice_is_empty(&l->owed) && l->owed.events == 0)
        return;
    if (l->options.notice)
        l->options.notice(l->options.notice_arg, &l->owed);
    change_list_done(&l->owed.changed);
    l->owed = (struct notice){.earliest = WALL_NEVER};
}

static void finish(struct lane *l, struct op **ops, size_t n, const struct notice *notice)
{
    tell_owed(l);
    /* Before the answers: whoever is answered may rely on the engine having been told. */
    if (l->options.notice && (!notice_is_empty(notice) || notice->events > 0))
        l->options.notice(l->options.notice_arg, notice);
    if (l->options.events && l->journal.listened && l->journal.n > 0)
        l->options.events(l->options.events_arg, &l->journal);
    for (size_t i = 0; i < n; i++)
        answer(l, ops[i]);
}

static bool is_loss(enum err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_IO;
}

/* The connection is gone under these operations: each waits for the next one or is answered. */
static void lost(struct lane *l, struct op **ops, size_t n, const struct error *err)
{
    lane_unlink(l, err);
    for (size_t i = 0; i < n; i++) {
        if (ops[i]->type->repeatable)
            lane_keep(l, ops[i]);
        else
            lane_refuse_all(l, &ops[i], 1);
    }
}

/* True when the group is dealt with: committed and answered, or put aside because the connection is gone. */
static bool try_once(struct lane *l, struct op **ops, size_t n, struct error *err)
{
    struct notice notice = {.earliest = WALL_NEVER};
    enum err e;

    l->commit_us = 0;
    l->undecided = false;
    e = transact(l, ops, n, &notice, err);
    count_group(l, n, e != ERR_NONE);
    l->proven = l->proven || !is_loss(e);
    if (!e) {
        finish(l, ops, n, &notice);
    } else if (is_loss(e)) {
        if (l->undecided)
            owe(l, &notice);
        lost(l, ops, n, err);
    }
    change_list_done(&notice.changed);
    l->journal.n = 0; /* told, or of no worth */
    return !e || is_loss(e);
}

/*
 * The same, and again when another instance was in the way (a deadlock, a lock that did not come): it has
 * gone on meanwhile, since one of the two always does.
 */
static bool try_group(struct lane *l, struct op **ops, size_t n, struct error *err)
{
    for (int i = 1; i < BUSY_TRIES; i++) {
        if (try_once(l, ops, n, err))
            return true;
        if (err->code != ERR_BUSY)
            return false;
    }
    return try_once(l, ops, n, err);
}

/* One that fails even alone. */
static void refuse(struct op *op, const struct error *err)
{
    op->err = *err;
    op->done(op);
}

static void run_group(struct lane *l, struct op **ops, size_t n)
{
    struct error err = {0};

    if (try_group(l, ops, n, &err))
        return;
    if (n == 1) {
        refuse(ops[0], &err);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!l->store)
            lane_keep(l, ops[i]); /* lost while replaying: not begun */
        else if (!try_group(l, &ops[i], 1, &err))
            refuse(ops[i], &err);
    }
}

/*
 * Those that are transactions by themselves go first, one by one: in a group they would hold what they lock
 * until its commit, and wait for what others hold meanwhile. Yields how many of the others there are.
 */
static size_t run_lone(struct lane *l, struct op **ops, size_t n)
{
    size_t rest = 0;

    for (size_t i = 0; i < n; i++) {
        if (l->store && ops[i]->type->alone)
            run_group(l, &ops[i], 1);
        else
            ops[rest++] = ops[i];
    }
    return rest;
}

static void run_all(struct lane *l, struct op **ops, size_t n)
{
    size_t rest = run_lone(l, ops, n);

    if (rest > 0 && l->store) {
        run_group(l, ops, rest);
        return;
    }
    for (size_t i = 0; i < rest; i++)
        lane_keep(l, ops[i]); /* lost before it began */
}

/*
 * How many of them one transaction takes: however many wait, no commit shall take much longer than the
 * heaviest operation alone, since claims and outcomes wait behind it.
 */
static size_t within_weight(struct op **ops, size_t n)
{
    size_t weight = 0;

    for (size_t i = 0; i < n; i++) {
        weight += ops[i]->weight > 0 ? ops[i]->weight : 1;
        if (i > 0 && weight > GROUP_WEIGHT_MAX)
            return i;
    }
    return n;
}

/* What was kept goes first: it is older. */
static size_t next_group(struct lane *l, struct op **ops)
{
    size_t n = lane_take_kept(l, ops, l->options.group_limit);
    struct queue_node *node = NULL;
    size_t light;

    if (n == 0)
        node = queue_wait(l->queue, l->options.group_limit, (struct mono){INT64_MAX});
    else if (n < l->options.group_limit)
        node = queue_take(l->queue, l->options.group_limit - n);
    while (node) {
        struct op *op = CONTAINER_OF(node, struct op, node);

        node = node->next;
        ops[n++] = op;
    }
    light = within_weight(ops, n);
    lane_keep_first(l, ops + light, n - light);
    return light;
}

static void *lane_main(void *arg)
{
    struct lane *l = arg;

    for (;;) {
        size_t n;

        if (!l->store && !lane_relink(l))
            continue;
        n = next_group(l, l->group);
        if (n == 0)
            break;
        if (l->store)
            run_all(l, l->group, n);
        else
            lane_refuse_all(l, l->group, n);
        if (l->store)
            store_upkeep(l->store);
    }
    return NULL;
}

static enum err start(struct lane *l, struct error *err)
{
    int status = pthread_create(&l->thread, NULL, lane_main, l);

    if (status != 0)
        return error_set(err, ERR_IO, l->options.name, "cannot start the lane's thread (error %d)", status);
    l->started = true;
    return ERR_NONE;
}

static enum err open_first(struct lane *l, struct error *err)
{
    struct error why = {0};
    enum err e = lane_open(l, &why);

    if (e && l->options.may_be_away) {
        lane_begin_away(l, &why);
        return ERR_NONE;
    }
    if (e && err)
        *err = why;
    l->stats.connected = !e;
    l->proven = true; /* a first loss is a loss */
    return e;
}

enum err lane_new(const struct lane_options *options, struct lane **ret, struct error *err)
{
    CLEANUP(lane_free_p) struct lane *l = alloc_new(struct lane);
    void *group;
    enum err e;

    MUST(options->group_limit > 0 && options->queue_limit > 0);
    l->options = *options;
    l->owed.earliest = WALL_NEVER;
    journal_init(&l->journal);
    if (l->options.give_up_us == 0)
        l->options.give_up_us = GIVE_UP_US;
    MUST(pthread_mutex_init(&l->lock, NULL) == 0);
    l->queue = queue_new(options->queue_limit, NULL, NULL);
    e = alloc_array(options->group_limit, sizeof(*l->group), &group, err);
    if (e)
        return e;
    l->group = group;
    e = open_first(l, err);
    if (e)
        return e;
    e = start(l, err);
    if (e)
        return e;
    *ret = TAKE(l);
    return ERR_NONE;
}

enum err lane_submit(struct lane *l, struct op *op, struct error *err)
{
    return queue_push(l->queue, &op->node, err);
}

enum err lane_submit_always(struct lane *l, struct op *op, struct error *err)
{
    if (queue_push_always(l->queue, &op->node))
        return ERR_NONE;
    return error_set(err, ERR_BUSY, l->options.name, "the lane is closed");
}

void lane_stats(struct lane *l, struct lane_stats *ret)
{
    MUST(pthread_mutex_lock(&l->lock) == 0);
    *ret = l->stats;
    MUST(pthread_mutex_unlock(&l->lock) == 0);
    ret->waiting = queue_size(l->queue);
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    if (l->started) {
        queue_close(l->queue);
        MUST(pthread_join(l->thread, NULL) == 0);
    }
    store_close(l->store);
    journal_done(&l->journal);
    queue_free(l->queue);
    MUST(pthread_mutex_destroy(&l->lock) == 0);
    change_list_done(&l->owed.changed);
    alloc_free(l->group);
    alloc_free(l);
}

struct call {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done; /* under .lock */
};

static void call_done(struct op *op)
{
    struct call *c = op->arg;

    MUST(pthread_mutex_lock(&c->lock) == 0);
    c->done = true;
    /* Under the lock: the waiter owns it, and is gone as soon as it is let in. */
    MUST(pthread_cond_signal(&c->answered) == 0);
    MUST(pthread_mutex_unlock(&c->lock) == 0);
}

enum err lane_call(struct lane *l, struct op *op, struct error *err)
{
    struct call c = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
    op_done_fn done = op->done;
    void *arg = op->arg;
    enum err e;

    op->done = call_done;
    op->arg = &c;
    e = lane_submit(l, op, err);
    if (!e) {
        MUST(pthread_mutex_lock(&c.lock) == 0);
        while (!c.done)
            MUST(pthread_cond_wait(&c.answered, &c.lock) == 0);
        MUST(pthread_mutex_unlock(&c.lock) == 0);
        e = op->err.code;
        if (e && err)
            *err = op->err;
    }
    op->done = done;
    op->arg = arg;
    MUST(pthread_cond_destroy(&c.answered) == 0);
    MUST(pthread_mutex_destroy(&c.lock) == 0);
    return e;
}
