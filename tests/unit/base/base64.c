/*
 * base64.c: tests of bytes as text, and of secrets that are written so. The vectors are those of RFC
 * 4648, 10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/str.h"
#include "base/webhook_secret.h"

static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void the_vectors_of_the_rfc_are_written_and_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        CLEANUP(buf_done_p) struct buf out = {0};
        struct str bytes = str_of(vectors[i][0]);
        uint8_t read[8];
        size_t n;

        buf_init(&out, 100);
        base64_add(&out, (const uint8_t *)bytes.p, bytes.n);
        assert_string_equal(buf_cstr(&out), vectors[i][1]);
        assert_true(base64_read(str_of(vectors[i][1]), read, sizeof(read), &n));
        assert_int_equal(n, bytes.n);
        assert_memory_equal(read, bytes.p, n);
    }
}

static void all_bytes_come_back(void **state)
{
    uint8_t bytes[256];
    uint8_t read[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        CLEANUP(buf_done_p) struct buf out = {0};
        size_t got;

        buf_init(&out, 1000);
        base64_add(&out, bytes, n);
        assert_true(base64_read(buf_str(&out), read, n, &got));
        assert_int_equal(got, n);
        assert_memory_equal(read, bytes, n);
        assert_true(n == 0 || !base64_read(buf_str(&out), read, n - 1, &got));
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=",  "Zg==Zg==", "Zm9v\n", "Zm9-", "Zm9_",          "=AAA",
        "Z===", "====", "Zh==", "Zm9=",     "Zg=A",   "Z m=", "Zm9v\xc3\xa9=="};
    uint8_t read[64];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (base64_read(str_of(wrong[i]), read, sizeof(read), &n))
            fail_msg("%s was taken", wrong[i]);
    }
}

static void a_secret_has_its_prefix_and_24_to_64_bytes(void **state)
{
    static const char *const wrong[] = {
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==",
        "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    struct webhook_secret s;
    struct error err;

    (void)state;
    assert_int_equal(webhook_secret_read(STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &s, &err), ERR_NONE);
    assert_int_equal(s.n, 24);
    assert_int_equal(s.key[0], 0x31);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (!webhook_secret_read(str_of(wrong[i]), &s, &err))
            fail_msg("%s was taken", wrong[i]);
        assert_null(strstr(err.text, "MfKQ"));
        assert_non_null(strstr(err.text, "whsec_"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_are_written_and_read),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(a_secret_has_its_prefix_and_24_to_64_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
