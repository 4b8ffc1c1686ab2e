/*
 * redis_wire.c: a link's socket and hiredis' parser: bytes out, replies in.
 *
 * Nothing of a reply is kept but whether it is an error and that error's beginning: the parser is given
 * functions that make no objects, so a server cannot make us allocate by what it announces.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "deliver/outcome.h"
#include "deliver/redis_internal.h"

enum { READ_BYTES = 16 * 1024, READS_A_TURN = 8 };

/* --- the parser's objects: none --- */

static void *note(const redisReadTask *task)
{
    return task->privdata;
}

static void *on_string(const redisReadTask *task, char *text, size_t n)
{
    struct link *l = task->privdata;

    if (!task->parent && task->type == REDIS_REPLY_ERROR) {
        if (n >= sizeof(l->answer_error))
            n = sizeof(l->answer_error) - 1;
        memcpy(l->answer_error, text, n);
        l->answer_error[n] = '\0';
        l->answer_is_error = true;
    }
    return note(task);
}

static void *on_array(const redisReadTask *task, int elements)
{
    (void)elements;
    return note(task);
}

static void *on_integer(const redisReadTask *task, long long value)
{
    (void)value;
    return note(task);
}

static void on_free(void *object)
{
    (void)object;
}

void redis_wire_setup(struct redis *r)
{
    r->objects = (redisReplyObjectFunctions){on_string, on_array, on_integer, note, on_free};
}

/* Empty; what a large command took is given back. */
static void clear_out(struct link *l)
{
    if (l->out.cap > REDIS_KEEP_BYTES) {
        size_t limit = l->out.limit;

        buf_done(&l->out);
        buf_init(&l->out, limit);
    }
    buf_clear(&l->out);
    l->out_at = 0;
}

void redis_wire_close(struct link *l)
{
    if (l->watch)
        l->redis->reactor->ops->unwatch(l->redis->reactor, TAKE(l->watch));
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    if (l->reader)
        redisReaderFree(TAKE(l->reader));
    clear_out(l);
}

enum err redis_wire_open(struct link *l, const struct addrinfo *a, struct error *err)
{
    const int on = 1;
    char why[96];
    enum err e = guard_judge(l->redis->guard, str_of(l->address.host), a->ai_addr, err);

    if (e)
        return e;
    l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return outcome_is_want(errno) ? error_set(err, ERR_MEMORY, l->where, "cannot make a connection: %s",
                                                  strerror_r(errno, why, sizeof(why)))
                                      : error_errno(err, l->where, "cannot make a socket");
    /* Neither is needed for the answer to be right. */
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(l->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    l->reader = redisReaderCreateWithFunctions(&l->redis->objects);
    if (!l->reader)
        return error_set(err, ERR_MEMORY, l->where, "out of memory");
    l->reader->privdata = l;
    l->unparsed = 0;
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        return error_errno(err, l->where, "cannot connect to %s", l->where);
    return ERR_NONE;
}

bool redis_wire_flush(struct link *l, struct error *err)
{
    while (l->out_at < l->out.n) {
        ssize_t n = send(l->fd, l->out.p + l->out_at, l->out.n - l->out_at, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0) {
            (void)error_errno(err, l->where, "the connection to %s broke", l->where);
            return false;
        }
        l->out_at += (size_t)n;
    }
    if (l->out_at == l->out.n) {
        clear_out(l);
    } else if (l->out_at > REDIS_KEEP_BYTES && l->out_at > l->out.n / 2) {
        l->out.n -= l->out_at;
        memmove(l->out.p, l->out.p + l->out_at, l->out.n + 1);
        l->out_at = 0;
    }
    return true;
}

/* All whole replies that the parser has. */
static bool take_replies(struct link *l, struct error *err)
{
    for (;;) {
        void *reply = NULL;

        l->answer_is_error = false;
        l->answer_error[0] = '\0';
        if (redisReaderGetReply(l->reader, &reply) != 0) {
            (void)error_set(err, ERR_SYNTAX, l->where, "%s does not speak the protocol of Redis", l->where);
            return false;
        }
        if (!reply)
            return true;
        l->unparsed = 0;
        if (!redis_link_answer(l, err))
            return false;
    }
}

bool redis_wire_read(struct link *l, struct error *err)
{
    char bytes[READ_BYTES];

    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n < 0) {
            (void)error_errno(err, l->where, "the connection to %s broke", l->where);
            return false;
        }
        if (n == 0) {
            (void)error_set(err, ERR_IO, l->where, "%s closed the connection", l->where);
            return false;
        }
        l->unparsed += (size_t)n;
        if (redisReaderFeed(l->reader, bytes, (size_t)n) != 0) {
            (void)error_set(err, ERR_MEMORY, l->where, "out of memory");
            return false;
        }
        if (!take_replies(l, err))
            return false;
        if (l->unparsed > REDIS_ANSWER_MAX) {
            (void)error_set(err, ERR_TOO_LARGE, l->where, "%s sent an answer without end", l->where);
            return false;
        }
        if ((size_t)n < sizeof(bytes))
            return true;
    }
    return true;
}
