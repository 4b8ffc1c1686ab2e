/* execute.c: what a document asks is answered, in batches, at once or later, with errors in their places. */
#include "graphql/execute.h"

#include <pthread.h>

#include "base/queue.h"
#include "graphql/coerce.h"
#include "graphql_test.h"

struct bench {
    struct gql_schema *schema;
    const json_t *data;
    size_t calls;
    size_t wakes;
    bool later;    /* every field is answered later */
    enum err code; /* what FAIL fails with */
    struct gql_call *waiting[32];
    size_t n_waiting;
    char order[256]; /* the names of the fields asked */
    bool wanted;
};

static enum gql_progress resolve_now(struct gql_call *call)
{
    const struct bench *b = call->context;

    for (size_t i = 0; i < call->n; i++) {
        const json_t *v = json_object_getn(call->objects[i], call->field->name.p, call->field->name.n);

        call->values[i] = v ? gql_json(v) : gql_null();
        if (json_is_string(v) && strcmp(json_string_value(v), "FAIL") == 0) {
            struct error err;

            (void)error_set(&err, b->code, "/there", "it failed");
            call->values[i] = gql_error(call->execution, &err);
        }
        if (json_is_string(v) && strcmp(json_string_value(v), "REFUSE") == 0) {
            CLEANUP(json_free_p) json_t *extensions = json_pack("{s:s,s:[i,i]}", "code", "own", "at", 1, 2);

            call->values[i] = gql_failed(call->execution, STR("it was refused"), extensions);
        }
    }
    return GQL_ANSWERED;
}

static enum gql_progress resolve(struct gql_call *call)
{
    struct bench *b = call->context;

    b->calls++;
    (void)snprintf(b->order + strlen(b->order), sizeof(b->order) - strlen(b->order), "%.*s ",
                   GQL_SHOWN(call->field->name));
    if (str_eq(call->field->name, STR("dog")))
        b->wanted = gql_wants(call, "nick");
    if (!b->later)
        return resolve_now(call);
    call->resume = resolve_now;
    b->waiting[b->n_waiting++] = call;
    return GQL_LATER;
}

static void wake(void *arg)
{
    ((struct bench *)arg)->wakes++;
}

/* A JSON value of a text written with apostrophes. */
static json_t *json(const char *text)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    json_t *v = NULL;
    struct error err;

    buf_init(&b, TEST_TEXT);
    for (; *text; text++)
        buf_add_char(&b, *text == '\'' ? '"' : *text);
    if (json_parse(buf_str(&b), 64, &v, &err))
        fail_msg("%s: %s", err.where, err.text);
    return v;
}

struct run {
    struct arena arena;
    struct gql_faults faults;
    struct gql_options options;
};

static void prepare(struct run *r, struct bench *b, const char *text, const json_t *variables)
{
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    struct error err = {0};

    arena_init(&r->arena, TEST_MEMORY);
    gql_faults_init(&r->faults, &r->arena, STR(""), 10);
    r->options = (struct gql_options){.schema = b->schema,
                                      .root = b->data,
                                      .context = b,
                                      .wake = wake,
                                      .wake_arg = b,
                                      .memory = TEST_MEMORY,
                                      .errors = 10};
    r->options.document = gql_parse(str_of(text), &limits, &r->arena, &r->faults);
    if (!r->options.document ||
        !gql_validate(b->schema, r->options.document, &GQL_LIMITS, &r->arena, &r->faults))
        fail_msg("%s: %s", text, r->faults.first->message.p);
    r->options.operation = r->options.document->operations;
    assert_true(gql_coerce_variables(b->schema, r->options.operation, variables, &r->options.variables,
                                     &r->faults, &err));
}

static void done(struct run *r)
{
    json_free(r->options.variables);
    arena_done(&r->arena);
}

static void drive(struct bench *b, struct gql_execution *x)
{
    while (gql_execution_step(x) == GQL_WAITING) {
        assert_true(b->n_waiting > 0);
        while (b->n_waiting > 0)
            gql_call_done(b->waiting[--b->n_waiting]);
    }
}

/* The response to a text over data, both with apostrophes for quotes, compared with what it should be. */
static void assert_answer(struct bench *b, const char *data, const char *text, const char *variables,
                          const char *answer)
{
    CLEANUP(json_free_p) json_t *root = json(data);
    CLEANUP(json_free_p) json_t *given = json(variables);
    CLEANUP(json_free_p) json_t *wanted = json(answer);
    CLEANUP(json_free_p) json_t *is = NULL;
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct run r;
    struct error err = {0};

    b->data = root;
    b->order[0] = '\0';
    b->calls = 0;
    prepare(&r, b, text, given);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    drive(b, x);
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_int_equal(json_parse(buf_str(&out), 64, &is, &err), ERR_NONE);
    if (!json_equal(is, wanted))
        fail_msg("%s\n  is %s\n not %s", text, buf_cstr(&out), answer);
    done(&r);
}

static int open_bench(void **state)
{
    static struct bench b;

    b = (struct bench){.schema = test_schema(resolve), .code = ERR_BUSY};
    *state = &b;
    return 0;
}

static int close_bench(void **state)
{
    gql_schema_free(((struct bench *)*state)->schema);
    return 0;
}

static void fields_are_answered_in_the_order_of_the_document(void **state)
{
    CLEANUP(json_free_p) json_t *root = json("{'count':1,'dog':{'name':'Rex','barks':true}}");
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct bench *b = *state;
    struct run r;
    struct error err = {0};

    b->data = root;
    prepare(&r, b, "{ z: count dog { ...F name } a: count } fragment F on Dog { barks x: __typename name }",
            NULL);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    drive(b, x);
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_string_equal(
        buf_cstr(&out),
        "{\"data\":{\"z\":1,\"dog\":{\"barks\":true,\"x\":\"Dog\",\"name\":\"Rex\"},\"a\":1}}");
    done(&r);
}

#define TWO_PETS                                                                                             \
    "{'pets':[{'__typename':'Dog','name':'Rex','owner':{'id':1,'name':'Ann'}},{'__typename':'Cat','name':'"  \
    "Tom'},{'__typename':'Dog','name':'Bo','owner':{'id':2,'name':'Ben'}}]}"

static void a_nested_list_costs_one_call_a_field_and_type(void **state)
{
    struct bench *b = *state;

    assert_answer(b, TWO_PETS, "{ pets { ... on Animal { name } ... on Dog { owner { id name } } } }", "{}",
                  "{'data':{'pets':[{'name':'Rex','owner':{'id':'1','name':'Ann'}},{'name':'Tom'},{'name':'"
                  "Bo','owner':{"
                  "'id':'2','name':'Ben'}}]}}");
    /* pets; name of dogs and of cats; owner; id and name of both owners */
    assert_int_equal(b->calls, 6);
}

static void what_is_answered_later_gives_the_same(void **state)
{
    struct bench *b = *state;

    b->later = true;
    assert_answer(b, TWO_PETS, "{ pets { ... on Animal { name } ... on Dog { owner { id name } } } }", "{}",
                  "{'data':{'pets':[{'name':'Rex','owner':{'id':'1','name':'Ann'}},{'name':'Tom'},{'name':'"
                  "Bo','owner':{"
                  "'id':'2','name':'Ben'}}]}}");
    b->later = false;
    assert_true(b->wakes > 0);
}

static void null_climbs_to_what_may_be_null(void **state)
{
    struct bench *b = *state;

    /* [Pet!] is nulled by its item; Human.pets is [Pet!]!, so the human goes too */
    assert_answer(
        b, "{'human':{'id':1,'pets':[{'__typename':'Dog','name':null}]},'dog':{'name':'Rex'}}",
        "{ human(id: 1) { id pets { ... on Dog { name } } } dog { name } }", "{}",
        "{'errors':[{'message':'The field Dog.name may not be null, but was answered "
        "so.','locations':[{'line':"
        "1,'column':41}],'path':['human','pets',0,'name']}],'data':{'human':null,'dog':{'name':'Rex'}}}");
    assert_answer(
        b, "{'animals':[{'__typename':'Dog','name':'FAIL'},{'__typename':'Cat','name':'Tom'},null]}",
        "{ animals { name } }", "{}",
        "{'errors':[{'message':'it failed','locations':[{'line':1,'column':13}],'path':['animals',0,'name'],"
        "'extensions':{'code':'busy','pointer':'/there'}}],'data':{'animals':[null,{'name':'Tom'},null]}}");
    assert_answer(
        b, "{'count':1}", "{ count broken }", "{}",
        "{'errors':[{'message':'The field Query.broken may not be null, but was answered so.','locations':[{"
        "'line':1,'column':9}],'path':['broken']}],'data':null}");
}

static void a_place_is_nulled_by_one_error_alone(void **state)
{
    struct bench *b = *state;

    assert_answer(
        b, "{'dog':{'name':'FAIL','barks':'FAIL'}}", "{ dog { name barks } }", "{}",
        "{'errors':[{'message':'it failed','locations':[{'line':1,'column':9}],'path':['dog','name'],"
        "'extensions':{'code':'busy','pointer':'/there'}}],'data':{'dog':null}}");
}

static void a_code_is_one_word(void **state)
{
    static const struct {
        enum err code;
        const char *word;
    } codes[] = {{ERR_TOO_LARGE, "too_large"}, {ERR_NOT_FOUND, "not_found"}, {ERR_INVALID, "invalid"}};
    struct bench *b = *state;

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char answer[256];

        b->code = codes[i].code;
        (void)snprintf(
            answer, sizeof(answer),
            "{'errors':[{'message':'it failed','locations':[{'line':1,'column':9}],'path':['dog',"
            "'nick'],'extensions':{'code':'%s','pointer':'/there'}}],'data':{'dog':{'nick':null}}}",
            codes[i].word);
        assert_answer(b, "{'dog':{'nick':'FAIL'}}", "{ dog { nick } }", "{}", answer);
    }
}

static void an_error_may_have_extensions_of_its_own(void **state)
{
    struct bench *b = *state;

    assert_answer(b, "{'dog':{'nick':'REFUSE'}}", "{ dog { nick } }", "{}",
                  "{'errors':[{'message':'it was refused','locations':[{'line':1,'column':9}],'path':['dog',"
                  "'nick'],'extensions':{'code':'own','at':[1,2]}}],'data':{'dog':{'nick':null}}}");
}

static void memory_taken_elsewhere_counts(void **state)
{
    CLEANUP(json_free_p) json_t *root = json("{'dog':{'name':'Rex'}}");
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct bench *b = *state;
    struct run r;
    struct error err = {0};

    b->data = root;
    prepare(&r, b, "{ dog { name } }", NULL);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    assert_false(gql_charge(x, TEST_MEMORY));
    assert_false(gql_charge(x, SIZE_MAX));
    /* What was refused was not counted. */
    assert_true(gql_charge(x, TEST_MEMORY - 4096));
    assert_false(gql_charge(x, 4096));
    gql_discharge(x, 8192);
    assert_true(gql_charge(x, 8192));
    drive(b, x);
    assert_true(gql_execution_ok(x));
    assert_true(gql_charge(x, 16));
    assert_null(gql_alloc(x, 4096));
    assert_false(gql_execution_ok(x));
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_non_null(strstr(buf_cstr(&out), "\"data\":null"));
    done(&r);
}

static void wrong_answers_are_errors_not_data(void **state)
{
    static const struct {
        const char *data;
        const char *text;
        const char *says;
    } cases[] = {
        {"{'dog':{'nick':5}}", "{ dog { nick } }", "a String must be a string"},
        {"{'dog':{'nick':{}}}", "{ dog { nick } }", "a String must be a string"},
        {"{'dog':1}", "{ dog { nick } }", "no object"},
        {"{'pets':{}}", "{ pets { __typename } }", "no list"},
        {"{'pets':[{'__typename':'Human'}]}", "{ pets { __typename } }", "of a type that it cannot have"},
        {"{'pets':[{}]}", "{ pets { __typename } }", "of a type that it cannot have"},
        {"{'count':2147483648}", "{ count }", "32 bits"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(json_free_p) json_t *root = json(cases[i].data);
        CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
        CLEANUP(buf_done_p) struct buf out = {0};
        struct run r;
        struct error err = {0};

        b->data = root;
        prepare(&r, b, cases[i].text, NULL);
        assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
        drive(b, x);
        buf_init(&out, TEST_TEXT);
        gql_execution_write(x, &out);
        if (!strstr(buf_cstr(&out), cases[i].says))
            fail_msg("%s: %s", cases[i].text, buf_cstr(&out));
        done(&r);
    }
}

static void skip_and_include_decide_by_variables(void **state)
{
    static const char text[] =
        "query($a: Boolean!, $b: Boolean = true) { x: count @skip(if: $a) y: count @include(if: $b) "
        "... @include(if: $a) { z: count } ...F @skip(if: $b) } fragment F on Query { w: count }";
    struct bench *b = *state;

    assert_answer(b, "{'count':1}", text, "{'a':true}", "{'data':{'y':1,'z':1}}");
    assert_answer(b, "{'count':1}", text, "{'a':false,'b':false}", "{'data':{'x':1,'w':1}}");
    assert_answer(b, "{'count':1}", "{ count @include(if: false) }", "{}", "{'data':{}}");
}

static void a_condition_that_is_null_is_an_error(void **state)
{
    struct bench *b = *state;

    assert_answer(b, "{'count':1}", "query($b: Boolean = true) { count @include(if: $b) }", "{'b':null}",
                  "{'errors':[{'message':'The condition of @skip or @include is "
                  "null.','locations':[{'line':1,'column':29}]"
                  "}],'data':null}");
}

static void root_fields_of_a_mutation_wait_for_each_other(void **state)
{
    struct bench *b = *state;

    b->later = true;
    assert_answer(b, "{'set':3,'then':{'id':1,'name':'Ann'}}",
                  "mutation { a: then { id name } set(to: 3) b: then { id } }", "{}",
                  "{'data':{'a':{'id':'1','name':'Ann'},'set':3,'b':{'id':'1'}}}");
    assert_string_equal(b->order, "then id name set then id ");
    assert_answer(b, "{'count':3,'dog':{'name':'Rex'}}", "{ dog { name } count }", "{}",
                  "{'data':{'dog':{'name':'Rex'},'count':3}}");
    assert_string_equal(b->order, "dog count name ");
    b->later = false;
}

static void a_subscription_is_executed_over_one_event(void **state)
{
    struct bench *b = *state;

    assert_answer(b, "{'barked':{'name':'Rex'}}", "subscription { barked { name } }", "{}",
                  "{'data':{'barked':{'name':'Rex'}}}");
}

static void a_resolver_may_know_what_is_wanted_below(void **state)
{
    struct bench *b = *state;

    assert_answer(b, "{'dog':{'name':'Rex'}}",
                  "{ dog { ... on Animal { ...F } } } fragment F on Dog { nick }", "{}",
                  "{'data':{'dog':{'nick':null}}}");
    assert_true(b->wanted);
    assert_answer(b, "{'dog':{'name':'Rex'}}", "{ dog { name nick @skip(if: true) } }", "{}",
                  "{'data':{'dog':{'name':'Rex'}}}");
    assert_false(b->wanted);
}

static void introspection_tells_of_types_and_wrappings(void **state)
{
    struct bench *b = *state;

    assert_answer(
        b, "{}",
        "{ __type(name: \"Size\") { kind name enumValues { name } all: enumValues(includeDeprecated: true) { "
        "name "
        "isDeprecated deprecationReason } fields { name } } date: __type(name: \"Date\") { specifiedByURL } "
        "none: "
        "__type(name: \"None\") { name } }",
        "{}",
        "{'data':{'__type':{'kind':'ENUM','name':'Size','enumValues':[{'name':'BIG'}],'all':[{'name':'BIG',"
        "'isDeprecated':false,'deprecationReason':null},{'name':'SMALL','isDeprecated':true,'"
        "deprecationReason':"
        "'No longer "
        "supported'}],'fields':null},'date':{'specifiedByURL':'https://example.org/date'},'none':null}}");
    assert_answer(b, "{}",
                  "{ __type(name: \"Human\") { fields { name args { name defaultValue } type { kind name "
                  "ofType { kind ofType "
                  "{ kind ofType { name possibleTypes { name } } } } } } } }",
                  "{}",
                  "{'data':{'__type':{'fields':[{'name':'id','args':[],'type':{'kind':'NON_NULL','name':null,"
                  "'ofType':{'kind'"
                  ":'SCALAR','ofType':null}}},{'name':'name','args':[],'type':{'kind':'SCALAR','name':'"
                  "String','ofType':null"
                  "}},{'name':'pets','args':[{'name':'first','defaultValue':null}],'type':{'kind':'NON_NULL',"
                  "'name':null,"
                  "'ofType':{'kind':'LIST','ofType':{'kind':'NON_NULL','ofType':{'name':'Pet','possibleTypes'"
                  ":[{'name':'Dog'"
                  "},{'name':'Cat'}]}}}}},{'name':'born','args':[],'type':{'kind':'SCALAR','name':'Date','"
                  "ofType':null}},{'name':'height','args':[],'type':{'kind':'SCALAR','name':'Float','ofType':"
                  "null}}]}}}");
    assert_int_equal(b->calls, 0);
}

static void too_large_an_answer_is_given_up_whole(void **state)
{
    CLEANUP(buf_done_p) struct buf data = {0};
    CLEANUP(json_free_p) json_t *root = NULL;
    struct bench *b = *state;

    buf_init(&data, TEST_TEXT);
    buf_add_cstr(&data, "{'animals':[");
    for (int i = 0; i < 2000; i++)
        buf_addf(&data, "%s{'__typename':'Dog','name':'%d'}", i > 0 ? "," : "", i);
    buf_add_cstr(&data, "]}");
    root = json(buf_cstr(&data));
    b->data = root;
    for (size_t memory = 0; memory < 200000; memory += 7919) {
        CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
        CLEANUP(buf_done_p) struct buf out = {0};
        struct run r;
        struct error err = {0};

        prepare(&r, b, "{ animals { name } }", NULL);
        r.options.memory = memory;
        assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
        b->later = memory % 2 == 1;
        drive(b, x);
        buf_init(&out, TEST_TEXT);
        gql_execution_write(x, &out);
        assert_false(gql_execution_ok(x));
        assert_non_null(strstr(buf_cstr(&out), "given up: it takes more than"));
        done(&r);
    }
    b->later = false;
}

static void told_errors_are_bounded(void **state)
{
    CLEANUP(buf_done_p) struct buf data = {0};
    CLEANUP(json_free_p) json_t *root = NULL;
    CLEANUP(json_free_p) json_t *is = NULL;
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct bench *b = *state;
    struct run r;
    struct error err = {0};

    buf_init(&data, TEST_TEXT);
    buf_add_cstr(&data, "{'animals':[{'__typename':'Dog'}");
    for (int i = 0; i < 50; i++)
        buf_add_cstr(&data, ",{'__typename':'Dog'}");
    buf_add_cstr(&data, "]}");
    root = json(buf_cstr(&data));
    b->data = root;
    prepare(&r, b, "{ animals { name } }", NULL);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    drive(b, x);
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_int_equal(json_parse(buf_str(&out), 64, &is, &err), ERR_NONE);
    assert_int_equal(json_array_size(json_object_get(is, "errors")), 10);
    done(&r);
}

static void the_operation_is_found_by_its_name(void **state)
{
    CLEANUP(arena_done_p) struct arena a;
    struct gql_faults faults;
    struct gql_parse_limits limits = GQL_PARSE_LIMITS;
    const struct gql_document *d;

    (void)state;
    arena_init(&a, TEST_MEMORY);
    gql_faults_init(&faults, &a, STR(""), 10);
    d = gql_parse(STR("query A { a } query B { b }"), &limits, &a, &faults);
    assert_non_null(d);
    assert_ptr_equal(gql_operation_find(d, STR("B"), &faults), d->operations->next);
    assert_int_equal(faults.n, 0);
    assert_null(gql_operation_find(d, STR(""), &faults));
    assert_null(gql_operation_find(d, STR("C"), &faults));
    assert_int_equal(faults.n, 2);
}

static void a_kind_of_operation_without_a_root_is_refused(void **state)
{
    CLEANUP(gql_schema_free_p) struct gql_schema *s = NULL;
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    struct gql_schema_options options = {.otherwise = gql_resolve_json};
    struct bench b = {0};
    struct run r;
    struct error err = {0};

    (void)state;
    assert_int_equal(gql_schema_new(STR("type Query { a: Int }"), &options, &s, &err), ERR_NONE);
    b.schema = s;
    prepare(&r, &b, "mutation { a }", NULL);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_INVALID);
    done(&r);
}

/* --- answers from another thread ----------------------------------------------------------------------- */

struct threaded {
    struct bench *b;
    struct queue *woken; /* the driver waits here */
    struct queue_node note;
};

static void wake_queue(void *arg)
{
    struct threaded *t = arg;

    /* One note is enough: the driver takes all answers there are. */
    (void)!queue_push_always(t->woken, &t->note);
}

static void *answer_all(void *arg)
{
    struct bench *b = arg;

    while (b->n_waiting > 0)
        gql_call_done(b->waiting[--b->n_waiting]);
    return NULL;
}

static void another_thread_may_answer(void **state)
{
    CLEANUP(json_free_p) json_t *root = json(TWO_PETS);
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct bench *b = *state;
    struct threaded t = {.b = b, .woken = queue_new(8, NULL, NULL)};
    struct run r;
    struct error err = {0};

    b->data = root;
    b->later = true;
    prepare(&r, b, "{ pets { ... on Dog { owner { id } name } } }", NULL);
    r.options.wake = wake_queue;
    r.options.wake_arg = &t;
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    while (gql_execution_step(x) == GQL_WAITING) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, answer_all, b), 0);
        assert_non_null(queue_wait(t.woken, 0, (struct mono){INT64_MAX}));
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"data\":{\"pets\":[{\"owner\":{\"id\":\"1\"},\"name\":\"Rex\"},{},{\"owner\":{"
                        "\"id\":\"2\"},\"name\":\"Bo\"}]}}");
    done(&r);
    queue_free(t.woken);
    b->later = false;
}

/* Answers every second call of those that wait, from the first or the second on. */
struct share {
    struct bench *b;
    size_t from;
};

static void *answer_share(void *arg)
{
    const struct share *s = arg;

    for (size_t i = s->from; i < s->b->n_waiting; i += 2)
        gql_call_done(s->b->waiting[i]);
    return NULL;
}

static void threads_that_answer_at_once_are_all_heard(void **state)
{
    CLEANUP(json_free_p) json_t *root = json("{'count':1,'dog':{'name':'Rex'},'human':{'id':1}}");
    struct bench *b = *state;

    b->data = root;
    b->later = true;
    for (int round = 0; round < 200; round++) {
        CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
        CLEANUP(buf_done_p) struct buf out = {0};
        struct threaded t = {.b = b, .woken = queue_new(8, NULL, NULL)};
        struct share shares[2] = {{b, 0}, {b, 1}};
        pthread_t threads[2];
        struct run r;
        struct error err = {0};

        b->n_waiting = 0;
        prepare(&r, b, "{ a: count b: count c: count dog { __typename } human(id: 1) { __typename } }", NULL);
        r.options.wake = wake_queue;
        r.options.wake_arg = &t;
        assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
        assert_int_equal(gql_execution_step(x), GQL_WAITING);
        assert_int_equal(b->n_waiting, 5);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, answer_share, &shares[i]), 0);
        do {
            assert_non_null(queue_wait(t.woken, 0, (struct mono){INT64_MAX}));
        } while (gql_execution_step(x) == GQL_WAITING);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        buf_init(&out, TEST_TEXT);
        gql_execution_write(x, &out);
        assert_string_equal(buf_cstr(&out),
                            "{\"data\":{\"a\":1,\"b\":1,\"c\":1,\"dog\":{\"__typename\":\"Dog\"},"
                            "\"human\":{\"__typename\":\"Human\"}}}");
        done(&r);
        queue_free(t.woken);
    }
    b->n_waiting = 0;
    b->later = false;
}

/* Of all levels together; what is held back is asked when one came back. */
static void no_more_calls_are_out_than_may_be(void **state)
{
    struct bench *b = *state;
    CLEANUP(json_free_p) json_t *root = json("{'count':3,'dog':{'name':'Rex'}}");
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct run r;
    struct error err = {0};
    size_t steps = 0;

    b->data = root;
    b->order[0] = '\0';
    b->later = true;
    prepare(&r, b, "{ dog { a: name b: name c: name } d: count e: count f: count g: dog { name } }", NULL);
    r.options.calls = 2;
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    while (gql_execution_step(x) == GQL_WAITING) {
        struct gql_call *first = b->waiting[0];

        steps++;
        assert_in_range(b->n_waiting, 1, 2);
        b->waiting[0] = b->waiting[--b->n_waiting];
        gql_call_done(first);
    }
    assert_int_equal(steps, 9);
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"data\":{\"dog\":{\"a\":\"Rex\",\"b\":\"Rex\",\"c\":\"Rex\"},\"d\":3,"
                        "\"e\":3,\"f\":3,\"g\":{\"name\":\"Rex\"}}}");
    done(&r);
    b->later = false;
}

static enum gql_progress resume_never(struct gql_call *call)
{
    (void)call;
    fail_msg("what nobody can be told was gone on with");
    return GQL_ANSWERED;
}

/* `count` may not be null: what is asked beside it and behind it is of no use any more. */
static void nothing_is_asked_or_represented_once_the_data_is_null(void **state)
{
    struct bench *b = *state;
    CLEANUP(json_free_p) json_t *root = json("{'count':null,'dog':{'name':'Rex'}}");
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct run r;
    struct error err = {0};

    b->data = root;
    b->order[0] = '\0';
    b->later = true;
    b->n_waiting = 0;
    prepare(&r, b, "{ count a: dog { name } b: dog { name } c: dog { name } }", NULL);
    r.options.calls = 2;
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    assert_int_equal(gql_execution_step(x), GQL_WAITING);
    assert_int_equal(b->n_waiting, 2);
    b->waiting[1]->resume = resume_never;
    gql_call_done(b->waiting[0]);
    assert_int_equal(gql_execution_step(x), GQL_WAITING);
    gql_call_done(b->waiting[1]);
    assert_int_equal(gql_execution_step(x), GQL_DONE);
    assert_string_equal(b->order, "count dog ");
    buf_init(&out, TEST_TEXT);
    gql_execution_write(x, &out);
    assert_non_null(strstr(buf_cstr(&out), "\"data\":null"));
    done(&r);
    b->n_waiting = 0;
    b->later = false;
}

/* Two calls are out when nobody wants the answer any more: both are taken back, and nothing new is asked. */
static void a_stopped_execution_takes_back_what_is_out_and_asks_no_more(void **state)
{
    struct bench *b = *state;
    CLEANUP(json_free_p) json_t *root = json("{'count':3,'dog':{'name':'Rex'}}");
    CLEANUP(gql_execution_free_p) struct gql_execution *x = NULL;
    struct run r;
    struct error err = {0};

    b->data = root;
    b->order[0] = '\0';
    b->later = true;
    prepare(&r, b, "{ dog { name } count }", NULL);
    assert_int_equal(gql_execution_new(&r.options, &x, &err), ERR_NONE);
    assert_int_equal(gql_execution_step(x), GQL_WAITING);
    assert_int_equal(b->n_waiting, 2);
    gql_call_done(b->waiting[0]);
    gql_execution_stop(x);
    assert_int_equal(gql_execution_step(x), GQL_WAITING);
    gql_call_done(b->waiting[1]);
    assert_int_equal(gql_execution_step(x), GQL_DONE);
    assert_string_equal(b->order, "dog count ");
    b->n_waiting = 0;
    b->later = false;
    done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_answered_in_the_order_of_the_document),
        cmocka_unit_test(a_nested_list_costs_one_call_a_field_and_type),
        cmocka_unit_test(what_is_answered_later_gives_the_same),
        cmocka_unit_test(null_climbs_to_what_may_be_null),
        cmocka_unit_test(a_place_is_nulled_by_one_error_alone),
        cmocka_unit_test(a_code_is_one_word),
        cmocka_unit_test(an_error_may_have_extensions_of_its_own),
        cmocka_unit_test(memory_taken_elsewhere_counts),
        cmocka_unit_test(wrong_answers_are_errors_not_data),
        cmocka_unit_test(skip_and_include_decide_by_variables),
        cmocka_unit_test(a_condition_that_is_null_is_an_error),
        cmocka_unit_test(root_fields_of_a_mutation_wait_for_each_other),
        cmocka_unit_test(a_subscription_is_executed_over_one_event),
        cmocka_unit_test(a_resolver_may_know_what_is_wanted_below),
        cmocka_unit_test(introspection_tells_of_types_and_wrappings),
        cmocka_unit_test(too_large_an_answer_is_given_up_whole),
        cmocka_unit_test(told_errors_are_bounded),
        cmocka_unit_test(the_operation_is_found_by_its_name),
        cmocka_unit_test(a_kind_of_operation_without_a_root_is_refused),
        cmocka_unit_test(another_thread_may_answer),
        cmocka_unit_test(threads_that_answer_at_once_are_all_heard),
        cmocka_unit_test(no_more_calls_are_out_than_may_be),
        cmocka_unit_test(nothing_is_asked_or_represented_once_the_data_is_null),
        cmocka_unit_test(a_stopped_execution_takes_back_what_is_out_and_asks_no_more),
    };

    return cmocka_run_group_tests(tests, open_bench, close_bench);
}
