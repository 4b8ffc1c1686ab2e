/*
 * claim_cache.c: what it remembers, what it forgets, and that it holds its references.
 */
#include "store/claim_cache.h"
#include "ground.h"

static struct uuid id_of(uint8_t n)
{
    return (struct uuid){{n, 1}};
}

static bool holds(struct claim_cache *c, uint8_t n, int64_t version)
{
    struct schedule *s = claim_cache_get(c, id_of(n), version);
    bool there = s != NULL;

    schedule_unref(s);
    return there;
}

static void a_definition_is_remembered_by_id_and_version(void **state)
{
    struct ground *g = *state;
    CLEANUP(claim_cache_free_p) struct claim_cache *c = claim_cache_new(3);
    struct schedule *s = define(g, "k", "\"type\":\"now\"");

    claim_cache_put(c, id_of(1), 1, s, 100);
    schedule_unref(s); /* the cache has its own reference */
    assert_true(holds(c, 1, 1));
    assert_false(holds(c, 1, 2));
    assert_false(holds(c, 2, 1));
}

static void a_newer_version_takes_the_place_of_the_older(void **state)
{
    struct ground *g = *state;
    CLEANUP(claim_cache_free_p) struct claim_cache *c = claim_cache_new(3);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"now\"");

    claim_cache_put(c, id_of(1), 1, s, 100);
    claim_cache_put(c, id_of(1), 2, s, 100);
    assert_false(holds(c, 1, 1));
    assert_true(holds(c, 1, 2));
}

static void what_is_used_stays_when_others_must_go(void **state)
{
    struct ground *g = *state;
    CLEANUP(claim_cache_free_p) struct claim_cache *c = claim_cache_new(4);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"now\"");
    size_t held = 0;

    for (uint8_t i = 0; i < 100; i++) {
        claim_cache_put(c, id_of(i), 1, s, 100);
        assert_true(i == 0 || holds(c, 0, 1)); /* asked for again and again */
    }
    for (uint8_t i = 0; i < 100; i++)
        held += holds(c, i, 1);
    assert_int_equal(held, 4);
}

static void what_it_holds_is_bounded_by_bytes(void **state)
{
    struct ground *g = *state;
    CLEANUP(claim_cache_free_p) struct claim_cache *c = claim_cache_new(100000);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"now\"");

    for (unsigned i = 0; i < 3000; i++) {
        struct uuid id = {{1, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};

        claim_cache_put(c, id, 1, s, (size_t)i % 20000);
        assert_true(claim_cache_bytes(c) <= CLAIM_CACHE_BYTES);
    }
    assert_true(claim_cache_bytes(c) > CLAIM_CACHE_BYTES / 2);
}

static void a_large_definition_drives_nobody_out(void **state)
{
    struct ground *g = *state;
    CLEANUP(claim_cache_free_p) struct claim_cache *c = claim_cache_new(100);
    CLEANUP(schedule_unref_p) struct schedule *s = define(g, "k", "\"type\":\"now\"");

    claim_cache_put(c, id_of(1), 1, s, 100);
    claim_cache_put(c, id_of(2), 1, s, 100);
    claim_cache_put(c, id_of(2), 2, s, 1 << 20);
    assert_true(holds(c, 1, 1));
    assert_false(holds(c, 2, 1));
    assert_false(holds(c, 2, 2));
}

int main(void)
{
#define SENTENCE(f)                                                                                          \
    {                                                                                                        \
#f, f, ground_setup, ground_teardown, (void *)(uintptr_t)kinds[1]                                    \
    }
    const struct CMUnitTest tests[] = {
        SENTENCE(a_definition_is_remembered_by_id_and_version),
        SENTENCE(a_newer_version_takes_the_place_of_the_older),
        SENTENCE(what_it_holds_is_bounded_by_bytes),
        SENTENCE(a_large_definition_drives_nobody_out),
        SENTENCE(what_is_used_stays_when_others_must_go),
    };

    ground_process_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
