/*
 * instance.c: who lives, and who of them is the monitor: by rows, not by session locks, which a pooler in
 * between would give to whom it pleases.
 */
#include "base/str.h"
#include "store/grow.h"
#include "store/postgres/ops.h"

static enum err send_mine(struct postgres_store *s, const struct heartbeat *h, struct wall now,
                          struct error *err)
{
    struct args *a = link_args(&s->link);

    args_uuid(a, h->id);
    if (h->leaves)
        return link_send(&s->link, Q_INSTANCE_LEAVE, NULL, err);
    args_str(a, str_of(h->name));
    args_str(a, str_of(h->roles));
    args_str(a, str_of(h->version));
    args_i64(a, h->started_at.us);
    args_i64(a, now.us);
    args_i64(a, h->held);
    return link_send(&s->link, Q_INSTANCE_SAY, NULL, err);
}

static enum err send_expiry(struct postgres_store *s, const struct heartbeat *h, struct wall now,
                            struct error *err)
{
    args_i64(link_args(&s->link), wall_add(now, -h->expire_us).us);
    return link_send(&s->link, Q_INSTANCES_EXPIRE, NULL, err);
}

static enum err send_election(struct postgres_store *s, const struct heartbeat *h, struct wall now,
                              struct error *err)
{
    struct args *a = link_args(&s->link);

    args_uuid(a, h->id);
    if (h->leaves || h->monitor_us <= 0)
        return link_send(&s->link, Q_RESIGN, NULL, err);
    args_i64(a, now.us);
    args_i64(a, wall_add(now, h->monitor_us).us);
    return link_send(&s->link, Q_ELECT, NULL, err);
}

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
        .is_monitor = row_i64(r, row, 7) != 0,
    };
    e = row_copy(r, row, 1, &i->name, &n, err);
    if (!e)
        e = row_copy(r, row, 2, &i->roles, &n, err);
    return e ? e : row_copy(r, row, 3, &i->version, &n, err);
}

enum err postgres_heartbeat(struct store *store, const struct heartbeat *h, struct wall now,
                            struct instance_list *ret, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    RESULT(r);
    enum err e;

    e = send_mine(s, h, now, err);
    if (!e)
        e = send_expiry(s, h, now, err);
    if (!e)
        e = send_election(s, h, now, err);
    if (e)
        return e;
    args_i64(link_args(&s->link), now.us);
    e = link_ask(&s->link, Q_INSTANCES, &r, err);
    for (size_t i = 0; !e && i < row_n(r); i++)
        e = add_instance(r, i, ret, err);
    return e;
}
