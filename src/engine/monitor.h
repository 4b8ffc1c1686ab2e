/*
 * monitor.h: when an instance says that it lives, and whether it is the one that looks after the cluster.
 *
 * Pure: no store, no clock, no thread. Who is elected is decided by the store, in the statement that takes
 * the heartbeat, by its own clock; here it is only counted how long that is good: from the moment at which
 * we asked, by a clock that never steps, so we never believe it for longer than the store does.
 *
 * A beat says for how long it is good. An instance that fires beats every few seconds and is missed within
 * seconds; an idle one beats seldom, so that it costs the database next to nothing. One that could be elected
 * keeps watch, as often, while another is busy: so a monitor that dies under load is followed within seconds.
 * Its watching must not keep the others watching in turn, which is why a watch is good a little longer than a
 * busy word and can be told from it.
 */
#ifndef ENGINE_MONITOR_H
#define ENGINE_MONITOR_H

#include "base/base.h"

struct monitor_options {
    bool candidate;        /* it may be elected */
    int64_t busy_every_us; /* default 3 s */
    int64_t busy_good_us;  /* default 9 s */
    int64_t watch_good_us; /* default 12 s; beats as often as when it is busy */
    int64_t idle_every_us; /* default 30 s */
    int64_t idle_good_us;  /* default 75 s */
    int64_t apart_us;      /* two beats at least, but at the end; default 1 s */
};

/* What a beat says. */
struct monitor_word {
    int64_t good_us;    /* for so long it is taken for alive */
    int64_t monitor_us; /* for so long it would be the monitor; 0: it would not */
};

struct monitor {
    struct monitor_options options;
    bool out;                 /* a beat is, and not answered */
    bool alone;               /* nobody shares the store: it is the monitor, and tells nobody */
    bool resigned;            /* it will not be elected any more */
    bool active;              /* something was fired since the last beat */
    bool others_busy;         /* by the last answer */
    struct monitor_word word; /* of the last beat */
    struct mono sent_at;
    struct mono next_at;
    struct mono elected_until; /* {INT64_MIN}: it is not */
};

/* The first beat is due at once. */
void monitor_init(struct monitor *m, const struct monitor_options *o, struct mono now);

/* Something is being fired here. */
void monitor_busy(struct monitor *m, struct mono now);
/* A beat is wanted now, since its answer says what time it is. */
void monitor_hurry(struct monitor *m, struct mono now);
/* It stops: it goes on beating, but makes room for another at once. */
void monitor_resign(struct monitor *m, struct mono now);

/* True when a beat is due: it says *ret, and is answered by one of the next three. */
bool monitor_beat(struct monitor *m, struct mono now, struct monitor_word *ret);
/* `others_busy`: monitor_is_busy_word() of any other that lives. */
void monitor_answered(struct monitor *m, struct mono now, bool elected, bool others_busy);
void monitor_failed(struct monitor *m, struct mono now);
/* The store is ours alone. */
void monitor_alone(struct monitor *m);

/* Whether an instance whose word is good for so long is firing. */
bool monitor_is_busy_word(const struct monitor *m, int64_t good_us);

/* Until when it is the monitor if nothing else happens; {INT64_MIN}: it is not. */
struct mono monitor_until(const struct monitor *m);
static inline bool monitor_is(const struct monitor *m, struct mono now)
{
    return now.us < monitor_until(m).us;
}

/* When monitor_beat() wants to be asked next; {INT64_MAX}: not before something else happens. */
struct mono monitor_wake_at(const struct monitor *m);

#endif
