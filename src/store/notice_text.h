/*
 * notice_text.h: notices as the text that carries them from one instance to the others, by NOTIFY or over
 * Redis. Pure.
 *
 * "1 SENDER EARLIEST [ID:VERSION ...]" or "1 SENDER EARLIEST *": the form's number, the sender's id, when
 * something is due in µs or "-", and what changed: ids with the current version or "x" for deleted ones, or *
 * for more than fits. It is not parsed by anything but ours; an unknown form is taken for "look at
 * everything".
 */
#ifndef STORE_NOTICE_TEXT_H
#define STORE_NOTICE_TEXT_H

#include "base/buf.h"
#include "store/notice.h"

enum { NOTICE_TEXT_MAX = 7999 }; /* PostgreSQL's, of a payload */

CHECKED enum err notice_encode(const struct notice *n, struct uuid sender, struct buf *ret,
                               struct error *err);
/*
 * To be freed with change_list_done(&ret->changed). Text that is not ours is a notice of everything, and its
 * sender is nil.
 */
CHECKED enum err notice_decode(struct str text, struct uuid *ret_sender, struct notice *ret,
                               struct error *err);

/*
 * Adds what `n` tells to what `to` does, whose list is its own. More changes than `changes_max`, or than
 * there is memory for, become `all`.
 */
void notice_merge(struct notice *to, const struct notice *n, size_t changes_max);

#endif
