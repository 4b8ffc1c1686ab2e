/*
 * rows.c: see rows.h.
 */
#include "store/memory/rows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/grow.h"

/* --- orders --- */

static int cmp_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

#define CMP(name, type, member, expr)                                                                        \
    static int name(const struct tree_node *node_a, const struct tree_node *node_b)                          \
    {                                                                                                        \
        const struct type *a = CONTAINER_OF(node_a, struct type, member);                                    \
        const struct type *b = CONTAINER_OF(node_b, struct type, member);                                    \
        int cmp;                                                                                             \
                                                                                                             \
        return (expr);                                                                                       \
    }
#define THEN(first, second) ((cmp = (first)) != 0 ? cmp : (second))

static int cmp_client(const struct client *a, const struct client *b)
{
    int cmp = str_cmp(a->operation, b->operation);

    cmp = cmp != 0 ? cmp : str_cmp(a->application, b->application);
    cmp = cmp != 0 ? cmp : str_cmp(a->group, b->group);
    cmp = cmp != 0 ? cmp : str_cmp(a->key, b->key);
    return cmp != 0 ? cmp : str_cmp(a->type, b->type);
}

#define BY_ID(name, type)                                                                                    \
    static int name(const struct tree_node *a, const struct tree_node *b)                                    \
    {                                                                                                        \
        return uuid_cmp(CONTAINER_OF(a, struct type, by_id)->id, CONTAINER_OF(b, struct type, by_id)->id);   \
    }
BY_ID(schedule_by_id, schedule_row)
BY_ID(timer_by_id, timer_row)
CMP(schedule_by_client, schedule_row, by_client,
    THEN(memcmp(a->hash.b, b->hash.b, sizeof(a->hash.b)), cmp_client(&a->client, &b->client)))
CMP(timer_by_due, timer_row, by_due,
    THEN(cmp_i64(a->timer.next_at.us, b->timer.next_at.us), cmp_u64(a->seq, b->seq)))
CMP(timer_by_end, timer_row, by_end,
    THEN(cmp_i64(a->finished_at.us, b->finished_at.us), cmp_u64(a->seq, b->seq)))
CMP(run_by_schedule, run_row, by_schedule,
    THEN(uuid_cmp(a->run.schedule_id, b->run.schedule_id), uuid_cmp(a->run.id, b->run.id)))
CMP(run_by_identity, run_row, by_identity,
    THEN(uuid_cmp(a->run.schedule_id, b->run.schedule_id),
         cmp_i64(a->run.scheduled_at.us, b->run.scheduled_at.us)))
CMP(run_by_due, run_row, by_due, THEN(cmp_i64(a->run.due_at.us, b->run.due_at.us), cmp_u64(a->seq, b->seq)))
CMP(run_by_lease, run_row, by_lease,
    THEN(cmp_i64(a->run.lease_until.us, b->run.lease_until.us), cmp_u64(a->seq, b->seq)))
CMP(run_by_end, run_row, by_end, THEN(cmp_i64(a->ended_at.us, b->ended_at.us), cmp_u64(a->seq, b->seq)))

static int run_by_id(const struct tree_node *a, const struct tree_node *b)
{
    return uuid_cmp(CONTAINER_OF(a, struct run_row, by_id)->run.id,
                    CONTAINER_OF(b, struct run_row, by_id)->run.id);
}

static int meta_by_key(const struct tree_node *a, const struct tree_node *b)
{
    return str_cmp(CONTAINER_OF(a, struct meta_row, by_key)->key,
                   CONTAINER_OF(b, struct meta_row, by_key)->key);
}

static int answer_by_key(const struct tree_node *a, const struct tree_node *b)
{
    return uuid_cmp(CONTAINER_OF(a, struct answer_row, by_key)->key,
                    CONTAINER_OF(b, struct answer_row, by_key)->key);
}
CMP(answer_by_at, answer_row, by_at, THEN(cmp_i64(a->at.us, b->at.us), uuid_cmp(a->key, b->key)))
static int outbox_by_n(const struct tree_node *a, const struct tree_node *b)
{
    return cmp_i64(CONTAINER_OF(a, struct outbox_row, by_n)->n, CONTAINER_OF(b, struct outbox_row, by_n)->n);
}

void rows_init(struct memory_db *db)
{
    tree_init(&db->schedules, schedule_by_id);
    tree_init(&db->clients, schedule_by_client);
    tree_init(&db->timers, timer_by_id);
    tree_init(&db->timers_due, timer_by_due);
    tree_init(&db->timers_ended, timer_by_end);
    tree_init(&db->runs, run_by_id);
    tree_init(&db->runs_by_schedule, run_by_schedule);
    tree_init(&db->runs_open, run_by_identity);
    tree_init(&db->runs_due, run_by_due);
    tree_init(&db->runs_leased, run_by_lease);
    tree_init(&db->runs_ended, run_by_end);
    tree_init(&db->metas, meta_by_key);
    tree_init(&db->answers, answer_by_key);
    tree_init(&db->answers_by_at, answer_by_at);
    tree_init(&db->outbox, outbox_by_n);
}

/* --- linking: which trees a row is in follows from its members alone --- */

typedef void (*link_fn)(struct tree *t, struct tree_node *node);

static void link_timer(struct memory_db *db, struct timer_row *t, link_fn fn)
{
    fn(&db->timers, &t->by_id);
    if (t->timer.state == SCHEDULE_ACTIVE && !wall_is_never(t->timer.next_at))
        fn(&db->timers_due, &t->by_due);
    if (t->timer.state == SCHEDULE_FINISHED)
        fn(&db->timers_ended, &t->by_end);
}

static void link_run(struct memory_db *db, struct run_row *r, link_fn fn)
{
    bool open = run_state_open(r->run.state);

    fn(&db->runs, &r->by_id);
    fn(&db->runs_by_schedule, &r->by_schedule);
    if (open)
        fn(&db->runs_open, &r->by_identity);
    if (r->run.state == RUN_RUNNING)
        fn(&db->runs_leased, &r->by_lease);
    else if (open && !wall_is_never(r->run.due_at))
        fn(&db->runs_due, &r->by_due);
    if (!open && r->run.state != RUN_DEAD)
        fn(&db->runs_ended, &r->by_end);
}

static void link_row(struct memory_db *db, struct row *row, link_fn fn)
{
    switch (row->kind) {
    case ROW_SCHEDULE:
        fn(&db->schedules, &CONTAINER_OF(row, struct schedule_row, row)->by_id);
        fn(&db->clients, &CONTAINER_OF(row, struct schedule_row, row)->by_client);
        break;
    case ROW_TIMER:
        link_timer(db, CONTAINER_OF(row, struct timer_row, row), fn);
        break;
    case ROW_RUN:
        link_run(db, CONTAINER_OF(row, struct run_row, row), fn);
        break;
    case ROW_META:
        fn(&db->metas, &CONTAINER_OF(row, struct meta_row, row)->by_key);
        break;
    case ROW_ANSWER:
        fn(&db->answers, &CONTAINER_OF(row, struct answer_row, row)->by_key);
        fn(&db->answers_by_at, &CONTAINER_OF(row, struct answer_row, row)->by_at);
        break;
    case ROW_OUTBOX:
        fn(&db->outbox, &CONTAINER_OF(row, struct outbox_row, row)->by_n);
        break;
    }
}

/* Every row struct begins with its struct row. */
static void free_row(struct row *row)
{
    alloc_free(row);
}

void rows_done(struct memory_db *db)
{
    struct tree_node *node;

    rows_rollback(db);
    while ((node = tree_first(&db->runs))) {
        struct run_row *r = CONTAINER_OF(node, struct run_row, by_id);

        link_row(db, &r->row, tree_remove);
        free_row(&r->row);
    }
    while ((node = tree_first(&db->timers))) {
        struct timer_row *t = CONTAINER_OF(node, struct timer_row, by_id);

        link_row(db, &t->row, tree_remove);
        free_row(&t->row);
    }
    while ((node = tree_first(&db->schedules))) {
        struct schedule_row *s = CONTAINER_OF(node, struct schedule_row, by_id);

        link_row(db, &s->row, tree_remove);
        free_row(&s->row);
    }
    while ((node = tree_first(&db->metas))) {
        struct meta_row *m = CONTAINER_OF(node, struct meta_row, by_key);

        link_row(db, &m->row, tree_remove);
        free_row(&m->row);
    }
    while ((node = tree_first(&db->answers))) {
        struct answer_row *a = CONTAINER_OF(node, struct answer_row, by_key);

        link_row(db, &a->row, tree_remove);
        free_row(&a->row);
    }
    while ((node = tree_first(&db->outbox))) {
        struct outbox_row *o = CONTAINER_OF(node, struct outbox_row, by_n);

        link_row(db, &o->row, tree_remove);
        free_row(&o->row);
    }
    alloc_free(db->undo);
}

/* --- changing --- */

static enum err reserve_undo(struct memory_db *db, size_t more, struct error *err)
{
    void *items = db->undo;
    enum err e = list_reserve(&items, &db->undo_cap, db->undo_n + more - 1, sizeof(*db->undo), err);

    db->undo = items;
    return e;
}

enum err rows_add(struct memory_db *db, struct row *row, struct error *err)
{
    enum err e = reserve_undo(db, 1, err);

    if (e) {
        free_row(row);
        return e;
    }
    link_row(db, row, tree_add);
    db->undo[db->undo_n++] = (struct undo){.row = row, .added = true};
    return ERR_NONE;
}

enum err rows_remove(struct memory_db *db, struct row *row, struct error *err)
{
    enum err e = reserve_undo(db, 1, err);

    if (e)
        return e;
    link_row(db, row, tree_remove);
    db->undo[db->undo_n++] = (struct undo){.row = row, .added = false};
    return ERR_NONE;
}

enum err rows_swap(struct memory_db *db, struct row *old, struct row *new_row, struct error *err)
{
    enum err e = reserve_undo(db, 2, err);

    if (e) {
        free_row(new_row);
        return e;
    }
    link_row(db, old, tree_remove);
    db->undo[db->undo_n++] = (struct undo){.row = old, .added = false};
    link_row(db, new_row, tree_add);
    db->undo[db->undo_n++] = (struct undo){.row = new_row, .added = true};
    return ERR_NONE;
}

void rows_commit(struct memory_db *db)
{
    for (size_t i = 0; i < db->undo_n; i++) {
        if (!db->undo[i].added)
            free_row(db->undo[i].row);
    }
    db->undo_n = 0;
}

void rows_rollback(struct memory_db *db)
{
    while (db->undo_n > 0) {
        struct undo u = db->undo[--db->undo_n];

        if (u.added) {
            link_row(db, u.row, tree_remove);
            free_row(u.row);
        } else {
            link_row(db, u.row, tree_add);
        }
    }
}

/* --- making --- */

enum err rows_copy_timer(const struct timer_row *t, struct timer_row **ret, struct error *err)
{
    char *p;
    enum err e = alloc_bytes(sizeof(*t), &p, err);

    if (e)
        return e;
    *ret = (struct timer_row *)(void *)p;
    **ret = *t;
    return ERR_NONE;
}

enum err rows_copy_run(const struct run_row *r, struct run_row **ret, struct error *err)
{
    char *p;
    enum err e = alloc_bytes(sizeof(*r) + r->label_n, &p, err);

    if (e)
        return e;
    memcpy(p, r, sizeof(*r) + r->label_n);
    *ret = (struct run_row *)(void *)p;
    return ERR_NONE;
}

/* Copies `s` to *at and moves on. */
static struct str put_text(char **at, struct str s)
{
    struct str copied = {*at, s.n};

    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copied;
}

enum err rows_new_schedule(struct uuid id, const struct schedule *s, struct str definition,
                           struct schedule_row **ret, struct error *err)
{
    const struct client *c = &s->client;
    size_t n =
        c->operation.n + c->application.n + c->group.n + c->key.n + c->type.n + s->name.n + definition.n;
    struct schedule_row *r;
    char *at;
    char *p;
    enum err e = alloc_bytes(sizeof(*r) + n, &p, err);

    if (e)
        return e;
    r = (struct schedule_row *)(void *)p;
    *r = (struct schedule_row){.row = {ROW_SCHEDULE}, .id = id, .hash = s->hash};
    at = r->text;
    r->client.operation = put_text(&at, c->operation);
    r->client.application = put_text(&at, c->application);
    r->client.group = put_text(&at, c->group);
    r->client.key = put_text(&at, c->key);
    r->client.type = put_text(&at, c->type);
    r->name = put_text(&at, s->name);
    r->definition = put_text(&at, definition);
    *ret = r;
    return ERR_NONE;
}

enum err rows_new_run(struct str label, struct run_row **ret, struct error *err)
{
    void *p;
    enum err e = alloc_array(1, sizeof(**ret) + label.n, &p, err);

    if (e)
        return e;
    *ret = p;
    (*ret)->row.kind = ROW_RUN;
    (*ret)->label_n = label.n;
    if (label.n > 0)
        memcpy((*ret)->label, label.p, label.n);
    return ERR_NONE;
}

enum err rows_new_outbox(struct memory_db *db, struct str text, struct outbox_row **ret, struct error *err)
{
    struct outbox_row *o;
    char *at;
    char *p;
    enum err e = alloc_bytes(sizeof(*o) + text.n, &p, err);

    if (e)
        return e;
    o = (struct outbox_row *)(void *)p;
    *o = (struct outbox_row){.row = {ROW_OUTBOX}, .n = ++db->outbox_last};
    at = o->bytes;
    o->text = put_text(&at, text);
    *ret = o;
    return ERR_NONE;
}

enum err rows_new_meta(struct str key, struct str value, struct meta_row **ret, struct error *err)
{
    struct meta_row *r;
    char *at;
    char *p;
    enum err e = alloc_bytes(sizeof(*r) + key.n + value.n, &p, err);

    if (e)
        return e;
    r = (struct meta_row *)(void *)p;
    *r = (struct meta_row){.row = {ROW_META}};
    at = r->text;
    r->key = put_text(&at, key);
    r->value = put_text(&at, value);
    *ret = r;
    return ERR_NONE;
}

enum err rows_new_answer(const struct kept_answer *a, struct answer_row **ret, struct error *err)
{
    struct answer_row *r;
    char *at;
    char *p;
    enum err e = alloc_bytes(sizeof(*r) + a->n, &p, err);

    if (e)
        return e;
    r = (struct answer_row *)(void *)p;
    *r = (struct answer_row){.row = {ROW_ANSWER}, .key = a->key, .request = a->request, .at = a->at};
    at = r->held;
    if (a->text)
        r->text = put_text(&at, (struct str){a->text, a->n});
    *ret = r;
    return ERR_NONE;
}

/* --- finding --- */

struct schedule_row *rows_schedule(const struct memory_db *db, struct uuid id)
{
    struct schedule_row probe = {.id = id};

    return ROW_OF(tree_find(&db->schedules, &probe.by_id), schedule_row, by_id);
}

struct schedule_row *rows_schedule_by_client(const struct memory_db *db, const struct schedule *identity)
{
    struct schedule_row probe = {.hash = identity->hash, .client = identity->client};

    return ROW_OF(tree_find(&db->clients, &probe.by_client), schedule_row, by_client);
}

struct timer_row *rows_timer(const struct memory_db *db, struct uuid id)
{
    struct timer_row probe = {.id = id};

    return ROW_OF(tree_find(&db->timers, &probe.by_id), timer_row, by_id);
}

struct run_row *rows_run(const struct memory_db *db, struct uuid id)
{
    struct run_row probe = {.run = {.id = id}};

    return ROW_OF(tree_find(&db->runs, &probe.by_id), run_row, by_id);
}

struct meta_row *rows_meta(const struct memory_db *db, struct str key)
{
    struct meta_row probe = {.key = key};

    return ROW_OF(tree_find(&db->metas, &probe.by_key), meta_row, by_key);
}

struct answer_row *rows_answer(const struct memory_db *db, struct uuid key)
{
    struct answer_row probe = {.key = key};

    return ROW_OF(tree_find(&db->answers, &probe.by_key), answer_row, by_key);
}

struct outbox_row *rows_outbox_after(const struct memory_db *db, int64_t n)
{
    struct outbox_row probe = {.n = n + 1};

    return ROW_OF(tree_at_least(&db->outbox, &probe.by_n), outbox_row, by_n);
}

static struct run_row *if_of(struct run_row *r, struct uuid schedule_id)
{
    return r && uuid_eq(r->run.schedule_id, schedule_id) ? r : NULL;
}

struct run_row *rows_first_open(const struct memory_db *db, struct uuid schedule_id)
{
    struct run_row probe = {.run = {.schedule_id = schedule_id, .scheduled_at = {INT64_MIN}}};

    return if_of(ROW_OF(tree_at_least(&db->runs_open, &probe.by_identity), run_row, by_identity),
                 schedule_id);
}

struct run_row *rows_next_open(const struct run_row *r)
{
    return if_of(ROW_OF(tree_next(&r->by_identity), run_row, by_identity), r->run.schedule_id);
}

struct run_row *rows_open_at(const struct memory_db *db, struct uuid schedule_id, struct wall scheduled_at)
{
    struct run_row probe = {.run = {.schedule_id = schedule_id, .scheduled_at = scheduled_at}};

    return ROW_OF(tree_find(&db->runs_open, &probe.by_identity), run_row, by_identity);
}

bool rows_run_waits(const struct run_row *r)
{
    return r->run.state == RUN_PENDING && wall_is_never(r->run.due_at);
}
