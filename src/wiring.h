/*
 * wiring.h: the service put together from its rooms, and taken apart again.
 */
#ifndef WIRING_H
#define WIRING_H

#include "base/buf.h"
#include "base/log.h"
#include "cli/cli.h"
#include "config/settings.h"
#include "doctor/doctor.h"
#include "engine/engine.h"
#include "engine/wakeup_redis.h"
#include "model/schedule.h"
#include "store/lane.h"

/* cli_host.serve: runs until SIGTERM, SIGINT or SIGHUP. Returns the exit status. */
int wiring_serve(const struct cli_host *host, const struct settings *s, int ready_fd);

/* cli_host.export_to and cli_host.import_from: wiring_move.c */
int wiring_export(const struct cli_host *host, const struct settings *s, const struct cli_export *o);
int wiring_import(const struct cli_host *host, const struct settings *s, const struct cli_import *o);

/*
 * By what definitions are judged, as the settings have it; they must outlive it. A zeroed one may be given to
 * wiring_rules_done(). wiring_rules.c
 */
struct wiring_rules {
    struct zones *zones;
    struct str *hidden_headers;
    struct str *secret_names;
    struct schedule_rules clients; /* for what clients send */
    struct schedule_rules stored;  /* for what the store holds: checked when it came in */
};
CHECKED enum err wiring_rules_init(struct wiring_rules *r, const struct settings *s, struct error *err);
void wiring_rules_done(struct wiring_rules *r);

/*
 * Ends the process with that status at `at`, unless wiring_deadline_met() was called before: nothing that
 * hangs may keep a stop from coming to its end. NULL when there is no thread for it; wiring_deadline.c
 */
struct wiring_deadline;
struct wiring_deadline *wiring_deadline_new(struct mono at, int status, struct log *log);
void wiring_deadline_met(struct wiring_deadline *d); /* and frees it */

/*
 * The database that the settings name, which it borrows. The lanes open their connections of it by the two
 * functions, whose argument it is. It outlives them. wiring_store.c
 */
struct wiring_store;
CHECKED enum err wiring_store_open(const struct settings *s, struct uuid instance, struct log *log,
                                   struct wiring_store **ret, struct error *err);
/* The same, but only to be read (wiring_store_reader()): beside whoever works with it, and nothing is made or
 * migrated. ERR_NOT_FOUND: there is none. */
CHECKED enum err wiring_store_look(const struct settings *s, struct wiring_store **ret, struct error *err);
/* The same, by a command line that writes: as an instance that nobody hears of, and that tells all the others
 * everything. */
CHECKED enum err wiring_store_import(const struct settings *s, struct wiring_store **ret, struct error *err);
CHECKED enum err wiring_store_writer(void *arg, struct store **ret, struct error *err);
CHECKED enum err wiring_store_reader(void *arg, struct store **ret, struct error *err);
/*
 * What other instances tell goes to the engine, on a thread of its own, until wiring_store_deafen(). Nothing
 * where there are none, or where each looks for itself. Before the lanes: what they commit goes through
 * wiring_store_tell(), which any thread may call until wiring_store_deafen().
 */
CHECKED enum err wiring_store_listen(struct wiring_store *w, struct engine *engine, struct log *log,
                                     struct error *err);
/* To the others, where the database does not do it. Never blocks. */
void wiring_store_tell(struct wiring_store *w, const struct notice *n);
/* After the lanes, whose last commits are told, and before the engine is freed. NULL is fine. */
void wiring_store_deafen(struct wiring_store *w);
/* False: nobody is told or heard here. */
bool wiring_store_wakeup_stats(const struct wiring_store *w, struct wakeup_stats *ret);
/* How often an engine looks at the database whatever it is told. */
int64_t wiring_store_look_us(const struct settings *s);
void wiring_store_free(struct wiring_store *w);
CLEANUP_FN(struct wiring_store, wiring_store_free)

/* Whether other instances may have the same database. */
bool wiring_store_is_shared(const struct wiring_store *w);

/*
 * The history database, and what moves events to it from the outbox of `store`. wiring_history.c. Made before
 * the lanes, whose notices wake it; started behind them; stopped before them, freed after.
 */
struct wiring_history;
struct wiring_history *wiring_history_new(const struct settings *s, struct wiring_store *store,
                                          struct log *log);
CHECKED enum err wiring_history_start(struct wiring_history *h, struct lane *writer, struct error *err);
void wiring_history_wake(struct wiring_history *h); /* any thread; NULL is fine */
struct lane *wiring_history_lane(struct wiring_history *h);
void wiring_history_metrics(struct wiring_history *h, struct buf *out);
void wiring_history_stop(struct wiring_history *h); /* NULL is fine */
void wiring_history_free(struct wiring_history *h);

/*
 * What /metrics says of engine, lanes and wake-ups (NULL: none), as Prometheus text. wiring_metrics.c
 * Of a role that this instance has not, it says nothing: a 0 would read as one that fails at it.
 */
struct wiring_roles {
    bool worker;
    bool monitor;
};
void wiring_metrics(struct wiring_roles roles, const struct engine_stats *engine,
                    const struct lane_stats *writer, const struct lane_stats *reader,
                    const struct wakeup_stats *wakeup, struct buf *out);

/*
 * Computes what is still to come anew when the time zone database is another release than the one the store's
 * times were computed with. Before the engine starts. wiring_zones.c
 */
CHECKED enum err wiring_zones_changed(struct lane *writer, const struct schedule_rules *rules,
                                      struct log *log, struct error *err);

/* Whom the settings let the service call. */
CHECKED enum err wiring_guard_new(const struct settings *s, struct guard **ret, struct error *err);

/* cli_host.doctor; wiring_doctor.c */
int wiring_doctor(const struct cli_host *host, const struct cli_doctor *what, struct buf *out);
/*
 * An examination of a running instance as JSON; blocks. *left: what an examination whose database did not
 * answer has left behind, to be freed by the next one or by doctor_free(); NULL at first.
 */
void wiring_doctor_report(const struct doctor_options *options, struct doctor **left, struct buf *out);

#endif
