/*
 * rest_result.c: from what libcurl says to an attempt's result: a status, and a sentence for people.
 *
 * Sentences name the host and the port, never the URL (its userinfo and query may be secret) and no header.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "deliver/outcome.h"
#include "deliver/rest_internal.h"

/* A wait beyond a year means as much as a year. */
enum { HOST_TEXT_MAX = 100, RETRY_AFTER_MAX_S = 366 * 24 * 3600 };

/* How a failure of libcurl is told: before, host:port, after. `own`: then libcurl's text, which names no
 * secret here. */
struct failure {
    CURLcode code;
    const char *before;
    const char *after; /* NULL: the host is not named */
    bool own;
};

static const struct failure failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "cannot resolve the name of ", "", false},
    {CURLE_GOT_NOTHING, "", " closed the connection without an answer", false},
    {CURLE_ABORTED_BY_CALLBACK, "", " refused the request's stream twice", false}, /* see on_send() */
    {CURLE_PARTIAL_FILE, "the answer of ", " was cut off", false},
    {CURLE_SEND_ERROR, "the connection to ", " broke", true},
    {CURLE_RECV_ERROR, "the connection to ", " broke", true},
    {CURLE_URL_MALFORMAT, "the URL cannot be used", NULL, false},
    {CURLE_UNSUPPORTED_PROTOCOL, "", " did not answer in HTTP", false},
    {CURLE_WEIRD_SERVER_REPLY, "", " did not answer in HTTP", false},
    {CURLE_HTTP2, "the HTTP/2 connection to ", " broke", true},
    {CURLE_HTTP2_STREAM, "the HTTP/2 connection to ", " broke", true},
    {CURLE_OUT_OF_MEMORY, "out of memory", NULL, false},
    {CURLE_SSL_CONNECT_ERROR, "TLS with ", " failed", true},
    {CURLE_SSL_CERTPROBLEM, "TLS with ", " failed", true},
    {CURLE_SSL_CIPHER, "TLS with ", " failed", true},
    {CURLE_PEER_FAILED_VERIFICATION, "TLS: the certificate of ", " is not trusted", true},
    {CURLE_SSL_ISSUER_ERROR, "TLS: the certificate of ", " is not trusted", true},
    {CURLE_SSL_INVALIDCERTSTATUS, "TLS: the certificate of ", " is not trusted", true},
    {CURLE_SSL_CACERT_BADFILE, "TLS: the file of trusted certificates cannot be read", NULL, false},
};

static struct attempt_result *result_of(struct transfer *t)
{
    return &t->delivery->result;
}

void rest_result_clear(struct transfer *t)
{
    t->how = ADMISSION_UNKNOWN;
    outcome_clear(t->delivery);
}

void rest_result_error(struct transfer *t, const char *text)
{
    outcome_error(t->delivery, text);
}

void rest_result_failed(struct transfer *t, enum err code, const char *text)
{
    if (code == ERR_MEMORY && t->sends == 0)
        outcome_not_sent(t->delivery, text);
    else
        rest_result_error(t, text);
}

/* "host:port" of the request, or "the host". Only for failures: parsing costs. */
static void host_text(const struct transfer *t, char ret[HOST_TEXT_MAX])
{
    CURLU *u = curl_url();
    char *host = NULL;
    char *port = NULL;

    (void)snprintf(ret, HOST_TEXT_MAX, "the host");
    if (u && curl_url_set(u, CURLUPART_URL, t->text.p, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        (void)snprintf(ret, HOST_TEXT_MAX, "%.90s:%.5s", host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

static int64_t info_us(const struct transfer *t, CURLINFO what)
{
    curl_off_t us = 0;

    if (curl_easy_getinfo(t->easy, what, &us) != CURLE_OK)
        return 0;
    return us;
}

static int status_of(const struct transfer *t)
{
    long status = 0;

    if (curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return 0;
    return (int)status;
}

/*
 * RFC 9110, 10.2.3: seconds or a date. libcurl's own reading (CURLINFO_RETRY_AFTER) takes eight digits for a
 * date and overflow for none.
 */
static int64_t retry_after_us(const struct transfer *t)
{
    struct curl_header *header;
    struct str text;
    int64_t s = 0;
    size_t digits = 0;

    if (curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    text = str_trim(str_of(header->value));
    for (; digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9'; digits++) {
        if (s < RETRY_AFTER_MAX_S)
            s = s * 10 + (text.p[digits] - '0');
    }
    if (text.n == 0)
        return -1;
    if (digits < text.n) {
        time_t at = curl_getdate(header->value, NULL);
        int64_t now_s = clock_wall().us / US_PER_S;

        if (text.p[0] == '-' || at == -1)
            return -1;
        s = (int64_t)at > now_s ? (int64_t)at - now_s : 0;
    }
    return (s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S) * US_PER_S;
}

static void judge_status(struct transfer *t)
{
    struct attempt_result *r = result_of(t);
    char text[64];

    t->how = ADMISSION_ANSWERED;
    r->ok = r->status >= 200 && r->status <= 299;
    if (r->ok)
        return;
    if (r->status == 429 || r->status == 503)
        r->retry_after_us = retry_after_us(t);
    (void)snprintf(text, sizeof(text), "HTTP %d%s", r->status,
                   r->status >= 300 && r->status <= 399 ? " (redirects are not followed)" : "");
    rest_result_error(t, text);
}

static void tell_cannot_connect(struct transfer *t, const char *host)
{
    char text[ATTEMPT_TEXT_MAX];
    char why[96];
    long number = 0;

    if (t->refusal[0] != '\0' && !t->had_socket) {
        rest_result_error(t, t->refusal);
        return;
    }
    if (curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number) != CURLE_OK || number <= 0)
        (void)snprintf(text, sizeof(text), "cannot connect to %s", host);
    else
        (void)snprintf(text, sizeof(text), "cannot connect to %s: %s", host,
                       strerror_r((int)number, why, sizeof(why)));
    rest_result_error(t, text);
}

static const struct failure *failure_of(CURLcode code)
{
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].code == code)
            return &failures[i];
    }
    return NULL;
}

/*
 * A connection that ended before an answer began is one thing, which libcurl has many names for: by whether
 * the end came as FIN or RST, while it sent or waited, over which version of HTTP.
 */
static CURLcode name_once(const struct transfer *t, CURLcode code)
{
    static const CURLcode names[] = {CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_HTTP2};

    for (size_t i = 0; i < COUNT_OF(names) && t->delivery->result.status == 0; i++) {
        if (code == names[i])
            return CURLE_GOT_NOTHING;
    }
    return code;
}

/* What a failure says of the target's health. */
static enum admission_end health(const struct transfer *t, CURLcode code)
{
    bool refused = t->refusal[0] != '\0' && !t->had_socket;

    if (t->delivery->result.status != 0 || code == CURLE_UNSUPPORTED_PROTOCOL ||
        code == CURLE_WEIRD_SERVER_REPLY)
        return ADMISSION_ANSWERED;
    if (refused || code == CURLE_URL_MALFORMAT || code == CURLE_OUT_OF_MEMORY ||
        code == CURLE_SSL_CACERT_BADFILE)
        return ADMISSION_UNKNOWN;
    return ADMISSION_SILENT;
}

static void tell_failure(struct transfer *t, CURLcode code)
{
    const struct failure *f = failure_of(name_once(t, code));
    char host[HOST_TEXT_MAX];
    char text[2 * ATTEMPT_TEXT_MAX];
    /* Of HTTP/2 there may be more to say: it can break without being closed. */
    bool own = f && (f->own || code == CURLE_HTTP2) && t->curl_text[0];

    host_text(t, host);
    if (code == CURLE_COULDNT_CONNECT) {
        tell_cannot_connect(t, host);
        return;
    }
    if (f)
        (void)snprintf(text, sizeof(text), "%s%s%s%s%s", f->before, f->after ? host : "",
                       f->after ? f->after : "", own ? ": " : "", own ? t->curl_text : "");
    else
        (void)snprintf(text, sizeof(text), "the request to %s failed: %s", host, curl_easy_strerror(code));
    rest_result_error(t, text);
}

/* Whether it failed for want of something of ours. libcurl says so of memory only. */
static bool is_want(const struct transfer *t, CURLcode code)
{
    static const CURLcode perhaps[] = {CURLE_COULDNT_RESOLVE_HOST, CURLE_FAILED_INIT,
                                       CURLE_SSL_CACERT_BADFILE};

    if (code == CURLE_OUT_OF_MEMORY)
        return true;
    if (code == CURLE_COULDNT_CONNECT)
        return outcome_is_want(t->socket_errno);
    for (size_t i = 0; i < COUNT_OF(perhaps); i++) {
        if (code == perhaps[i])
            return outcome_lacks_descriptors();
    }
    return false;
}

static void tell_want(struct transfer *t, CURLcode code)
{
    char text[128];
    char why[96];

    (void)snprintf(text, sizeof(text), "cannot make a connection: %s",
                   code == CURLE_OUT_OF_MEMORY
                       ? "out of memory"
                       : strerror_r(t->socket_errno != 0 ? t->socket_errno : EMFILE, why, sizeof(why)));
    outcome_not_sent(t->delivery, text);
}

/* Without memory for it the history goes without. */
static void take_answer(struct transfer *t)
{
    struct attempt_result *r = result_of(t);

    if (t->answer.n > 0 && buf_ok(&t->answer) &&
        attempt_answer_new(buf_str(&t->answer), t->answer_bytes > t->answer.n, &r->answer, NULL))
        r->answer = NULL;
}

void rest_result_ended(struct transfer *t, CURLcode code)
{
    struct attempt_result *r = result_of(t);

    r->status = status_of(t);
    r->took_us = info_us(t, CURLINFO_TOTAL_TIME_T);
    take_answer(t);
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && t->over_bound)) {
        judge_status(t);
    } else if (t->sends == 0 && is_want(t, code)) {
        tell_want(t, code);
    } else {
        t->how = health(t, code);
        tell_failure(t, code);
    }
}

/* How far it had come when its time was over. */
static const char *what_was_missing(const struct transfer *t)
{
    bool https = str_eq_nocase((struct str){t->text.p, 6}, STR("https:"));

    /* On a kept connection the earlier marks stay 0, so the last one is asked first. */
    if (info_us(t, CURLINFO_PRETRANSFER_TIME_T) != 0)
        return status_of(t) != 0 ? "no end of the answer from" : "no answer from";
    if (info_us(t, CURLINFO_NAMELOOKUP_TIME_T) == 0)
        return "no address for";
    return https ? "no TLS connection to" : "no connection to";
}

void rest_result_timeout(struct transfer *t)
{
    struct attempt_result *r = result_of(t);
    int64_t timeout_us = t->delivery->schedule->task.timeout_us;
    char host[HOST_TEXT_MAX];
    char text[2 * ATTEMPT_TEXT_MAX];

    host_text(t, host);
    r->status = status_of(t);
    take_answer(t);
    t->how = r->status != 0 ? ADMISSION_ANSWERED : ADMISSION_SILENT;
    r->took_us = timeout_us;
    (void)snprintf(text, sizeof(text), "timeout after %g s: %s %s", (double)timeout_us / (double)US_PER_S,
                   what_was_missing(t), host);
    rest_result_error(t, text);
}
