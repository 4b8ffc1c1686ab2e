/*
 * scalars.c: DateTime, JSON and Long. What goes out is right as it comes; what comes in is judged here only
 * as far as its type goes.
 */
#include "api/graphql/fields.h"
#include "base/str.h"
#include "calendar/iso8601.h"

/* Whole numbers that a double holds exactly, as JavaScript's do. */
#define LONG_MAX_VALUE ((INT64_C(1) << 53) - 1)

static enum err parse_datetime(const json_t *in, json_t **ret, struct error *err)
{
    struct iso_time t;

    if (!json_is_string(in) || iso_parse(json_str(in), &t, NULL) || !t.has_offset)
        return error_set(err, ERR_INVALID, NULL,
                         "a DateTime must be an instant with its offset, such as 2026-11-23T09:00:00Z");
    *ret = json_incref((json_t *)(uintptr_t)in);
    return ERR_NONE;
}

static enum err parse_long(const json_t *in, json_t **ret, struct error *err)
{
    double d = json_is_real(in) ? json_real_value(in) : 0.5;
    int64_t n = LONG_MAX_VALUE + 1;

    if (json_is_integer(in))
        n = json_integer_value(in);
    else if (d >= -(double)LONG_MAX_VALUE && d <= (double)LONG_MAX_VALUE && (double)(int64_t)d == d)
        n = (int64_t)d;
    if (n > LONG_MAX_VALUE || n < -LONG_MAX_VALUE)
        return error_set(err, ERR_INVALID, NULL, "a Long must be a whole number of up to 53 bits");
    *ret = json_integer(n);
    return *ret ? ERR_NONE : error_set(err, ERR_MEMORY, NULL, "out of memory");
}

const struct gql_scalar graphql_scalars[GRAPHQL_SCALARS] = {
    {.name = "DateTime", .parse = parse_datetime}, {.name = "JSON"}, {.name = "Long", .parse = parse_long}};
