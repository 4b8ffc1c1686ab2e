/*
 * pages.c: what is the same for everyone and ever: prepared at the start, sent as it is.
 */
#include "api/api_internal.h"
#include "api/assets.h"
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

void handle_explorer(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_EXPLORER]);
}

void handle_explorer_script(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_EXPLORER_SCRIPT]);
}

void handle_explorer_style(struct request *r)
{
    answer_prepared(r, r->api->pages[PAGE_EXPLORER_STYLE]);
}

static void answer_graphiql(struct request *r, enum prepared_page page)
{
    if (asset_graphiql_js.n > 0)
        answer_prepared(r, r->api->pages[page]);
    else
        answer_problem(r, PROBLEM_NOT_FOUND, "GraphiQL was not built in; there is /graphql/explorer");
}

void handle_graphiql_script(struct request *r)
{
    answer_graphiql(r, PAGE_GRAPHIQL_SCRIPT);
}

void handle_graphiql_style(struct request *r)
{
    answer_graphiql(r, PAGE_GRAPHIQL_STYLE);
}

void answer_explorer(struct request *r)
{
    if (asset_graphiql_js.n > 0) {
        answer_prepared(r, r->api->pages[PAGE_GRAPHIQL]);
        return;
    }
    answer_empty(r, 303);
    answer_header(r, "Location", "graphql/explorer");
}
