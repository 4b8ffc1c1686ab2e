/*
 * journal.c: see journal.h. One thread: the lane's that owns the store.
 */
#include "store/journal.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "calendar/iso8601.h"
#include "store/grow.h"
#include "store/store.h"

/* Of one transaction; far above what its operations can come to. */
enum { JOURNAL_BYTES_MAX = 1 << 30, JOURNAL_BYTES_KEPT = 1 << 20 };

static const char *const kinds[] = {
#define X(value, text) [value] = text,
    HISTORY_KIND_LIST(X)
#undef X
};

const char *history_kind_name(enum history_kind k)
{
    MUST(k < HISTORY_KINDS);
    return kinds[k];
}

bool history_kind_parse(struct str s, enum history_kind *ret)
{
    for (size_t i = 0; i < HISTORY_KINDS; i++) {
        if (str_eq(s, str_of(kinds[i]))) {
            *ret = (enum history_kind)i;
            return true;
        }
    }
    return false;
}

/* --- labels --- */

static const char *const client_names[] = {"operation", "application", "group", "key", "type"};

static void add_label(struct buf *out, struct str name, const struct str client[COUNT_OF(client_names)])
{
    buf_add_cstr(out, "\"name\":");
    buf_add_json(out, name);
    buf_add_cstr(out, ",\"client\":{");
    for (size_t i = 0; i < COUNT_OF(client_names); i++) {
        buf_addf(out, "%s\"%s\":", i > 0 ? "," : "", client_names[i]);
        buf_add_json(out, client[i]);
    }
    buf_add_char(out, '}');
}

enum err event_label(const struct schedule *s, struct buf *out, struct error *err)
{
    const struct client *c = &s->client;
    const struct str client[] = {c->operation, c->application, c->group, c->key, c->type};

    add_label(out, s->name, client);
    return buf_check(out, NULL, err);
}

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);

    return json_is_string(v) ? json_str(v) : STR("");
}

enum err event_label_stored(struct str definition, struct buf *out, bool *ret_kept, struct error *err)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct str client[COUNT_OF(client_names)];
    const json_t *of;
    enum err e = json_parse(definition, JSON_DEPTH_LIMIT, &json, err);

    *ret_kept = false;
    if (e == ERR_MEMORY)
        return e;
    if (e)
        return ERR_NONE;
    *ret_kept = json_is_true(json_object_get(json_object_get(json, "task"), "history_check"));
    of = json_object_get(json, "client");
    for (size_t i = 0; i < COUNT_OF(client_names); i++)
        client[i] = text_of(of, client_names[i]);
    add_label(out, text_of(json, "name"), client);
    return buf_check(out, NULL, err);
}

/* --- a transaction --- */

void journal_init(struct journal *j)
{
    *j = (struct journal){0};
    buf_init(&j->texts, JOURNAL_BYTES_MAX);
    buf_init(&j->trace_texts, JOURNAL_BYTES_MAX);
}

void journal_done(struct journal *j)
{
    alloc_free(j->items);
    alloc_free(j->traces);
    buf_done(&j->texts);
    buf_done(&j->trace_texts);
}

static void empty(struct buf *b)
{
    if (b->cap > JOURNAL_BYTES_KEPT)
        buf_done(b);
    buf_clear(b);
}

static void clear_traces(struct journal *j)
{
    j->traces_n = 0;
    empty(&j->trace_texts);
}

void journal_begin(struct journal *j, bool listened, struct wall now)
{
    j->listened = listened;
    j->now = now;
    j->ties = 0;
    j->n = 0;
    j->kept_n = 0;
    empty(&j->texts);
    clear_traces(j);
}

enum err journal_flush(struct journal *j, struct store *s, struct error *err)
{
    CLEANUP(alloc_free_p) void *p = NULL;
    struct str *texts;
    size_t n = 0;
    enum err e;

    /* Whatever a call told of and its operation did not ask for. */
    e = journal_add_cancelled(j, j->now, NULL, (struct str){0}, err);
    if (e || j->kept_n == 0)
        return e;
    e = alloc_array(j->kept_n, sizeof(*texts), &p, err);
    if (e)
        return e;
    texts = p;
    for (size_t i = 0; i < j->n; i++) {
        if (j->items[i].kept)
            texts[n++] = (struct str){j->texts.p + j->items[i].text_at, j->items[i].text_n};
    }
    return store_outbox_add(s, texts, n, err);
}

/* --- events --- */

static void add_time(struct buf *b, const char *name, struct wall t)
{
    char text[ISO_TEXT_MAX];

    if (wall_is_never(t))
        return;
    iso_format(t, text);
    buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

static void add_number(struct buf *b, const char *name, int64_t v, int64_t none)
{
    if (v != none)
        buf_addf(b, ",\"%s\":%lld", name, (long long)v);
}

static void add_text(struct buf *b, const char *name, struct str s)
{
    if (!s.p)
        return;
    buf_addf(b, ",\"%s\":", name);
    buf_add_json(b, s);
}

/* As writer.h's write_ms(): milliseconds with at most three decimals. */
static void add_took(struct buf *b, int64_t us)
{
    if (us < 0)
        return;
    buf_addf(b, ",\"duration_ms\":%lld", (long long)(us / US_PER_MS));
    if (us % US_PER_MS != 0) {
        char fraction[8];
        size_t n = 3;

        fraction[0] = (char)('0' + us / 100 % 10);
        fraction[1] = (char)('0' + us / 10 % 10);
        fraction[2] = (char)('0' + us % 10);
        while (fraction[n - 1] == '0')
            n--;
        buf_add_char(b, '.');
        buf_add(b, (struct str){fraction, n});
    }
}

static void write_event(struct buf *b, const struct history_event *e, struct uuid id, struct wall at)
{
    char text[UUID_TEXT + 1];

    uuid_format(id, text);
    buf_addf(b, "{\"id\":\"%s\"", text);
    add_time(b, "at", at);
    uuid_format(e->schedule_id, text);
    buf_addf(b, ",\"kind\":\"%s\",\"schedule_id\":\"%s\"", history_kind_name(e->kind), text);
    if (e->label.n > 0) {
        buf_add_char(b, ',');
        buf_add(b, e->label);
    }
    if (!uuid_is_nil(e->run_id)) {
        uuid_format(e->run_id, text);
        buf_addf(b, ",\"run_id\":\"%s\"", text);
    }
    add_time(b, "scheduled_at", e->scheduled_at);
    add_time(b, "until", e->until);
    add_number(b, "count", e->count, 0);
    add_number(b, "attempt", e->attempt, 0);
    add_time(b, "retry_at", e->retry_at);
    add_number(b, "status", e->status, 0);
    add_took(b, e->took_us);
    add_text(b, "reason", e->reason ? str_of(e->reason) : (struct str){0});
    add_text(b, "error", e->error && e->error[0] != '\0' ? str_of(e->error) : (struct str){0});
    add_text(b, "answer", e->answer);
    buf_add_char(b, '}');
}

enum err journal_add(struct journal *j, const struct history_event *e, struct error *err)
{
    struct wall at = e->at.us == j->now.us ? wall_add(e->at, j->ties++) : e->at;
    struct uuid id = uuid_v7(at);
    size_t text_at = j->texts.n;
    enum err failed = LIST_RESERVE(j, err);

    if (failed)
        return failed;
    write_event(&j->texts, e, id, at);
    failed = buf_check(&j->texts, NULL, err);
    if (failed)
        return failed;
    j->items[j->n++] = (struct journal_entry){.id = id,
                                              .kind = e->kind,
                                              .schedule_id = e->schedule_id,
                                              .kept = e->kept,
                                              .text_at = text_at,
                                              .text_n = j->texts.n - text_at};
    j->kept_n += e->kept;
    return ERR_NONE;
}

enum err journal_add_missed(struct journal *j, struct wall at, struct uuid schedule_id,
                            const struct schedule *s, struct str label, const struct missed_list *l,
                            struct error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct missed_span *m = &l->items[i];
        struct history_event e = EVENT_OF(EVENT_SKIPPED, at, schedule_id, .label = label,
                                          .kept = s->task.history_check, .reason = missed_name(m->why));
        enum err failed;

        e.scheduled_at = m->first;
        if (m->n > 1) {
            e.until = m->last;
            e.count = m->n;
        }
        failed = journal_add(j, &e, err);
        if (failed)
            return failed;
    }
    return ERR_NONE;
}

/* --- traces --- */

static enum err trace(struct journal *j, struct journal_trace t, struct str text, struct error *err)
{
    void *items = j->traces;
    enum err e = list_reserve(&items, &j->traces_cap, j->traces_n, sizeof(*j->traces), err);

    j->traces = items;
    if (e)
        return e;
    t.text_at = j->trace_texts.n;
    t.text_n = text.n;
    buf_add(&j->trace_texts, text);
    e = buf_check(&j->trace_texts, NULL, err);
    if (e)
        return e;
    j->traces[j->traces_n++] = t;
    return ERR_NONE;
}

enum err journal_trace_removed(struct journal *j, struct uuid schedule_id, struct str definition,
                               struct error *err)
{
    if (!j)
        return ERR_NONE;
    return trace(j, (struct journal_trace){.kind = TRACE_REMOVED, .schedule_id = schedule_id}, definition,
                 err);
}

enum err journal_trace_cancelled(struct journal *j, const struct run *run, struct str label,
                                 struct error *err)
{
    if (!journal_wants(j, label.n > 0))
        return ERR_NONE;
    return trace(j,
                 (struct journal_trace){.kind = TRACE_RUN,
                                        .schedule_id = run->schedule_id,
                                        .run_id = run->id,
                                        .scheduled_at = run->scheduled_at,
                                        .attempt = run->attempt},
                 label, err);
}

static enum err add_removed(struct journal *j, const struct journal_trace *t, struct wall at, const char *why,
                            struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    struct str definition = {j->trace_texts.p + t->text_at, t->text_n};
    struct history_event e = EVENT_OF(EVENT_DELETED, at, t->schedule_id, .reason = why);
    enum err failed;

    buf_init(&label, JOURNAL_BYTES_MAX);
    failed = event_label_stored(definition, &label, &e.kept, err);
    if (failed || !journal_wants(j, e.kept))
        return failed;
    e.label = buf_str(&label);
    return journal_add(j, &e, err);
}

static enum err add_run(struct journal *j, const struct journal_trace *t, struct wall at,
                        enum history_kind kind, const char *why, struct str label, struct error *err)
{
    struct history_event e = EVENT_OF(kind, at, t->schedule_id, .reason = why, .kept = t->text_n > 0);

    if (!why && kind == EVENT_CANCELLED)
        e.reason = "deleted"; /* only removals have no reason to tell */

    e.label = e.kept ? (struct str){j->trace_texts.p + t->text_at, t->text_n} : label;
    e.run_id = t->run_id;
    e.scheduled_at = t->scheduled_at;
    e.attempt = t->attempt;
    return journal_add(j, &e, err);
}

enum err journal_add_traces(struct journal *j, struct wall at, enum history_kind runs, const char *why,
                            struct str label, struct error *err)
{
    enum err e = ERR_NONE;

    if (!j)
        return ERR_NONE;
    for (size_t i = 0; !e && i < j->traces_n; i++) {
        const struct journal_trace *t = &j->traces[i];

        e = t->kind == TRACE_REMOVED ? add_removed(j, t, at, why, err)
                                     : add_run(j, t, at, runs, why, label, err);
    }
    clear_traces(j);
    return e;
}

void journal_drop_trace(struct journal *j, struct uuid run_id)
{
    for (size_t i = 0; i < j->traces_n; i++) {
        if (j->traces[i].kind == TRACE_RUN && uuid_eq(j->traces[i].run_id, run_id))
            j->traces[i--] = j->traces[--j->traces_n];
    }
}
