/*
 * main.c: runs the world of sim.h once for each seed.
 *
 *   sim [--seed N | --seeds A..B] [--store memory|sqlite] [--verbose] [--repeat] [--sabotage WHAT
 * [--expect-found]]
 *
 * Exit status 0: all invariants held; 1: one broke, and the seed and what led to it are printed. With
 * --sabotage the world does something wrong on purpose; --expect-found turns the answer round: 0 when the
 * checker found it in at least one seed. --repeat runs each seed twice and fails when the two differ.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "sim.h"

struct arguments {
    uint64_t first;
    uint64_t last;
    enum sabotage sabotage;
    bool verbose;
    bool expect_found;
    bool sqlite;
    bool repeat;
};

static const char *const sabotages[] = {
#define X(value, text) [value] = (text),
    SABOTAGE_LIST(X)
#undef X
};

static bool parse_seeds(const char *text, struct arguments *ret)
{
    const char *dots = strstr(text, "..");

    if (!dots) {
        if (!str_to_u64(str_of(text), &ret->first))
            return false;
        ret->last = ret->first;
        return true;
    }
    return str_to_u64((struct str){text, (size_t)(dots - text)}, &ret->first) &&
           str_to_u64(str_of(dots + 2), &ret->last) && ret->first <= ret->last;
}

static bool parse_sabotage(const char *text, enum sabotage *ret)
{
    for (size_t k = 0; k < COUNT_OF(sabotages); k++) {
        if (strcmp(sabotages[k], text) == 0) {
            *ret = (enum sabotage)k;
            return true;
        }
    }
    return false;
}

static bool parse(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},     {"seeds", required_argument, NULL, 's'},
        {"verbose", no_argument, NULL, 'v'},        {"store", required_argument, NULL, 'd'},
        {"sabotage", required_argument, NULL, 'b'}, {"expect-found", no_argument, NULL, 'e'},
        {"repeat", no_argument, NULL, 'r'},         {0},
    };
    int c;

    *ret = (struct arguments){.first = 1, .last = 200};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool ok = c == 'v' || c == 'e' || c == 'r';

        if (c == 's')
            ok = parse_seeds(optarg, ret);
        if (c == 'b')
            ok = parse_sabotage(optarg, &ret->sabotage);
        if (c == 'd') {
            ret->sqlite = strcmp(optarg, "sqlite") == 0;
            ok = ret->sqlite || strcmp(optarg, "memory") == 0;
        }
        if (!ok)
            return false;
        ret->verbose |= c == 'v';
        ret->expect_found |= c == 'e';
        ret->repeat |= c == 'r';
    }
    return optind == argc;
}

static bool repeats(const struct sim_options *o, const struct sim_result *first)
{
    struct sim_result second;

    world_run(o, &second);
    if (second.fingerprint == first->fingerprint)
        return true;
    (void)printf("seed %" PRIu64 ": the second time something else happened\n", o->seed);
    return false;
}

int main(int argc, char **argv)
{
    struct arguments args;
    size_t failures = 0;
    size_t runs = 0;
    size_t attempts = 0;
    size_t doubles = 0;

    if (!parse(argc, argv, &args)) {
        (void)fprintf(stderr,
                      "usage: sim [--seed N | --seeds A..B] [--store memory|sqlite] [--verbose] [--repeat]\n"
                      "           [--sabotage WHAT [--expect-found]]\n");
        return 2;
    }
    json_setup();
    for (uint64_t seed = args.first; seed <= args.last; seed++) {
        struct sim_options o = {
            .seed = seed, .sabotage = args.sabotage, .verbose = args.verbose, .sqlite = args.sqlite};
        struct sim_result r;

        world_run(&o, &r);
        runs += r.runs;
        attempts += r.attempts;
        doubles += r.doubles;
        failures += r.failed;
        if (args.repeat && !repeats(&o, &r))
            failures++;
        if (r.failed && args.expect_found)
            break;
    }
    (void)printf("%" PRIu64 " seeds: %zu runs, %zu attempts, %zu explained doubles, %zu seeds failed\n",
                 args.last - args.first + 1, runs, attempts, doubles, failures);
    return (failures > 0) == args.expect_found ? EXIT_SUCCESS : EXIT_FAILURE;
}
