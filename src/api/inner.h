/*
 * inner.h: a call of the API made from within: by a GraphQL field. The route's own handler judges it, carries
 * it out and answers it, as it would for a client; only where the answer goes is another matter.
 *
 *     r = inner_new(api, back, arg);
 *     inner_begin(r, &call);
 *     if (inner_go_on(r))
 *         ... r->answer ...
 *     else
 *         ... when back(arg) was called: inner_go_on(r) again ...
 *
 * A request belongs to one thread at a time: between inner_go_on()'s false and back() to nobody here.
 */
#ifndef API_INNER_H
#define API_INNER_H

#include "api/request.h"
#include "base/json.h"

enum { INNER_PARAMS_MAX = 16 };

/* Texts must live as long as the request. */
struct inner_call {
    const char *route; /* its id in the route table; or NULL, and */
    request_fn handle; /* what answers a call that no client can make */
    struct str id;     /* what stands for {id} in the path */
    struct query_param params[INNER_PARAMS_MAX];
    size_t params_n;
    const json_t *body; /* NULL: none */
    struct str if_match;
    struct str idempotency_key; /* p NULL: none */
};

/* `back` is called once for each false of inner_go_on(), by any thread, maybe before that returns. */
struct request *inner_new(struct api *api, void (*back)(void *arg), void *arg);
/* The first step is the route's; or the request is answered, when what it is given can't be a call of it. */
void inner_begin(struct request *r, const struct inner_call *call);
/* Goes on until there is an answer (true), or the request is away. */
CHECKED bool inner_go_on(struct request *r);

/* What JSON takes in memory for each byte of its text, about. */
enum { INNER_JSON_WEIGHT = 5 };

/*
 * Takes the answer's body. *ret is JSON; where the answer is a problem (its status says so), the problem.
 * ERR_MEMORY.
 */
CHECKED enum err inner_take(struct request *r, json_t **ret, struct error *err);

#endif
