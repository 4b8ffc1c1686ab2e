/*
 * parse_types.c: type system definitions and extensions (section 3), by which schemas are written.
 */
#include <string.h>

#include "base/str.h"
#include "graphql/parse_internal.h"

static bool at_string(const struct parser *p)
{
    return parse_at(p, GQL_TOK_STRING) || parse_at(p, GQL_TOK_BLOCK_STRING);
}

static bool parse_description(struct parser *p, const struct gql_literal **ret)
{
    if (!at_string(p))
        return true;
    *ret = parse_literal(p, true);
    return *ret != NULL;
}

typedef bool (*member_fn)(struct parser *p, struct gql_member_node *m);

/* open member+ close, all of which may be missing. */
static bool parse_members(struct parser *p, enum gql_token_kind open, enum gql_token_kind close,
                          member_fn parse, struct gql_member_node **end)
{
    bool there;

    if (!parse_skip(p, open, &there) || !there)
        return !there;
    do {
        *end = arena_new(p->arena, struct gql_member_node);
        if (!*end || !parse(p, *end))
            return false;
        end = &(*end)->next;
    } while (!parse_at(p, close));
    return parse_advance(p);
}

static bool parse_typed_name(struct parser *p, struct gql_member_node *m)
{
    if (!parse_expect(p, GQL_TOK_COLON))
        return false;
    m->type = parse_type(p);
    return m->type != NULL;
}

/* Where a member's name should be. */
static bool parse_member_name(struct parser *p, struct gql_member_node *m)
{
    return parse_description(p, &m->description) && parse_name(p, &m->name, &m->at);
}

static bool parse_input_value(struct parser *p, struct gql_member_node *m)
{
    bool initial;

    if (!parse_member_name(p, m) || !parse_typed_name(p, m) || !parse_skip(p, GQL_TOK_EQUALS, &initial))
        return false;
    if (initial)
        m->initial = parse_literal(p, true);
    return (!initial || m->initial) && parse_directives(p, true, &m->directives);
}

static bool parse_field_definition(struct parser *p, struct gql_member_node *m)
{
    return parse_member_name(p, m) &&
           parse_members(p, GQL_TOK_PAREN_L, GQL_TOK_PAREN_R, parse_input_value, &m->arguments) &&
           parse_typed_name(p, m) && parse_directives(p, true, &m->directives);
}

static bool parse_enum_value(struct parser *p, struct gql_member_node *m)
{
    if (!parse_description(p, &m->description))
        return false;
    if (parse_at_word(p, STR("true")) || parse_at_word(p, STR("false")) || parse_at_word(p, STR("null")))
        return parse_unexpected(p, "the name of an enum's value");
    return parse_name(p, &m->name, &m->at) && parse_directives(p, true, &m->directives);
}

static bool parse_root_operation(struct parser *p, struct gql_member_node *m)
{
    struct gql_type_node *t = arena_new(p->arena, struct gql_type_node);

    m->name = p->token.text;
    m->at = p->token.at;
    if (!parse_at_word(p, STR("query")) && !parse_at_word(p, STR("mutation")) &&
        !parse_at_word(p, STR("subscription")))
        return parse_unexpected(p, "\"query\", \"mutation\" or \"subscription\"");
    m->type = t;
    return t && parse_advance(p) && parse_expect(p, GQL_TOK_COLON) && parse_name(p, &t->name, &t->at);
}

/* Names between `separator`s, with one before the first allowed. */
static bool parse_names(struct parser *p, enum gql_token_kind separator, struct gql_name_node **end)
{
    bool more;

    if (!parse_skip(p, separator, &more))
        return false;
    do {
        *end = arena_new(p->arena, struct gql_name_node);
        if (!*end || !parse_name(p, &(*end)->name, &(*end)->at))
            return false;
        end = &(*end)->next;
        if (!parse_skip(p, separator, &more))
            return false;
    } while (more);
    return true;
}

static bool parse_implements(struct parser *p, struct gql_definition *d)
{
    if (!parse_at_word(p, STR("implements")))
        return true;
    return parse_advance(p) && parse_names(p, GQL_TOK_AMP, &d->names);
}

static bool parse_fields(struct parser *p, struct gql_definition *d)
{
    return parse_name(p, &d->name, &d->name_at) && parse_implements(p, d) &&
           parse_directives(p, true, &d->directives) &&
           parse_members(p, GQL_TOK_BRACE_L, GQL_TOK_BRACE_R, parse_field_definition, &d->members);
}

static bool parse_union(struct parser *p, struct gql_definition *d)
{
    bool members;

    return parse_name(p, &d->name, &d->name_at) && parse_directives(p, true, &d->directives) &&
           parse_skip(p, GQL_TOK_EQUALS, &members) && (!members || parse_names(p, GQL_TOK_PIPE, &d->names));
}

/* The words that a directive's location may be. */
static bool is_location(struct str word)
{
    static const char all[] =
        " QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT "
        "VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM "
        "ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION ";
    const char *found = memmem(all, sizeof(all) - 1, word.p, word.n);

    while (found && (found[-1] != ' ' || found[word.n] != ' '))
        found = memmem(found + 1, (size_t)(all + sizeof(all) - 2 - found), word.p, word.n);
    return found != NULL;
}

static bool parse_directive_definition(struct parser *p, struct gql_definition *d)
{
    if (!parse_expect(p, GQL_TOK_AT) || !parse_name(p, &d->name, &d->name_at) ||
        !parse_members(p, GQL_TOK_PAREN_L, GQL_TOK_PAREN_R, parse_input_value, &d->members))
        return false;
    d->repeatable = parse_at_word(p, STR("repeatable"));
    if ((d->repeatable && !parse_advance(p)) || !parse_expect_word(p, STR("on")) ||
        !parse_names(p, GQL_TOK_PIPE, &d->names))
        return false;
    for (const struct gql_name_node *n = d->names; n; n = n->next) {
        if (is_location(n->name))
            continue;
        gql_fault_at(p->faults,
                     gql_fault_add(p->faults, NULL, "Syntax error: \"%.*s\" is no place for a directive.",
                                   GQL_SHOWN(n->name)),
                     n->at);
        return false;
    }
    return true;
}

/* What stands behind the keyword. */
static bool parse_body(struct parser *p, struct gql_definition *d)
{
    switch (d->kind) {
    case GQL_DEF_SCHEMA:
        return parse_directives(p, true, &d->directives) &&
               (d->extends || parse_at(p, GQL_TOK_BRACE_L) || parse_unexpected(p, "\"{\"")) &&
               parse_members(p, GQL_TOK_BRACE_L, GQL_TOK_BRACE_R, parse_root_operation, &d->members);
    case GQL_DEF_SCALAR:
        return parse_name(p, &d->name, &d->name_at) && parse_directives(p, true, &d->directives);
    case GQL_DEF_OBJECT:
    case GQL_DEF_INTERFACE:
        return parse_fields(p, d);
    case GQL_DEF_UNION:
        return parse_union(p, d);
    case GQL_DEF_ENUM:
        return parse_name(p, &d->name, &d->name_at) && parse_directives(p, true, &d->directives) &&
               parse_members(p, GQL_TOK_BRACE_L, GQL_TOK_BRACE_R, parse_enum_value, &d->members);
    case GQL_DEF_INPUT:
        return parse_name(p, &d->name, &d->name_at) && parse_directives(p, true, &d->directives) &&
               parse_members(p, GQL_TOK_BRACE_L, GQL_TOK_BRACE_R, parse_input_value, &d->members);
    case GQL_DEF_DIRECTIVE:
        return parse_directive_definition(p, d);
    }
    return false;
}

static const struct {
    struct str word;
    enum gql_definition_kind kind;
} KEYWORDS[] = {
    {{"schema", 6}, GQL_DEF_SCHEMA}, {{"scalar", 6}, GQL_DEF_SCALAR},
    {{"type", 4}, GQL_DEF_OBJECT},   {{"interface", 9}, GQL_DEF_INTERFACE},
    {{"union", 5}, GQL_DEF_UNION},   {{"enum", 4}, GQL_DEF_ENUM},
    {{"input", 5}, GQL_DEF_INPUT},   {{"directive", 9}, GQL_DEF_DIRECTIVE},
};

static bool keyword_of(const struct parser *p, enum gql_definition_kind *ret)
{
    for (size_t i = 0; i < COUNT_OF(KEYWORDS); i++) {
        if (parse_at_word(p, KEYWORDS[i].word)) {
            *ret = KEYWORDS[i].kind;
            return true;
        }
    }
    return false;
}

/* An extension must extend by something. */
static bool adds_something(const struct parser *p, const struct gql_definition *d)
{
    return !d->extends || d->directives || d->members || d->names ||
           parse_unexpected(p, "what the extension adds");
}

static bool refuse_description(const struct parser *p, const struct gql_definition *d)
{
    gql_fault_at(
        p->faults,
        gql_fault_add(p->faults, NULL,
                      "Syntax error: a description may stand only before a definition of the type system."),
        d->at);
    return false;
}

bool parse_definition_of_type(struct parser *p)
{
    struct gql_definition *d = arena_new(p->arena, struct gql_definition);

    if (!d)
        return false;
    d->at = p->token.at;
    if (!parse_description(p, &d->description))
        return false;
    if (!d->description && parse_at_word(p, STR("extend"))) {
        d->extends = true;
        if (!parse_advance(p))
            return false;
    }
    if (!keyword_of(p, &d->kind) || (d->extends && d->kind == GQL_DEF_DIRECTIVE))
        return d->description ? refuse_description(p, d) : parse_unexpected(p, "a definition");
    if (!parse_advance(p) || !parse_body(p, d) || !adds_something(p, d))
        return false;
    *p->next_definition = d;
    p->next_definition = &d->next;
    p->document->n_definitions++;
    return true;
}
