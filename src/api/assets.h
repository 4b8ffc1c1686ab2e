/*
 * assets.h: the docs page, the GraphQL explorer and their parts, and GraphQL's schema, put into the binary by
 * assets/embed.py.
 */
#ifndef API_ASSETS_H
#define API_ASSETS_H

#include "base/base.h"

extern const struct str asset_docs_html;
extern const struct str asset_docs_js;
extern const struct str asset_docs_css;
extern const struct str asset_docs_svg;
extern const struct str asset_explorer_html;
extern const struct str asset_explorer_js;
extern const struct str asset_explorer_css;
/* The larger explorer, compressed (gzip); empty where it was not to be had when this was built. */
extern const struct str asset_graphiql_html;
extern const struct str asset_graphiql_js;
extern const struct str asset_graphiql_css;
extern const struct str asset_schema_graphql;

#endif
