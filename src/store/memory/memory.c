/*
 * memory.c: the database, its connections and their transactions.
 *
 * One lock, held for the length of a transaction: nothing here is fast because it is parallel, and a
 * simulation needs none of that.
 */
#include "store/memory/memory.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "store/each.h"
#include "store/memory/ops.h"

enum err memory_db_new(const struct memory_options *options, struct memory_db **ret, struct error *err)
{
    struct memory_db *db;
    pthread_mutexattr_t attr;
    void *p;
    enum err e = alloc_array(1, sizeof(*db), &p, err);

    if (e)
        return e;
    db = p;
    db->options = *options;
    rows_init(db);
    MUST(pthread_mutexattr_init(&attr) == 0);
    /* A second transaction of the same thread is told so, instead of waiting for itself for ever. */
    MUST(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK) == 0);
    MUST(pthread_mutex_init(&db->lock, &attr) == 0);
    MUST(pthread_mutexattr_destroy(&attr) == 0);
    *ret = db;
    return ERR_NONE;
}

void memory_db_free(struct memory_db *db)
{
    if (!db)
        return;
    rows_done(db);
    MUST(pthread_mutex_destroy(&db->lock) == 0);
    alloc_free(db);
}

static struct memory_store *of(struct store *s)
{
    return CONTAINER_OF(s, struct memory_store, base);
}

struct memory_db *memory_read(struct store *s)
{
    MUST(of(s)->tx != TX_NONE);
    return of(s)->db;
}

struct memory_db *memory_write(struct store *s)
{
    MUST(of(s)->tx == TX_WRITE);
    of(s)->db->journal = s->journal;
    return of(s)->db;
}

static enum err memory_begin(struct store *s, bool writes, struct error *err)
{
    struct memory_store *m = of(s);
    int rc;

    MUST(m->tx == TX_NONE);
    if (writes && !m->may_write)
        return error_set(err, ERR_CONFLICT, "memory", "this connection only reads");
    rc = pthread_mutex_lock(&m->db->lock);
    if (rc == EDEADLK)
        return error_set(err, ERR_BUSY, "memory", "this thread is in a transaction already");
    MUST(rc == 0);
    m->tx = writes ? TX_WRITE : TX_READ;
    return ERR_NONE;
}

static void end(struct memory_store *m)
{
    m->tx = TX_NONE;
    MUST(pthread_mutex_unlock(&m->db->lock) == 0);
}

static enum err memory_commit(struct store *s, struct error *err)
{
    (void)err;
    rows_commit(memory_read(s));
    end(of(s));
    return ERR_NONE;
}

static void memory_rollback(struct store *s)
{
    if (of(s)->tx == TX_NONE)
        return;
    rows_rollback(of(s)->db);
    end(of(s));
}

static enum err memory_now(struct store *s, struct wall *ret, struct error *err)
{
    const struct memory_options *o = &of(s)->db->options;

    (void)err;
    *ret = o->clock ? o->clock(o->clock_arg) : clock_wall();
    return ERR_NONE;
}

static enum err memory_ping(struct store *s, struct error *err)
{
    (void)s;
    (void)err;
    return ERR_NONE;
}

static void memory_upkeep(struct store *s)
{
    (void)s;
}

static void memory_close(struct store *s)
{
    memory_rollback(s);
    alloc_free(of(s));
}

static const struct store_ops memory_ops = {
    .name = "memory",
    .begin = memory_begin,
    .commit = memory_commit,
    .rollback = memory_rollback,
    .now = memory_now,
    .ping = memory_ping,
    .close = memory_close,
    .put = memory_put,
    .remove = memory_remove,
    .remove_id = memory_remove_id,
    .set_timer = memory_set_timer,
    .insert_run = memory_insert_run,
    .get = memory_get,
    .get_by_client = memory_get_by_client,
    .list = memory_list,
    .get_run = memory_get_run,
    .list_runs = memory_list_runs,
    .get_many = each_get,
    .list_runs_of = each_list_runs,
    .stats = memory_stats,
    .due = memory_due,
    .advance = memory_advance,
    .insert_runs = memory_insert_runs,
    .retake = memory_retake,
    .next_due = memory_next_due,
    .complete = memory_complete,
    .renew = memory_renew,
    .doomed = memory_doomed,
    .act_runs = memory_act_runs,
    .times_run = memory_times_run,
    .release = memory_release,
    .get_answer = memory_get_answer,
    .put_answer = memory_put_answer,
    .trim_answers = memory_trim_answers,
    .clear = memory_clear,
    .remove_finished = memory_remove_finished,
    .trim_runs = memory_trim_runs,
    .get_meta = memory_get_meta,
    .set_meta = memory_set_meta,
    .trace_runs = memory_trace_runs,
    .outbox_add = memory_outbox_add,
    .outbox_take = memory_outbox_take,
    .outbox_remove = memory_outbox_remove,
    .outbox_size = memory_outbox_size,
    .upkeep = memory_upkeep,
    .examine = memory_examine,
    .inspect = memory_inspect,
};

enum err memory_connect(struct memory_db *db, bool writes, struct store **ret, struct error *err)
{
    struct memory_store *m;
    void *p;
    enum err e = alloc_array(1, sizeof(*m), &p, err);

    if (e)
        return e;
    m = p;
    *m = (struct memory_store){.base = {.ops = &memory_ops}, .db = db, .may_write = writes};
    *ret = &m->base;
    return ERR_NONE;
}
