/*
 * wakeup_redis.h: what instances tell each other over a channel of a Redis server: that something is due at
 * some time, and what changed. A thread and two connections of its own, since one that listens cannot speak.
 *
 * Redis carries hints, never the truth: what is told is in the database already, a message that is lost costs
 * time and no occurrence, and what is not signed with the key that only the instances know is nothing: a word
 * of a deletion would keep runs from starting. While the server is away,
 * whoever is told so looks more often; when it is back, everything may have been missed and is told as such.
 *
 * A thread that hears and says nothing wakes twice in 15 s, to see whether the server is still there.
 */
#ifndef ENGINE_WAKEUP_REDIS_H
#define ENGINE_WAKEUP_REDIS_H

#include "base/log.h"
#include "store/lane.h"

struct wakeup;

struct wakeup_options {
    const char *url;       /* redis://user:password@host:port/db */
    const char *name;      /* of the cluster: part of the channel's name */
    struct str key;        /* by which instances know each other's messages; at most 128 bytes */
    struct uuid instance;  /* whose own messages are left out */
    lane_notice_fn notice; /* on the thread; may block for the engine's turn, no longer */
    /* Others are heard from now on, or not. First told when that is known. On the thread. */
    void (*hears)(void *arg, bool hears);
    void *arg;
    struct log *log;
    int64_t check_us;    /* how often a silent server is asked whether it lives; default 15 s */
    int64_t patience_us; /* a server that owes an answer for so long is gone; default 5 s */
    int64_t apart_us;    /* between two messages on average, so that a burst is few; default 20 ms */
    int64_t in_a_row;    /* but so many at once, so that one now and then waits for nothing; default 16 */
};

/* ERR_INVALID, ERR_UNSUPPORTED: the address. Connects later, on its thread. Options are copied. */
CHECKED enum err wakeup_new(const struct wakeup_options *options, struct wakeup **ret, struct error *err);

/*
 * Any thread; never blocks. What is told while a message is under way, or the server away, is told together
 * afterwards.
 */
void wakeup_tell(struct wakeup *w, const struct notice *n);

struct wakeup_stats {
    uint64_t told;    /* messages sent */
    uint64_t heard;   /* of others */
    uint64_t ignored; /* that nobody of ours can have sent */
    uint64_t connects;
    bool connected;
};
/* Any thread. */
void wakeup_get_stats(struct wakeup *w, struct wakeup_stats *ret);

/*
 * Whether the server at `url` answers us, within `patience_us` (name servers alone may take longer); its
 * version, "" when it does not tell. Blocks.
 */
enum { WAKEUP_VERSION_BYTES = 32 };
CHECKED enum err wakeup_probe(const char *url, int64_t patience_us, char ret_version[WAKEUP_VERSION_BYTES],
                              struct error *err);

/* What was told last is sent, for a second at most. Comes back when the thread has ended. */
void wakeup_free(struct wakeup *w);
CLEANUP_FN(struct wakeup, wakeup_free)

#endif
