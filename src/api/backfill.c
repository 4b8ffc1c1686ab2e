/*
 * backfill.c: runs for the occurrences of a range that passed.
 *
 * The occurrences are computed here, in slices, from a definition that was read before; the operation names
 * its version, and when somebody changed the schedule in between all of it is done again, a few times at
 * most.
 */
#include "api/api_internal.h"
#include "api/body.h"
#include "api/definition.h"
#include "api/etag.h"
#include "api/handlers.h"
#include "api/represent.h"
#include "base/alloc.h"
#include "store/ops_hand.h"

enum { BACKFILL_MAX = 10000, SLICE = 500, TRIES_MAX = 5 };

struct backfill {
    json_t *body;
    int64_t if_version; /* as the client asked for; 0: any */
    unsigned tries;
    bool dry;
    struct schedule *schedule;
    int64_t version;
    struct wall from;
    struct wall to;
    struct wall *times; /* room for BACKFILL_MAX */
    size_t n;
};

static void free_work(void *work)
{
    struct backfill *b = work;

    json_free(b->body);
    schedule_unref(b->schedule);
    alloc_free(b->times);
    alloc_free(b);
}

static void free_get(struct op *op)
{
    op_get_free(CONTAINER_OF(op, struct op_get, op));
}

static void free_op(struct op *op)
{
    op_backfill_free(CONTAINER_OF(op, struct op_backfill, op));
}

static void fetch(struct request *r);

static void write_answer(struct request *r, int64_t created, int64_t skipped)
{
    const struct backfill *b = r->work;
    struct writer w = writer_of(answer_body(r));

    write_object(&w, NULL);
    write_i64(&w, "created", created);
    write_i64(&w, "skipped", skipped);
    write_bool(&w, "dry_run", b->dry);
    write_end_object(&w);
    answer_json(r, b->dry ? 200 : 202);
}

static void backfilled(struct request *r)
{
    const struct op_backfill *o = CONTAINER_OF(r->op, struct op_backfill, op);
    struct backfill *b = r->work;

    if (o->op.err.code == ERR_PRECONDITION && b->if_version == 0 && ++b->tries < TRIES_MAX)
        fetch(r);
    else if (o->op.err.code)
        answer_error(r, &o->op.err);
    else
        write_answer(r, o->ret_created, o->ret_skipped);
}

static void submit(struct request *r)
{
    struct backfill *b = r->work;
    struct op_backfill *o;
    struct error err;

    if (b->n == 0) {
        write_answer(r, 0, 0);
        return;
    }
    if (op_backfill_new(b->n, request_op_done, &o, &err)) {
        answer_error(r, &err);
        return;
    }
    for (size_t i = 0; i < b->n; i++)
        o->times[i] = b->times[i];
    o->id = r->id;
    o->version = b->version;
    o->in_a_row = b->schedule->overlap != OVERLAP_ALLOW;
    o->dry = b->dry;
    request_submit(r, r->api->options.writer, &o->op, free_op, backfilled);
}

static void compute(struct request *r)
{
    struct backfill *b = r->work;
    size_t room = BACKFILL_MAX + 1 - b->n;
    size_t n = timer_occurrences(b->schedule, b->from, b->to, b->times + b->n, room < SLICE ? room : SLICE);
    struct error_list faults;

    b->n += n;
    if (b->n > BACKFILL_MAX) {
        faults.n = 0;
        faults.dropped = 0;
        (void)error_list_add(&faults, ERR_INVALID, "/to",
                             "more than %d occurrences lie between `from` and `to`; ask for them in parts",
                             (int)BACKFILL_MAX);
        answer_faults(r, &faults);
    } else if (n == SLICE) {
        b->from = wall_add(b->times[b->n - 1], 1);
        request_again(r, compute);
    } else {
        submit(r);
    }
}

/* False: the request is answered. */
static bool read_range(struct request *r, struct backfill *b)
{
    const struct zone *z = b->schedule->zone;
    struct error_list faults;
    bool whole;

    faults.n = 0;
    faults.dropped = 0;
    (void)body_bool(b->body, "dry_run", &b->dry, &faults);
    whole = body_time(b->body, "from", z, &b->from, &faults);
    whole = body_time(b->body, "to", z, &b->to, &faults) && whole;
    if (whole && b->from.us >= b->to.us)
        (void)error_list_add(&faults, ERR_INVALID, "/to", "must be later than `from`");
    if (faults.n > 0)
        answer_faults(r, &faults);
    return faults.n == 0;
}

static void got(struct request *r)
{
    const struct op_get *o = CONTAINER_OF(r->op, struct op_get, op);
    struct backfill *b = r->work;
    struct error err;

    if (o->op.err.code) {
        answer_error(r, &o->op.err);
        return;
    }
    if (b->if_version != 0 && b->if_version != o->ret.version) {
        answer_problem(r, PROBLEM_PRECONDITION, "the schedule has another version by now");
        return;
    }
    schedule_unref(TAKE(b->schedule));
    if (definition_stored(r->api, (struct str){o->ret.definition, o->ret.definition_n}, &b->schedule, &err)) {
        if (err.code != ERR_MEMORY) {
            error_prefix(&err, "the stored definition cannot be used");
            err.code = ERR_CONFLICT;
        }
        answer_error(r, &err);
        return;
    }
    if (b->schedule->type != SCHEDULE_CRON) {
        answer_problem(r, PROBLEM_CONFLICT,
                       "only a cron schedule has occurrences that can be told for a time that passed");
        return;
    }
    b->version = o->ret.version;
    b->n = 0;
    if (read_range(r, b))
        compute(r);
}

static void fetch(struct request *r)
{
    struct op_get *o = op_get_new(request_op_done);

    o->id = r->id;
    request_submit(r, r->api->options.reader, &o->op, free_get, got);
}

void handle_backfill(struct request *r)
{
    static const char *const members[] = {"from", "to", "dry_run", NULL};
    struct backfill *b;
    json_t *body;
    int64_t if_version;
    struct error err;
    void *times;

    if (etag_if_match(r->headers.if_match, &if_version, &err)) {
        answer_error(r, &err);
        return;
    }
    if (!body_object(r, members, &body))
        return;
    b = alloc_new(struct backfill);
    b->body = body;
    b->if_version = if_version;
    request_set_work(r, b, free_work);
    if (alloc_array(BACKFILL_MAX + 1, sizeof(*b->times), &times, &err)) {
        answer_error(r, &err);
        return;
    }
    b->times = times;
    fetch(r);
}
