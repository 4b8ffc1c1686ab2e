/*
 * main.c: every suite of the store's contract over every store: contract_store [NAME].
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "suites.h"

enum { SKIP_STATUS = 77 }; /* meson's */

static int run_suite(const struct kind *kind, const struct suite *suite)
{
    struct CMUnitTest *tests;
    char name[64];
    void *p;
    int failed;

    if (alloc_array(suite->n, sizeof(*tests), &p, NULL))
        return 1;
    tests = p;
    for (size_t i = 0; i < suite->n; i++) {
        tests[i] = suite->tests[i];
        tests[i].setup_func = ground_setup;
        tests[i].teardown_func = ground_teardown;
        tests[i].initial_state = (void *)(uintptr_t)kind;
    }
    (void)snprintf(name, sizeof(name), "%s/%s", kind->name, suite->name);
    failed = _cmocka_run_group_tests(name, tests, suite->n, NULL, NULL);
    alloc_free(tests);
    return failed;
}

int main(int argc, char **argv)
{
    static const struct suite *const suites[] = {
        &suite_put,    &suite_remove, &suite_list,      &suite_claim,  &suite_claim_cost, &suite_complete,
        &suite_doomed, &suite_doubt,  &suite_list_runs, &suite_upkeep, &suite_edges,      &suite_events,
        &suite_hand,   &suite_many,   &suite_moved,     &suite_examine};
    bool skipped = false;
    int failed = 0;

    ground_process_setup();
    for (size_t k = 0; k < kinds_n; k++) {
        if (argc > 1 && strcmp(argv[1], kinds[k]->name) != 0)
            continue;
        if (kinds[k]->available && !kinds[k]->available()) {
            (void)fprintf(stderr, "%s: not installed\n", kinds[k]->name);
            skipped = true;
            continue;
        }
        for (size_t i = 0; i < COUNT_OF(suites); i++)
            failed += run_suite(kinds[k], suites[i]);
    }
    if (failed == 0 && skipped)
        return SKIP_STATUS;
    return failed > 0;
}
