/*
 * suites.h: the parts of the contract, a file each.
 */
#ifndef TEST_CONTRACT_SUITES_H
#define TEST_CONTRACT_SUITES_H

#include "ground.h"

struct suite {
    const char *name;
    const struct CMUnitTest *tests;
    size_t n;
};

extern const struct suite suite_put;
extern const struct suite suite_remove;
extern const struct suite suite_list;
extern const struct suite suite_claim;
extern const struct suite suite_claim_cost;
extern const struct suite suite_complete;
extern const struct suite suite_doomed;
extern const struct suite suite_doubt;
extern const struct suite suite_list_runs;
extern const struct suite suite_upkeep;
extern const struct suite suite_edges;
extern const struct suite suite_events;
extern const struct suite suite_hand;
extern const struct suite suite_many;
extern const struct suite suite_moved;
extern const struct suite suite_examine;

#define SUITE(title, array) const struct suite suite_##title = {#title, array, COUNT_OF(array)}

#endif
