/*
 * digest.c: tests of base/digest. The expected values were computed with Python's hashlib and hmac.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

static void expect_hex(const uint8_t digest[DIGEST_BYTES], const char *expected)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * DIGEST_BYTES + 1] = {0};

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = hex[digest[i] >> 4];
        text[2 * i + 1] = hex[digest[i] & 15];
    }
    assert_string_equal(text, expected);
}

static void each_part_is_preceded_by_its_length(void **state)
{
    char many[1000];
    struct str abc[] = {STR("abc")};
    struct str ab_c[] = {STR("ab"), STR("c")};
    struct str empty_and_many[] = {{NULL, 0}, {many, sizeof(many)}};
    uint8_t digest[DIGEST_BYTES];

    (void)state;
    memset(many, 'a', sizeof(many));
    assert_int_equal(digest_parts(NULL, 0, digest, NULL), ERR_NONE);
    expect_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(digest_parts(abc, 1, digest, NULL), ERR_NONE);
    expect_hex(digest, "c3494ca1a2cf8eeb8a11ded316fb55b83c3bbbedb6313cd50415251e5d09e12f");
    assert_int_equal(digest_parts(ab_c, 2, digest, NULL), ERR_NONE);
    expect_hex(digest, "601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f");
    assert_int_equal(digest_parts(empty_and_many, 2, digest, NULL), ERR_NONE);
    expect_hex(digest, "bae3174bdec36a9217143a676ad585924a98622ea1798b07929b7d76647e0684");
}

/* RFC 4231, test cases 2 and 6. */
static void hmac_agrees_with_rfc_4231(void **state)
{
    char long_key[131];
    uint8_t digest[DIGEST_BYTES];

    (void)state;
    memset(long_key, 0xaa, sizeof(long_key));
    assert_int_equal(digest_hmac(STR("Jefe"), STR("what do ya want for nothing?"), digest, NULL), ERR_NONE);
    expect_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_int_equal(digest_hmac((struct str){long_key, sizeof(long_key)},
                                 STR("Test Using Larger Than Block-Size Key - Hash Key First"), digest, NULL),
                     ERR_NONE);
    expect_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_of_parts_is_that_of_the_whole(void **state)
{
    const struct str parts[] = {STR("what do "), {NULL, 0}, STR("ya want"), STR(" for nothing?")};
    uint8_t digest[DIGEST_BYTES];

    (void)state;
    assert_int_equal(digest_hmac_parts(STR("Jefe"), parts, COUNT_OF(parts), digest, NULL), ERR_NONE);
    expect_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void hmac_of_nothing_with_no_key_is_defined(void **state)
{
    uint8_t digest[DIGEST_BYTES];

    (void)state;
    assert_int_equal(digest_hmac((struct str){NULL, 0}, (struct str){NULL, 0}, digest, NULL), ERR_NONE);
    expect_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void the_mix_is_what_it_always_was(void **state)
{
    (void)state;
    assert_true(digest_mix64((struct str){NULL, 0}, 0) == UINT64_C(0xf52a15e9a9b5e89b));
    assert_true(digest_mix64(STR("carillon"), 0) == UINT64_C(0x3bf8d56a33bf422e));
    assert_true(digest_mix64(STR("carillon"), 1) == UINT64_C(0xcce4d4f7850a10bc));
    assert_true(digest_mix64(STR("\xff\x00"), UINT64_MAX) == UINT64_C(0x50c85cf1b0e8a607));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_preceded_by_its_length),
        cmocka_unit_test(hmac_agrees_with_rfc_4231),
        cmocka_unit_test(hmac_of_parts_is_that_of_the_whole),
        cmocka_unit_test(hmac_of_nothing_with_no_key_is_defined),
        cmocka_unit_test(the_mix_is_what_it_always_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
