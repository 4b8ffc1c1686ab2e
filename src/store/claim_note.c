/*
 * claim_note.c: what the journal is told of what a claim made and took over. Costs nothing but a comparison
 * where no journal is kept.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "store/claim_internal.h"
#include "store/grow.h"
#include "store/journal.h"

enum { LABEL_MAX = 64 * 1024 };

enum err claim_note_label(struct claim *c, const struct schedule *s, struct str *ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf label = {0};
    size_t n;
    enum err e = LIST_RESERVE(&c->labels, err);

    buf_init(&label, LABEL_MAX);
    if (!e)
        e = event_label(s, &label, err);
    if (!e)
        e = buf_take(&label, &c->labels.items[c->labels.n], &n, err);
    if (e)
        return e;
    *ret = (struct str){c->labels.items[c->labels.n++], n};
    return ERR_NONE;
}

enum err claim_note_insert(struct claim *c, const struct schedule *s, struct str label, struct error *err)
{
    struct journal *j = c->s->journal;
    enum err e;

    if (!j)
        return ERR_NONE;
    e = LIST_RESERVE(&c->notes, err);
    if (e)
        return e;
    c->notes.items[c->notes.n++] = (struct note){.label = c->labels.n > 0 ? c->labels.n - 1 : 0,
                                                 .wanted = journal_wants_of(j, s),
                                                 .kept = s->task.history_check};
    if (s->task.history_check)
        c->inserts.items[c->inserts.n - 1].label = label;
    return ERR_NONE;
}

static enum err note_started(struct claim *c, const struct run *run, struct str label, bool kept,
                             struct error *err)
{
    /* Taken ahead of its time: it starts when that comes. */
    struct history_event ev =
        EVENT_OF(EVENT_STARTED, wall_max(c->now, run->due_at), run->schedule_id, .label = label, .kept = kept,
                 .run_id = run->id, .attempt = run->attempt);

    ev.scheduled_at = run->scheduled_at;
    return journal_add(c->s->journal, &ev, err);
}

enum err claim_note_inserts(struct claim *c, struct error *err)
{
    enum err e = ERR_NONE;

    for (size_t i = 0; !e && i < c->notes.n; i++) {
        const struct run *run = &c->inserts.items[i].run;
        const struct note *note = &c->notes.items[i];

        if (note->wanted && run->state == RUN_RUNNING)
            e = note_started(c, run, str_of(c->labels.items[note->label]), note->kept, err);
    }
    return e;
}

enum err claim_note_retaken(struct claim *c, const struct schedule *s, const struct run *run,
                            struct error *err)
{
    struct str label;
    enum err e;

    if (!journal_wants_of(c->s->journal, s))
        return ERR_NONE;
    e = claim_note_label(c, s, &label, err);
    return e ? e : note_started(c, run, label, s->task.history_check, err);
}

void claim_note_done(struct claim *c)
{
    for (size_t i = 0; i < c->labels.n; i++)
        alloc_free(c->labels.items[i]);
    alloc_free(c->labels.items);
    alloc_free(c->notes.items);
}
