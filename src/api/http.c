/*
 * http.c: the server's threads and the life of a request on them.
 *
 * Who owns a request is told by its `turn`. OURS: the HTTP thread of its connection. AWAY: whoever it was
 * handed to; its connection is suspended, so libmicrohttpd does not touch it, and a client that hangs up is
 * noticed only after it came back. GONE: libmicrohttpd ended the connection all the same; whoever has it
 * frees it.
 *
 * The connection is suspended before the request is handed over, never after: an answer that is ready at once
 * would else resume what is not suspended yet, and be lost. libmicrohttpd acts on a resumption only on the
 * connection's own thread, after the handler returned.
 *
 * MHD_quiesce_daemon() is not used: in 0.9.75 it and a worker that wakes at that moment both take the
 * listening socket out of the worker's epoll set, and the second one to come calls abort(). Instead the
 * descriptor is made to stand for something that is never ready (dup2), which closes the listening socket and
 * takes it out of every epoll set.
 */
#include "api/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/api_internal.h"
#include "api/dispatch.h"
#include "api/metrics.h"
#include "api/once.h"
#include "api/patience.h"
#include "api/rate.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

enum turn { TURN_OURS, TURN_AWAY, TURN_GONE };

/* A body that nobody wants is read so far, to answer on a connection that lives on; then it is cut off. */
enum { SWALLOW_MAX = 4 * 1024 * 1024 };
/* Bodies up to this size are not counted against the server's budget. */
enum { BODY_SMALL = 64 * 1024 };
/* After its idle time a body must keep coming at this rate. */
enum { BODY_BYTES_A_MS = 1 };
/* For a start to come to its end, or to fail. */
#define START_US (5 * US_PER_S)
/* For requests whose body has not come yet when the stop begins. */
#define BODIES_US (2 * US_PER_S)
/* For sending the last answers when the grace is over. */
#define LAST_ANSWERS_US (2 * US_PER_S)

struct http {
    struct api *api;
    struct MHD_Daemon *daemon;
    struct log *log;
    int listen_fd;
    int64_t idle_us;
    struct patience *patience;

    /* any thread */
    _Atomic bool open; /* http_start() is through; whoever sets it wakes those who wait for that */
    _Atomic unsigned under_way;
    _Atomic unsigned away; /* handed over and not yet back on their thread */
    _Atomic unsigned owed; /* handed over at least once and not yet answered */
    _Atomic bool stopping; /* answers close their connections; whoever counts down wakes http_stop() */
    _Atomic bool refusing; /* nothing is handed over any more */

    pthread_mutex_t lock; /* with `calm`: it is open, or one of the counts went down while stopping */
    pthread_cond_t calm;
    /*
     * Held while a request is resumed. http_stop() takes it once after the last one came back, so that no
     * thread is still inside MHD_resume_connection() when the daemon is freed.
     */
    pthread_mutex_t resume_lock;
};

unsigned http_under_way(const struct http *h)
{
    return atomic_load(&h->under_way);
}

unsigned http_connections(const struct http *h)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info ? info->num_connections : 0;
}

static struct timespec monotonic_in(int64_t us)
{
    struct timespec t;

    MUST(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    t.tv_sec += us / US_PER_S;
    t.tv_nsec += us % US_PER_S * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void count_down(struct http *h, _Atomic unsigned *counter)
{
    MUST(atomic_fetch_sub(counter, 1) > 0);
    if (!atomic_load(&h->stopping))
        return;
    MUST(pthread_mutex_lock(&h->lock) == 0);
    MUST(pthread_cond_broadcast(&h->calm) == 0);
    MUST(pthread_mutex_unlock(&h->lock) == 0);
}

/* --- handing over --- */

bool http_hold(struct http *h)
{
    /* Counted before looking, as in hand_over(). */
    atomic_fetch_add(&h->away, 1);
    if (!atomic_load(&h->refusing))
        return true;
    count_down(h, &h->away);
    return false;
}

void http_let_go(struct http *h)
{
    /* http_stop() waits for the lock, so that this thread is out of here when the server is freed. */
    MUST(pthread_mutex_lock(&h->resume_lock) == 0);
    count_down(h, &h->away);
    MUST(pthread_mutex_unlock(&h->resume_lock) == 0);
}

bool http_refuses(const struct http *h)
{
    return atomic_load(&h->refusing);
}

void http_resume(struct http *h, struct MHD_Connection *connection)
{
    MUST(pthread_mutex_lock(&h->resume_lock) == 0);
    MHD_resume_connection(connection);
    MUST(pthread_mutex_unlock(&h->resume_lock) == 0);
}

bool http_is_gone(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    ssize_t got;
    char byte;

    if (!info)
        return false;
    /* libmicrohttpd does not look before it has an answer to send. */
    got = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void http_back(struct request *r)
{
    struct http *h = r->http;
    bool gone;

    MUST(pthread_mutex_lock(&h->resume_lock) == 0);
    gone = atomic_exchange(&r->turn, TURN_OURS) == TURN_GONE;
    if (!gone)
        MHD_resume_connection(r->connection);
    MUST(pthread_mutex_unlock(&h->resume_lock) == 0);
    if (!gone)
        return;
    request_free(r);
    http_let_go(h);
}

/* Suspends and hands over. False: nothing is handed over any more and the request has its answer. */
static bool hand_over(struct http *h, struct request *r)
{
    request_launch_fn launch = r->launch;
    struct error err;

    r->launch = NULL;
    /* Counted before looking: either http_stop() sees the count, or we see that it refuses. */
    atomic_fetch_add(&h->away, 1);
    if (atomic_load(&h->refusing) && !r->held) {
        count_down(h, &h->away);
        answer_problem(r, PROBLEM_STOPPING, "the server is stopping");
        return false;
    }
    r->away = true;
    if (!r->owed) {
        r->owed = true;
        atomic_fetch_add(&h->owed, 1);
    }
    atomic_store(&r->turn, TURN_AWAY);
    MHD_suspend_connection(r->connection);
    if (launch(r, &err)) {
        answer_error(r, &err);
        http_back(r);
    }
    return true;
}

static enum MHD_Result proceed(struct http *h, struct request *r)
{
    if (r->away) {
        r->away = false;
        count_down(h, &h->away);
    }
    while (request_go_on(r)) {
        if (hand_over(h, r))
            return MHD_YES;
    }
    once_end(r);
    return http_send(r, atomic_load(&h->stopping)) ? MHD_YES : MHD_NO;
}

/* --- reading --- */

static struct str header(struct request *r, const char *name)
{
    return str_of(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

/* As header(), but tells an absent one from an empty one. */
static struct str header_or_null(struct request *r, const char *name)
{
    const char *value = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);

    return value ? str_of(value) : (struct str){NULL, 0};
}

/*
 * RFC 9112, 6.3: a request with both ways of telling its length, or with a coding we do not know, may be
 * meant to smuggle another one: it is refused and nothing behind it is read.
 */
static bool framing_is_doubtful(struct request *r)
{
    struct str coding = header_or_null(r, MHD_HTTP_HEADER_TRANSFER_ENCODING);

    if (!coding.p)
        return false;
    return !str_eq_nocase(coding, STR("chunked")) || header_or_null(r, MHD_HTTP_HEADER_CONTENT_LENGTH).p;
}

struct owing *http_owing(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void judge_rate(struct http *h, struct request *r)
{
    const union MHD_ConnectionInfo *info;
    char text[16];
    unsigned wait_s;

    if (!h->api->rate || answered(r) || !dispatch_is_rated(r))
        return;
    info = MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    wait_s = rate_ask(h->api->rate, info ? info->client_addr : NULL, r->started);
    if (wait_s == 0)
        return;
    answer_problem(r, PROBLEM_RATE, "this address asks more often than server.rate allows");
    (void)snprintf(text, sizeof(text), "%u", wait_s);
    answer_header(r, "Retry-After", text);
}

/* The headers are here, the body is not. */
static enum MHD_Result begin(struct http *h, struct request *r, struct MHD_Connection *c, const char *method)
{
    uint64_t length = 0;
    bool at_once;

    r->begun = true;
    r->connection = c;
    r->started = clock_mono();
    atomic_fetch_add(&h->under_way, 1);
    r->headers.accept = header_or_null(r, MHD_HTTP_HEADER_ACCEPT);
    r->headers.content_type = header_or_null(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    r->headers.if_match = header_or_null(r, MHD_HTTP_HEADER_IF_MATCH);
    r->headers.if_none_match = header_or_null(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
    r->headers.last_event_id = header_or_null(r, "Last-Event-ID");
    r->headers.idempotency_key = header_or_null(r, "Idempotency-Key");
    if (http_owing(c))
        owing_met(http_owing(c));
    dispatch_begin(r, str_of(method));
    judge_rate(h, r);

    /* libmicrohttpd has refused what is no number. */
    if (!str_to_u64(header(r, MHD_HTTP_HEADER_CONTENT_LENGTH), &length))
        length = 0;
    at_once = framing_is_doubtful(r);
    if (at_once && !answered(r))
        answer_problem(r, PROBLEM_SYNTAX, "the request's length is told in a way that is not supported");
    if (length > r->body_limit && !answered(r))
        dispatch_too_large(r);
    /* Who asks before sending a body is told before sending it. */
    at_once = at_once || length > r->body_limit || header(r, MHD_HTTP_HEADER_EXPECT).n > 0;
    if (!answered(r) || !at_once)
        return MHD_YES;
    r->answer.close = true;
    return http_send(r, true) ? MHD_YES : MHD_NO;
}

/* Takes the body's growth from the server's budget. */
static bool within_budget(struct request *r, size_t n)
{
    size_t whole = r->body.n + n;

    return whole <= BODY_SMALL || request_afford(r, whole - r->budgeted);
}

static bool too_slow(const struct http *h, const struct request *r)
{
    int64_t bytes = (int64_t)(r->body.n + r->swallowed);

    return clock_mono().us - r->started.us > h->idle_us + bytes * US_PER_MS / BODY_BYTES_A_MS;
}

/* A piece of the body. MHD_NO cuts the connection off: libmicrohttpd can't answer in the middle of a body. */
static enum MHD_Result take(struct http *h, struct request *r, struct str piece)
{
    struct error err;

    if (too_slow(h, r))
        return MHD_NO;
    if (answered(r)) {
        r->swallowed += piece.n;
        return r->swallowed <= SWALLOW_MAX ? MHD_YES : MHD_NO;
    }
    if (piece.n > r->body_limit - r->body.n) {
        buf_done(&r->body);
        dispatch_too_large(r);
        return MHD_YES;
    }
    if (!within_budget(r, piece.n)) {
        buf_done(&r->body);
        answer_problem(r, PROBLEM_BUSY, "too many large requests at the same time");
        return MHD_YES;
    }
    buf_add(&r->body, piece);
    if (buf_check(&r->body, NULL, &err))
        answer_error(r, &err);
    return MHD_YES;
}

/* --- libmicrohttpd's callbacks, all on the connection's thread --- */

/*
 * The daemon's threads run before MHD_start_daemon() has returned, and so before what knows the daemon does.
 * Who asks as early as that waits; not for ever, since a start that fails ends the threads.
 */
static void wait_until_open(struct http *h)
{
    struct timespec until;
    int e = 0;

    if (atomic_load(&h->open))
        return;
    until = monotonic_in(START_US);
    MUST(pthread_mutex_lock(&h->lock) == 0);
    while (!atomic_load(&h->open) && e == 0)
        e = pthread_cond_timedwait(&h->calm, &h->lock, &until);
    MUST(e == 0 || e == ETIMEDOUT);
    MUST(pthread_mutex_unlock(&h->lock) == 0);
}

static void *on_target(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct http *h = cls;
    struct request *r = request_new();

    (void)c;
    wait_until_open(h);
    r->api = h->api;
    r->http = h;
    dispatch_target(r, str_of(uri));
    return r;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                                 const char *version, const char *data, size_t *data_n, void **con_cls)
{
    struct http *h = cls;
    struct request *r = *con_cls;
    struct str piece = {data, *data_n};

    (void)url;
    (void)version;
    MUST(r);
    if (!r->begun)
        return begin(h, r, c, method);
    if (piece.n == 0)
        return proceed(h, r);
    *data_n = 0;
    return take(h, r, piece);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode how)
{
    struct http *h = cls;
    struct request *r = TAKE(*con_cls);
    bool begun;
    bool owed;

    if (http_owing(c))
        owing_again(http_owing(c));
    if (!r)
        return;
    begun = r->begun;
    owed = r->owed;
    if (begun && how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        metrics_count_aborted(h->api->metrics);
    /* What is away is freed by whoever has it. */
    if (atomic_exchange(&r->turn, TURN_GONE) == TURN_OURS) {
        if (r->away)
            count_down(h, &h->away);
        request_free(r);
    }
    if (owed)
        count_down(h, &h->owed);
    if (begun)
        count_down(h, &h->under_way);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *h = cls;
    const union MHD_ConnectionInfo *info;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        owing_free(TAKE(*context));
        return;
    }
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info ? owing_new(h->patience, info->connect_fd) : NULL;
}

PRINTF_LIKE(2, 0) static void on_log(void *cls, const char *format, va_list args)
{
    struct http *h = cls;
    char text[256];

    if (!log_wants(h->log, LOG_DEBUG) || vsnprintf(text, sizeof(text), format, args) < 0)
        return;
    log_event(h->log, LOG_DEBUG, "api", "libmicrohttpd", KV_STR("text", str_trim(str_of(text))));
}

/* --- start and stop --- */

static struct MHD_Daemon *start_daemon(struct http *h, const struct http_options *o)
{
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    if (o->threads < 2)
        pool[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_access, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, h, /* first, so that it hears all */
        MHD_OPTION_LISTEN_SOCKET, o->listen_fd, MHD_OPTION_CONNECTION_LIMIT, o->connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->header_max, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
        MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

static void init_locks(struct http *h)
{
    pthread_condattr_t attr;

    MUST(pthread_mutex_init(&h->lock, NULL) == 0);
    MUST(pthread_mutex_init(&h->resume_lock, NULL) == 0);
    MUST(pthread_condattr_init(&attr) == 0);
    MUST(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&h->calm, &attr) == 0);
    MUST(pthread_condattr_destroy(&attr) == 0);
}

enum err http_start(const struct http_options *o, struct http **ret, struct error *err)
{
    CLEANUP(http_free_p) struct http *h = alloc_new(struct http);
    enum err e;

    h->api = o->api;
    h->log = o->log;
    h->listen_fd = o->listen_fd;
    h->idle_us = (int64_t)o->idle_s * US_PER_S;
    init_locks(h);
    /* Silence is libmicrohttpd's to end; what is left is the time that headers may take. */
    e = patience_new(h->idle_us + o->header_us, &h->patience, err);
    if (e)
        return e;
    h->daemon = start_daemon(h, o);
    if (!h->daemon)
        return error_set(err, ERR_IO, "server", "the HTTP server's threads cannot be started");
    *ret = h;
    MUST(pthread_mutex_lock(&h->lock) == 0);
    atomic_store(&h->open, true);
    MUST(pthread_cond_broadcast(&h->calm) == 0);
    MUST(pthread_mutex_unlock(&h->lock) == 0);
    h = NULL;
    return ERR_NONE;
}

static void stop_listening(struct http *h)
{
    int never_ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    /* Without a descriptor to spare we go on listening, and refuse what comes. */
    if (never_ready < 0)
        return;
    MUST(dup3(never_ready, h->listen_fd, O_CLOEXEC) == h->listen_fd);
    MUST(close(never_ready) == 0);
}

/* Waits until nothing is counted any more; false: that took too long. h->lock is held. */
static bool wait_for_none(struct http *h, _Atomic unsigned *counter, int64_t patience_us)
{
    struct timespec until = monotonic_in(patience_us);
    int e = 0;

    while (atomic_load(counter) > 0 && e == 0)
        e = pthread_cond_timedwait(&h->calm, &h->lock, &until);
    MUST(e == 0 || e == ETIMEDOUT);
    return e == 0;
}

static void wait_for_calm(struct http *h, int64_t grace_us)
{
    struct mono until = mono_add(clock_mono(), grace_us);
    int64_t left;

    MUST(pthread_mutex_lock(&h->lock) == 0);
    /* A body that is being sent is waited for, but not for as long as its sender likes. */
    (void)wait_for_none(h, &h->under_way, grace_us < BODIES_US ? grace_us : BODIES_US);
    left = until.us - clock_mono().us;
    (void)wait_for_none(h, &h->owed, left > 0 ? left : 0);
    atomic_store(&h->refusing, true);
    /* However long it takes: the lanes give back what they have. */
    while (atomic_load(&h->away) > 0)
        MUST(pthread_cond_wait(&h->calm, &h->lock) == 0);
    /* What was done must be told, but a client that does not read is not waited for. */
    (void)wait_for_none(h, &h->owed, LAST_ANSWERS_US);
    MUST(pthread_mutex_unlock(&h->lock) == 0);
    MUST(pthread_mutex_lock(&h->resume_lock) == 0);
    MUST(pthread_mutex_unlock(&h->resume_lock) == 0);
}

void http_stop(struct http *h, int64_t grace_us)
{
    if (!h || !h->daemon)
        return;
    atomic_store(&h->stopping, true);
    stop_listening(h);
    wait_for_calm(h, grace_us);
    MHD_stop_daemon(TAKE(h->daemon));
}

void http_free(struct http *h)
{
    if (!h)
        return;
    MUST(!h->daemon);
    patience_free(h->patience);
    MUST(pthread_cond_destroy(&h->calm) == 0);
    MUST(pthread_mutex_destroy(&h->lock) == 0);
    MUST(pthread_mutex_destroy(&h->resume_lock) == 0);
    alloc_free(h);
}
