/*
 * doctor.h: GET /admin/doctor: one examination at a time, on a thread of its own that sleeps while nobody
 * asks. Who asks while one is under way is given the next one's report, so that no answer is older than its
 * question.
 */
#ifndef API_DOCTOR_H
#define API_DOCTOR_H

#include "api/api.h"
#include "api/request.h"

struct doctor_desk;

CHECKED enum err doctor_desk_new(api_doctor_fn examine, void *arg, struct doctor_desk **ret,
                                 struct error *err);
/* Who waits is told that the server stops, at once; an examination under way is not waited for here. */
void doctor_desk_close(struct doctor_desk *d);
/* Nobody may wait any more. Waits for the examination under way. */
void doctor_desk_free(struct doctor_desk *d);
CLEANUP_FN(struct doctor_desk, doctor_desk_free)

/* As a request's launch: it comes back with the report. r->work is its struct doctor_wait. */
CHECKED enum err doctor_desk_ask(struct request *r, struct error *err);

struct doctor_wait {
    /* the desk's */
    struct doctor_wait *next;
    struct request *r;
    /* out: code ERR_NONE: the report is in answer_body() */
    struct error err;
};

#endif
