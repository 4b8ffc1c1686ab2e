/*
 * faulty.c: see faulty.h. A forwarder per call, and the dice.
 */
#include "store/faulty/faulty.h"

#include "base/alloc.h"

struct faulty {
    struct store store;
    struct store *inner; /* owned */
    struct faulty_plan *plan;
    bool open; /* between begin and commit or rollback */
    bool dead;
};

static struct faulty *faulty_of(struct store *s)
{
    return CONTAINER_OF(s, struct faulty, store);
}

static bool happens(struct faulty_plan *plan, unsigned per_mille)
{
    return per_mille > 0 && rng_below(&plan->rng, 1000) < per_mille;
}

static enum err gone(struct error *err)
{
    return error_set(err, ERR_UNAVAILABLE, "faulty", "the connection is gone");
}

static void die(struct faulty *f)
{
    f->dead = true;
    if (f->open)
        store_rollback(f->inner);
    f->open = false;
}

/* Before each call: the connection is there, or ERR_UNAVAILABLE. */
static enum err reach(struct faulty *f, struct error *err)
{
    if (!f->dead && happens(f->plan, f->plan->drop)) {
        f->plan->dropped++;
        die(f);
    }
    return f->dead ? gone(err) : ERR_NONE;
}

static enum err faulty_begin(struct store *s, bool writes, struct error *err)
{
    struct faulty *f = faulty_of(s);
    enum err e = reach(f, err);

    f->inner->journal = s->journal;
    if (!e)
        e = store_begin(f->inner, writes, err);
    f->open = !e;
    return e;
}

static enum err faulty_commit(struct store *s, struct error *err)
{
    struct faulty *f = faulty_of(s);
    enum err e = reach(f, err);

    if (e)
        return e;
    if (happens(f->plan, f->plan->lose_commit)) {
        f->plan->lost_commits++;
        die(f);
        return gone(err);
    }
    e = store_commit(f->inner, err);
    if (e)
        return e;
    f->open = false;
    f->plan->commits++;
    if (happens(f->plan, f->plan->lose_answer)) {
        f->plan->lost_answers++;
        die(f);
        return gone(err);
    }
    return ERR_NONE;
}

static void faulty_rollback(struct store *s)
{
    struct faulty *f = faulty_of(s);

    if (f->open)
        store_rollback(f->inner);
    f->open = false;
}

static void faulty_close(struct store *s)
{
    struct faulty *f = faulty_of(s);

    faulty_rollback(s);
    store_close(f->inner);
    alloc_free(f);
}

static void faulty_upkeep(struct store *s)
{
    struct faulty *f = faulty_of(s);

    if (!f->dead)
        store_upkeep(f->inner);
}

static enum err faulty_now(struct store *s, struct wall *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_now(faulty_of(s)->inner, ret, err);
}

static enum err faulty_examine(struct store *s, const struct examination *x, struct breaches *ret,
                               struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_examine(faulty_of(s)->inner, x, ret, err);
}

static enum err faulty_inspect(struct store *s, enum inspection what, struct inspected *ret,
                               struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_inspect(faulty_of(s)->inner, what, ret, err);
}

static enum err faulty_ping(struct store *s, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_ping(faulty_of(s)->inner, err);
}

static enum err faulty_put(struct store *s, struct put *puts, size_t n, struct wall now, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_put(faulty_of(s)->inner, puts, n, now, err);
}

static enum err faulty_remove(struct store *s, const struct filter *f, struct wall now, struct uuid_list *ret,
                              struct uuid *ret_reached, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_remove(faulty_of(s)->inner, f, now, ret, ret_reached, err);
}

static enum err faulty_remove_id(struct store *s, struct uuid id, int64_t if_version, struct wall now,
                                 struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_remove_id(faulty_of(s)->inner, id, if_version, now, err);
}

static enum err faulty_set_timer(struct store *s, struct uuid id, int64_t if_version, const struct timer *t,
                                 bool cancel_runs, struct wall now, int64_t *ret_version, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e
             : store_set_timer(faulty_of(s)->inner, id, if_version, t, cancel_runs, now, ret_version, err);
}

static enum err faulty_insert_run(struct store *s, struct run_insert *run, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_insert_run(faulty_of(s)->inner, run, err);
}

static enum err faulty_get(struct store *s, struct uuid id, struct record *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get(faulty_of(s)->inner, id, ret, err);
}

static enum err faulty_get_by_client(struct store *s, const struct schedule *identity, struct record *ret,
                                     struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get_by_client(faulty_of(s)->inner, identity, ret, err);
}

static enum err faulty_list(struct store *s, const struct filter *f, struct record_list *ret,
                            struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_list(faulty_of(s)->inner, f, ret, err);
}

static enum err faulty_get_run(struct store *s, struct uuid id, struct run_record *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get_run(faulty_of(s)->inner, id, ret, err);
}

static enum err faulty_list_runs(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                                 struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_list_runs(faulty_of(s)->inner, f, ret, err);
}

static enum err faulty_get_many(struct store *s, const struct uuid *ids, size_t n, struct record_list *ret,
                                struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get_many(faulty_of(s)->inner, ids, n, ret, err);
}

static enum err faulty_list_runs_of(struct store *s, const struct uuid *ids, size_t n,
                                    const struct run_filter *f, size_t most, struct run_record_list *ret,
                                    struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_list_runs_of(faulty_of(s)->inner, ids, n, f, most, ret, err);
}

static enum err faulty_stats(struct store *s, struct store_stats *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_stats(faulty_of(s)->inner, ret, err);
}

static enum err faulty_due(struct store *s, struct wall until, size_t limit, struct due_list *ret,
                           struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_due(faulty_of(s)->inner, until, limit, ret, err);
}

static enum err faulty_advance(struct store *s, const struct advance *a, size_t n, struct wall now,
                               struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_advance(faulty_of(s)->inner, a, n, now, err);
}

static enum err faulty_insert_runs(struct store *s, struct run_insert *runs, size_t n, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_insert_runs(faulty_of(s)->inner, runs, n, err);
}

static enum err faulty_retake(struct store *s, const struct lease *lease, struct wall now, struct wall until,
                              size_t limit, struct taken_list *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_retake(faulty_of(s)->inner, lease, now, until, limit, ret, err);
}

static enum err faulty_next_due(struct store *s, struct wall *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_next_due(faulty_of(s)->inner, ret, err);
}

static enum err faulty_complete(struct store *s, struct outcome *outcomes, size_t n, struct wall now,
                                struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_complete(faulty_of(s)->inner, outcomes, n, now, err);
}

static enum err faulty_renew(struct store *s, const struct uuid *runs, const uint64_t *tokens, size_t n,
                             struct wall until, struct uuid_list *ret_lost, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_renew(faulty_of(s)->inner, runs, tokens, n, until, ret_lost, err);
}

static enum err faulty_act_runs(struct store *s, enum run_act_kind kind, struct run_act *acts, size_t n,
                                struct wall now, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_act_runs(faulty_of(s)->inner, kind, acts, n, now, err);
}

static enum err faulty_times_run(struct store *s, struct uuid schedule_id, struct wall from, struct wall to,
                                 struct wall_list *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_times_run(faulty_of(s)->inner, schedule_id, from, to, ret, err);
}

static enum err faulty_release(struct store *s, struct uuid schedule_id, struct wall now, bool *ret,
                               struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_release(faulty_of(s)->inner, schedule_id, now, ret, err);
}

static enum err faulty_get_answer(struct store *s, struct uuid key, struct kept_answer *ret,
                                  struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get_answer(faulty_of(s)->inner, key, ret, err);
}

static enum err faulty_put_answer(struct store *s, const struct kept_answer *a, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_put_answer(faulty_of(s)->inner, a, err);
}

static enum err faulty_trim_answers(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                    struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_trim_answers(faulty_of(s)->inner, before, limit, ret_n, err);
}

static enum err faulty_clear(struct store *s, size_t limit, size_t *ret_runs, size_t *ret_n,
                             struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_clear(faulty_of(s)->inner, limit, ret_runs, ret_n, err);
}

static enum err faulty_remove_finished(struct store *s, struct wall before, struct wall now, size_t limit,
                                       size_t *ret_n, bool *ret_more, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_remove_finished(faulty_of(s)->inner, before, now, limit, ret_n, ret_more, err);
}

static enum err faulty_trim_runs(struct store *s, struct wall ok_before, struct wall failed_before,
                                 size_t limit, size_t *ret_n, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_trim_runs(faulty_of(s)->inner, ok_before, failed_before, limit, ret_n, err);
}

static enum err faulty_get_meta(struct store *s, const char *key, struct buf *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_get_meta(faulty_of(s)->inner, key, ret, err);
}

static enum err faulty_set_meta(struct store *s, const char *key, struct str value, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_set_meta(faulty_of(s)->inner, key, value, err);
}

static enum err faulty_trace_runs(struct store *s, const struct uuid *runs, size_t n, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_trace_runs(faulty_of(s)->inner, runs, n, err);
}

static enum err faulty_outbox_add(struct store *s, const struct str *texts, size_t n, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_outbox_add(faulty_of(s)->inner, texts, n, err);
}

static enum err faulty_outbox_take(struct store *s, int64_t after, size_t limit, struct outbox_list *ret,
                                   struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_outbox_take(faulty_of(s)->inner, after, limit, ret, err);
}

static enum err faulty_outbox_remove(struct store *s, const int64_t *ns, size_t n, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_outbox_remove(faulty_of(s)->inner, ns, n, err);
}

static enum err faulty_outbox_size(struct store *s, int64_t *ret, struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_outbox_size(faulty_of(s)->inner, ret, err);
}

static enum err faulty_history_add(struct store *s, const struct history_row *rows, size_t n,
                                   struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_history_add(faulty_of(s)->inner, rows, n, err);
}

static enum err faulty_history_list(struct store *s, const struct history_filter *f, struct history_list *ret,
                                    struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_history_list(faulty_of(s)->inner, f, ret, err);
}

static enum err faulty_history_list_of(struct store *s, const struct uuid *ids, size_t n,
                                       const struct history_filter *f, size_t most, struct history_list *ret,
                                       struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_history_list_of(faulty_of(s)->inner, ids, n, f, most, ret, err);
}

static enum err faulty_history_trim(struct store *s, struct wall before, size_t limit, size_t *ret_n,
                                    struct error *err)
{
    enum err e = reach(faulty_of(s), err);

    return e ? e : store_history_trim(faulty_of(s)->inner, before, limit, ret_n, err);
}

static const struct store_ops faulty_ops = {
    .name = "faulty",
    .begin = faulty_begin,
    .commit = faulty_commit,
    .rollback = faulty_rollback,
    .now = faulty_now,
    .ping = faulty_ping,
    .close = faulty_close,
    .put = faulty_put,
    .remove = faulty_remove,
    .remove_id = faulty_remove_id,
    .set_timer = faulty_set_timer,
    .insert_run = faulty_insert_run,
    .get = faulty_get,
    .get_by_client = faulty_get_by_client,
    .list = faulty_list,
    .get_run = faulty_get_run,
    .list_runs = faulty_list_runs,
    .get_many = faulty_get_many,
    .list_runs_of = faulty_list_runs_of,
    .stats = faulty_stats,
    .due = faulty_due,
    .advance = faulty_advance,
    .insert_runs = faulty_insert_runs,
    .retake = faulty_retake,
    .next_due = faulty_next_due,
    .complete = faulty_complete,
    .renew = faulty_renew,
    .act_runs = faulty_act_runs,
    .times_run = faulty_times_run,
    .release = faulty_release,
    .get_answer = faulty_get_answer,
    .put_answer = faulty_put_answer,
    .trim_answers = faulty_trim_answers,
    .clear = faulty_clear,
    .remove_finished = faulty_remove_finished,
    .trim_runs = faulty_trim_runs,
    .get_meta = faulty_get_meta,
    .set_meta = faulty_set_meta,
    .trace_runs = faulty_trace_runs,
    .outbox_add = faulty_outbox_add,
    .outbox_take = faulty_outbox_take,
    .outbox_remove = faulty_outbox_remove,
    .outbox_size = faulty_outbox_size,
    .history_add = faulty_history_add,
    .history_list = faulty_history_list,
    .history_list_of = faulty_history_list_of,
    .history_trim = faulty_history_trim,
    .upkeep = faulty_upkeep,
    .examine = faulty_examine,
    .inspect = faulty_inspect,
};

enum err faulty_wrap(struct faulty_plan *plan, struct store *inner, struct store **ret, struct error *err)
{
    struct faulty *f;

    if (happens(plan, plan->refuse_open)) {
        plan->refused++;
        store_close(inner);
        return gone(err);
    }
    f = alloc_new(struct faulty);
    *f = (struct faulty){.store.ops = &faulty_ops, .inner = inner, .plan = plan};
    *ret = &f->store;
    return ERR_NONE;
}
