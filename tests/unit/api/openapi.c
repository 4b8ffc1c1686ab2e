/*
 * openapi.c: the document is whole, tells every call that works, and points only to what is in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "api/route.h"
#include "api/schema.h"
#include "base/json.h"
#include "base/str.h"

static json_t *doc;

static int read_document(void **state)
{
    struct buf b;
    struct error err;

    (void)state;
    buf_init(&b, 1024 * 1024);
    MUST(api_openapi("1.2.3", &b, &err) == ERR_NONE);
    if (json_parse(buf_str(&b), JSON_DEPTH_MAX, &doc, &err)) {
        print_error("%s at %s\n", err.text, err.where);
        return -1;
    }
    buf_done(&b);
    return 0;
}

static int free_document(void **state)
{
    (void)state;
    json_free(doc);
    return 0;
}

static json_t *operation_of(const struct route *r)
{
    char method[16];

    for (size_t i = 0; i <= strlen(method_name(r->method)); i++)
        method[i] = (char)(method_name(r->method)[i] | 0x20);
    method[strlen(method_name(r->method))] = '\0';
    return json_object_get(json_object_get(json_object_get(doc, "paths"), r->path), method);
}

static void every_call_that_works_is_told_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_n; i++) {
        const json_t *o = operation_of(&routes[i]);

        if (routes[i].hidden) {
            assert_null(o);
            continue;
        }
        assert_non_null(o);
        assert_string_equal(json_string_value(json_object_get(o, "operationId")), routes[i].id);
        assert_non_null(json_object_get(o, "summary"));
        assert_true(json_object_size(json_object_get(o, "responses")) >= 2);
    }
}

static void operation_ids_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_n; i++) {
        for (size_t j = i + 1; j < routes_n; j++) {
            if (!routes[i].hidden)
                assert_string_not_equal(routes[i].id, routes[j].id);
        }
    }
}

static bool parameter_is_told(const json_t *o, const char *name)
{
    const json_t *list = json_object_get(o, "parameters");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *own = json_object_get(json_array_get(list, i), "name");

        if (own && strcmp(json_string_value(own), name) == 0)
            return true;
    }
    return false;
}

static void every_query_parameter_is_told(void **state)
{
    const char *names[ROUTE_PARAMS_MAX];

    (void)state;
    for (size_t i = 0; i < routes_n; i++) {
        size_t n = routes[i].hidden ? 0 : route_param_names(&routes[i], names);

        for (size_t p = 0; p < n; p++)
            assert_true(parameter_is_told(operation_of(&routes[i]), names[p]));
    }
}

/* "#/components/schemas/Run" leads somewhere. */
static void assert_leads_somewhere(const char *ref)
{
    struct str rest = str_of(ref);
    struct str part;
    json_t *at = doc;

    assert_true(str_cut(&rest, '/', &part) && str_eq(part, STR("#")));
    while (str_cut(&rest, '/', &part))
        at = json_object_getn(at, part.p, part.n);
    if (!at)
        fail_msg("nothing at %s", ref);
}

static void check_refs(json_t *v, size_t depth, size_t *n)
{
    const char *name;
    json_t *member;
    size_t i;

    assert_true(depth < JSON_DEPTH_MAX);
    json_object_foreach(v, name, member)
    {
        if (strcmp(name, "$ref") == 0) {
            assert_leads_somewhere(json_string_value(member));
            (*n)++;
        }
        check_refs(member, depth + 1, n);
    }
    json_array_foreach(v, i, member) check_refs(member, depth + 1, n);
}

static void every_reference_leads_somewhere(void **state)
{
    size_t n = 0;

    (void)state;
    check_refs(doc, 0, &n);
    assert_true(n > 50);
}

static void examples_have_only_members_of_their_schema_and_all_required_ones(void **state)
{
    const json_t *all = json_object_get(json_object_get(doc, "components"), "schemas");

    (void)state;
    for (size_t i = 0; i < schemas_n; i++) {
        const json_t *s = json_object_get(all, schemas[i]->name);
        json_t *example = json_array_get(json_object_get(s, "examples"), 0);
        const json_t *required = json_object_get(s, "required");
        const char *name;
        json_t *v;

        assert_non_null(s);
        if (!example)
            continue;
        json_object_foreach(example, name, v)
        {
            if (!json_object_get(json_object_get(s, "properties"), name))
                fail_msg("%s has no member %s", schemas[i]->name, name);
        }
        for (size_t r = 0; r < json_array_size(required); r++)
            assert_non_null(json_object_get(example, json_string_value(json_array_get(required, r))));
    }
}

static void the_words_of_an_enum_are_those_that_the_decoder_knows(void **state)
{
    const json_t *all = json_object_get(json_object_get(doc, "components"), "schemas");
    const json_t *types = json_object_get(
        json_object_get(json_object_get(json_object_get(all, "Definition"), "properties"), "type"), "enum");

    (void)state;
    assert_int_equal(json_array_size(types), SCHEDULE_CRON + 1);
    for (size_t i = 0; i < json_array_size(types); i++)
        assert_string_equal(json_string_value(json_array_get(types, i)),
                            schedule_type_name((enum schedule_type)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_that_works_is_told_and_no_other),
        cmocka_unit_test(operation_ids_are_unique),
        cmocka_unit_test(every_query_parameter_is_told),
        cmocka_unit_test(every_reference_leads_somewhere),
        cmocka_unit_test(examples_have_only_members_of_their_schema_and_all_required_ones),
        cmocka_unit_test(the_words_of_an_enum_are_those_that_the_decoder_knows),
    };

    return cmocka_run_group_tests(tests, read_document, free_document);
}
