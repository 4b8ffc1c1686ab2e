/*
 * client.c: libcurl's easy interface. The only file of this room that includes it.
 */
#include "cli/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    TIMEOUT_S = 120,
    ANSWER_MAX_BYTES = 128 * 1024 * 1024,
    URL_MAX_BYTES = 64 * 1024
};

struct client {
    CURL *curl;
    struct curl_slist *headers;
    char *url; /* without a slash at its end */
    char failure[CURL_ERROR_SIZE];
};

void client_free(struct client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    curl_slist_free_all(c->headers);
    alloc_free(c->url);
    alloc_free(c);
}

static enum err add_header(struct client *c, const char *line, struct error *err)
{
    struct curl_slist *longer = curl_slist_append(c->headers, line);

    if (!longer)
        return error_set(err, ERR_MEMORY, NULL, "no memory for a request");
    c->headers = longer;
    return ERR_NONE;
}

/* Options of one value each; CURLE_OK when all were taken. */
static CURLcode set_up(struct client *c, const char *agent)
{
    CURLcode e = curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, c->failure);

    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_USERAGENT, agent);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_ACCEPT_ENCODING, "");
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    return e;
}

/* A server on this very machine is not asked for through a proxy, whatever the environment says. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    struct str h = str_of(host ? host + 3 : url);

    return str_starts(h, STR("127.")) || str_starts(h, STR("localhost")) || str_starts(h, STR("[::1]"));
}

static enum err from_curl(const struct client *c, CURLcode e, struct error *err)
{
    enum err code = e == CURLE_OUT_OF_MEMORY        ? ERR_MEMORY
                    : e == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT
                                                    : ERR_UNAVAILABLE;

    return error_set(err, code, c->url, "%s", c->failure[0] ? c->failure : curl_easy_strerror(e));
}

static enum err keep_url(struct client *c, const char *url, struct error *err)
{
    struct str s;

    if (!url)
        url = getenv("CARILLON_URL"); /* NOLINT(concurrency-mt-unsafe): one thread */
    if (!url || url[0] == '\0')
        url = "http://127.0.0.1:9902";
    s = str_of(url);
    if (!str_starts(s, STR("http://")) && !str_starts(s, STR("https://")))
        return error_set(err, ERR_INVALID, url, "a server's address begins with http:// or https://");
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    return alloc_str(s, &c->url, err);
}

enum err client_new(const char *url, const char *version, struct client **ret, struct error *err)
{
    CLEANUP(client_free_p) struct client *c = alloc_new(struct client);
    CLEANUP(buf_done_p) struct buf agent = {0};
    enum err e = keep_url(c, url, err);
    CURLcode curl;

    if (e)
        return e;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(c->curl = curl_easy_init()))
        return error_set(err, ERR_MEMORY, NULL, "libcurl cannot start");
    /* No Expect: the server answers 413 from the length alone. */
    e = add_header(c, "Content-Type: application/json", err);
    if (!e)
        e = add_header(c, "Expect:", err);
    if (e)
        return e;
    buf_init(&agent, 128);
    buf_addf(&agent, "carillon/%s", version);
    curl = set_up(c, buf_cstr(&agent));
    if (!curl && is_loopback(c->url))
        curl = curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    if (curl)
        return from_curl(c, curl, err);
    *ret = TAKE(c);
    return ERR_NONE;
}

void client_answer_init(struct answer *a)
{
    a->status = 0;
    buf_init(&a->body, ANSWER_MAX_BYTES);
    buf_init(&a->next, URL_MAX_BYTES);
}

void client_answer_done(struct answer *a)
{
    buf_done(&a->body);
    buf_done(&a->next);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;

    buf_add(&a->body, (struct str){p, size * n});
    return buf_ok(&a->body) ? size * n : 0; /* anything but all of it ends the transfer */
}

/* RFC 8288 as far as our server writes it: Link: </path>; rel="next" */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;
    struct str line = str_trim((struct str){p, size * n});
    struct str name;
    struct str target;

    if (!str_cut(&line, ':', &name) || !str_eq_nocase(name, STR("link")) || !line.p)
        return size * n;
    if (!memmem(line.p, line.n, "rel=\"next\"", 10) || !str_cut(&line, '<', &target) ||
        !str_cut(&line, '>', &target))
        return size * n;
    buf_clear(&a->next);
    if (str_starts(target, STR("/")))
        buf_add(&a->next, target);
    return size * n;
}

static CURLcode set_call(struct client *c, const char *method, const char *url, struct str body,
                         struct answer *a)
{
    bool bare_post = !body.p && strcmp(method, "POST") == 0;
    CURLcode e = curl_easy_setopt(c->curl, CURLOPT_URL, url);

    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
    if (!e && (body.p || bare_post))
        e = curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    if (!e && (body.p || bare_post))
        e = curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body.p ? body.p : "");
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, a);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
    if (!e)
        e = curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, a);
    return e;
}

enum err client_call(struct client *c, const char *method, const char *path, struct str body,
                     struct answer *ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf url = {0};
    CURLcode e;
    long status = 0;

    buf_init(&url, URL_MAX_BYTES);
    buf_addf(&url, "%s%s", c->url, path);
    if (!buf_ok(&url))
        return error_set(err, ERR_TOO_LARGE, c->url, "the request's address is too long");
    c->failure[0] = '\0';
    buf_clear(&ret->body);
    buf_clear(&ret->next);
    e = set_call(c, method, buf_cstr(&url), body, ret);
    if (!e)
        e = curl_easy_perform(c->curl);
    if (!buf_ok(&ret->body))
        return error_set(err, ERR_TOO_LARGE, c->url, "the answer is larger than %d bytes", ANSWER_MAX_BYTES);
    if (!e)
        e = curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (e)
        return from_curl(c, e, err);
    ret->status = (int)status;
    return ERR_NONE;
}

void client_add_escaped(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            memchr("-._~", c, 4))
            buf_add_char(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}
