/*
 * pages.c: what is the same for everyone and ever: prepared at the start, sent as it is.
 */
#include "api/api_internal.h"
#include "api/handlers.h"

void handle_openapi(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_OPENAPI]);
}

void handle_docs(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_DOCS]);
}

void handle_docs_script(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_DOCS_SCRIPT]);
}

void handle_docs_style(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_DOCS_STYLE]);
}

void handle_docs_icon(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_DOCS_ICON]);
}

void handle_root(struct request *r)
{
    answer_empty(r, 303);
    answer_header(r, "Location", "docs"); /* relative: a proxy may put a prefix before it */
}

void handle_graphql_script(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_GRAPHQL_SCRIPT]);
}

void handle_graphql_style(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_GRAPHQL_STYLE]);
}
