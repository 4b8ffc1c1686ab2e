/*
 * wiring_zones.c: a new release of the time zone database moves what is still to come, without
 * re-registration, before the engine claims anything. How is in store/ops_zones.h.
 */
#include <stdio.h>
#include <string.h>

#include "store/ops_zones.h"
#include "wiring.h"

static enum err retime_all(struct lane *writer, struct op_retime *o, struct log *log, struct error *err)
{
    char was[ZONES_RELEASE_MAX] = "";
    size_t moved = 0;
    bool more = true;

    for (bool first = true; more; first = false) {
        enum err e = lane_call(writer, &o->op, err);

        if (e)
            return e;
        if (first)
            (void)snprintf(was, sizeof(was), "%s", o->ret_was);
        moved += o->ret_moved;
        more = o->ret_more;
    }
    if (was[0] != '\0' && strcmp(was, o->release) != 0)
        log_event(log, LOG_INFO, "main", "the time zone database changed", KV_CSTR("from", was),
                  KV_CSTR("to", o->release), KV_I64("moved", (int64_t)moved));
    return ERR_NONE;
}

enum err wiring_zones_changed(struct lane *writer, const struct schedule_rules *rules, struct log *log,
                              struct error *err)
{
    struct op_retime *o;
    enum err e;

    /* A database that does not tell its release is taken to be the same. */
    if (zones_version(rules->zones)[0] == '\0')
        return ERR_NONE;
    o = op_retime_new(NULL);
    o->rules = rules;
    o->release = zones_version(rules->zones);
    e = retime_all(writer, o, log, err);
    op_retime_free(o);
    return e;
}
