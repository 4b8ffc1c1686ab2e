/*
 * validate.c: the table of rules, and the frame in which they are asked.
 */
#include "graphql/validate.h"

#include "graphql/check.h"

/*
 * Section 5, in its order. Section 5.3.2 stands last, behind the limits that keep it short.
 */
static const struct gql_rule RULES[] = {
    {.name = "ExecutableDefinitions", .section = "5.1.1", .document = check_executable},
    {.name = "UniqueOperationNames", .section = "5.2.1.1", .document = check_operation_names},
    {.name = "LoneAnonymousOperation", .section = "5.2.2.1", .document = check_lone_anonymous},
    {.name = "SingleFieldSubscriptions", .section = "5.2.3.1", .operation = check_single_subscription},
    {.name = "FieldsOnCorrectType", .section = "5.3.1", .selection = check_field_exists},
    {.name = "ScalarLeafs", .section = "5.3.3", .selection = check_leaf},
    {.name = "KnownArgumentNames", .section = "5.4.1", .arguments = check_argument_known},
    {.name = "UniqueArgumentNames", .section = "5.4.2", .arguments = check_argument_unique},
    {.name = "ProvidedRequiredArguments", .section = "5.4.2.1", .arguments = check_argument_required},
    {.name = "UniqueFragmentNames", .section = "5.5.1.1", .document = check_fragment_names},
    {.name = "KnownTypeNames",
     .section = "5.5.1.2",
     .operation = check_type_of_variables,
     .fragment = check_type_of_fragment,
     .selection = check_type_of_inline},
    {.name = "FragmentsOnCompositeTypes",
     .section = "5.5.1.3",
     .fragment = check_composite_fragment,
     .selection = check_composite_inline},
    {.name = "NoUnusedFragments", .section = "5.5.1.4", .document = check_fragments_used},
    {.name = "KnownFragmentNames", .section = "5.5.2.1", .selection = check_fragment_known},
    {.name = "NoFragmentCycles", .section = "5.5.2.2", .document = check_cycles},
    {.name = "PossibleFragmentSpreads", .section = "5.5.2.3", .selection = check_spread_possible},
    /* 5.6.2 and 5.6.4, the fields of input objects, are the same walk */
    {.name = "ValuesOfCorrectType", .section = "5.6.1, 5.6.2, 5.6.4", .value = check_value},
    {.name = "UniqueInputFieldNames", .section = "5.6.3", .value = check_input_fields_unique},
    {.name = "KnownDirectives", .section = "5.7.1, 5.7.2", .directives = check_directives_known},
    {.name = "UniqueDirectivesPerLocation", .section = "5.7.3", .directives = check_directives_unique},
    {.name = "UniqueVariableNames", .section = "5.8.1", .operation = check_variable_names},
    {.name = "VariablesAreInputTypes", .section = "5.8.2", .operation = check_variable_types},
    {.name = "NoUndefinedVariables", .section = "5.8.3", .document = check_variables_defined},
    {.name = "NoUnusedVariables", .section = "5.8.4", .document = check_variables_used},
    {.name = "VariablesInAllowedPosition", .section = "5.8.5", .document = check_variable_positions},
    {.name = "Limits", .section = "", .document = check_limits},
    {.name = "OverlappingFieldsCanBeMerged", .section = "5.3.2", .document = check_merge},
};

bool gql_rule_at(size_t i, const char **ret_name, const char **ret_section)
{
    if (i >= COUNT_OF(RULES))
        return false;
    *ret_name = RULES[i].name;
    *ret_section = RULES[i].section;
    return true;
}

static bool prepare(struct gql_check *c)
{
    const struct gql_document *d = c->document;
    struct check_definition *next;

    c->n_definitions = (size_t)d->n_operations + d->n_fragments;
    c->definitions = arena_array(c->arena, c->n_definitions, sizeof(*c->definitions));
    c->order = arena_array(c->arena, d->n_fragments, sizeof(struct check_definition *));
    c->stack = arena_array(c->arena, c->n_definitions + 1, sizeof(struct check_definition *));
    if (!arena_ok(c->arena))
        return false;
    next = c->definitions;
    for (const struct gql_operation *op = d->operations; op; op = op->next)
        *next++ = (struct check_definition){.operation = op, .type = c->schema->roots[op->kind]};
    for (const struct gql_fragment *f = d->fragments; f; f = f->next)
        *next++ = (struct check_definition){.fragment = f, .type = check_composite(c, f->condition)};
    return true;
}

bool gql_validate(const struct gql_schema *s, const struct gql_document *d, const struct gql_limits *limits,
                  struct arena *arena, struct gql_faults *faults)
{
    struct gql_check c = {.schema = s, .document = d, .limits = limits, .arena = arena, .faults = faults};

    gql_faults_init(faults, arena, d->source, limits->errors);
    if (!prepare(&c))
        return false;
    check_walk(&c, RULES, COUNT_OF(RULES));
    return faults->n == 0 && !faults->full && arena_ok(arena);
}
