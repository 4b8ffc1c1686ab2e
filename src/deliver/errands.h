/*
 * errands.h: the attempts that a deliverer has taken on: each with its deadline, each reported exactly once,
 * and never from inside the call that asked for it or a callback of a library.
 *
 * For deliverers that hand many attempts to one connection (kafka, redis). An errand lies inside a struct of
 * the deliverer's, which may outlive its attempt: an answer that comes too late still has to be told from the
 * next one. On the loop's thread.
 */
#ifndef DELIVER_ERRANDS_H
#define DELIVER_ERRANDS_H

#include "base/heap.h"
#include "base/list.h"
#include "deliver/admission.h"
#include "deliver/deliver.h"

struct errand {
    struct delivery *delivery; /* NULL: ended, or not begun */
    struct heap_node deadline; /* mono µs */
    struct mono begun;
    struct uuid target; /* model/target.h */
    struct list node;   /* the deliverer's */
};

/* The errand's deadline has passed: the callback ends it or gives it a new one. */
typedef void (*errand_late_fn)(void *arg, struct errand *e, struct mono now);

struct errands {
    struct reactor *reactor;
    struct heap deadlines;
    struct reactor_timer *deadline_timer; /* not later than the first of `deadlines` */
    bool deadline_armed;
    struct reactor_timer *report_timer;
    struct list ended; /* deliveries whose result is known, done() not yet called */
    size_t in_flight;  /* begun and not reported */
    struct admission admission;
    errand_late_fn late;
    void *arg;
};

CHECKED enum err errands_open(struct errands *all, struct reactor *reactor,
                              const struct deliver_options *options, errand_late_fn late, void *arg,
                              struct error *err);
void errands_close(struct errands *all); /* MUST have nothing in flight; one that did not open is fine */

/*
 * Takes the attempt on; its time (task.timeout) runs from now. False: there is no memory, it has been ended.
 */
CHECKED bool errand_begin(struct errands *all, struct errand *e, struct delivery *d, struct mono now);
/* Gives it until `until_us` (mono), instead of what it had. */
void errand_prolong(struct errands *all, struct errand *e, int64_t until_us);
/*
 * Ends the attempt, as do the four below; a no-op when it has ended. The target answered: well when `error`
 * is NULL.
 */
void errand_end(struct errands *all, struct errand *e, const char *error, struct mono now);
/* The target cannot be reached, or says nothing. */
void errand_break(struct errands *all, struct errand *e, const char *error, struct mono now);
/* Nothing that the target did: it was given up, or could not be begun. */
void errand_drop(struct errands *all, struct errand *e, const char *error, struct mono now);
/* It was not sent, for want of something of ours: see outcome_not_sent(). */
void errand_put_off(struct errands *all, struct errand *e, const char *why, struct mono now);
/* By errand_put_off() when `code` is ERR_MEMORY, else by errand_drop(). */
void errand_fail(struct errands *all, struct errand *e, enum err code, const char *text, struct mono now);
/* The errand that `d` is with, NULL when its end is known. */
struct errand *errand_of(struct delivery *d);
/* deliver.h's. */
struct mono errands_admit(struct errands *all, const struct schedule *s, struct mono now);
/* "timeout after 10 s: `what``where`". Ends it; without `where`, the target had no part in it. */
void errand_time_out(struct errands *all, struct errand *e, const char *what, const char *where,
                     struct mono now);

#endif
