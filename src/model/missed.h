/*
 * missed.h: occurrences that did not become runs of their own, one by one, for those who keep a history. The
 * counts are in struct timer; this is which ones they were. Pure.
 */
#ifndef MODEL_MISSED_H
#define MODEL_MISSED_H

#include "base/base.h"
#include "base/error.h"
#include "model/schedule.h"
#include "model/timer.h"

/* One occurrence (n 1, first and last the same), or so many of them from `first` to `last`. */
struct missed_span {
    enum missed why;
    struct wall first;
    struct wall last;
    int64_t n;
};

/* So many are listed singly; what comes then is told as spans. */
enum { MISSED_SINGLY_MAX = 1000 };

/* Occurrences `first` to `last` of `s`, n of them. What is too many to be listed singly becomes one span. */
CHECKED enum err missed_list_add(struct missed_list *l, const struct schedule *s, enum missed why,
                                 struct wall first, struct wall last, int64_t n, struct error *err);
void missed_list_done(struct missed_list *l);

/* Those that timer_resume() of `paused` at `now` counts. */
CHECKED enum err missed_by_pause(const struct schedule *s, const struct timer *paused, struct wall now,
                                 struct missed_list *ret, struct error *err);

#endif
