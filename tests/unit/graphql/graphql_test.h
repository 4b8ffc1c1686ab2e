/* graphql_test.h: a small schema with one of everything, and documents on it, for the tests of this room. */
#ifndef TESTS_GRAPHQL_TEST_H
#define TESTS_GRAPHQL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "graphql/execute.h"
#include "graphql/parse.h"
#include "graphql/validate.h"

enum { TEST_MEMORY = 16 * 1024 * 1024, TEST_TEXT = 1024 * 1024 };

#define TEST_SDL                                                                                             \
    "directive @many repeatable on FIELD\n"                                                                  \
    "type Query { dog: Dog, human(id: ID!, size: Size = BIG): Human, pets: [Pet!], animals: [Animal]\n"      \
    "  find(filter: Filter!, list: [Int!], flag: Boolean): String, count: Int!, broken: Int! }\n"            \
    "interface Animal { name(short: Boolean = false): String! }\n"                                           \
    "type Dog implements Animal { name(short: Boolean = false): String!, barks: Boolean!, owner: Human,\n"   \
    "  nick: String }\n"                                                                                     \
    "type Cat implements Animal { name(short: Boolean = false): String!, meows: Int, nick: Int }\n"          \
    "type Human { id: ID!, name: String, pets(first: Int): [Pet!]!, born: Date,\n"                           \
    "  height: Float }\n"                                                                                    \
    "union Pet = Dog | Cat\n"                                                                                \
    "enum Size { BIG SMALL @deprecated }\n"                                                                  \
    "input Filter { text: String!, size: Size! = SMALL, ids: [ID!], not: Filter }\n"                         \
    "scalar Date @specifiedBy(url: \"https://example.org/date\")\n"                                          \
    "type Mutation { set(to: Int!): Int!, then: Human }\n"                                                   \
    "type Subscription { barked: Dog, tick: Int! }\n"

UNUSED static struct gql_schema *test_schema(gql_resolve_fn otherwise)
{
    struct gql_schema_options options = {.otherwise = otherwise};
    struct gql_schema *s = NULL;
    struct error err = {0};

    if (gql_schema_new(STR(TEST_SDL), &options, &s, &err))
        fail_msg("%s: %s", err.where, err.text);
    return s;
}

#endif
