/*
 * steps.h: the next step of each schema, made up: what a release to come will do, for tests of upgrades. It
 * touches every table that instances work with, which a real step should not have to. The compiler includes
 * it before everything else (-include).
 */
#ifndef NEXT_STEPS_H
#define NEXT_STEPS_H

#define POSTGRES_NEXT_STEP                                                                                   \
    "ALTER TABLE @schedule ADD COLUMN later text",                                                           \
        "ALTER TABLE @timer ADD COLUMN later bigint NOT NULL DEFAULT 0",                                     \
        "ALTER TABLE @run ADD COLUMN later bigint NOT NULL DEFAULT 0",                                       \
        "ALTER TABLE @run_log ADD COLUMN later bigint", "ALTER TABLE @instance ADD COLUMN later bigint",     \
        "CREATE TABLE @later (n bigint PRIMARY KEY)",                                                        \
        "CREATE INDEX schedule_later ON @schedule (later) WHERE later IS NOT NULL"

#define SQLITE_NEXT_STEP                                                                                     \
    "ALTER TABLE schedule ADD COLUMN later TEXT;"                                                            \
    "ALTER TABLE timer ADD COLUMN later INTEGER NOT NULL DEFAULT 0;"                                         \
    "ALTER TABLE run ADD COLUMN later INTEGER NOT NULL DEFAULT 0;"                                           \
    "ALTER TABLE run_log ADD COLUMN later INTEGER;"                                                          \
    "CREATE TABLE later (n INTEGER PRIMARY KEY);"                                                            \
    "CREATE INDEX schedule_later ON schedule (later) WHERE later IS NOT NULL;"

#endif
