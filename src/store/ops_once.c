/*
 * ops_once.c: see ops_once.h. May be repeated: the answer that an earlier try kept is found.
 *
 * What is done in parts says in its first part that it is at work, so that the same request is not begun a
 * second time between two parts, on this instance or another.
 */
#include "store/ops_once.h"

#include "base/buf.h"
#include "store/op.h"

/*
 * That it is at work was said by this very operation: in a part that is committed, or whose answer was lost.
 * One that was away for longer than ONCE_WORK_US may find that another took its work over meanwhile.
 */
static bool is_ours(const struct op_once *o, const struct kept_answer *found)
{
    return found->at.us == o->marked_at.us || found->at.us == o->marked_before.us;
}

/* Sets o->ret; ONCE_DONE: it is to be done. *ret_held: somebody else looks at the key at this very moment. */
static enum err look(struct store *s, struct op_once *o, struct wall now, bool *ret_held, struct error *err)
{
    struct kept_answer found = {0};
    enum err e = store_get_answer(s, o->key, &found, err);

    o->ret = ONCE_DONE;
    *ret_held = e == ERR_CONFLICT;
    if (*ret_held)
        o->ret = ONCE_AT_WORK;
    if (e)
        return e == ERR_NOT_FOUND || e == ERR_CONFLICT ? ERR_NONE : e;
    if (!found.text && is_ours(o, &found))
        o->marked_before = found.at;
    if (found.at.us >= wall_add(now, -ONCE_KEEP_US).us) {
        if (!uuid_eq(found.request, o->request))
            o->ret = ONCE_OTHER;
        else if (found.text)
            o->ret = ONCE_AGAIN;
        else if (!is_ours(o, &found) && found.at.us >= wall_add(now, -ONCE_WORK_US).us)
            o->ret = ONCE_AT_WORK;
    }
    if (o->ret == ONCE_AGAIN)
        o->ret_kept = found;
    else
        kept_answer_done(&found);
    return ERR_NONE;
}

static enum err keep(struct store *s, const struct op_once *o, struct wall at, struct buf *text,
                     struct error *err)
{
    struct kept_answer a = {.key = o->key, .request = o->request, .at = at};

    if (text) {
        a.text = text->p;
        a.n = text->n;
    }
    return store_put_answer(s, &a, err);
}

/* What was done to its end; nothing is kept of what failed. */
static enum err finish(struct store *s, struct op_once *o, struct wall now, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    bool kept = false;
    enum err e;

    buf_init(&text, o->answer_max);
    e = o->answer(o->answer_arg, &text, &kept, err);
    if (!e && kept)
        e = buf_check(&text, NULL, err);
    if (e)
        return e;
    if (kept)
        return keep(s, o, now, &text, err);
    /* At work no more. */
    return o->op.parts > 0 || o->marked_at.us != 0 ? keep(s, o, (struct wall){0}, NULL, err) : ERR_NONE;
}

static enum err run_one(struct store *s, struct op_once *o, struct wall now, struct notice *notice,
                        struct error *err)
{
    struct op *inner = o->inner;
    bool held;
    enum err e;

    kept_answer_done(&o->ret_kept); /* of a try that came to nothing */
    e = look(s, o, now, &held, err);
    if (!e && held && o->op.parts > 0) {
        /* A repetition looks at this very moment, elsewhere; what was begun here goes on here, a group later.
         */
        o->ret = ONCE_DONE;
        o->op.unfinished = true;
        return ERR_NONE;
    }
    if (e || o->ret != ONCE_DONE)
        return e;
    if (!inner)
        return finish(s, o, now, err);
    inner->err = (struct error){0};
    inner->unfinished = false;
    inner->parts = o->op.parts;
    e = inner->type->run(s, &inner, 1, now, notice, err);
    if (e)
        return e;
    if (!inner->unfinished || inner->err.code)
        return finish(s, o, now, err);
    o->op.unfinished = true;
    o->marked_at = now;
    return keep(s, o, now, NULL, err);
}

static enum err run_once(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        enum err e = run_one(s, OP_AS(ops[i], struct op_once), now, notice, err);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type once_type = {.name = "once", .writes = true, .repeatable = true, .run = run_once};

static enum err run_look(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                         struct error *err)
{
    (void)notice;
    for (size_t i = 0; i < n; i++) {
        struct op_once *o = OP_AS(ops[i], struct op_once);
        bool held;
        enum err e;

        kept_answer_done(&o->ret_kept);
        e = look(s, o, now, &held, err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

static const struct op_type look_type = {.name = "once_look", .repeatable = true, .run = run_look};

void op_once_init_look(struct op_once *o, op_done_fn done)
{
    *o = (struct op_once){.op = {.type = &look_type, .done = done}};
}

void op_once_init(struct op_once *o, op_done_fn done)
{
    *o = (struct op_once){.op = {.type = &once_type, .done = done}};
}

void op_once_done(struct op_once *o)
{
    kept_answer_done(&o->ret_kept);
}
