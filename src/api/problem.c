/*
 * problem.c: one shape for every refusal.
 */
#include "api/problem.h"

#include <string.h>

#include "api/writer.h"
#include "base/str.h"

static const struct {
    unsigned status;
    const char *slug;
    const char *title;
} kinds[] = {
#define X(kind, status_, slug_, title_) [kind] = {status_, slug_, title_},
    PROBLEM_LIST(X)
#undef X
};

unsigned problem_status(enum problem p)
{
    return kinds[p].status;
}

enum problem problem_of(enum err code)
{
    switch (code) {
    case ERR_SYNTAX:
        return PROBLEM_SYNTAX;
    case ERR_INVALID:
        return PROBLEM_INVALID;
    case ERR_NOT_FOUND:
        return PROBLEM_NOT_FOUND;
    case ERR_CONFLICT:
    case ERR_STALE:
        return PROBLEM_CONFLICT;
    case ERR_PRECONDITION:
        return PROBLEM_PRECONDITION;
    case ERR_TOO_LARGE:
        return PROBLEM_TOO_LARGE;
    case ERR_BUSY:
    case ERR_MEMORY:
        return PROBLEM_BUSY;
    case ERR_IO:
    case ERR_UNAVAILABLE:
        return PROBLEM_UNAVAILABLE;
    case ERR_TIMEOUT:
        return PROBLEM_TIMEOUT;
    case ERR_REFUSED:
        return PROBLEM_FORBIDDEN;
    case ERR_UNSUPPORTED:
        return PROBLEM_UNSUPPORTED;
    case ERR_NONE:
    case ERR_INTERNAL:
        return PROBLEM_INTERNAL;
    }
    return PROBLEM_INTERNAL;
}

unsigned problem_retry_after(enum problem p)
{
    if (problem_status(p) != 503)
        return 0;
    return p == PROBLEM_BUSY ? 1 : 5;
}

static void write_fault(struct writer *w, const struct error *fault)
{
    struct str where = str_of(fault->where);

    write_object(w, NULL);
    if (where.n > 0 && where.p[0] == '?')
        write_str(w, "parameter", (struct str){where.p + 1, where.n - 1});
    else if (where.n > 0 && where.p[0] == ':')
        write_str(w, "header", (struct str){where.p + 1, where.n - 1});
    else if (where.n > 0 && where.p[0] != '/')
        write_str(w, "position", where);
    else
        write_str(w, "pointer", where);
    write_cstr(w, "detail", fault->text);
    write_end_object(w);
}

void problem_write(struct buf *out, enum problem p, struct str detail, const struct error_list *faults)
{
    struct writer w = writer_of(out);

    write_object(&w, NULL);
    buf_add_cstr(out, "\"type\":\"" PROBLEM_URN);
    buf_add_cstr(out, kinds[p].slug);
    buf_add_cstr(out, "\",\"title\":");
    buf_add_json(out, str_of(kinds[p].title));
    buf_add_cstr(out, ",\"status\":");
    buf_add_u64(out, kinds[p].status);
    w.filled |= UINT64_C(1) << w.depth;
    if (detail.n > 0)
        write_str(&w, "detail", detail);
    if (faults && faults->n > 0) {
        write_array(&w, "errors");
        for (size_t i = 0; i < faults->n; i++)
            write_fault(&w, &faults->items[i]);
        write_end_array(&w);
        if (faults->dropped > 0)
            write_i64(&w, "more_errors", (int64_t)faults->dropped);
    }
    write_end_object(&w);
}

/* Not every `where` is for a client: the store's names a table, say. */
static bool tells_place(const struct error *err)
{
    return strchr("/?:", err->where[0]) ? err->where[0] != '\0'
                                        : str_starts(str_of(err->where), STR("line "));
}

void problem_write_error(struct buf *out, enum problem p, const struct error *err)
{
    struct error_list one;

    /* Not initialised whole: the list is large and this is a hot path for clients that keep being refused. */
    one.n = 0;
    one.dropped = 0;
    if (tells_place(err))
        one.items[one.n++] = *err;
    problem_write(out, p, str_of(err->text), &one);
}
