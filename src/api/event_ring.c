/*
 * event_ring.c: see event_ring.h.
 */
#include "api/event_ring.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

void frame_unref(struct frame *f)
{
    if (f && --f->refs == 0)
        alloc_free(f);
}

enum err event_ring_init(struct event_ring *r, size_t size, size_t bytes_max, struct error *err)
{
    void *frames;
    enum err e = alloc_array(size, sizeof(*r->frames), &frames, err);

    if (!e)
        *r = (struct event_ring){.frames = frames, .size = size, .bytes_max = bytes_max};
    return e;
}

static struct frame **place(const struct event_ring *r, uint64_t number)
{
    MUST(r->size > 0);
    return &r->frames[number % r->size];
}

struct frame *event_ring_at(const struct event_ring *r, uint64_t number)
{
    MUST(r->first <= number && number < r->next);
    return *place(r, number);
}

static void drop_oldest(struct event_ring *r)
{
    struct frame **f = place(r, r->first);

    r->bytes -= (*f)->n;
    frame_unref(TAKE(*f));
    r->first++;
}

void event_ring_forget(struct event_ring *r)
{
    while (r->first < r->next)
        drop_oldest(r);
}

void event_ring_done(struct event_ring *r)
{
    event_ring_forget(r);
    alloc_free(r->frames);
}

void event_ring_lose(struct event_ring *r)
{
    event_ring_forget(r);
    r->first = ++r->next;
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

static void push(struct event_ring *r, struct frame *f)
{
    while (r->next - r->first == r->size || (r->first < r->next && r->bytes + f->n > r->bytes_max))
        drop_oldest(r);
    *place(r, r->next++) = f;
    r->bytes += f->n;
}

void event_ring_add(struct event_ring *r, const struct journal *j, const struct journal_entry *item)
{
    struct frame *f;

    if (frame_new(j, item, &f)) {
        event_ring_lose(r);
    } else if (f->n > r->bytes_max) {
        frame_unref(f);
        event_ring_lose(r);
    } else {
        push(r, f);
    }
}
