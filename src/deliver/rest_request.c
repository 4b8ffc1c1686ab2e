/*
 * rest_request.c: what an attempt sends: method, URL and body, and how libcurl is to behave.
 *
 * An easy handle is set up once; what differs from attempt to attempt is set each time, all of it.
 */
#include "base/str.h"
#include "deliver/rest_internal.h"
#include "model/event.h"

/* The history shows how an answer begins. */
static void keep_answer(struct transfer *t, struct str piece)
{
    size_t room = ATTEMPT_ANSWER_MAX - t->answer.n;

    buf_add(&t->answer, (struct str){piece.p, piece.n < room ? piece.n : room});
}

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    if (t->delivery->schedule->task.history_check && buf_ok(&t->answer))
        keep_answer(t, (struct str){data, size * n});
    t->answer_bytes += size * n;
    if (t->answer_bytes <= REST_ANSWER_MAX)
        return size * n;
    /* The status is known and nobody wants the rest. Ends the transfer; its connection is closed. */
    t->over_bound = true;
    return CURL_WRITEFUNC_ERROR;
}

/*
 * A request is about to be sent, the first time or because its connection broke under it. libcurl (7.88)
 * repeats a request up to five times, as long as it finds kept connections to lose; this is where that ends:
 * the second one goes over a connection of its own, and a third is not sent.
 */
static int on_send(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct transfer *t = arg;

    (void)to;
    (void)from;
    (void)to_port;
    (void)from_port;
    if (t->sends >= REST_SENDS_MAX)
        return CURL_PREREQFUNC_ABORT;
    t->sends++;
    return curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK ? CURL_PREREQFUNC_OK
                                                                            : CURL_PREREQFUNC_ABORT;
}

/* Options that stay for the handle's life. */
static bool set_constant_options(struct transfer *t)
{
    const struct rest *r = t->rest;
    CURL *h = t->easy;
    bool ok = true;

    ok = ok && curl_easy_setopt(h, CURLOPT_PRIVATE, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->curl_text) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_send) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_PREREQDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, rest_socket_open) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    /* Else a timeout while a name is being looked up waits, with the whole loop, for the resolver's thread.
     */
    ok = ok && curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_DNS_CACHE_TIMEOUT, 60L) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_USERAGENT, r->options.user_agent) == CURLE_OK;
    /* The smallest upload buffer libcurl takes: small bodies go out with the headers and never use it. */
    ok = ok && curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 8192L) == CURLE_OK;
    if (r->options.ca_file) {
        ok = ok && curl_easy_setopt(h, CURLOPT_CAINFO, r->options.ca_file) == CURLE_OK;
        ok = ok && curl_easy_setopt(h, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    return ok;
}

static enum err easy_new(struct transfer *t, struct error *err)
{
    t->easy = curl_easy_init();
    if (t->easy && set_constant_options(t))
        return ERR_NONE;
    if (t->easy)
        curl_easy_cleanup(t->easy);
    t->easy = NULL;
    return error_set(err, ERR_MEMORY, "libcurl", "cannot make a handle: out of memory");
}

/* The method, kept in t->text for as long as libcurl may read it. */
static bool set_method(struct transfer *t, const char *method, bool has_body)
{
    CURL *h = t->easy;
    struct str name = str_of(method);
    const char *custom = method;
    bool ok = true;

    if (str_eq(name, STR("POST")) || str_eq(name, STR("GET")) || str_eq(name, STR("HEAD")))
        custom = NULL; /* libcurl's own: what each of the three options below stands for */
    if (has_body) {
        ok = ok && curl_easy_setopt(h, CURLOPT_POST, 1L) == CURLE_OK;
        ok = ok && curl_easy_setopt(h, CURLOPT_POSTFIELDS, buf_cstr(&t->body)) == CURLE_OK;
        ok = ok && curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n) == CURLE_OK;
    } else if (str_eq(name, STR("HEAD"))) {
        ok = ok && curl_easy_setopt(h, CURLOPT_NOBODY, 1L) == CURLE_OK;
    } else {
        ok = ok && curl_easy_setopt(h, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    return ok && curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, custom) == CURLE_OK;
}

static bool set_options(struct transfer *t, const char *url, const char *method, bool has_body)
{
    const struct task *task = &t->delivery->schedule->task;
    /* A schedule from before the permission was taken away is verified again, not refused. */
    bool verify = !(task->tls_insecure && t->rest->options.tls_insecure_allowed);
    bool https = task->host.n >= 6 && str_eq_nocase((struct str){task->host.p, 6}, STR("https:"));
    CURL *h = t->easy;
    bool ok = true;

    ok = ok && curl_easy_setopt(h, CURLOPT_URL, url) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 0L) == CURLE_OK; /* see on_send() */
    ok = ok && curl_easy_setopt(h, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L) == CURLE_OK;
    /*
     * With TLS, wait for the first handshake to tell whether the host speaks HTTP/2, instead of opening a
     * connection each. Without it the answer would be known only with the first response, however slow that
     * is.
     */
    ok = ok && curl_easy_setopt(h, CURLOPT_PIPEWAIT, https ? 1L : 0L) == CURLE_OK;
    return ok && set_method(t, method, has_body);
}

enum err rest_request_build(struct transfer *t, struct error *err)
{
    const struct task *task = &t->delivery->schedule->task;
    bool has_body = !str_eq(task->method, STR("GET")) && !str_eq(task->method, STR("HEAD"));
    size_t method_at;
    enum err e;

    t->sends = 0;
    t->socket_errno = 0;
    t->had_socket = false;
    t->refusal[0] = '\0';
    t->over_bound = false;
    t->answer_bytes = 0;
    buf_clear(&t->answer);
    t->curl_text[0] = '\0';
    buf_clear(&t->text);
    buf_clear(&t->body);
    buf_add(&t->text, task->host);
    buf_add_char(&t->text, '\0');
    method_at = t->text.n;
    buf_add(&t->text, task->method);
    buf_add_char(&t->text, '\0');
    e = rest_socket_judge(t, err);
    if (!e && has_body)
        e = event_body(t->delivery->schedule, &t->delivery->run, &t->body, err);
    if (!e && !t->easy)
        e = easy_new(t, err);
    if (!e)
        e = rest_headers_build(t, has_body, err);
    if (e)
        return e;
    if (!set_options(t, t->text.p, t->text.p + method_at, has_body))
        return error_set(err, ERR_MEMORY, "libcurl", "cannot set up a request: out of memory");
    return ERR_NONE;
}
