/*
 * wakeup_redis.c: the thread: two connections that come and go together, what is to be told, what is heard.
 *
 * What is to be told is merged under the lock until the thread takes it. One message at a time is under way,
 * and two are some milliseconds apart, so a burst of registrations is few messages, and the first of them
 * goes out at once. A silent server is asked whether it lives, on both connections: the system would notice
 * after many minutes that a machine is gone, and a stopped server never.
 */
#include "engine/wakeup_redis.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "engine/wakeup_redis_internal.h"
#include "store/notice_text.h"

enum {
    CHANNEL_BYTES = 128,
    WHERE_BYTES = 300,
    KEY_BYTES = 128,
    MAC_BYTES = 16, /* of a message, before it, as text and a blank */
    MAC_TEXT = 2 * MAC_BYTES,
    TOLD_CHANGES = 128,   /* about what a message carries: more is `all` */
    HEARD_CHANGES = 4096, /* of one read */
};
#define FIRST_BACKOFF_US (50 * US_PER_MS)
#define MAX_BACKOFF_US (2 * US_PER_S)
#define CONNECT_US (3 * US_PER_S) /* both, with their greetings */
#define LAST_US (1 * US_PER_S)
/* Held for so long a connection was good: the next one is tried at once. */
#define STABLE_US (1 * US_PER_S)
#define NEVER ((struct mono){INT64_MAX})

struct wakeup {
    /* constant */
    struct wakeup_options options; /* without its texts */
    struct redis_address address;
    char where[WHERE_BYTES];
    char channel[CHANNEL_BYTES];
    char key[KEY_BYTES];
    size_t key_n;
    int event_fd; /* readable: something is to be told, or it is time to end */
    int stop_fd;  /* readable: it is time to end */
    pthread_t thread;
    bool started;

    /* its thread only */
    struct wire ear;
    struct wire mouth;
    size_t owed; /* answers that the mouth waits for */
    struct mono owed_since;
    struct mono paced;    /* when the last message would have been said, had all kept their distance */
    struct mono heard_at; /* anything, on the ear */
    struct mono asked_at; /* the ear's last question; {INT64_MIN}: answered */
    bool ready;           /* subscribed */
    size_t greetings;     /* of the ear, unanswered */
    bool failing;         /* and it was told */
    int64_t backoff_us;

    pthread_mutex_t lock;
    /* under .lock */
    bool stop;
    bool pending; /* .to_tell has something */
    struct notice to_tell;
    struct wakeup_stats stats;
};

/* --- what others tell --- */

static void hears(struct wakeup *w, bool yes)
{
    if (w->options.hears)
        w->options.hears(w->options.arg, yes);
}

static void tell_engine(struct wakeup *w, const struct notice *n)
{
    if (!notice_is_empty(n))
        w->options.notice(w->options.arg, n);
}

static void count_heard(struct wakeup *w, bool ignored)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
    w->stats.heard += !ignored;
    w->stats.ignored += ignored;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

/* "0123456789abcdef0123456789abcdef", by the instances' key, of the channel and the text. */
static enum err sign(const struct wakeup *w, struct str text, char ret[MAC_TEXT + 1], struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    const struct str parts[] = {str_of(w->channel), STR(" "), text};
    uint8_t mac[DIGEST_BYTES];
    enum err e = digest_hmac_parts((struct str){w->key, w->key_n}, parts, COUNT_OF(parts), mac, err);

    if (e)
        return e;
    for (size_t i = 0; i < MAC_BYTES; i++) {
        ret[2 * i] = digits[mac[i] >> 4];
        ret[2 * i + 1] = digits[mac[i] & 15];
    }
    ret[MAC_TEXT] = '\0';
    return ERR_NONE;
}

/* True when it is signed as we would; *text is without the signature then. */
static bool is_ours(const struct wakeup *w, struct str *text)
{
    char mac[MAC_TEXT + 1];
    struct str signature = {text->p, MAC_TEXT};
    unsigned different = 0;

    if (text->n <= MAC_TEXT || text->p[MAC_TEXT] != ' ')
        return false;
    *text = (struct str){text->p + MAC_TEXT + 1, text->n - MAC_TEXT - 1};
    if (sign(w, *text, mac, NULL))
        return false;
    /* All of it, whatever differs first: how long it takes must not tell how much was right. */
    for (size_t i = 0; i < MAC_TEXT; i++)
        different |= (unsigned)(unsigned char)mac[i] ^ (unsigned)(unsigned char)signature.p[i];
    return different == 0;
}

/* Anybody may write to a channel: what is not of our making is nothing. */
static void hear(struct wakeup *w, const struct wire_answer *a, struct notice *heard)
{
    struct str text = buf_str(&a->words[2]);
    struct notice n;
    struct uuid sender;

    if (a->cut || !buf_ok(&a->words[2]) || !is_ours(w, &text)) {
        count_heard(w, true);
        return;
    }
    if (notice_decode(text, &sender, &n, NULL))
        n.all = true; /* no memory to read it */
    else if (uuid_is_nil(sender))
        count_heard(w, true);
    if (!uuid_is_nil(sender) && !uuid_eq(sender, w->options.instance)) {
        count_heard(w, false);
        notice_merge(heard, &n, HEARD_CHANGES);
    }
    change_list_done(&n.changed);
}

static bool is_word(const struct wire_answer *a, size_t at, const char *word)
{
    return at < a->words_n && str_eq(buf_str(&a->words[at]), str_of(word));
}

/* What a server says to AUTH may quote the password when the command is renamed: its first word is enough. */
static enum err refused(const struct wakeup *w, const struct wire_answer *a, struct error *err)
{
    struct str text = buf_str(&a->words[0]);

    text.n = str_find(text, ' ');
    return error_set(err, ERR_REFUSED, w->where, "%s refused us (%.*s)", w->where,
                     (int)(text.n < 32 ? text.n : 32), text.p);
}

static enum err take_ear(struct wakeup *w, struct notice *heard, struct error *err)
{
    const struct wire_answer *a = &w->ear.answer;

    w->asked_at = (struct mono){INT64_MIN};
    if (a->type == REDIS_REPLY_ERROR)
        return refused(w, a, err);
    if (w->greetings > 0)
        w->greetings--;
    else if (a->type == REDIS_REPLY_ARRAY && is_word(a, 0, "subscribe"))
        w->ready = true;
    else if (a->type == REDIS_REPLY_ARRAY && a->words_n == WIRE_WORDS && is_word(a, 0, "message"))
        hear(w, a, heard);
    return ERR_NONE; /* else it is the answer to a question, or nothing of interest */
}

static enum err read_ear(struct wakeup *w, struct error *err)
{
    struct notice heard = {.earliest = WALL_NEVER};
    bool more = true;
    enum err e = wire_read(&w->ear, err);

    w->heard_at = clock_mono();
    while (!e && more) {
        e = wire_next(&w->ear, &more, err);
        if (!e && more)
            e = take_ear(w, &heard, err);
    }
    tell_engine(w, &heard);
    change_list_done(&heard.changed);
    return e;
}

static enum err read_mouth(struct wakeup *w, struct error *err)
{
    bool more = true;
    enum err e = wire_read(&w->mouth, err);

    while (!e && more) {
        e = wire_next(&w->mouth, &more, err);
        if (e || !more)
            break;
        if (w->mouth.answer.type == REDIS_REPLY_ERROR)
            e = refused(w, &w->mouth.answer, err);
        else if (w->owed == 0)
            e = error_set(err, ERR_SYNTAX, w->where, "%s answered what it was not asked", w->where);
        else
            w->owed--;
    }
    w->owed_since = clock_mono();
    return e;
}

/* --- what we tell --- */

static enum err say(struct wakeup *w, const struct str *words, size_t n, struct error *err)
{
    if (w->owed++ == 0)
        w->owed_since = clock_mono();
    wire_say(&w->mouth, words, n);
    return wire_flush(&w->mouth, err);
}

static bool take_pending(struct wakeup *w, struct notice *ret)
{
    bool was;

    MUST(pthread_mutex_lock(&w->lock) == 0);
    was = w->pending;
    *ret = w->to_tell;
    w->to_tell = (struct notice){.earliest = WALL_NEVER};
    w->pending = false;
    w->stats.told += was;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    return was;
}

/* A few may go at once; on average they keep their distance. */
static struct mono may_speak_at(const struct wakeup *w)
{
    return mono_add(w->paced, (2 - w->options.in_a_row) * w->options.apart_us);
}

static void keep_pace(struct wakeup *w)
{
    struct mono now = clock_mono();
    struct mono next = mono_add(w->paced, w->options.apart_us);

    w->paced = next.us > now.us ? next : now;
}

static enum err publish(struct wakeup *w, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(buf_done_p) struct buf message = {0};
    char mac[MAC_TEXT + 1];
    struct notice n;
    enum err e;

    if (!take_pending(w, &n))
        return ERR_NONE;
    buf_init(&text, NOTICE_TEXT_MAX);
    buf_init(&message, NOTICE_TEXT_MAX + MAC_TEXT + 1);
    e = notice_encode(&n, w->options.instance, &text, err);
    if (!e)
        e = sign(w, buf_str(&text), mac, err);
    if (!e) {
        buf_addf(&message, "%s ", mac);
        buf_add(&message, buf_str(&text));
        e = buf_check(&message, w->where, err);
    }
    if (!e) {
        const struct str words[] = {STR("PUBLISH"), str_of(w->channel), buf_str(&message)};

        keep_pace(w);
        e = say(w, words, COUNT_OF(words), err);
    }
    change_list_done(&n.changed);
    return e;
}

void wakeup_tell(struct wakeup *w, const struct notice *n)
{
    bool was;

    if (notice_is_empty(n))
        return;
    MUST(pthread_mutex_lock(&w->lock) == 0);
    was = w->pending;
    notice_merge(&w->to_tell, n, TOLD_CHANGES);
    w->pending = true;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    if (!was)
        MUST(eventfd_write(w->event_fd, 1) == 0);
}

/* --- waiting --- */

struct look {
    struct pollfd p[3];
};

static struct mono earlier(struct mono a, struct mono b)
{
    return a.us < b.us ? a : b;
}

static int timeout_ms(struct mono until)
{
    int64_t left_us = until.us - clock_mono().us;

    if (until.us == INT64_MAX)
        return -1;
    if (left_us <= 0)
        return 0;
    return left_us >= INT64_C(3600) * US_PER_S ? 3600 * 1000 : (int)((left_us + US_PER_MS - 1) / US_PER_MS);
}

static enum err wait_for(const struct wakeup *w, struct mono until, struct look *ret, struct error *err)
{
    int n;

    ret->p[0] = (struct pollfd){.fd = w->event_fd, .events = POLLIN};
    ret->p[1] = (struct pollfd){.fd = w->ear.fd, .events = POLLIN};
    ret->p[2] = (struct pollfd){.fd = w->mouth.fd, .events = POLLIN};
    if (wire_has_more(&w->ear))
        ret->p[1].events |= POLLOUT;
    if (wire_has_more(&w->mouth))
        ret->p[2].events |= POLLOUT;
    do {
        n = poll(ret->p, COUNT_OF(ret->p), timeout_ms(until));
    } while (n < 0 && errno == EINTR);
    return n < 0 ? error_errno(err, w->where, "cannot wait for messages") : ERR_NONE;
}

/* Reads and writes what can be. */
static enum err move(struct wakeup *w, const struct look *l, struct error *err)
{
    const short there = POLLIN | POLLERR | POLLHUP;
    enum err e = ERR_NONE;

    if (l->p[1].revents & POLLOUT)
        e = wire_flush(&w->ear, err);
    if (!e && (l->p[2].revents & POLLOUT))
        e = wire_flush(&w->mouth, err);
    if (!e && (l->p[1].revents & there))
        e = read_ear(w, err);
    if (!e && (l->p[2].revents & there))
        e = read_mouth(w, err);
    return e;
}

static bool is_stopping(struct wakeup *w)
{
    bool stop;

    MUST(pthread_mutex_lock(&w->lock) == 0);
    stop = w->stop;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    return stop;
}

static bool has_pending(struct wakeup *w)
{
    bool pending;

    MUST(pthread_mutex_lock(&w->lock) == 0);
    pending = w->pending;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    return pending;
}

/* The event says only that there is something to look at. */
static void clear_event(const struct wakeup *w)
{
    eventfd_t value;

    (void)eventfd_read(w->event_fd, &value); /* it does not block; what it says is under the lock */
}

/* Both connected, greeted, and the ear subscribed. ERR_UNAVAILABLE "stopping" too. */
static enum err go_up(struct wakeup *w, struct error *err)
{
    struct mono until = mono_add(clock_mono(), CONNECT_US);
    enum err e;

    w->owed = 0;
    e = wire_open(&w->ear, &w->address, w->stop_fd, until, err);

    if (!e)
        e = wire_open(&w->mouth, &w->address, w->stop_fd, until, err);
    if (e)
        return e;
    w->ready = false;
    w->paced = w->asked_at = (struct mono){INT64_MIN};
    w->heard_at = w->owed_since = clock_mono();
    w->owed = wire_greet(&w->mouth, &w->address);
    w->greetings = wire_greet(&w->ear, &w->address);
    wire_say(&w->ear, (struct str[]){STR("SUBSCRIBE"), str_of(w->channel)}, 2);
    e = wire_flush(&w->mouth, err);
    if (!e)
        e = wire_flush(&w->ear, err);
    while (!e && !(w->ready && w->owed == 0)) {
        struct look l;

        if (clock_mono().us >= until.us)
            return error_set(err, ERR_UNAVAILABLE, w->where, "no answer from %s", w->where);
        e = wait_for(w, until, &l, err);
        if (!e && is_stopping(w))
            return error_set(err, ERR_UNAVAILABLE, w->where, "stopping");
        if (!e && l.p[0].revents)
            clear_event(w);
        if (!e)
            e = move(w, &l, err);
    }
    return e;
}

/* --- while it is up --- */

static enum err check_patience(const struct wakeup *w, struct mono now, struct error *err)
{
    bool ear = w->asked_at.us != INT64_MIN && now.us - w->asked_at.us >= w->options.patience_us;
    bool mouth = w->owed > 0 && now.us - w->owed_since.us >= w->options.patience_us;

    if (!ear && !mouth)
        return ERR_NONE;
    return error_set(err, ERR_UNAVAILABLE, w->where, "no answer from %s for %lld ms", w->where,
                     (long long)(w->options.patience_us / US_PER_MS));
}

/* Both are asked together, so a silent thread wakes as seldom as can be. */
static enum err ask_whether_it_lives(struct wakeup *w, struct mono now, struct error *err)
{
    enum err e;

    if (w->asked_at.us != INT64_MIN || now.us - w->heard_at.us < w->options.check_us)
        return ERR_NONE;
    w->asked_at = now;
    wire_say(&w->ear, (struct str[]){STR("PING")}, 1);
    e = wire_flush(&w->ear, err);
    return e ? e : say(w, (struct str[]){STR("PING")}, 1, err);
}

/* When something has to be done that no descriptor tells. */
static struct mono next_step(struct wakeup *w)
{
    struct mono at = NEVER;

    if (w->asked_at.us != INT64_MIN)
        at = earlier(at, mono_add(w->asked_at, w->options.patience_us));
    else
        at = earlier(at, mono_add(w->heard_at, w->options.check_us));
    if (w->owed > 0)
        at = earlier(at, mono_add(w->owed_since, w->options.patience_us));
    else if (has_pending(w))
        at = earlier(at, may_speak_at(w));
    return at;
}

static enum err step(struct wakeup *w, struct error *err)
{
    struct mono now = clock_mono();
    enum err e = check_patience(w, now, err);

    if (!e)
        e = ask_whether_it_lives(w, now, err);
    if (!e && w->owed == 0 && now.us >= may_speak_at(w).us)
        e = publish(w, err);
    return e;
}

/* What was told last, before the end. */
static enum err say_last(struct wakeup *w, struct error *err)
{
    struct mono until = mono_add(clock_mono(), LAST_US);
    enum err e = ERR_NONE;

    while (!e && (has_pending(w) || w->owed > 0 || wire_has_more(&w->mouth)) && clock_mono().us < until.us) {
        struct look l;

        if (w->owed == 0)
            e = publish(w, err);
        clear_event(w);
        if (!e)
            e = wait_for(w, until, &l, err);
        if (!e)
            e = move(w, &l, err);
    }
    return e;
}

/* Until the connections are lost, or it is time to end: ERR_NONE. */
static enum err serve(struct wakeup *w, struct error *err)
{
    enum err e = ERR_NONE;

    while (!e && !is_stopping(w)) {
        struct look l;

        e = step(w, err);
        if (!e)
            e = wait_for(w, next_step(w), &l, err);
        if (!e && l.p[0].revents)
            clear_event(w);
        if (!e)
            e = move(w, &l, err);
    }
    return e ? e : say_last(w, err);
}

/* --- the thread --- */

static void set_connected(struct wakeup *w, bool connected)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
    w->stats.connected = connected;
    w->stats.connects += connected;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

/* It is told when others are heard no more, and when they are again; not how often that was tried. */
static void set_failing(struct wakeup *w, const struct error *err)
{
    if (err && !w->failing) {
        log_error(w->options.log, LOG_WARN, "engine",
                  "wake-ups over Redis are not heard; the database is looked at more often meanwhile", err);
        hears(w, false);
    }
    if (!err) {
        if (w->failing)
            log_plain(w->options.log, LOG_INFO, "engine", "wake-ups over Redis are heard again");
        hears(w, true);
    }
    w->failing = err != NULL;
}

static enum err session(struct wakeup *w, struct error *err)
{
    /* Whatever may have been said while nobody listened. */
    const struct notice everything = {.earliest = {0}, .all = true};
    struct mono began;
    enum err e = go_up(w, err);

    if (e) {
        w->owed = 0; /* greetings */
        return e;
    }
    began = clock_mono();
    set_connected(w, true);
    set_failing(w, NULL);
    tell_engine(w, &everything);
    e = serve(w, err);
    set_connected(w, false);
    if (clock_mono().us - began.us > STABLE_US)
        w->backoff_us = FIRST_BACKOFF_US;
    return e;
}

/* True when it is time to end. What is told meanwhile wakes it, and goes on waiting. */
static bool pause_until_stop(struct wakeup *w)
{
    struct mono until = mono_add(clock_mono(), w->backoff_us);
    struct pollfd p = {.fd = w->event_fd, .events = POLLIN};

    while (!is_stopping(w) && clock_mono().us < until.us) {
        if (poll(&p, 1, timeout_ms(until)) > 0)
            clear_event(w);
    }
    w->backoff_us = w->backoff_us * 2 < MAX_BACKOFF_US ? w->backoff_us * 2 : MAX_BACKOFF_US;
    return is_stopping(w);
}

/* Whether the server has what was said last nobody knows: the others had better look. */
static void doubt(struct wakeup *w)
{
    const struct notice everything = {.earliest = {0}, .all = true};

    if (w->owed > 0)
        wakeup_tell(w, &everything);
}

static void *wakeup_main(void *arg)
{
    struct wakeup *w = arg;
    struct error err = {0};

    (void)pthread_setname_np(pthread_self(), "wakeup"); /* for who looks at threads */
    while (!is_stopping(w) && session(w, &err)) {
        wire_close(&w->ear);
        wire_close(&w->mouth);
        if (is_stopping(w))
            break;
        doubt(w);
        set_failing(w, &err);
        if (pause_until_stop(w))
            break;
    }
    return NULL;
}

/* With all signals blocked: they are for main. */
static int start_thread(struct wakeup *w)
{
    sigset_t all;
    sigset_t before;
    int status;

    MUST(sigfillset(&all) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    status = pthread_create(&w->thread, NULL, wakeup_main, w);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return status;
}

/* --- making and unmaking --- */

static enum err take_address(struct wakeup *w, const struct wakeup_options *o, struct error *err)
{
    bool v6;
    enum err e = redis_address_parse(str_of(o->url), &w->address, err);

    if (e) {
        if (err)
            MUST(snprintf(err->where, sizeof(err->where), "redis.url") > 0);
        return e;
    }
    v6 = str_find(str_of(w->address.host), ':') < strlen(w->address.host);
    (void)snprintf(w->where, sizeof(w->where), "%s%.255s%s:%u", v6 ? "[" : "", w->address.host, v6 ? "]" : "",
                   w->address.port);
    /* Channels belong to a server, not to one of its databases: two clusters are told apart by either. */
    if (snprintf(w->channel, sizeof(w->channel), "carillon:%lld:%s:notice", (long long)w->address.database,
                 o->name) >= (int)sizeof(w->channel))
        return error_set(err, ERR_INVALID, "redis.url", "the channel's name is too long");
    return ERR_NONE;
}

static enum err init(struct wakeup *w, const struct wakeup_options *o, struct error *err)
{
    enum err e;

    w->event_fd = w->stop_fd = -1;
    w->backoff_us = FIRST_BACKOFF_US;
    w->to_tell.earliest = WALL_NEVER;
    MUST(pthread_mutex_init(&w->lock, NULL) == 0);
    wire_init(&w->ear, w->where);
    wire_init(&w->mouth, w->where);
    w->options = *o;
    w->options.url = w->options.name = NULL;
    w->options.key = (struct str){NULL, 0};
    MUST(o->key.n > 0 && o->key.n <= KEY_BYTES);
    memcpy(w->key, o->key.p, o->key.n);
    w->key_n = o->key.n;
    if (w->options.check_us <= 0)
        w->options.check_us = 15 * US_PER_S;
    if (w->options.patience_us <= 0)
        w->options.patience_us = 5 * US_PER_S;
    if (w->options.apart_us <= 0)
        w->options.apart_us = 20 * US_PER_MS;
    if (w->options.in_a_row <= 0)
        w->options.in_a_row = 16;
    e = take_address(w, o, err);
    if (e)
        return e;
    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event_fd < 0 || w->stop_fd < 0)
        return error_errno(err, "redis", "cannot make an eventfd");
    return ERR_NONE;
}

enum err wakeup_new(const struct wakeup_options *options, struct wakeup **ret, struct error *err)
{
    CLEANUP(wakeup_free_p) struct wakeup *w = alloc_new(struct wakeup);
    enum err e = init(w, options, err);
    int status;

    if (e)
        return e;
    status = start_thread(w);
    if (status != 0)
        return error_set(err, ERR_IO, "redis", "cannot start the wake-ups' thread (error %d)", status);
    w->started = true;
    *ret = TAKE(w);
    return ERR_NONE;
}

void wakeup_get_stats(struct wakeup *w, struct wakeup_stats *ret)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
    *ret = w->stats;
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}

void wakeup_free(struct wakeup *w)
{
    if (!w)
        return;
    if (w->started) {
        MUST(pthread_mutex_lock(&w->lock) == 0);
        w->stop = true;
        MUST(pthread_mutex_unlock(&w->lock) == 0);
        MUST(eventfd_write(w->stop_fd, 1) == 0);
        MUST(eventfd_write(w->event_fd, 1) == 0);
        MUST(pthread_join(w->thread, NULL) == 0);
    }
    wire_done(&w->ear);
    wire_done(&w->mouth);
    /* Nothing was written to them that could be lost. */
    if (w->event_fd >= 0)
        (void)close(w->event_fd);
    if (w->stop_fd >= 0)
        (void)close(w->stop_fd);
    change_list_done(&w->to_tell.changed);
    redis_address_done(&w->address);
    MUST(pthread_mutex_destroy(&w->lock) == 0);
    alloc_free(w);
}
