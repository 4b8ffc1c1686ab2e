/*
 * ground.h: what the store's contract is tested on: a fresh store of one kind, a clock that stands still
 * until a test moves it, definitions in few words. stores.c lists the kinds.
 */
#ifndef TEST_CONTRACT_GROUND_H
#define TEST_CONTRACT_GROUND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/json.h"
#include "base/str.h"
#include "model/schedule.h"
#include "model/timer.h"
#include "store/claim.h"
#include "store/store.h"

struct ground;

/* A kind of store. */
struct kind {
    const char *name;
    /* Sets g->s (writing) on something fresh; g->own is the kind's. */
    enum err (*open)(struct ground *g, struct error *err);
    void (*close)(struct ground *g);
    bool (*available)(void); /* NULL: always; false: what it needs is not installed */
};
extern const struct kind kind_postgres; /* stores_postgres.c */
extern const struct kind kind_pooled;
extern const struct kind *const kinds[];
extern const size_t kinds_n;

struct ground {
    const struct kind *kind;
    struct store *s;
    void *own;
    struct wall now; /* what the store's clock says */
    struct zones *zones;
    struct schedule_rules rules;
    struct claim_cache *cache;
    struct uuid instance;
    char folder[64];
    bool in_transaction;
};

/* 2030-01-01T00:00:00Z: where every ground's clock begins. A Tuesday. */
#define GROUND_NOW ((struct wall){INT64_C(1893456000000000)})

/* Once per process, before anything else. */
void ground_process_setup(void);
/* Per test; *state is a const struct kind * before the setup, a struct ground * after it. */
int ground_setup(void **state);
int ground_teardown(void **state);
/* The kind's open() for a folder of its own: made in setup, emptied and removed in teardown. */
void ground_folder_remove(const char *folder);

/* Transactions; whatever fails in them fails the test. */
void begin(struct ground *g);
void commit(struct ground *g);
void ok(enum err e, const struct error *err);

/* A definition with client.key and name `key`, application "app", group "grp", and these further members. */
struct schedule *define(struct ground *g, const char *key, const char *members);
/* The same from whole JSON. */
struct schedule *define_json(struct ground *g, const char *json);
/* Registers it, in a transaction of its own. */
struct put put_one(struct ground *g, struct put in, const struct schedule *s);
struct uuid registered(struct ground *g, const struct schedule *s);
struct uuid registered_as(struct ground *g, const char *key, const char *members); /* define and register */

/* store_insert_run() of a run that no history wants. */
enum err insert_run(struct ground *g, struct run *run, struct error *err);

/* To be freed with record_done(). */
struct record record_of(struct ground *g, struct uuid id);
enum err get_error(struct ground *g, struct uuid id);
struct run_record run_of(struct ground *g, struct uuid id);
struct run_record_list runs_of(struct ground *g, struct uuid schedule);
struct store_stats stats_of(struct ground *g);

/* A claim with a horizon of 1 s and a lease of 30 s; `n_expected` runs come. To be freed with
 * claim_result_done(). */
struct claim_result claim_n(struct ground *g, size_t n_expected);
struct claim_result claim_limit(struct ground *g, size_t limit);
/* Records one outcome of a claimed run, ended now; what came of it. */
struct outcome ended(struct ground *g, const struct claimed *c, enum run_state to);
struct outcome recorded(struct ground *g, struct outcome o);
struct outcome outcome_of(struct ground *g, const struct claimed *c, enum run_state to);

void sleep_us(struct ground *g, int64_t us); /* moves the clock */
#define SECOND US_PER_S

#endif
