/*
 * link.c: see link.h. How a connection is made is in link_connect.c.
 *
 * libpq queues what is sent and hands out results statement by statement: for each, its result, then NULL;
 * for the sync, one result without a NULL behind it. After an error the server skips everything up to the
 * sync.
 */
#include "store/postgres/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/str.h"

enum { ANSWER_S = 30, STATE_N = 5 };
#define NO_TIMEOUT (-1)

enum err link_init(struct link *l, PGconn *pg, const struct sql_texts *sql, bool unprepared,
                   struct error *err)
{
    *l = (struct link){.pg = pg, .sql = sql, .unprepared = unprepared};
    args_init(&l->args);
    if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1)
        return error_set(err, ERR_INTERNAL, "postgres", "cannot enter pipeline mode: %s", PQerrorMessage(pg));
    return ERR_NONE;
}

void link_done(struct link *l)
{
    PQfinish(l->pg);
    args_done(&l->args);
}

/* --- errors --- */

static bool is_class(const char *state, const char *class)
{
    return strncmp(state, class, 2) == 0;
}

static bool is_any(const char *state, const char *const *of, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(state, of[i]) == 0)
            return true;
    }
    return false;
}

/* https://www.postgresql.org/docs/17/errcodes-appendix.html */
static enum err code_of(const char *state)
{
    /* Shutting down, crashed, starting, session ended for idling, now a standby, ours is not known there. */
    static const char *const gone[] = {"57P01", "57P02", "57P03", "57P05",
                                       "25P03", "25006", "26000", "42P05"};
    /*
     * Serialization, deadlock, lock timeout, cancelled by hand, and a unique key that another instance was
     * quicker to take: the same again will go better.
     */
    static const char *const again[] = {"40001", "40P01", "55P03", "57014", "23505"};

    if (is_any(state, again, COUNT_OF(again)))
        return ERR_BUSY;
    if (is_any(state, gone, COUNT_OF(gone)) || is_class(state, "08") || is_class(state, "53") ||
        is_class(state, "58"))
        return ERR_UNAVAILABLE;
    return is_class(state, "54") ? ERR_TOO_LARGE : ERR_INTERNAL;
}

/* The first line of what libpq says. */
static struct str first_line(const char *text)
{
    struct str s = str_of(text);

    s.n = str_find(s, '\n');
    return s;
}

enum err link_result_error(const PGresult *r, const char *what, struct error *err)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    struct str line = first_line(text ? text : PQresultErrorMessage(r));

    if (!state) /* libpq's own: the connection broke */
        return error_set(err, ERR_UNAVAILABLE, "postgres", "%.*s", (int)line.n, line.p);
    if (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0)
        return error_set(err, ERR_UNAVAILABLE, "postgres",
                         "%.*s (behind a pooler in transaction mode: set database.prepared to false)",
                         (int)line.n, line.p);
    return error_set(err, code_of(state), "postgres", "%s: %.*s (%s)", what, (int)line.n, line.p, state);
}

static enum err lost(struct link *l, struct error *err)
{
    struct str line = first_line(PQerrorMessage(l->pg));

    l->lost = true;
    return error_set(err, ERR_UNAVAILABLE, "postgres", "the connection is lost: %.*s", (int)line.n, line.p);
}

/* --- sending --- */

struct args *link_args(struct link *l)
{
    args_clear(&l->args);
    return &l->args;
}

struct wire {
    Oid types[ARGS_MAX];
    const char *values[ARGS_MAX];
    int lengths[ARGS_MAX];
    int formats[ARGS_MAX];
};

static void fill_wire(const struct args *a, struct wire *ret)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct arg *arg = &a->items[i];

        ret->types[i] = args_oid(arg);
        ret->values[i] = arg->null ? NULL : buf_cstr(&arg->bytes);
        ret->lengths[i] = (int)arg->bytes.n; /* ARG_BYTES_MAX is below INT_MAX */
        ret->formats[i] = 1;
    }
}

static void push(struct link *l, enum sql id, bool prepares, PGresult **slot)
{
    MUST(l->sent_n < SENT_MAX);
    l->sent[l->sent_n++] = (struct sent){.id = id, .prepares = prepares, .slot = slot};
}

static bool prepare(struct link *l, enum sql id, const struct wire *w)
{
    if (PQsendPrepare(l->pg, sql_name(id), l->sql->text[id], (int)l->args.n, w->types) != 1)
        return false;
    l->prepared[id] = true; /* taken back when it fails */
    push(l, id, true, NULL);
    return true;
}

static bool dispatch(struct link *l, enum sql id, const struct wire *w)
{
    if (l->unprepared)
        return PQsendQueryParams(l->pg, l->sql->text[id], (int)l->args.n, w->types, w->values, w->lengths,
                                 w->formats, 1) == 1;
    if (!l->prepared[id] && !prepare(l, id, w))
        return false;
    return PQsendQueryPrepared(l->pg, sql_name(id), (int)l->args.n, w->values, w->lengths, w->formats, 1) ==
           1;
}

static void forget_slots(struct link *l)
{
    for (size_t i = 0; i < l->sent_n; i++)
        l->sent[i].slot = NULL;
}

static enum err send(struct link *l, enum sql id, PGresult **slot, struct error *err)
{
    struct wire w;
    enum err e;

    if (l->lost)
        return error_set(err, ERR_UNAVAILABLE, "postgres", "the connection is lost");
    e = args_check(&l->args, sql_name(id), err);
    if (e)
        return e;
    if (l->sent_n + 2 > SENT_MAX) {
        e = link_sync(l, err);
        if (e)
            return e;
    }
    fill_wire(&l->args, &w);
    if (!dispatch(l, id, &w))
        return lost(l, err);
    push(l, id, false, slot);
    return ERR_NONE;
}

enum err link_send(struct link *l, enum sql id, PGresult **slot, struct error *err)
{
    enum err e = send(l, id, slot, err);

    if (e)
        forget_slots(l);
    return e;
}

/* --- waiting --- */

/* Sends what is queued and reads what comes, until there is a result to be had. */
static enum err wait_for_result(struct link *l, int timeout_ms, struct error *err)
{
    struct pollfd p = {.fd = PQsocket(l->pg)};
    int unsent = PQflush(l->pg);

    if (p.fd < 0)
        return lost(l, err);
    while (unsent > 0 || PQisBusy(l->pg)) {
        int n;

        p.events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
        n = poll(&p, 1, timeout_ms);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) {
            l->lost = true;
            return error_set(err, ERR_UNAVAILABLE, "postgres", "no answer in %d s", (int)ANSWER_S);
        }
        if (n < 0)
            return error_errno(err, "postgres", "cannot wait for an answer");
        if (p.revents & (POLLIN | POLLERR | POLLHUP) && PQconsumeInput(l->pg) != 1)
            return lost(l, err);
        unsent = PQflush(l->pg);
    }
    return unsent < 0 ? lost(l, err) : ERR_NONE;
}

static enum err next_result(struct link *l, PGresult **ret, struct error *err)
{
    enum err e = wait_for_result(l, ANSWER_S * 1000, err);

    if (!e)
        *ret = PQgetResult(l->pg);
    return e;
}

/* One statement's results. *fault: what it, and nothing before it, failed with. */
static enum err take_one(struct link *l, struct sent *s, struct error *fault, struct error *err)
{
    bool ok = false;

    for (;;) {
        PGresult *r = NULL;
        ExecStatusType status;
        enum err e = next_result(l, &r, err);

        if (e)
            return e;
        if (!r)
            break;
        status = PQresultStatus(r);
        ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
        if (!ok && status != PGRES_PIPELINE_ABORTED && fault->code == ERR_NONE)
            (void)link_result_error(r, sql_name(s->id), fault);
        if (ok && s->slot && !*s->slot)
            *s->slot = r;
        else
            PQclear(r);
        if (PQstatus(l->pg) == CONNECTION_BAD) {
            l->lost = true;
            if (err)
                *err = *fault;
            return fault->code ? fault->code : lost(l, err);
        }
    }
    if (!ok && s->prepares)
        l->prepared[s->id] = false;
    return ERR_NONE;
}

static enum err take_sync(struct link *l, struct error *err)
{
    PGresult *r = NULL;
    enum err e = next_result(l, &r, err);
    bool ok;

    if (e)
        return e;
    ok = r && PQresultStatus(r) == PGRES_PIPELINE_SYNC;
    PQclear(r);
    return ok ? ERR_NONE : lost(l, err);
}

static void clear_slots(struct link *l)
{
    for (size_t i = 0; i < l->sent_n; i++) {
        if (l->sent[i].slot) {
            PQclear(*l->sent[i].slot);
            *l->sent[i].slot = NULL;
        }
    }
}

enum err link_sync(struct link *l, struct error *err)
{
    struct error fault = {0};
    enum err e = ERR_NONE;

    if (l->lost)
        e = error_set(err, ERR_UNAVAILABLE, "postgres", "the connection is lost");
    else if (l->sent_n == 0)
        return ERR_NONE;
    else if (PQpipelineSync(l->pg) != 1)
        e = lost(l, err);
    for (size_t i = 0; !e && i < l->sent_n; i++)
        e = take_one(l, &l->sent[i], &fault, err);
    if (!e)
        e = take_sync(l, err);
    if (!e && fault.code) {
        if (err)
            *err = fault;
        e = fault.code;
    }
    if (e)
        clear_slots(l);
    l->sent_n = 0;
    return e;
}

enum err link_ask(struct link *l, enum sql id, PGresult **slot, struct error *err)
{
    enum err e = link_send(l, id, slot, err);

    return e ? e : link_sync(l, err);
}

/* --- one text at a time --- */

static enum err exec_result(struct link *l, PGresult **ret, struct error *err)
{
    struct error fault = {0};
    PGresult *kept = NULL;
    enum err e;

    for (;;) {
        PGresult *r;

        e = wait_for_result(l, NO_TIMEOUT, err);
        r = e ? NULL : PQgetResult(l->pg);
        if (!r)
            break;
        if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
            (void)link_result_error(r, "a migration", &fault);
        PQclear(kept);
        kept = r;
        if (PQstatus(l->pg) == CONNECTION_BAD) {
            e = lost(l, err);
            break;
        }
    }
    if (!e)
        e = take_sync(l, err);
    if (!e && fault.code) {
        if (err)
            *err = fault;
        e = fault.code;
    }
    if (e || !ret)
        PQclear(kept);
    else
        *ret = kept;
    return e;
}

enum err link_exec(struct link *l, const char *text, const char *param, PGresult **ret, struct error *err)
{
    MUST(l->sent_n == 0);
    if (l->lost)
        return error_set(err, ERR_UNAVAILABLE, "postgres", "the connection is lost");
    if (PQsendQueryParams(l->pg, text, param ? 1 : 0, NULL, &param, NULL, NULL, 1) != 1 ||
        PQpipelineSync(l->pg) != 1)
        return lost(l, err);
    return exec_result(l, ret, err);
}
