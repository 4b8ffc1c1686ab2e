/*
 * doctor.h: an examination of an installation: a table of checks, each with a verdict, what was seen, and
 * what to do about it. The command line's and the running instance's are the same table.
 *
 * Nothing is written, migrated or locked, and no check waits for longer than its patience. One thread, which
 * blocks; it is none that serves anybody.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/settings.h"
#include "store/lane.h"

struct guard;

/* In the order of gravity. */
#define VERDICT_LIST(X)                                                                                      \
    X(VERDICT_SKIPPED, "skipped")                                                                            \
    X(VERDICT_OK, "ok")                                                                                      \
    X(VERDICT_WARNING, "warning")                                                                            \
    X(VERDICT_FAILURE, "failure")
#define X(value, text) value,
enum doctor_verdict { VERDICT_LIST(X) };
#undef X
const char *verdict_name(enum doctor_verdict v);

enum { FINDING_TEXT_MAX = 1024, DOCTOR_CHECKS_MAX = 32 };
struct finding {
    const char *id; /* "database.schema": stable */
    enum doctor_verdict verdict;
    char seen[FINDING_TEXT_MAX];
    char advice[FINDING_TEXT_MAX]; /* "": there is nothing to be done */
    int64_t took_us;
};

struct report {
    struct finding items[DOCTOR_CHECKS_MAX];
    size_t n;
    enum doctor_verdict verdict; /* the gravest; VERDICT_OK at least */
    struct wall at;
    const char *version;
    bool running;
};

struct doctor_options {
    const struct settings *settings; /* NULL: they cannot be read, for the reasons in .faults */
    const struct error_list *faults;
    const char *version;
    const char *zoneinfo;    /* the folder of time zone files */
    struct guard *guard;     /* whom to call; NULL: anybody */
    bool deep;               /* what reads the whole database too */
    const atomic_bool *stop; /* true: what is left is skipped; NULL: nobody says so */

    /* Of a running instance. Without them the database is opened by the settings, to be looked at. */
    bool running;
    const char *release; /* of the time zone database that it computes with */
    lane_open_fn open;   /* connections that only read */
    void *open_arg;
    struct lane *history;
};

struct doctor;
/* What the options point to outlives it. */
struct doctor *doctor_new(const struct doctor_options *o);
/* Once. */
void doctor_examine(struct doctor *d, struct report *ret);
/* The database did not answer: doctor_free() waits for it, until its own patience ends. */
bool doctor_hangs(const struct doctor *d);
void doctor_free(struct doctor *d);
CLEANUP_FN(struct doctor, doctor_free)
/* For people, and for programs. */
void report_print(const struct report *r, struct buf *out);
void report_print_json(const struct report *r, struct buf *out);

/* How many files a service with these settings may come to have open. */
int64_t doctor_files_wanted(const struct settings *s);

#endif
