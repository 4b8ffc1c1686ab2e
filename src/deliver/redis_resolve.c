/*
 * redis_resolve.c: a server's addresses. getaddrinfo() waits for name servers, so it runs as a chore; an
 * address that is already one needs no thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "deliver/outcome.h"
#include "deliver/redis_internal.h"

struct resolve {
    struct chore chore;
    char *host;
    char port[8];
    int status;
    struct addrinfo *found;
    struct link *link; /* loop's thread only; NULL: nobody waits any more */
};

static int look_up(const char *host, const char *port, int flags, struct addrinfo **ret)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hints, ret);
}

static void work(struct chore *c)
{
    struct resolve *v = CONTAINER_OF(c, struct resolve, chore);

    v->status = look_up(v->host, v->port, AI_ADDRCONFIG, &v->found);
    /* Without any network but loopback, "localhost" has no address that AI_ADDRCONFIG lets pass. */
    if (v->status == EAI_NONAME || v->status == EAI_ADDRFAMILY || v->status == EAI_NODATA)
        v->status = look_up(v->host, v->port, 0, &v->found);
}

static void resolve_free(struct resolve *v)
{
    if (v->found)
        freeaddrinfo(v->found);
    alloc_free(v->host);
    alloc_free(v);
}

static void done(struct chore *c, bool alone)
{
    struct resolve *v = CONTAINER_OF(c, struct resolve, chore);
    struct link *l = alone ? NULL : v->link;

    if (l) {
        l->resolve = NULL;
        if (v->status == 0)
            redis_link_found(l, TAKE(v->found));
        else
            redis_link_not_found(l, gai_strerror(v->status),
                                 v->status == EAI_MEMORY || outcome_lacks_descriptors());
    }
    resolve_free(v);
}

void redis_resolve_start(struct link *l)
{
    struct resolve *v = alloc_new(struct resolve);

    v->chore.work = work;
    v->chore.done = done;
    list_init(&v->chore.node);
    (void)snprintf(v->port, sizeof(v->port), "%u", l->address.port);
    if (look_up(l->address.host, v->port, AI_NUMERICHOST, &v->found) == 0) {
        redis_link_found(l, TAKE(v->found));
        resolve_free(v);
        return;
    }
    if (alloc_str(str_of(l->address.host), &v->host, NULL)) {
        resolve_free(v);
        redis_link_not_found(l, "out of memory", true);
        return;
    }
    v->link = l;
    l->resolve = v;
    chores_add(l->redis->chores, &v->chore);
}

void redis_resolve_forget(struct link *l)
{
    if (l->resolve)
        l->resolve->link = NULL;
    l->resolve = NULL;
}
