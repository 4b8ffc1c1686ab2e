/*
 * wakeup_redis_wire.c: a connection's socket and hiredis' parser: commands out, answers in. On the wake-up's
 * thread.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/wakeup_redis_internal.h"

enum { READ_BYTES = 16 * 1024, OUT_MAX = 64 * 1024 };

/* --- the parser's objects: none --- */

static void *note(const redisReadTask *task)
{
    return task->privdata;
}

static void keep_word(struct wire_answer *a, size_t at, struct str word)
{
    if (at >= WIRE_WORDS)
        return;
    if (word.n > WIRE_WORD_MAX) {
        word.n = WIRE_WORD_MAX;
        a->cut = true;
    }
    buf_clear(&a->words[at]);
    buf_add(&a->words[at], word);
    if (a->words_n < at + 1)
        a->words_n = at + 1;
}

static void *on_string(const redisReadTask *task, char *text, size_t n)
{
    struct wire *w = task->privdata;

    if (!task->parent) {
        w->answer.type = task->type;
        keep_word(&w->answer, 0, (struct str){text, n});
    } else if (!task->parent->parent) {
        keep_word(&w->answer, (size_t)task->idx, (struct str){text, n});
    }
    return note(task);
}

static void *on_array(const redisReadTask *task, int elements)
{
    struct wire *w = task->privdata;

    (void)elements;
    if (!task->parent)
        w->answer.type = task->type;
    return note(task);
}

static void *on_integer(const redisReadTask *task, long long value)
{
    struct wire *w = task->privdata;

    (void)value;
    if (!task->parent)
        w->answer.type = task->type;
    return note(task);
}

static void on_free(void *object)
{
    (void)object;
}

/* --- open and closed --- */

void wire_init(struct wire *w, const char *where)
{
    *w = (struct wire){.where = where, .fd = -1};
    w->objects = (redisReplyObjectFunctions){on_string, on_array, on_integer, note, on_free};
    buf_init(&w->out, OUT_MAX);
    for (size_t i = 0; i < WIRE_WORDS; i++)
        buf_init(&w->answer.words[i], WIRE_WORD_MAX);
}

void wire_close(struct wire *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
    if (w->reader)
        redisReaderFree(TAKE(w->reader));
    buf_clear(&w->out);
    w->out_at = 0;
    w->unparsed = 0;
}

void wire_done(struct wire *w)
{
    wire_close(w);
    buf_done(&w->out);
    for (size_t i = 0; i < WIRE_WORDS; i++)
        buf_done(&w->answer.words[i]);
}

static enum err stopping(const struct wire *w, struct error *err)
{
    return error_set(err, ERR_UNAVAILABLE, w->where, "stopping");
}

/* Until the connection is there, or will not be. */
static enum err await_connect(const struct wire *w, int stop_fd, struct mono until, struct error *err)
{
    struct pollfd p[2] = {{.fd = w->fd, .events = POLLOUT}, {.fd = stop_fd, .events = POLLIN}};
    int status = 0;
    socklen_t size = sizeof(status);
    int n;

    do {
        int64_t left_us = until.us - clock_mono().us;

        if (left_us <= 0)
            return error_set(err, ERR_UNAVAILABLE, w->where, "no connection to %s", w->where);
        n = poll(p, COUNT_OF(p), (int)(left_us / US_PER_MS) + 1);
    } while (n == 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return error_errno(err, w->where, "cannot wait for a connection");
    if (p[1].revents)
        return stopping(w, err);
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &status, &size) < 0)
        status = errno;
    if (status == 0)
        return ERR_NONE;
    errno = status;
    return error_errno(err, w->where, "cannot connect to %s", w->where);
}

static enum err connect_to(struct wire *w, const struct addrinfo *a, int stop_fd, struct mono until,
                           struct error *err)
{
    const int on = 1;

    wire_close(w);
    w->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return error_errno(err, w->where, "cannot make a socket");
    /* Neither is needed for the answer to be right. */
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(w->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    w->reader = redisReaderCreateWithFunctions(&w->objects);
    if (!w->reader)
        return error_set(err, ERR_MEMORY, w->where, "out of memory");
    w->reader->privdata = w;
    if (connect(w->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        return error_errno(err, w->where, "cannot connect to %s", w->where);
    return await_connect(w, stop_fd, until, err);
}

static enum err look_up(const struct wire *w, const struct redis_address *a, struct addrinfo **ret,
                        struct error *err)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[8];
    int status;

    MUST(snprintf(port, sizeof(port), "%u", a->port) < (int)sizeof(port));
    status = getaddrinfo(a->host, port, &hints, ret);
    if (status == 0)
        return ERR_NONE;
    return error_set(err, ERR_UNAVAILABLE, w->where, "cannot resolve the name of %s: %s", w->where,
                     gai_strerror(status));
}

enum err wire_open(struct wire *w, const struct redis_address *a, int stop_fd, struct mono until,
                   struct error *err)
{
    struct addrinfo *found = NULL;
    enum err e = look_up(w, a, &found, err);

    if (e)
        return e;
    for (const struct addrinfo *one = found; one; one = one->ai_next) {
        e = connect_to(w, one, stop_fd, until, err);
        if (!e)
            break;
    }
    freeaddrinfo(found);
    if (e)
        wire_close(w);
    return e;
}

/* --- used --- */

void wire_say(struct wire *w, const struct str *words, size_t n)
{
    redis_command_add(&w->out, words, n);
}

static enum err broken(const struct wire *w, struct error *err)
{
    return error_errno(err, w->where, "the connection to %s broke", w->where);
}

size_t wire_greet(struct wire *w, const struct redis_address *a)
{
    size_t n = a->password.p ? 1 : 0;
    char number[24];

    if (a->password.p && a->user.n > 0)
        wire_say(w, (struct str[]){STR("AUTH"), a->user, a->password}, 3);
    else if (a->password.p)
        wire_say(w, (struct str[]){STR("AUTH"), a->password}, 2);
    if (a->database == 0)
        return n;
    MUST(snprintf(number, sizeof(number), "%lld", (long long)a->database) > 0);
    wire_say(w, (struct str[]){STR("SELECT"), str_of(number)}, 2);
    return n + 1;
}

enum err wire_flush(struct wire *w, struct error *err)
{
    enum err e = buf_check(&w->out, w->where, err);

    if (e)
        return e;
    while (w->out_at < w->out.n) {
        ssize_t n = send(w->fd, w->out.p + w->out_at, w->out.n - w->out_at, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return ERR_NONE;
        if (n < 0)
            return broken(w, err);
        w->out_at += (size_t)n;
    }
    buf_clear(&w->out);
    w->out_at = 0;
    return ERR_NONE;
}

enum err wire_read(struct wire *w, struct error *err)
{
    char bytes[READ_BYTES];
    ssize_t n;

    do {
        n = recv(w->fd, bytes, sizeof(bytes), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return ERR_NONE;
    if (n < 0)
        return broken(w, err);
    if (n == 0)
        return error_set(err, ERR_UNAVAILABLE, w->where, "%s closed the connection", w->where);
    w->unparsed += (size_t)n;
    if (redisReaderFeed(w->reader, bytes, (size_t)n) != 0)
        return error_set(err, ERR_MEMORY, w->where, "out of memory");
    return ERR_NONE;
}

static void answer_clear(struct wire_answer *a)
{
    a->type = REDIS_REPLY_NIL;
    a->words_n = 0;
    a->cut = false;
    for (size_t i = 0; i < WIRE_WORDS; i++)
        buf_clear(&a->words[i]);
}

enum err wire_next(struct wire *w, bool *ret, struct error *err)
{
    void *reply = NULL;

    /* Only between two answers: one that came in part has left its first words here already. */
    if (w->reader->ridx < 0)
        answer_clear(&w->answer);
    if (redisReaderGetReply(w->reader, &reply) != 0)
        return error_set(err, ERR_SYNTAX, w->where, "%s does not speak the protocol of Redis", w->where);
    *ret = reply != NULL;
    if (reply) {
        w->unparsed = w->reader->len - w->reader->pos;
        return ERR_NONE;
    }
    if (w->unparsed > WIRE_ANSWER_MAX)
        return error_set(err, ERR_TOO_LARGE, w->where, "%s sent an answer without end", w->where);
    return ERR_NONE;
}
