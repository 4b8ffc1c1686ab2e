/*
 * parse.c: executable definitions, by recursive descent; and the parser's common tools.
 */
#include "graphql/parse.h"

#include <stdio.h>

#include "base/str.h"
#include "graphql/parse_internal.h"

bool parse_advance(struct parser *p)
{
    if (!gql_lex(&p->lexer, &p->token))
        return false;
    if (p->token.kind == GQL_TOK_END || p->n_tokens++ < p->limits.tokens)
        return true;
    gql_fault_at(p->faults,
                 gql_fault_add(p->faults, NULL, "The document has more than %zu tokens.", p->limits.tokens),
                 p->token.at);
    return false;
}

bool parse_unexpected(const struct parser *p, const char *what)
{
    const struct gql_token *t = &p->token;
    bool shown = t->kind == GQL_TOK_NAME || t->kind == GQL_TOK_INT || t->kind == GQL_TOK_FLOAT;
    struct gql_fault *fault;

    if (shown)
        fault = gql_fault_add(p->faults, NULL, "Syntax error: expected %s, found \"%.*s\".", what,
                              GQL_SHOWN(t->text));
    else
        fault = gql_fault_add(p->faults, NULL, "Syntax error: expected %s, found %s.", what,
                              gql_token_name(t->kind));
    gql_fault_at(p->faults, fault, t->at);
    return false;
}

bool parse_at(const struct parser *p, enum gql_token_kind kind)
{
    return p->token.kind == kind;
}

bool parse_at_word(const struct parser *p, struct str word)
{
    return p->token.kind == GQL_TOK_NAME && str_eq(p->token.text, word);
}

bool parse_expect(struct parser *p, enum gql_token_kind kind)
{
    return parse_at(p, kind) ? parse_advance(p) : parse_unexpected(p, gql_token_name(kind));
}

bool parse_skip(struct parser *p, enum gql_token_kind kind, bool *ret_taken)
{
    *ret_taken = parse_at(p, kind);
    return !*ret_taken || parse_advance(p);
}

bool parse_expect_word(struct parser *p, struct str word)
{
    char quoted[32];

    if (parse_at_word(p, word))
        return parse_advance(p);
    (void)snprintf(quoted, sizeof(quoted), "\"%.*s\"", GQL_SHOWN(word));
    return parse_unexpected(p, quoted);
}

bool parse_name(struct parser *p, struct str *ret, uint32_t *ret_at)
{
    *ret = p->token.text;
    *ret_at = p->token.at;
    return parse_expect(p, GQL_TOK_NAME);
}

bool parse_enter(struct parser *p)
{
    if (p->depth++ < p->limits.depth)
        return true;
    gql_fault_at(
        p->faults,
        gql_fault_add(p->faults, NULL, "The document is nested deeper than %zu levels.", p->limits.depth),
        p->token.at);
    return false;
}

void parse_leave(struct parser *p)
{
    p->depth--;
}

static struct gql_argument *parse_argument(struct parser *p, bool constant)
{
    struct gql_argument *a = arena_new(p->arena, struct gql_argument);

    if (!a || !parse_name(p, &a->name, &a->at) || !parse_expect(p, GQL_TOK_COLON))
        return NULL;
    a->value = parse_literal(p, constant);
    return a->value ? a : NULL;
}

/* (name: value ...), which may be missing but not be empty. */
static bool parse_arguments(struct parser *p, bool constant, struct gql_argument **ret)
{
    bool there;

    if (!parse_skip(p, GQL_TOK_PAREN_L, &there) || !there)
        return !there;
    do {
        *ret = parse_argument(p, constant);
        if (!*ret)
            return false;
        ret = &(*ret)->next;
    } while (!parse_at(p, GQL_TOK_PAREN_R));
    return parse_advance(p);
}

bool parse_directives(struct parser *p, bool constant, struct gql_directive **ret)
{
    while (parse_at(p, GQL_TOK_AT)) {
        struct gql_directive *d = arena_new(p->arena, struct gql_directive);
        uint32_t name_at;

        if (!d)
            return false;
        d->at = p->token.at;
        if (!parse_advance(p) || !parse_name(p, &d->name, &name_at) ||
            !parse_arguments(p, constant, &d->arguments))
            return false;
        *ret = d;
        ret = &d->next;
    }
    return true;
}

static struct gql_selection_set *parse_selection_set(struct parser *p);

static bool parse_field(struct parser *p, struct gql_selection *s)
{
    bool alias;

    s->kind = GQL_FIELD;
    if (!parse_name(p, &s->name, &s->name_at) || !parse_skip(p, GQL_TOK_COLON, &alias))
        return false;
    s->key = s->name;
    if (alias && !parse_name(p, &s->name, &s->name_at))
        return false;
    if (!parse_arguments(p, false, &s->arguments) || !parse_directives(p, false, &s->directives))
        return false;
    if (!parse_at(p, GQL_TOK_BRACE_L))
        return true;
    s->set = parse_selection_set(p);
    return s->set != NULL;
}

/* What begins with three dots. */
static bool parse_fragment_use(struct parser *p, struct gql_selection *s)
{
    if (!parse_advance(p))
        return false;
    if (parse_at(p, GQL_TOK_NAME) && !parse_at_word(p, STR("on"))) {
        s->kind = GQL_SPREAD;
        return parse_name(p, &s->name, &s->name_at) && parse_directives(p, false, &s->directives);
    }
    s->kind = GQL_INLINE;
    if (parse_at(p, GQL_TOK_NAME) && (!parse_advance(p) || !parse_name(p, &s->condition, &s->condition_at)))
        return false;
    if (!parse_directives(p, false, &s->directives))
        return false;
    s->set = parse_selection_set(p);
    return s->set != NULL;
}

static struct gql_selection *parse_selection(struct parser *p)
{
    struct gql_selection *s = arena_new(p->arena, struct gql_selection);

    if (!s)
        return NULL;
    s->at = p->token.at;
    if (parse_at(p, GQL_TOK_SPREAD))
        return parse_fragment_use(p, s) ? s : NULL;
    return parse_field(p, s) ? s : NULL;
}

static struct gql_selection_set *parse_selection_set(struct parser *p)
{
    struct gql_selection_set *set = arena_new(p->arena, struct gql_selection_set);
    struct gql_selection **end;

    if (!set || !parse_enter(p))
        return NULL;
    set->at = p->token.at;
    end = &set->first;
    if (!parse_expect(p, GQL_TOK_BRACE_L))
        return NULL;
    do {
        *end = parse_selection(p);
        if (!*end)
            return NULL;
        end = &(*end)->next;
    } while (!parse_at(p, GQL_TOK_BRACE_R));
    parse_leave(p);
    return parse_advance(p) ? set : NULL;
}

static struct gql_variable *parse_variable(struct parser *p)
{
    struct gql_variable *v = arena_new(p->arena, struct gql_variable);
    bool initial;

    if (!v)
        return NULL;
    v->at = p->token.at;
    if (!parse_expect(p, GQL_TOK_DOLLAR) || !parse_name(p, &v->name, &v->name_at) ||
        !parse_expect(p, GQL_TOK_COLON))
        return NULL;
    v->type = parse_type(p);
    if (!v->type || !parse_skip(p, GQL_TOK_EQUALS, &initial))
        return NULL;
    if (initial)
        v->initial = parse_literal(p, true);
    if ((initial && !v->initial) || !parse_directives(p, true, &v->directives))
        return NULL;
    return v;
}

static bool parse_variables(struct parser *p, struct gql_variable **ret)
{
    bool there;

    if (!parse_skip(p, GQL_TOK_PAREN_L, &there) || !there)
        return !there;
    do {
        *ret = parse_variable(p);
        if (!*ret)
            return false;
        ret = &(*ret)->next;
    } while (!parse_at(p, GQL_TOK_PAREN_R));
    return parse_advance(p);
}

static const struct {
    struct str word;
    enum gql_operation_kind kind;
} OPERATIONS[] = {
    {{"query", 5}, GQL_QUERY},
    {{"mutation", 8}, GQL_MUTATION},
    {{"subscription", 12}, GQL_SUBSCRIPTION},
};

/* The token is a brace or one of the words above. */
static bool parse_operation(struct parser *p, struct gql_operation *op)
{
    op->at = p->token.at;
    if (parse_at(p, GQL_TOK_BRACE_L)) {
        op->kind = GQL_QUERY;
    } else {
        for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++)
            if (parse_at_word(p, OPERATIONS[i].word))
                op->kind = OPERATIONS[i].kind;
        if (!parse_advance(p))
            return false;
        if (parse_at(p, GQL_TOK_NAME) && !parse_name(p, &op->name, &op->name_at))
            return false;
        if (!parse_variables(p, &op->variables) || !parse_directives(p, false, &op->directives))
            return false;
    }
    op->set = parse_selection_set(p);
    return op->set != NULL;
}

static bool add_operation(struct parser *p)
{
    struct gql_operation *op = arena_new(p->arena, struct gql_operation);

    if (!op || !parse_operation(p, op))
        return false;
    *p->next_operation = op;
    p->next_operation = &op->next;
    p->document->n_operations++;
    return true;
}

static bool parse_fragment(struct parser *p, struct gql_fragment *f)
{
    f->at = p->token.at;
    if (!parse_advance(p))
        return false;
    if (parse_at_word(p, STR("on")))
        return parse_unexpected(p, "the name of a fragment");
    if (!parse_name(p, &f->name, &f->name_at) || !parse_expect_word(p, STR("on")) ||
        !parse_name(p, &f->condition, &f->condition_at) || !parse_directives(p, false, &f->directives))
        return false;
    f->set = parse_selection_set(p);
    return f->set != NULL;
}

static bool add_fragment(struct parser *p)
{
    struct gql_fragment *f = arena_new(p->arena, struct gql_fragment);
    struct gql_document *d = p->document;

    if (!f || !parse_fragment(p, f))
        return false;
    *p->next_fragment = f;
    p->next_fragment = &f->next;
    f->index = d->n_fragments++;
    (void)names_add(&d->by_name, f->name, f);
    return arena_ok(p->arena);
}

static bool parse_definition(struct parser *p)
{
    if (parse_at(p, GQL_TOK_BRACE_L))
        return add_operation(p);
    for (size_t i = 0; i < COUNT_OF(OPERATIONS); i++)
        if (parse_at_word(p, OPERATIONS[i].word))
            return add_operation(p);
    if (parse_at_word(p, STR("fragment")))
        return add_fragment(p);
    return parse_definition_of_type(p);
}

static bool parse_document(struct parser *p)
{
    if (!parse_advance(p))
        return false;
    do {
        if (!parse_definition(p))
            return false;
    } while (!parse_at(p, GQL_TOK_END));
    return true;
}

const struct gql_document *gql_parse(struct str source, const struct gql_parse_limits *limits,
                                     struct arena *arena, struct gql_faults *faults)
{
    struct parser p = {
        .lexer = {.source = source, .arena = arena, .faults = faults},
        .limits = *limits,
        .arena = arena,
        .faults = faults,
        .document = arena_new(arena, struct gql_document),
    };

    MUST(limits->depth <= GQL_DEPTH_LIMIT && limits->bytes < UINT32_MAX);
    faults->source = source;
    if (source.n > limits->bytes) {
        (void)gql_fault_add(faults, NULL, "The document is longer than %zu bytes.", limits->bytes);
        return NULL;
    }
    if (!p.document)
        return NULL;
    *p.document = (struct gql_document){.arena = arena, .source = source, .by_name = names_in(arena)};
    p.next_operation = &p.document->operations;
    p.next_fragment = &p.document->fragments;
    p.next_definition = &p.document->definitions;
    if (!parse_document(&p) || !arena_ok(arena))
        return NULL;
    p.document->n_tokens = (uint32_t)p.n_tokens;
    return p.document;
}
