/*
 * router.c: a path meets the table. Some thirty patterns of at most three segments: comparing them one by one
 * costs less than anything that would have to be built first.
 */
#include <string.h>

#include "api/route.h"
#include "base/str.h"

static const char *const names[] = {
#define X(value, text) [value] = text,
    METHOD_LIST(X)
#undef X
};

const char *method_name(enum method m)
{
    return names[m];
}

/* Whether `t` fits the pattern; *ret_id is what {id} stood for. */
static bool fits(const char *pattern, const struct target *t, struct str *ret_id)
{
    struct str rest = str_of(pattern + 1);
    struct str wanted;
    size_t i = 0;

    *ret_id = (struct str){NULL, 0};
    while (str_cut(&rest, '/', &wanted)) {
        if (i == t->segments_n)
            return false;
        if (str_eq(wanted, STR("{id}")) && t->segments[i].n > 0)
            *ret_id = t->segments[i];
        else if (!str_eq(wanted, t->segments[i]))
            return false;
        i++;
    }
    return i == t->segments_n;
}

static bool method_fits(const struct route *r, struct str method)
{
    return str_eq(str_of(names[r->method]), method) ||
           (r->method == METHOD_GET && str_eq(method, STR("HEAD")));
}

void route_find(const struct target *t, struct str method, struct route_match *ret)
{
    const char *path = NULL;
    struct str id;

    *ret = (struct route_match){.fit = ROUTE_NO_PATH};
    if (t->too_deep)
        return;
    for (size_t i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];

        if (path ? strcmp(path, r->path) != 0 : !fits(r->path, t, &id))
            continue;
        path = r->path;
        ret->fit = ret->fit == ROUTE_FOUND ? ROUTE_FOUND : ROUTE_NO_METHOD;
        ret->allowed |= 1U << r->method;
        ret->id = id;
        if (method_fits(r, method)) {
            ret->fit = ROUTE_FOUND;
            ret->route = r;
        }
    }
}

void route_allow(unsigned allowed, char ret[ROUTE_ALLOW_MAX])
{
    size_t at = 0;

    ret[0] = '\0';
    for (size_t m = 0; m < METHODS_N; m++) {
        const char *name = m == METHOD_GET ? "GET, HEAD" : names[m];
        size_t n = strlen(name);

        if (!(allowed & (1U << m)))
            continue;
        MUST(at + n + 3 < ROUTE_ALLOW_MAX);
        if (at > 0) {
            memcpy(ret + at, ", ", 2);
            at += 2;
        }
        memcpy(ret + at, name, n + 1);
        at += n;
    }
}

size_t route_param_names(const struct route *r, const char *ret[ROUTE_PARAMS_MAX])
{
    size_t n = 0;

    for (const struct param *const *p = r->params; p && *p; p++) {
        MUST(n < ROUTE_PARAMS_MAX);
        ret[n++] = (*p)->name;
    }
    return n;
}
