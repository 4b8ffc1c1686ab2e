/*
 * ops_zones.c: see ops_zones.h. May be repeated: what a lost answer had done is found done.
 */
#include "store/ops_zones.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "store/op.h"

/* The release that all times are computed with; who is at it; how far it has come: "<release> <last id>". */
static const char meta_release[] = "tzdata";
static const char meta_turn[] = "tzdata_turn";
static const char meta_reached[] = "tzdata_reached";

/* A definition may be a megabyte. */
enum { PAGE = 100, RUNS_LOOKED_AT = 100, REACHED_MAX = ZONES_RELEASE_MAX + 1 + UUID_TEXT + 1 };

/* "" when there is none. */
static enum err get_text(struct store *s, const char *key, char *ret, size_t size, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    enum err e;

    ret[0] = '\0';
    buf_init(&text, size - 1);
    e = store_get_meta(s, key, &text, err);
    if (e == ERR_NOT_FOUND)
        return ERR_NONE;
    if (!e)
        memcpy(ret, buf_cstr(&text), text.n + 1);
    return e;
}

enum err zones_seen(struct store *s, char ret[ZONES_RELEASE_MAX], struct error *err)
{
    return get_text(s, meta_release, ret, ZONES_RELEASE_MAX, err);
}

/* Nil: at the beginning. What another release had reached is none of ours. */
static struct uuid parse_reached(const char *text, const char *release)
{
    size_t n = strlen(release);
    struct uuid id = {{0}};

    if (strncmp(text, release, n) != 0 || text[n] != ' ' || !uuid_parse(str_of(text + n + 1), &id))
        return (struct uuid){{0}};
    return id;
}

static enum err set_reached(struct store *s, const char *release, struct uuid id, struct error *err)
{
    char hex[UUID_TEXT + 1];
    char text[REACHED_MAX];
    int n;

    uuid_format(id, hex);
    n = snprintf(text, sizeof(text), "%s %s", release, hex);
    MUST(n > 0 && (size_t)n < sizeof(text));
    return store_set_meta(s, meta_reached, str_of(text), err);
}

/* A definition that no longer decodes (its zone left the database) is left for the claim to pause and tell.
 */
static enum err decode(const struct record *r, const struct schedule_rules *rules, struct schedule **ret,
                       struct error *err)
{
    struct error_list faults = {0};
    json_t *json = NULL;
    enum err e;

    e = json_parse((struct str){r->definition, r->definition_n}, JSON_DEPTH_LIMIT, &json, err);
    if (!e)
        e = schedule_decode(json, rules, NULL, ret, &faults);
    json_free(json);
    if (e == ERR_MEMORY)
        return e;
    if (e)
        *ret = NULL;
    return ERR_NONE;
}

/* The latest occurrence that is an open run already. Claims look a short horizon ahead, so these are few and
 * among the newest. */
static enum err latest_made(struct store *s, struct uuid id, struct wall *ret, struct error *err)
{
    static const enum run_state open[] = {RUN_PENDING, RUN_RUNNING, RUN_RETRYING};

    *ret = WALL_NONE_YET;
    for (size_t i = 0; i < COUNT_OF(open); i++) {
        struct run_filter f = {.schedule_id = id, .state = (int)open[i], .limit = RUNS_LOOKED_AT};
        struct run_record_list l = {0};
        enum err e = store_list_runs(s, &f, &l, err);

        for (size_t k = 0; !e && k < l.n; k++)
            *ret = wall_max(*ret, l.items[k].run.scheduled_at);
        run_record_list_done(&l);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static enum err recompute(struct store *s, const struct op_retime *o, const struct record *r, struct wall now,
                          struct timer *ret, bool *ret_changed, struct error *err)
{
    CLEANUP(schedule_unref_p) struct schedule *schedule = NULL;
    struct wall made = WALL_NONE_YET;
    enum err e;

    *ret_changed = false;
    if (r->timer.state == SCHEDULE_FINISHED)
        return ERR_NONE;
    e = decode(r, o->rules, &schedule, err);
    if (e || !schedule)
        return e;
    if (r->open_runs > 0)
        e = latest_made(s, r->id, &made, err);
    if (e)
        return e;
    *ret = r->timer;
    *ret_changed = timer_recompute(schedule, ret, made, now);
    return ERR_NONE;
}

/*
 * Two looks: the page was read without locks, and on a shared store somebody may have fired or changed the
 * schedule meanwhile. store_get() locks it.
 */
static enum err retime_one(struct store *s, struct op_retime *o, const struct record *seen, struct wall now,
                           struct notice *notice, struct error *err)
{
    struct advance a = {.id = seen->id};
    struct record r = {0};
    bool changed;
    enum err e;

    e = recompute(s, o, seen, now, &a.after, &changed, err);
    if (e || !changed)
        return e;
    e = store_get(s, seen->id, &r, err);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_NONE : e;
    e = recompute(s, o, &r, now, &a.after, &changed, err);
    a.before = r.timer.state;
    record_done(&r);
    if (e || !changed)
        return e;
    e = store_advance(s, &a, 1, now, err);
    if (e)
        return e;
    if (a.after.state == SCHEDULE_ACTIVE)
        notice->earliest = wall_min(notice->earliest, a.after.next_at);
    o->ret_moved++;
    return ERR_NONE;
}

static enum err retime_page(struct store *s, struct op_retime *o, struct wall now, struct notice *notice,
                            struct error *err)
{
    struct filter filter = {.state = -1, .limit = PAGE};
    char reached[REACHED_MAX + 1];
    struct record_list page = {0};
    enum err e;

    e = get_text(s, meta_reached, reached, sizeof(reached), err);
    if (e)
        return e;
    filter.after = parse_reached(reached, o->release);
    e = store_list(s, &filter, &page, err);
    for (size_t i = 0; !e && i < page.n; i++)
        e = retime_one(s, o, &page.items[i], now, notice, err);
    o->ret_more = page.n == PAGE;
    if (!e && o->ret_more)
        e = set_reached(s, o->release, page.items[page.n - 1].id, err);
    record_list_done(&page);
    return e;
}

static enum err retime(struct store *s, struct op_retime *o, struct wall now, struct notice *notice,
                       struct error *err)
{
    enum err e;

    o->ret_moved = 0;
    o->ret_more = false;
    /* First, before anything is read: on a shared store whoever comes second waits here. */
    e = store_set_meta(s, meta_turn, str_of(o->release), err);
    if (!e)
        e = get_text(s, meta_release, o->ret_was, sizeof(o->ret_was), err);
    if (e || strcmp(o->ret_was, o->release) == 0)
        return e;
    if (o->ret_was[0] != '\0')
        e = retime_page(s, o, now, notice, err);
    if (!e && !o->ret_more)
        e = store_set_meta(s, meta_release, str_of(o->release), err);
    if (!e && !o->ret_more)
        e = store_set_meta(s, meta_reached, STR(""), err);
    return e;
}

static enum err run_retime(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                           struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < n; i++)
        e = retime(s, OP_AS(ops[i], struct op_retime), now, notice, err);
    return e;
}

static const struct op_type retime_type = {
    .name = "retime", .writes = true, .repeatable = true, .run = run_retime};

struct op_retime *op_retime_new(op_done_fn done)
{
    struct op_retime *o = alloc_new(struct op_retime);

    o->op.type = &retime_type;
    o->op.done = done;
    return o;
}

void op_retime_free(struct op_retime *o)
{
    alloc_free(o);
}
