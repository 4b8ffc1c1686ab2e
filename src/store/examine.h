/*
 * examine.h: what a doctor asks of a store: whether what must hold of its tables holds, and whether they are
 * there as this build expects them. Nothing is written by any of it.
 */
#ifndef STORE_EXAMINE_H
#define STORE_EXAMINE_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"

/*
 * What holds after every transaction, whatever crashed; the first three but for the moment that an instance
 * needs to come to it. Those are found by an index, of the others a page of rows is looked at.
 */
enum invariant {
    INVARIANT_LEASES,    /* no run is held by a lease that ended before `before` */
    INVARIANT_SCHEDULES, /* no active schedule was due before `before` */
    INVARIANT_RUNS,      /* no run that waits for an attempt was due before `before` */
    INVARIANT_NEXT,      /* an active schedule has a next time, or an open run that will give it one */
    INVARIANT_ORPHANS,   /* an open run has a schedule, or is doomed */
    INVARIANT_WAITING,   /* a run waits for its predecessor only while that is open */
    INVARIANTS
};

enum { BREACHES_SHOWN = 5 };
struct breaches {
    size_t n;                          /* at most the limit; that many: at least so many */
    struct uuid shown[BREACHES_SHOWN]; /* of schedules or runs; the first of them */
    struct wall earliest;              /* of the first three: since when; WALL_NEVER */
    size_t looked_at;                  /* rows, of the others */
    struct uuid reached;               /* the last of them; nil: there is nothing behind */
};
struct examination {
    enum invariant what;
    struct wall before; /* of the first three */
    struct uuid after;  /* of the others: the last that was looked at before; nil: none */
    size_t limit;       /* breaches to be found, or rows to be looked at */
};

enum inspection {
    INSPECT_SCHEMA,  /* its version */
    INSPECT_INDEXES, /* tables, columns and indexes: there, and valid */
    INSPECT_RIGHTS,  /* may we do what we shall have to? */
    INSPECT_PAGES    /* all of the database is read; only where that can be asked for */
};
struct inspected {
    int64_t version;           /* INSPECT_SCHEMA: 0: there is none of ours */
    int64_t known;             /* what this build makes */
    char about[96];            /* what was looked at, for people: "PostgreSQL 15.8, schema carillon" */
    char repair[512];          /* INSPECT_INDEXES: the statement that makes the first index that is missing */
    struct error_list faults;  /* the service cannot work so */
    struct error_list remarks; /* it can, but not for ever, or not all of it */
};

#endif
