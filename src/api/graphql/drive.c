/*
 * drive.c: see drive.h.
 *
 * Who may touch the execution is told by `state`. RUNNING: its thread. WOKEN: the same, and a step is due.
 * WAITING: nobody; back() hands it to its thread. ORPHAN: nobody, and nobody waits for it; who wakes it takes
 * the step himself. A wake comes once between two steps, on any thread, maybe while a step runs.
 */
#include "api/graphql/drive.h"

#include <stdatomic.h>

#include "api/api_internal.h"
#include "api/http.h"
#include "base/alloc.h"
#include "base/str.h"
#include "graphql/execute.h"

enum state { RUNNING, WOKEN, WAITING, ORPHAN };

struct drive {
    struct drive_options options;
    struct operation *operation;
    struct graphql_context context;
    char *key; /* what context.idempotency_key is a view of */
    struct gql_execution *execution;
    json_t *root;
    bool stepped; /* something may be out */
    bool done;
    bool stopped;
    size_t counted;    /* of the execution's memory, in api->executions */
    _Atomic int state; /* enum state */
};

static void drive_free(struct drive *d)
{
    if (!d)
        return;
    operation_free(d->operation);
    alloc_free(d->key);
    alloc_free(d);
}

/* So that others know what is taken. */
static void count_memory(struct drive *d, size_t now)
{
    atomic_fetch_add(&d->options.api->executions, now - d->counted); /* what it gave back wraps around */
    d->counted = now;
}

/* The last one out: what is under way is over, but who runs the server waits for it to be let go of. */
static void end_and_free(struct drive *d)
{
    struct http *h = d->execution ? d->options.http : NULL;

    count_memory(d, 0);
    gql_execution_free(TAKE(d->execution));
    json_free(TAKE(d->root));
    drive_free(d);
    if (h)
        http_let_go(h);
}

enum err drive_new(const struct drive_options *options, struct operation *operation, struct drive **ret,
                   struct error *err)
{
    struct drive *d = alloc_new(struct drive);
    const struct request *outer = options->outer;

    d->options = *options;
    d->operation = operation;
    d->context = (struct graphql_context){.api = options->api,
                                          .outer = options->outer,
                                          .kind = operation_kind(operation),
                                          .roots = operation->roots};
    if (outer && outer->headers.idempotency_key.p) {
        enum err e = alloc_str(outer->headers.idempotency_key, &d->key, err);

        if (e) {
            drive_free(d);
            return e;
        }
        d->context.idempotency_key = str_of(d->key);
    }
    *ret = d;
    return ERR_NONE;
}

struct graphql_context *drive_context(struct drive *d)
{
    return &d->context;
}

const struct operation *drive_operation(const struct drive *d)
{
    return d->operation;
}

const struct gql_execution *drive_execution(const struct drive *d)
{
    return d->execution;
}

/* --- steps --------------------------------------------------------------------------------------------- */

/* Nobody wants what comes back: on the thread that may touch it. */
static void wind_up(struct drive *d)
{
    int running = RUNNING;

    do {
        atomic_store(&d->state, RUNNING);
        if (gql_execution_step(d->execution) == GQL_DONE) {
            end_and_free(d);
            return;
        }
        running = RUNNING;
    } while (!atomic_compare_exchange_strong(&d->state, &running, ORPHAN));
}

static void on_wake(void *arg)
{
    struct drive *d = arg;
    /* Read before: whoever is woken may be quick. */
    void (*back)(void *) = d->options.back;
    void *back_arg = d->options.arg;

    switch ((enum state)atomic_exchange(&d->state, WOKEN)) {
    case RUNNING:
    case WOKEN:
        break;
    case WAITING:
        back(back_arg);
        break;
    case ORPHAN:
        wind_up(d);
        break;
    }
}

enum err drive_begin(struct drive *d, json_t *root, struct error *err)
{
    const struct gql_request *r = &d->operation->request;
    struct gql_options options = {
        .schema = d->options.schema,
        .document = r->document,
        .operation = r->operation,
        .variables = r->variables,
        .root = root,
        .context = &d->context,
        .wake = on_wake,
        .wake_arg = d,
        .memory = d->options.memory,
        .calls = GQL_EXECUTION_CALLS,
        .errors = GQL_EXECUTION_ERRORS,
    };
    enum err e;

    MUST(!d->execution);
    if (!http_hold(d->options.http))
        return error_set(err, ERR_BUSY, NULL, "the server is stopping");
    e = gql_execution_new(&options, &d->execution, err);
    if (e) {
        http_let_go(d->options.http);
        return e;
    }
    d->root = json_incref(root);
    d->context.spent = ERR_NONE;
    d->context.at_once = 0;
    d->stepped = false;
    d->done = false;
    d->stopped = false;
    atomic_store(&d->state, RUNNING);
    return ERR_NONE;
}

/* What a mutation has begun is carried to its end and told; what is only asked for is not, when the server
 * stops or nobody is there any more to take it. */
static void judge_stop(struct drive *d)
{
    /* Not before the first step: what is answered at once is answered to whoever closed his half, too. */
    const struct request *outer = d->stepped ? d->context.outer : NULL;

    if (d->stopped || d->context.kind == GQL_MUTATION)
        return;
    if (!http_refuses(d->options.http) && !(outer && http_is_gone(outer->connection)))
        return;
    d->stopped = true;
    gql_execution_stop(d->execution);
}

enum drive_progress drive_step(struct drive *d)
{
    MUST(d->execution && !d->done);
    atomic_store(&d->state, RUNNING);
    judge_stop(d);
    d->stepped = true;
    d->done = gql_execution_step(d->execution) == GQL_DONE;
    count_memory(d, gql_execution_used(d->execution));
    if (!d->done)
        return DRIVE_WAITING;
    return d->stopped ? DRIVE_STOPPED : DRIVE_DONE;
}

void drive_wait(struct drive *d)
{
    void (*back)(void *) = d->options.back;
    void *arg = d->options.arg;
    int running = RUNNING;

    if (!atomic_compare_exchange_strong(&d->state, &running, WAITING))
        back(arg);
}

void drive_end(struct drive *d)
{
    MUST(d->done);
    count_memory(d, 0);
    gql_execution_free(TAKE(d->execution));
    json_free(TAKE(d->root));
    http_let_go(d->options.http);
}

void drive_drop(struct drive *d)
{
    int running = RUNNING;

    if (!d)
        return;
    if (!d->execution || !d->stepped || d->done) {
        end_and_free(d);
        return;
    }
    d->context.outer = NULL;
    gql_execution_stop(d->execution);
    if (!atomic_compare_exchange_strong(&d->state, &running, ORPHAN))
        wind_up(d);
}
