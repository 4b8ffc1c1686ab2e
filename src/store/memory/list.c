/*
 * list.c: reading: schedules, runs, numbers.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/grow.h"
#include "store/memory/ops.h"

static bool member_matches(struct str wanted, struct str have)
{
    return !wanted.p || str_eq(wanted, have);
}

bool memory_matches(const struct memory_db *db, const struct schedule_row *row, const struct filter *f)
{
    const struct client *c = &row->client;

    return uuid_cmp(row->id, f->after) > 0 && member_matches(f->operation, c->operation) &&
           member_matches(f->application, c->application) && member_matches(f->group, c->group) &&
           member_matches(f->key, c->key) && member_matches(f->type, c->type) &&
           (!f->name_prefix.p || str_starts(row->name, f->name_prefix)) &&
           (f->state < 0 || rows_timer(db, row->id)->timer.state == (enum schedule_state)f->state);
}

static enum err fill(const struct memory_db *db, const struct schedule_row *row, struct record *ret,
                     struct error *err)
{
    const struct timer_row *t = rows_timer(db, row->id);
    char *definition;
    enum err e = alloc_str(row->definition, &definition, err);

    if (e)
        return e;
    *ret = (struct record){
        .id = row->id,
        .version = t->version,
        .created_at = t->created_at,
        .updated_at = t->updated_at,
        .definition = definition,
        .definition_n = row->definition.n,
        .timer = t->timer,
        .last_state = t->last_state,
        .last_at = t->last_at,
        .open_runs = memory_count_open(db, row->id, WALL_NEVER).open,
    };
    return ERR_NONE;
}

static enum err fill_or_none(const struct memory_db *db, const struct schedule_row *row, struct record *ret,
                             struct error *err)
{
    if (!row)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such schedule");
    return fill(db, row, ret, err);
}

enum err memory_get(struct store *s, struct uuid id, struct record *ret, struct error *err)
{
    struct memory_db *db = memory_read(s);

    return fill_or_none(db, rows_schedule(db, id), ret, err);
}

enum err memory_get_by_client(struct store *s, const struct schedule *identity, struct record *ret,
                              struct error *err)
{
    struct memory_db *db = memory_read(s);

    return fill_or_none(db, rows_schedule_by_client(db, identity), ret, err);
}

enum err memory_list(struct store *s, const struct filter *f, struct record_list *ret, struct error *err)
{
    struct memory_db *db = memory_read(s);
    size_t first = ret->n;
    struct schedule_row probe = {.id = f->after};
    struct tree_node *node = tree_at_least(&db->schedules, &probe.by_id);
    enum err e = ERR_NONE;

    for (; node && !e && ret->n - first < f->limit; node = tree_next(node)) {
        const struct schedule_row *row = CONTAINER_OF(node, struct schedule_row, by_id);

        if (!memory_matches(db, row, f))
            continue;
        e = LIST_RESERVE(ret, err);
        if (!e)
            e = fill(db, row, &ret->items[ret->n], err);
        if (!e)
            ret->n++;
    }
    return e;
}

static struct run_record run_as_shown(const struct run_row *r)
{
    struct run_record shown = {
        .run = r->run,
        .started_at = r->started_at,
        .ended_at = r->ended_at,
        .took_us = r->took_us,
        .status = r->status,
    };

    memcpy(shown.error, r->error, sizeof(shown.error));
    return shown;
}

enum err memory_get_run(struct store *s, struct uuid id, struct run_record *ret, struct error *err)
{
    const struct run_row *r = rows_run(memory_read(s), id);

    if (!r)
        return error_set(err, ERR_NOT_FOUND, NULL, "no such run");
    *ret = run_as_shown(r);
    return ERR_NONE;
}

/* The runs of one schedule, or all, are walked from the newest down; NULL at the end. */
static struct run_row *newest_before(const struct memory_db *db, const struct run_filter *f,
                                     struct uuid before)
{
    struct run_row probe = {.run = {.id = before, .schedule_id = f->schedule_id}};
    struct run_row *r;

    if (uuid_is_nil(f->schedule_id))
        return ROW_OF(tree_below(&db->runs, &probe.by_id), run_row, by_id);
    r = ROW_OF(tree_below(&db->runs_by_schedule, &probe.by_schedule), run_row, by_schedule);
    return r && uuid_eq(r->run.schedule_id, f->schedule_id) ? r : NULL;
}

static struct uuid greatest_uuid(void)
{
    struct uuid u;

    memset(u.b, 0xff, sizeof(u.b));
    return u;
}

enum err memory_list_runs(struct store *s, const struct run_filter *f, struct run_record_list *ret,
                          struct error *err)
{
    struct memory_db *db = memory_read(s);
    size_t first = ret->n;
    struct run_row *r = newest_before(db, f, uuid_is_nil(f->before) ? greatest_uuid() : f->before);

    for (; r && ret->n - first < f->limit; r = newest_before(db, f, r->run.id)) {
        enum err e;

        if (f->state >= 0 && r->run.state != (enum run_state)f->state)
            continue;
        e = LIST_RESERVE(ret, err);
        if (e)
            return e;
        ret->items[ret->n++] = run_as_shown(r);
    }
    return ERR_NONE;
}

enum err memory_stats(struct store *s, struct store_stats *ret, struct error *err)
{
    struct memory_db *db = memory_read(s);
    struct store_stats stats = {0};

    (void)err;
    for (struct tree_node *n = tree_first(&db->timers); n; n = tree_next(n))
        stats.schedules[CONTAINER_OF(n, struct timer_row, by_id)->timer.state]++;
    for (struct tree_node *n = tree_first(&db->runs); n; n = tree_next(n)) {
        enum run_state state = CONTAINER_OF(n, struct run_row, by_id)->run.state;

        if (run_state_open(state) || state == RUN_DEAD)
            stats.runs[state]++;
    }
    *ret = stats;
    return ERR_NONE;
}
