/*
 * batch.h: schedules gathered and put into the store together, each with its runs, so that one that is there
 * has all of them. What is counted was committed.
 */
#ifndef MOVE_BATCH_H
#define MOVE_BATCH_H

#include "base/map.h"
#include "move/move.h"
#include "move/rehearsal.h"
#include "store/journal.h"

enum fate { FATE_OPEN, FATE_REGISTERED, FATE_REPLACED, FATE_SKIPPED, FATE_REFUSED };
enum { PLACE_MAX = 64 };

/* A schedule and what is known of its runs. */
struct unit {
    char place[PLACE_MAX]; /* "line 17" */
    struct schedule *schedule;
    struct record record; /* owns its definition */
    struct buf label;     /* of its runs, where a history is kept */
    struct wall made;     /* the latest occurrence that is an open run */
    bool has_open_runs;
    bool has_going_run;       /* an open one that somebody or a time will bring to its end */
    bool has_waiting;         /* .waiting is one */
    struct moved_run waiting; /* of those that wait for a run before them the first; not among the runs yet */
    struct uuid wakes;        /* it waits for nothing that came along; nil: there is none such */
    bool id_made;             /* its id is new: the one that it replaces keeps its own */
    enum fate fate;
    struct error why; /* FATE_REFUSED, FATE_SKIPPED */
};

struct unit_list {
    struct unit *items;
    size_t n;
    size_t cap;
};
struct place_list {
    size_t *items;
    size_t n;
    size_t cap;
};

struct batch {
    const struct import_options *o;
    struct rehearsal rehearsal; /* of a dry run all that came, else what is gathered */
    bool retime;                /* the times were computed with another release of the zones */
    bool registers;             /* as somebody's own registrations: the history hears of them */
    struct unit_list units;     /* the last is the one whose runs are coming */
    struct moved_run_list runs;
    struct place_list owners; /* of each run: its unit */
    size_t bytes;             /* of definitions */
    struct map seen;          /* ids and identities: no two of one batch share one */
    bool begun;               /* a transaction is open: the last unit's first runs are in it */
    struct journal journal;
    struct notice notice;         /* of the transaction */
    struct import_report pending; /* likewise */
    struct import_report *report;
};

void batch_init(struct batch *b, const struct import_options *o, struct import_report *report);
void batch_done(struct batch *b); /* what was not committed is rolled back */

/* Takes `schedule` over; the record's definition is made of it. `id_made`: its id was made just now. */
CHECKED enum err batch_add(struct batch *b, const char *place, struct schedule *schedule,
                           const struct record *record, bool id_made, struct error *err);
/* A run of the schedule added last. */
CHECKED enum err batch_add_run(struct batch *b, const struct moved_run *run, struct error *err);
/* A dead run of a schedule that was deleted. Nothing may be gathered: after batch_end(). */
CHECKED enum err batch_add_orphan(struct batch *b, const struct moved_run *run, struct error *err);
/* Puts what was gathered. */
CHECKED enum err batch_end(struct batch *b, struct error *err);

#endif
