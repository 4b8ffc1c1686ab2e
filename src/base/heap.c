/*
 * heap.c: the classic array heap, counted from 1 so that a place of 0 means "in no heap".
 */
#include "base/heap.h"

#include "base/alloc.h"

enum { HEAP_FIRST = 64 };

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void heap_done(struct heap *h)
{
    alloc_free(h->nodes);
    *h = (struct heap){0};
}

static void put(struct heap *h, size_t place, struct heap_node *node)
{
    h->nodes[place - 1] = node;
    node->place = place;
}

static void sift_up(struct heap *h, size_t place, struct heap_node *node)
{
    while (place > 1 && h->nodes[place / 2 - 1]->key > node->key) {
        put(h, place, h->nodes[place / 2 - 1]);
        place /= 2;
    }
    put(h, place, node);
}

static void sift_down(struct heap *h, size_t place, struct heap_node *node)
{
    while (place <= h->n / 2) {
        size_t child = place * 2;

        if (child < h->n && h->nodes[child]->key < h->nodes[child - 1]->key)
            child++;
        if (h->nodes[child - 1]->key >= node->key)
            break;
        put(h, place, h->nodes[child - 1]);
        place = child;
    }
    put(h, place, node);
}

/* Puts `node` where its key belongs, starting from the hole at `place`. */
static void settle(struct heap *h, size_t place, struct heap_node *node)
{
    if (place > 1 && h->nodes[place / 2 - 1]->key > node->key)
        sift_up(h, place, node);
    else
        sift_down(h, place, node);
}

enum err heap_push(struct heap *h, struct heap_node *node, int64_t key, struct error *err)
{
    MUST(node->place == 0);
    if (h->n == h->cap) {
        size_t cap = h->cap > 0 ? h->cap * 2 : HEAP_FIRST;
        void *nodes = h->nodes;
        enum err e = alloc_resize(&nodes, cap, sizeof(*h->nodes), err);

        if (e)
            return e;
        h->nodes = nodes;
        h->cap = cap;
    }
    node->key = key;
    h->n++;
    sift_up(h, h->n, node);
    return ERR_NONE;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    size_t place = node->place;
    struct heap_node *last;

    if (place == 0)
        return;
    MUST(place <= h->n && h->nodes[place - 1] == node);
    last = h->nodes[h->n - 1];
    h->n--;
    node->place = 0;
    if (last != node)
        settle(h, place, last);
}

void heap_move(struct heap *h, struct heap_node *node, int64_t key)
{
    MUST(node->place > 0 && node->place <= h->n && h->nodes[node->place - 1] == node);
    node->key = key;
    settle(h, node->place, node);
}

struct heap_node *heap_peek(const struct heap *h)
{
    return h->n > 0 ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop_due(struct heap *h, int64_t now)
{
    struct heap_node *least = heap_peek(h);

    if (!least || least->key > now)
        return NULL;
    heap_remove(h, least);
    return least;
}
