/* sdl.c: the service's own schema, the file named on the command line: it is one, in the form that it is
 * printed in. */
#include <fcntl.h>
#include <unistd.h>

#include "graphql_test.h"

static const char *path;

static void read_file(struct buf *out)
{
    char chunk[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(out, (struct str){chunk, (size_t)n});
    assert_int_equal(n, 0);
    assert_int_equal(close(fd), 0);
    assert_true(buf_ok(out));
}

static void the_service_s_schema_is_printed_as_it_is_written(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(buf_done_p) struct buf printed = {0};
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct error err = {0};

    (void)state;
    buf_init(&text, TEST_TEXT);
    buf_init(&printed, TEST_TEXT);
    read_file(&text);
    if (gql_schema_new(buf_str(&text), &options, &s, &err))
        fail_msg("%s:%s: %s", path, err.where, err.text);
    gql_schema_print(s, &printed);
    buf_add_char(&printed, '\n');
    assert_string_equal(buf_cstr(&printed), buf_cstr(&text));
}

/* Everything that a client may select says what it is, or its name does: types and enums have a description
 * but for the pieces of connections and results. */
static void each_field_of_the_roots_has_a_description(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct error err = {0};
    size_t bare = 0;

    (void)state;
    buf_init(&text, TEST_TEXT);
    read_file(&text);
    assert_int_equal(gql_schema_new(buf_str(&text), &options, &s, &err), ERR_NONE);
    for (size_t kind = 0; kind < COUNT_OF(s->roots); kind++) {
        assert_non_null(s->roots[kind]);
        for (size_t i = 0; i < s->roots[kind]->n_fields; i++) {
            const struct gql_field *f = &s->roots[kind]->fields[i];

            if (f->described)
                continue;
            bare++;
            print_message("%.*s.%.*s has no description\n", GQL_SHOWN(f->parent->name), GQL_SHOWN(f->name));
        }
    }
    assert_int_equal(bare, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_s_schema_is_printed_as_it_is_written),
        cmocka_unit_test(each_field_of_the_roots_has_a_description),
    };

    path = argc > 1 ? argv[1] : "";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
