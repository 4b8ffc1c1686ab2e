/*
 * show.c: tables and lines out of JSON. An answer that lacks a member shows "-" for it.
 */
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/out.h"

static const struct str nothing = {"-", 1};

/* The member as text, "-" when it is absent or null. */
static struct str member(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    return json_is_string(v) ? json_str(v) : nothing;
}

static enum err parse(struct str body, json_t **ret, struct error *err)
{
    enum err e = json_parse(body, JSON_DEPTH_LIMIT, ret, err);

    if (e)
        error_prefix(err, "the server's answer is no JSON");
    return e;
}

/* Any value as one cell. */
static void add_value(struct buf *out, const json_t *v)
{
    struct error err = {0};

    if (json_is_string(v))
        buf_add(out, json_str(v));
    else if (json_write(v, out, &err))
        buf_add_char(out, '?');
}

static void add_faults(struct buf *out, const json_t *faults)
{
    static const char *const places[] = {"pointer", "parameter", "header", "position"};
    size_t i;
    json_t *fault;

    json_array_foreach(faults, i, fault)
    {
        buf_add_cstr(out, "  ");
        for (size_t p = 0; p < COUNT_OF(places); p++) {
            const json_t *place = json_object_get(fault, places[p]);

            if (json_is_string(place) && json_str(place).n > 0) {
                out_add_plain(out, json_str(place));
                buf_add_cstr(out, ": ");
            }
        }
        out_add_plain(out, member(fault, "detail"));
        buf_add_char(out, '\n');
    }
}

int show_problem(int status, struct str body)
{
    CLEANUP(json_free_p) json_t *problem = NULL;
    CLEANUP(buf_done_p) struct buf faults = {0};
    struct error err = {0};

    if (json_parse(body, JSON_DEPTH_LIMIT, &problem, &err) || !json_is_object(problem))
        return out_fail("the server answered %d", status);
    (void)out_fail("%.*s (%d)", (int)member(problem, "title").n, member(problem, "title").p, status);
    buf_init(&faults, OUT_MAX_BYTES);
    add_faults(&faults, json_object_get(problem, "errors"));
    if (faults.n == 0 && json_is_string(json_object_get(problem, "detail"))) {
        buf_add_cstr(&faults, "  ");
        out_add_plain(&faults, member(problem, "detail"));
        buf_add_char(&faults, '\n');
    }
    if (buf_ok(&faults))
        (void)fputs(buf_cstr(&faults), stderr); /* there is nowhere else to say it */
    return EXIT_FAILED;
}

static void add_registration(struct buf *out, const char *what, const json_t *r)
{
    const json_t *next = json_object_get(r, "next_at");

    buf_addf(out, "%s ", what);
    out_add_plain(out, member(r, "id"));
    buf_add_cstr(out, "  ");
    out_add_plain(out, member(r, "name"));
    if (json_is_string(next)) {
        buf_add_cstr(out, "  next ");
        out_add_plain(out, json_str(next));
    }
    buf_add_char(out, '\n');
}

static int show_registration(const char *what, struct str body)
{
    CLEANUP(json_free_p) json_t *r = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    if (parse(body, &r, &err))
        return out_error(&err);
    buf_init(&out, OUT_MAX_BYTES);
    add_registration(&out, what, r);
    return out_print(&out);
}

int show_added(struct str body)
{
    return show_registration("registered", body);
}

int show_replaced(struct str body)
{
    return show_registration("replaced", body);
}

static bool is_refused(const json_t *result)
{
    return json_integer_value(json_object_get(result, "status")) >= 400;
}

static void add_batch(struct buf *out, const json_t *results)
{
    size_t i;
    json_t *one;

    json_array_foreach(results, i, one)
    {
        const json_t *problem = json_object_get(one, "problem");

        if (!is_refused(one)) {
            add_registration(
                out, json_integer_value(json_object_get(one, "status")) == 201 ? "registered" : "replaced  ",
                one);
            continue;
        }
        buf_addf(out, "refused    item %zu: ", i);
        out_add_plain(out, member(problem, "title"));
        buf_add_char(out, '\n');
        add_faults(out, json_object_get(problem, "errors"));
    }
}

int show_batch(struct str body, bool json)
{
    CLEANUP(json_free_p) json_t *results = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};
    size_t refused = 0;
    size_t i;
    json_t *one;
    int status;

    if (parse(body, &results, &err))
        return out_error(&err);
    buf_init(&out, OUT_MAX_BYTES);
    if (json) {
        buf_add(&out, str_trim(body));
        buf_add_char(&out, '\n');
    } else {
        add_batch(&out, results);
    }
    status = out_print(&out);
    json_array_foreach(results, i, one) refused += is_refused(one);
    if (refused > 0 && !json)
        return out_fail("%zu of %zu were refused", refused, json_array_size(results));
    return refused > 0 ? EXIT_FAILED : status;
}

/* "cron 30 * * * * *", "now" */
static enum err add_when(struct grid *g, const json_t *s, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, OUT_MAX_BYTES);
    buf_add(&text, member(s, "type"));
    if (member(s, "schedule").n > 0 && json_is_string(json_object_get(s, "schedule"))) {
        buf_add_char(&text, ' ');
        buf_add(&text, member(s, "schedule"));
    }
    return grid_add(g, buf_str(&text), err);
}

static enum err add_row(struct grid *g, const json_t *s, struct error *err)
{
    enum err e = grid_add(g, member(s, "id"), err);

    if (!e)
        e = grid_add(g, member(s, "name"), err);
    if (!e)
        e = add_when(g, s, err);
    if (!e)
        e = grid_add(g, member(s, "state"), err);
    if (!e)
        e = grid_add(g, member(s, "next_at"), err);
    if (!e)
        e = grid_add(g, member(json_object_get(s, "last"), "state"), err);
    return e;
}

/* A line of heads, and one for each of `all` as `add` fills it. */
static int show_table(const json_t *all, const char *const *heads, size_t n,
                      enum err (*add)(struct grid *g, const json_t *one, struct error *err))
{
    CLEANUP(grid_done_p) struct grid g = {0};
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};
    enum err e = ERR_NONE;
    size_t i;
    json_t *one;

    grid_init(&g, n);
    for (size_t h = 0; !e && h < n; h++)
        e = grid_add(&g, str_of(heads[h]), &err);
    json_array_foreach(all, i, one)
    {
        if (!e)
            e = add(&g, one, &err);
    }
    if (e)
        return out_error(&err);
    buf_init(&out, OUT_MAX_BYTES);
    grid_print(&g, "", &out);
    return out_print(&out);
}

int show_list(const json_t *all)
{
    static const char *const heads[] = {"ID", "NAME", "WHEN", "STATE", "NEXT", "LAST RUN"};

    return show_table(all, heads, COUNT_OF(heads), add_row);
}

enum { NAME_MAX_BYTES = 4096 };

/* Object members one below the other, "task.connection.host" and its value; arrays and other values as JSON.
 */
static enum err flatten(struct grid *g, struct buf *name, const json_t *v, int depth, struct error *err)
{
    CLEANUP(buf_done_p) struct buf value = {0};
    enum err e = ERR_NONE;
    const char *key;
    json_t *inner;

    if (depth > 0 && json_is_object(v) && json_object_size(v) > 0) {
        json_object_foreach((json_t *)v, key, inner)
        {
            size_t was = name->n;

            buf_addf(name, "%s%s", was ? "." : "", key);
            if (!e)
                e = flatten(g, name, inner, depth - 1, err);
            name->n = was;
        }
        return e;
    }
    buf_init(&value, OUT_MAX_BYTES);
    add_value(&value, v);
    e = grid_add(g, buf_str(name), err);
    return e ? e : grid_add(g, json_is_null(v) ? nothing : buf_str(&value), err);
}

int show_schedule(struct str body)
{
    enum { DEPTH = 4 };
    CLEANUP(json_free_p) json_t *s = NULL;
    CLEANUP(grid_done_p) struct grid g = {0};
    CLEANUP(buf_done_p) struct buf name = {0};
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    if (parse(body, &s, &err))
        return out_error(&err);
    grid_init(&g, 2);
    buf_init(&name, NAME_MAX_BYTES);
    if (flatten(&g, &name, s, DEPTH, &err))
        return out_error(&err);
    buf_init(&out, OUT_MAX_BYTES);
    grid_print(&g, "", &out);
    return out_print(&out);
}

int show_deleted(struct str body)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)body;
    buf_init(&out, 64);
    buf_add_cstr(&out, "deleted\n");
    return out_print(&out);
}

/* The lines that `add` writes for the answer. */
static int show_lines(struct str body, void (*add)(struct buf *out, const json_t *answer))
{
    CLEANUP(json_free_p) json_t *json = NULL;
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    if (parse(body, &json, &err))
        return out_error(&err);
    buf_init(&out, OUT_MAX_BYTES);
    add(&out, json);
    return out_print(&out);
}

static void add_run(struct buf *out, const json_t *run)
{
    buf_add_cstr(out, "run ");
    out_add_plain(out, member(run, "id"));
    buf_add_char(out, ' ');
    out_add_plain(out, member(run, "state"));
    buf_add_cstr(out, "  scheduled at ");
    out_add_plain(out, member(run, "scheduled_at"));
    buf_add_char(out, '\n');
}

int show_run(struct str body)
{
    return show_lines(body, add_run);
}

static void add_state(struct buf *out, const json_t *s)
{
    out_add_plain(out, member(s, "state"));
    buf_add_char(out, ' ');
    out_add_plain(out, member(s, "id"));
    buf_add_cstr(out, "  next ");
    out_add_plain(out, member(s, "next_at"));
    buf_add_char(out, '\n');
}

int show_state(struct str body)
{
    return show_lines(body, add_state);
}

static int64_t number(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static void add_backfilled(struct buf *out, const json_t *b)
{
    buf_addf(out, "%lld %s, %lld skipped\n", (long long)number(b, "created"),
             json_is_true(json_object_get(b, "dry_run")) ? "would be made" : "made",
             (long long)number(b, "skipped"));
}

int show_backfilled(struct str body)
{
    return show_lines(body, add_backfilled);
}

static void add_redriven(struct buf *out, const json_t *r)
{
    const json_t *errors = json_object_get(r, "errors");
    size_t i;
    json_t *one;

    buf_addf(out, "%lld redriven, %lld refused%s\n", (long long)number(r, "redriven"),
             (long long)number(r, "refused"),
             json_is_true(json_object_get(r, "more")) ? "; there are more" : "");
    json_array_foreach(errors, i, one)
    {
        buf_add_cstr(out, "  ");
        out_add_plain(out, member(one, "id"));
        buf_add_cstr(out, ": ");
        out_add_plain(out, member(one, "detail"));
        buf_add_char(out, '\n');
    }
}

int show_redriven(struct str body)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error err = {0};
    int status = show_lines(body, add_redriven);

    if (status || parse(body, &json, &err) || number(json, "refused") == 0)
        return status;
    return out_fail("%lld were refused", (long long)number(json, "refused"));
}

/* "api,worker" */
static enum err add_roles(struct grid *g, const json_t *roles, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    size_t i;
    json_t *one;

    buf_init(&text, OUT_MAX_BYTES);
    json_array_foreach(roles, i, one)
    {
        if (i > 0)
            buf_add_char(&text, ',');
        add_value(&text, one);
    }
    return grid_add(g, text.n > 0 ? buf_str(&text) : nothing, err);
}

/* "1.2 s ago" */
static enum err add_age(struct grid *g, const json_t *ms, struct error *err)
{
    char text[48];

    if (!json_is_number(ms))
        return grid_add(g, nothing, err);
    (void)snprintf(text, sizeof(text), "%.1f s ago", json_number_value(ms) / 1000);
    return grid_add(g, str_of(text), err);
}

/* Any value but none. */
static enum err add_cell(struct grid *g, const json_t *v, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    if (!v || json_is_null(v))
        return grid_add(g, nothing, err);
    buf_init(&text, OUT_MAX_BYTES);
    add_value(&text, v);
    return grid_add(g, buf_str(&text), err);
}

static enum err add_instance(struct grid *g, const json_t *i, struct error *err)
{
    enum err e = grid_add(g, member(i, "name"), err);

    if (!e)
        e = add_roles(g, json_object_get(i, "roles"), err);
    if (!e)
        e = grid_add(g, json_is_true(json_object_get(i, "monitor")) ? STR("yes") : STR("no"), err);
    if (!e)
        e = add_cell(g, json_object_get(i, "held"), err);
    if (!e)
        e = add_age(g, json_object_get(i, "heartbeat_age_ms"), err);
    if (!e)
        e = grid_add(g, member(i, "started_at"), err);
    if (!e)
        e = grid_add(g, member(i, "version"), err);
    return e ? e : grid_add(g, member(i, "id"), err);
}

int show_instances(struct str body)
{
    static const char *const heads[] = {"NAME",      "ROLES",   "MONITOR", "HELD",
                                        "HEARTBEAT", "STARTED", "VERSION", "ID"};
    CLEANUP(json_free_p) json_t *all = NULL;
    struct error err = {0};

    if (parse(body, &all, &err))
        return out_error(&err);
    return show_table(all, heads, COUNT_OF(heads), add_instance);
}

static enum err add_run_row(struct grid *g, const json_t *run, struct error *err)
{
    static const char *const members[] = {"id",      "schedule_id", "scheduled_at", "state",
                                          "attempt", "status",      "error"};
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < COUNT_OF(members); i++)
        e = add_cell(g, json_object_get(run, members[i]), err);
    return e;
}

int show_runs(const json_t *all)
{
    static const char *const heads[] = {"RUN",     "SCHEDULE", "SCHEDULED AT", "STATE",
                                        "ATTEMPT", "STATUS",   "ERROR"};

    return show_table(all, heads, COUNT_OF(heads), add_run_row);
}

static enum err add_event_row(struct grid *g, const json_t *event, struct error *err)
{
    static const char *const members[] = {"at",      "kind",   "schedule_id", "scheduled_at",
                                          "attempt", "status", "reason",      "error"};
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < COUNT_OF(members); i++)
        e = add_cell(g, json_object_get(event, members[i]), err);
    return e;
}

int show_history(const json_t *all)
{
    static const char *const heads[] = {"AT",      "KIND",   "SCHEDULE", "SCHEDULED AT",
                                        "ATTEMPT", "STATUS", "REASON",   "ERROR"};

    return show_table(all, heads, COUNT_OF(heads), add_event_row);
}

int show_ready(struct str body)
{
    CLEANUP(buf_done_p) struct buf out = {0};

    (void)body;
    buf_init(&out, OUT_MAX_BYTES);
    buf_add_cstr(&out, "ready\n");
    return out_print(&out);
}
