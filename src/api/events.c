/*
 * events.c: see events.h. All but constants is under one lock; what is done under it is short: copying a
 * piece of text, or telling libmicrohttpd to wake a connection, which never calls back.
 */
#include "api/events.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/str.h"

enum { RING_EVENTS = 1024, RING_BYTES = 1 << 20, HEAD_MAX = 256, NEEDLE_MAX = 16 * 1024, NEEDLES = 5 };
#define BEAT_US (15 * US_PER_S)
#define LINGER_US (60 * US_PER_S)

/* An event as it is sent. Counted, under the lock. */
struct frame {
    size_t refs;
    struct uuid id;
    struct uuid schedule_id;
    enum history_kind kind;
    size_t n;
    size_t json_at; /* of the text: where its JSON begins, which two newlines follow */
    char text[];
};

struct events {
    struct events_options options;
    pthread_t thread;
    bool started;
    atomic_bool listened;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under .lock */
    bool closing;
    bool news;           /* since the thread last woke the streams */
    struct frame **ring; /* options.ring_events */
    uint64_t first;      /* the oldest that is kept; .next when none is */
    uint64_t next;       /* number of the next one */
    size_t bytes;
    struct list streams;
    size_t streams_n;
    struct mono beat_at;
    struct mono forget_at; /* while recording without streams */
};

struct stream {
    struct events *events;
    struct list node;
    struct stream_link link;
    bool attached;
    struct stream_reader reader; /* .read NULL: none */
    struct uuid schedule_id;
    uint32_t kinds;
    struct buf needles[NEEDLES]; /* members as they stand in an event's text; empty: any */
    /* under the lock of .events */
    bool paused;
    bool beat; /* a comment is due */
    bool ended;
    uint64_t at; /* the next one to look at */
    struct frame *current;
    size_t sent; /* of the current one */
    char head[HEAD_MAX];
    size_t head_n;
    size_t head_at;
};

static void lock(struct events *e)
{
    MUST(pthread_mutex_lock(&e->lock) == 0);
}

static void unlock(struct events *e)
{
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

/* --- the ring --- */

static void frame_unref(struct frame *f)
{
    if (f && --f->refs == 0)
        alloc_free(f);
}

static struct frame **place(struct events *e, uint64_t number)
{
    MUST(e->options.ring_events > 0);
    return &e->ring[number % e->options.ring_events];
}

static void drop_oldest(struct events *e)
{
    struct frame **f = place(e, e->first);

    e->bytes -= (*f)->n;
    frame_unref(TAKE(*f));
    e->first++;
}

static void forget_all(struct events *e)
{
    while (e->first < e->next)
        drop_oldest(e);
}

static enum err frame_new(const struct journal *j, const struct journal_entry *item, struct frame **ret)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    char id[UUID_TEXT + 1];
    struct frame *f;
    char *p;
    size_t json_at;
    enum err e;

    buf_init(&text, SIZE_MAX / 2);
    uuid_format(item->id, id);
    buf_addf(&text, "id: %s\nevent: %s\ndata: ", id, history_kind_name(item->kind));
    json_at = text.n;
    buf_add(&text, (struct str){j->texts.p + item->text_at, item->text_n});
    buf_add_cstr(&text, "\n\n");
    e = buf_check(&text, NULL, NULL);
    if (!e)
        e = alloc_bytes(sizeof(*f) + text.n, &p, NULL);
    if (e)
        return e;
    f = (struct frame *)(void *)p;
    *f = (struct frame){.refs = 1,
                        .id = item->id,
                        .schedule_id = item->schedule_id,
                        .kind = item->kind,
                        .n = text.n,
                        .json_at = json_at};
    memcpy(f->text, text.p, text.n);
    *ret = f;
    return ERR_NONE;
}

/* Without memory, or larger than the ring: nobody gets it, and everybody is told so by being overtaken. */
static void lose_one(struct events *e)
{
    forget_all(e);
    e->first = ++e->next;
}

static void push(struct events *e, struct frame *f)
{
    while (e->next - e->first == e->options.ring_events ||
           (e->first < e->next && e->bytes + f->n > e->options.ring_bytes))
        drop_oldest(e);
    *place(e, e->next++) = f;
    e->bytes += f->n;
}

bool events_listened(void *events)
{
    return atomic_load(&((struct events *)events)->listened);
}

void events_publish(void *events, const struct journal *j)
{
    struct events *e = events;

    lock(e);
    /* What began while somebody listened and ends when nobody does: after it there would be a hole. */
    for (size_t i = 0; i < j->n && atomic_load(&e->listened); i++) {
        struct frame *f;

        if (frame_new(j, &j->items[i], &f)) {
            lose_one(e);
        } else if (f->n > e->options.ring_bytes) {
            frame_unref(f);
            lose_one(e);
        } else {
            push(e, f);
        }
    }
    e->news = true;
    MUST(pthread_cond_signal(&e->changed) == 0);
    unlock(e);
}

void events_lost(void *events)
{
    struct events *e = events;

    lock(e);
    lose_one(e);
    e->news = true;
    MUST(pthread_cond_signal(&e->changed) == 0);
    unlock(e);
}

/* --- the thread --- */

static void wake(struct stream *s)
{
    s->paused = false;
    s->link.wake(s->link.connection);
}

static void wake_all(struct events *e, bool beat)
{
    for (struct list *n = e->streams.next; n != &e->streams; n = n->next) {
        struct stream *s = CONTAINER_OF(n, struct stream, node);

        s->beat = s->beat || beat;
        if (s->paused)
            wake(s);
        else if (s->attached && s->at < e->first && !s->ended) {
            /* Overtaken in the middle of sending: it would hold its place until it is cut off for silence. */
            s->ended = true;
            s->link.cut(s->link.connection);
        }
    }
}

static struct mono next_time(const struct events *e)
{
    if (e->streams_n > 0)
        return e->beat_at;
    return atomic_load(&e->listened) ? e->forget_at : (struct mono){INT64_MAX};
}

static void sleep_until(struct events *e, struct mono at)
{
    int64_t left = at.us - clock_mono().us;
    struct timespec t;
    int status;

    if (at.us == INT64_MAX) {
        MUST(pthread_cond_wait(&e->changed, &e->lock) == 0);
        return;
    }
    if (left <= 0)
        return;
    MUST(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    t.tv_sec += left / US_PER_S;
    t.tv_nsec += left % US_PER_S * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    status = pthread_cond_timedwait(&e->changed, &e->lock, &t);
    MUST(status == 0 || status == ETIMEDOUT);
}

static void *events_main(void *arg)
{
    struct events *e = arg;

    lock(e);
    while (!e->closing) {
        struct mono now = clock_mono();
        bool beat = e->streams_n > 0 && now.us >= e->beat_at.us;

        if (beat)
            e->beat_at = mono_add(now, e->options.beat_us);
        if (e->streams_n == 0 && atomic_load(&e->listened) && now.us >= e->forget_at.us) {
            atomic_store(&e->listened, false);
            forget_all(e);
        }
        if (e->news || beat)
            wake_all(e, beat);
        e->news = false;
        if (!e->closing)
            sleep_until(e, next_time(e));
    }
    unlock(e);
    return NULL;
}

/* --- making and ending --- */

static enum err start(struct events *e, struct error *err)
{
    sigset_t all;
    sigset_t before;
    int status;

    MUST(sigfillset(&all) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    status = pthread_create(&e->thread, NULL, events_main, e);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (status != 0)
        return error_set(err, ERR_IO, "server", "a thread cannot be started (error %d)", status);
    (void)pthread_setname_np(e->thread, "events");
    e->started = true;
    return ERR_NONE;
}

enum err events_new(const struct events_options *options, struct events **ret, struct error *err)
{
    CLEANUP(events_free_p) struct events *e = alloc_new(struct events);
    pthread_condattr_t attr;
    void *ring;
    enum err failed;

    e->options = *options;
    if (e->options.ring_events == 0)
        e->options.ring_events = RING_EVENTS;
    if (e->options.ring_bytes == 0)
        e->options.ring_bytes = RING_BYTES;
    if (e->options.beat_us == 0)
        e->options.beat_us = BEAT_US;
    if (e->options.linger_us == 0)
        e->options.linger_us = LINGER_US;
    list_init(&e->streams);
    MUST(pthread_mutex_init(&e->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&e->changed, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    failed = alloc_array(e->options.ring_events, sizeof(*e->ring), &ring, err);
    if (failed)
        return failed;
    e->ring = ring;
    failed = start(e, err);
    if (failed)
        return failed;
    *ret = TAKE(e);
    return ERR_NONE;
}

void events_close(struct events *e)
{
    if (!e)
        return;
    lock(e);
    e->closing = true;
    for (struct list *n = e->streams.next; n != &e->streams; n = n->next) {
        struct stream *s = CONTAINER_OF(n, struct stream, node);

        s->ended = true;
        if (s->paused)
            wake(s);
    }
    MUST(pthread_cond_signal(&e->changed) == 0);
    unlock(e);
    if (e->started)
        MUST(pthread_join(e->thread, NULL) == 0);
    e->started = false;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    events_close(e);
    MUST(list_empty(&e->streams));
    if (e->ring)
        forget_all(e);
    MUST(pthread_cond_destroy(&e->changed) == 0);
    MUST(pthread_mutex_destroy(&e->lock) == 0);
    alloc_free(e->ring);
    alloc_free(e);
}

size_t events_streams(struct events *e)
{
    size_t n;

    lock(e);
    n = e->streams_n;
    unlock(e);
    return n;
}

/* --- streams --- */

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
    for (size_t i = 0; i < NEEDLES; i++)
        buf_done(&s->needles[i]);
}

static void say(struct stream *s, const char *text)
{
    size_t n = strlen(text);

    MUST(s->head_n + n <= HEAD_MAX);
    memcpy(s->head + s->head_n, text, n);
    s->head_n += n;
}

/* Behind `last`, or behind a gap with all that is still known. */
static void resume(struct stream *s, struct uuid last)
{
    struct events *e = s->events;

    for (uint64_t i = e->first; i < e->next; i++) {
        if (uuid_eq((*place(e, i))->id, last)) {
            s->at = i + 1;
            return;
        }
    }
    s->at = e->first;
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
    lock(e);
    if (!failed && (e->closing || e->streams_n >= e->options.streams_max))
        failed = error_set(err, ERR_BUSY, NULL, "there are as many listeners as may be");
    if (!failed) {
        s->at = e->next;
        if (resumes)
            resume(s, last);
        join(s);
    }
    unlock(e);
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
    lock(s->events);
    s->link = *link;
    s->attached = true;
    unlock(s->events);
}

static bool is_wanted(const struct stream *s, const struct frame *f)
{
    if (!uuid_is_nil(s->schedule_id) && !uuid_eq(s->schedule_id, f->schedule_id))
        return false;
    if (s->kinds != 0 && !(s->kinds & (1U << f->kind)))
        return false;
    for (size_t i = 0; i < NEEDLES; i++)
        if (s->needles[i].n > 0 && !str_contains((struct str){f->text, f->n}, buf_str(&s->needles[i])))
            return false;
    return true;
}

/* The next one that is wanted becomes the current one. False: there is none. */
static bool next_frame(struct stream *s)
{
    struct events *e = s->events;

    while (s->at < e->next) {
        struct frame *f = *place(e, s->at++);

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

/* Overtaken: what it has not got is gone. It may come again and is told of the gap. */
static bool is_over(const struct stream *s)
{
    return s->ended || s->at < s->events->first;
}

ssize_t stream_read(struct stream *s, char *to, size_t max)
{
    struct events *e = s->events;
    size_t n = 0;
    bool over;

    if (s->reader.read)
        return s->reader.read(s->reader.arg, to, max);
    lock(e);
    over = is_over(s);
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
    unlock(e);
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

    lock(e);
    if (is_over(s)) {
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
    unlock(e);
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
    lock(e);
    list_remove(&s->node);
    frame_unref(s->current);
    if (--e->streams_n == 0) {
        e->forget_at = mono_add(clock_mono(), e->options.linger_us);
        MUST(pthread_cond_signal(&e->changed) == 0);
    }
    unlock(e);
    drop_needles(s);
    alloc_free(s);
}
