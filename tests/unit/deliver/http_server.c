/*
 * http_server.c: see http_server.h. Memory comes from alloc_zeroed_or_stop() only, which a test that lets the
 * n-th allocation fail does not reach: it means the client's.
 */
#include "http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "http_certificate.h"

enum { CONNECTIONS_MAX = 2000, REQUEST_MAX = 32 * 1024 * 1024 };

struct bytes {
    char *p;
    size_t n;
    size_t cap;
};

struct connection {
    int fd; /* -1: a free slot */
    size_t number;
    bool greeted; /* HTTP/2: its preface was read and our settings sent */
    SSL *tls;
    bool stalled;
    bool closing; /* after what is to be sent */
    bool reset;   /* and by RST */
    struct bytes in;
    struct bytes out;
    size_t out_at;
    size_t fill;
};

struct http_server {
    /* constant */
    int listen_fd;
    int command_fd;
    int event_fd;
    int port;
    pthread_t thread;
    SSL_CTX *tls;
    char *certificate;
    char xs[4096]; /* what answers are filled with */

    /* the test's thread */
    char url[256];

    /* the server's thread */
    struct connection connections[CONNECTIONS_MAX];
    size_t connections_used; /* slots from here on were never used */

    pthread_mutex_t lock;
    pthread_cond_t came;
    /* under .lock */
    bool stop;
    bool release;
    struct http_answer answer;
    struct http_seen *seen;
    size_t seen_n;
    size_t seen_cap;
    size_t accepted;
    size_t open;
    uint64_t sent_bytes;
};

static char *copy_of(struct str s)
{
    char *copy = alloc_zeroed_or_stop(s.n + 1);

    memcpy(copy, s.p, s.n);
    return copy;
}

static void bytes_add(struct bytes *b, struct str s)
{
    if (b->n + s.n > b->cap) {
        char *old = b->p;
        b->cap = 2 * (b->n + s.n) + 1024;
        MUST(b->cap <= REQUEST_MAX);
        b->p = alloc_zeroed_or_stop(b->cap);
        if (old)
            memcpy(b->p, old, b->n);
        alloc_free(old);
    }
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

static void bytes_cut_front(struct bytes *b, size_t n)
{
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

static void lock(struct http_server *s)
{
    MUST(pthread_mutex_lock(&s->lock) == 0);
}

static void unlock(struct http_server *s)
{
    MUST(pthread_mutex_unlock(&s->lock) == 0);
}

struct str http_header(const char *head, const char *name)
{
    struct str rest = str_of(head);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        size_t colon = str_find(line, ':');
        if (colon < line.n && str_eq_nocase((struct str){line.p, colon}, str_of(name)))
            return str_trim((struct str){line.p + colon + 1, line.n - colon - 1});
    }
    return (struct str){NULL, 0};
}

static void drop(struct http_server *s, struct connection *c)
{
    const struct linger at_once = {.l_onoff = 1};

    if (c->reset)
        MUST(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    SSL_free(c->tls);
    MUST(close(c->fd) == 0);
    alloc_free(c->in.p);
    alloc_free(c->out.p);
    *c = (struct connection){.fd = -1};
    lock(s);
    s->open--;
    unlock(s);
}

static void tell(struct http_server *s)
{
    uint64_t one = 1;

    MUST(write(s->event_fd, &one, sizeof(one)) == sizeof(one));
}

/* Yields how it is to be answered: as told before anybody can know that it came. */
static struct http_answer remember(struct http_server *s, const struct connection *c, struct str head,
                                   struct str body)
{
    struct http_answer a;
    struct http_seen seen = {.connection = c->number, .body_n = body.n, .at = clock_wall()};

    seen.head = copy_of(head);
    seen.body = copy_of(body);
    lock(s);
    if (s->seen_n == s->seen_cap) {
        struct http_seen *old = s->seen;
        s->seen_cap = s->seen_cap > 0 ? 2 * s->seen_cap : 16;
        s->seen = alloc_zeroed_or_stop(s->seen_cap * sizeof(*s->seen));
        if (old)
            memcpy(s->seen, old, s->seen_n * sizeof(*s->seen));
        alloc_free(old);
    }
    s->seen[s->seen_n++] = seen;
    a = s->answer;
    MUST(pthread_cond_broadcast(&s->came) == 0);
    unlock(s);
    tell(s);
    return a;
}

static void answer(struct connection *c, struct http_answer a)
{
    if (!a.raw && !a.stall && !a.close)
        a.raw = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    bytes_add(&c->out, str_of(a.raw));
    c->fill += a.fill_bytes;
    c->stalled = a.stall;
    c->closing = a.close;
    c->reset = a.reset;
}

/* True when a whole request was taken off c->in, remembered and answered. */
static bool take_request(struct http_server *s, struct connection *c)
{
    const char *end = c->in.n > 0 ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
    struct str head;
    struct str length;
    int64_t body_n = 0;
    size_t whole;
    char *copy;

    if (!end)
        return false;
    head = (struct str){c->in.p, (size_t)(end - c->in.p) + 2};
    copy = copy_of(head);
    length = http_header(copy, "Content-Length");
    if (length.p)
        MUST(str_to_i64(length, &body_n));
    alloc_free(copy);
    whole = head.n + 2 + (size_t)body_n;
    if (c->in.n < whole)
        return false;
    answer(c, remember(s, c, head, (struct str){c->in.p + head.n + 2, (size_t)body_n}));
    bytes_cut_front(&c->in, whole);
    return true;
}

static bool speaks_http2(const struct connection *c)
{
    const unsigned char *name = NULL;
    unsigned n = 0;

    if (!c->tls)
        return false;
    SSL_get0_alpn_selected(c->tls, &name, &n);
    return n == 2 && memcmp(name, "h2", 2) == 0;
}

static void send_frame(struct connection *c, unsigned char type, unsigned char flags, const char *stream,
                       struct str payload)
{
    char head[9] = {0, 0, (char)payload.n, (char)type, (char)flags};

    memcpy(head + 5, stream, 4);
    bytes_add(&c->out, (struct str){head, sizeof(head)});
    bytes_add(&c->out, payload);
}

/*
 * RFC 9113, as much of it as tells that a request is whole: the header block is not even looked at, and the
 * answer is the one byte that HPACK has for ":status: 200".
 */
static bool take_frame(struct http_server *s, struct connection *c)
{
    enum {
        PREFACE = 24,
        DATA = 0,
        HEADERS = 1,
        RST_STREAM = 3,
        SETTINGS = 4,
        PING = 6,
        END_STREAM = 1,
        ACK = 1,
        END_HEADERS = 4
    };
    const unsigned char *in = (const unsigned char *)c->in.p;
    unsigned type;
    unsigned flags;
    size_t n;

    if (!c->greeted) {
        if (c->in.n < PREFACE)
            return false;
        bytes_cut_front(&c->in, PREFACE);
        send_frame(c, SETTINGS, 0, "\0\0\0", (struct str){"", 0});
        c->greeted = true;
        return true;
    }
    if (c->in.n < 9)
        return false;
    n = ((size_t)in[0] << 16) + ((size_t)in[1] << 8) + in[2];
    if (c->in.n < 9 + n)
        return false;
    type = in[3];
    flags = in[4];
    if ((type == SETTINGS || type == PING) && (flags & ACK) == 0)
        send_frame(c, (unsigned char)type, ACK, "\0\0\0", (struct str){c->in.p + 9, type == PING ? n : 0});
    if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
        struct http_answer a = remember(s, c, STR("HTTP/2"), (struct str){"", 0});

        c->closing = a.close;
        c->reset = a.reset;
        if (a.refuse)
            send_frame(c, RST_STREAM, 0, c->in.p + 5, (struct str){"\0\0\0\x7", 4});
        else if (!a.close && !a.stall)
            send_frame(c, HEADERS, END_STREAM | END_HEADERS, c->in.p + 5, STR("\x88"));
    }
    bytes_cut_front(&c->in, 9 + n);
    return true;
}

/* >0: bytes, 0: nothing now, -1: over. */
static ssize_t receive(struct connection *c, char *to, size_t n)
{
    ssize_t got;

    if (c->tls) {
        int tls_got = SSL_read(c->tls, to, (int)n);
        int why = SSL_get_error(c->tls, tls_got);
        if (tls_got > 0)
            return tls_got;
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    got = recv(c->fd, to, n, 0);
    if (got > 0)
        return got;
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t transmit(struct connection *c, const char *from, size_t n)
{
    ssize_t sent;

    if (c->tls) {
        int tls_sent = SSL_write(c->tls, from, (int)n);
        int why = SSL_get_error(c->tls, tls_sent);
        if (tls_sent > 0)
            return tls_sent;
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    sent = send(c->fd, from, n, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static struct http_answer current_answer(struct http_server *s)
{
    struct http_answer a;

    lock(s);
    a = s->answer;
    unlock(s);
    return a;
}

/* False when the connection is over. */
static bool read_all(struct http_server *s, struct connection *c)
{
    char chunk[16384];
    struct http_answer a;
    ssize_t n;

    while ((n = receive(c, chunk, sizeof(chunk))) > 0) {
        if (c->stalled)
            continue;
        a = current_answer(s);
        if (a.at_once) {
            answer(c, a);
            continue;
        }
        bytes_add(&c->in, (struct str){chunk, (size_t)n});
        if (speaks_http2(c)) {
            while (!c->closing && take_frame(s, c))
                continue;
            continue;
        }
        while (!c->stalled && !c->closing && take_request(s, c))
            continue;
    }
    return n == 0;
}

static bool has_output(const struct connection *c)
{
    return c->out_at < c->out.n || c->fill > 0;
}

static bool write_all(struct http_server *s, struct connection *c)
{
    ssize_t n = 1;

    while (n > 0 && has_output(c)) {
        bool fill = c->out_at == c->out.n;
        size_t want = fill ? (c->fill < sizeof(s->xs) ? c->fill : sizeof(s->xs)) : c->out.n - c->out_at;

        n = transmit(c, fill ? s->xs : c->out.p + c->out_at, want);
        if (n <= 0)
            break;
        if (fill)
            c->fill -= (size_t)n;
        else
            c->out_at += (size_t)n;
        lock(s);
        s->sent_bytes += (uint64_t)n;
        unlock(s);
    }
    if (c->out_at == c->out.n && c->out.n > 0) {
        c->out.n = 0;
        c->out_at = 0;
    }
    return n >= 0 && !(c->closing && !has_output(c));
}

static struct connection *free_slot(struct http_server *s)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i].fd >= 0)
            continue;
        if (i >= s->connections_used)
            s->connections_used = i + 1;
        return &s->connections[i];
    }
    return NULL;
}

static void accept_all(struct http_server *s)
{
    int fd;

    while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct connection *c = free_slot(s);
        bool mute;

        MUST(c);
        c->fd = fd;
        lock(s);
        c->number = ++s->accepted;
        s->open++;
        mute = s->answer.stall_in_tls;
        unlock(s);
        tell(s);
        c->stalled = mute;
        if (s->tls && !mute) {
            c->tls = SSL_new(s->tls);
            MUST(c->tls && SSL_set_fd(c->tls, fd) == 1);
            SSL_set_accept_state(c->tls);
        }
    }
}

/* False: stop. */
static bool obey(struct http_server *s)
{
    uint64_t n;
    bool stop;
    bool release;

    MUST(read(s->command_fd, &n, sizeof(n)) == sizeof(n));
    lock(s);
    stop = s->stop;
    release = s->release;
    s->release = false;
    unlock(s);
    for (size_t i = 0; release && i < s->connections_used; i++) {
        struct connection *c = &s->connections[i];
        if (c->fd < 0 || !c->stalled)
            continue;
        c->stalled = false;
        bytes_add(&c->out, STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    }
    return !stop;
}

static void command(struct http_server *s, bool *what)
{
    uint64_t one = 1;

    lock(s);
    *what = true;
    unlock(s);
    MUST(write(s->command_fd, &one, sizeof(one)) == sizeof(one));
}

static void *serve(void *arg)
{
    struct http_server *s = arg;
    static _Thread_local struct pollfd fds[CONNECTIONS_MAX + 2];

    for (;;) {
        nfds_t n = s->connections_used + 2;

        fds[0] = (struct pollfd){.fd = s->command_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < s->connections_used; i++) {
            const struct connection *c = &s->connections[i];
            fds[i + 2] =
                (struct pollfd){.fd = c->fd, .events = (short)(POLLIN | (has_output(c) ? POLLOUT : 0))};
        }
        if (poll(fds, n, -1) < 0) {
            MUST(errno == EINTR);
            continue;
        }
        if (fds[0].revents != 0 && !obey(s))
            return NULL;
        for (size_t i = 0; i + 2 < n; i++) {
            struct connection *c = &s->connections[i];
            if (c->fd >= 0 && fds[i + 2].revents != 0 && !(read_all(s, c) && write_all(s, c)))
                drop(s, c);
        }
        if (fds[1].revents != 0)
            accept_all(s);
    }
}

static int choose_protocol(SSL *tls, const unsigned char **ret, unsigned char *ret_n,
                           const unsigned char *offered, unsigned n, void *arg)
{
    static const unsigned char ours[] = "\x02h2";
    unsigned char *chosen = NULL;

    (void)tls;
    (void)arg;
    if (SSL_select_next_proto(&chosen, ret_n, ours, sizeof(ours) - 1, offered, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void listen_on_loopback(struct http_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MUST(s->listen_fd >= 0);
    MUST(bind(s->listen_fd, (struct sockaddr *)&at, n) == 0);
    MUST(listen(s->listen_fd, 1024) == 0);
    MUST(getsockname(s->listen_fd, (struct sockaddr *)&at, &n) == 0);
    s->port = ntohs(at.sin_port);
}

struct http_server *http_server_new(const struct http_server_options *options)
{
    struct http_server *s = alloc_new(struct http_server);
    pthread_condattr_t attr;

    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        s->connections[i].fd = -1;
    memset(s->xs, 'x', sizeof(s->xs));
    listen_on_loopback(s);
    s->command_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    MUST(s->command_fd >= 0 && s->event_fd >= 0);
    if (options && options->tls)
        s->tls = http_certificate_new(options->tls_wrong_name ? "DNS:elsewhere.example" : "IP:127.0.0.1",
                                      &s->certificate);
    if (s->tls && options->http2)
        SSL_CTX_set_alpn_select_cb(s->tls, choose_protocol, NULL);
    MUST(pthread_mutex_init(&s->lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&s->came, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
    MUST(pthread_create(&s->thread, NULL, serve, s) == 0);
    return s;
}

void http_server_free(struct http_server *s)
{
    command(s, &s->stop);
    MUST(pthread_join(s->thread, NULL) == 0);
    for (size_t i = 0; i < s->connections_used; i++) {
        if (s->connections[i].fd >= 0)
            drop(s, &s->connections[i]);
    }
    for (size_t i = 0; i < s->seen_n; i++) {
        alloc_free(s->seen[i].head);
        alloc_free(s->seen[i].body);
    }
    alloc_free(s->seen);
    SSL_CTX_free(s->tls);
    alloc_free(s->certificate);
    MUST(close(s->listen_fd) == 0);
    MUST(close(s->command_fd) == 0);
    MUST(close(s->event_fd) == 0);
    MUST(pthread_cond_destroy(&s->came) == 0);
    MUST(pthread_mutex_destroy(&s->lock) == 0);
    alloc_free(s);
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

const char *http_server_url(struct http_server *s, const char *path)
{
    (void)snprintf(s->url, sizeof(s->url), "%s://127.0.0.1:%d%s", s->tls ? "https" : "http", s->port, path);
    return s->url;
}

const char *http_server_certificate(const struct http_server *s)
{
    return s->certificate;
}

void http_server_answer(struct http_server *s, const struct http_answer *a)
{
    lock(s);
    s->answer = *a;
    unlock(s);
}

void http_server_release(struct http_server *s)
{
    command(s, &s->release);
}

void http_server_seen(struct http_server *s, size_t i, struct http_seen *ret)
{
    lock(s);
    MUST(i < s->seen_n);
    *ret = s->seen[i];
    unlock(s);
}

size_t http_server_requests(struct http_server *s)
{
    size_t n;

    lock(s);
    n = s->seen_n;
    unlock(s);
    return n;
}

size_t http_server_connections(struct http_server *s)
{
    size_t n;

    lock(s);
    n = s->accepted;
    unlock(s);
    return n;
}

size_t http_server_open_connections(struct http_server *s)
{
    size_t n;

    lock(s);
    n = s->open;
    unlock(s);
    return n;
}

uint64_t http_server_sent_bytes(struct http_server *s)
{
    uint64_t n;

    lock(s);
    n = s->sent_bytes;
    unlock(s);
    return n;
}

bool http_server_wait(struct http_server *s, size_t n, int64_t limit_us)
{
    struct timespec until;
    bool there;
    int64_t us;

    MUST(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    us = until.tv_nsec / 1000 + limit_us;
    until.tv_sec += us / US_PER_S;
    until.tv_nsec = us % US_PER_S * 1000;
    lock(s);
    while (s->seen_n < n && pthread_cond_timedwait(&s->came, &s->lock, &until) == 0)
        continue;
    there = s->seen_n >= n;
    unlock(s);
    return there;
}

int http_server_event_fd(const struct http_server *s)
{
    return s->event_fd;
}

void http_server_clear_event(struct http_server *s)
{
    uint64_t n;

    (void)!read(s->event_fd, &n, sizeof(n));
}
