/*
 * events.h: what this instance does, as it does it, for those who listen (GET /events): a bounded ring of
 * events, and streams that read along it.
 *
 * Nothing is recorded while nobody listens, and for a minute after the last listener left, so that it can
 * resume. A stream holds no events of its own but the one it is in the middle of: a reader that the ring
 * overtakes is dropped. One thread wakes all streams; it sleeps while there are none.
 *
 * Knows no HTTP: a stream's connection is paused and woken by the functions given with it.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include <sys/types.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/journal.h"

struct events;
struct stream;

struct events_options {
    size_t streams_max;
    size_t ring_events; /* 0: 1,024 */
    size_t ring_bytes;  /* 0: 1 MiB */
    int64_t beat_us;    /* a comment at least this often, so that a dead connection is noticed; 0: 15 s */
    int64_t linger_us;  /* how long recording goes on behind the last listener; 0: 60 s */
};

CHECKED enum err events_new(const struct events_options *options, struct events **ret, struct error *err);
/* All streams end; none is taken any more. Once. */
void events_close(struct events *e);
void events_free(struct events *e); /* no stream is left */
CLEANUP_FN(struct events, events_free)

/* For a lane (lane_options.listened and .events), whose argument is the struct events. */
bool events_listened(void *events);
void events_publish(void *events, const struct journal *j);
/* Some may have happened that nobody can tell of: all streams end, and who resumes is told of a gap. */
void events_lost(void *events);
size_t events_streams(struct events *e);

/* What a stream wants to hear of. All that is set must match. */
struct stream_filter {
    struct uuid schedule_id; /* nil: any */
    uint32_t kinds;          /* bit per enum history_kind; 0: any */
    /* Of the schedule's identity; p NULL: any; copied */
    struct str operation;
    struct str application;
    struct str group;
    struct str key;
    struct str type;
};
/*
 * ERR_BUSY: there are streams_max already, or the server is stopping. `last`: the id of the last event that
 * the client got, nil: none. What came after it follows when it is still known; else a `gap` event says so.
 */
CHECKED enum err stream_new(struct events *e, const struct stream_filter *f, bool resumes, struct uuid last,
                            struct stream **ret, struct error *err);

/* The connection it is read by. */
struct stream_link {
    void (*pause)(void *connection); /* called by stream_read() when there is nothing */
    void (*wake)(void *connection);  /* any thread: there is something, or it ended */
    void (*cut)(void *connection);   /* any thread: the reader is too slow */
    void *connection;
};
void stream_attach(struct stream *s, const struct stream_link *link);
/* Up to `max` bytes. 0: nothing yet, and the connection is paused; -1: the end. */
ssize_t stream_read(struct stream *s, char *to, size_t max);
/* Any thread. Its connection is not touched any more. NULL is fine. */
void stream_free(struct stream *s);

/* --- what makes something else of the events --- */

/* What stream_read() and stream_free() call instead, and before. Before the stream is attached. */
struct stream_reader {
    ssize_t (*read)(void *arg, char *to, size_t max);
    void (*free)(void *arg);
    void *arg;
};
void stream_set_reader(struct stream *s, const struct stream_reader *reader);
enum stream_news {
    STREAM_NOTHING, /* and the connection is paused */
    STREAM_EVENT,
    STREAM_BEAT, /* something must be said */
    STREAM_OVER,
};
/* For such a reader: what there is next. The JSON of an event is appended. */
enum stream_news stream_next(struct stream *s, struct buf *json);
/* The connection it is read by, once it is read. */
const struct stream_link *stream_link_of(const struct stream *s);

#endif
