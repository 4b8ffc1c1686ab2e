/*
 * wakeup_redis_probe.c: whether the Redis server of wake-ups answers, and which version it is: as a doctor
 * asks. A connection of its own for one question.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/wakeup_redis.h"
#include "engine/wakeup_redis_internal.h"

enum { WHERE_BYTES = 300 };

static enum err await(struct wire *w, struct mono until, struct error *err)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    int64_t left_us = until.us - clock_mono().us;
    int n;

    if (left_us <= 0)
        return error_set(err, ERR_UNAVAILABLE, w->where, "no answer from %s", w->where);
    if (wire_has_more(w))
        p.events |= POLLOUT;
    n = poll(&p, 1, (int)(left_us / US_PER_MS) + 1);
    if (n < 0 && errno != EINTR)
        return error_errno(err, w->where, "cannot wait for an answer");
    if (n > 0 && (p.revents & POLLOUT))
        return wire_flush(w, err);
    return n > 0 ? wire_read(w, err) : ERR_NONE;
}

/* One answer, in w->answer. */
static enum err answer_of(struct wire *w, struct mono until, struct error *err)
{
    bool have = false;
    enum err e = wire_next(w, &have, err);

    while (!e && !have) {
        e = await(w, until, err);
        if (!e)
            e = wire_next(w, &have, err);
    }
    return e;
}

/* What a server says to AUTH may quote the password when the command is renamed: its first word is enough. */
static enum err expect_no_error(const struct wire *w, const char *what, struct error *err)
{
    struct str text = buf_str(&w->answer.words[0]);

    if (w->answer.type != REDIS_REPLY_ERROR)
        return ERR_NONE;
    text.n = str_find(text, ' ');
    return error_set(err, ERR_REFUSED, w->where, "%s refused %s (%.*s)", w->where, what,
                     (int)(text.n < 32 ? text.n : 32), text.p);
}

/* "redis_version:7.0.15" of what INFO says; "" when it is not there. */
static void find_version(const struct wire *w, char ret[WAKEUP_VERSION_BYTES])
{
    static const char key[] = "redis_version:";
    struct str rest = buf_str(&w->answer.words[0]);
    struct str line;

    ret[0] = '\0';
    while (w->answer.type == REDIS_REPLY_STRING && str_cut(&rest, '\n', &line)) {
        line = str_trim(line);
        if (!str_starts(line, str_of(key)))
            continue;
        line = (struct str){line.p + strlen(key), line.n - strlen(key)};
        (void)snprintf(ret, WAKEUP_VERSION_BYTES, "%.*s", (int)line.n, line.p);
    }
}

static enum err talk(struct wire *w, const struct redis_address *a, struct mono until,
                     char ret[WAKEUP_VERSION_BYTES], struct error *err)
{
    size_t greetings = wire_greet(w, a);
    enum err e;

    wire_say(w, (struct str[]){STR("PING")}, 1);
    wire_say(w, (struct str[]){STR("INFO"), STR("server")}, 2);
    e = wire_flush(w, err);
    for (size_t i = 0; !e && i < greetings; i++) {
        e = answer_of(w, until, err);
        if (!e)
            e = expect_no_error(w, "us", err);
    }
    if (!e)
        e = answer_of(w, until, err);
    if (!e)
        e = expect_no_error(w, "PING", err);
    if (!e)
        e = answer_of(w, until, err);
    if (!e)
        find_version(w, ret); /* INFO may be forbidden: nothing else asks it */
    return e;
}

enum err wakeup_probe(const char *url, int64_t patience_us, char ret_version[WAKEUP_VERSION_BYTES],
                      struct error *err)
{
    struct mono until = mono_add(clock_mono(), patience_us);
    struct redis_address address;
    char where[WHERE_BYTES];
    struct wire wire;
    enum err e = redis_address_parse(str_of(url), &address, err);

    if (e)
        return e;
    (void)snprintf(where, sizeof(where), "%s:%u", address.host, address.port);
    wire_init(&wire, where);
    e = wire_open(&wire, &address, -1, until, err);
    if (!e)
        e = talk(&wire, &address, until, ret_version, err);
    wire_done(&wire);
    redis_address_done(&address);
    return e;
}
