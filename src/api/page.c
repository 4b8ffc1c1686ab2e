/*
 * page.c: a cursor is the last id of a page. Its first character says so: another order of sorting would get
 * another.
 */
#include "api/page.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static bool parse_cursor(struct str text, struct uuid *ret)
{
    return text.n == UUID_TEXT + 1 && text.p[0] == 'i' &&
           uuid_parse((struct str){text.p + 1, UUID_TEXT}, ret);
}

void page_cursor(struct str id, char ret[PAGE_CURSOR_TEXT + 1])
{
    (void)snprintf(ret, PAGE_CURSOR_TEXT + 1, "i%.*s", (int)(id.n < UUID_TEXT ? id.n : UUID_TEXT), id.p);
}

struct page page_of(const struct request *r, struct error_list *faults)
{
    struct page p = {
        .limit = (size_t)target_number(&r->target, "limit", PAGE_LIMIT_DEFAULT, 1, PAGE_LIMIT_MAX, faults)};
    struct str cursor = target_param(&r->target, "cursor");

    if (cursor.p && !parse_cursor(cursor, &p.at))
        (void)error_list_add(faults, ERR_INVALID, "?cursor", "is none that this server gave");
    return p;
}

void page_link(struct request *r, const char *path, struct uuid last)
{
    struct buf *link = &r->answer.link;
    char id[UUID_TEXT + 1];
    char cursor[PAGE_CURSOR_TEXT + 1];

    uuid_format(last, id);
    page_cursor(str_of(id), cursor);
    buf_addf(link, "<%s?", path);
    for (size_t i = 0; i < r->target.params_n; i++) {
        const struct query_param *p = &r->target.params[i];

        if (str_eq(p->name, STR("cursor")))
            continue;
        query_escape(link, p->name);
        buf_add_char(link, '=');
        query_escape(link, p->value);
        buf_add_char(link, '&');
    }
    buf_addf(link, "cursor=%s>; rel=\"next\"", cursor);
    /* Escaping at most triples what was itself at most TARGET_MAX long. */
    MUST(buf_ok(link) || link->failed == ERR_MEMORY);
}
