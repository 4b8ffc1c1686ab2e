/*
 * wakeup_redis_internal.h: one connection to the Redis server of wake-ups, for wakeup_redis.c and
 * wakeup_redis_wire.c and nobody else.
 *
 * Of hiredis only the parser is used, with functions that make no objects: a server cannot make us allocate
 * by what it announces.
 */
#ifndef ENGINE_WAKEUP_REDIS_INTERNAL_H
#define ENGINE_WAKEUP_REDIS_INTERNAL_H

#include <hiredis/read.h>

#include "base/buf.h"
#include "base/error.h"
#include "deliver/redis_address.h"

enum {
    WIRE_WORDS = 3,                /* kept of an answer: "message", channel, text */
    WIRE_WORD_MAX = 8192,          /* bytes kept of each; a longer one is cut */
    WIRE_ANSWER_MAX = 1024 * 1024, /* bytes of an answer; one with more ends the connection */
};

struct wire_answer {
    int type; /* REDIS_REPLY_... */
    size_t words_n;
    struct buf words[WIRE_WORDS]; /* a single answer is words[0] */
    bool cut;
};

struct wire {
    const char *where; /* "host:port", for people */
    int fd;            /* -1: none */
    redisReader *reader;
    redisReplyObjectFunctions objects;
    size_t unparsed; /* bytes since the last whole answer */
    struct buf out;
    size_t out_at;
    struct wire_answer answer;
};

void wire_init(struct wire *w, const char *where);
/*
 * Connects, until `until`, and not longer than `stop_fd` is silent: ERR_UNAVAILABLE. Name servers alone may
 * keep it for longer.
 */
CHECKED enum err wire_open(struct wire *w, const struct redis_address *a, int stop_fd, struct mono until,
                           struct error *err);
void wire_close(struct wire *w);
void wire_done(struct wire *w);

/* Appends what the address asks for, AUTH and SELECT; how many commands, and so answers, that is. */
size_t wire_greet(struct wire *w, const struct redis_address *a);
/* Appends a command; wire_flush() sends it. */
void wire_say(struct wire *w, const struct str *words, size_t n);
CHECKED enum err wire_flush(struct wire *w, struct error *err);
static inline bool wire_has_more(const struct wire *w)
{
    return w->out.n > w->out_at;
}
/* Takes in what is there. */
CHECKED enum err wire_read(struct wire *w, struct error *err);
/* The next answer, in w->answer; *ret false: there is none yet. */
CHECKED enum err wire_next(struct wire *w, bool *ret, struct error *err);

#endif
