/*
 * page.h: lists in pages: the limit, the opaque cursor, and the Link to the next one.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/request.h"

enum { PAGE_LIMIT_DEFAULT = 100, PAGE_LIMIT_MAX = 1000 };

struct page {
    size_t limit;
    struct uuid at; /* nil: the first page */
};

/* From `limit` and `cursor`. */
struct page page_of(const struct request *r, struct error_list *faults);
/* The cursor to what follows the row with this id: "i" and the id. */
enum { PAGE_CURSOR_TEXT = 1 + 36 };
void page_cursor(struct str id, char ret[PAGE_CURSOR_TEXT + 1]);
/* The Link header to the page behind `last`: the request's own parameters with another cursor. */
void page_link(struct request *r, const char *path, struct uuid last);

#endif
