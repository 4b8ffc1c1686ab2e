/*
 * event_ring.h: the latest events as they are sent, bounded in number and bytes. Not locked: whoever owns it
 * is.
 */
#ifndef API_EVENT_RING_H
#define API_EVENT_RING_H

#include "base/base.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/journal.h"

/* An event as it is sent. Counted. */
struct frame {
    size_t refs;
    struct uuid id;
    struct uuid schedule_id;
    enum history_kind kind;
    size_t n;
    size_t json_at; /* of the text: where its JSON begins, which two newlines follow */
    char text[];
};
void frame_unref(struct frame *f); /* NULL is fine */

struct event_ring {
    struct frame **frames; /* `size` places */
    size_t size;
    size_t bytes_max;
    uint64_t first; /* number of the oldest that is kept; .next when none is */
    uint64_t next;  /* number of the next one */
    size_t bytes;
};

CHECKED enum err event_ring_init(struct event_ring *r, size_t size, size_t bytes_max, struct error *err);
void event_ring_done(struct event_ring *r); /* one of zeros is fine */
/* One that is kept: first <= number < next. */
struct frame *event_ring_at(const struct event_ring *r, uint64_t number);
/* Drops the oldest ones to make room. Without memory, or larger than the ring, it is lost. */
void event_ring_add(struct event_ring *r, const struct journal *j, const struct journal_entry *item);
/* There was one that nobody will get: it has a number, and nothing is known before it. */
void event_ring_lose(struct event_ring *r);
void event_ring_forget(struct event_ring *r);

#endif
