/*
 * execute_write.c: the response of an execution (section 7), fields in the order of the document.
 */
#include "base/json.h"
#include "graphql/execute_internal.h"

static void write_leaf(const struct gql_value *v, struct buf *out)
{
    CLEANUP(json_free_p) json_t *number = NULL;

    switch (v->kind) {
    case GQL_VALUE_BOOL:
        buf_add_cstr(out, v->boolean ? "true" : "false");
        return;
    case GQL_VALUE_I64:
        buf_add_i64(out, v->i64);
        return;
    case GQL_VALUE_STR:
        buf_add_json(out, v->str);
        return;
    case GQL_VALUE_F64:
        number = json_real(v->f64);
        break;
    case GQL_VALUE_JSON:
        number = json_incref((json_t *)v->json);
        break;
    case GQL_VALUE_NULL:
    case GQL_VALUE_OBJECT:
    case GQL_VALUE_LIST:
    case GQL_VALUE_ERROR:
        break;
    }
    /* What is no JSON (infinity, something too deep) is null rather than a broken answer. */
    if (!number || json_write(number, out, NULL))
        buf_add_cstr(out, "null");
}

/* As deep as the operation and its lists. */
static void write_place(const struct place *p, struct buf *out)
{
    if (p->nulled || p->kind == PLACE_OPEN) {
        buf_add_cstr(out, "null");
    } else if (p->kind == PLACE_LEAF) {
        write_leaf(&p->leaf, out);
    } else if (p->kind == PLACE_LIST) {
        buf_add_char(out, '[');
        for (size_t i = 0; i < p->list.n && buf_ok(out); i++) {
            if (i > 0)
                buf_add_char(out, ',');
            write_place(&p->list.items[i], out);
        }
        buf_add_char(out, ']');
    } else {
        buf_add_char(out, '{');
        for (size_t i = 0; i < p->object.plan->n && buf_ok(out); i++) {
            if (i > 0)
                buf_add_char(out, ',');
            buf_add_json(out, p->object.plan->fields[i]->key);
            buf_add_char(out, ':');
            write_place(&p->object.fields[i], out);
        }
        buf_add_char(out, '}');
    }
}

bool gql_execution_ok(const struct gql_execution *x)
{
    return arena_ok(&x->arena);
}

void gql_execution_write(const struct gql_execution *x, struct buf *out)
{
    struct error err = {0};

    MUST(x->done && !x->stopped);
    if (arena_check(&x->arena, &err)) {
        buf_add_cstr(out, "{\"errors\":[{\"message\":");
        buf_addf(out, "\"The answer was given up: %s.\"", err.text);
        buf_add_cstr(out, "}],\"data\":null}");
        return;
    }
    buf_add_char(out, '{');
    if (x->faults.n > 0) {
        buf_add_cstr(out, "\"errors\":");
        gql_faults_write(&x->faults, out);
        buf_add_char(out, ',');
    }
    buf_add_cstr(out, "\"data\":");
    write_place(&x->root, out);
    buf_add_char(out, '}');
}
