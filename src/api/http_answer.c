/*
 * http_answer.c: from an answer to libmicrohttpd's response. Bodies pass on without being copied.
 */
#include <microhttpd.h>

#include "api/api_internal.h"
#include "api/http.h"
#include "api/http_stream.h"
#include "api/metrics.h"
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

/* An answer of its own; NULL without memory. */
static struct MHD_Response *make_response(struct answer *a, struct MHD_Connection *c, bool last)
{
    struct MHD_Response *response = a->stream ? stream_response(a, c) : body_response(a);

    if (!response || add_headers(response, a, last))
        return response;
    MHD_destroy_response(response);
    return NULL;
}

bool http_send(struct request *r, bool last)
{
    struct answer *a = &r->answer;
    struct MHD_Response *own = NULL;
    bool ok;

    /* Nothing follows a stream: of one that is asked for by HEAD, libmicrohttpd (0.9.75) sends the last
     * chunk. */
    last = last || a->close || a->stream;
    if (!a->prepared)
        own = make_response(a, r->connection, last);
    else if (last)
        own = prepare(&a->prepared->options, true);
    if (a->prepared && !last)
        ok = MHD_queue_response(r->connection, a->status, a->prepared->response) == MHD_YES;
    else
        ok = own && MHD_queue_response(r->connection, a->status, own) == MHD_YES;
    if (own)
        MHD_destroy_response(own);
    metrics_count(r->api->metrics, r->route, a->status, clock_mono().us - r->started.us);
    return ok;
}
