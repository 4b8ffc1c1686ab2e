/*
 * deliver.h: one attempt at a target, whatever its kind: rest, kafka, redis.
 *
 * A deliverer lives on one event loop (base/reactor.h) and one thread. It knows nothing of storage. Each
 * delivery that was started ends in exactly one call of done(), later, never from inside the call that asked
 * for it; a deliverer is closed only after all its deliveries ended.
 */
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include "base/base.h"
#include "base/error.h"
#include "base/list.h"
#include "base/reactor.h"
#include "model/run.h"
#include "model/schedule.h"

/* What an attempt's end changed for its target; see deliver/admission.h. */
enum circuit_change { CIRCUIT_SAME, CIRCUIT_OPENED, CIRCUIT_CLOSED_AGAIN };

struct delivery;
struct guard;
struct signer;
typedef void (*delivery_done_fn)(struct delivery *d);

/* One attempt. Made and owned by the engine; the deliverer uses it between start() and done(). */
struct delivery {
    /* in */
    struct run run;                  /* attempt is this attempt's number */
    const struct schedule *schedule; /* borrowed until done() */
    delivery_done_fn done;
    /* out */
    struct attempt_result result;
    enum circuit_change circuit;
    /* the deliverer's */
    struct list node;
    void *state;
};

struct deliver_options {
    bool tls_insecure_allowed;
    const char *user_agent;      /* "carillon/0.1.0" */
    size_t connections_max;      /* kept open at most, idle ones included */
    size_t per_host_max;         /* connections to one host at most; 0: no limit */
    int64_t per_host_rate;       /* attempts a second at one target; 0: no limit */
    unsigned circuit_failures;   /* without an answer in a row, that open a target's circuit; 0: never */
    const char *ca_file;         /* NULL: the system's */
    const struct signer *signer; /* of requests; borrowed; NULL: has no secret */
    struct guard *guard;         /* whom to call; each deliverer holds on to it; NULL: anybody */
};

struct deliver_stats {
    size_t circuits_open; /* targets that are only probed, now */
    uint64_t circuits_opened;
    uint64_t circuits_closed;
};

struct deliverer;
struct deliver_ops {
    const char *name; /* "rest", "kafka", "redis" */
    enum task_type type;
    /* Starts; whatever fails is reported by done(), so there is no error to return. */
    void (*start)(struct deliverer *d, struct delivery *delivery);
    /* Gives up an attempt in flight: done() follows with an error result. */
    void (*abort)(struct deliverer *d, struct delivery *delivery);
    size_t (*in_flight)(const struct deliverer *d);
    void (*close)(struct deliverer *d); /* MUST have nothing in flight */
    /*
     * May an attempt at the target of `s` begin at `now`? A time not after `now` says yes, and counts it (a
     * token of the target's rate, the probe of a broken circuit): start() follows in the same turn. A later
     * time says no: until then, or until an attempt at the same target ends, the engine starts none there and
     * does not ask again; its runs wait, and their attempts' time does not run. Targets are told apart by
     * model/target.h. NULL: always yes.
     */
    struct mono (*admit)(struct deliverer *d, const struct schedule *s, struct mono now);
    void (*stats)(const struct deliverer *d, struct deliver_stats *ret);
};
struct deliverer {
    const struct deliver_ops *ops; /* an implementation embeds struct deliverer as its first member */
};

static inline void deliver_start(struct deliverer *d, struct delivery *delivery)
{
    d->ops->start(d, delivery);
}
static inline struct mono deliver_admit(struct deliverer *d, const struct schedule *s, struct mono now)
{
    return d->ops->admit ? d->ops->admit(d, s, now) : now;
}
static inline void deliver_abort(struct deliverer *d, struct delivery *delivery)
{
    d->ops->abort(d, delivery);
}

/* The table of kinds: adding a fourth means one new file and one line in it. */
typedef enum err (*deliver_open_fn)(struct reactor *reactor, const struct deliver_options *options,
                                    struct deliverer **ret, struct error *err);
struct deliver_kind {
    enum task_type type;
    deliver_open_fn open;
};
extern const struct deliver_kind deliver_kinds[];
extern const size_t deliver_kinds_n;

/* Once per process, before any deliverer and before threads: sets up libraries (curl_global_init_mem with
 * base/alloc). */
CHECKED enum err deliver_setup(struct error *err);
void deliver_teardown(void);

#endif
