/*
 * prelude.h: what every schema has without saying so: the built-in scalars and directives and the types of
 * introspection (3.5, 3.13, 4.2), as SDL. For the schema's builder alone.
 */
#ifndef GRAPHQL_PRELUDE_H
#define GRAPHQL_PRELUDE_H

#include "base/base.h"

struct str gql_prelude(void);

#endif
