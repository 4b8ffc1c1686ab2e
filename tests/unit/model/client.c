/*
 * client.c: tests of a schedule's identity.
 */
#include "model_fixture.h"

#include <string.h>

static struct client_hash hash_of(const struct client *c)
{
    struct client_hash h;

    assert_int_equal(client_hash(c, &h, NULL), ERR_NONE);
    return h;
}

static void members_that_contain_commas_never_collide(void **state)
{
    const struct client clients[] = {
        {STR("a,b"), STR("c"), STR(""), STR(""), STR("")},
        {STR("a"), STR("b,c"), STR(""), STR(""), STR("")},
        {STR("a"), STR("b"), STR("c"), STR(""), STR("")},
        {STR("a,b,c"), STR(""), STR(""), STR(""), STR("")},
        {STR(""), STR("a,b,c"), STR(""), STR(""), STR("")},
        {STR(",a,b,c"), STR(""), STR(""), STR(""), STR("")},
        {STR(""), STR(""), STR(""), STR(""), STR("")},
        {STR(","), STR(""), STR(""), STR(""), STR("")},
        {STR(""), STR(","), STR(""), STR(""), STR("")},
        {STR("abc"), STR(""), STR(""), STR(""), STR("")},
        {STR("ab"), STR("c"), STR(""), STR(""), STR("")},
        {STR(""), STR("abc"), STR(""), STR(""), STR("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        for (size_t k = 0; k < COUNT_OF(clients); k++) {
            struct client_hash a = hash_of(&clients[i]);
            struct client_hash b = hash_of(&clients[k]);

            assert_int_equal(memcmp(&a, &b, sizeof(a)) == 0, i == k);
            assert_int_equal(client_eq(&clients[i], &clients[k]), i == k);
        }
    }
}

static void each_member_is_part_of_the_identity(void **state)
{
    struct client base = {STR("o"), STR("a"), STR("g"), STR("k"), STR("t")};
    struct client_hash own = hash_of(&base);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct client c = base;
        struct str *members[] = {&c.operation, &c.application, &c.group, &c.key, &c.type};
        struct client_hash other;

        *members[i] = STR("다름");
        other = hash_of(&c);
        assert_memory_not_equal(&own, &other, sizeof(own));
        assert_false(client_eq(&base, &c));
    }
}

static void the_hash_is_the_same_for_ever(void **state)
{
    const struct client c = {STR("op#1"), STR("chef"), STR("system"), STR("12345678"), STR("scheduler")};
    struct client_hash h = hash_of(&c);
    char text[2 * CLIENT_HASH_BYTES + 1] = "";
    static const char hex[] = "0123456789abcdef";

    (void)state;
    for (size_t i = 0; i < CLIENT_HASH_BYTES; i++) {
        text[2 * i] = hex[h.b[i] >> 4];
        text[2 * i + 1] = hex[h.b[i] & 15];
    }
    /* SHA-256 over the five members, each behind its length in 8 bytes: python3 -c 'hashlib...', first 16
     * bytes. */
    assert_string_equal(text, "af8dabcfdd49a2d8dc4f8c7f02e03a3c");
}

static void a_decoded_schedule_carries_its_hash_whatever_the_order_of_members(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *a = fixture_with("\"type\":\"now\",\"client\":{\"key\":\"k\",\"group\":\"g\"}");
    CLEANUP(schedule_unref_p)
    struct schedule *b =
        fixture_with("\"client\":{\"group\":\"g\",\"operation\":\"\",\"key\":\"k\"},\"type\":\"now\"");
    struct client_hash own = hash_of(&a->client);

    (void)state;
    assert_memory_equal(&a->hash, &b->hash, sizeof(a->hash));
    assert_memory_equal(&a->hash, &own, sizeof(own));
    assert_true(client_eq(&a->client, &b->client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_that_contain_commas_never_collide),
        cmocka_unit_test(each_member_is_part_of_the_identity),
        cmocka_unit_test(the_hash_is_the_same_for_ever),
        cmocka_unit_test(a_decoded_schedule_carries_its_hash_whatever_the_order_of_members),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
