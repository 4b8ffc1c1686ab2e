/*
 * choose.c: see choose.h.
 */
#include "store/choose.h"

#include <stdlib.h>

enum filter_index choose_index(const struct filter *f)
{
    /* The indexes leave out absent ("") members. */
    if (f->key.n > 0)
        return FILTER_BY_KEY;
    if (f->state == (int)SCHEDULE_PAUSED)
        return FILTER_BY_PAUSED;
    if (f->group.n > 0)
        return FILTER_BY_GROUP;
    if (f->application.n > 0)
        return FILTER_BY_APPLICATION;
    return FILTER_BY_ID;
}

static struct run_sources sources_of_schedule(int state)
{
    if (state < 0)
        return (struct run_sources){{SOURCE_OPEN_OF, SOURCE_DEAD_OF, SOURCE_LOG_OF}, 3};
    if (run_state_open((enum run_state)state))
        return (struct run_sources){{SOURCE_OPEN_OF}, 1};
    return (struct run_sources){{state == (int)RUN_DEAD ? SOURCE_DEAD_OF : SOURCE_LOG_OF}, 1};
}

static struct run_sources sources_of_all(int state)
{
    if (state < 0)
        return (struct run_sources){{SOURCE_RUNS, SOURCE_LOG}, 2};
    switch ((enum run_state)state) {
    case RUN_PENDING:
    case RUN_RETRYING:
        return (struct run_sources){{SOURCE_WAITING}, 1};
    case RUN_RUNNING:
        return (struct run_sources){{SOURCE_RUNNING}, 1};
    case RUN_DEAD:
        return (struct run_sources){{SOURCE_DEAD}, 1};
    case RUN_SUCCEEDED:
        return (struct run_sources){{SOURCE_LOG}, 1};
    case RUN_FAILED:
    case RUN_SKIPPED:
    case RUN_CANCELLED:
        return (struct run_sources){{SOURCE_LOG_OTHER}, 1};
    }
    return (struct run_sources){{SOURCE_LOG}, 1}; /* no such state: no such row */
}

struct run_sources choose_sources(const struct run_filter *f)
{
    return uuid_is_nil(f->schedule_id) ? sources_of_all(f->state) : sources_of_schedule(f->state);
}

struct uuid run_page_before(const struct run_filter *f)
{
    static const struct uuid last = {
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};

    return uuid_is_nil(f->before) ? last : f->before;
}

struct uuid run_id_floor(struct wall from)
{
    int64_t ms = (from.us - 3600 * US_PER_S) / US_PER_MS;
    struct uuid id = {{0}};

    for (int i = 5; i >= 0 && ms > 0; i--, ms >>= 8)
        id.b[i] = (uint8_t)(ms & 0xff);
    return id;
}

static int earliest_first(const void *a, const void *b)
{
    const struct wall *x = a;
    const struct wall *y = b;

    return (x->us > y->us) - (x->us < y->us);
}

void wall_list_sort(struct wall_list *l)
{
    if (l->n > 0)
        qsort(l->items, l->n, sizeof(l->items[0]), earliest_first);
}

static int newest_first(const void *a, const void *b)
{
    const struct run_record *x = a;
    const struct run_record *y = b;

    return uuid_cmp(y->run.id, x->run.id);
}

void run_pages_merge(struct run_record_list *l, size_t first, size_t limit)
{
    if (l->n > first)
        qsort(l->items + first, l->n - first, sizeof(l->items[0]), newest_first);
    if (l->n - first > limit)
        l->n = first + limit;
}

static int by_schedule_run(const void *a, const void *b)
{
    const struct run_record *x = a;
    const struct run_record *y = b;
    int order = uuid_cmp(x->run.schedule_id, y->run.schedule_id);

    return order != 0 ? order : newest_first(a, b);
}

void run_pages_sort(struct run_record_list *l, size_t first)
{
    if (l->n > first)
        qsort(l->items + first, l->n - first, sizeof(l->items[0]), by_schedule_run);
}

static int by_schedule_event(const void *a, const void *b)
{
    const struct history_item *x = a;
    const struct history_item *y = b;
    int order = uuid_cmp(x->schedule_id, y->schedule_id);

    return order != 0 ? order : uuid_cmp(y->id, x->id);
}

void history_pages_sort(struct history_list *l, size_t first)
{
    if (l->n > first)
        qsort(l->items + first, l->n - first, sizeof(l->items[0]), by_schedule_event);
}
