/*
 * listen.h: what the other instances changed, as they tell it by NOTIFY: a thread and a connection of its
 * own.
 *
 * LISTEN belongs to a session: behind PgBouncer in transaction mode the URL must be one past it. While
 * connected the thread sleeps in poll(2) without a timeout. Notices are told when they are sent or not at
 * all; so whenever it has connected, for the first time or again, it tells of everything.
 */
#ifndef STORE_POSTGRES_LISTEN_H
#define STORE_POSTGRES_LISTEN_H

#include "base/log.h"
#include "store/lane.h"

struct listener;

struct listener_options {
    const char *url;
    const char *schema;           /* NULL: "carillon" */
    const char *application_name; /* NULL: the URL's, or "carillon" */
    struct uuid instance;         /* whose own notices are left out */
    lane_notice_fn notice;        /* on the listener's thread; must not block */
    /* Others are heard from now on, or not. First told when that is known. On the thread; NULL: nobody asks.
     */
    void (*hears)(void *arg, bool hears);
    void *notice_arg; /* of both */
    struct log *log;  /* warn: connection lost; info: found */
};

struct listener_stats {
    uint64_t notices; /* of others */
    uint64_t connects;
    bool connected;
};

/* Starts the thread, which connects, now or when it can. Options are copied. */
CHECKED enum err listener_new(const struct listener_options *options, struct listener **ret,
                              struct error *err);
/* Any thread. */
void listener_get_stats(struct listener *l, struct listener_stats *ret);
void listener_free(struct listener *l); /* comes back when the thread has ended */
CLEANUP_FN(struct listener, listener_free)

#endif
