/*
 * bench.h: what the benches of a store share.
 */
#ifndef BENCH_STORE_BENCH_H
#define BENCH_STORE_BENCH_H

#include "store/op.h"
#include "store/ops_engine.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

enum { SAMPLES_MAX = 1000000, BATCH = 1000 };
#define PATH "bench-store.db"

struct bench {
    const char *url; /* NULL: SQLite */
    struct postgres *postgres;
    struct sqlite_file *file;
    struct store *s;
    struct zones *zones;
    struct schedule_rules rules;
    struct wall now; /* what the store's clock says, unless it is live */
    bool live;       /* it goes as ours does */
    struct claim_cache *cache;
    uint64_t made;
    int64_t samples[SAMPLES_MAX]; /* µs a transaction took */
    size_t samples_n;
};

struct measure {
    struct mono began;
    double cpu;
    double wal_mib;
};

/* Ends the program on an error. */
void bench_must(enum err e, const struct error *err);
void bench_open(struct bench *b);
void bench_close(struct bench *b);
struct schedule *bench_define(struct bench *b, const char *type, const char *text);
/* Runs them as the lane would run a group. */
void bench_transact(struct bench *b, struct op **ops, size_t n);
struct measure bench_measure_begin(struct bench *b);
void bench_measure_end(struct bench *b, struct measure m, const char *what, uint64_t n);
/* A claim as the engine asks for it; to be freed with op_claim_free(). */
struct op_claim *bench_claim(const struct bench *b);
/* All that it brought succeeded. */
struct op_complete *bench_outcomes(const struct op_claim *c);

/* retention.c: `runs` ended runs are removed, alone and then under fire. */
void bench_retention(struct bench *b, size_t runs);

#endif
