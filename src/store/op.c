/*
 * op.c: which failures are an operation's own.
 */
#include "store/op.h"

enum err op_judge(struct op *op, enum err e, const struct error *err, struct error *ret)
{
    switch (e) {
    case ERR_NONE:
        return ERR_NONE;
    /* Judged before anything was written, so the transaction is as it was. */
    case ERR_INVALID:
    case ERR_SYNTAX:
    case ERR_NOT_FOUND:
    case ERR_CONFLICT:
    case ERR_PRECONDITION:
    case ERR_STALE:
    case ERR_REFUSED:
    case ERR_UNSUPPORTED:
        op->err = *err;
        return ERR_NONE;
    case ERR_TOO_LARGE:
    case ERR_BUSY:
    case ERR_MEMORY:
    case ERR_IO:
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
    case ERR_INTERNAL:
        break;
    }
    if (ret)
        *ret = *err;
    return e;
}
