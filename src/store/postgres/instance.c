/*
 * instance.c: who lives, and who of them is the monitor: by rows, not by session locks, which a pooler in
 * between would give to whom it pleases.
 *
 * All times are the database's: an instance only says how long its word is good, and for how long it would be
 * the monitor.
 */
#include "base/str.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

/* What tests say instead of the database's clock, else NULL. */
static void add_now(const struct postgres_store *s, struct args *a)
{
    if (s->db->clock)
        args_i64(a, s->db->clock(s->db->clock_arg).us);
    else
        args_null(a, ARG_I64);
}

static enum err ask(struct postgres_store *s, const struct heartbeat *h, PGresult **ret, struct error *err)
{
    struct args *a = link_args(&s->link);

    args_uuid(a, h->id);
    if (h->leaves) {
        add_now(s, a);
        return link_ask(&s->link, Q_LEAVE, ret, err);
    }
    args_str(a, str_of(h->name));
    args_str(a, str_of(h->roles));
    args_str(a, str_of(h->version));
    if (h->started_at.us == 0)
        args_null(a, ARG_I64);
    else
        args_i64(a, h->started_at.us);
    args_i64(a, h->held);
    args_i64(a, h->expire_us);
    args_i64(a, h->monitor_us);
    add_now(s, a);
    return link_ask(&s->link, Q_BEAT, ret, err);
}

enum { COLUMN_MONITOR = 8, COLUMN_NOW = 9 };

static enum err add_instance(const PGresult *r, size_t row, struct instance_list *ret, struct error *err)
{
    struct instance *i;
    size_t n;
    enum err e = LIST_RESERVE(ret, err);

    if (e)
        return e;
    i = &ret->items[ret->n++]; /* counted at once: what it holds is freed with the list */
    *i = (struct instance){
        .id = row_uuid(r, row, 0),
        .started_at = row_wall(r, row, 4),
        .heartbeat_at = row_wall(r, row, 5),
        .held = row_i64(r, row, 6),
        .expire_us = row_i64(r, row, 7),
        .is_monitor = row_i64(r, row, COLUMN_MONITOR) != 0,
    };
    e = row_copy(r, row, 1, &i->name, &n, err);
    if (!e)
        e = row_copy(r, row, 2, &i->roles, &n, err);
    return e ? e : row_copy(r, row, 3, &i->version, &n, err);
}

static enum err add_all(const PGresult *r, struct instance_list *ret, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < row_n(r); i++)
        e = add_instance(r, i, ret, err);
    return e;
}

enum err postgres_heartbeat(struct store *store, const struct heartbeat *h, struct instance_list *ret,
                            struct wall *ret_now, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e = ask(s, h, &r, err);

    if (e)
        return e;
    if (row_n(r) > 0) /* who left alone has nobody to hear of */
        *ret_now = row_wall(r, 0, COLUMN_NOW);
    return add_all(r, ret, err);
}

enum err postgres_instances(struct store *store, struct wall now, struct instance_list *ret,
                            struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    args_i64(link_args(&s->link), now.us);
    e = link_ask(&s->link, Q_INSTANCES, &r, err);
    return e ? e : add_all(r, ret, err);
}
