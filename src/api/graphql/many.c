/*
 * many.c: see many.h.
 *
 * The operation is asked for each identifier once, however many objects have it. What it found is made JSON
 * one identifier after another, so that the text of a page is all the text there is at a time, and in slices,
 * between which this thread's other connections have their turn.
 */
#include "api/graphql/many.h"

#include <stdlib.h>

#include "api/api_internal.h"
#include "api/graphql/calls.h"
#include "api/graphql/connection.h"
#include "api/handlers.h"
#include "api/history.h"
#include "api/page.h"
#include "api/represent.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/journal.h"
#include "store/ops_many.h"

/* Rows represented before others have their turn. */
enum { SLICE = 200 };

struct level;

/* Appends what was found for the identifier with this index as text; its rows are counted. */
typedef enum err (*write_fn)(struct request *r, struct level *l, size_t i, struct writer *w,
                             struct error *err);

struct level {
    struct gql_call *call;
    const char *member; /* of an object: the identifier */
    struct uuid *ids;   /* of the objects that have one */
    size_t n;
    const struct uuid_list *asked; /* the operation's: sorted, each once */
    json_t *found;                 /* by the same index */
    bool *more;                    /* the same: there is a page behind it */
    struct buf text;
    size_t charged; /* to the execution, for `found` */
    size_t held;    /* the same, for the rows, until they are all in `found` */
    size_t limit;   /* of a page */
    size_t rows;    /* of this slice */
    write_fn write;
};

static void free_level(void *work)
{
    struct level *l = work;

    alloc_free(l->ids);
    json_free(l->found);
    alloc_free(l->more);
    buf_done(&l->text);
    alloc_free(l);
}

/* --- the objects' identifiers -------------------------------------------------------------------------- */

static bool id_of(const json_t *object, const char *member, struct uuid *ret)
{
    const json_t *v = json_object_get(object, member);

    return json_is_string(v) && uuid_parse(json_str(v), ret);
}

static void prepare(struct gql_call *call, struct request *r, const char *member)
{
    struct level *l = alloc_new(struct level);
    struct error err;
    void *ids;

    l->call = call;
    l->member = member;
    buf_init(&l->text, ANSWER_BODY_MAX);
    request_set_work(r, l, free_level);
    if (alloc_array(call->n, sizeof(*l->ids), &ids, &err)) {
        answer_error(r, &err);
        return;
    }
    l->ids = ids;
    for (size_t i = 0; i < call->n; i++)
        l->n += id_of(call->objects[i], member, &l->ids[l->n]) ? 1 : 0;
    if (l->n == 0)
        answer_empty(r, 204);
}

void prepare_schedules(struct gql_call *call, struct request *r)
{
    prepare(call, r, "schedule_id");
}

void prepare_registered(struct gql_call *call, struct request *r)
{
    prepare(call, r, "id");
}

void prepare_pages(struct gql_call *call, struct request *r)
{
    prepare(call, r, "id");
}

/* --- what was found, as JSON --------------------------------------------------------------------------- */

static enum err charge(struct level *l, size_t n, struct error *err)
{
    if (!call_charge(l->call, n, err))
        return err->code;
    l->charged += n;
    return ERR_NONE;
}

static enum err add_found(struct request *r, struct level *l, size_t i, struct error *err)
{
    struct writer w = writer_of(&l->text);
    json_t *json = NULL;
    enum err e;

    buf_clear(&l->text);
    e = l->write(r, l, i, &w, err);
    if (!e)
        e = buf_check(&l->text, NULL, err);
    if (!e)
        e = charge(l, l->text.n * INNER_JSON_WEIGHT, err);
    if (!e)
        e = json_parse(buf_str(&l->text), JSON_DEPTH_LIMIT, &json, err);
    if (!e && json_array_append_new(l->found, json))
        e = error_set(err, ERR_MEMORY, NULL, "out of memory");
    return e;
}

static void let_rows_go(struct level *l)
{
    gql_discharge(l->call->execution, l->held);
    l->held = 0;
}

static void represent_slice(struct request *r)
{
    struct level *l = r->work;
    struct error err;

    l->rows = 0;
    for (size_t i = json_array_size(l->found); i < l->asked->n && l->rows < SLICE; i++) {
        l->rows++; /* one without any costs something too */
        if (add_found(r, l, i, &err)) {
            /* The rest of the answer must not lack what this did not get. */
            gql_discharge(l->call->execution, l->charged);
            let_rows_go(l);
            answer_error(r, &err);
            return;
        }
    }
    if (json_array_size(l->found) < l->asked->n) {
        request_again(r, represent_slice);
        return;
    }
    let_rows_go(l);
    answer_empty(r, 204);
}

/* `text`: bytes of what was read that may be large. */
static void represent(struct request *r, const struct uuid_list *asked, write_fn write, size_t text)
{
    struct level *l = r->work;
    struct error err;
    void *more;

    l->asked = asked;
    l->write = write;
    l->found = json_array();
    if (!l->found) {
        answer_problem(r, PROBLEM_BUSY, "out of memory");
        return;
    }
    if (alloc_array(asked->n, sizeof(*l->more), &more, &err)) {
        answer_error(r, &err);
        return;
    }
    l->more = more;
    if (call_charge(l->call, text, &err)) {
        l->held = text;
        represent_slice(r);
    } else {
        answer_error(r, &err);
    }
}

/* --- schedules ----------------------------------------------------------------------------------------- */

static void free_get(struct op *op)
{
    op_get_many_free(CONTAINER_OF(op, struct op_get_many, op));
}

static enum err write_schedule(struct request *r, struct level *l, size_t i, struct writer *w,
                               struct error *err)
{
    const struct op_get_many *o = CONTAINER_OF(r->op, struct op_get_many, op);
    const struct record *record = op_get_many_find(o, l->asked->items[i]);

    if (record)
        return represent_schedule(w, r->api, record, err);
    write_null(w, NULL);
    return ERR_NONE;
}

static void got_schedules(struct request *r)
{
    const struct op_get_many *o = CONTAINER_OF(r->op, struct op_get_many, op);
    size_t text = 0;

    for (size_t i = 0; i < o->ret.n; i++)
        text += o->ret.items[i].definition_n;
    if (o->op.err.code)
        answer_error(r, &o->op.err);
    else
        represent(r, &o->ids, write_schedule, text);
}

void handle_schedules_of(struct request *r)
{
    const struct level *l = r->work;
    struct op_get_many *o;
    struct error err;

    if (op_get_many_new(l->ids, l->n, request_op_done, &o, &err))
        answer_error(r, &err);
    else
        request_submit(r, r->api->options.reader, &o->op, free_get, got_schedules);
}

/* --- runs ---------------------------------------------------------------------------------------------- */

/* How many of a page's rows are shown: one more than it holds was asked for. */
static size_t shown(struct level *l, size_t i, size_t n)
{
    l->more[i] = n > l->limit;
    n = n < l->limit ? n : l->limit;
    l->rows += n;
    return n;
}

static void free_runs(struct op *op)
{
    op_runs_of_free(CONTAINER_OF(op, struct op_runs_of, op));
}

static enum err write_runs(struct request *r, struct level *l, size_t i, struct writer *w, struct error *err)
{
    const struct op_runs_of *o = CONTAINER_OF(r->op, struct op_runs_of, op);
    size_t n;
    const struct run_record *runs = op_runs_of_page(o, l->asked->items[i], &n);

    (void)err;
    n = shown(l, i, n);
    write_array(w, NULL);
    for (size_t k = 0; k < n; k++)
        represent_run(w, &runs[k]);
    write_end_array(w);
    return ERR_NONE;
}

static void got_runs(struct request *r)
{
    const struct op_runs_of *o = CONTAINER_OF(r->op, struct op_runs_of, op);

    if (o->op.err.code)
        answer_error(r, &o->op.err);
    else
        represent(r, &o->ids, write_runs, 0); /* MANY_RUNS bounds them */
}

/* From the parameters; false: they are at fault, and the request is answered. */
static bool read_page(struct request *r, struct page *ret)
{
    struct level *l = r->work;
    struct error_list faults;

    faults.n = 0;
    faults.dropped = 0;
    *ret = page_of(r, &faults);
    l->limit = ret->limit;
    if (faults.n > 0)
        answer_faults(r, &faults);
    return faults.n == 0;
}

void handle_runs_of(struct request *r)
{
    const struct level *l = r->work;
    struct op_runs_of *o;
    enum run_state state;
    struct page page;
    struct error err;

    if (!read_page(r, &page))
        return;
    if (op_runs_of_new(l->ids, l->n, request_op_done, &o, &err)) {
        answer_error(r, &err);
        return;
    }
    o->filter = (struct run_filter){.state = -1, .before = page.at, .limit = page.limit + 1};
    if (run_state_parse(target_param(&r->target, "state"), &state))
        o->filter.state = (int)state;
    request_submit(r, r->api->options.reader, &o->op, free_runs, got_runs);
}

/* --- events -------------------------------------------------------------------------------------------- */

static void free_events(struct op *op)
{
    op_history_of_free(CONTAINER_OF(op, struct op_history_of, op));
}

static enum err write_events(struct request *r, struct level *l, size_t i, struct writer *w,
                             struct error *err)
{
    const struct op_history_of *o = CONTAINER_OF(r->op, struct op_history_of, op);
    size_t n;
    const struct history_item *events = op_history_of_page(o, l->asked->items[i], &n);

    (void)err;
    n = shown(l, i, n);
    write_array(w, NULL);
    for (size_t k = 0; k < n; k++)
        write_raw(w, NULL, (struct str){events[k].text, events[k].text_n});
    write_end_array(w);
    return ERR_NONE;
}

static void got_events(struct request *r)
{
    const struct op_history_of *o = CONTAINER_OF(r->op, struct op_history_of, op);
    size_t text = 0;

    for (size_t i = 0; i < o->ret.n; i++)
        text += o->ret.items[i].text_n;
    if (o->op.err.code)
        history_refuse(r, &o->op.err);
    else
        represent(r, &o->ids, write_events, text);
}

void handle_events_of(struct request *r)
{
    const struct level *l = r->work;
    struct op_history_of *o;
    enum history_kind kind;
    struct page page;
    struct error err;

    if (!history_is_there(r) || !read_page(r, &page))
        return;
    if (op_history_of_new(l->ids, l->n, request_op_done, &o, &err)) {
        answer_error(r, &err);
        return;
    }
    o->filter.before = page.at;
    o->filter.limit = page.limit + 1;
    if (history_kind_parse(target_param(&r->target, "kind"), &kind))
        o->filter.kind = (int)kind;
    request_submit(r, r->api->options.history, &o->op, free_events, got_events);
}

/* --- to each object its own ---------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return uuid_cmp(*(const struct uuid *)a, *(const struct uuid *)b);
}

/* False: this object has none. */
static bool find(const struct level *l, const json_t *object, size_t *ret)
{
    struct uuid id;
    const struct uuid *at;

    if (!l->asked || !id_of(object, l->member, &id))
        return false;
    at = bsearch(&id, l->asked->items, l->asked->n, sizeof(id), by_id);
    if (at)
        *ret = (size_t)(at - l->asked->items);
    return at;
}

void give_schedules(struct gql_call *call, struct request *r)
{
    struct level *l = r->work;
    size_t at;

    if (l->found && !gql_keep_json(call->execution, json_incref(l->found)))
        return;
    for (size_t i = 0; i < call->n; i++) {
        if (find(l, call->objects[i], &at))
            call->values[i] = gql_json(json_array_get(l->found, at));
    }
}

void give_pages(struct gql_call *call, struct request *r)
{
    struct level *l = r->work;
    size_t at;

    if (l->found && !gql_keep_json(call->execution, json_incref(l->found)))
        return;
    for (size_t i = 0; i < call->n; i++) {
        if (find(l, call->objects[i], &at))
            call->values[i] = connection_new(call->execution, json_array_get(l->found, at), l->more[at]);
    }
}
