/*
 * visit.h: one examination under way, as the checks share it. Nobody else includes it.
 */
#ifndef DOCTOR_VISIT_H
#define DOCTOR_VISIT_H

#include "doctor/doctor.h"
#include "store/ops_look.h"

struct postgres;
struct sqlite_file;

/* How long a question to the database may take, and all those of a check that asks again and again. */
#define PATIENCE_US (3 * US_PER_S)
/* Claims, and whatever else is done at once, are late by so much at the worst of a healthy time. */
#define LATE_US (60 * US_PER_S)

/* A database that is opened to be looked at. */
struct ground {
    struct sqlite_file *file;
    struct postgres *postgres;
    struct lane *lane;
};
/* By its URL. ERR_NOT_FOUND: there is no such file. ERR_PRECONDITION: it was not shut down cleanly, and can
 * be looked at when a service has recovered it. */
CHECKED enum err ground_open(struct ground *g, const char *url, const char *schema,
                             const struct settings *settings, bool history, struct error *err);
void ground_close(struct ground *g);

/* Whether a service holds the SQLite file of this URL. */
CHECKED bool is_held(const char *url);

struct visit {
    const struct doctor_options *o;
    struct finding *finding; /* of the check under way */
    struct ground ground;
    bool hung;       /* the database did not answer in time: it is not asked again */
    bool misfit;     /* its schema is not this build's: what depends on it is skipped */
    int64_t workers; /* instances that can take what is due; -1: not known */
};

static inline const struct settings *visit_settings(const struct visit *v)
{
    return v->o->settings;
}
bool visit_is_sqlite(const struct visit *v);

/* What the check under way found; the gravest stays, later words of it are added. */
void visit_saw(struct visit *v, enum doctor_verdict verdict, const char *format, ...) PRINTF_LIKE(3, 4);
void visit_advise(struct visit *v, const char *format, ...) PRINTF_LIKE(2, 3);

/* Asks the database, and once more when a service began to write to it meanwhile. */
CHECKED enum err visit_ask(struct visit *v, struct looked *l, struct error *err);
/* The same, told as a failure of the check. */
CHECKED bool visit_asked(struct visit *v, struct looked *l);

/* --- the checks --- */
void examine_configuration(struct visit *v);
void examine_files(struct visit *v);
void examine_zones(struct visit *v);
void examine_connection(struct visit *v);
void examine_clock(struct visit *v);
void examine_schema(struct visit *v);
void examine_indexes(struct visit *v);
void examine_permissions(struct visit *v);
void examine_pages(struct visit *v);
void examine_instances(struct visit *v);
void examine_leases(struct visit *v);
void examine_overdue(struct visit *v);
void examine_next(struct visit *v);
void examine_orphans(struct visit *v);
void examine_waiting(struct visit *v);
void examine_history(struct visit *v);
void examine_redis(struct visit *v);
void examine_kafka(struct visit *v);

#endif
