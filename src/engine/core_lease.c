/*
 * core_lease.c: keeping the leases of what is held.
 *
 * A lease is good until `lease_us` after the moment we asked for it, by the clock that never steps: the store
 * counted later, so by then nobody else can have it yet. And it is over when the cluster's clock says so,
 * which is what the others go by.
 */
#include "base/alloc.h"
#include "engine/core_internal.h"

enum { RENEW_FIRST = 16, RENEW_MAX = 1000 };
/* Renewed at a third of the lease; what comes due within a tenth of it goes along; tried again at least each
 * sixth. */
enum { RENEW_AT = 3, RENEW_ALONG = 10, RENEW_AGAIN = 6 };

enum err leases_init(struct core *c, struct error *err)
{
    struct core_leases *l = &c->leases;
    void *runs = NULL;
    void *tokens = NULL;
    enum err e;

    list_init(&l->wish.node);
    l->not_before = (struct mono){INT64_MIN};
    e = alloc_array(RENEW_FIRST, sizeof(*l->runs), &runs, err);
    if (e)
        return e;
    l->runs = runs;
    e = alloc_array(RENEW_FIRST, sizeof(*l->tokens), &tokens, err);
    if (e)
        return e;
    l->tokens = tokens;
    l->cap = RENEW_FIRST;
    return ERR_NONE;
}

void leases_done(struct core *c)
{
    alloc_free(c->leases.runs);
    alloc_free(c->leases.tokens);
}

static void renew_later(struct core *c, struct held *h, struct mono asked)
{
    h->renew_token = 0;
    h->renew_at = mono_add(asked, c->options.lease_us / RENEW_AT);
    list_remove(&h->by_age);
    list_push_back(&c->leases.held, &h->by_age);
}

void leases_given(struct core *c, struct held *h, struct mono asked)
{
    h->lease_end = mono_add(asked, c->options.lease_us);
    renew_later(c, h, asked);
}

bool leases_good(const struct core *c, const struct held *h)
{
    return c->now.mono.us < h->lease_end.us && c->now.wall.us < h->run.lease_until.us;
}

void leases_hurry(struct core *c)
{
    const struct list *head = &c->leases.held;

    for (struct list *node = head->next; node != head; node = node->next)
        CONTAINER_OF(node, struct held, by_age)->renew_at = c->now.mono;
}

static struct held *oldest(const struct core *c)
{
    struct list *first = c->leases.held.next;

    return first == &c->leases.held ? NULL : CONTAINER_OF(first, struct held, by_age);
}

struct mono leases_wake_at(const struct core *c)
{
    const struct core_leases *l = &c->leases;
    const struct held *first = oldest(c);

    if (l->asking != ASK_NOT || !first)
        return MONO_NEVER;
    return first->renew_at.us > l->not_before.us ? first->renew_at : l->not_before;
}

void leases_step(struct core *c)
{
    struct core_leases *l = &c->leases;

    if (l->asking != ASK_NOT || leases_wake_at(c).us > c->now.mono.us)
        return;
    l->asking = ASK_WISHED;
    core_wish(c, &l->wish, CORE_RENEW);
}

/* Room for as many as are held, if there is memory; else for as many as before. */
static size_t batch_max(struct core *c)
{
    struct core_leases *l = &c->leases;
    size_t n = core_held(c) < RENEW_MAX ? core_held(c) : RENEW_MAX;
    void *runs = l->runs;
    void *tokens = l->tokens;

    if (n <= l->cap)
        return l->cap;
    if (alloc_resize(&runs, n, sizeof(*l->runs), NULL))
        return l->cap;
    l->runs = runs;
    if (alloc_resize(&tokens, n, sizeof(*l->tokens), NULL))
        return l->cap;
    l->tokens = tokens;
    l->cap = n;
    return n;
}

bool leases_read(struct core *c, struct core_action *ret)
{
    struct core_leases *l = &c->leases;
    struct mono until = mono_add(c->now.mono, c->options.lease_us / RENEW_ALONG);
    size_t max = batch_max(c);
    size_t n = 0;
    struct list *node = l->held.next;

    while (node != &l->held && n < max) {
        struct held *h = CONTAINER_OF(node, struct held, by_age);

        if (h->renew_at.us > until.us)
            break;
        node = node->next;
        if (h->state == HELD_RECORDING && h->twin) {
            /* Its lease is the twin's now. Answers name runs, so one run must not be asked for twice. */
            renew_later(c, h, c->now.mono);
            continue;
        }
        h->renew_token = h->run.lease_token;
        l->runs[n] = h->run.id;
        l->tokens[n] = h->renew_token;
        n++;
    }
    l->asking = n > 0 ? ASK_OUT : ASK_NOT;
    l->out_n = n;
    l->sent_at = c->now.mono;
    ret->runs = l->runs;
    ret->tokens = l->tokens;
    ret->n = n;
    return n > 0;
}

/* The held run that was sent in the renewal that is out, if it is still held under that token. */
static struct held *still_held(const struct core *c, struct uuid run)
{
    struct held *h = map_get(&c->by_run, run);

    return h && h->renew_token != 0 && h->renew_token == h->run.lease_token ? h : NULL;
}

static void lost_one(struct core *c, struct held *h)
{
    renew_later(c, h, c->now.mono);
    if (held_has_not_started(h))
        held_drop(c, h);
    else
        held_abort(c, h, ABORT_LOST);
}

void core_on_renewed(struct core *c, struct core_now now, struct wall until, const struct uuid *lost,
                     size_t lost_n)
{
    struct core_leases *l = &c->leases;
    struct held *h;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = 0;
    for (size_t i = 0; i < lost_n; i++) {
        h = still_held(c, lost[i]);
        if (h)
            lost_one(c, h);
    }
    for (size_t i = 0; i < l->out_n; i++) {
        h = still_held(c, l->runs[i]);
        if (!h || h->renew_token != l->tokens[i])
            continue;
        h->run.lease_until = until;
        leases_given(c, h, l->sent_at);
    }
    core_step(c);
}

void core_on_renew_failed(struct core *c, struct core_now now)
{
    struct core_leases *l = &c->leases;
    int64_t most = c->options.lease_us / RENEW_AGAIN;

    MUST(l->asking == ASK_OUT);
    core_enter(c, now);
    l->asking = ASK_NOT;
    l->backoff_us = core_next_backoff(c, l->backoff_us);
    l->not_before = mono_add(now.mono, l->backoff_us < most ? l->backoff_us : most);
    core_step(c);
}
