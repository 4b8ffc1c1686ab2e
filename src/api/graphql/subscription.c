/*
 * subscription.c: see subscription.h.
 *
 * A stream of /events whose events are executed, one after the other, before they are told. While one is
 * waited for (its schedule is asked of the database) the connection is paused, as it is while there is none;
 * the ring goes on meanwhile, and who falls behind it is dropped as any listener is. Runs on the connection's
 * thread.
 */
#include "api/graphql/subscription.h"

#include "api/api_internal.h"
#include "api/graphql/accept.h"
#include "api/graphql/drive.h"
#include "api/graphql/graphql.h"
#include "api/http.h"
#include "base/alloc.h"
#include "base/str.h"
#include "graphql/execute.h"

enum { EXECUTION_MEMORY = 4 * 1024 * 1024, EVENT_MAX = 8 * 1024 * 1024 };

struct subscription {
    struct http *http;
    struct stream *stream; /* which owns this */
    struct drive *drive;
    bool busy;      /* an event is being executed */
    bool over;      /* and nothing comes after what is still to be sent */
    struct buf out; /* what is to be sent */
    size_t sent;    /* of it */
};

/* --- the filter ---------------------------------------------------------------------------------------- */

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return json_is_string(v) ? json_str(v) : (struct str){NULL, 0};
}

/* The schema's names are the kinds' in capitals. */
static bool kind_of(struct str name, enum history_kind *ret)
{
    for (size_t k = 0; k < HISTORY_KINDS; k++) {
        if (str_eq_nocase(name, str_of(history_kind_name((enum history_kind)k)))) {
            *ret = (enum history_kind)k;
            return true;
        }
    }
    return false;
}

enum err subscription_filter(const json_t *arguments, struct stream_filter *ret, struct error *err)
{
    struct str schedule = text_of(arguments, "scheduleId");
    const json_t *kinds = json_object_get(arguments, "kinds");
    const json_t *client = json_object_get(arguments, "client");

    _Static_assert(HISTORY_KINDS <= 32, "each kind has its bit");
    *ret = (struct stream_filter){.operation = text_of(client, "operation"),
                                  .application = text_of(client, "application"),
                                  .group = text_of(client, "group"),
                                  .key = text_of(client, "key"),
                                  .type = text_of(client, "type")};
    if (schedule.p && !uuid_parse(schedule, &ret->schedule_id))
        return error_set(err, ERR_INVALID, NULL, "\"scheduleId\" must be a schedule's id.");
    if (json_is_array(kinds) && json_array_size(kinds) == 0)
        return error_set(err, ERR_INVALID, NULL, "\"kinds\" is empty: no event would be told.");
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        enum history_kind k;

        if (!kind_of(json_str(json_array_get(kinds, i)), &k))
            return error_set(err, ERR_INVALID, NULL, "\"kinds\" names no kind of event.");
        ret->kinds |= 1U << k;
    }
    return ERR_NONE;
}

/* --- what is told -------------------------------------------------------------------------------------- */

/* What was done is written; what was given up tells nothing more. */
static void tell(struct subscription *s, enum drive_progress how)
{
    if (how == DRIVE_DONE) {
        buf_add_cstr(&s->out, "event: next\ndata: ");
        gql_execution_write(drive_execution(s->drive), &s->out);
        buf_add_cstr(&s->out, "\n\n");
    } else {
        s->over = true;
    }
    drive_end(s->drive);
    s->busy = false;
    /* Without memory for an event, or when it is too large, the listener is dropped rather than misled. */
    s->over = s->over || !buf_ok(&s->out);
}

/* True: it is waited for, and the connection is paused. */
static bool step(struct subscription *s)
{
    enum drive_progress how = drive_step(s->drive);
    const struct stream_link *link = stream_link_of(s->stream);

    if (how != DRIVE_WAITING) {
        tell(s, how);
        return false;
    }
    link->pause(link->connection);
    drive_wait(s->drive);
    return true;
}

static void begin(struct subscription *s, struct str text)
{
    CLEANUP(json_free_p) json_t *event = NULL;

    /* Our own text: when it can't be read there is no memory for it. */
    if (json_parse(text, JSON_DEPTH_LIMIT, &event, NULL) || drive_begin(s->drive, event, NULL))
        s->over = true;
    else
        s->busy = true;
}

/* The next event. False: there is none yet, and the connection is paused. */
static bool take_next(struct subscription *s)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, EVENT_MAX);
    switch (stream_next(s->stream, &text)) {
    case STREAM_NOTHING:
        return false;
    case STREAM_BEAT:
        buf_add_cstr(&s->out, ":\n\n");
        return true;
    case STREAM_OVER:
        s->over = true;
        return true;
    case STREAM_EVENT:
        begin(s, buf_str(&text));
        return true;
    }
    return false;
}

static ssize_t send_piece(struct subscription *s, char *to, size_t max)
{
    size_t left = s->out.n - s->sent;
    size_t n = left < max ? left : max;

    for (size_t i = 0; i < n; i++)
        to[i] = s->out.p[s->sent + i];
    s->sent += n;
    if (s->sent == s->out.n) {
        buf_clear(&s->out);
        s->sent = 0;
    }
    return (ssize_t)n;
}

static ssize_t on_read(void *arg, char *to, size_t max)
{
    struct subscription *s = arg;

    while (s->out.n == 0 || !buf_ok(&s->out)) {
        if (s->over)
            return -1;
        if (s->busy ? step(s) : !take_next(s))
            return 0;
    }
    return send_piece(s, to, max);
}

static void on_free(void *arg)
{
    struct subscription *s = arg;

    drive_drop(s->drive);
    buf_done(&s->out);
    alloc_free(s);
}

/* Any thread: what an event's execution waited for is there. */
static void on_back(void *arg)
{
    struct subscription *s = arg;

    http_resume(s->http, stream_link_of(s->stream)->connection);
}

/* --- the beginning ------------------------------------------------------------------------------------- */

static void refuse(struct request *r, const char *message)
{
    struct buf *out = answer_body(r);

    buf_add_cstr(out, "event: next\ndata: {\"errors\":[{\"message\":");
    buf_add_json(out, str_of(message));
    buf_add_cstr(out, "}]}\n\nevent: complete\ndata:\n\n");
    answer_text(r, 200, graphql_media_type(MEDIA_EVENTS));
}

static enum err open_stream(struct request *r, const struct operation *o, struct stream **ret,
                            struct error *err)
{
    CLEANUP(json_free_p) json_t *arguments = NULL;
    struct stream_filter filter;
    enum err e = operation_arguments(o, r->api->graphql->schema, &arguments, err);

    if (!e)
        e = subscription_filter(arguments, &filter, err);
    return e ? e : stream_new(r->api->options.events, &filter, false, (struct uuid){{0}}, ret, err);
}

void subscription_answer(struct request *r, struct operation *operation)
{
    struct subscription *s;
    struct stream *stream = NULL;
    struct drive_options options = {.api = r->api,
                                    .http = r->http,
                                    .schema = r->api->graphql->schema,
                                    .memory = EXECUTION_MEMORY,
                                    .back = on_back};
    struct error err = {0};
    enum err e;

    if (!r->api->options.events) {
        operation_free(operation);
        refuse(r, "This server tells no events.");
        return;
    }
    e = open_stream(r, operation, &stream, &err);
    if (e) {
        operation_free(operation);
        if (e == ERR_INVALID)
            refuse(r, err.text);
        else
            answer_error(r, &err); /* too many listeners, or no memory: to be tried again */
        return;
    }
    s = alloc_new(struct subscription);
    s->http = r->http;
    s->stream = stream;
    options.arg = s;
    buf_init(&s->out, ANSWER_BODY_MAX);
    stream_set_reader(stream, &(struct stream_reader){on_read, on_free, s});
    if (drive_new(&options, operation, &s->drive, &err)) {
        stream_free(stream);
        answer_error(r, &err);
        return;
    }
    buf_add_cstr(&s->out, ":\n\n"); /* so that the client knows that it is heard */
    answer_stream(r, stream);
}
