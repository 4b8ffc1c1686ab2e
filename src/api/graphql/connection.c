/*
 * connection.c: see connection.h. A page's info is the page itself.
 */
#include "api/graphql/connection.h"

#include "api/page.h"
#include "base/str.h"

struct connection {
    const json_t *items;
    bool more;
};

struct gql_value connection_new(struct gql_execution *x, const json_t *items, bool more)
{
    struct connection *c = gql_alloc(x, sizeof(*c));

    if (!c)
        return gql_null();
    *c = (struct connection){items, more};
    return gql_object(c);
}

static const json_t *items_of(const struct gql_call *call, size_t i)
{
    const struct connection *c = call->objects[i];

    return c->items;
}

enum gql_progress resolve_connection_items(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = gql_json(items_of(call, i));
    return GQL_ANSWERED;
}

static struct gql_value cursor_of(const struct gql_call *call, const json_t *node)
{
    const json_t *id = json_object_get(node, "id");
    char text[PAGE_CURSOR_TEXT + 1];

    if (!json_is_string(id))
        return gql_null();
    page_cursor(json_str(id), text);
    return gql_str(gql_copy(call->execution, str_of(text)));
}

enum gql_progress resolve_edge_cursor(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = cursor_of(call, call->objects[i]);
    return GQL_ANSWERED;
}

enum gql_progress resolve_page_has_next(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const struct connection *c = call->objects[i];

        call->values[i] = gql_bool(c->more);
    }
    return GQL_ANSWERED;
}

enum gql_progress resolve_page_has_previous(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = gql_bool(false);
    return GQL_ANSWERED;
}

enum gql_progress resolve_page_start(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++)
        call->values[i] = cursor_of(call, json_array_get(items_of(call, i), 0));
    return GQL_ANSWERED;
}

enum gql_progress resolve_page_end(struct gql_call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        const json_t *items = items_of(call, i);
        size_t n = json_array_size(items);

        call->values[i] = n > 0 ? cursor_of(call, json_array_get(items, n - 1)) : gql_null();
    }
    return GQL_ANSWERED;
}
