/*
 * print.c: a schema as text, in the form of graphql-js' printSchema(): the one that tools compare by.
 */
#include "base/str.h"
#include "graphql/coerce.h"
#include "graphql/schema.h"

/* --- descriptions -------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t')
            return true;
    return false;
}

/* What a line is to a block string. */
static bool line_is_blank(struct str line)
{
    size_t i = 0;

    while (i < line.n && is_blank(line.p[i]))
        i++;
    return i == line.n;
}

struct lines {
    size_t n;
    bool first_blank;
    bool last_blank;
    bool all_indented;  /* each line that is not blank begins with a blank */
    bool rest_indented; /* each line but the first is empty or begins with a blank */
};

static struct lines look_at_lines(struct str s)
{
    struct lines l = {.all_indented = true, .rest_indented = true};
    struct str line;

    while (str_cut(&s, '\n', &line)) {
        bool blank = line_is_blank(line);

        l.first_blank = l.n == 0 ? blank : l.first_blank;
        l.last_blank = blank;
        if (!blank && !is_blank(line.p[0]))
            l.all_indented = false;
        if (l.n > 0 && line.n > 0 && !is_blank(line.p[0]))
            l.rest_indented = false;
        l.n++;
    }
    return l;
}

/* Whether a block string would give back the same text. */
static bool fits_block(struct str s, const struct lines *l)
{
    if (s.n == 0)
        return true;
    return !has_control(s) && !l->first_blank && !l->last_blank && !(l->all_indented && l->n > 1);
}

static size_t characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            n++;
        if ((unsigned char)s.p[i] >= 0xF0)
            n++; /* two units of UTF-16 */
    }
    return n;
}

static void add_indented(struct str s, struct str indent, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str rest = {s.p + i, s.n - i};

        if (str_starts(rest, STR("\"\"\""))) {
            buf_add_cstr(out, "\\\"\"\"");
            i += 2;
            continue;
        }
        buf_add_char(out, s.p[i]);
        if (s.p[i] == '\n')
            buf_add(out, indent);
    }
}

static void print_block(struct str s, const struct lines *l, struct str indent, struct buf *out)
{
    bool one = l->n <= 1;
    bool force_leading = l->n > 1 && l->rest_indented;
    bool quotes = str_ends(s, STR("\"\"\""));
    bool force_trailing = (str_ends(s, STR("\"")) && !quotes) || str_ends(s, STR("\\"));
    bool several = !one || characters(s) > 70 || force_trailing || force_leading || quotes;
    bool skip_leading = one && s.n > 0 && is_blank(s.p[0]);

    buf_add_cstr(out, "\"\"\"");
    if ((several && !skip_leading) || force_leading) {
        buf_add_char(out, '\n');
        buf_add(out, indent);
    }
    add_indented(s, indent, out);
    if (several) {
        buf_add_char(out, '\n');
        buf_add(out, indent);
    }
    buf_add_cstr(out, "\"\"\"");
}

/* `first`: it stands right behind an opening bracket. */
static void print_description(bool described, struct str s, struct str indent, bool first, struct buf *out)
{
    struct lines l = look_at_lines(s);

    if (!described)
        return;
    if (indent.n > 0 && !first)
        buf_add_char(out, '\n');
    buf_add(out, indent);
    if (fits_block(s, &l))
        print_block(s, &l, indent, out);
    else
        gql_string_print(s, out);
    buf_add_char(out, '\n');
}

/* --- definitions --------------------------------------------------------------------------------------- */

static void print_deprecation(bool deprecated, struct str reason, struct buf *out)
{
    if (!deprecated)
        return;
    buf_add_cstr(out, " @deprecated");
    if (str_eq(reason, STR("No longer supported")))
        return;
    buf_add_cstr(out, "(reason: ");
    gql_string_print(reason, out);
    buf_add_char(out, ')');
}

static void print_input(const struct gql_input *in, struct buf *out)
{
    buf_add(out, in->name);
    buf_add_cstr(out, ": ");
    gql_ref_write(in->ref, out);
    if (!in->value)
        return;
    buf_add_cstr(out, " = ");
    gql_value_print(in->value, in->ref, out);
}

static void print_arguments(const struct gql_inputs *args, struct str indent, struct buf *out)
{
    struct str inner = indent.n > 0 ? STR("    ") : STR("  ");
    bool described = false;

    if (args->n == 0)
        return;
    for (size_t i = 0; i < args->n; i++)
        described = described || (args->items[i].described && args->items[i].description.n > 0);
    buf_add_cstr(out, described ? "(\n" : "(");
    for (size_t i = 0; i < args->n; i++) {
        const struct gql_input *in = &args->items[i];

        if (i > 0)
            buf_add_cstr(out, described ? "\n" : ", ");
        if (described) {
            print_description(in->described, in->description, inner, i == 0, out);
            buf_add(out, inner);
        }
        print_input(in, out);
    }
    if (described) {
        buf_add_char(out, '\n');
        buf_add(out, indent);
    }
    buf_add_char(out, ')');
}

static void print_fields(const struct gql_type *t, struct buf *out)
{
    for (size_t i = 0; i < t->n_interfaces; i++) {
        buf_add_cstr(out, i == 0 ? " implements " : " & ");
        buf_add(out, t->interfaces[i]->name);
    }
    buf_add_cstr(out, " {\n");
    for (size_t i = 0; i < t->n_fields; i++) {
        const struct gql_field *f = &t->fields[i];

        print_description(f->described, f->description, STR("  "), i == 0, out);
        buf_add_cstr(out, "  ");
        buf_add(out, f->name);
        print_arguments(&f->arguments, STR("  "), out);
        buf_add_cstr(out, ": ");
        gql_ref_write(f->ref, out);
        print_deprecation(f->deprecated, f->deprecation, out);
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '}');
}

static void print_values(const struct gql_type *t, struct buf *out)
{
    buf_add_cstr(out, " {\n");
    for (size_t i = 0; i < t->n_values; i++) {
        const struct gql_enum_value *v = &t->values[i];

        print_description(v->described, v->description, STR("  "), i == 0, out);
        buf_add_cstr(out, "  ");
        buf_add(out, v->name);
        print_deprecation(v->deprecated, v->deprecation, out);
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '}');
}

static void print_inputs(const struct gql_type *t, struct buf *out)
{
    buf_add_cstr(out, " {\n");
    for (size_t i = 0; i < t->inputs.n; i++) {
        const struct gql_input *in = &t->inputs.items[i];

        print_description(in->described, in->description, STR("  "), i == 0, out);
        buf_add_cstr(out, "  ");
        print_input(in, out);
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '}');
}

static void print_type(const struct gql_type *t, struct buf *out)
{
    static const char *const words[] = {
        [GQL_SCALAR] = "scalar ", [GQL_OBJECT] = "type ", [GQL_INTERFACE] = "interface ",
        [GQL_UNION] = "union ",   [GQL_ENUM] = "enum ",   [GQL_INPUT] = "input ",
    };

    print_description(t->described, t->description, STR(""), true, out);
    buf_add_cstr(out, words[t->kind]);
    buf_add(out, t->name);
    switch (t->kind) {
    case GQL_SCALAR:
        if (t->specified_by.n > 0) {
            buf_add_cstr(out, " @specifiedBy(url: ");
            gql_string_print(t->specified_by, out);
            buf_add_char(out, ')');
        }
        break;
    case GQL_OBJECT:
    case GQL_INTERFACE:
        print_fields(t, out);
        break;
    case GQL_UNION:
        for (size_t i = 0; i < t->n_possible; i++) {
            buf_add_cstr(out, i == 0 ? " = " : " | ");
            buf_add(out, t->possible[i]->name);
        }
        break;
    case GQL_ENUM:
        print_values(t, out);
        break;
    case GQL_INPUT:
        print_inputs(t, out);
        break;
    }
}

static void print_directive(const struct gql_directive_type *d, struct buf *out)
{
    print_description(d->described, d->description, STR(""), true, out);
    buf_add_cstr(out, "directive @");
    buf_add(out, d->name);
    print_arguments(&d->arguments, STR(""), out);
    buf_add_cstr(out, d->repeatable ? " repeatable on " : " on ");
    for (size_t i = 0; i < d->n_places; i++) {
        buf_add_cstr(out, i > 0 ? " | " : "");
        buf_add_cstr(out, gql_place_name(d->places[i]));
    }
}

static const struct {
    const char *word;
    const char *common;
} ROOTS[] = {
    [GQL_QUERY] = {"query", "Query"},
    [GQL_MUTATION] = {"mutation", "Mutation"},
    [GQL_SUBSCRIPTION] = {"subscription", "Subscription"},
};

/* The definition of the schema goes without saying when its roots have the names that all expect. */
static bool is_common(const struct gql_schema *s)
{
    for (size_t i = 0; i < COUNT_OF(ROOTS); i++)
        if (s->roots[i] && !str_eq(s->roots[i]->name, str_of(ROOTS[i].common)))
            return false;
    return !s->described;
}

static void print_roots(const struct gql_schema *s, struct buf *out)
{
    print_description(s->described, s->description, STR(""), true, out);
    buf_add_cstr(out, "schema {\n");
    for (size_t i = 0; i < COUNT_OF(ROOTS); i++) {
        if (!s->roots[i])
            continue;
        buf_addf(out, "  %s: ", ROOTS[i].word);
        buf_add(out, s->roots[i]->name);
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '}');
}

void gql_schema_print(const struct gql_schema *s, struct buf *out)
{
    const char *between = "";

    if (!is_common(s)) {
        print_roots(s, out);
        between = "\n\n";
    }
    for (size_t i = 0; i < s->n_directives; i++) {
        if (s->directives[i].hidden)
            continue;
        buf_add_cstr(out, between);
        print_directive(&s->directives[i], out);
        between = "\n\n";
    }
    for (size_t i = 0; i < s->n_types; i++) {
        if (s->types[i]->hidden)
            continue;
        buf_add_cstr(out, between);
        print_type(s->types[i], out);
        between = "\n\n";
    }
}
