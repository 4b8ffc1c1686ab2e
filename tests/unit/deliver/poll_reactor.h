/*
 * poll_reactor.h: struct reactor on poll(2), for tests: small, and none of libuv's code under test by
 * accident.
 */
#ifndef TESTS_POLL_REACTOR_H
#define TESTS_POLL_REACTOR_H

#include "base/reactor.h"

struct poll_reactor;

struct poll_reactor *poll_reactor_new(void);
void poll_reactor_free(struct poll_reactor *p); /* MUST have no watch and no timer left */
struct reactor *poll_reactor_base(struct poll_reactor *p);

typedef bool (*poll_reactor_until_fn)(void *arg);
/* Turns until `until` says so; false when `limit_us` passed first. */
bool poll_reactor_run(struct poll_reactor *p, poll_reactor_until_fn until, void *arg, int64_t limit_us);
/* Longest time that callbacks of one turn took: what a blocking call would show in. */
int64_t poll_reactor_longest_turn_us(const struct poll_reactor *p);
/* Turns made so far. */
uint64_t poll_reactor_turns(const struct poll_reactor *p);
/* The n-th watch from now on fails (0: none). */
void poll_reactor_fail_watch(struct poll_reactor *p, size_t n);
/* Descriptors being watched, timers armed: both 0 when all is idle. */
size_t poll_reactor_watching(const struct poll_reactor *p);
size_t poll_reactor_armed(const struct poll_reactor *p);

#endif
