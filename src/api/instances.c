/*
 * instances.c: GET /instances: who shares the database, and what each does. An embedded database has one.
 */
#include "api/api_internal.h"
#include "api/handlers.h"
#include "api/writer.h"
#include "base/str.h"
#include "store/ops_instance.h"

static void write_roles(struct writer *w, const char *roles)
{
    struct str rest = str_of(roles);
    struct str role;

    write_array(w, "roles");
    while (str_cut(&rest, ',', &role)) {
        if (role.n > 0)
            write_str(w, NULL, role);
    }
    write_end_array(w);
}

static void write_instance(struct writer *w, const struct instance *i, struct wall now)
{
    /* Read by one transaction's clock, written by another's, which may be younger. */
    int64_t age_us = now.us > i->heartbeat_at.us ? now.us - i->heartbeat_at.us : 0;

    write_object(w, NULL);
    write_uuid(w, "id", i->id);
    write_cstr(w, "name", i->name);
    write_roles(w, i->roles);
    write_cstr(w, "version", i->version);
    write_wall(w, "started_at", i->started_at);
    write_wall(w, "heartbeat_at", i->heartbeat_at);
    write_ms(w, "heartbeat_age_ms", age_us);
    write_i64(w, "held", i->held);
    write_bool(w, "monitor", i->is_monitor);
    write_end_object(w);
}

static void answer_instances(struct request *r, const struct instance *items, size_t n, struct wall now)
{
    struct writer w = writer_of(answer_body(r));

    write_array(&w, NULL);
    for (size_t i = 0; i < n; i++)
        write_instance(&w, &items[i], now);
    write_end_array(&w);
    answer_json(r, 200);
}

static void free_op(struct op *op)
{
    op_instances_free(CONTAINER_OF(op, struct op_instances, op));
}

static void answer_self(struct request *r)
{
    const struct api_options *o = &r->api->options;
    struct instance self = {.name = NULL};

    if (!o->self) {
        answer_instances(r, NULL, 0, (struct wall){0});
        return;
    }
    o->self(o->self_arg, &self);
    answer_instances(r, &self, 1, self.heartbeat_at);
}

static void listed(struct request *r)
{
    const struct op_instances *o = CONTAINER_OF(r->op, struct op_instances, op);

    if (o->op.err.code == ERR_UNSUPPORTED)
        answer_self(r);
    else if (o->op.err.code)
        answer_error(r, &o->op.err);
    else
        answer_instances(r, o->ret.items, o->ret.n, o->ret_now);
}

void handle_instances(struct request *r)
{
    struct op_instances *o = op_instances_new(request_op_done);

    request_submit(r, r->api->options.reader, &o->op, free_op, listed);
}
