/*
 * rehearsal.h: what becomes of the database by schedules that are not written. A dry run writes nothing, so
 * the database does not tell of those that came before in the same file or table; and of what is gathered
 * to be written together, two may have the same one in their way, which goes but once.
 *
 * It remembers REHEARSAL_MAX schedules, and no others: full, it is known that something may be missed.
 */
#ifndef MOVE_REHEARSAL_H
#define MOVE_REHEARSAL_H

#include "base/error.h"
#include "base/map.h"
#include "store/store.h"

enum { REHEARSAL_MAX = 100000 };

/* One that would have come. */
struct rehearsed {
    struct uuid id;
    struct uuid hash;
};

struct rehearsal {
    struct rehearsed *items;
    size_t n;
    size_t cap;
    struct map by_key; /* ids and hashes: the number of the item that has it, from 1 */
    struct map gone;   /* ids of the database that would have been replaced */
    bool full;
};

void rehearsal_init(struct rehearsal *r);
void rehearsal_done(struct rehearsal *r); /* it is empty then, and may be used again */

/* Of a client, as a key. */
struct uuid rehearsal_hash(const struct schedule *s);

/* Mends what the database says is in the way of *m. */
void rehearsal_look(const struct rehearsal *r, struct moved_schedule *m);
/* It would have come, in the place of what is in its way; `id_made`: with the id of the one it replaces. */
CHECKED enum err rehearsal_add(struct rehearsal *r, const struct moved_schedule *m, bool id_made,
                               struct error *err);

#endif
