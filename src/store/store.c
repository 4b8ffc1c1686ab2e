/*
 * store.c: the lists that a store fills, and their freeing; what outcomes make of doomed runs. Any thread.
 */
#include "store/store.h"

#include "base/alloc.h"
#include "store/outcome.h"

void record_done(struct record *r)
{
    alloc_free(TAKE(r->definition));
}

void record_list_done(struct record_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        record_done(&l->items[i]);
    alloc_free(l->items);
    *l = (struct record_list){0};
}

void due_list_done(struct due_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i].definition);
    alloc_free(l->items);
    *l = (struct due_list){0};
}

bool taken_list_is_full(const struct taken_list *l)
{
    return l->max_bytes > 0 && l->bytes >= l->max_bytes;
}

void taken_list_done(struct taken_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i].definition);
    alloc_free(l->items);
    *l = (struct taken_list){0};
}

void run_record_list_done(struct run_record_list *l)
{
    alloc_free(l->items);
    *l = (struct run_record_list){0};
}

void moved_run_list_done(struct moved_run_list *l)
{
    alloc_free(l->items);
    *l = (struct moved_run_list){0};
}

void uuid_list_done(struct uuid_list *l)
{
    alloc_free(l->items);
    *l = (struct uuid_list){0};
}

void wall_list_done(struct wall_list *l)
{
    alloc_free(l->items);
    *l = (struct wall_list){0};
}

void kept_answer_done(struct kept_answer *a)
{
    alloc_free(TAKE(a->text));
}

void instance_list_done(struct instance_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        alloc_free(l->items[i].name);
        alloc_free(l->items[i].roles);
        alloc_free(l->items[i].version);
    }
    alloc_free(l->items);
    *l = (struct instance_list){0};
}

void outbox_list_done(struct outbox_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i].text);
    alloc_free(l->items);
    *l = (struct outbox_list){0};
}

void history_list_done(struct history_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i].text);
    alloc_free(l->items);
    *l = (struct history_list){0};
}

bool filter_is_empty(const struct filter *f)
{
    return !f->operation.p && !f->application.p && !f->group.p && !f->key.p && !f->type.p &&
           f->name_prefix.n == 0 && f->state < 0;
}

void outcome_become(struct outcome *o, const struct outcome_run *r, struct wall now)
{
    bool goes_on = o->to == RUN_PENDING || o->to == RUN_CANCELLED || o->to == RUN_SKIPPED;

    o->became = o->to;
    if (!r->doomed)
        return;
    if (r->owed && !o->attempted && !r->begun && goes_on) {
        o->due_at = o->to == RUN_PENDING ? o->due_at : now;
        o->became = RUN_PENDING;
    } else if (run_state_open(o->to)) {
        o->became = o->attempted ? RUN_FAILED : RUN_CANCELLED;
    }
}
