/*
 * doctor.c: see doctor.h. Two lists: who waits for the examination under way, and who came since it began.
 */
#include "api/doctor.h"

#include <pthread.h>

#include "api/api_internal.h"
#include "api/handlers.h"
#include "base/alloc.h"

/* A report is some 10 KiB. */
enum { REPORT_MAX = 1024 * 1024 };

struct doctor_desk {
    api_doctor_fn examine;
    void *arg;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    struct doctor_wait *served; /* by the examination under way */
    struct doctor_wait *queued; /* by the next one */
    bool closing;
};

static void lock(struct doctor_desk *d)
{
    MUST(pthread_mutex_lock(&d->lock) == 0);
}

static void unlock(struct doctor_desk *d)
{
    MUST(pthread_mutex_unlock(&d->lock) == 0);
}

static void give_back(struct doctor_wait *all, struct str report, const struct error *err)
{
    while (all) {
        struct doctor_wait *w = all;

        /* Gone with its request as soon as that is back. */
        all = w->next;
        w->err = *err;
        if (!err->code)
            buf_add(answer_body(w->r), report);
        request_back(w->r);
    }
}

static void examine(struct doctor_desk *d)
{
    CLEANUP(buf_done_p) struct buf report = {0};
    struct error err = {0};
    struct doctor_wait *all;

    buf_init(&report, REPORT_MAX);
    d->examine(d->arg, &report);
    if (buf_check(&report, NULL, &err))
        buf_clear(&report);
    lock(d);
    all = d->served;
    d->served = NULL;
    unlock(d);
    give_back(all, buf_str(&report), &err);
}

static void *work(void *arg)
{
    struct doctor_desk *d = arg;

    lock(d);
    while (!d->closing) {
        if (!d->queued) {
            MUST(pthread_cond_wait(&d->changed, &d->lock) == 0);
            continue;
        }
        d->served = d->queued;
        d->queued = NULL;
        unlock(d);
        examine(d);
        lock(d);
    }
    unlock(d);
    return NULL;
}

enum err doctor_desk_ask(struct request *r, struct error *err)
{
    struct doctor_desk *d = r->api->doctor;
    struct doctor_wait *w = r->work;
    bool closing;

    w->r = r;
    lock(d);
    closing = d->closing;
    if (!closing) {
        w->next = d->queued;
        d->queued = w;
        MUST(pthread_cond_signal(&d->changed) == 0);
    }
    unlock(d);
    return closing ? error_set(err, ERR_BUSY, NULL, "the server is stopping") : ERR_NONE;
}

void doctor_desk_close(struct doctor_desk *d)
{
    struct error err;
    struct doctor_wait *served;
    struct doctor_wait *queued;

    if (!d)
        return;
    (void)error_set(&err, ERR_BUSY, NULL, "the server is stopping");
    lock(d);
    d->closing = true;
    served = d->served;
    queued = d->queued;
    d->served = d->queued = NULL;
    MUST(pthread_cond_signal(&d->changed) == 0);
    unlock(d);
    give_back(served, STR(""), &err);
    give_back(queued, STR(""), &err);
}

enum err doctor_desk_new(api_doctor_fn fn, void *arg, struct doctor_desk **ret, struct error *err)
{
    struct doctor_desk *d = alloc_new(struct doctor_desk);

    d->examine = fn;
    d->arg = arg;
    MUST(pthread_mutex_init(&d->lock, NULL) == 0);
    MUST(pthread_cond_init(&d->changed, NULL) == 0);
    if (pthread_create(&d->thread, NULL, work, d)) {
        MUST(pthread_cond_destroy(&d->changed) == 0);
        MUST(pthread_mutex_destroy(&d->lock) == 0);
        alloc_free(d);
        return error_set(err, ERR_IO, "server", "a thread cannot be started");
    }
    *ret = d;
    return ERR_NONE;
}

void doctor_desk_free(struct doctor_desk *d)
{
    if (!d)
        return;
    doctor_desk_close(d);
    MUST(pthread_join(d->thread, NULL) == 0);
    MUST(pthread_cond_destroy(&d->changed) == 0);
    MUST(pthread_mutex_destroy(&d->lock) == 0);
    alloc_free(d);
}

static void examined(struct request *r)
{
    const struct doctor_wait *w = r->work;

    if (w->err.code)
        answer_error(r, &w->err);
    else
        answer_json(r, 200);
}

void handle_doctor(struct request *r)
{
    if (!r->api->doctor) {
        answer_problem(r, PROBLEM_UNSUPPORTED, "this server has nobody who examines it");
        return;
    }
    request_set_work(r, alloc_new(struct doctor_wait), alloc_free);
    request_wait(r, doctor_desk_ask, examined);
}
