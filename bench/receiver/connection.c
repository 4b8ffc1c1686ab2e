/*
 * connection.c: reading requests from one socket and writing their answers.
 */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

enum { IN_MAX = 64 * 1024, OUT_MAX = 64 * 1024 };

struct connection {
    int fd;
    size_t n; /* bytes in `in` */
    struct buf out;
    size_t sent; /* of out */
    char in[IN_MAX];
};

struct connection *connection_new(int fd)
{
    struct connection *c = alloc_new(struct connection);

    c->fd = fd;
    buf_init(&c->out, OUT_MAX);
    return c;
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    close(c->fd);
    buf_done(&c->out);
    alloc_free(c);
}

int connection_fd(const struct connection *c)
{
    return c->fd;
}

/* Reads the headers' lines. False when malformed. */
static bool parse_head(struct str head, struct request *r, size_t *ret_body_n)
{
    struct str line;
    uint64_t body_n = 0;

    if (!str_cut(&head, '\n', &line) || !str_cut(&line, ' ', &r->method) || !str_cut(&line, ' ', &r->path))
        return false;
    while (str_cut(&head, '\n', &line)) {
        struct str name;

        if (!str_cut(&line, ':', &name))
            continue;
        line = str_trim(line);
        if (str_eq_nocase(name, STR("content-length")) && !str_to_u64(line, &body_n))
            return false;
        if (str_eq_nocase(name, STR("idempotency-key")))
            r->idempotency_key = line;
        if (str_eq_nocase(name, STR("carillon-scheduled-at")))
            r->scheduled_at = line;
    }
    *ret_body_n = (size_t)body_n;
    return body_n < IN_MAX;
}

/* Answers every whole request in the buffer. False when one is malformed or can never fit. */
static bool take_requests(struct connection *c, connection_answer_fn answer, void *arg)
{
    size_t at = 0;

    for (;;) {
        struct request r = {0};
        char *end = memmem(c->in + at, c->n - at, "\r\n\r\n", 4);
        size_t head_n;
        size_t body_n;

        if (!end)
            break;
        head_n = (size_t)(end - (c->in + at)) + 4;
        if (!parse_head((struct str){c->in + at, head_n}, &r, &body_n))
            return false;
        if (c->n - at < head_n + body_n)
            break;
        answer(arg, &r, &c->out);
        at += head_n + body_n;
    }
    memmove(c->in, c->in + at, c->n - at);
    c->n -= at;
    return c->n < IN_MAX && buf_ok(&c->out);
}

/* False on an error; true when all is sent or the socket is full. */
static bool flush(struct connection *c)
{
    while (c->sent < c->out.n) {
        ssize_t n = write(c->fd, c->out.p + c->sent, c->out.n - c->sent);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
    }
    buf_clear(&c->out);
    c->sent = 0;
    return true;
}

bool connection_serve(struct connection *c, connection_answer_fn answer, void *arg)
{
    for (;;) {
        ssize_t n = read(c->fd, c->in + c->n, IN_MAX - c->n);

        if (n == 0)
            return false;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN && flush(c);
        c->n += (size_t)n;
        if (!take_requests(c, answer, arg) || !flush(c))
            return false;
    }
}
