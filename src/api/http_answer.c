/*
 * http_answer.c: from an answer to libmicrohttpd's response. Bodies pass on without being copied.
 *
 * Large ones are counted as long as libmicrohttpd has them, and their clients have so long to take them:
 * clients that ask for much and do not read would else take all the memory there is.
 */
#include <microhttpd.h>

#include "api/api_internal.h"
#include "api/http.h"
#include "api/http_stream.h"
#include "api/metrics.h"
#include "api/patience.h"
#include "base/alloc.h"
#include "base/clock.h"

struct prepared {
    struct prepared_options options;
    struct MHD_Response *response;
};

static bool add(struct MHD_Response *response, const char *name, const char *text)
{
    return MHD_add_response_header(response, name, text) == MHD_YES;
}

static struct MHD_Response *prepare(const struct prepared_options *o, bool last)
{
    /* PERSISTENT promises that the library only reads it, so casting const away is sound. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(o->text.n, (void *)(uintptr_t)o->text.p, MHD_RESPMEM_PERSISTENT);

    if (!response)
        return NULL;
    if (add(response, "Content-Type", o->content_type) &&
        add(response, "X-Content-Type-Options", "nosniff") && add(response, "Cache-Control", "no-cache") &&
        (!o->csp || add(response, "Content-Security-Policy", o->csp)) &&
        (!o->encoding || add(response, "Content-Encoding", o->encoding)) &&
        (!last || add(response, "Connection", "close")))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

enum err prepared_new(const struct prepared_options *o, struct prepared **ret, struct error *err)
{
    CLEANUP(prepared_free_p) struct prepared *p = alloc_new(struct prepared);

    p->options = *o;
    p->response = prepare(o, false);
    if (!p->response)
        return error_set(err, ERR_MEMORY, NULL, "out of memory for a prepared answer");
    *ret = TAKE(p);
    return ERR_NONE;
}

void prepared_free(struct prepared *p)
{
    if (!p)
        return;
    if (p->response)
        MHD_destroy_response(p->response);
    alloc_free(p);
}

/* Answers up to this size are not counted, nor is it watched how they are taken. */
enum { ANSWER_SMALL = 64 * 1024 };

/* A large answer on its way. */
struct large {
    struct api *api;
    char *body;
    size_t n;
};

static void free_large(void *p)
{
    struct large *l = p;

    atomic_fetch_sub(&l->api->answers, l->n);
    alloc_free(l->body);
    alloc_free(l);
}

/*
 * Takes what a large answer needs from the server's room; 0: it is not large. What finds no room becomes a
 * 503, unless it tells of something that was changed.
 */
static size_t take_room(struct request *r)
{
    struct api *api = r->api;
    size_t n = r->answer.body.n;

    if (n <= ANSWER_SMALL)
        return 0;
    if (atomic_fetch_add(&api->answers, n) + n <= api->options.answers_max || !r->answer.only_read)
        return n;
    atomic_fetch_sub(&api->answers, n);
    answer_clear(r);
    answer_problem(r, PROBLEM_BUSY, "too many large answers are on their way; ask for a smaller page");
    return 0;
}

static int64_t taking_us(const struct api *api, size_t n)
{
    return (int64_t)n * US_PER_S / api->options.read_rate;
}

/* NULL without memory. The body, and its part of the room, pass to what is returned. */
static struct large *large_new(struct api *api, char *body, size_t n)
{
    struct large *l;
    void *memory;

    if (alloc_array(1, sizeof(*l), &memory, NULL))
        return NULL;
    l = memory;
    *l = (struct large){api, body, n};
    return l;
}

static struct MHD_Response *large_response(struct request *r)
{
    size_t n = r->answer.body.n;
    char *body = NULL;
    struct large *l = NULL;
    struct MHD_Response *response = NULL;

    if (!buf_take(&r->answer.body, &body, NULL, NULL))
        l = large_new(r->api, body, n);
    if (!l) {
        atomic_fetch_sub(&r->api->answers, n);
        alloc_free(body);
        return NULL;
    }
    response = MHD_create_response_from_buffer_with_free_callback_cls(n, body, free_large, l);
    if (!response)
        free_large(l);
    return response;
}

/* The body's memory passes to the response. */
static struct MHD_Response *body_response(struct answer *a)
{
    CLEANUP(alloc_free_p) char *body = NULL;
    struct MHD_Response *response;
    size_t n = 0;

    if (a->body.n == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (buf_take(&a->body, &body, &n, NULL))
        return NULL;
    response = MHD_create_response_from_buffer_with_free_callback(n, body, alloc_free);
    if (response)
        body = NULL;
    return response;
}

static bool add_headers(struct MHD_Response *response, struct answer *a, bool last)
{
    bool ok = true;

    if (a->content_type)
        ok = add(response, "Content-Type", a->content_type) &&
             add(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < a->headers_n; i++)
        ok = ok && add(response, a->headers[i].name, a->headers[i].text);
    if (a->link.n > 0 && buf_ok(&a->link))
        ok = ok && add(response, "Link", buf_cstr(&a->link));
    if (last)
        ok = ok && add(response, "Connection", "close");
    return ok;
}

static struct MHD_Response *stream_response(struct answer *a, struct MHD_Connection *c)
{
    struct MHD_Response *response = http_stream_response(a->stream, c);

    if (response)
        a->stream = NULL;
    return response;
}

/* An answer of its own; NULL without memory. `large`: it was counted. */
static struct MHD_Response *make_response(struct request *r, bool large, bool last)
{
    struct answer *a = &r->answer;
    struct MHD_Response *response;

    if (a->stream)
        response = stream_response(a, r->connection);
    else
        response = large ? large_response(r) : body_response(a);
    if (!response || add_headers(response, a, last))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

bool http_send(struct request *r, bool last)
{
    struct answer *a = &r->answer;
    struct MHD_Response *own = NULL;
    size_t n = take_room(r);
    bool ok;

    /* Nothing follows a stream: of one that is asked for by HEAD, libmicrohttpd (0.9.75) sends the last
     * chunk. */
    last = last || a->close || a->stream;
    if (!a->prepared)
        own = make_response(r, n > 0, last);
    else if (last)
        own = prepare(&a->prepared->options, true);
    if (a->prepared && !last)
        ok = MHD_queue_response(r->connection, a->status, a->prepared->response) == MHD_YES;
    else
        ok = own && MHD_queue_response(r->connection, a->status, own) == MHD_YES;
    if (own)
        MHD_destroy_response(own);
    if (n > 0 && http_owing(r->connection))
        owing_taking(http_owing(r->connection), taking_us(r->api, n));
    metrics_count(r->api->metrics, r->route, a->status, clock_mono().us - r->started.us);
    return ok;
}
