/*
 * schema.h: the shapes of bodies and parameters as tables, from which OpenAPI's schemas are written. Values
 * of enums come from the very lists that the decoders use. Pure.
 */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H

#include "base/base.h"

struct writer;

enum value_kind {
    VALUE_STRING,
    VALUE_STRING_OR_NUMBER,
    VALUE_INTEGER,
    VALUE_NUMBER,
    VALUE_BOOLEAN,
    VALUE_ANY,     /* any JSON at all */
    VALUE_STRINGS, /* an object whose values are strings */
    VALUE_COUNTS,  /* an object whose values are whole numbers */
    VALUE_REF,     /* another schema */
    VALUE_LIST,    /* an array of another schema */
    VALUE_TIME,    /* an instant in ISO 8601 */
    VALUE_UUID,
    VALUE_UUIDS, /* an array of them */
    VALUE_WORDS, /* an array of strings, each one of .values */
};

struct value {
    enum value_kind kind;
    const char *ref;           /* VALUE_REF, VALUE_LIST */
    const char *const *values; /* the only ones allowed; NULL-terminated */
    const char *preset;        /* what absence means, as JSON */
    const char *example;       /* as JSON */
    const char *minimum;       /* as JSON numbers */
    const char *maximum;
    const char *pattern;
    bool positive; /* minimum, but excluded: 0 */
    bool nullable;
};

struct member {
    const char *name;
    const char *description;
    struct value value;
    bool required;
    bool read_only;
};

struct schema {
    const char *name;
    const char *description;
    const struct schema *base; /* its members come first; they are listed, not referred to */
    const struct member *members;
    size_t members_n;
    bool open;           /* other members are allowed */
    bool null_is_absent; /* in place of a member that is not required null may stand: in what clients send */
    const char *example; /* as JSON, or NULL */
};

extern const struct schema *const schemas[];
extern const size_t schemas_n;
const struct schema *schema_find(const char *name); /* NULL: none */

struct param {
    const char *name;
    const char *description;
    struct value value;
};

/* The members of a schema object for `v`, into an object that is open. */
void schema_write_value(struct writer *w, const struct value *v);
void schema_write(struct writer *w, const struct schema *s);

#endif
