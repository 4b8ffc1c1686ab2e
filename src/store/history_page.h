/*
 * history_page.h: which statement lists a page of events, and between which ids, for every history database:
 * they share their indexes. Pure.
 */
#ifndef STORE_HISTORY_PAGE_H
#define STORE_HISTORY_PAGE_H

#include "store/journal.h"
#include "store/store.h"

enum history_source {
    HISTORY_ALL,
    HISTORY_KIND, /* of all schedules, a kind that is the bulk: compared row by row */
    HISTORY_RARE, /* of all schedules, another kind: by its index */
    HISTORY_OF,   /* of one schedule */
    HISTORY_OF_KIND,
    HISTORY_OF_RARE,
    HISTORY_SOURCES
};

struct history_page {
    enum history_source source;
    struct uuid below; /* ids less than this */
    struct uuid least; /* and not less than this */
};

static inline struct history_page history_page_of(const struct history_filter *f)
{
    static const struct uuid last = {
        {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};
    bool of = !uuid_is_nil(f->schedule_id);
    bool bulk = f->kind == (int)EVENT_STARTED || f->kind == (int)EVENT_SUCCEEDED;
    struct history_page p = {.source = of ? HISTORY_OF : HISTORY_ALL, .below = last};

    if (f->kind >= 0)
        p.source += bulk ? 1 : 2;
    if (!wall_is_never(f->to))
        p.below = uuid_v7_least(f->to);
    if (!uuid_is_nil(f->before) && uuid_cmp(f->before, p.below) < 0)
        p.below = f->before;
    if (f->from.us > 0)
        p.least = uuid_v7_least(f->from);
    return p;
}

#endif
