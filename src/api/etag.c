/*
 * etag.c: lists of entity tags. A tag of ours is a decimal number in quotes.
 */
#include "api/etag.h"

#include <stdio.h>

#include "base/str.h"

void etag_format(int64_t version, char ret[ETAG_MAX])
{
    (void)snprintf(ret, ETAG_MAX, "\"%lld\"", (long long)version);
}

struct tag {
    bool weak;
    struct str text; /* without its quotes */
};

/* Cuts the next tag off *rest. False when none is there, or it is malformed, which *ret_bad tells. */
static bool cut_tag(struct str *rest, struct tag *ret, bool *ret_bad)
{
    struct str s = *rest;
    size_t end;

    *ret_bad = false;
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == ','))
        s = (struct str){s.p + 1, s.n - 1};
    if (s.n == 0)
        return false;
    *ret_bad = true;
    ret->weak = str_starts(s, STR("W/"));
    if (ret->weak)
        s = (struct str){s.p + 2, s.n - 2};
    if (s.n < 2 || s.p[0] != '"')
        return false;
    s = (struct str){s.p + 1, s.n - 1};
    end = str_find(s, '"');
    if (end == s.n)
        return false;
    ret->text = (struct str){s.p, end};
    *rest = (struct str){s.p + end + 1, s.n - end - 1};
    if (rest->n > 0 && rest->p[0] != ',' && rest->p[0] != ' ' && rest->p[0] != '\t')
        return false;
    *ret_bad = false;
    return true;
}

/* -1: no version of ours looks like this. */
static int64_t tag_version(const struct tag *t)
{
    char canonical[ETAG_MAX];
    int64_t version;

    if (!str_to_i64(t->text, &version) || version < 1)
        return -1;
    etag_format(version, canonical);
    return str_eq((struct str){canonical + 1, str_of(canonical).n - 2}, t->text) ? version : -1;
}

enum err etag_if_match(struct str header, int64_t *ret_version, struct error *err)
{
    struct str rest = header;
    int64_t found = -1;
    struct tag tag;
    size_t n = 0;
    bool bad;

    if (!header.p || str_eq(str_trim(header), STR("*"))) {
        *ret_version = 0;
        return ERR_NONE;
    }
    while (cut_tag(&rest, &tag, &bad)) {
        /* RFC 9110, 13.1.1: compared strongly, so a weak tag matches nothing. */
        int64_t version = tag.weak ? -1 : tag_version(&tag);

        n++;
        if (version < 0 || version == found)
            continue;
        if (found > 0)
            return error_set(err, ERR_SYNTAX, ":If-Match", "only one entity tag can be checked");
        found = version;
    }
    if (bad || n == 0)
        return error_set(err, ERR_SYNTAX, ":If-Match", "must be an entity tag such as \"1\" in quotes, or *");
    *ret_version = found;
    return ERR_NONE;
}

bool etag_none_match(struct str header, int64_t version)
{
    struct str rest = header;
    struct tag tag;
    bool bad;

    if (!header.p)
        return false;
    if (str_eq(str_trim(header), STR("*")))
        return true;
    while (cut_tag(&rest, &tag, &bad)) {
        if (tag_version(&tag) == version)
            return true;
    }
    return false;
}
