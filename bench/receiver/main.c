/*
 * main.c: the counting receiver: an HTTP server on one epoll thread that answers 200 to everything and
 * counts.
 *
 * GET /tally reports, POST /reset forgets; every other request is counted.
 * Prints "listening PORT" when ready. Ends on SIGTERM or at the end of its standard input, so that it never
 * outlives the test that started it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "connection.h"
#include "tally.h"

enum { KEYS_MAX = 4 * 1000 * 1000, EVENTS_MAX = 256, REPORT_MAX = 4096 };

static void respond(struct buf *out, struct str body)
{
    buf_addf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body.n);
    buf_add(out, body);
}

static void answer(void *arg, const struct request *r, struct buf *out)
{
    struct tally *tally = arg;

    if (str_eq(r->path, STR("/tally"))) {
        CLEANUP(buf_done_p) struct buf report;

        buf_init(&report, REPORT_MAX);
        tally_report(tally, &report);
        respond(out, buf_str(&report));
        return;
    }
    if (str_eq(r->path, STR("/reset")))
        tally_reset(tally);
    else
        tally_add(tally, r->idempotency_key, r->scheduled_at, clock_wall());
    respond(out, STR("{}"));
}

static int listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static bool watch(int epoll, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = what};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void accept_all(int epoll, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct connection *c;

        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue; /* it went away again; the edge must still be drained */
        if (fd < 0)
            return;
        c = connection_new(fd);
        if (!watch(epoll, fd, c))
            connection_free(c);
    }
}

/* False at the end of standard input. */
static bool parent_lives(void)
{
    char ignored[64];

    return read(STDIN_FILENO, ignored, sizeof(ignored)) > 0;
}

static void serve(int epoll, int listener, struct tally *tally)
{
    static const char stdin_tag = 0;
    struct epoll_event events[EVENTS_MAX];

    (void)watch(epoll, STDIN_FILENO, (void *)(uintptr_t)&stdin_tag); /* a file as stdin: never ends by it */
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(epoll, listener);
            else if (events[i].data.ptr == &stdin_tag) {
                if (!parent_lives())
                    return;
            } else if (!connection_serve(events[i].data.ptr, answer, tally))
                connection_free(events[i].data.ptr);
        }
    }
}

int main(void)
{
    CLEANUP(tally_free_p) struct tally *tally = NULL;
    struct error err;
    unsigned port = 0;
    int listener = listen_somewhere(&port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (listener < 0 || epoll < 0 || !watch(epoll, listener, NULL)) {
        perror("receiver");
        return 1;
    }
    if (tally_new(KEYS_MAX, &tally, &err)) {
        (void)fprintf(stderr, "receiver: %s\n", err.text);
        return 1;
    }
    (void)printf("listening %u\n", port);
    (void)fflush(stdout);
    serve(epoll, listener, tally);
    close(listener);
    close(epoll);
    return 0;
}
