/*
 * redis_link.c: one connection's life: found, connected, greeted, used, broken, and made anew.
 *
 * Replies come in the order of the commands, so a reply belongs to the oldest job of `sent`. A job whose time
 * is over stays there without its attempt until its reply has come. A server that says nothing at all for
 * STALL_US while it owes replies is taken for dead: the connection is given up, since the system would notice
 * only after many minutes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/outcome.h"
#include "deliver/redis_internal.h"

#define CONNECT_US (3 * US_PER_S) /* for one address, with the greeting */
#define STALL_US (5 * US_PER_S)
#define PAUSE_MIN_US (100 * US_PER_MS)
#define PAUSE_MAX_US (5 * US_PER_S)

static void link_timer(void *arg);

/* --- made and freed --- */

enum err redis_link_new(struct redis *r, struct redis_address *address, struct link **ret, struct error *err)
{
    struct link *l = alloc_new(struct link);
    bool v6 = str_find(str_of(address->host), ':') < strlen(address->host);
    enum err e;

    l->redis = r;
    l->address = *address;
    *address = (struct redis_address){0};
    (void)snprintf(l->where, sizeof(l->where), "%s%.255s%s:%u", v6 ? "[" : "", l->address.host, v6 ? "]" : "",
                   l->address.port);
    l->fd = -1;
    list_init(&l->item.node);
    list_init(&l->waiting);
    list_init(&l->sent);
    list_init(&l->dirty_node);
    buf_init(&l->out, (size_t)REDIS_PIPELINE_BYTES + REDIS_COMMAND_MAX);
    e = r->reactor->ops->timer_new(r->reactor, link_timer, l, &l->timer, err);
    if (e) {
        redis_link_free(l);
        return e;
    }
    *ret = l;
    return ERR_NONE;
}

/* Back to LINK_DOWN, whatever there is. */
static void undo(struct link *l)
{
    redis_wire_close(l);
    redis_resolve_forget(l);
    if (l->found)
        freeaddrinfo(TAKE(l->found));
    l->next = NULL;
    l->greetings = 0;
    l->state = LINK_DOWN;
}

void redis_link_free(struct link *l)
{
    MUST(list_empty(&l->waiting) && list_empty(&l->sent));
    undo(l);
    list_remove(&l->dirty_node);
    if (l->timer)
        l->redis->reactor->ops->timer_free(l->redis->reactor, l->timer);
    buf_done(&l->out);
    redis_address_done(&l->address);
    alloc_free(l);
}

/* --- jobs in and out --- */

static void arm(struct link *l, int64_t after_us)
{
    l->redis->reactor->ops->timer_arm(l->redis->reactor, l->timer, after_us);
}

static void end_job(struct link *l, struct job *j, const char *error, struct mono now)
{
    list_remove(&j->errand.node);
    errand_end(&l->redis->errands, &j->errand, error, now);
    redis_job_free(j);
}

/* One that was not sent. ERR_IO: the server cannot be reached; else it is not to blame. */
static void fail_job(struct link *l, struct job *j, enum err code, const char *text, struct mono now)
{
    list_remove(&j->errand.node);
    if (code == ERR_IO)
        errand_break(&l->redis->errands, &j->errand, text, now);
    else
        errand_fail(&l->redis->errands, &j->errand, code, text, now);
    redis_job_free(j);
}

static void fail_waiting(struct link *l, enum err code, const char *text, struct mono now)
{
    while (!list_empty(&l->waiting)) {
        struct errand *e = CONTAINER_OF(l->waiting.next, struct errand, node);

        fail_job(l, CONTAINER_OF(e, struct job, errand), code, text, now);
    }
}

/* Their answers will not come. */
static void break_sent(struct link *l, const char *error, struct mono now)
{
    while (!list_empty(&l->sent)) {
        struct errand *e = CONTAINER_OF(l->sent.next, struct errand, node);
        struct job *j = CONTAINER_OF(e, struct job, errand);

        list_remove(&e->node);
        errand_break(&l->redis->errands, e, error, now);
        redis_job_free(j);
    }
}

/* A pause that grows with the failures in a row, spread so that many instances do not come back together. */
static int64_t pause_us(struct link *l)
{
    int64_t us = PAUSE_MIN_US;

    if (l->failures == 0)
        return 0;
    for (unsigned i = 1; i < l->failures && us < PAUSE_MAX_US; i++)
        us *= 2;
    us = us < PAUSE_MAX_US ? us : PAUSE_MAX_US;
    return us - (int64_t)rng_below(&l->redis->rng, (uint64_t)us / 4 + 1);
}

static void begin(struct link *l, struct mono now);

/*
 * The connection, or the attempt at one, has failed. What was sent fails with it. What waited fails only when
 * it waited for this connect; else it goes to the next connection. ERR_MEMORY: for want of something of ours.
 */
static void fail_by(struct link *l, enum err code, const char *text, struct mono now)
{
    bool was_up = l->state == LINK_UP;

    undo(l);
    l->failures = l->heard_reply ? 0 : l->failures + (l->failures < 100);
    l->heard_reply = false;
    l->retry_at = mono_add(now, pause_us(l));
    l->sent_n = 0;
    break_sent(l, text, now);
    if (!was_up)
        fail_waiting(l, code, text, now);
    if (!list_empty(&l->waiting))
        begin(l, now);
}

static void fail(struct link *l, const char *text, struct mono now)
{
    fail_by(l, ERR_IO, text, now);
}

/* --- the way up --- */

static void on_io(void *arg, int fd, int events);

static void watch(struct link *l, int events, struct mono now)
{
    struct reactor *r = l->redis->reactor;
    struct error err;
    enum err e;

    if (l->watch && events == l->events)
        return;
    l->events = events;
    if (l->watch)
        e = r->ops->rewatch(r, l->watch, events, &err);
    else
        e = r->ops->watch(r, l->fd, events, on_io, l, &l->watch, &err);
    if (e)
        fail_by(l, ERR_MEMORY, "the connection's socket cannot be watched", now);
}

/* To the next address that can be tried at all; there is one. */
static void connect_next(struct link *l, struct mono now)
{
    struct error err;

    do {
        const struct addrinfo *a = TAKE(l->next);

        redis_wire_close(l);
        l->next = a->ai_next;
        if (redis_wire_open(l, a, &err) == ERR_NONE) {
            l->state = LINK_CONNECTING;
            arm(l, CONNECT_US);
            watch(l, REACTOR_WRITE, now);
            return;
        }
    } while (l->next);
    fail_by(l, err.code, err.text, now);
}

static void fail_connect(struct link *l, const char *text, struct mono now)
{
    if (l->next)
        connect_next(l, now);
    else
        fail(l, text, now);
}

void redis_link_found(struct link *l, struct addrinfo *found)
{
    l->found = found;
    l->next = found;
    connect_next(l, clock_mono());
}

void redis_link_not_found(struct link *l, const char *why, bool want)
{
    char text[REDIS_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "cannot resolve the name of %s: %s", l->where, why);
    fail_by(l, want ? ERR_MEMORY : ERR_IO, text, clock_mono());
}

/* Something waits and there is no connection. */
static void begin(struct link *l, struct mono now)
{
    if (l->retry_at.us > now.us) {
        arm(l, l->retry_at.us - now.us);
        return;
    }
    l->state = LINK_RESOLVING;
    redis_resolve_start(l);
}

/* --- up: jobs out, replies in --- */

static void send_job(struct link *l, struct job *j, struct mono now)
{
    struct redis *r = l->redis;
    struct error err;
    enum err e = redis_command_make(r, j->errand.delivery, &err);

    if (e) {
        fail_job(l, j, e, err.text, now);
        return;
    }
    buf_add(&l->out, buf_str(&r->command));
    list_remove(&j->errand.node);
    list_push_back(&l->sent, &j->errand.node);
    j->state = JOB_SENT;
    j->sent_at = now;
    l->sent_n++;
}

/* Puts out what there is room for, and writes it. */
static void pump(struct link *l, struct mono now)
{
    struct error err;

    while (!list_empty(&l->waiting) && l->sent_n < REDIS_PIPELINE_COMMANDS &&
           l->out.n - l->out_at < REDIS_PIPELINE_BYTES) {
        struct errand *e = CONTAINER_OF(l->waiting.next, struct errand, node);

        send_job(l, CONTAINER_OF(e, struct job, errand), now);
    }
    if (!buf_ok(&l->out))
        fail(l, "out of memory", now);
    else if (!redis_wire_flush(l, &err))
        fail(l, err.text, now);
    else
        watch(l, l->out.n > 0 ? REACTOR_READ | REACTOR_WRITE : REACTOR_READ, now);
}

static void go_up(struct link *l, struct mono now)
{
    const struct reactor_ops *ops = l->redis->reactor->ops;

    l->state = LINK_UP;
    l->heard = now;
    ops->timer_disarm(l->redis->reactor, l->timer);
    freeaddrinfo(TAKE(l->found));
    l->next = NULL;
    pump(l, now);
}

static void greet(struct link *l, struct mono now)
{
    const struct redis_address *a = &l->address;
    char number[24];
    struct error err;

    l->state = LINK_GREETING;
    l->heard_reply = false;
    if (a->password.p) {
        if (a->user.n > 0)
            redis_command_add(&l->out, (struct str[]){STR("AUTH"), a->user, a->password}, 3);
        else
            redis_command_add(&l->out, (struct str[]){STR("AUTH"), a->password}, 2);
        l->greetings++;
    }
    l->greeting_auth = l->greetings > 0;
    if (a->database != 0) {
        (void)snprintf(number, sizeof(number), "%lld", (long long)a->database);
        redis_command_add(&l->out, (struct str[]){STR("SELECT"), str_of(number)}, 2);
        l->greetings++;
    }
    if (l->greetings == 0)
        go_up(l, now);
    else if (!redis_wire_flush(l, &err))
        fail(l, err.text, now);
    else
        watch(l, l->out.n > 0 ? REACTOR_READ | REACTOR_WRITE : REACTOR_READ, now);
}

/*
 * What a server says to AUTH is told by its first word alone: with the command renamed, its answer quotes the
 * password.
 */
static bool answer_greeting(struct link *l, struct error *err)
{
    bool auth = TAKE(l->greeting_auth);
    size_t word = strcspn(l->answer_error, " ");

    l->greetings--;
    if (!l->answer_is_error)
        return true;
    if (auth)
        (void)error_set(err, ERR_INVALID, l->where, "%s refused the user or the password (%.*s)", l->where,
                        (int)(word < 32 ? word : 32), l->answer_error);
    else
        (void)error_set(err, ERR_INVALID, l->where, "%s refused database %lld: %s", l->where,
                        (long long)l->address.database, l->answer_error);
    return false;
}

bool redis_link_answer(struct link *l, struct error *err)
{
    char text[REDIS_TEXT_MAX];
    struct errand *e;
    char *arguments;

    l->heard = clock_mono();
    l->heard_reply = true;
    outcome_hide(l->answer_error, l->address.password);
    if (l->state == LINK_GREETING && l->greetings > 0)
        return answer_greeting(l, err);
    /* "unknown command ..., with args beginning with: 'what we sent'" */
    arguments = strstr(l->answer_error, ", with args");
    if (arguments)
        *arguments = '\0';
    if (list_empty(&l->sent)) {
        (void)error_set(err, ERR_SYNTAX, l->where, "%s answered what it was not asked: %s", l->where,
                        l->answer_error);
        return false;
    }
    (void)snprintf(text, sizeof(text), "%s answered: %s", l->where, l->answer_error);
    e = CONTAINER_OF(l->sent.next, struct errand, node);
    l->sent_n--;
    end_job(l, CONTAINER_OF(e, struct job, errand), l->answer_is_error ? text : NULL, l->heard);
    return true;
}

static void on_connected(struct link *l, struct mono now)
{
    char text[REDIS_TEXT_MAX];
    char why[96];
    int status = 0;
    socklen_t n = sizeof(status);

    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &status, &n) < 0)
        status = errno;
    if (status == 0) {
        greet(l, now);
        return;
    }
    (void)snprintf(text, sizeof(text), "cannot connect to %s: %s", l->where,
                   strerror_r(status, why, sizeof(why)));
    fail_connect(l, text, now);
}

static void on_readable(struct link *l, struct mono now)
{
    struct error err;

    if (!redis_wire_read(l, &err)) {
        fail_by(l, err.code, err.text, now);
        return;
    }
    if (l->state == LINK_GREETING && l->greetings == 0)
        go_up(l, now);
    else if (l->state == LINK_UP)
        pump(l, now);
}

static void on_io(void *arg, int fd, int events)
{
    struct link *l = arg;
    struct mono now = clock_mono();
    struct error err;

    (void)fd;
    if (l->state == LINK_CONNECTING)
        on_connected(l, now);
    else if ((events & REACTOR_READ) != 0)
        on_readable(l, now);
    else if (l->state == LINK_UP)
        pump(l, now);
    else if (!redis_wire_flush(l, &err))
        fail(l, err.text, now);
    else
        watch(l, l->out.n > 0 ? REACTOR_READ | REACTOR_WRITE : REACTOR_READ, now);
}

/* The pause is over, or the patience. */
static void link_timer(void *arg)
{
    struct link *l = arg;
    struct mono now = clock_mono();
    char text[REDIS_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%s%s for %d s", redis_link_missing(l), l->where,
                   (int)(CONNECT_US / US_PER_S));
    if (l->state == LINK_CONNECTING)
        fail_connect(l, text, now);
    else if (l->state == LINK_GREETING)
        fail(l, text, now);
    else if (l->state == LINK_DOWN && !list_empty(&l->waiting))
        begin(l, now);
}

/* --- what redis.c asks --- */

void redis_link_take(struct link *l, struct job *j)
{
    struct redis *r = l->redis;

    j->link = l;
    j->state = JOB_WAITS_LINK;
    list_push_back(&l->waiting, &j->errand.node);
    pool_use(&r->pool, &l->item);
    if (!l->dirty) {
        if (list_empty(&r->dirty))
            r->reactor->ops->timer_arm(r->reactor, r->flush_timer, 0);
        l->dirty = true;
        list_push_back(&r->dirty, &l->dirty_node);
    }
}

void redis_link_act(struct link *l, struct mono now)
{
    l->dirty = false;
    if (list_empty(&l->waiting))
        return;
    if (l->state == LINK_DOWN)
        begin(l, now);
    else if (l->state == LINK_UP)
        pump(l, now);
}

const char *redis_link_missing(const struct link *l)
{
    switch (l->state) {
    case LINK_RESOLVING:
        return "no address for ";
    case LINK_DOWN:
    case LINK_CONNECTING:
        return "no connection to ";
    case LINK_GREETING:
    case LINK_UP:
        break;
    }
    return "no answer from ";
}

static bool is_stalled(const struct link *l, struct mono now)
{
    const struct job *oldest;
    int64_t since_us = l->heard.us;

    if (l->state != LINK_UP || list_empty(&l->sent))
        return false;
    oldest = CONTAINER_OF(CONTAINER_OF(l->sent.next, struct errand, node), struct job, errand);
    if (oldest->sent_at.us > since_us)
        since_us = oldest->sent_at.us;
    return now.us - since_us >= STALL_US;
}

void redis_link_break(struct link *l)
{
    fail(l, "given up before it ended", clock_mono());
}

void redis_link_drop(struct link *l, struct job *j, struct mono now)
{
    char text[REDIS_TEXT_MAX];

    if (j->state == JOB_WAITS_LINK) {
        list_remove(&j->errand.node);
        redis_job_free(j);
    }
    if (!is_stalled(l, now))
        return;
    (void)snprintf(text, sizeof(text), "no answer from %s for %d s; the connection was given up", l->where,
                   (int)(STALL_US / US_PER_S));
    fail(l, text, now);
}
