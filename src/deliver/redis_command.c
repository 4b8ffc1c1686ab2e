/*
 * redis_command.c: the bytes of a command: RESP's array of bulk strings, so no value can be taken for another
 * command.
 */
#include <stdio.h>

#include "base/str.h"
#include "deliver/identity.h"
#include "deliver/redis_internal.h"
#include "model/event.h"

/* XADD topic MAXLEN ~ n *, then name and value of the identity and of the body. */
enum { WORDS_MAX = 6 + 2 * (IDENTITY_N + 1), NUMBER_MAX = 24 };

void redis_command_add(struct buf *out, const struct str *words, size_t n)
{
    buf_add_char(out, '*');
    buf_add_u64(out, n);
    buf_add_cstr(out, "\r\n");
    for (size_t i = 0; i < n; i++) {
        buf_add_char(out, '$');
        buf_add_u64(out, words[i].n);
        buf_add_cstr(out, "\r\n");
        buf_add(out, words[i]);
        buf_add_cstr(out, "\r\n");
    }
}

static void add_stream(struct redis *r, const struct delivery *d)
{
    const struct task *task = &d->schedule->task;
    struct identity identity;
    struct str words[WORDS_MAX];
    char maxlen[NUMBER_MAX];
    size_t n = 0;

    identity_make(&d->run, &r->rng, &identity);
    words[n++] = STR("XADD");
    words[n++] = task->topic;
    if (task->maxlen > 0) {
        (void)snprintf(maxlen, sizeof(maxlen), "%lld", (long long)task->maxlen);
        words[n++] = STR("MAXLEN");
        /* About so many: whole nodes of the stream are cut off, which costs nothing. */
        words[n++] = STR("~");
        words[n++] = str_of(maxlen);
    }
    words[n++] = STR("*");
    for (size_t i = 0; i < IDENTITY_N; i++) {
        words[n++] = identity.items[i].name;
        words[n++] = str_of(identity.items[i].value);
    }
    words[n++] = STR("data");
    words[n++] = buf_str(&r->body);
    redis_command_add(&r->command, words, n);
}

enum err redis_command_make(struct redis *r, const struct delivery *d, struct error *err)
{
    const struct task *task = &d->schedule->task;
    enum err e;

    buf_clear(&r->body);
    buf_clear(&r->command);
    e = event_body(d->schedule, &d->run, &r->body, err);
    if (e)
        return e;
    switch (task->mode) {
    case REDIS_PUBLISH:
        redis_command_add(&r->command, (struct str[]){STR("PUBLISH"), task->topic, buf_str(&r->body)}, 3);
        break;
    case REDIS_LIST:
        redis_command_add(&r->command, (struct str[]){STR("LPUSH"), task->topic, buf_str(&r->body)}, 3);
        break;
    case REDIS_STREAM:
        add_stream(r, d);
        break;
    }
    return buf_check(&r->command, "/task/data", err);
}
