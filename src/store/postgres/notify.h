/*
 * notify.h: notices as the text that NOTIFY carries from one instance to the others.
 *
 * "1 SENDER EARLIEST [ID:VERSION ...]" or "1 SENDER EARLIEST *": the form's number, the sender's id, when
 * something is due in µs or "-", and what changed: ids with the current version or "x" for deleted ones, or *
 * for more than fits. It is not parsed by anything but ours; an unknown form is taken for "look at
 * everything".
 */
#ifndef STORE_POSTGRES_NOTIFY_H
#define STORE_POSTGRES_NOTIFY_H

#include "base/buf.h"
#include "store/notice.h"

enum { NOTICE_TEXT_MAX = 7999 }; /* PostgreSQL's, of a payload */

CHECKED enum err notice_encode(const struct notice *n, struct uuid sender, struct buf *ret,
                               struct error *err);
/* To be freed with change_list_done(&ret->changed). Text that is not ours is a notice of everything. */
CHECKED enum err notice_decode(struct str text, struct uuid *ret_sender, struct notice *ret,
                               struct error *err);

/* LISTEN's name, for pg_notify() and, quoted, for LISTEN. */
void notice_channel(const char *schema, char *ret, size_t size);

#endif
