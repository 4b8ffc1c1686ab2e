/*
 * parse_value.c: literals and references to types.
 */
#include "base/str.h"
#include "graphql/parse_internal.h"

static struct gql_literal *literal_of(struct parser *p, enum gql_literal_kind kind)
{
    struct gql_literal *v = arena_new(p->arena, struct gql_literal);

    if (!v)
        return NULL;
    v->kind = kind;
    v->block = p->token.kind == GQL_TOK_BLOCK_STRING;
    v->at = p->token.at;
    v->text = p->token.text;
    return v;
}

static struct gql_literal *parse_scalar(struct parser *p, enum gql_literal_kind kind)
{
    struct gql_literal *v = literal_of(p, kind);

    return v && parse_advance(p) ? v : NULL;
}

static enum gql_literal_kind kind_of_word(struct str word)
{
    if (str_eq(word, STR("true")) || str_eq(word, STR("false")))
        return GQL_LIT_BOOLEAN;
    return str_eq(word, STR("null")) ? GQL_LIT_NULL : GQL_LIT_ENUM;
}

static struct gql_literal *parse_variable_use(struct parser *p, bool constant)
{
    struct gql_literal *v = literal_of(p, GQL_LIT_VARIABLE);
    uint32_t name_at;

    if (!v || !parse_advance(p))
        return NULL;
    if (constant && parse_at(p, GQL_TOK_NAME)) {
        gql_fault_at(p->faults,
                     gql_fault_add(p->faults, NULL,
                                   "Syntax error: no variable (\"$%.*s\") may stand in a constant.",
                                   GQL_SHOWN(p->token.text)),
                     v->at);
        return NULL;
    }
    if (constant) {
        p->token = (struct gql_token){.kind = GQL_TOK_DOLLAR, .at = v->at};
        (void)parse_unexpected(p, "a constant value");
        return NULL;
    }
    return parse_name(p, &v->text, &name_at) ? v : NULL;
}

static struct gql_literal_item *parse_item(struct parser *p, bool constant, bool member)
{
    struct gql_literal_item *item = arena_new(p->arena, struct gql_literal_item);

    if (!item)
        return NULL;
    item->at = p->token.at;
    if (member && (!parse_name(p, &item->name, &item->at) || !parse_expect(p, GQL_TOK_COLON)))
        return NULL;
    item->value = parse_literal(p, constant);
    return item->value ? item : NULL;
}

/* A list or an object: the token opens it. Either may be empty. */
static struct gql_literal *parse_container(struct parser *p, bool constant, enum gql_literal_kind kind)
{
    enum gql_token_kind close = kind == GQL_LIT_LIST ? GQL_TOK_BRACKET_R : GQL_TOK_BRACE_R;
    struct gql_literal *v = literal_of(p, kind);
    struct gql_literal_item **end;

    if (!v || !parse_enter(p) || !parse_advance(p))
        return NULL;
    for (end = &v->items; !parse_at(p, close); end = &(*end)->next) {
        *end = parse_item(p, constant, kind == GQL_LIT_OBJECT);
        if (!*end)
            return NULL;
        v->n_items++;
    }
    parse_leave(p);
    return parse_advance(p) ? v : NULL;
}

struct gql_literal *parse_literal(struct parser *p, bool constant)
{
    switch (p->token.kind) {
    case GQL_TOK_BRACKET_L:
        return parse_container(p, constant, GQL_LIT_LIST);
    case GQL_TOK_BRACE_L:
        return parse_container(p, constant, GQL_LIT_OBJECT);
    case GQL_TOK_INT:
        return parse_scalar(p, GQL_LIT_INT);
    case GQL_TOK_FLOAT:
        return parse_scalar(p, GQL_LIT_FLOAT);
    case GQL_TOK_STRING:
    case GQL_TOK_BLOCK_STRING:
        return parse_scalar(p, GQL_LIT_STRING);
    case GQL_TOK_NAME:
        return parse_scalar(p, kind_of_word(p->token.text));
    case GQL_TOK_DOLLAR:
        return parse_variable_use(p, constant);
    case GQL_TOK_END:
    case GQL_TOK_BANG:
    case GQL_TOK_AMP:
    case GQL_TOK_PAREN_L:
    case GQL_TOK_PAREN_R:
    case GQL_TOK_SPREAD:
    case GQL_TOK_COLON:
    case GQL_TOK_EQUALS:
    case GQL_TOK_AT:
    case GQL_TOK_BRACKET_R:
    case GQL_TOK_PIPE:
    case GQL_TOK_BRACE_R:
        break;
    }
    (void)parse_unexpected(p, "a value");
    return NULL;
}

static struct gql_type_node *parse_nullable_type(struct parser *p)
{
    struct gql_type_node *t = arena_new(p->arena, struct gql_type_node);
    bool list;

    if (!t)
        return NULL;
    t->at = p->token.at;
    if (!parse_skip(p, GQL_TOK_BRACKET_L, &list))
        return NULL;
    if (!list)
        return parse_name(p, &t->name, &t->at) ? t : NULL;
    t->wrap = GQL_LIST;
    if (!parse_enter(p))
        return NULL;
    t->of = parse_type(p);
    parse_leave(p);
    return t->of && parse_expect(p, GQL_TOK_BRACKET_R) ? t : NULL;
}

struct gql_type_node *parse_type(struct parser *p)
{
    struct gql_type_node *t = parse_nullable_type(p);
    struct gql_type_node *outer;

    if (!t || !parse_at(p, GQL_TOK_BANG))
        return t;
    outer = arena_new(p->arena, struct gql_type_node);
    if (!outer || !parse_advance(p))
        return NULL;
    *outer = (struct gql_type_node){.wrap = GQL_NON_NULL, .at = t->at, .of = t};
    return outer;
}
