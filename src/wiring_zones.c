/*
 * wiring_zones.c: a new release of the time zone database moves what is still to come, without
 * re-registration.
 *
 * The release that the stored times were computed with is kept in the store's meta. When the one found at the
 * start is another, every active schedule's next occurrence is computed anew, page by page, before the engine
 * claims anything. A database that does not tell its release is taken to be the same.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/timer.h"
#include "wiring.h"

static const char meta_key[] = "tzdata";

/* A definition may be a megabyte. */
enum { PAGE = 100, RELEASE_MAX = 64 };

struct retime {
    struct op op;
    const struct schedule_rules *rules; /* borrowed */
    struct uuid after; /* where the page begins; not moved here, since an operation may be run again */
    struct uuid ret_last;
    size_t ret_moved;
    bool ret_more;
};

/* A definition that no longer decodes (its zone left the database) is left for the claim to pause and tell.
 */
static struct schedule *decode(const struct record *r, const struct schedule_rules *rules)
{
    struct schedule *s = NULL;
    struct error_list faults = {0};
    struct error err = {0};
    json_t *json = NULL;

    if (json_parse((struct str){r->definition, r->definition_n}, JSON_DEPTH_LIMIT, &json, &err))
        return NULL;
    if (schedule_decode(json, rules, NULL, &s, &faults))
        s = NULL;
    json_free(json);
    return s;
}

/* True when the timer is another one now. */
static bool retime_record(const struct record *r, const struct schedule_rules *rules, struct wall now,
                          struct timer *ret)
{
    CLEANUP(schedule_unref_p) struct schedule *s = decode(r, rules);

    if (!s)
        return false;
    *ret = r->timer;
    timer_recompute(s, ret, now);
    return ret->next_at.us != r->timer.next_at.us || ret->occurs_at.us != r->timer.occurs_at.us ||
           ret->state != r->timer.state;
}

static enum err retime_page(struct store *s, struct retime *o, struct wall now, struct notice *notice,
                            struct error *err)
{
    const struct filter filter = {.state = SCHEDULE_ACTIVE, .after = o->after, .limit = PAGE};
    struct record_list page = {0};
    struct advance moved[PAGE];
    size_t n = 0;
    enum err e = store_list(s, &filter, &page, err);

    for (size_t i = 0; !e && i < page.n && i < PAGE; i++) {
        struct timer after;

        o->ret_last = page.items[i].id;
        if (!retime_record(&page.items[i], o->rules, now, &after))
            continue;
        notice->earliest = wall_min(notice->earliest, after.next_at);
        moved[n++] = (struct advance){.id = page.items[i].id, .after = after};
    }
    if (!e && n > 0)
        e = store_advance(s, moved, n, now, err);
    o->ret_moved = n;
    o->ret_more = page.n == PAGE;
    record_list_done(&page);
    return e;
}

static enum err run_retime(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++)
        e = retime_page(s, CONTAINER_OF(ops[i], struct retime, op), now, notice, err);
    return e;
}

static const struct op_type retime_type = {
    .name = "retime", .writes = true, .repeatable = true, .run = run_retime};

struct release {
    struct op op;
    const char *ours; /* what the store is to keep from now on; NULL: only read */
    char ret[RELEASE_MAX];
};

static enum err release_one(struct store *s, struct release *o, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    enum err e;

    if (o->ours)
        return store_set_meta(s, meta_key, str_of(o->ours), err);
    buf_init(&text, RELEASE_MAX - 1);
    e = store_get_meta(s, meta_key, &text, err);
    if (e && e != ERR_NOT_FOUND)
        return e;
    memcpy(o->ret, buf_cstr(&text), text.n + 1);
    return ERR_NONE;
}

static enum err run_release(struct store *s, struct op **ops, size_t n, struct wall now,
                            struct notice *notice, struct error *err)
{
    enum err e = ERR_NONE;

    (void)now;
    (void)notice;
    for (size_t i = 0; !e && i < n; i++)
        e = release_one(s, CONTAINER_OF(ops[i], struct release, op), err);
    return e;
}

static const struct op_type release_type = {
    .name = "zones-release", .writes = true, .repeatable = true, .run = run_release};

static enum err retime_all(struct lane *writer, const struct schedule_rules *rules, size_t *ret_moved,
                           struct error *err)
{
    struct retime o = {.op = {.type = &retime_type}, .rules = rules};
    enum err e;

    *ret_moved = 0;
    do {
        e = lane_call(writer, &o.op, err);
        *ret_moved += e ? 0 : o.ret_moved;
        o.after = o.ret_last;
    } while (!e && o.ret_more);
    return e;
}

enum err wiring_zones_changed(struct lane *writer, const struct schedule_rules *rules, struct log *log,
                              struct error *err)
{
    struct release was = {.op = {.type = &release_type}};
    struct release now = {.op = {.type = &release_type}, .ours = zones_version(rules->zones)};
    size_t moved = 0;
    enum err e = lane_call(writer, &was.op, err);

    if (e || now.ours[0] == '\0' || strcmp(was.ret, now.ours) == 0)
        return e;
    if (was.ret[0] != '\0') {
        e = retime_all(writer, rules, &moved, err);
        if (e)
            return e;
        log_event(log, LOG_INFO, "main", "the time zone database changed", KV_CSTR("from", was.ret),
                  KV_CSTR("to", now.ours), KV_I64("moved", (int64_t)moved));
    }
    return lane_call(writer, &now.op, err);
}
