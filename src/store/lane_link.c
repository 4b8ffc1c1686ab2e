/*
 * lane_link.c: a lane without a connection: tries again and again, keeps what may wait, answers what may not.
 *
 * What may be repeated waits options.give_up_us from the loss; after that everything is answered at once
 * until the database is back. The number kept is bounded by the queue's limit, beyond it operations are
 * answered too.
 */
#include "base/clock.h"
#include "store/lane_internal.h"

#define FIRST_BACKOFF_US (50 * US_PER_MS)
#define MAX_BACKOFF_US (2 * US_PER_S)

void lane_keep(struct lane *l, struct op *op)
{
    op->node.next = NULL;
    if (l->kept)
        l->kept_last->next = &op->node;
    else
        l->kept = &op->node;
    l->kept_last = &op->node;
    l->kept_n++;
}

void lane_keep_first(struct lane *l, struct op **ops, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        struct op *op = ops[i - 1];

        op->node.next = l->kept;
        if (!l->kept)
            l->kept_last = &op->node;
        l->kept = &op->node;
    }
    l->kept_n += n;
}

size_t lane_take_kept(struct lane *l, struct op **ret, size_t max)
{
    size_t n = 0;

    while (n < max && l->kept) {
        ret[n++] = CONTAINER_OF(l->kept, struct op, node);
        l->kept = l->kept->next;
    }
    l->kept_n -= n;
    return n;
}

static void set_connected(struct lane *l, bool connected)
{
    MUST(pthread_mutex_lock(&l->lock) == 0);
    l->stats.connected = connected;
    MUST(pthread_mutex_unlock(&l->lock) == 0);
}

static int64_t longer(int64_t backoff_us)
{
    return backoff_us * 2 < MAX_BACKOFF_US ? backoff_us * 2 : MAX_BACKOFF_US;
}

enum err lane_open(struct lane *l, struct error *err)
{
    enum err e = l->options.open(l->options.open_arg, &l->store, err);

    if (e)
        return e;
    if (l->options.journal)
        l->store->journal = &l->journal;
    /* Before the first group: what was due to be done while nobody was connected may be what it needs. */
    store_upkeep(l->store);
    return ERR_NONE;
}

static void log_away(const struct lane *l, const char *msg)
{
    log_event(l->options.log, LOG_WARN, "store", msg, KV_CSTR("lane", l->options.name),
              KV_CSTR("error", err_name(l->lost_err.code)), KV_CSTR("detail", l->lost_err.text));
}

void lane_begin_away(struct lane *l, const struct error *err)
{
    l->lost_at = clock_mono();
    l->backoff_us = FIRST_BACKOFF_US;
    l->retry_at = mono_add(l->lost_at, l->backoff_us);
    l->lost_err = *err;
    log_away(l, "cannot connect, trying again");
}

void lane_unlink(struct lane *l, const struct error *err)
{
    struct mono now = clock_mono();

    store_close(TAKE(l->store));
    if (l->proven) {
        l->lost_at = now;
        l->retry_at = now; /* the first try at once: a restarted server is often back already */
        l->backoff_us = FIRST_BACKOFF_US;
    } else {
        /* It could be opened, but not used (a full disk): that is no return, or this would go round without
         * rest. */
        l->retry_at = mono_add(now, l->backoff_us);
        l->backoff_us = longer(l->backoff_us);
    }
    l->proven = false;
    l->lost_err = *err;
    set_connected(l, false);
    log_away(l, "connection lost, reconnecting");
}

static void refuse(struct lane *l, struct op *op)
{
    op->err = l->lost_err;
    op->err.code = ERR_UNAVAILABLE;
    op->done(op);
}

void lane_refuse_all(struct lane *l, struct op **ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        refuse(l, ops[i]);
}

static void refuse_kept(struct lane *l)
{
    struct op *op;

    while (lane_take_kept(l, &op, 1) == 1)
        refuse(l, op);
}

/* Waits for the next try; what arrives meanwhile is kept or answered. */
static void wait_for_try(struct lane *l, bool given_up)
{
    struct queue_node *node = queue_wait(l->queue, l->options.group_limit, l->retry_at);

    while (node) {
        struct op *op = CONTAINER_OF(node, struct op, node);

        node = node->next;
        if (given_up || !op->type->repeatable || l->kept_n >= l->options.queue_limit)
            refuse(l, op);
        else
            lane_keep(l, op);
    }
}

static bool try_open(struct lane *l, struct mono now)
{
    struct error err = {0};

    if (lane_open(l, &err) == ERR_NONE) {
        set_connected(l, true);
        log_event(l->options.log, LOG_INFO, "store", "connected again", KV_CSTR("lane", l->options.name),
                  KV_I64("after_us", now.us - l->lost_at.us));
        return true;
    }
    l->lost_err = err;
    l->retry_at = mono_add(now, l->backoff_us);
    l->backoff_us = longer(l->backoff_us);
    return false;
}

bool lane_relink(struct lane *l)
{
    struct mono now = clock_mono();
    bool given_up = now.us - l->lost_at.us >= l->options.give_up_us;

    if (now.us >= l->retry_at.us && try_open(l, now))
        return true;
    if (queue_closed(l->queue)) {
        refuse_kept(l);
        return true; /* what is still queued is answered by the caller, then it ends */
    }
    if (given_up)
        refuse_kept(l);
    wait_for_try(l, given_up);
    return false;
}
