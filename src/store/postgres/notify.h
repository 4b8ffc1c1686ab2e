/*
 * notify.h: the channel by which instances tell each other what they commit. The text that it carries is
 * store/notice_text.h's.
 */
#ifndef STORE_POSTGRES_NOTIFY_H
#define STORE_POSTGRES_NOTIFY_H

#include "store/notice_text.h"

/* LISTEN's name, for pg_notify() and, quoted, for LISTEN. */
void notice_channel(const char *schema, char *ret, size_t size);

#endif
