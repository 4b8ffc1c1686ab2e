/*
 * wakeup_redis.c: what one instance tells over Redis the others hear, in few messages; a server that goes
 * away, stalls or lies harms nobody. Over Debian's redis-server, and over one that lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "engine/wakeup_redis.h"
#include "redis_server.h"

enum { PATIENCE_S = 30 }; /* only a failing test waits for so long */

/* --- who hears --- */

struct ear {
    struct wakeup *w;
    pthread_mutex_t lock;
    pthread_cond_t heard;
    /* under .lock */
    size_t n;             /* notices that named something */
    size_t everything;    /* those that said that all may have changed */
    size_t changes;       /* summed */
    struct wall earliest; /* of the last */
    int hears;            /* -1: not told yet */
};

static void on_notice(void *arg, const struct notice *n)
{
    struct ear *e = arg;

    MUST(pthread_mutex_lock(&e->lock) == 0);
    if (n->all)
        e->everything++;
    else
        e->n++;
    e->changes += n->changed.n;
    e->earliest = n->earliest;
    MUST(pthread_cond_broadcast(&e->heard) == 0);
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

static void on_hears(void *arg, bool hears)
{
    struct ear *e = arg;

    MUST(pthread_mutex_lock(&e->lock) == 0);
    e->hears = hears;
    MUST(pthread_cond_broadcast(&e->heard) == 0);
    MUST(pthread_mutex_unlock(&e->lock) == 0);
}

typedef bool (*ear_fn)(const struct ear *e, size_t n);

static bool has_heard(const struct ear *e, size_t n)
{
    return e->n >= n;
}

static bool has_heard_of_everything(const struct ear *e, size_t n)
{
    return e->everything >= n;
}

static bool has_changes(const struct ear *e, size_t n)
{
    return e->changes >= n || e->everything > 1;
}

static bool knows_that_it_hears(const struct ear *e, size_t yes)
{
    return e->hears == (int)yes;
}

static void await(struct ear *e, ear_fn fn, size_t n)
{
    struct timespec until;
    bool there;
    int status = 0;

    MUST(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += PATIENCE_S;
    MUST(pthread_mutex_lock(&e->lock) == 0);
    while (!fn(e, n) && status == 0)
        status = pthread_cond_timedwait(&e->heard, &e->lock, &until);
    there = fn(e, n);
    MUST(pthread_mutex_unlock(&e->lock) == 0);
    assert_true(there);
}

static void ear_open(struct ear *e, const char *url, uint8_t id, struct wakeup_options o)
{
    struct error err = {0};

    *e = (struct ear){.lock = PTHREAD_MUTEX_INITIALIZER, .heard = PTHREAD_COND_INITIALIZER, .hears = -1};
    o.url = url;
    o.name = "test";
    if (!o.key.p)
        o.key = STR("what only they know");
    o.instance = (struct uuid){{id}};
    o.notice = on_notice;
    o.hears = on_hears;
    o.arg = e;
    if (wakeup_new(&o, &e->w, &err))
        fail_msg("%s: %s", err.where, err.text);
}

static void ear_close(struct ear *e)
{
    wakeup_free(e->w);
    MUST(pthread_cond_destroy(&e->heard) == 0);
    MUST(pthread_mutex_destroy(&e->lock) == 0);
}

static struct wakeup_stats stats_of(struct ear *e)
{
    struct wakeup_stats s;

    wakeup_get_stats(e->w, &s);
    return s;
}

/* --- over a real server --- */

struct pair {
    struct redis_server *server;
    char url[64];
    struct ear a;
    struct ear b;
};

/* Both hear. */
static struct pair *pair_new(struct wakeup_options o)
{
    struct pair *p = alloc_new(struct pair);

    p->server = redis_server_start(NULL);
    if (!p->server) {
        alloc_free(p);
        return NULL;
    }
    (void)snprintf(p->url, sizeof(p->url), "redis://127.0.0.1:%d", redis_server_port(p->server));
    ear_open(&p->a, p->url, 1, o);
    ear_open(&p->b, p->url, 2, o);
    await(&p->a, has_heard_of_everything, 1);
    await(&p->b, has_heard_of_everything, 1);
    return p;
}

static void pair_free(struct pair *p)
{
    ear_close(&p->a);
    ear_close(&p->b);
    redis_server_stop(p->server);
    alloc_free(p);
}

static void tell_due(struct ear *e, int64_t us)
{
    const struct notice n = {.earliest = {us}};

    wakeup_tell(e->w, &n);
}

static void tell_changed(struct ear *e, size_t i)
{
    struct change c = {.schedule_id = {{7, (uint8_t)i, (uint8_t)(i >> 8)}}, .version = 2};
    const struct notice n = {.earliest = WALL_NEVER, .changed = {.items = &c, .n = 1}};

    wakeup_tell(e->w, &n);
}

static void the_others_hear_what_one_tells_and_it_does_not(void **state)
{
    struct pair *p = pair_new((struct wakeup_options){0});

    (void)state;
    if (!p)
        skip();
    assert_int_equal(p->a.hears, 1);
    tell_due(&p->a, 77);
    await(&p->b, has_heard, 1);
    assert_int_equal(p->b.earliest.us, 77);
    tell_changed(&p->b, 1);
    await(&p->a, has_heard, 1);
    /* What came before on the same channel would have come by now. */
    assert_int_equal(p->a.changes, 1);
    assert_int_equal(p->a.n, 1);
    assert_int_equal(stats_of(&p->a).heard, 1);
    assert_int_equal(stats_of(&p->a).told, 1);
    pair_free(p);
}

static void a_burst_is_few_messages_and_tells_all_of_it(void **state)
{
    enum { BURST = 100 };
    struct pair *p = pair_new((struct wakeup_options){.apart_us = 100 * US_PER_MS, .in_a_row = 1});
    struct mono began = clock_mono();
    int64_t took_us;

    (void)state;
    if (!p)
        skip();
    for (size_t i = 0; i < BURST; i++)
        tell_changed(&p->a, i);
    took_us = clock_mono().us - began.us;
    await(&p->b, has_changes, BURST);
    assert_int_equal(p->b.changes, BURST);
    assert_true(stats_of(&p->a).told <= 2 + (uint64_t)(took_us / (100 * US_PER_MS)));
    pair_free(p);
}

static void a_few_messages_wait_for_nothing(void **state)
{
    struct pair *p = pair_new((struct wakeup_options){.apart_us = 3600 * US_PER_S, .in_a_row = 5});

    (void)state;
    if (!p)
        skip();
    for (size_t i = 1; i <= 5; i++) {
        tell_due(&p->a, (int64_t)i);
        await(&p->b, has_heard, i);
    }
    tell_due(&p->a, 6);
    assert_int_equal(stats_of(&p->a).told, 5);
    pair_free(p);
}

static void more_changes_than_a_message_carries_are_all_that_may_have_changed(void **state)
{
    enum { BURST = 3000 };
    struct pair *p = pair_new((struct wakeup_options){.apart_us = 10 * US_PER_S, .in_a_row = 1});

    (void)state;
    if (!p)
        skip();
    tell_due(&p->a, 1); /* goes out at once; what follows waits, and is merged */
    await(&p->b, has_heard, 1);
    for (size_t i = 0; i < BURST; i++)
        tell_changed(&p->a, i);
    ear_close(&p->a); /* and says it before its end */
    await(&p->b, has_heard_of_everything, 2);
    ear_open(&p->a, p->url, 1, (struct wakeup_options){0});
    pair_free(p);
}

static void what_is_told_last_is_said_before_the_end(void **state)
{
    struct pair *p = pair_new((struct wakeup_options){.apart_us = 10 * US_PER_S, .in_a_row = 1});

    (void)state;
    if (!p)
        skip();
    tell_due(&p->a, 1);
    tell_due(&p->a, 2);
    tell_due(&p->a, 3);
    ear_close(&p->a);
    await(&p->b, has_heard, 1);
    ear_open(&p->a, p->url, 1, (struct wakeup_options){0});
    pair_free(p);
}

static void a_server_that_went_away_is_found_again_and_everything_is_looked_at(void **state)
{
    struct pair *p = pair_new((struct wakeup_options){0});

    (void)state;
    if (!p)
        skip();
    redis_server_kill(p->server);
    await(&p->a, knows_that_it_hears, 0);
    await(&p->b, knows_that_it_hears, 0);
    assert_false(stats_of(&p->a).connected);
    tell_due(&p->a, 5);
    redis_server_restart(p->server);
    await(&p->a, has_heard_of_everything, 2);
    await(&p->b, has_heard_of_everything, 2);
    await(&p->b, knows_that_it_hears, 1);
    /* What it was told meanwhile comes, or came before the other listened again and is part of everything. */
    tell_due(&p->a, 4);
    await(&p->b, has_heard, 1);
    assert_int_equal(stats_of(&p->b).connects, 2);
    pair_free(p);
}

static void what_anybody_may_write_into_the_channel_is_ignored(void **state)
{
    static const char *const texts[] = {
        "hello", "\"2 5 6\"", "\"\"", "\"1 xyz 5\"",
        /* As an instance would say it, if it had no key; and with a signature that is none. */
        "\"1 018f0000-0000-7000-8000-000000000001 5 *\"",
        "\"00000000000000000000000000000000 1 018f0000-0000-7000-8000-000000000001 5 *\"",
        "\"00000000000000000000000000000000 \""};
    struct pair *p = pair_new((struct wakeup_options){0});

    (void)state;
    if (!p)
        skip();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char command[128];

        (void)snprintf(command, sizeof(command), "PUBLISH carillon:0:test:notice %s", texts[i]);
        (void)redis_server_ask(p->server, command);
    }
    tell_due(&p->a, 9);
    await(&p->b, has_heard, 1);
    assert_int_equal(p->b.earliest.us, 9);
    assert_int_equal(p->b.everything, 1);
    assert_int_equal(stats_of(&p->b).ignored, COUNT_OF(texts));
    assert_int_equal(stats_of(&p->b).connects, 1);
    pair_free(p);
}

static void who_has_another_key_is_a_stranger(void **state)
{
    struct pair *p = pair_new((struct wakeup_options){0});
    struct ear stranger;

    (void)state;
    if (!p)
        skip();
    ear_open(&stranger, p->url, 3, (struct wakeup_options){.key = STR("something else")});
    await(&stranger, has_heard_of_everything, 1);
    tell_changed(&stranger, 1);
    tell_due(&p->a, 9);
    await(&p->b, has_heard, 1);
    /* It was said on another connection, so it may come later. */
    while (stats_of(&p->b).ignored < 1)
        (void)poll(NULL, 0, 5);
    assert_int_equal(p->b.changes, 0);
    ear_close(&stranger);
    pair_free(p);
}

static void who_has_the_password_gets_in_and_who_has_not_does_not(void **state)
{
    struct redis_server *server = redis_server_start("sesame");
    char url[96];
    struct ear in;
    struct ear out;

    (void)state;
    if (!server)
        skip();
    (void)snprintf(url, sizeof(url), "redis://:sesame@127.0.0.1:%d/2", redis_server_port(server));
    ear_open(&in, url, 1, (struct wakeup_options){0});
    await(&in, knows_that_it_hears, 1);
    assert_non_null(strstr(redis_server_ask(server, "PUBSUB CHANNELS"), "carillon:2:test:notice"));
    (void)snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%d", redis_server_port(server));
    ear_open(&out, url, 2, (struct wakeup_options){0});
    await(&out, knows_that_it_hears, 0);
    ear_close(&out);
    ear_close(&in);
    redis_server_stop(server);
}

/* --- over one that lies --- */

struct false_server {
    int fd;
    int port;
    const char *greets;     /* to who connects; NULL: nothing */
    const char *subscribed; /* to who subscribes */
    bool endless;           /* goes on with what it greets with, for ever */
    pthread_t thread;
    atomic_bool stop;
    atomic_size_t connections;
};

static void say(int fd, const char *text)
{
    if (text)
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void serve_one(struct false_server *s, struct pollfd *p)
{
    char bytes[4096];
    ssize_t n = recv(p->fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

    if (n > 0) {
        bytes[n] = '\0';
        if (strstr(bytes, "SUBSCRIBE"))
            say(p->fd, s->subscribed);
    } else if (n == 0) {
        MUST(close(p->fd) == 0);
        p->fd = -1;
    }
}

static void *lie(void *arg)
{
    enum { MOST = 64, TICK_MS = 5 };
    struct false_server *s = arg;
    struct pollfd p[MOST];
    size_t n = 0;

    while (!atomic_load(&s->stop)) {
        struct pollfd door = {.fd = n < MOST ? s->fd : -1, .events = POLLIN};

        if (poll(&door, 1, TICK_MS) > 0) {
            p[n] = (struct pollfd){.fd = accept(s->fd, NULL, NULL), .events = POLLIN};
            say(p[n++].fd, s->greets);
            (void)atomic_fetch_add(&s->connections, 1);
        }
        for (size_t i = 0; i < n; i++) {
            if (p[i].fd >= 0 && s->endless)
                say(p[i].fd, s->greets);
            if (p[i].fd >= 0)
                serve_one(s, &p[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (p[i].fd >= 0)
            MUST(close(p[i].fd) == 0);
    }
    return NULL;
}

static void false_server_start(struct false_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&at, n) == 0 && listen(s->fd, 16) == 0);
    MUST(getsockname(s->fd, (struct sockaddr *)&at, &n) == 0);
    s->port = ntohs(at.sin_port);
    MUST(pthread_create(&s->thread, NULL, lie, s) == 0);
}

static void false_server_stop(struct false_server *s)
{
    atomic_store(&s->stop, true);
    MUST(pthread_join(s->thread, NULL) == 0);
    MUST(close(s->fd) == 0);
}

static const char subscribed[] = "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n";

static void a_server_that_lies_is_not_believed_and_tried_again(void **state)
{
    static const char *const greetings[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "*1000000000\r\n$536870912\r\n",
        "$536870912\r\nxxxxxxxxxxxxxxxx",
        "*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n*2\r\n:1\r\n",
        "+OK\r\n+OK\r\n+OK\r\n",
        "-ERR go away\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",
        ":-9999999999999999999999\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(greetings); i++) {
        struct false_server s = {.greets = greetings[i]};
        struct mono until = mono_add(clock_mono(), PATIENCE_S * US_PER_S);
        char url[64];
        struct ear e;

        false_server_start(&s);
        (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%d", s.port);
        ear_open(&e, url, 1, (struct wakeup_options){0});
        await(&e, knows_that_it_hears, 0);
        while (atomic_load(&s.connections) < 4) { /* two a try */
            assert_true(clock_mono().us < until.us);
            (void)poll(NULL, 0, 5);
        }
        assert_int_equal(e.n + e.everything, 0);
        ear_close(&e);
        false_server_stop(&s);
    }
}

static void an_answer_without_end_is_given_up(void **state)
{
    static char flood[60000];
    struct false_server s = {.greets = flood, .subscribed = subscribed, .endless = true};
    char url[64];
    struct ear e;

    (void)state;
    memset(flood, 'x', sizeof(flood) - 1);
    flood[0] = '+';
    false_server_start(&s);
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%d", s.port);
    ear_open(&e, url, 1, (struct wakeup_options){0});
    await(&e, knows_that_it_hears, 0);
    ear_close(&e);
    false_server_stop(&s);
}

/* As one that is stopped, or whose machine is gone: nothing comes, and nothing breaks. */
static void a_server_that_falls_silent_is_given_up(void **state)
{
    struct false_server s = {.subscribed = subscribed};
    char url[64];
    struct ear e;

    (void)state;
    false_server_start(&s);
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%d", s.port);
    ear_open(&e, url, 1, (struct wakeup_options){.check_us = 50 * US_PER_MS, .patience_us = 200 * US_PER_MS});
    await(&e, knows_that_it_hears, 1);
    await(&e, knows_that_it_hears, 0);
    ear_close(&e);
    false_server_stop(&s);
}

static void it_ends_while_the_server_is_away(void **state)
{
    struct mono began;
    struct ear e;

    (void)state;
    ear_open(&e, "redis://127.0.0.1:1", 1, (struct wakeup_options){0});
    tell_due(&e, 5);
    await(&e, knows_that_it_hears, 0);
    began = clock_mono();
    ear_close(&e);
    assert_true(clock_mono().us - began.us < 10 * US_PER_S);
}

static void an_address_that_cannot_be_used_is_told(void **state)
{
    static const struct {
        const char *url;
        enum err e;
    } bad[] = {{"rediss://h", ERR_UNSUPPORTED}, {"redis://h:x", ERR_INVALID}, {"redis://", ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct wakeup_options o = {.url = bad[i].url, .name = "test", .key = STR("k"), .notice = on_notice};
        struct wakeup *w = NULL;
        struct error err = {0};

        assert_int_equal(wakeup_new(&o, &w, &err), bad[i].e);
        assert_string_equal(err.where, "redis.url");
        assert_null(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_others_hear_what_one_tells_and_it_does_not),
        cmocka_unit_test(a_burst_is_few_messages_and_tells_all_of_it),
        cmocka_unit_test(a_few_messages_wait_for_nothing),
        cmocka_unit_test(more_changes_than_a_message_carries_are_all_that_may_have_changed),
        cmocka_unit_test(what_is_told_last_is_said_before_the_end),
        cmocka_unit_test(a_server_that_went_away_is_found_again_and_everything_is_looked_at),
        cmocka_unit_test(what_anybody_may_write_into_the_channel_is_ignored),
        cmocka_unit_test(who_has_another_key_is_a_stranger),
        cmocka_unit_test(who_has_the_password_gets_in_and_who_has_not_does_not),
        cmocka_unit_test(a_server_that_lies_is_not_believed_and_tried_again),
        cmocka_unit_test(an_answer_without_end_is_given_up),
        cmocka_unit_test(a_server_that_falls_silent_is_given_up),
        cmocka_unit_test(it_ends_while_the_server_is_away),
        cmocka_unit_test(an_address_that_cannot_be_used_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
