/*
 * core_fixture.h: a core under test with a hand-turned clock, and short words for what the tests do with it.
 */
#ifndef TESTS_UNIT_ENGINE_CORE_FIXTURE_H
#define TESTS_UNIT_ENGINE_CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "calendar/zones.h"
#include "engine/core.h"

struct fixture {
    struct core *core;
    struct core_now now;
    struct zones *zones;
};

/* Horizon 1 s, lease 30 s, safety poll 30 s, and room enough, unless `options` says otherwise. */
void fixture_init(struct fixture *f, struct core_options options);
void fixture_done(struct fixture *f);
UNUSED static inline void fixture_done_p(struct fixture *f)
{
    fixture_done(f);
}

/* Both clocks go on. */
void pass(struct fixture *f, int64_t us);
/* The same, then core_tick(). */
void tick(struct fixture *f, int64_t us);
/* Only the wall clock is set. */
void step_wall(struct fixture *f, int64_t us);
struct wall in(const struct fixture *f, int64_t us);

struct uuid id_of(unsigned n);
/* `task` holds further members of the task: "\"failed_policy\": \"retry\"", or "". */
struct schedule *make_schedule(struct fixture *f, const char *members, const char *task);
/* One that fires each second and replaces what is open. */
struct schedule *make_replacing(struct fixture *f);
/* Run `n` of schedule `schedule_n`, due in `due_us`, leased for 30 s from now under token n. */
struct core_claimed item(struct fixture *f, unsigned n, unsigned schedule_n, int64_t due_us);
struct core_claimed item_with(struct fixture *f, unsigned n, int64_t due_us, const char *members,
                              const char *task);
/* The same, with a target at that host. */
struct core_claimed item_at(struct fixture *f, unsigned n, int64_t due_us, const char *host,
                            const char *members, const char *task);

/* Reads the next action, which must be of that kind. */
struct core_action expect(struct fixture *f, enum core_action_kind kind);
void expect_nothing(struct fixture *f);
/* The claim that every core begins with, answered by `items`; `next_due` from now. */
void first_claim(struct fixture *f, struct core_claimed *items, size_t n, struct wall next_due);
void claimed(struct fixture *f, struct core_claimed *items, size_t n, struct wall next_due);
/* Holds run `n` in flight: claims it, due now, and reads its start. */
struct held *start_run(struct fixture *f, unsigned n);

struct attempt_result ok_result(void);
struct attempt_result status_result(int status);
struct attempt_result no_answer(void);
/* All outcomes of the record that is out are durable. */
void recorded(struct fixture *f, size_t n);
struct core_stats stats_of(const struct fixture *f);

#endif
