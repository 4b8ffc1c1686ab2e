/*
 * events.c: tests of the ring of events and of streams that read along it, without HTTP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/events.h"
#include "base/str.h"

/* A connection: what became of it. */
struct line {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool paused;
    bool cut;
};

static void set(struct line *l, bool paused, bool cut)
{
    assert_int_equal(pthread_mutex_lock(&l->lock), 0);
    l->paused = paused;
    l->cut = l->cut || cut;
    assert_int_equal(pthread_cond_broadcast(&l->changed), 0);
    assert_int_equal(pthread_mutex_unlock(&l->lock), 0);
}

static void on_pause(void *arg)
{
    set(arg, true, false);
}

static void on_wake(void *arg)
{
    set(arg, false, false);
}

static void on_cut(void *arg)
{
    set(arg, false, true);
}

static void await(struct line *l, bool (*what)(const struct line *l))
{
    assert_int_equal(pthread_mutex_lock(&l->lock), 0);
    while (!what(l))
        assert_int_equal(pthread_cond_wait(&l->changed, &l->lock), 0);
    assert_int_equal(pthread_mutex_unlock(&l->lock), 0);
}

static bool is_awake(const struct line *l)
{
    return !l->paused;
}

static bool is_cut(const struct line *l)
{
    return l->cut;
}

static void line_init(struct line *l)
{
    *l = (struct line){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

static struct events *make(size_t ring_events, size_t ring_bytes)
{
    struct events_options o = {.streams_max = 8,
                               .ring_events = ring_events,
                               .ring_bytes = ring_bytes,
                               .beat_us = 3600 * US_PER_S,
                               .linger_us = 3600 * US_PER_S};
    struct events *e;

    assert_int_equal(events_new(&o, &e, NULL), ERR_NONE);
    return e;
}

static struct stream *listen_to(struct events *e, const struct stream_filter *f, bool resumes,
                                struct uuid last, struct line *l)
{
    const struct stream_filter all = {0};
    const struct stream_link link = {on_pause, on_wake, on_cut, l};
    struct stream *s;

    line_init(l);
    assert_int_equal(stream_new(e, f ? f : &all, resumes, last, &s, NULL), ERR_NONE);
    stream_attach(s, &link);
    return s;
}

/* One event of a schedule; its id. */
static struct uuid tell(struct events *e, enum history_kind kind, const char *application, const char *error)
{
    struct journal j;
    char label[200];
    struct uuid id;
    struct history_event ev = EVENT_OF(kind, ((struct wall){1}), ((struct uuid){{1}}), .error = error);

    assert_true(snprintf(label, sizeof(label), "\"client\":{\"application\":\"%s\"}", application) > 0);
    ev.label = str_of(label);
    journal_init(&j);
    journal_begin(&j, true, (struct wall){0});
    assert_int_equal(journal_add(&j, &ev, NULL), ERR_NONE);
    id = j.items[0].id;
    events_publish(e, &j);
    journal_done(&j);
    return id;
}

/* All that is there now, terminated. */
static const char *read_all(struct stream *s, char *to, size_t max, size_t piece)
{
    size_t n = 0;
    ssize_t got;

    while ((got = stream_read(s, to + n, piece < max - n ? piece : max - n)) > 0)
        n += (size_t)got;
    to[n] = '\0';
    return got < 0 && n == 0 ? NULL : to;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static void nothing_is_recorded_while_nobody_listens(void **state)
{
    struct events *e = make(8, 10000);
    struct line l;
    struct stream *s;

    (void)state;
    assert_false(events_listened(e));
    s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    assert_true(events_listened(e));
    stream_free(s);
    assert_true(events_listened(e)); /* for a while: it may come again */
    events_free(e);
}

static void a_stream_is_paused_and_woken_and_gets_each_event_once(void **state)
{
    struct events *e = make(8, 100000);
    char text[10000];
    struct line l;
    struct stream *s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    char id[UUID_TEXT + 1];

    (void)state;
    assert_string_equal(read_all(s, text, sizeof(text), 3), "retry: 2000\n\n");
    assert_true(l.paused);
    uuid_format(tell(e, EVENT_SUCCEEDED, "app", NULL), id);
    await(&l, is_awake);
    assert_non_null(read_all(s, text, sizeof(text), 7));
    assert_int_equal(count(text, "event: succeeded\n"), 1);
    assert_non_null(strstr(text, id));
    assert_string_equal(text + strlen(text) - 2, "\n\n");
    assert_string_equal(read_all(s, text, sizeof(text), 100), "");
    stream_free(s);
    events_free(e);
}

static void filters_compare_members_and_not_texts(void **state)
{
    const struct stream_filter f = {.application = STR("app")};
    const struct stream_filter kind = {.kinds = 1U << EVENT_FAILED};
    struct events *e = make(8, 100000);
    char text[10000];
    struct line l;
    struct line k;
    struct stream *s = listen_to(e, &f, false, (struct uuid){{0}}, &l);
    struct stream *of_kind = listen_to(e, &kind, false, (struct uuid){{0}}, &k);

    (void)state;
    (void)tell(e, EVENT_FAILED, "other", "\"application\":\"app\"");
    (void)tell(e, EVENT_SUCCEEDED, "app", NULL);
    (void)read_all(s, text, sizeof(text), 1000);
    assert_int_equal(count(text, "event: "), 1);
    assert_int_equal(count(text, "event: succeeded\n"), 1);
    (void)read_all(of_kind, text, sizeof(text), 1000);
    assert_int_equal(count(text, "event: "), 1);
    assert_int_equal(count(text, "event: failed\n"), 1);
    stream_free(of_kind);
    stream_free(s);
    events_free(e);
}

static void who_comes_again_goes_on_behind_the_last_event(void **state)
{
    struct events *e = make(8, 100000);
    char text[10000];
    struct line l;
    struct stream *s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    struct uuid first = tell(e, EVENT_STARTED, "app", NULL);

    (void)state;
    stream_free(s);
    (void)tell(e, EVENT_SUCCEEDED, "app", NULL);
    s = listen_to(e, NULL, true, first, &l);
    (void)read_all(s, text, sizeof(text), 1000);
    assert_int_equal(count(text, "event: "), 1);
    assert_int_equal(count(text, "event: succeeded\n"), 1);
    stream_free(s);
    s = listen_to(e, NULL, true, (struct uuid){{9}}, &l);
    (void)read_all(s, text, sizeof(text), 1000);
    assert_int_equal(count(text, "event: gap\n"), 1);
    assert_int_equal(count(text, "event: "), 3); /* and what is still known */
    stream_free(s);
    events_free(e);
}

static void who_is_overtaken_is_dropped(void **state)
{
    struct events *e = make(4, 100000);
    char text[10000];
    struct line l;
    struct line q;
    struct stream *slow = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    struct stream *quick = listen_to(e, NULL, false, (struct uuid){{0}}, &q);

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)tell(e, EVENT_STARTED, "app", NULL);
        assert_non_null(read_all(quick, text, sizeof(text), 1000));
    }
    await(&l, is_cut);
    assert_null(read_all(slow, text, sizeof(text), 1000));
    assert_false(q.cut);
    stream_free(slow);
    stream_free(quick);
    events_free(e);
}

static void the_ring_is_bounded_by_bytes_too(void **state)
{
    static char large[3000];
    struct events *e = make(1000, 10000);
    char text[40000];
    struct line l;
    struct stream *s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    for (int i = 0; i < 10; i++)
        (void)tell(e, EVENT_FAILED, "app", large);
    stream_free(s);
    s = listen_to(e, NULL, true, (struct uuid){{9}}, &l);
    (void)read_all(s, text, sizeof(text) - 1, 1000);
    assert_int_equal(count(text, "event: failed\n"), 3);
    stream_free(s);
    events_free(e);
}

static void what_nobody_can_tell_of_is_a_gap(void **state)
{
    char text[4000];
    struct line l;
    struct events *e = make(16, 10000);
    struct stream *s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    struct uuid last = tell(e, EVENT_FAILED, "app", NULL);

    (void)state;
    assert_int_equal(count(read_all(s, text, sizeof(text) - 1, 1000), "event: failed"), 1);
    assert_true(l.paused);
    events_lost(e);
    await(&l, is_awake);
    assert_null(read_all(s, text, sizeof(text) - 1, 1000));
    stream_free(s);
    (void)tell(e, EVENT_FAILED, "app", NULL);
    s = listen_to(e, NULL, true, last, &l);
    (void)read_all(s, text, sizeof(text) - 1, 1000);
    assert_int_equal(count(text, "event: gap"), 1);
    assert_int_equal(count(text, "event: failed"), 1);
    stream_free(s);
    events_free(e);
}

static void what_is_told_while_nobody_listens_is_not_kept(void **state)
{
    char text[4000];
    struct line l;
    struct events *e = make(16, 10000);
    struct uuid early = tell(e, EVENT_FAILED, "app", NULL); /* there was one when it began */
    struct stream *s = listen_to(e, NULL, true, early, &l);

    (void)state;
    (void)read_all(s, text, sizeof(text) - 1, 1000);
    assert_int_equal(count(text, "event: gap"), 1);
    assert_int_equal(count(text, "event: failed"), 0);
    stream_free(s);
    events_free(e);
}

static void there_are_no_more_streams_than_may_be(void **state)
{
    const struct stream_filter all = {0};
    struct events *e = make(4, 10000);
    struct stream *s[8];
    struct stream *one_more;
    struct line l[8];

    (void)state;
    for (size_t i = 0; i < 8; i++)
        s[i] = listen_to(e, NULL, false, (struct uuid){{0}}, &l[i]);
    assert_int_equal(events_streams(e), 8);
    assert_int_equal(stream_new(e, &all, false, (struct uuid){{0}}, &one_more, NULL), ERR_BUSY);
    for (size_t i = 0; i < 8; i++)
        stream_free(s[i]);
    events_free(e);
}

static void closing_wakes_and_ends_all(void **state)
{
    const struct stream_filter all = {0};
    struct events *e = make(4, 10000);
    char text[100];
    struct line l;
    struct stream *s = listen_to(e, NULL, false, (struct uuid){{0}}, &l);
    struct stream *late;

    (void)state;
    (void)read_all(s, text, sizeof(text), 100);
    assert_true(l.paused);
    events_close(e);
    assert_false(l.paused);
    assert_null(read_all(s, text, sizeof(text), 100));
    assert_int_equal(stream_new(e, &all, false, (struct uuid){{0}}, &late, NULL), ERR_BUSY);
    stream_free(s);
    events_free(e);
}

/* --- from several threads --- */

enum { READERS = 4, TOLD = 2000 };

struct race {
    struct events *e;
    atomic_int left;
};

static void *reader(void *arg)
{
    struct race *r = arg;
    char text[4000];
    struct line l;
    struct stream *s = listen_to(r->e, NULL, false, (struct uuid){{0}}, &l);

    while (stream_read(s, text, sizeof(text)) >= 0)
        await(&l, is_awake);
    stream_free(s);
    atomic_fetch_sub(&r->left, 1);
    return NULL;
}

static void *teller(void *arg)
{
    struct race *r = arg;

    for (int i = 0; i < TOLD; i++) {
        if (events_listened(r->e))
            (void)tell(r->e, EVENT_SUCCEEDED, "app", NULL);
    }
    return NULL;
}

static void readers_and_tellers_share_the_ring(void **state)
{
    struct race r = {.e = make(16, 100000)};
    pthread_t readers[READERS];
    pthread_t tellers[2];

    (void)state;
    atomic_store(&r.left, READERS);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reader, &r), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&tellers[i], NULL, teller, &r), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(tellers[i], NULL), 0);
    /* Those that were not overtaken; those that come only now are refused. */
    while (events_streams(r.e) < (size_t)atomic_load(&r.left))
        (void)sched_yield();
    events_close(r.e);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    events_free(r.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_recorded_while_nobody_listens),
        cmocka_unit_test(a_stream_is_paused_and_woken_and_gets_each_event_once),
        cmocka_unit_test(filters_compare_members_and_not_texts),
        cmocka_unit_test(who_comes_again_goes_on_behind_the_last_event),
        cmocka_unit_test(who_is_overtaken_is_dropped),
        cmocka_unit_test(the_ring_is_bounded_by_bytes_too),
        cmocka_unit_test(what_nobody_can_tell_of_is_a_gap),
        cmocka_unit_test(what_is_told_while_nobody_listens_is_not_kept),
        cmocka_unit_test(there_are_no_more_streams_than_may_be),
        cmocka_unit_test(closing_wakes_and_ends_all),
        cmocka_unit_test(readers_and_tellers_share_the_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
