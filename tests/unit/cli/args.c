/*
 * args.c: the forms an option may have, and that every command of the table can be parsed and shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/command.h"

static const struct command sample = {
    .name = "sample",
    .words = "WORD",
    .words_min = 1,
    .words_max = 2,
    .options = {{"count", 'n', "N", ""}, {"json", 0, NULL, ""}, {"from", 0, "T", ""}},
};

static bool parse(struct args *ret, const char *a, const char *b, const char *c, const char *d)
{
    const char *given[] = {a, b, c, d};
    char *argv[4];
    int argc = 0;

    while (argc < 4 && given[argc]) {
        argv[argc] = (char *)(uintptr_t)given[argc];
        argc++;
    }
    return args_parse(&sample, argc, argv, 0, ret);
}

static void a_value_stands_behind_a_blank_or_an_equals_sign(void **state)
{
    struct args a;

    (void)state;
    assert_true(parse(&a, "w", "--count", "5", NULL));
    assert_string_equal(args_value(&sample, &a, "count"), "5");
    assert_true(parse(&a, "--count=5", "w", NULL, NULL));
    assert_string_equal(args_value(&sample, &a, "count"), "5");
    assert_true(parse(&a, "--from=a=b", "w", NULL, NULL));
    assert_string_equal(args_value(&sample, &a, "from"), "a=b");
    assert_true(parse(&a, "--from=", "w", NULL, NULL));
    assert_string_equal(args_value(&sample, &a, "from"), "");
}

static void a_letter_takes_its_value_joined_or_apart(void **state)
{
    struct args a;

    (void)state;
    assert_true(parse(&a, "-n", "5", "w", NULL));
    assert_string_equal(args_value(&sample, &a, "count"), "5");
    assert_true(parse(&a, "-n5", "w", NULL, NULL));
    assert_string_equal(args_value(&sample, &a, "count"), "5");
}

static void what_was_not_given_is_null(void **state)
{
    struct args a;

    (void)state;
    assert_true(parse(&a, "w", "--json", NULL, NULL));
    assert_null(args_value(&sample, &a, "count"));
    assert_non_null(args_value(&sample, &a, "json"));
}

static void a_dash_is_a_word_and_two_end_the_options(void **state)
{
    struct args a;

    (void)state;
    assert_true(parse(&a, "-", "--", "--json", NULL));
    assert_int_equal(a.words_n, 2);
    assert_string_equal(a.words[0], "-");
    assert_string_equal(a.words[1], "--json");
    assert_null(args_value(&sample, &a, "json"));
}

static void mistakes_are_refused(void **state)
{
    struct args a;

    (void)state;
    assert_false(parse(&a, NULL, NULL, NULL, NULL));      /* no word */
    assert_false(parse(&a, "1", "2", "3", NULL));         /* too many */
    assert_false(parse(&a, "w", "--count", NULL, NULL));  /* no value */
    assert_false(parse(&a, "w", "--json=1", NULL, NULL)); /* a value too many */
    assert_false(parse(&a, "w", "--coun", "5", NULL));    /* no abbreviations: they break with new options */
    assert_false(parse(&a, "w", "-x", NULL, NULL));       /* unknown letter */
    assert_false(parse(&a, "w", "--json", "--json", NULL)); /* twice */
}

static void every_command_has_all_that_its_page_needs(void **state)
{
    (void)state;
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        CLEANUP(buf_done_p) struct buf page = {0};

        assert_non_null(c->run);
        assert_true(c->about[0] != '\0' && c->description[0] != '\0' && c->examples[0] != '\0');
        assert_true((c->words[0] != '\0') == (c->words_max > 0));
        buf_init(&page, 65536);
        help_command(c, &page);
        assert_true(buf_ok(&page));
        for (const struct option *o = c->options; o->name; o++)
            assert_non_null(strstr(buf_cstr(&page), o->name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_stands_behind_a_blank_or_an_equals_sign),
        cmocka_unit_test(a_letter_takes_its_value_joined_or_apart),
        cmocka_unit_test(what_was_not_given_is_null),
        cmocka_unit_test(a_dash_is_a_word_and_two_end_the_options),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(every_command_has_all_that_its_page_needs),
    };

    return cmocka_run_group_tests_name("cli/args", tests, NULL, NULL);
}
