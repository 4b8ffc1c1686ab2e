/*
 * journal.h: what happens to schedules, gathered while a transaction's operations run.
 *
 * Operations note events. Those of schedules with `history_check` go to the outbox by one call before the
 * transaction's commit, so an event is there exactly when what it tells is. When somebody listens (GET
 * /events) all events are noted, and handed on after the commit. A transaction that comes to nothing leaves
 * no event. Where nobody keeps a history and nobody listens, an operation pays one comparison.
 *
 * An event is made once: its id (UUIDv7) and its JSON text are the same in outbox, history and stream. Its id
 * begins with its time, so that events are ordered, found and dropped by id.
 *
 * A journal belongs to the lane that owns the store; store.journal is NULL where nobody keeps one.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "model/missed.h"
#include "model/run.h"
#include "model/schedule.h"

/* What may happen. The numbers are stored, so they are frozen: new kinds come last. */
#define HISTORY_KIND_LIST(X)                                                                                 \
    X(EVENT_REGISTERED, "registered")                                                                        \
    X(EVENT_UPDATED, "updated")                                                                              \
    X(EVENT_PAUSED, "paused")                                                                                \
    X(EVENT_RESUMED, "resumed")                                                                              \
    X(EVENT_DELETED, "deleted")                                                                              \
    X(EVENT_TRIGGERED, "triggered") /* a run was made by hand */                                             \
    X(EVENT_STARTED, "started")     /* an instance has taken the run for an attempt */                       \
    X(EVENT_RETURNED, "returned")   /* and gave it back unfinished, being stopped */                         \
    X(EVENT_ATTEMPT_FAILED, "attempt_failed")                                                                \
    X(EVENT_SUCCEEDED, "succeeded")                                                                          \
    X(EVENT_FAILED, "failed")                                                                                \
    X(EVENT_DEAD, "dead")                                                                                    \
    X(EVENT_SKIPPED, "skipped") /* with its reason: enum missed */                                           \
    X(EVENT_CANCELLED, "cancelled")                                                                          \
    X(EVENT_REDRIVEN, "redriven")                                                                            \
    X(EVENT_DISCARDED, "discarded")
#define X(value, text) value,
enum history_kind { HISTORY_KIND_LIST(X) HISTORY_KINDS };
#undef X
const char *history_kind_name(enum history_kind k);
CHECKED bool history_kind_parse(struct str s, enum history_kind *ret);

struct history_event {
    enum history_kind kind;
    struct wall at;
    struct uuid schedule_id;
    struct str label; /* whose it is: event_label() */
    bool kept;        /* in the history; else only who listens hears of it */
    /* what applies; see EVENT_OF */
    struct uuid run_id;       /* nil: none */
    struct wall scheduled_at; /* WALL_NEVER: none */
    struct wall until;        /* of several skipped ones: the last; WALL_NEVER: none */
    int64_t count;            /* of those; 0: none */
    int64_t attempt;          /* 0: none */
    struct wall retry_at;     /* WALL_NEVER: none */
    int status;               /* 0: none */
    int64_t took_us;          /* -1: none */
    const char *reason;       /* NULL: none */
    const char *error;        /* NULL or "": none */
    struct str answer;        /* p NULL: none */
};
/* An event with nothing that may apply; further members may follow. */
#define EVENT_OF(kind_, at_, schedule_, ...)                                                                 \
    ((struct history_event){.kind = (kind_),                                                                 \
                            .at = (at_),                                                                     \
                            .schedule_id = (schedule_),                                                      \
                            .scheduled_at = WALL_NEVER,                                                      \
                            .until = WALL_NEVER,                                                             \
                            .retry_at = WALL_NEVER,                                                          \
                            .took_us = -1,                                                                   \
                            __VA_ARGS__})

/* A schedule's name and client as members of an object, without braces: what events of it are labelled with.
 */
CHECKED enum err event_label(const struct schedule *s, struct buf *out, struct error *err);
/*
 * The same from a stored definition, without judging it: it may be one that no longer decodes. *ret_kept: it
 * asks for a history. What cannot be read at all has no label and keeps no history.
 */
CHECKED enum err event_label_stored(struct str definition, struct buf *out, bool *ret_kept,
                                    struct error *err);

/* --- what stores tell beside what they return --- */

enum journal_trace_kind {
    TRACE_REMOVED, /* a schedule; text: its definition */
    TRACE_RUN,     /* a run that a call ended on its own; text: its label, "" without */
};
struct journal_trace {
    enum journal_trace_kind kind;
    struct uuid schedule_id;
    struct uuid run_id;
    struct wall scheduled_at;
    int64_t attempt;
    size_t text_at; /* in journal.trace_texts */
    size_t text_n;
};

/* What is in a stored definition exactly when it keeps a history, or when that text is in its data: stores
 * ask for it, event_label_stored() judges. */
#define DEFINITION_KEEPS "\"history_check\":true"

struct journal_entry {
    struct uuid id;
    enum history_kind kind;
    struct uuid schedule_id;
    bool kept;
    size_t text_at; /* in journal.texts */
    size_t text_n;
};

struct journal {
    bool listened; /* in this transaction: all events are noted */
    struct wall now;
    int64_t ties; /* events at `now` so far: a µs for each keeps their order */
    struct journal_entry *items;
    size_t n;
    size_t cap;
    size_t kept_n; /* of them */
    struct buf texts;
    struct journal_trace *traces;
    size_t traces_n;
    size_t traces_cap;
    struct buf trace_texts;
};

struct store;

void journal_init(struct journal *j);
void journal_done(struct journal *j);
/* A transaction begins. */
void journal_begin(struct journal *j, bool listened, struct wall now);
/* Writes what is kept to the outbox. Before the commit, after all else. */
CHECKED enum err journal_flush(struct journal *j, struct store *s, struct error *err);

/* Whether an event of a schedule is to be noted. `j` may be NULL. */
static inline bool journal_wants(const struct journal *j, bool kept)
{
    return j && (kept || j->listened);
}
static inline bool journal_wants_of(const struct journal *j, const struct schedule *s)
{
    return journal_wants(j, s->task.history_check);
}
CHECKED enum err journal_add(struct journal *j, const struct history_event *e, struct error *err);
/* A `skipped` event for each span. */
CHECKED enum err journal_add_missed(struct journal *j, struct wall at, struct uuid schedule_id,
                                    const struct schedule *s, struct str label, const struct missed_list *l,
                                    struct error *err);
/*
 * Makes events of what stores have told since the last call: of removed schedules `deleted`, of runs `runs`.
 * `why`: their reason, NULL: none. `label`: for runs that have no label of their own, n 0: unknown. Nothing
 * for a NULL journal.
 */
CHECKED enum err journal_add_traces(struct journal *j, struct wall at, enum history_kind runs,
                                    const char *why, struct str label, struct error *err);
/* The same for what was cancelled, and with `why` as the reason. */
CHECKED static inline enum err journal_add_cancelled(struct journal *j, struct wall at, const char *why,
                                                     struct str label, struct error *err)
{
    return journal_add_traces(j, at, EVENT_CANCELLED, why, label, err);
}

/* Forgets what was told of this run. */
void journal_drop_trace(struct journal *j, struct uuid run_id);

/* --- for stores; nothing where nobody keeps a journal --- */
CHECKED enum err journal_trace_removed(struct journal *j, struct uuid schedule_id, struct str definition,
                                       struct error *err);
CHECKED enum err journal_trace_cancelled(struct journal *j, const struct run *run, struct str label,
                                         struct error *err);

#endif
