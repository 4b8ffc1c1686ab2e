/*
 * listen_events.c: GET /events: who listens, and to what.
 */
#include "api/api_internal.h"
#include "api/events.h"
#include "api/handlers.h"
#include "base/str.h"

static void read_filter(const struct request *r, struct stream_filter *ret, struct error_list *faults)
{
    struct str schedule = target_param(&r->target, "schedule");
    struct str kind = target_param(&r->target, "kind");
    enum history_kind parsed;

    *ret = (struct stream_filter){.application = target_param(&r->target, "application")};
    if (schedule.p && !uuid_parse(schedule, &ret->schedule_id))
        (void)error_list_add(faults, ERR_INVALID, "?schedule", "must be a schedule's id");
    if (kind.p && history_kind_parse(kind, &parsed))
        ret->kinds = 1U << parsed;
    else if (kind.p)
        (void)error_list_add(faults, ERR_INVALID, "?kind", "is no kind of event");
}

void handle_events(struct request *r)
{
    struct str last = r->headers.last_event_id;
    struct uuid id = {{0}};
    struct stream_filter filter;
    struct error_list faults;
    struct stream *stream;
    struct error err;

    faults.n = 0;
    faults.dropped = 0;
    read_filter(r, &filter, &faults);
    if (faults.n > 0) {
        answer_faults(r, &faults);
        return;
    }
    if (!r->api->options.events) {
        answer_problem(r, PROBLEM_UNSUPPORTED, "this server tells no events");
        return;
    }
    /* One that is none of ours is as good as one that is forgotten. */
    if (last.p && !uuid_parse(str_trim(last), &id))
        id = (struct uuid){{0}};
    if (stream_new(r->api->options.events, &filter, last.p && last.n > 0, id, &stream, &err)) {
        answer_error(r, &err);
        return;
    }
    answer_stream(r, stream);
}
