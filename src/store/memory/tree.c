/*
 * tree.c: see tree.h. The weights come from a fixed seed, so a simulation builds the same tree each time.
 */
#include "store/memory/tree.h"

void tree_init(struct tree *t, tree_cmp_fn cmp)
{
    *t = (struct tree){.cmp = cmp, .rng = {1}};
}

/* Puts `child` (or NULL) where `old` hangs. */
static void hang(struct tree *t, struct tree_node *old, struct tree_node *child)
{
    struct tree_node *parent = old->parent;

    if (!parent)
        t->root = child;
    else if (parent->left == old)
        parent->left = child;
    else
        parent->right = child;
    if (child)
        child->parent = parent;
}

/* `node` takes its parent's place, the parent becomes its child. */
static void rotate_up(struct tree *t, struct tree_node *node)
{
    struct tree_node *parent = node->parent;
    struct tree_node *inner;

    hang(t, parent, node);
    if (parent->left == node) {
        inner = node->right;
        parent->left = inner;
        node->right = parent;
    } else {
        inner = node->left;
        parent->right = inner;
        node->left = parent;
    }
    parent->parent = node;
    if (inner)
        inner->parent = parent;
}

void tree_add(struct tree *t, struct tree_node *node)
{
    struct tree_node **at = &t->root;
    struct tree_node *parent = NULL;

    while (*at) {
        int cmp = t->cmp(node, *at);

        MUST(cmp != 0);
        parent = *at;
        at = cmp < 0 ? &parent->left : &parent->right;
    }
    *node = (struct tree_node){.parent = parent, .weight = rng_next(&t->rng)};
    *at = node;
    t->n++;
    while (node->parent && node->parent->weight < node->weight)
        rotate_up(t, node);
}

void tree_remove(struct tree *t, struct tree_node *node)
{
    while (node->left && node->right)
        rotate_up(t, node->left->weight > node->right->weight ? node->left : node->right);
    hang(t, node, node->left ? node->left : node->right);
    *node = (struct tree_node){0};
    t->n--;
}

struct tree_node *tree_at_least(const struct tree *t, const struct tree_node *probe)
{
    struct tree_node *node = t->root;
    struct tree_node *best = NULL;

    while (node) {
        if (t->cmp(node, probe) >= 0) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

struct tree_node *tree_below(const struct tree *t, const struct tree_node *probe)
{
    struct tree_node *node = t->root;
    struct tree_node *best = NULL;

    while (node) {
        if (t->cmp(node, probe) < 0) {
            best = node;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return best;
}

struct tree_node *tree_find(const struct tree *t, const struct tree_node *probe)
{
    struct tree_node *node = tree_at_least(t, probe);

    return node && t->cmp(node, probe) == 0 ? node : NULL;
}

struct tree_node *tree_first(const struct tree *t)
{
    struct tree_node *node = t->root;

    while (node && node->left)
        node = node->left;
    return node;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    if (node->right) {
        struct tree_node *next = node->right;

        while (next->left)
            next = next->left;
        return next;
    }
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_prev(const struct tree_node *node)
{
    if (node->left) {
        struct tree_node *prev = node->left;

        while (prev->right)
            prev = prev->right;
        return prev;
    }
    while (node->parent && node->parent->left == node)
        node = node->parent;
    return node->parent;
}
