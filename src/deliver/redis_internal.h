/*
 * redis_internal.h: what the files of the redis deliverer share. Nobody else includes it.
 *
 * A job is one attempt's command. It waits for a place (pool.h) or for its link, is encoded (redis_command.c)
 * and sent, and its reply is told from others by its turn. A link is one connection and what it is to become
 * again when it breaks (redis_link.c); it finds its server by redis_resolve.c. All on the loop's thread.
 *
 * Of hiredis only the parser is used. Its asynchronous client ends the process by assert() when a server
 * sends a reply that nobody asked for, and a target must not be able to end the service.
 */
#ifndef DELIVER_REDIS_INTERNAL_H
#define DELIVER_REDIS_INTERNAL_H

#include <hiredis/read.h>
#include <netdb.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/random.h"
#include "deliver/chores.h"
#include "deliver/errands.h"
#include "deliver/guard.h"
#include "deliver/pool.h"
#include "deliver/redis.h"
#include "deliver/redis_address.h"

enum {
    REDIS_COMMAND_MAX = 64 * 1024 * 1024, /* bytes of one command; what the API accepts is far below */
    REDIS_PIPELINE_COMMANDS = 1024,       /* unanswered on one connection; further ones wait */
    REDIS_PIPELINE_BYTES = 4 * 1024 * 1024,
    REDIS_KEEP_BYTES = 64 * 1024, /* larger buffers are given back when they are empty */
    REDIS_ANSWER_MAX = 64 * 1024, /* bytes of a reply; ours are all short */
    REDIS_ERROR_MAX = 256,        /* of a server's error that are kept */
    REDIS_WHERE_MAX = 300,
    REDIS_TEXT_MAX = 1024,
};

enum link_state {
    LINK_DOWN,       /* until something waits and its pause is over */
    LINK_RESOLVING,  /* a chore looks the name up */
    LINK_CONNECTING, /* to one of `found` */
    LINK_GREETING,   /* AUTH and SELECT are unanswered */
    LINK_UP,
};

struct resolve;

struct link {
    struct pool_item item;
    struct redis *redis;
    struct redis_address address;
    char where[REDIS_WHERE_MAX]; /* "host:port", for people */
    enum link_state state;
    struct resolve *resolve; /* LINK_RESOLVING */
    struct addrinfo *found;
    const struct addrinfo *next; /* to try after the present one */
    int fd;                      /* -1: none */
    struct reactor_watch *watch;
    int events;
    struct reactor_timer *timer; /* end of the pause, or of the patience with a connect */
    redisReader *reader;
    size_t unparsed; /* bytes since the last whole reply */
    char answer_error[REDIS_ERROR_MAX];
    bool answer_is_error;
    struct buf out;
    size_t out_at;
    size_t greetings; /* unanswered */
    bool greeting_auth;
    struct list waiting; /* jobs, oldest first */
    struct list sent;    /* jobs in the order of their commands */
    size_t sent_n;
    struct mono heard; /* the last reply, or the connection's begin */
    bool heard_reply;  /* since it was connected */
    unsigned failures; /* in a row */
    struct mono retry_at;
    bool dirty; /* in redis.dirty */
    struct list dirty_node;
};

enum job_state { JOB_WAITS_PLACE, JOB_WAITS_LINK, JOB_SENT };

struct job {
    struct errand errand; /* its node: of the list that its state says */
    enum job_state state;
    struct link *link; /* NULL while it waits for a place */
    struct mono sent_at;
};

struct redis {
    struct deliverer base;
    struct reactor *reactor;
    struct guard *guard;
    struct errands errands;
    struct pool pool;
    struct chores *chores;
    struct reactor_timer *flush_timer; /* writes what start() has queued, one write for many */
    struct list dirty;
    struct rng rng;
    struct buf body;
    struct buf command;
    redisReplyObjectFunctions objects; /* the parser's */
};

/* redis.c */
/* The job has left its link's lists; its attempt has ended. */
void redis_job_free(struct job *j);

/* redis_command.c */
/* The attempt's command, in r->command. */
CHECKED enum err redis_command_make(struct redis *r, const struct delivery *d, struct error *err);

/* redis_resolve.c */
/* A name is looked up on a helper's thread; redis_link_found() or redis_link_not_found() follows, later. */
void redis_resolve_start(struct link *l);
void redis_resolve_forget(struct link *l); /* nothing follows any more */

/* redis_link.c */
CHECKED enum err redis_link_new(struct redis *r, struct redis_address *address, struct link **ret,
                                struct error *err); /* takes the address over */
void redis_link_free(struct link *l);
void redis_link_take(struct link *l, struct job *j);
/* The job's time is over, or it has been given up: it leaves, or stays to have its reply thrown away. */
void redis_link_drop(struct link *l, struct job *j, struct mono now);
/* Puts out what waits, now that all of this turn's attempts are there. */
void redis_link_act(struct link *l, struct mono now);
/* All of its jobs end; nothing is left of the connection. */
void redis_link_break(struct link *l);
void redis_link_found(struct link *l, struct addrinfo *found);
/* `want`: because we lack descriptors or memory. */
void redis_link_not_found(struct link *l, const char *why, bool want);
/* What a job that waits or is unanswered misses: "no connection to ". */
const char *redis_link_missing(const struct link *l);

/* redis_wire.c: bytes to and from the socket. */
void redis_wire_setup(struct redis *r);
/* Begins to connect. Whatever it made is undone by redis_wire_close(), also when it fails. */
CHECKED enum err redis_wire_open(struct link *l, const struct addrinfo *a, struct error *err);
void redis_wire_close(struct link *l);
/* Writes what it can. False: the connection is broken, *err says how. */
CHECKED bool redis_wire_flush(struct link *l, struct error *err);
/* Reads what is there and calls redis_link_answer() for each reply. False: broken. */
CHECKED bool redis_wire_read(struct link *l, struct error *err);
/* redis_link.c: one reply came; what it says is in l->answer_*. False: nobody asked. */
CHECKED bool redis_link_answer(struct link *l, struct error *err);

#endif
