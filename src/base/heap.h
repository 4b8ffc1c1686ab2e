/*
 * heap.h: an intrusive binary min-heap by a 64-bit key: O(log n) push, pop and removal from the middle.
 *
 * A node lives inside another struct and remembers its place; the heap owns only its array of pointers. One
 * thread. Equal keys come out in no stated order.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/base.h"
#include "base/error.h"

struct heap_node {
    int64_t key;
    size_t place; /* 1-based; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t n;
    size_t cap;
};

void heap_init(struct heap *h);
void heap_done(struct heap *h); /* nodes are not touched */
CHECKED enum err heap_push(struct heap *h, struct heap_node *node, int64_t key, struct error *err);
void heap_remove(struct heap *h, struct heap_node *node);            /* no-op when in no heap */
void heap_move(struct heap *h, struct heap_node *node, int64_t key); /* node must be in h */
struct heap_node *heap_peek(const struct heap *h);                   /* NULL when empty */
struct heap_node *heap_pop_due(struct heap *h, int64_t now); /* the least, if its key <= now; else NULL */

#endif
