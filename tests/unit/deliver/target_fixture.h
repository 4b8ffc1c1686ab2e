/*
 * target_fixture.h: what the tests of the kafka and redis deliverers share: a reactor, a deliverer, attempts.
 */
#ifndef TESTS_TARGET_FIXTURE_H
#define TESTS_TARGET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/deliver.h"
#include "poll_reactor.h"

/* Longer than any sound machine needs: only a failing test waits for it. */
#define LONG_US (INT64_C(60) * US_PER_S)

struct target {
    struct poll_reactor *reactor;
    struct deliverer *deliverer;
    bool calling; /* inside start() or abort(): done() must not come */
};

/* One delivery with a schedule of its own. */
struct trial {
    struct target *target;
    struct delivery delivery;
    struct schedule schedule;
    char host[256];
    char topic[128];
    size_t ended; /* calls of done() */
};

void target_open(struct target *t, deliver_open_fn open, size_t connections_max);
void target_open_with(struct target *t, deliver_open_fn open, struct deliver_options options);
size_t target_circuits_open(const struct target *t);
void target_close(struct target *t); /* MUST have nothing in flight */

/* {"a":1} with 10 s of time. */
void trial_init(struct trial *a, struct target *t, enum task_type type, const char *host, const char *topic);
void trial_free(struct trial *a);
void trial_data(struct trial *a, json_t *data); /* takes it over */
void trial_start(struct trial *a);
void trial_abort(struct trial *a);
/* Turns until it ended. */
void trial_wait(struct trial *a);
void trial_run(struct trial *a);
/* Turns for so long, whatever ends meanwhile. */
void target_turn(struct target *t, int64_t us);
void assert_ok(const struct trial *a);
void assert_failed(const struct trial *a, const char *part);

/* 127.0.0.1 and a port that nobody listens on, for as long as the descriptor is open. */
int closed_port(int *ret_fd);

#endif
