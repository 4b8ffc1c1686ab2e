/*
 * claim_internal.h: a claim on its way, for its own files and nobody else.
 *
 *   claim.c             the transaction: what is due and what is taken over, planned and written
 *   claim_definition.c  stored definitions, and those that no longer decode
 *   claim_note.c        what the journal is told
 */
#ifndef STORE_CLAIM_INTERNAL_H
#define STORE_CLAIM_INTERNAL_H

#include "store/claim.h"

struct claim {
    struct store *s;
    struct claim_cache *cache;
    const struct claim_request *req;
    struct wall now;
    struct wall until;
    struct lease lease;
    struct claim_result *ret;
    size_t decided; /* timers with which something came of what was due */
    struct advance_list {
        struct advance *items;
        size_t n;
        size_t cap;
    } advances;
    struct insert_list {
        struct run_insert *items;
        size_t n;
        size_t cap;
    } inserts;
    struct note_list { /* of each insert; none where nobody keeps a journal */
        struct note {
            size_t label; /* in .labels */
            bool wanted;
            bool kept;
        } * items;
        size_t n;
        size_t cap;
    } notes;
    struct label_list {
        char **items; /* owned */
        size_t n;
        size_t cap;
    } labels;
};

/* --- claim_definition.c --- */

/* *ret stays NULL for a definition that no longer decodes; running out of memory is an error. */
CHECKED enum err claim_definition_get(struct claim *c, struct uuid id, int64_t version, struct str definition,
                                      struct schedule **ret, struct error *err);
/* Stops a schedule that nobody can read any more. */
CHECKED enum err claim_definition_stop(struct claim *c, struct uuid id, const struct timer *timer,
                                       struct str definition, struct error *err);
/* The schedule of a run that was taken over stops; the run, now doomed, ends with its lease. */
CHECKED enum err claim_definition_stop_of(struct claim *c, const struct run *run, struct error *err);

/* --- claim_note.c --- */

/* The schedule's label, kept until the claim is done. */
CHECKED enum err claim_note_label(struct claim *c, const struct schedule *s, struct str *ret,
                                  struct error *err);
/* Notes for the last insert, which is one of `s`. */
CHECKED enum err claim_note_insert(struct claim *c, const struct schedule *s, struct str label,
                                   struct error *err);
/* Of all that was inserted, that it starts. */
CHECKED enum err claim_note_inserts(struct claim *c, struct error *err);
/* That a run that was taken over starts again. */
CHECKED enum err claim_note_retaken(struct claim *c, const struct schedule *s, const struct run *run,
                                    struct error *err);
void claim_note_done(struct claim *c);

#endif
