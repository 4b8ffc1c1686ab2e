/*
 * grow.h: room for one more in the store's lists: they double, and a failure leaves them as they were.
 */
#ifndef STORE_GROW_H
#define STORE_GROW_H

#include "base/alloc.h"
#include "base/base.h"
#include "base/error.h"

enum { LIST_FIRST = 16 };

CHECKED static inline enum err list_reserve(void **items, size_t *cap, size_t n, size_t item_bytes,
                                            struct error *err)
{
    size_t more = *cap > 0 ? *cap : LIST_FIRST;
    enum err e;

    if (n < *cap)
        return ERR_NONE;
    while (more <= n)
        more *= 2;
    e = alloc_resize(items, more, item_bytes, err);
    if (e)
        return e;
    *cap = more;
    return ERR_NONE;
}

/* Room for item number `l->n` of any of the lists {items, n, cap}. */
#define LIST_RESERVE(l, err)                                                                                 \
    (__extension__({                                                                                         \
        void *items_ = (l)->items;                                                                           \
        enum err e_ = list_reserve(&items_, &(l)->cap, (l)->n, sizeof(*(l)->items), (err));                  \
        (l)->items = items_;                                                                                 \
        e_;                                                                                                  \
    }))

#endif
