/*
 * graphql_table.c: what the schema's fields ask of the API is there to be asked, and both sides' names agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "api/assets.h"
#include "api/graphql/calls.h"
#include "api/graphql/input.h"
#include "api/graphql/resolvers.h"
#include "api/graphql/words.h"
#include "api/route.h"
#include "base/str.h"

static struct gql_schema *schema;

static int build(void **state)
{
    struct error err = {0};

    (void)state;
    json_setup();
    if (gql_schema_new(asset_schema_graphql, &graphql_bindings, &schema, &err))
        fail_msg("%s: %s", err.where, err.text);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    gql_schema_free(schema);
    return 0;
}

static const struct gql_field *field_of(const struct field_call *row)
{
    const struct gql_type *t = gql_schema_type(schema, str_of(row->type));
    const struct gql_field *f = t ? gql_schema_field(schema, t, str_of(row->field)) : NULL;

    if (!f)
        fail_msg("there is no %s.%s", row->type, row->field);
    return f;
}

static const struct route *route_called(const char *id)
{
    for (size_t i = 0; i < routes_n; i++) {
        if (str_eq(str_of(routes[i].id), str_of(id)))
            return &routes[i];
    }
    fail_msg("there is no call %s", id);
    return NULL;
}

static void each_row_is_bound_and_its_call_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < field_calls_n; i++) {
        const struct field_call *row = &field_calls[i];
        const struct gql_field *f = field_of(row);

        assert_ptr_equal(f->resolve, resolve_call);
        assert_true((row->route != NULL) != (row->handle != NULL));
        assert_non_null(row->give);
        if (row->route)
            (void)route_called(row->route);
        if (row->by_id)
            (void)route_called(row->by_id);
    }
}

static void every_field_that_asks_has_a_row(void **state)
{
    static const char *const roots[] = {"Query", "Mutation"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        const struct gql_type *t = gql_schema_type(schema, str_of(roots[i]));

        for (size_t k = 0; k < t->n_fields; k++)
            assert_ptr_equal(t->fields[k].resolve, resolve_call);
    }
}

static void every_argument_goes_somewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < field_calls_n; i++) {
        const struct field_call *row = &field_calls[i];
        const struct gql_field *f = field_of(row);
        size_t n = 0;

        for (const struct argument *a = row->arguments; a->name; a++, n++) {
            if (!gql_inputs_find(&f->arguments, str_of(a->name)))
                fail_msg("%s.%s has no argument %s", row->type, row->field, a->name);
        }
        if (n != f->arguments.n)
            fail_msg("%s.%s has more arguments than its row", row->type, row->field);
    }
}

static bool takes_param(const struct route *r, struct str name)
{
    const char *names[ROUTE_PARAMS_MAX];
    size_t n = route_param_names(r, names);

    for (size_t i = 0; i < n; i++) {
        if (str_eq(str_of(names[i]), name))
            return true;
    }
    return false;
}

static void check_params(const struct field_call *row, const struct argument *a, const struct route *r)
{
    const struct gql_ref *ref = gql_inputs_find(&field_of(row)->arguments, str_of(a->name))->ref;
    char name[WORD_TEXT];

    if (a->as == GOES_PARAM && !takes_param(r, str_of(a->rest)))
        fail_msg("%s takes no parameter %s", r->id, a->rest);
    for (size_t i = 0; a->as == GOES_PARAMS && i < ref->type->inputs.n; i++) {
        if (!takes_param(r, str_of(word_member(ref->type->inputs.items[i].name, name))))
            fail_msg("%s takes no parameter %s", r->id, name);
    }
    if (a->as == GOES_VERSION)
        assert_true(r->if_match);
}

static void every_parameter_is_one_of_its_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < field_calls_n; i++) {
        const struct field_call *row = &field_calls[i];

        for (const struct argument *a = row->arguments; row->route && a->name; a++) {
            check_params(row, a, route_called(row->route));
            if (row->by_id)
                check_params(row, a, route_called(row->by_id));
        }
    }
}

/* Enums that only answers have are spelled by the calls that make them. */
static bool is_told_only(struct str type)
{
    return str_eq(type, STR("PreviewNote")) || str_eq(type, STR("InstanceRole")) ||
           str_eq(type, STR("MissedReason")) || str_eq(type, STR("__TypeKind")) ||
           str_eq(type, STR("__DirectiveLocation"));
}

static void every_value_of_an_enum_has_a_word_and_comes_back(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < schema->n_types; i++) {
        const struct gql_type *t = schema->types[i];

        for (size_t k = 0; t->kind == GQL_ENUM && !is_told_only(t->name) && k < t->n_values; k++) {
            const char *word = word_value(t->values[k].name);

            if (!word)
                fail_msg("nothing is called %s", t->values[k].name.p);
            assert_ptr_equal(word_enum(t, str_of(word)), &t->values[k]);
            n++;
        }
    }
    assert_true(n >= 50);
    assert_string_equal(word_value(STR("DELAY_RECUR")), "delay-recur");
    assert_string_equal(word_value(STR("RETRY_DLQ")), "retry_dlq");
    assert_null(word_value(STR("NOTHING")));
    assert_null(word_enum(gql_schema_type(schema, STR("RunState")), STR("nothing")));
    assert_null(word_enum(gql_schema_type(schema, STR("RunState")), STR("DEAD")));
}

static const struct gql_ref *input_type(const char *name)
{
    return &gql_schema_type(schema, str_of(name))->ref;
}

static json_t *parsed(const char *text)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    json_t *v = NULL;
    struct error err;

    buf_init(&b, 4096);
    for (; *text; text++)
        buf_add_char(&b, *text == '\'' ? '"' : *text);
    if (json_parse(buf_str(&b), 64, &v, &err))
        fail_msg("%s: %s", err.where, err.text);
    return v;
}

static void assert_rest(const char *type, const char *value, const char *wanted)
{
    CLEANUP(json_free_p) json_t *in = parsed(value);
    CLEANUP(json_free_p) json_t *is = NULL;
    CLEANUP(json_free_p) json_t *should = parsed(wanted);
    struct error err;

    assert_int_equal(input_to_rest(in, input_type(type), &is, &err), ERR_NONE);
    assert_true(json_equal(is, should));
}

static void names_are_converted_but_not_in_what_is_anybodys(void **state)
{
    (void)state;
    assert_rest("ScheduleInput",
                "{'name':'n','type':'DELAY_RECUR','maxRuns':2,'task':{'type':'REST','retryWait':1.5,"
                "'failedPolicy':'RETRY_DLQ','data':{'aB':[{'cD':null}]},'connection':{'host':'h','headers':"
                "{'X-aB':'NOW'},'tlsInsecure':true}}}",
                "{'name':'n','type':'delay-recur','max_runs':2,'task':{'type':'rest','retry_wait':1.5,"
                "'failed_policy':'retry_dlq','data':{'aB':[{'cD':null}]},'connection':{'host':'h','headers':"
                "{'X-aB':'NOW'},'tls':{'insecure':true}}}}");
}

static void null_is_absence_but_in_what_is_anybodys(void **state)
{
    (void)state;
    assert_rest("TaskInput",
                "{'type':'REDIS','connection':{'host':'h','mode':'STREAM','topic':null},'data':null,"
                "'retryWait':null}",
                "{'type':'redis','connection':{'host':'h','mode':'stream'},'data':null}");
}

static void faults_speak_of_the_arguments(void **state)
{
    static const char *const texts[][2] = {
        {"must not be less than retry_wait", "must not be less than retryWait"},
        {"lies before start_at", "lies before startAt"},
        {"must be one of sasl_plaintext and sasl_ssl", "must be one of sasl_plaintext and sasl_ssl"},
        {"must name runs: by `ids`, by `schedule_id`, or all by \"state\": \"dead\"",
         "must name runs: by `ids`, by `scheduleId`, or `all`"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(buf_done_p) struct buf out = {0};

        buf_init(&out, 1024);
        word_detail(str_of(texts[i][0]), &out);
        assert_string_equal(buf_cstr(&out), texts[i][1]);
    }
}

static void assert_pointer(const char *type, const char *pointer, const char *wanted)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    buf_init(&out, 1024);
    input_pointer(str_of(pointer), input_type(type), &out);
    assert_string_equal(buf_cstr(&out), wanted);
}

static void places_of_faults_are_told_by_the_arguments_names(void **state)
{
    (void)state;
    assert_pointer("ScheduleInput", "", "");
    assert_pointer("ScheduleInput", "/start_at", "/startAt");
    assert_pointer("ScheduleInput", "/task/retry_wait_max", "/task/retryWaitMax");
    assert_pointer("ScheduleInput", "/task/connection/tls/insecure", "/task/connection/tlsInsecure");
    assert_pointer("ScheduleInput", "/task/connection/tls", "/task/connection/tlsInsecure");
    assert_pointer("ScheduleInput", "/task/connection/headers/retry_wait",
                   "/task/connection/headers/retry_wait");
    assert_pointer("ScheduleInput", "/task/data/a_b/0", "/task/data/a_b/0");
    assert_pointer("ScheduleInput", "/no_such/thing_at_all", "/no_such/thing_at_all");
    assert_pointer("ScheduleInput", "/", "/");
    assert_pointer("ScheduleInput", "//task", "//task");
    assert_pointer("ScheduleInput", "no pointer", "no pointer");
    assert_pointer("RedriveInput", "/schedule_id", "/scheduleId");
    assert_pointer("RedriveInput", "/ids/12", "/ids/12");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_bound_and_its_call_is_there),
        cmocka_unit_test(every_field_that_asks_has_a_row),
        cmocka_unit_test(every_argument_goes_somewhere),
        cmocka_unit_test(every_parameter_is_one_of_its_call),
        cmocka_unit_test(every_value_of_an_enum_has_a_word_and_comes_back),
        cmocka_unit_test(names_are_converted_but_not_in_what_is_anybodys),
        cmocka_unit_test(null_is_absence_but_in_what_is_anybodys),
        cmocka_unit_test(faults_speak_of_the_arguments),
        cmocka_unit_test(places_of_faults_are_told_by_the_arguments_names),
    };

    return cmocka_run_group_tests(tests, build, drop);
}
