/*
 * conn.c: a connection's transactions, and the table of its calls. One thread at a time.
 */
#include "store/postgres/conn.h"

#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "store/postgres/ops.h"
#include "store/postgres/partition.h"

/* Slots of the tally: one per connection at random, so that instances seldom wait for each other's. */
enum { SLOTS = 64 };

static void conn_rollback(struct store *store)
{
    struct postgres_store *s = postgres_of(store);

    if (!s->open)
        return;
    s->open = false;
    /* Answers that nobody waited for come first. Whether they say that something failed is of no interest
     * now; the rollback fails only when the connection does, and then so does whatever comes next. */
    if (link_sync(&s->link, NULL) && s->link.lost)
        return;
    (void)link_args(&s->link);
    if (link_ask(&s->link, Q_ROLLBACK, NULL, NULL))
        s->link.lost = true;
}

static enum err conn_begin(struct store *store, bool writes, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    enum sql read = s->db->look ? Q_TX_LOOK : Q_TX_READ;
    RESULT(r);
    enum err e;

    MUST(!s->open && (!writes || s->writes));
    memset(s->tally, 0, sizeof(s->tally));
    s->tallied = false;
    s->open = true;
    s->writing = writes;
    (void)link_args(&s->link);
    e = link_send(&s->link, writes ? Q_BEGIN_WRITE : Q_BEGIN_READ, NULL, err);
    if (!e) {
        (void)link_args(&s->link);
        e = link_ask(&s->link, writes ? Q_TX_WRITE : read, &r, err);
    }
    if (e) {
        error_prefix(err, "cannot begin");
        conn_rollback(store);
        return e;
    }
    s->now = s->db->clock ? s->db->clock(s->db->clock_arg) : (struct wall){row_i64(r, 0, 0)};
    return ERR_NONE;
}

void postgres_tally(struct postgres_store *s, int from, int to)
{
    if (from == to)
        return;
    if (from >= 0)
        s->tally[from]--;
    if (to >= 0)
        s->tally[to]++;
    s->tallied = true;
}

/* Last of all, in one order: who shares the slot waits for our commit alone. */
static enum err write_tally(struct postgres_store *s, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(s->tally); i++) {
        struct args *a;
        enum err e;

        if (s->tally[i] == 0)
            continue;
        a = link_args(&s->link);
        args_i64(a, s->slot);
        args_i64(a, (int64_t)i);
        args_i64(a, s->tally[i]);
        e = link_send(&s->link, Q_TALLY_ADD, NULL, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* With all that was sent before and not waited for: one answer for everything. */
static enum err conn_commit(struct store *store, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    enum err e = s->tallied ? write_tally(s, err) : ERR_NONE;

    if (!e) {
        (void)link_args(&s->link);
        e = link_ask(&s->link, Q_COMMIT, NULL, err);
    }
    if (e) {
        error_prefix(err, "cannot commit");
        return e;
    }
    s->open = false;
    return ERR_NONE;
}

static enum err conn_now(struct store *store, struct wall *ret, struct error *err)
{
    (void)err;
    *ret = postgres_of(store)->now;
    return ERR_NONE;
}

static enum err conn_ping(struct store *store, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    (void)link_args(&s->link);
    e = link_ask(&s->link, Q_PING, &r, err);
    if (e)
        return e;
    return row_n(r) == 1 ? ERR_NONE : error_set(err, ERR_IO, "postgres", "the schema version is gone");
}

static void conn_upkeep(struct store *store)
{
    struct postgres_store *s = postgres_of(store);

    if (s->writes && !s->link.lost)
        partitions_tend(s);
}

static void conn_close(struct store *store)
{
    struct postgres_store *s = postgres_of(store);

    link_done(&s->link);
    alloc_free(s);
}

static const struct store_ops postgres_ops = {
    .name = "postgres",
    .begin = conn_begin,
    .commit = conn_commit,
    .rollback = conn_rollback,
    .now = conn_now,
    .ping = conn_ping,
    .close = conn_close,
    .put = postgres_put,
    .remove = postgres_remove,
    .remove_id = postgres_remove_id,
    .set_timer = postgres_set_timer,
    .insert_run = postgres_insert_run,
    .get = postgres_get,
    .get_by_client = postgres_get_by_client,
    .list = postgres_list,
    .get_run = postgres_get_run,
    .list_runs = postgres_list_runs,
    .get_many = postgres_get_many,
    .list_runs_of = postgres_list_runs_of,
    .stats = postgres_stats,
    .due = postgres_due,
    .advance = postgres_advance,
    .insert_runs = postgres_insert_runs,
    .retake = postgres_retake,
    .next_due = postgres_next_due,
    .complete = postgres_complete,
    .renew = postgres_renew,
    .act_runs = postgres_act_runs,
    .times_run = postgres_times_run,
    .release = postgres_release,
    .get_answer = postgres_get_answer,
    .put_answer = postgres_put_answer,
    .trim_answers = postgres_trim_answers,
    .clear = postgres_clear,
    .remove_finished = postgres_remove_finished,
    .trim_runs = postgres_trim_runs,
    .get_meta = postgres_get_meta,
    .set_meta = postgres_set_meta,
    .trace_runs = postgres_trace_runs,
    .outbox_add = postgres_outbox_add,
    .outbox_take = postgres_outbox_take,
    .outbox_remove = postgres_outbox_remove,
    .outbox_size = postgres_outbox_size,
    .list_moved = postgres_list_moved,
    .look_moved = postgres_look_moved,
    .add_moved = postgres_add_moved,
    .add_moved_runs = postgres_add_moved_runs,
    .upkeep = conn_upkeep,
    .examine = postgres_examine,
    .inspect = postgres_inspect,
    .notify = postgres_notify,
    .heartbeat = postgres_heartbeat,
    .instances = postgres_instances,
    .doomed = postgres_doomed,
};

static const struct store_ops postgres_history_ops = {
    .name = "postgres",
    .begin = conn_begin,
    .commit = conn_commit,
    .rollback = conn_rollback,
    .now = conn_now,
    .ping = conn_ping,
    .close = conn_close,
    .history_add = postgres_history_add,
    .history_list = postgres_history_list,
    .history_list_of = postgres_history_list_of,
    .history_trim = postgres_history_trim,
    .get_meta = postgres_get_meta,
    .set_meta = postgres_set_meta,
    .upkeep = conn_upkeep,
    .inspect = postgres_inspect,
};

enum err postgres_connect(struct postgres *p, bool writes, struct store **ret, struct error *err)
{
    struct postgres_store *s = alloc_new(struct postgres_store);
    enum err e = postgres_link(p, &s->link, err);

    if (e) {
        alloc_free(s);
        return e;
    }
    s->store.ops = p->history ? &postgres_history_ops : &postgres_ops;
    s->db = p;
    s->writes = writes;
    s->slot = (int64_t)(random_u64() % SLOTS);
    partitions_init(&s->partitions);
    *ret = &s->store;
    return ERR_NONE;
}
