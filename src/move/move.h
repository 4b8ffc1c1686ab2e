/*
 * move.h: schedules leave one database and come into another: as lines of JSON, or from the table of the
 * service that this one replaces.
 *
 * The file: a header, {"carillon":"export","format":1,...}; for each schedule a line {"schedule":{...}} with
 * its definition, id, state, times and counters, and behind it a line {"run":{...}} for each of its runs that
 * is open or dead; last {"end":{"schedules":N,"runs":N}}, by which a file that was cut short is known.
 * Identifiers and times are kept, so nothing is fired twice, or not at all, because it moved.
 *
 * Memory is bounded by a page, whatever the number of schedules. One thread, which waits.
 */
#ifndef MOVE_MOVE_H
#define MOVE_MOVE_H

#include "base/base.h"
#include "base/error.h"
#include "model/schedule.h"
#include "store/store.h"

struct queue_table;

/* The format's number: a file of another one is refused. */
enum { MOVE_FORMAT = 1 };
/* Longer lines are refused unread. A definition is at most what a batch may be. */
enum { MOVE_LINE_MAX = 64 * 1024 * 1024 };

/* --- out --- */

struct export_options {
    struct store *store; /* one that is only looked at */
    const struct schedule_rules *rules;
    int fd;     /* where to */
    bool hides; /* secrets as "***"; such a file can be read, but not imported where there were any */
    const char *version; /* of the program */
    /* A schedule that could not be written, and why. */
    void (*left_out)(void *arg, struct uuid id, const struct error *why);
    void *arg;
};

struct export_report {
    int64_t schedules;
    int64_t runs;     /* open and dead ones */
    int64_t left_out; /* schedules */
    int64_t waiting;  /* events that are not in the history database yet, about */
};

CHECKED enum err move_export(const struct export_options *o, struct export_report *ret, struct error *err);

/* --- in --- */

enum on_conflict {
    CONFLICT_SKIP,    /* what is there stays, and the line is left out with its runs */
    CONFLICT_REPLACE, /* what is there goes, with its runs */
    CONFLICT_FAIL     /* the import ends there */
};

struct import_options {
    struct store *store; /* NULL: a dry run on a database that is not there yet */
    bool dry;            /* only look; .store may be one that is only looked at */
    const struct schedule_rules *rules;
    enum on_conflict on_conflict;
    struct wall now; /* where there is no store to ask */
    /* What was refused: its line or row, the member at fault (may be "") and why. */
    void (*refused)(void *arg, const char *place, const struct error *why);
    /* What is left out for what is there: its line or row, and by what. */
    void (*skipped)(void *arg, const char *place, const char *why);
    void *arg;
};

struct import_report {
    int64_t registered;
    int64_t replaced;
    int64_t skipped;
    int64_t refused; /* lines or rows */
    int64_t runs;    /* that came along */
    bool cut;        /* the file has no end */
    bool
        unsure; /* a dry run of more schedules than it remembers: of two with one identity it tells no more */
};

/* From lines. *ret is right also after a failure: what it counts was done. */
CHECKED enum err move_import(const struct import_options *o, int fd, struct import_report *ret,
                             struct error *err);

struct queue_options {
    struct wall now;
    bool data_alone; /* targets get task.data alone; else the whole event, as they did */
};
/* From the table of the service before. */
CHECKED enum err move_import_queue(const struct import_options *o, const struct queue_options *q,
                                   struct queue_table *table, struct import_report *ret, struct error *err);

#endif
