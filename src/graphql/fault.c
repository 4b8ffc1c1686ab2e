/*
 * fault.c: faults gathered, placed and written.
 */
#include "graphql/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

enum { MESSAGE_MAX = 800 };

/* How many bytes of a line's end begin at `at`; 0: none. */
static size_t line_end(struct str s, size_t at)
{
    if (s.p[at] == '\n')
        return 1;
    if (s.p[at] != '\r')
        return 0;
    return at + 1 < s.n && s.p[at + 1] == '\n' ? 2 : 1;
}

struct gql_place gql_place_of(struct str source, size_t at)
{
    struct gql_place place = {1, 1};
    size_t i = 0;

    while (i < at && i < source.n) {
        size_t end = line_end(source, i);
        size_t width = end ? end : str_utf8_char((struct str){source.p + i, source.n - i});

        if (i + end > at)
            break; /* between \r and \n */
        if (end) {
            place.line++;
            place.column = 1;
        } else {
            place.column += width == 4 ? 2 : 1;
        }
        i += width > 0 ? width : 1;
    }
    return place;
}

void gql_faults_init(struct gql_faults *f, struct arena *arena, struct str source, size_t max)
{
    *f = (struct gql_faults){.arena = arena, .source = source, .max = max};
    f->end = &f->first;
}

struct gql_fault *gql_fault_add(struct gql_faults *f, const char *rule, const char *format, ...)
{
    char text[MESSAGE_MAX];
    struct gql_fault *fault;
    va_list args;

    if (f->n == f->max) {
        f->full = true;
        return NULL;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fault = arena_new(f->arena, struct gql_fault);
    if (!fault)
        return NULL;
    fault->message = arena_str(f->arena, str_of(text));
    fault->rule = rule;
    *f->end = fault;
    f->end = &fault->next;
    f->n++;
    return fault;
}

void gql_fault_at(const struct gql_faults *f, struct gql_fault *fault, size_t at)
{
    if (fault && fault->n_places < GQL_PLACES_MAX)
        fault->places[fault->n_places++] = gql_place_of(f->source, at);
}

void gql_fault_write(const struct gql_fault *fault, struct buf *out)
{
    buf_add_cstr(out, "{\"message\":");
    buf_add_json(out, fault->message);
    for (size_t i = 0; i < fault->n_places; i++)
        buf_addf(out, "%s{\"line\":%u,\"column\":%u}", i == 0 ? ",\"locations\":[" : ",",
                 fault->places[i].line, fault->places[i].column);
    if (fault->n_places > 0)
        buf_add_char(out, ']');
    if (fault->path.n > 0) {
        buf_add_cstr(out, ",\"path\":");
        buf_add(out, fault->path);
    }
    if (fault->extensions.n > 0) {
        buf_add_cstr(out, ",\"extensions\":");
        buf_add(out, fault->extensions);
    }
    buf_add_char(out, '}');
}

void gql_faults_write(const struct gql_faults *f, struct buf *out)
{
    buf_add_char(out, '[');
    for (const struct gql_fault *fault = f->first; fault; fault = fault->next) {
        if (fault != f->first)
            buf_add_char(out, ',');
        gql_fault_write(fault, out);
    }
    buf_add_char(out, ']');
}
