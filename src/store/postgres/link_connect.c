/*
 * link_connect.c: how a connection is made: without blocking, within CONNECT_S, and so that a peer that
 * vanished is noticed. What the URL says of timeouts and keepalives goes before what is set here.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "store/postgres/link.h"

/* In all: for every host that the URL names. */
#define CONNECT_US (10 * US_PER_S)

static enum err refused(const PGconn *pg, struct error *err)
{
    struct str text = str_of(PQerrorMessage(pg));

    text.n = str_find(text, '\n');
    return error_set(err, ERR_UNAVAILABLE, "postgres", "%.*s", (int)text.n, text.p);
}

static PGconn *begin(const struct link_options *o)
{
    /* Later ones win; the URL stands in the middle. */
    static const char *const names[] = {"keepalives_idle",  "keepalives_interval",       "keepalives_count",
                                        "tcp_user_timeout", "fallback_application_name", "dbname",
                                        "client_encoding",  "application_name",          NULL};
    const char *values[] = {"10", "5", "3", "20000", "carillon", o->url, "UTF8", o->application_name, NULL};

    _Static_assert(COUNT_OF(names) == COUNT_OF(values), "a value for each name");
    return PQconnectStartParams(names, values, 1);
}

/* What the server remarks upon is in its own log; libpq would write it to our standard error. */
static void ignore(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

/* Until the socket is ready or it is time to give up. */
static enum err wait_ready(const PGconn *pg, PostgresPollingStatusType what, struct mono until, int stop_fd,
                           struct error *err)
{
    struct pollfd p[2] = {
        {.fd = PQsocket(pg), .events = what == PGRES_POLLING_READING ? POLLIN : POLLOUT},
        {.fd = stop_fd, .events = POLLIN}, /* a negative one is not looked at */
    };

    for (;;) {
        int64_t left_us = until.us - clock_mono().us;
        int n;

        if (left_us <= 0)
            return error_set(err, ERR_UNAVAILABLE, "postgres", "cannot connect: no answer");
        n = poll(p, COUNT_OF(p), (int)(left_us / US_PER_MS) + 1);
        if (n < 0 && errno != EINTR)
            return error_errno(err, "postgres", "cannot wait for a connection");
        if (n > 0 && p[1].revents)
            return error_set(err, ERR_UNAVAILABLE, "postgres", "cannot connect: stopping");
        if (n > 0)
            return ERR_NONE;
    }
}

static enum err finish(PGconn *pg, int stop_fd, struct error *err)
{
    struct mono until = mono_add(clock_mono(), CONNECT_US);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    while (status != PGRES_POLLING_OK) {
        enum err e;

        if (status == PGRES_POLLING_FAILED)
            return refused(pg, err);
        e = wait_ready(pg, status, until, stop_fd, err);
        if (e)
            return e;
        status = PQconnectPoll(pg);
    }
    return ERR_NONE;
}

/* What the store is kept in must hold every character, and be what it was written for. */
static enum err judge(const PGconn *pg, struct error *err)
{
    const char *encoding = PQparameterStatus(pg, "server_encoding");

    if (PQserverVersion(pg) < 130000)
        return error_set(err, ERR_UNSUPPORTED, "postgres", "the server is version %d, which is older than 13",
                         PQserverVersion(pg) / 10000);
    /* A pooler may not tell. */
    if (encoding && strcmp(encoding, "UTF8") != 0)
        return error_set(err, ERR_UNSUPPORTED, "postgres", "the database's encoding is %s; it must be UTF8",
                         encoding);
    return ERR_NONE;
}

enum err link_connect(const struct link_options *o, PGconn **ret, struct error *err)
{
    PGconn *pg = begin(o);
    enum err e;

    if (!pg)
        return error_set(err, ERR_MEMORY, "postgres", "out of memory");
    (void)PQsetNoticeReceiver(pg, ignore, NULL); /* gives the one before it */
    e = PQstatus(pg) == CONNECTION_BAD ? refused(pg, err) : finish(pg, o->stop_fd, err);
    if (!e)
        e = judge(pg, err);
    if (e) {
        PQfinish(pg);
        return e;
    }
    *ret = pg;
    return ERR_NONE;
}
