/*
 * choose.h: which statements answer a list, for every store that keeps the tables of the architecture: they
 * share their indexes, so they share the choice. A store maps each choice to a statement of its own.
 *
 * Pure; any thread.
 */
#ifndef STORE_CHOOSE_H
#define STORE_CHOOSE_H

#include "store/store.h"

/* The index that finds a filter's schedules: that of its most telling member; the rest is compared row by
 * row. */
enum filter_index {
    FILTER_BY_ID,
    FILTER_BY_KEY,
    FILTER_BY_GROUP,
    FILTER_BY_APPLICATION,
    FILTER_BY_PAUSED,
    FILTER_INDEXES
};
enum filter_index choose_index(const struct filter *f);

/* What holds runs: `run` (open and dead ones) and `run_log` (ended ones), of one schedule or of all. */
enum run_source {
    SOURCE_OPEN_OF, /* of one schedule */
    SOURCE_DEAD_OF,
    SOURCE_LOG_OF,
    SOURCE_RUNS, /* of all */
    SOURCE_WAITING,
    SOURCE_RUNNING,
    SOURCE_DEAD,
    SOURCE_LOG,
    SOURCE_LOG_OTHER, /* what did not succeed */
    RUN_SOURCES
};
enum { RUN_SOURCES_MAX = 3 };
struct run_sources {
    enum run_source items[RUN_SOURCES_MAX];
    size_t n;
};
/* Those that together hold what a filter asks for. */
struct run_sources choose_sources(const struct run_filter *f);
/* The id that a page's ids are less than. */
struct uuid run_page_before(const struct run_filter *f);
/*
 * No run of an occurrence at `from` or later has an id less than this: its id begins with the time it was
 * made at, which may be ahead of the occurrence by a claim's horizon and the difference of clocks.
 */
struct uuid run_id_floor(struct wall from);
void wall_list_sort(struct wall_list *l); /* earliest first */
/* Pages of several sources, from item `first` on, become one: newest first, `limit` of them. */
void run_pages_merge(struct run_record_list *l, size_t first, size_t limit);
/* Pages of many schedules, from item `first` on: by schedule, each newest first. */
void run_pages_sort(struct run_record_list *l, size_t first);
void history_pages_sort(struct history_list *l, size_t first);

#endif
