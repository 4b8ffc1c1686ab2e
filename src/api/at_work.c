/*
 * at_work.c: see at_work.h.
 */
#include "api/at_work.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/map.h"

struct at_work {
    pthread_mutex_t lock;
    struct map keys; /* under .lock */
};

struct at_work *at_work_new(void)
{
    struct at_work *w = alloc_new(struct at_work);

    MUST(pthread_mutex_init(&w->lock, NULL) == 0);
    map_init(&w->keys);
    return w;
}

void at_work_free(struct at_work *w)
{
    if (!w)
        return;
    map_done(&w->keys);
    MUST(pthread_mutex_destroy(&w->lock) == 0);
    alloc_free(w);
}

enum err at_work_enter(struct at_work *w, struct uuid key, struct error *err)
{
    enum err e = ERR_NONE;

    MUST(pthread_mutex_lock(&w->lock) == 0);
    if (map_get(&w->keys, key))
        e = ERR_CONFLICT;
    else
        e = map_put(&w->keys, key, w, err);
    MUST(pthread_mutex_unlock(&w->lock) == 0);
    return e;
}

void at_work_leave(struct at_work *w, struct uuid key)
{
    MUST(pthread_mutex_lock(&w->lock) == 0);
    MUST(map_remove(&w->keys, key));
    MUST(pthread_mutex_unlock(&w->lock) == 0);
}
