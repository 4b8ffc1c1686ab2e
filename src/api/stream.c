/*
 * stream.c: those who listen to events: what they want, how far they are, what they are in the middle of.
 * All but constants is under the lock of their events; what is done under it is short.
 */
#include <string.h>

#include "api/events_internal.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

enum { NEEDLE_MAX = 16 * 1024 };

/* A member of this name is an event's own, whatever its texts say: in those a quote is escaped. */
static enum err make_needle(struct buf *needle, const char *name, struct str value, struct error *err)
{
    buf_init(needle, NEEDLE_MAX);
    if (!value.p)
        return ERR_NONE;
    buf_addf(needle, "\"%s\":", name);
    buf_add_json(needle, value);
    return buf_check(needle, NULL, err);
}

static enum err make_needles(struct stream *s, const struct stream_filter *f, struct error *err)
{
    enum err e = make_needle(&s->needles[0], "operation", f->operation, err);

    if (!e)
        e = make_needle(&s->needles[1], "application", f->application, err);
    if (!e)
        e = make_needle(&s->needles[2], "group", f->group, err);
    if (!e)
        e = make_needle(&s->needles[3], "key", f->key, err);
    return e ? e : make_needle(&s->needles[4], "type", f->type, err);
}

static void drop_needles(struct stream *s)
{
    for (size_t i = 0; i < STREAM_NEEDLES; i++)
        buf_done(&s->needles[i]);
}

static void say(struct stream *s, const char *text)
{
    size_t n = strlen(text);

    MUST(s->head_n + n <= STREAM_HEAD_MAX);
    memcpy(s->head + s->head_n, text, n);
    s->head_n += n;
}

/* Behind `last`, or behind a gap with all that is still known. */
static void resume(struct stream *s, struct uuid last)
{
    const struct event_ring *r = &s->events->ring;

    for (uint64_t i = r->first; i < r->next; i++) {
        if (uuid_eq(event_ring_at(r, i)->id, last)) {
            s->at = i + 1;
            return;
        }
    }
    s->at = r->first;
    say(s,
        "event: gap\ndata: {\"reason\":\"what came right after Last-Event-ID is not known any more\"}\n\n");
}

static void join(struct stream *s)
{
    struct events *e = s->events;

    if (e->streams_n++ == 0)
        e->beat_at = mono_add(clock_mono(), e->options.beat_us);
    list_push_back(&e->streams, &s->node);
    atomic_store(&e->listened, true);
    MUST(pthread_cond_signal(&e->changed) == 0); /* it has something to wake up for now */
}

enum err stream_new(struct events *e, const struct stream_filter *f, bool resumes, struct uuid last,
                    struct stream **ret, struct error *err)
{
    struct stream *s = alloc_new(struct stream);
    enum err failed = make_needles(s, f, err);

    s->events = e;
    s->schedule_id = f->schedule_id;
    s->kinds = f->kinds;
    list_init(&s->node);
    say(s, "retry: 2000\n\n");
    events_lock(e);
    if (!failed && (e->closing || e->streams_n >= e->options.streams_max))
        failed = error_set(err, ERR_BUSY, NULL, "there are as many listeners as may be");
    if (!failed) {
        s->at = e->ring.next;
        if (resumes)
            resume(s, last);
        join(s);
    }
    events_unlock(e);
    if (failed) {
        drop_needles(s);
        alloc_free(s);
        return failed;
    }
    *ret = s;
    return ERR_NONE;
}

void stream_attach(struct stream *s, const struct stream_link *link)
{
    events_lock(s->events);
    s->link = *link;
    s->attached = true;
    events_unlock(s->events);
}

static bool is_wanted(const struct stream *s, const struct frame *f)
{
    if (!uuid_is_nil(s->schedule_id) && !uuid_eq(s->schedule_id, f->schedule_id))
        return false;
    if (s->kinds != 0 && !(s->kinds & (1U << f->kind)))
        return false;
    for (size_t i = 0; i < STREAM_NEEDLES; i++)
        if (s->needles[i].n > 0 && !str_contains((struct str){f->text, f->n}, buf_str(&s->needles[i])))
            return false;
    return true;
}

/* The next one that is wanted becomes the current one. False: there is none. */
static bool next_frame(struct stream *s)
{
    struct events *e = s->events;

    while (s->at < e->ring.next) {
        struct frame *f = event_ring_at(&e->ring, s->at++);

        if (!is_wanted(s, f))
            continue;
        f->refs++;
        s->current = f;
        s->sent = 0;
        return true;
    }
    return false;
}

static size_t take(char *to, size_t max, const char *from, size_t *at, size_t n)
{
    size_t piece = n - *at < max ? n - *at : max;

    memcpy(to, from + *at, piece);
    *at += piece;
    return piece;
}

static size_t read_more(struct stream *s, char *to, size_t max)
{
    static const char beat[] = ":\n\n";

    if (s->head_at < s->head_n)
        return take(to, max, s->head, &s->head_at, s->head_n);
    if (!s->current && !next_frame(s)) {
        size_t n = 0;

        if (!s->beat || max < sizeof(beat) - 1)
            return 0;
        s->beat = false;
        return take(to, max, beat, &n, sizeof(beat) - 1);
    }
    s->beat = false;
    max = take(to, max, s->current->text, &s->sent, s->current->n);
    if (s->sent == s->current->n)
        frame_unref(TAKE(s->current));
    return max;
}

ssize_t stream_read(struct stream *s, char *to, size_t max)
{
    struct events *e = s->events;
    size_t n = 0;
    bool over;

    if (s->reader.read)
        return s->reader.read(s->reader.arg, to, max);
    events_lock(e);
    over = stream_is_over(s);
    while (!over && n < max) {
        size_t piece = read_more(s, to + n, max - n);

        if (piece == 0)
            break;
        n += piece;
    }
    if (!over && n == 0) {
        s->paused = true;
        s->link.pause(s->link.connection);
    }
    events_unlock(e);
    return over ? -1 : (ssize_t)n;
}

void stream_set_reader(struct stream *s, const struct stream_reader *reader)
{
    s->reader = *reader;
}

const struct stream_link *stream_link_of(const struct stream *s)
{
    return &s->link;
}

enum stream_news stream_next(struct stream *s, struct buf *json)
{
    struct events *e = s->events;
    enum stream_news news = STREAM_NOTHING;

    events_lock(e);
    if (stream_is_over(s)) {
        news = STREAM_OVER;
    } else if (next_frame(s)) {
        struct frame *f = TAKE(s->current);

        buf_add(json, (struct str){f->text + f->json_at, f->n - f->json_at - 2});
        frame_unref(f);
        news = STREAM_EVENT;
    } else if (s->beat) {
        news = STREAM_BEAT;
    } else {
        s->paused = true;
        s->link.pause(s->link.connection);
    }
    s->beat = false;
    events_unlock(e);
    return news;
}

void stream_free(struct stream *s)
{
    struct events *e;

    if (!s)
        return;
    if (s->reader.free)
        s->reader.free(s->reader.arg);
    e = s->events;
    events_lock(e);
    list_remove(&s->node);
    frame_unref(s->current);
    if (--e->streams_n == 0) {
        e->forget_at = mono_add(clock_mono(), e->options.linger_us);
        MUST(pthread_cond_signal(&e->changed) == 0);
    }
    events_unlock(e);
    drop_needles(s);
    alloc_free(s);
}
