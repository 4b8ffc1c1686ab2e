/*
 * tree.h: rows in order: an intrusive treap, so that linking a row needs no memory and cannot fail.
 *
 * The order must be total: no two linked nodes may be equal. One thread.
 */
#ifndef STORE_MEMORY_TREE_H
#define STORE_MEMORY_TREE_H

#include "base/base.h"
#include "base/random.h"

struct tree_node {
    struct tree_node *parent;
    struct tree_node *left;
    struct tree_node *right;
    uint64_t weight; /* random; a parent's is never less than its children's */
};

/* <0, 0, >0 */
typedef int (*tree_cmp_fn)(const struct tree_node *a, const struct tree_node *b);

struct tree {
    struct tree_node *root;
    tree_cmp_fn cmp;
    struct rng rng;
    size_t n;
};

void tree_init(struct tree *t, tree_cmp_fn cmp);
void tree_add(struct tree *t, struct tree_node *node);
void tree_remove(struct tree *t, struct tree_node *node); /* must be in t */

/* `probe` is a node of a row that need not be linked. NULL: there is none. */
struct tree_node *tree_find(const struct tree *t, const struct tree_node *probe);
struct tree_node *tree_at_least(const struct tree *t, const struct tree_node *probe);
struct tree_node *tree_below(const struct tree *t, const struct tree_node *probe);
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

#endif
