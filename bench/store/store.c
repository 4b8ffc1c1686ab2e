/*
 * store.c: what a store carries, without HTTP around it: durable registrations a second by size of group, and
 * fires (claim, advance, run, complete) a second, on a SQLite file in the current folder or in the schema
 * "bench" of the PostgreSQL that CARILLON_BENCH_URL names.
 *
 *     bench_store [register | fires | one-shots | all] [schedules] [seconds]
 *     bench_store retention [runs]     SQLite only: removes so many ended runs, as upkeep does: retention.c
 *
 * One thread, as a writer lane is one; the operations are the lane's own. The store's clock is ours, so that
 * everything is due when the bench wants it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "bench.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "store/ops_engine.h"
#include "store/ops_schedule.h"

void bench_must(enum err e, const struct error *err)
{
    if (e) {
        (void)fprintf(stderr, "%s: %s: %s\n", err_name(e), err->where, err->text);
        exit(1);
    }
}

static struct wall bench_clock(void *arg)
{
    const struct bench *b = arg;

    return b->live ? clock_wall() : b->now;
}

static void remove_files(void)
{
    static const char *const names[] = {PATH, PATH "-wal", PATH "-shm", PATH ".lock"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)unlink(names[i]);
}

/* One statement beside the bench's own connection; its first value, or 0. */
static double ask_postgres(const struct bench *b, const char *sql)
{
    PGconn *pg = PQconnectdb(b->url);
    PGresult *r;
    double value = 0;

    PQclear(PQexec(pg, "SET client_min_messages = warning"));
    r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
        (void)fprintf(stderr, "%s", PQerrorMessage(pg));
    if (PQntuples(r) > 0)
        value = strtod(PQgetvalue(r, 0, 0), NULL);
    PQclear(r);
    PQfinish(pg);
    return value;
}

void bench_open(struct bench *b)
{
    struct sqlite_options o = {.path = PATH, .clock = bench_clock, .clock_arg = b, .cache_bytes = 16 << 20};
    struct postgres_options p = {.url = b->url, .schema = "bench", .clock = bench_clock, .clock_arg = b};
    struct error err = {0};

    if (b->url) {
        (void)ask_postgres(b, "DROP SCHEMA IF EXISTS bench CASCADE");
        bench_must(postgres_open(&p, &b->postgres, &err), &err);
        bench_must(postgres_connect(b->postgres, true, &b->s, &err), &err);
        return;
    }
    remove_files();
    bench_must(sqlite_file_open(&o, &b->file, &err), &err);
    bench_must(sqlite_connect(b->file, true, &b->s, &err), &err);
}

void bench_close(struct bench *b)
{
    store_close(TAKE(b->s));
    if (b->url) {
        postgres_free(TAKE(b->postgres));
        (void)ask_postgres(b, "DROP SCHEMA bench CASCADE");
        return;
    }
    sqlite_file_free(TAKE(b->file));
    remove_files();
}

struct schedule *bench_define(struct bench *b, const char *type, const char *text)
{
    CLEANUP(buf_done_p) struct buf json = {0};
    struct error_list faults = {0};
    struct schedule *s = NULL;
    struct error err = {0};
    json_t *v = NULL;

    buf_init(&json, 10000);
    buf_addf(
        &json,
        "{\"name\":\"bench %" PRIu64
        "\",\"client\":{\"operation\":\"op#1\",\"application\":\"bench\",\"group\":"
        "\"system\",\"key\":\"%016" PRIx64 "\",\"type\":\"scheduler\"},\"type\":\"%s\",\"schedule\":\"%s\","
        "\"timezone\":\"Asia/Seoul\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":"
        "\"http://localhost:3000/api/run/DELAY-TEST-9\",\"headers\":{\"Content-Type\":\"application/json\","
        "\"Authorization\":\"Bearer "
        "0123456789\"}},\"data\":{\"instanceName\":\"delay-test-999\",\"variables\":{}},"
        "\"failed_policy\":\"retry\",\"retry_wait\":60}}",
        b->made, b->made * UINT64_C(0x9e3779b97f4a7c15), type, text);
    b->made++;
    bench_must(json_parse(buf_str(&json), JSON_DEPTH_MAX, &v, &err), &err);
    bench_must(schedule_decode(v, &b->rules, NULL, &s, &faults), &faults.items[0]);
    json_free(v);
    return s;
}

void bench_transact(struct bench *b, struct op **ops, size_t n)
{
    struct notice notice = {.earliest = WALL_NEVER};
    struct error err = {0};
    struct mono began = clock_mono();

    bench_must(store_begin(b->s, true, &err), &err);
    bench_must(ops[0]->type->run(b->s, ops, n, b->now, &notice, &err), &err);
    bench_must(store_commit(b->s, &err), &err);
    change_list_done(&notice.changed);
    store_upkeep(b->s);
    if (b->samples_n < SAMPLES_MAX)
        b->samples[b->samples_n++] = clock_mono().us - began.us;
}

static void register_group(struct bench *b, size_t n, const char *type, const char *text)
{
    struct op *ops[BATCH];
    struct error err = {0};

    for (size_t i = 0; i < n; i++) {
        struct op_put *o;

        bench_must(op_put_new(1, NULL, &o, &err), &err);
        o->items[0].schedule = bench_define(b, type, text);
        ops[i] = &o->op;
    }
    bench_transact(b, ops, n);
    for (size_t i = 0; i < n; i++)
        op_put_free(CONTAINER_OF(ops[i], struct op_put, op));
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double cpu_s(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) < 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* SQLite: how long its log is; PostgreSQL: how much of it was ever written. */
static double wal_mib(const struct bench *b)
{
    struct stat st;

    if (b->url)
        return ask_postgres(b, "SELECT (pg_current_wal_lsn() - '0/0') / 1048576.0");
    return stat(PATH "-wal", &st) < 0 ? 0 : (double)st.st_size / (1 << 20);
}

struct measure bench_measure_begin(struct bench *b)
{
    b->samples_n = 0;
    return (struct measure){clock_mono(), cpu_s(), b->url ? wal_mib(b) : 0};
}

/* The sample below which `percent` of them lie. */
static double sample_ms(const struct bench *b, size_t percent)
{
    size_t at = b->samples_n * percent / 100;

    return (double)b->samples[at < b->samples_n ? at : b->samples_n - 1] / 1e3;
}

void bench_measure_end(struct bench *b, struct measure m, const char *what, uint64_t n)
{
    double s = (double)(clock_mono().us - m.began.us) / 1e6;

    qsort(b->samples, b->samples_n, sizeof(b->samples[0]), by_size);
    printf("%-34s %9.0f /s  cpu %5.1f us each  transaction p50 %6.2f ms  p99 %6.2f ms  max %7.2f ms  log "
           "%4.0f MiB\n",
           what, (double)n / s, (cpu_s() - m.cpu) * 1e6 / (double)n, sample_ms(b, 50), sample_ms(b, 99),
           sample_ms(b, 100), wal_mib(b) - m.wal_mib);
    (void)fflush(stdout);
}

static void bench_register(struct bench *b, size_t before, int64_t seconds)
{
    static const size_t groups[] = {1, 64, 256};
    char what[64];

    bench_open(b);
    for (size_t n = 0; n < before; n += BATCH)
        register_group(b, BATCH, "delay", "86400");
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        struct measure m = bench_measure_begin(b);
        uint64_t n = 0;

        while (clock_mono().us - m.began.us < seconds * US_PER_S) {
            register_group(b, groups[i], "delay", "86400");
            b->now = wall_add(b->now, 1000);
            n += groups[i];
        }
        (void)snprintf(what, sizeof(what), "registrations, groups of %zu", groups[i]);
        bench_measure_end(b, m, what, n);
    }
    bench_close(b);
}

struct op_claim *bench_claim(const struct bench *b)
{
    struct op_claim *o = op_claim_new(NULL);

    o->cache = b->cache;
    o->request = (struct claim_request){
        .instance = {{1}},
        .horizon_us = US_PER_S,
        .lease_us = 30 * US_PER_S,
        .limit = BATCH,
        .timer_rules = {.misfire_grace_us = 60 * US_PER_S},
        .schedule_rules = &b->rules,
    };
    return o;
}

struct op_complete *bench_outcomes(const struct op_claim *c)
{
    struct op_complete *o;
    struct error err = {0};

    bench_must(op_complete_new(c->ret.n, NULL, &o, &err), &err);
    for (size_t i = 0; i < c->ret.n; i++) {
        const struct run *run = &c->ret.items[i].run;

        o->outcomes[i] = (struct outcome){
            .run_id = run->id,
            .schedule_id = run->schedule_id,
            .schedule_version = run->schedule_version,
            .token = run->lease_token,
            .to = RUN_SUCCEEDED,
            .ended_at = wall_add(run->due_at, 2000),
            .attempted = true,
            .result = {.ok = true, .status = 200, .took_us = 1500, .retry_after_us = -1},
            .schedule = schedule_ref(c->ret.items[i].schedule),
        };
    }
    return o;
}

static struct op_claim *claim(struct bench *b)
{
    struct op_claim *o = bench_claim(b);
    struct op *op = &o->op;

    bench_transact(b, &op, 1);
    return o;
}

static void complete(struct bench *b, const struct op_claim *c)
{
    struct op_complete *o = bench_outcomes(c);
    struct op *op = &o->op;

    bench_transact(b, &op, 1);
    op_complete_free(o);
}

static void bench_fires(struct bench *b, size_t schedules, int64_t seconds, bool recurring)
{
    struct measure m;
    char what[64];
    uint64_t n = 0;

    bench_open(b);
    for (size_t i = 0; i < schedules; i += BATCH)
        register_group(b, BATCH, recurring ? "cron" : "delay", recurring ? "* * * * * *" : "2");
    m = bench_measure_begin(b);
    while (clock_mono().us - m.began.us < seconds * US_PER_S) {
        struct op_claim *c = claim(b);

        n += c->ret.n;
        if (c->ret.n > 0)
            complete(b, c);
        else
            b->now = wall_add(b->now, US_PER_S); /* all that was due has fired */
        op_claim_free(c);
        if (!recurring && n >= schedules)
            break;
    }
    (void)snprintf(what, sizeof(what), "fires of %zu %s", schedules, recurring ? "recurring" : "one-shots");
    bench_measure_end(b, m, what, n);
    bench_close(b);
}

int main(int argc, char **argv)
{
    struct bench *b = alloc_new(struct bench);
    const char *which = argc > 1 ? argv[1] : "all";
    size_t schedules = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : 10000;
    int64_t seconds = argc > 3 ? strtoll(argv[3], NULL, 10) : 5;
    struct error err = {0};

    b->url = getenv("CARILLON_BENCH_URL");
    json_setup();
    bench_must(sqlite_setup(&err), &err);
    bench_must(zones_new("/usr/share/zoneinfo", &b->zones, &err), &err);
    b->rules = (struct schedule_rules){.zones = b->zones,
                                       .default_timezone = STR("Asia/Seoul"),
                                       .task_enabled = {true, true, true},
                                       .trusted = true};
    b->now = clock_wall();
    b->cache = claim_cache_new(100000);
    if (strcmp(which, "register") == 0 || strcmp(which, "all") == 0)
        bench_register(b, argc > 2 ? schedules : 0, seconds);
    if (strcmp(which, "fires") == 0 || strcmp(which, "all") == 0)
        bench_fires(b, schedules, seconds, true);
    if (strcmp(which, "one-shots") == 0 || strcmp(which, "all") == 0)
        bench_fires(b, argc > 2 ? schedules : 50000, seconds, false);
    if (strcmp(which, "retention") == 0)
        bench_retention(b, argc > 2 ? schedules : 1000000);
    claim_cache_free(b->cache);
    zones_free(b->zones);
    alloc_free(b);
    return 0;
}
