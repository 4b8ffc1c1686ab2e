/*
 * execute_complete.c: from what resolvers answer to the response: 6.4.3 CompleteValue, and 6.4.4 for what
 * fails.
 */
#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/execute_internal.h"

/* --- errors -------------------------------------------------------------------------------------------- */

bool place_is_dead(const struct place *p)
{
    for (; p; p = p->parent)
        if (p->nulled)
            return true;
    return false;
}

/* From the root to the place; as deep as the response. */
static void write_path(const struct place *p, struct buf *out)
{
    if (!p->parent)
        return;
    write_path(p->parent, out);
    buf_add_char(out, p->parent->parent ? ',' : '[');
    if (p->parent->kind == PLACE_LIST)
        buf_add_u64(out, p->index);
    else
        buf_add_json(out, p->parent->object.plan->fields[p->index]->key);
}

void place_fail(struct gql_execution *x, const struct plan_field *f, struct place *p, struct str message,
                struct str extensions)
{
    CLEANUP(buf_done_p) struct buf path = {0};
    struct gql_fault *fault;

    if (place_is_dead(p))
        return; /* what failed above has said it */
    fault = gql_fault_add(&x->faults, NULL, "%.*s", (int)(message.n < 700 ? message.n : 700), message.p);
    if (fault) {
        buf_init(&path, 64 * 1024);
        write_path(p, &path);
        buf_add_char(&path, ']');
        if (buf_ok(&path) && path.p[0] == '[')
            fault->path = arena_str(&x->arena, buf_str(&path));
        fault->extensions = extensions;
        for (const struct plan_node *n = f ? f->nodes : NULL; n; n = n->next)
            gql_fault_at(&x->faults, fault, n->selection->at);
    }
    while (p->required && p->parent)
        p = p->parent;
    p->nulled = true;
}

/* Of the field's own value: "Type.field", and what is wrong with it. */
static void fail_because(struct gql_execution *x, const struct task *t, struct place *p, const char *why)
{
    const struct gql_field *f = t->field->field;
    char text[512];

    (void)snprintf(text, sizeof(text), "The field %.*s.%.*s %s.", GQL_SHOWN(f->parent->name),
                   GQL_SHOWN(f->name), why);
    place_fail(x, t->field, p, str_of(text), STR(""));
}

/* --- leaves -------------------------------------------------------------------------------------------- */

/* The values that need no conversion, which are nearly all. */
static bool is_as_it_should(const struct gql_type *type, const struct gql_value *v)
{
    if (type->scalar || (type->kind == GQL_SCALAR && !type->hidden))
        return !type->scalar || !type->scalar->serialize;
    switch (v->kind) {
    case GQL_VALUE_BOOL:
        return str_eq(type->name, STR("Boolean"));
    case GQL_VALUE_I64:
        return (str_eq(type->name, STR("Int")) && v->i64 >= INT32_MIN && v->i64 <= INT32_MAX) ||
               str_eq(type->name, STR("Float"));
    case GQL_VALUE_F64:
        return str_eq(type->name, STR("Float")) && isfinite(v->f64);
    case GQL_VALUE_STR:
        return type->kind == GQL_ENUM ? gql_type_value(type, v->str) != NULL
                                      : str_eq(type->name, STR("String")) || str_eq(type->name, STR("ID"));
    case GQL_VALUE_NULL:
    case GQL_VALUE_JSON:
    case GQL_VALUE_OBJECT:
    case GQL_VALUE_LIST:
    case GQL_VALUE_ERROR:
        break;
    }
    return false;
}

/* A new reference, or NULL. */
static json_t *json_of(const struct gql_value *v)
{
    switch (v->kind) {
    case GQL_VALUE_BOOL:
        return json_boolean(v->boolean);
    case GQL_VALUE_I64:
        return json_integer(v->i64);
    case GQL_VALUE_F64:
        return isfinite(v->f64) ? json_real(v->f64) : json_null();
    case GQL_VALUE_STR:
        return json_stringn(v->str.p, v->str.n);
    case GQL_VALUE_JSON:
        return json_incref((json_t *)v->json);
    case GQL_VALUE_NULL:
    case GQL_VALUE_OBJECT:
    case GQL_VALUE_LIST:
    case GQL_VALUE_ERROR:
        break;
    }
    return json_null();
}

static void complete_leaf(struct gql_execution *x, const struct task *t, struct place *p,
                          const struct gql_type *type, const struct gql_value *v)
{
    CLEANUP(json_free_p) json_t *in = NULL;
    json_t *out = NULL;
    struct error err = {0};

    p->kind = PLACE_LEAF;
    p->leaf = *v;
    if (v->kind == GQL_VALUE_OBJECT || v->kind == GQL_VALUE_LIST) {
        fail_because(x, t, p, "was answered with more than a leaf");
        return;
    }
    if (is_as_it_should(type, v))
        return;
    in = json_of(v);
    if (!in || gql_leaf_to_json(type, in, &out, &err)) {
        char why[256];

        (void)snprintf(why, sizeof(why), "was answered with a wrong value: %s",
                       in ? err.text : "out of memory");
        fail_because(x, t, p, why);
        return;
    }
    p->leaf = gql_json(out);
    if (!gql_keep_json(x, out))
        p->kind = PLACE_OPEN; /* the execution has failed */
}

/* --- objects ------------------------------------------------------------------------------------------- */

/* Objects of one type that came out of one field: they are asked together. */
struct member {
    struct member *next;
    struct place *place;
    const void *object;
};

struct batch {
    struct batch *next;
    const struct gql_type *type;
    struct member *first;
    struct member **end;
    size_t n;
};

struct completion {
    struct gql_execution *x;
    const struct task *t;
    struct batch *batches;
};

static struct batch *batch_of(struct completion *c, const struct gql_type *type)
{
    struct batch *b = c->batches;

    while (b && b->type != type)
        b = b->next;
    if (b)
        return b;
    b = arena_new(&c->x->arena, struct batch);
    if (!b)
        return NULL;
    *b = (struct batch){.next = c->batches, .type = type};
    b->end = &b->first;
    c->batches = b;
    return b;
}

static void add_object(struct completion *c, struct place *p, const struct gql_type *type, const void *object)
{
    struct batch *b = batch_of(c, type);
    struct member *m = arena_new(&c->x->arena, struct member);

    if (!b || !m)
        return;
    *m = (struct member){NULL, p, object};
    *b->end = m;
    b->end = &m->next;
    b->n++;
    p->kind = PLACE_OPEN; /* until the batch is opened */
}

/* Which object type a value is of: 6.4.3 ResolveAbstractType. NULL: a fault was told. */
static const struct gql_type *object_type(struct completion *c, struct place *p, const struct gql_type *type,
                                          const struct gql_value *v)
{
    const struct gql_type *named;
    struct str name = {NULL, 0};

    if (type->kind == GQL_OBJECT)
        return type;
    if (v->kind == GQL_VALUE_JSON) {
        const json_t *member = json_object_get(v->json, "__typename");

        name = json_is_string(member) ? json_str(member) : STR("");
    } else {
        name = str_of(v->object.type);
    }
    named = gql_schema_type(c->x->options.schema, name);
    if (named && named->kind == GQL_OBJECT && gql_type_includes(type, named))
        return named;
    fail_because(c->x, c->t, p, "was answered with an object of a type that it cannot have");
    return NULL;
}

static void complete_object(struct completion *c, struct place *p, const struct gql_type *type,
                            const struct gql_value *v)
{
    const struct gql_type *object;

    if (v->kind != GQL_VALUE_OBJECT && (v->kind != GQL_VALUE_JSON || !json_is_object(v->json))) {
        fail_because(c->x, c->t, p, "was answered with no object");
        return;
    }
    object = object_type(c, p, type, v);
    if (object)
        add_object(c, p, object, v->kind == GQL_VALUE_JSON ? (const void *)v->json : v->object.p);
}

/* --- values -------------------------------------------------------------------------------------------- */

static void complete_value(struct completion *c, struct place *p, const struct gql_ref *ref,
                           const struct gql_value *v);

static void complete_list(struct completion *c, struct place *p, const struct gql_ref *item,
                          const struct gql_value *v)
{
    bool json = v->kind == GQL_VALUE_JSON && json_is_array(v->json);
    size_t n = json ? json_array_size(v->json) : v->list.n;

    if (!json && v->kind != GQL_VALUE_LIST) {
        fail_because(c->x, c->t, p, "was answered with no list");
        return;
    }
    p->list.items = arena_array(&c->x->arena, n, sizeof(struct place));
    if (!p->list.items || n > UINT32_MAX)
        return;
    p->kind = PLACE_LIST;
    p->list.n = n;
    for (size_t i = 0; i < n && !place_is_dead(p) && arena_ok(&c->x->arena); i++) {
        struct gql_value of_json = json ? gql_json(json_array_get(v->json, i)) : gql_null();

        p->list.items[i] = (struct place){.parent = p, .index = (uint32_t)i};
        complete_value(c, &p->list.items[i], item, json ? &of_json : &v->list.items[i]);
    }
}

static bool is_null(const struct gql_value *v)
{
    return v->kind == GQL_VALUE_NULL || (v->kind == GQL_VALUE_JSON && (!v->json || json_is_null(v->json))) ||
           (v->kind == GQL_VALUE_OBJECT && !v->object.p && !v->object.type);
}

/* As deep as the field's type is wrapped. */
static void complete_value(struct completion *c, struct place *p, const struct gql_ref *ref,
                           const struct gql_value *v)
{
    p->required = ref->wrap == GQL_NON_NULL;
    if (p->required)
        ref = ref->of;
    if (v->kind == GQL_VALUE_ERROR)
        place_fail(c->x, c->t->field, p, v->failure->message, v->failure->extensions);
    else if (is_null(v) && p->required)
        fail_because(c->x, c->t, p, "may not be null, but was answered so");
    else if (is_null(v))
        p->kind = PLACE_OPEN;
    else if (ref->wrap == GQL_LIST)
        complete_list(c, p, ref->of, v);
    else if (gql_is_composite(ref->type))
        complete_object(c, p, ref->type, v);
    else
        complete_leaf(c->x, c->t, p, ref->type, v);
}

/* --- the fields of a batch ----------------------------------------------------------------------------- */

static void open_place(struct gql_execution *x, struct place *p, const struct plan *plan)
{
    p->object.fields = arena_array(&x->arena, plan->n, sizeof(struct place));
    p->object.plan = plan;
    if (!p->object.fields)
        return;
    p->kind = PLACE_OBJECT;
    for (size_t i = 0; i < plan->n; i++) {
        const struct plan_field *f = plan->fields[i];
        struct place *field = &p->object.fields[i];

        *field = (struct place){
            .parent = p, .index = (uint32_t)i, .required = f->field->ref->wrap == GQL_NON_NULL};
        if (f->is_typename) {
            field->kind = PLACE_LEAF;
            field->leaf = gql_str(plan->type->name);
        }
    }
}

static void ask_batch(struct gql_execution *x, const struct batch *b, const struct plan *plan,
                      const struct plan_field *f)
{
    struct task *t = f->is_typename ? NULL : task_new(x, f, b->n);
    const struct member *m = b->first;

    if (!t)
        return;
    for (size_t i = 0; i < b->n; i++, m = m->next) {
        ((const void **)t->call.objects)[i] = m->object;
        t->places[i] = &m->place->object.fields[f->index];
    }
    (void)plan;
    add_task(x, t);
}

static void open_batch(struct gql_execution *x, const struct task *t, const struct batch *b)
{
    struct plan_source from = {.nodes = t->field->nodes};
    const struct gql_selection *bad = NULL;
    const struct plan *plan = plan_new(x, &from, b->type, &bad);

    for (const struct member *m = b->first; m && arena_ok(&x->arena); m = m->next) {
        if (bad)
            place_fail(x, t->field, m->place,
                       STR("The condition of @skip or @include below this field is null."), STR(""));
        else
            open_place(x, m->place, plan);
    }
    for (size_t i = 0; plan && i < plan->n && arena_ok(&x->arena); i++)
        ask_batch(x, b, plan, plan->fields[i]);
}

void complete_task(struct gql_execution *x, struct task *t)
{
    struct completion c = {.x = x, .t = t};

    for (size_t i = 0; i < t->call.n && arena_ok(&x->arena); i++)
        if (!place_is_dead(t->places[i]))
            complete_value(&c, t->places[i], t->field->field->ref, &t->call.values[i]);
    for (const struct batch *b = c.batches; b && arena_ok(&x->arena); b = b->next)
        open_batch(x, t, b);
}
