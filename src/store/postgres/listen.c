/*
 * listen.c: see listen.h. The connection is the thread's alone.
 */
#include "store/postgres/listen.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/postgres/link.h"
#include "store/postgres/notify.h"
#include "store/postgres/rows.h"

enum { CHANNEL_BYTES = 64, LISTEN_BYTES = 96 };
#define FIRST_BACKOFF_US (50 * US_PER_MS)
#define MAX_BACKOFF_US (2 * US_PER_S)
#define LISTEN_US (10 * US_PER_S)
/* At once, but not over and over: a server that accepts and closes. */
#define STABLE_US (1 * US_PER_S)

struct listener {
    /* constant */
    char *url;
    char *application_name; /* NULL: none given */
    char channel[CHANNEL_BYTES];
    struct uuid instance;
    lane_notice_fn notice;
    void (*hears)(void *arg, bool hears);
    void *notice_arg;
    struct log *log;
    int stop_fd; /* readable: to end */
    pthread_t thread;
    bool started;

    /* its thread only */
    bool failing; /* and it was told */
    int64_t backoff_us;

    pthread_mutex_t lock;
    /* under .lock */
    struct listener_stats stats;
};

/* --- what is told --- */

static void tell(struct listener *l, const struct notice *n)
{
    l->notice(l->notice_arg, n);
}

/* Whatever may have been said while nobody listened. */
static void tell_everything(struct listener *l)
{
    struct notice n = {.earliest = {0}, .all = true};

    tell(l, &n);
}

static void hear(struct listener *l, const char *text)
{
    struct notice n;
    struct uuid sender;

    if (notice_decode(str_of(text), &sender, &n, NULL)) {
        tell_everything(l);
    } else if (!uuid_eq(sender, l->instance)) {
        MUST(pthread_mutex_lock(&l->lock) == 0);
        l->stats.notices++;
        MUST(pthread_mutex_unlock(&l->lock) == 0);
        tell(l, &n);
    }
    change_list_done(&n.changed);
}

/* --- the connection --- */

static enum err lost(const PGconn *pg, struct error *err)
{
    struct str text = str_of(PQerrorMessage(pg));

    text.n = str_find(text, '\n');
    return error_set(err, ERR_UNAVAILABLE, "postgres", "%.*s", (int)text.n, text.p);
}

/* Until there is something to be read, or to end: *ret_stop. timeout_ms -1: for ever. */
static enum err wait_input(const struct listener *l, const PGconn *pg, int timeout_ms, bool *ret_stop,
                           struct error *err)
{
    struct pollfd p[2] = {{.fd = PQsocket(pg), .events = POLLIN}, {.fd = l->stop_fd, .events = POLLIN}};
    int n;

    do {
        n = poll(p, COUNT_OF(p), timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(err, "postgres", "cannot wait for notices");
    if (n == 0)
        return error_set(err, ERR_UNAVAILABLE, "postgres", "no answer to LISTEN");
    *ret_stop = p[1].revents != 0;
    return ERR_NONE;
}

static enum err subscribe(const struct listener *l, PGconn *pg, bool *ret_stop, struct error *err)
{
    char text[LISTEN_BYTES];
    RESULT(r);

    MUST(snprintf(text, sizeof(text), "LISTEN \"%s\"", l->channel) < (int)sizeof(text));
    if (PQsendQuery(pg, text) != 1)
        return lost(pg, err);
    while (PQisBusy(pg) && !*ret_stop) {
        enum err e = wait_input(l, pg, (int)(LISTEN_US / US_PER_MS), ret_stop, err);

        if (e)
            return e;
        if (!*ret_stop && PQconsumeInput(pg) != 1)
            return lost(pg, err);
    }
    if (*ret_stop)
        return ERR_NONE;
    r = PQgetResult(pg);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return link_result_error(r, "LISTEN", err);
    PQclear(PQgetResult(pg)); /* NULL: there is no more */
    return ERR_NONE;
}

/* Until the connection is lost or it is time to end. */
static enum err receive(struct listener *l, PGconn *pg, struct error *err)
{
    bool stop = false;

    while (!stop) {
        PGnotify *n;
        enum err e;

        /* What came with the answer to LISTEN is here already. */
        while ((n = PQnotifies(pg))) {
            hear(l, n->extra);
            PQfreemem(n);
        }
        e = wait_input(l, pg, -1, &stop, err);
        if (e)
            return e;
        if (!stop && PQconsumeInput(pg) != 1)
            return lost(pg, err);
    }
    return ERR_NONE;
}

static void set_connected(struct listener *l, bool connected)
{
    MUST(pthread_mutex_lock(&l->lock) == 0);
    l->stats.connected = connected;
    l->stats.connects += connected;
    MUST(pthread_mutex_unlock(&l->lock) == 0);
}

/* It is told when notices are heard no more, and when they are again; not how often that was tried. */
static void set_failing(struct listener *l, const struct error *err)
{
    if (err && !l->failing)
        log_error(l->log, LOG_WARN, "store", "notices of other instances are not heard; trying again", err);
    if (!err && l->failing)
        log_plain(l->log, LOG_INFO, "store", "notices of other instances are heard again");
    if (l->hears && (!err || !l->failing))
        l->hears(l->notice_arg, !err);
    l->failing = err != NULL;
}

static enum err listen_on(struct listener *l, PGconn *pg, struct error *err)
{
    bool stop = false;
    struct mono began;
    enum err e = subscribe(l, pg, &stop, err);

    if (e || stop)
        return e;
    began = clock_mono();
    set_connected(l, true);
    set_failing(l, NULL);
    tell_everything(l);
    e = receive(l, pg, err);
    set_connected(l, false);
    if (clock_mono().us - began.us > STABLE_US)
        l->backoff_us = FIRST_BACKOFF_US;
    return e;
}

/* One connection from beginning to end. ERR_NONE: it is time to end. */
static enum err session(struct listener *l, struct error *err)
{
    struct link_options o = {.url = l->url, .application_name = l->application_name, .stop_fd = l->stop_fd};
    PGconn *pg = NULL;
    enum err e = link_connect(&o, &pg, err);

    if (e)
        return e;
    e = listen_on(l, pg, err);
    PQfinish(pg);
    return e;
}

/* --- the thread --- */

/* True when it is time to end. */
static bool wait_stop(const struct listener *l, int64_t us)
{
    struct pollfd p = {.fd = l->stop_fd, .events = POLLIN};

    return poll(&p, 1, (int)(us / US_PER_MS)) > 0;
}

static void *listener_main(void *arg)
{
    struct listener *l = arg;
    struct error err = {0};

    (void)pthread_setname_np(pthread_self(), "notices"); /* for who looks at threads; fails for long ones */
    while (session(l, &err) && !wait_stop(l, l->backoff_us)) {
        set_failing(l, &err);
        l->backoff_us = l->backoff_us * 2 < MAX_BACKOFF_US ? l->backoff_us * 2 : MAX_BACKOFF_US;
    }
    return NULL;
}

static enum err init(struct listener *l, const struct listener_options *o, struct error *err)
{
    const char *schema = o->schema ? o->schema : "carillon";
    enum err e;

    l->stop_fd = -1;
    l->backoff_us = FIRST_BACKOFF_US;
    MUST(pthread_mutex_init(&l->lock, NULL) == 0);
    if (!sql_schema_ok(schema))
        return error_set(err, ERR_INVALID, "postgres", "this cannot be a schema's name");
    notice_channel(schema, l->channel, sizeof(l->channel));
    l->instance = o->instance;
    l->notice = o->notice;
    l->hears = o->hears;
    l->notice_arg = o->notice_arg;
    l->log = o->log;
    e = alloc_str(str_of(o->url), &l->url, err);
    if (!e && o->application_name)
        e = alloc_str(str_of(o->application_name), &l->application_name, err);
    if (e)
        return e;
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (l->stop_fd < 0)
        return error_errno(err, "postgres", "cannot make an eventfd");
    return ERR_NONE;
}

enum err listener_new(const struct listener_options *options, struct listener **ret, struct error *err)
{
    CLEANUP(listener_free_p) struct listener *l = alloc_new(struct listener);
    enum err e = init(l, options, err);
    int status;

    if (e)
        return e;
    status = pthread_create(&l->thread, NULL, listener_main, l);
    if (status != 0)
        return error_set(err, ERR_IO, "postgres", "cannot start the listener's thread (error %d)", status);
    l->started = true;
    *ret = TAKE(l);
    return ERR_NONE;
}

void listener_get_stats(struct listener *l, struct listener_stats *ret)
{
    MUST(pthread_mutex_lock(&l->lock) == 0);
    *ret = l->stats;
    MUST(pthread_mutex_unlock(&l->lock) == 0);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    if (l->started) {
        MUST(eventfd_write(l->stop_fd, 1) == 0);
        MUST(pthread_join(l->thread, NULL) == 0);
    }
    if (l->stop_fd >= 0)
        (void)close(l->stop_fd); /* nothing was written that could be lost */
    MUST(pthread_mutex_destroy(&l->lock) == 0);
    alloc_free(l->url);
    alloc_free(l->application_name);
    alloc_free(l);
}
