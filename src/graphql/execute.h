/*
 * execute.h: carries a checked operation out: section 6 of the October 2021 specification.
 *
 * Breadth first and in batches: a field is asked once for all the objects of its place in the document, so a
 * list within a list costs one call of its resolver, not one a row. A resolver may answer at once or later;
 * whoever drives the execution is told when there is something to go on with. Root fields of a mutation are
 * carried out one after the other, each with all below it.
 *
 *     gql_execution_new(&options, &x, &err);
 *     while (gql_execution_step(x) == GQL_WAITING)
 *         ... until options.wake() was called ...
 *     gql_execution_write(x, &out);
 *
 * An execution belongs to one thread at a time; gql_call_done() alone may be called by any. wake() is called
 * on that thread, never under a lock, possibly while gql_execution_step() runs. There is one step at first,
 * then exactly one for each wake: neither more nor fewer. An execution is freed when it is done or before its
 * first step, since in between somebody may still answer; gql_execution_stop() brings that about sooner. A
 * call of a query that comes back when its place was nulled, or the memory is spent, is not resumed either.
 *
 * A resolver:
 *
 *     static enum gql_progress resolve_name(struct gql_call *call)
 *     {
 *         for (size_t i = 0; i < call->n; i++) {
 *             const struct thing *t = call->objects[i];
 *             call->values[i] = gql_str(t->name);
 *         }
 *         return GQL_ANSWERED;
 *     }
 */
#ifndef GRAPHQL_EXECUTE_H
#define GRAPHQL_EXECUTE_H

#include "base/base.h"
#include "base/buf.h"
#include "graphql/ast.h"
#include "graphql/fault.h"
#include "graphql/schema.h"

struct gql_execution;

enum gql_value_kind {
    GQL_VALUE_NULL,
    GQL_VALUE_BOOL,
    GQL_VALUE_I64,
    GQL_VALUE_F64,
    GQL_VALUE_STR,
    GQL_VALUE_JSON,
    GQL_VALUE_OBJECT,
    GQL_VALUE_LIST,
    GQL_VALUE_ERROR,
};

/* A field error. `extensions`: JSON, an object; empty: there are none. */
struct gql_failure {
    struct str message;
    struct str extensions;
};

/*
 * What a resolver answers for one object. Whatever it points to must live until the execution is freed: in
 * what gql_keep() was told of, in gql_alloc()'s memory, or outside of it all.
 */
struct gql_value {
    enum gql_value_kind kind;
    union {
        bool boolean;
        int64_t i64;
        double f64;
        struct str str;
        const json_t *json; /* of a leaf; or, where the fields below take it, an object or a list */
        struct {
            const void *p;    /* becomes an item of `objects` for the fields below */
            const char *type; /* its object type's name; needed of an interface or union */
        } object;
        struct {
            struct gql_value *items; /* gql_list() */
            size_t n;
        } list;
        const struct gql_failure *failure; /* gql_error(), gql_failed() */
    };
};

/* One field, asked for the objects of one place in the document. */
struct gql_call {
    const struct gql_field *field;
    const json_t *arguments;    /* coerced: an object; absent ones are not in it */
    size_t n;                   /* at least 1 */
    const void *const *objects; /* n of them; of a root field, the one root */
    struct gql_value *values;   /* n of them, null at first: to be set */
    void *context;              /* the request's: gql_options */
    struct gql_execution *execution;
    /*
     * The resolver's own, for what it answers later. `resume` is called by gql_execution_step() behind
     * gql_call_done(), on the execution's thread, sets the values and may say GQL_LATER anew; NULL: they are
     * set already.
     */
    gql_resolve_fn resume;
    void *state;
};

/* To a call whose resolver said GQL_LATER: go on with it. Once, by any thread, even before the resolver
 * returns. */
void gql_call_done(struct gql_call *call);

/* Memory that lives as long as the execution; NULL when there is none left (the execution then fails). */
void *gql_alloc(struct gql_execution *x, size_t n);
struct str gql_copy(struct gql_execution *x, struct str s);
/* Has fn(p) called when the execution is freed; without memory for it, at once, and false. */
typedef void (*gql_free_fn)(void *p);
CHECKED bool gql_keep(struct gql_execution *x, void *p, gql_free_fn fn);
/* The same with a reference to JSON. */
CHECKED bool gql_keep_json(struct gql_execution *x, json_t *v);
/*
 * Counts memory that was taken elsewhere, for what gql_keep() is told of, as the execution's. False: it may
 * not take that much any more; nothing is counted, and the execution goes on: answer with an error instead.
 */
CHECKED bool gql_charge(struct gql_execution *x, size_t n);
/* How much of it is taken. */
size_t gql_execution_used(const struct gql_execution *x);
/* Takes back what was counted: it was given up before the execution's end. */
void gql_discharge(struct gql_execution *x, size_t n);
/* What the caller asks for below this field: for resolvers that fetch only what is wanted. By a field's name,
 * directly below. */
bool gql_wants(const struct gql_call *call, const char *field);

static inline struct gql_value gql_null(void)
{
    return (struct gql_value){.kind = GQL_VALUE_NULL};
}
static inline struct gql_value gql_bool(bool v)
{
    return (struct gql_value){.kind = GQL_VALUE_BOOL, .boolean = v};
}
static inline struct gql_value gql_i64(int64_t v)
{
    return (struct gql_value){.kind = GQL_VALUE_I64, .i64 = v};
}
static inline struct gql_value gql_f64(double v)
{
    return (struct gql_value){.kind = GQL_VALUE_F64, .f64 = v};
}
static inline struct gql_value gql_str(struct str v)
{
    return (struct gql_value){.kind = GQL_VALUE_STR, .str = v};
}
static inline struct gql_value gql_json(const json_t *v)
{
    return (struct gql_value){.kind = GQL_VALUE_JSON, .json = v};
}
static inline struct gql_value gql_object(const void *p)
{
    return (struct gql_value){.kind = GQL_VALUE_OBJECT, .object = {p, NULL}};
}
static inline struct gql_value gql_object_of(const char *type, const void *p)
{
    return (struct gql_value){.kind = GQL_VALUE_OBJECT, .object = {p, type}};
}
/* A list of n nulls, to be set through .list.items; null and a failed execution without memory. */
struct gql_value gql_list(struct gql_execution *x, size_t n);
/*
 * A field error: err->text is its message; its code, and err->where if there is one, are told as extensions
 * ("code", "pointer").
 */
struct gql_value gql_error(struct gql_execution *x, const struct error *err);
/* One with extensions of the service's own: an object. Both are copied. */
struct gql_value gql_failed(struct gql_execution *x, struct str message, const json_t *extensions);

/*
 * A resolver for objects that are JSON objects (json_t): the member with the field's name. What the member
 * holds becomes what the field's type says: objects and lists of objects too. Of an interface or union, the
 * member "__typename" names the type.
 */
enum gql_progress gql_resolve_json(struct gql_call *call);

struct gql_options {
    const struct gql_schema *schema;
    const struct gql_document *document; /* has passed gql_validate(); outlives the execution */
    const struct gql_operation *operation;
    json_t *variables; /* coerced: gql_coerce_variables(); a reference is taken. NULL: none */
    const void *root;  /* the object of the root fields; of a subscription, the event */
    void *context;
    void (*wake)(void *arg); /* NULL: no resolver answers later */
    void *wake_arg;
    size_t memory; /* bytes that the execution may take, the response apart */
    size_t calls;  /* out at a time at most, of whatever level; 0: as many as there are */
    size_t errors; /* told at most */
};

/*
 * What a call brings is counted when it is back, so all that are out are memory that nobody has counted yet,
 * and a place each in somebody's queue: two, so that one is fetched while the other is made use of.
 */
enum { GQL_EXECUTION_MEMORY = 64 * 1024 * 1024, GQL_EXECUTION_CALLS = 2, GQL_EXECUTION_ERRORS = 100 };

/* ERR_INVALID: the schema has no root for this kind of operation. Nothing is asked yet. */
CHECKED enum err gql_execution_new(const struct gql_options *options, struct gql_execution **ret,
                                   struct error *err);
void gql_execution_free(struct gql_execution *x); /* NULL is fine; not while it is waiting */
CLEANUP_FN(struct gql_execution, gql_execution_free)

enum gql_step { GQL_WAITING, GQL_DONE };
/* Goes on as far as it can without waiting. */
enum gql_step gql_execution_step(struct gql_execution *x);
/*
 * Nothing is asked and no call is resumed any more: what steps are left only take back the calls that are
 * out, and nothing is written. For whom nobody waits any more. On the execution's thread.
 */
void gql_execution_stop(struct gql_execution *x);
/*
 * The response of an execution that is done, as JSON: {"errors": [...], "data": {...}}. What was too much for
 * its memory is null as a whole, with an error that says so.
 */
void gql_execution_write(const struct gql_execution *x, struct buf *out);
/* Whether there is data at all, even null: false only when the memory was not enough. */
bool gql_execution_ok(const struct gql_execution *x);

/* The operation of that name; without one, the only one. NULL: a fault says why. */
const struct gql_operation *gql_operation_find(const struct gql_document *d, struct str name,
                                               struct gql_faults *faults);

/*
 * What an operation may cost, before anything is asked: each field 1, times the sizes of the lists it lies
 * in. `size` says how many items a list field gives at most, judged by its arguments (NULL: they cannot be
 * judged); 0 or 1: it is no list that counts. Sums stop at UINT64_MAX.
 */
typedef uint64_t (*gql_size_fn)(const struct gql_field *field, const json_t *arguments, void *arg);
CHECKED enum err gql_complexity(const struct gql_options *options, gql_size_fn size, void *arg, uint64_t *ret,
                                struct error *err);

/* The same against a limit. False: too much, which a fault says, or no memory (*err). */
CHECKED bool gql_is_affordable(const struct gql_options *options, gql_size_fn size, void *arg, uint64_t most,
                               struct gql_faults *faults, struct error *err);

#endif
