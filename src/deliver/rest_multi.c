/*
 * rest_multi.c: libcurl's multi socket interface on the reactor, and the deadlines of attempts.
 *
 * The whole attempt's time is measured here, not by CURLOPT_TIMEOUT_MS: in libcurl 7.88 a transfer that
 * waits for another's TLS handshake (CURLOPT_PIPEWAIT) does not time out at all.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "deliver/rest_internal.h"

static int to_curl_events(int events)
{
    return ((events & REACTOR_READ) != 0 ? CURL_CSELECT_IN : 0) |
           ((events & REACTOR_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
}

/*
 * A kept connection may break under a request for reasons that are its own: the server closed it while we
 * sent, or counted its streams (libcurl 7.88 resets streams that a server ends by an empty frame, and servers
 * built on nghttp2 close a connection with too many resets). libcurl repeats such a request itself when
 * receiving fails; where it does not, which is most of HTTP/2, we do. Either way once, on a fresh connection
 * (see on_send() in rest_request.c), within the attempt's time, and only while no answer had begun. The
 * target knows a second one by its Idempotency-Key.
 */
static bool goes_again(struct transfer *t, CURLcode code)
{
    /* PARTIAL_FILE: what 7.88 says when an HTTP/2 connection ends, even before the answer began. */
    static const CURLcode broken[] = {CURLE_HTTP2,      CURLE_HTTP2_STREAM, CURLE_RECV_ERROR,
                                      CURLE_SEND_ERROR, CURLE_GOT_NOTHING,  CURLE_PARTIAL_FILE};
    bool is_broken = false;
    long status = 0;
    long connects = 1;

    for (size_t i = 0; i < COUNT_OF(broken); i++)
        is_broken = is_broken || code == broken[i];
    if (!is_broken || t->sends != 1)
        return false;
    if (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 0)
        return false;
    if (curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK || connects != 0)
        return false;
    MUST(curl_multi_remove_handle(t->rest->multi, t->easy) == CURLM_OK);
    return curl_multi_add_handle(t->rest->multi, t->easy) == CURLM_OK;
}

/* What libcurl says has ended goes to rest.ended. */
static void collect(struct rest *r)
{
    struct list *node;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(r->multi, &left)) != NULL) {
        struct transfer *t = NULL;
        CURLcode code = msg->data.result;

        if (msg->msg != CURLMSG_DONE)
            continue;
        MUST(curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) == CURLE_OK && t);
        if (goes_again(t, code))
            continue;
        rest_result_ended(t, code);
        rest_multi_remove(t);
        rest_end(t);
    }
    while ((node = list_pop_front(&r->broken)) != NULL) {
        struct transfer *t = CONTAINER_OF(node, struct transfer, node);

        rest_multi_remove(t);
        rest_result_failed(t, ERR_MEMORY, "the connection's socket cannot be watched");
        rest_end(t);
    }
}

/*
 * libcurl has no way to fail one transfer from its socket callback: an error there stops the whole multi for
 * good. So the transfer is remembered and ended after libcurl has returned.
 */
static void mark_broken(struct rest *r, CURL *easy)
{
    struct transfer *t = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || !t ||
        t->state != TRANSFER_ON_WIRE)
        return;
    list_remove(&t->node);
    list_push_back(&r->broken, &t->node);
}

static void act(struct rest *r, curl_socket_t fd, int events)
{
    int running;

    /* Its errors tell of misuse or of a transfer that collect() will see; there is nothing to do about them
     * here. */
    (void)curl_multi_socket_action(r->multi, fd, events, &running);
    collect(r);
    rest_report(r);
}

static void on_io(void *arg, int fd, int events)
{
    act(arg, fd, to_curl_events(events));
}

static void on_curl_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct rest *r = arg;
    struct reactor_watch *w = socket_arg;
    int events = 0;

    if (what == CURL_POLL_REMOVE) {
        if (w)
            r->reactor->ops->unwatch(r->reactor, w);
        (void)curl_multi_assign(r->multi, fd, NULL);
        return 0;
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= REACTOR_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= REACTOR_WRITE;
    if (w) {
        if (r->reactor->ops->rewatch(r->reactor, w, events, NULL))
            mark_broken(r, easy);
        return 0;
    }
    if (r->reactor->ops->watch(r->reactor, fd, events, on_io, r, &w, NULL)) {
        mark_broken(r, easy);
        return 0;
    }
    (void)curl_multi_assign(r->multi, fd, w);
    return 0;
}

static int on_timeout_wanted(CURLM *multi, long after_ms, void *arg)
{
    struct rest *r = arg;

    (void)multi;
    if (after_ms < 0)
        r->reactor->ops->timer_disarm(r->reactor, r->curl_timer);
    else
        r->reactor->ops->timer_arm(r->reactor, r->curl_timer, (int64_t)after_ms * US_PER_MS);
    return 0;
}

/* Deadlines that went away leave the timer where it is: it finds nothing to do, once, and is set anew. */
static void arm_deadline(struct rest *r, struct mono now)
{
    const struct heap_node *first = heap_peek(&r->deadlines);

    if (!first) {
        r->reactor->ops->timer_disarm(r->reactor, r->deadline_timer);
        r->deadline_armed = false;
        return;
    }
    r->reactor->ops->timer_arm(r->reactor, r->deadline_timer, first->key > now.us ? first->key - now.us : 0);
    r->deadline_armed = true;
}

static void on_deadline_timer(void *arg)
{
    struct rest *r = arg;
    struct mono now = clock_mono();
    struct heap_node *node;

    r->deadline_armed = false;
    while ((node = heap_pop_due(&r->deadlines, now.us)) != NULL) {
        struct transfer *t = CONTAINER_OF(node, struct transfer, deadline);

        rest_result_timeout(t);
        rest_multi_remove(t);
        rest_end(t);
    }
    arm_deadline(r, now);
    rest_report(r);
}

enum err rest_multi_add(struct transfer *t, struct mono now, struct error *err)
{
    struct rest *r = t->rest;
    int64_t until = mono_add(now, t->delivery->schedule->task.timeout_us).us;
    enum err e = heap_push(&r->deadlines, &t->deadline, until, err);
    CURLMcode code;

    if (e)
        return e;
    code = curl_multi_add_handle(r->multi, t->easy);
    if (code != CURLM_OK) {
        heap_remove(&r->deadlines, &t->deadline);
        return error_set(err, code == CURLM_OUT_OF_MEMORY ? ERR_MEMORY : ERR_INTERNAL, "libcurl",
                         "cannot start: %s", curl_multi_strerror(code));
    }
    if (!r->deadline_armed || heap_peek(&r->deadlines) == &t->deadline)
        arm_deadline(r, now);
    return ERR_NONE;
}

void rest_multi_remove(struct transfer *t)
{
    struct rest *r = t->rest;

    /* It may be in rest.broken. */
    list_remove(&t->node);
    heap_remove(&r->deadlines, &t->deadline);
    if (r->deadlines.n == 0)
        arm_deadline(r, (struct mono){0});
    MUST(curl_multi_remove_handle(r->multi, t->easy) == CURLM_OK);
}

static bool set_options(struct rest *r)
{
    long max = r->options.connections_max > 1000000 ? 1000000 : (long)r->options.connections_max;
    bool ok = true;

    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK;
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_SOCKETDATA, r) == CURLM_OK;
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted) == CURLM_OK;
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_TIMERDATA, r) == CURLM_OK;
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) == CURLM_OK;
    /* Idle connections are kept up to this many. Those in use are bounded by rest_places.c. */
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_MAXCONNECTS, max) == CURLM_OK;
    ok = ok && curl_multi_setopt(r->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max) == CURLM_OK;
    return ok;
}

enum err rest_multi_open(struct rest *r, struct error *err)
{
    const struct reactor_ops *ops = r->reactor->ops;
    enum err e = ops->timer_new(r->reactor, on_curl_timer, r, &r->curl_timer, err);

    if (!e)
        e = ops->timer_new(r->reactor, on_deadline_timer, r, &r->deadline_timer, err);
    if (e)
        return e;
    r->multi = curl_multi_init();
    if (!r->multi || !set_options(r))
        return error_set(err, ERR_MEMORY, "libcurl", "cannot make a multi handle");
    return ERR_NONE;
}

void rest_multi_close(struct rest *r)
{
    const struct reactor_ops *ops = r->reactor->ops;

    /* First: closing its connections, libcurl may still ask for sockets and timers. */
    if (r->multi)
        MUST(curl_multi_cleanup(r->multi) == CURLM_OK);
    if (r->curl_timer)
        ops->timer_free(r->reactor, r->curl_timer);
    if (r->deadline_timer)
        ops->timer_free(r->reactor, r->deadline_timer);
}
