/*
 * probe.h: readiness: the writer lane's database answers, within a bound of time.
 *
 * One question to the lane serves all who ask meanwhile, and no answer of it is waited for longer than the
 * bound, though the lane may have it for longer. The thread that keeps the bound sleeps while nobody asks.
 */
#ifndef API_PROBE_H
#define API_PROBE_H

#include "api/request.h"

struct probe;

enum { PROBE_BOUND_MS = 2000 };

CHECKED enum err probe_new(struct lane *lane, struct probe **ret, struct error *err);
/* Waits for the lane to answer what it was asked. Nobody may wait for the probe any more. */
void probe_free(struct probe *p);
CLEANUP_FN(struct probe, probe_free)

/* As a request's launch: it comes back when the outcome is known. r->work is its struct probe_wait. */
CHECKED enum err probe_ask(struct request *r, struct error *err);

struct probe_wait {
    /* the probe's */
    struct probe_wait *next;
    struct request *r;
    struct mono until;
    /* out */
    struct error err; /* code ERR_NONE: ready */
};

#endif
