/*
 * rest_socket.c: sockets for libcurl: made here, so that the guard sees every address that is connected to
 * and a failure says why. A kept connection was judged when it was made; the guard never changes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "deliver/rest_internal.h"

/* The URL's host as libcurl will look it up, in t->host_name; without brackets. */
static enum err know_host(struct transfer *t, struct error *err)
{
    CURLU *u = curl_url();
    char *host = NULL;
    CURLUcode code =
        u ? curl_url_set(u, CURLUPART_URL, t->text.p, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)
          : CURLUE_OUT_OF_MEMORY;
    enum err e = ERR_NONE;

    if (!code)
        code = curl_url_get(u, CURLUPART_HOST, &host, 0);
    if (!code) {
        struct str name = str_of(host);

        if (name.n >= 2 && name.p[0] == '[')
            name = (struct str){name.p + 1, name.n - 2};
        if (name.n < sizeof(t->host_name)) {
            memcpy(t->host_name, name.p, name.n);
            t->host_name[name.n] = '\0';
        } else {
            code = CURLUE_BAD_HOSTNAME;
        }
    }
    curl_free(host);
    curl_url_cleanup(u);
    if (code == CURLUE_OUT_OF_MEMORY)
        e = error_set(err, ERR_MEMORY, "libcurl", "out of memory");
    else if (code)
        e = error_set(err, ERR_INVALID, "libcurl", "the URL cannot be used");
    return e;
}

enum err rest_socket_judge(struct transfer *t, struct error *err)
{
    const struct guard *g = t->rest->options.guard;
    enum err e;

    t->host_name[0] = '\0';
    if (!guard_knows_names(g))
        return ERR_NONE;
    e = buf_check(&t->text, "libcurl", err);
    if (!e)
        e = know_host(t, err);
    return e ? e : guard_judge_host(g, str_of(t->host_name), err);
}

curl_socket_t rest_socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = arg;
    struct error err;
    int fd;

    (void)purpose;
    if (guard_judge(t->rest->options.guard, str_of(t->host_name), &to->addr, &err)) {
        (void)snprintf(t->refusal, sizeof(t->refusal), "%s", err.text);
        return CURL_SOCKET_BAD;
    }
    fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd < 0) {
        /* libcurl's own way does not tell why there is none. */
        t->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }
    t->had_socket = true;
    return fd;
}
