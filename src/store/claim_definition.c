/*
 * claim_definition.c: the definitions of what a claim takes: decoded once, by the cache; and what becomes of
 * a schedule whose stored definition no longer decodes (its zone left the database, say).
 */
#include "base/json.h"
#include "store/claim_cache.h"
#include "store/claim_internal.h"
#include "store/grow.h"
#include "store/journal.h"

enum { LABEL_MAX = 64 * 1024 };

static enum err decode(const struct schedule_rules *rules, struct str definition, struct schedule **ret,
                       struct error *err)
{
    struct error_list faults = {0};
    json_t *json;
    enum err e;

    e = json_parse(definition, JSON_DEPTH_LIMIT, &json, err);
    if (e)
        return e;
    e = schedule_decode(json, rules, NULL, ret, &faults);
    json_free(json);
    if (e && err)
        *err = faults.items[0];
    return e;
}

enum err claim_definition_get(struct claim *c, struct uuid id, int64_t version, struct str definition,
                              struct schedule **ret, struct error *err)
{
    struct schedule *s = claim_cache_get(c->cache, id, version);
    enum err e;

    if (!s) {
        e = decode(c->req->schedule_rules, definition, &s, err);
        if (e == ERR_MEMORY)
            return e;
        if (e)
            return ERR_NONE;
        /* A one-shot will not be asked for again. */
        if (schedule_recurs(s))
            claim_cache_put(c->cache, id, version, s, definition.n);
    }
    *ret = s;
    return ERR_NONE;
}

static enum err note_broken(struct claim *c, struct uuid id, struct str definition, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct history_event ev =
        EVENT_OF(EVENT_PAUSED, c->now, id, .reason = "the definition cannot be read any more");
    struct journal *j = c->s->journal;
    enum err e;

    buf_init(&label, LABEL_MAX);
    e = event_label_stored(definition, &label, &ev.kept, err);
    if (e)
        return e;
    ev.label = buf_str(&label);
    e = journal_add_cancelled(j, c->now, "paused", ev.label, err);
    return e || !journal_wants(j, ev.kept) ? e : journal_add(j, &ev, err);
}

enum err claim_definition_stop(struct claim *c, struct uuid id, const struct timer *timer,
                               struct str definition, struct error *err)
{
    struct uuid_list *broken = &c->ret->broken;
    struct timer t = *timer;
    int64_t version;
    enum err e;

    c->decided++;
    timer_pause(&t, c->now);
    e = store_set_timer(c->s, id, 0, &t, true, c->now, &version, err);
    if (!e && c->s->journal)
        e = note_broken(c, id, definition, err);
    if (!e)
        e = LIST_RESERVE(broken, err);
    if (!e)
        broken->items[broken->n++] = id;
    return e;
}

enum err claim_definition_stop_of(struct claim *c, const struct run *run, struct error *err)
{
    struct record r = {0};
    enum err e;

    e = store_get(c->s, run->schedule_id, &r, err);
    if (e == ERR_NOT_FOUND)
        return ERR_NONE;
    if (!e)
        e = claim_definition_stop(c, run->schedule_id, &r.timer, (struct str){r.definition, r.definition_n},
                                  err);
    record_done(&r);
    return e;
}
