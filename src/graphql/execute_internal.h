/*
 * execute_internal.h: what the files of the execution share: places, plans and tasks.
 *
 * A place is a position of the response; a plan says which fields the objects of one type have at one place
 * of the document; a task is one field of a plan, asked for all objects of its batch. All lie in one arena.
 */
#ifndef GRAPHQL_EXECUTE_INTERNAL_H
#define GRAPHQL_EXECUTE_INTERNAL_H

#include "base/queue.h"
#include "graphql/execute.h"

/* A field as it was written, of those that answer under one key. */
struct plan_node {
    struct plan_node *next;
    const struct gql_selection *selection;
};

struct plan_field {
    struct plan_field *next;
    struct str key;
    const struct gql_field *field;
    struct plan_node *nodes;
    struct plan_node **end;
    uint32_t index; /* in the order of the response */
    bool is_typename;
};

struct plan {
    const struct gql_type *type;
    struct plan_field *first;
    struct plan_field **fields; /* the same by index */
    size_t n;
};

enum place_kind { PLACE_OPEN, PLACE_LEAF, PLACE_LIST, PLACE_OBJECT };

struct place {
    struct place *parent; /* NULL: the root */
    uint32_t index;       /* in the parent's list or fields */
    uint8_t kind;         /* enum place_kind; PLACE_OPEN is null, now or still */
    bool required;        /* of a non-null type */
    bool nulled;          /* by an error in it or below it: nothing of it is told */
    union {
        struct gql_value leaf;
        struct {
            struct place *items;
            size_t n;
        } list;
        struct {
            struct place *fields; /* by the plan's index */
            const struct plan *plan;
        } object;
    };
};

struct task {
    struct gql_call call;
    struct queue_node node; /* when answered later */
    struct task *next;      /* waiting to be asked */
    const struct plan_field *field;
    struct place **places; /* by the call's index */
};

struct kept {
    struct kept *next;
    void *p;
    gql_free_fn fn;
};

struct gql_execution {
    struct arena arena;
    struct gql_options options;
    struct gql_faults faults;
    struct kept *kept;
    struct task *tasks; /* to be asked, oldest first */
    struct task **tasks_end;
    size_t n_waiting;       /* asked, not answered */
    struct queue *answered; /* from other threads; NULL: nobody answers later */
    struct place root;
    struct plan *plan; /* the root's */
    size_t n_roots;    /* root fields begun */
    bool begun;        /* by a first step */
    bool done;
    bool stopped;
    uint32_t *seen; /* by fragment: the collection that saw it last */
    uint32_t mark;
};

/* The selection sets of fields that answer together. */
struct plan_source {
    const struct plan_node *nodes; /* those fields; or */
    const struct gql_selection_set *set;
};
/*
 * 6.3.2 CollectFields for an object type. NULL: no memory, or *ret_bad is the selection whose @skip or
 * @include cannot be judged.
 */
struct plan *plan_new(struct gql_execution *x, const struct plan_source *from, const struct gql_type *type,
                      const struct gql_selection **ret_bad);

/* Iterates over the selections of a set as CollectFields does, fragments put in, without calling itself. */
struct frame {
    struct frame *below;
    const struct gql_selection *at;
};
struct selections {
    struct gql_execution *x;
    const struct gql_type *type;
    struct frame *top;
    struct frame *spare;
    const struct gql_selection *bad;
};
void selections_start(struct selections *i, struct gql_execution *x, const struct gql_type *type);
void selections_push(struct selections *i, const struct gql_selection_set *set);
/* The next field; NULL at the end, or where i->bad or the arena says so. */
const struct gql_selection *selections_next(struct selections *i);

/* Makes the values of a task's call into places, and the tasks of the objects among them. */
void complete_task(struct gql_execution *x, struct task *t);
/* Objects of one type that are asked the same: opened under a plan, with a task for each field but those left
 * to the caller. */
void add_task(struct gql_execution *x, struct task *t);
struct task *task_new(struct gql_execution *x, const struct plan_field *f, size_t n);

bool place_is_dead(const struct place *p);
/* A field error at a place: told with its path, the place nulled with all above it that may not be null. */
void place_fail(struct gql_execution *x, const struct plan_field *f, struct place *p, struct str message,
                struct str extensions);

#endif
