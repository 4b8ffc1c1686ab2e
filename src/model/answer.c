/*
 * answer.c: what a target answered, as the history keeps it. See run.h and secret.h.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/run.h"

enum err attempt_answer_new(struct str text, bool cut, struct attempt_answer **ret, struct error *err)
{
    struct attempt_answer *a;
    char *p;
    enum err e = alloc_bytes(sizeof(*a) + text.n, &p, err);

    if (e)
        return e;
    a = (struct attempt_answer *)(void *)p;
    *a = (struct attempt_answer){.refs = 1, .cut = cut, .n = text.n};
    if (text.n > 0)
        memcpy(a->text, text.p, text.n);
    *ret = a;
    return ERR_NONE;
}

struct attempt_answer *attempt_answer_ref(struct attempt_answer *a)
{
    if (a)
        (void)__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
    return a;
}

void attempt_answer_unref(struct attempt_answer *a)
{
    if (a && __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0)
        alloc_free(a);
}
