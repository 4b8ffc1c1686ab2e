/*
 * notify.c: see notify.h.
 */
#include "store/postgres/notify.h"

#include <stdio.h>

#include "base/str.h"
#include "store/postgres/ops.h"

void notice_channel(const char *schema, char *ret, size_t size)
{
    MUST(snprintf(ret, size, "%s.notice", schema) < (int)size);
}

enum err postgres_notify(struct store *store, const struct notice *n, struct wall now, struct error *err)
{
    struct postgres_store *s = postgres_of(store);
    CLEANUP(buf_done_p) struct buf text = {0};
    struct notice told = *n;
    struct args *a;
    enum err e;

    /* The others look at the database before that anyway. */
    if (s->db->poll_us > 0 && told.earliest.us > wall_add(now, s->db->poll_us).us)
        told.earliest = WALL_NEVER;
    if (s->db->silent || notice_is_empty(&told))
        return ERR_NONE;
    buf_init(&text, NOTICE_TEXT_MAX);
    e = notice_encode(&told, s->db->instance, &text, err);
    if (e)
        return e;
    a = link_args(&s->link);
    args_str(a, str_of(s->db->channel));
    args_str(a, buf_str(&text));
    return link_send(&s->link, Q_NOTIFY, NULL, err);
}
