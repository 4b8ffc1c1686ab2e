/*
 * sign.c: signatures of Standard Webhooks, alone and in requests. The first vector is that of the standard's
 * own libraries, the others were computed with Python's hmac.
 */
#include "rest_fixture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"
#include "deliver/sign.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define SIGNED "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SIGNED_BY_OTHER "v1,LZ5zuwHTqQH3VM8ERUusjzVQq1FXzemvpR8Mk7Ivp5c="

static struct signer *make(void)
{
    const struct sign_secret secrets[] = {
        {STR("one"), {STR(SECRET)}, 1},
        {STR("both"), {STR(SECRET), STR(OTHER)}, 2},
        {STR("other"), {STR(OTHER)}, 1},
    };
    struct signer *s = NULL;

    assert_int_equal(signer_new(secrets, COUNT_OF(secrets), &s, NULL), ERR_NONE);
    return s;
}

static void expect(const struct signer *s, const char *name, const char *id, int64_t at_s, const char *body,
                   const char *expected)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, 1000);
    assert_int_equal(signer_sign(s, str_of(name), str_of(id), at_s, str_of(body), &out, NULL), ERR_NONE);
    assert_string_equal(buf_cstr(&out), expected);
}

static void the_vectors_of_the_standard_hold(void **state)
{
    static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    static const char body[] = "{\"test\": 2432232314}";
    struct signer *s = make();

    (void)state;
    expect(s, "one", id, 1614265330, body, SIGNED);
    expect(s, "other", id, 1614265330, body, SIGNED_BY_OTHER);
    expect(s, "both", id, 1614265330, body, SIGNED " " SIGNED_BY_OTHER);
    expect(s, "one", "a/2026-01-01T00:00:00.5Z", 0, "", "v1,x3D+zYrzB8w0DEfy+N2/7DLP7nHuuVoaPPfK4DSaSdg=");
    signer_free(s);
}

static void a_name_that_is_not_there_signs_nothing(void **state)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    struct signer *s = make();
    struct error err;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(signer_sign(s, STR("two"), STR("id"), 0, STR(""), &out, &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "no secret named two is configured");
    assert_int_equal(signer_sign(NULL, STR("one"), STR("id"), 0, STR(""), &out, NULL), ERR_NOT_FOUND);
    assert_int_equal(out.n, 0);
    signer_free(s);
    signer_free(NULL);
}

static void every_allocation_may_fail(void **state)
{
    const struct sign_secret secrets[] = {{STR("one"), {STR(SECRET), STR(OTHER)}, 2}};
    struct signer *s = NULL;

    (void)state;
    for (uint64_t n = 1;; n++) {
        enum err e;

        alloc_test_fail_nth(n);
        e = signer_new(secrets, 1, &s, NULL);
        alloc_test_fail_nth(0);
        if (!e)
            break;
        assert_int_equal(e, ERR_MEMORY);
    }
    signer_free(s);
}

/* What the receiver would compute from what it got. */
static void assert_signed(struct fixture *f, const struct signer *s, size_t i, const char *name)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    struct http_seen seen;
    struct str id;
    struct str got;
    int64_t at_s;

    http_server_seen(f->server, i, &seen);
    id = http_header(seen.head, "webhook-id");
    got = http_header(seen.head, "webhook-signature");
    assert_true(str_to_i64(http_header(seen.head, "webhook-timestamp"), &at_s));
    assert_in_range(at_s, time(NULL) - 60, time(NULL) + 1);
    assert_true(str_eq(id, http_header(seen.head, "Idempotency-Key")));
    buf_init(&out, 1000);
    assert_int_equal(signer_sign(s, str_of(name), id, at_s, (struct str){seen.body, seen.body_n}, &out, NULL),
                     ERR_NONE);
    assert_true(str_eq(got, buf_str(&out)));
}

static void a_request_carries_the_signature_of_what_it_sends(void **state)
{
    struct signer *s = make();
    struct fixture *f = fixture_new(&(struct fixture_options){.signer = s});
    struct attempt a;
    struct http_seen seen;

    (void)state;
    attempt_init(&a, f, "/");
    attempt_header(&a, "Webhook-Signature", "v1,forged");
    attempt_header(&a, "webhook-id", "mine");
    attempt_run(&a);
    /* Not signed: they are the user's. */
    http_server_seen(f->server, 0, &seen);
    assert_true(str_eq(http_header(seen.head, "webhook-id"), STR("mine")));

    a.schedule.task.sign = STR("one");
    attempt_run(&a);
    assert_signed(f, s, 1, "one");
    http_server_seen(f->server, 1, &seen);
    assert_null(strstr(seen.head, "forged"));
    assert_null(strstr(seen.head, "mine"));
    a.schedule.task.sign = STR("both");
    a.delivery.run.attempt = 2;
    attempt_run(&a);
    assert_signed(f, s, 2, "both");
    a.schedule.task.method = STR("GET");
    attempt_run(&a);
    assert_signed(f, s, 3, "both");
    attempt_free(&a);
    fixture_free(f);
    signer_free(s);
}

static void without_its_secret_an_attempt_fails_unsent(void **state)
{
    struct fixture *f = fixture_new(&(struct fixture_options){0});
    struct attempt a;

    (void)state;
    attempt_init(&a, f, "/");
    a.schedule.task.sign = STR("gone");
    attempt_run(&a);
    assert_false(a.delivery.result.ok);
    assert_string_equal(a.delivery.result.error, "no secret named gone is configured");
    assert_int_equal(http_server_connections(f->server), 0);
    attempt_free(&a);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(a_name_that_is_not_there_signs_nothing),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_request_carries_the_signature_of_what_it_sends),
        cmocka_unit_test(without_its_secret_an_attempt_fails_unsent),
    };

    return cmocka_run_group_tests(tests, libraries_setup, libraries_teardown);
}
