/*
 * listen.c: our own socket rather than libmicrohttpd's: what fails is told with its reason.
 */
#include "api/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum err listen_parse(struct str text, char ret_host[LISTEN_HOST_MAX], char ret_port[8], struct error *err)
{
    size_t colon = text.n;
    struct str host;
    struct str port;
    int64_t number;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return error_set(err, ERR_INVALID, "listen", "\"%.*s\" has no port: expected host:port", (int)text.n,
                         text.p);
    host = (struct str){text.p, colon - 1};
    port = (struct str){text.p + colon, text.n - colon};
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    else if (str_find(host, ':') < host.n)
        return error_set(err, ERR_INVALID, "listen", "an IPv6 address must stand in brackets: [%.*s]:port",
                         (int)host.n, host.p);
    if (host.n >= LISTEN_HOST_MAX)
        return error_set(err, ERR_INVALID, "listen", "the host is too long");
    if (!str_to_i64(port, &number) || number < 0 || number > 65535)
        return error_set(err, ERR_INVALID, "listen", "\"%.*s\" is no port: expected 0 to 65535", (int)port.n,
                         port.p);
    (void)snprintf(ret_host, LISTEN_HOST_MAX, "%.*s", (int)host.n, host.p);
    (void)snprintf(ret_port, 8, "%lld", (long long)number);
    return ERR_NONE;
}

static enum err bound_port(int fd, const char *text, unsigned *ret, struct error *err)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof(address);
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return error_errno(err, text, "cannot ask for the port");
    if (address.ss_family == AF_INET6) {
        memcpy(&v6, &address, sizeof(v6));
        *ret = ntohs(v6.sin6_port);
    } else {
        memcpy(&v4, &address, sizeof(v4));
        *ret = ntohs(v4.sin_port);
    }
    return ERR_NONE;
}

static enum err open_one(const struct addrinfo *a, const char *text, int *ret_fd, struct error *err)
{
    int yes = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

    if (fd < 0)
        return error_errno(err, text, "cannot make a socket");
    /* Without it a restart would have to wait for the last connections of the one before to be forgotten. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
        bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
        enum err e = error_errno(err, text, "cannot listen");

        if (errno == EADDRINUSE) {
            e = ERR_CONFLICT;
            if (err)
                err->code = e;
        }
        (void)close(fd);
        return e;
    }
    *ret_fd = fd;
    return ERR_NONE;
}

enum err listen_open(const char *text, int *ret_fd, unsigned *ret_port, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char host[LISTEN_HOST_MAX];
    char port[8];
    enum err e;
    int fd = -1;
    int failed;

    e = listen_parse(str_of(text), host, port, err);
    if (e)
        return e;
    failed = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &list);
    if (failed)
        return error_set(err, ERR_INVALID, "listen", "%s: %s", text, gai_strerror(failed));
    e = open_one(list, text, &fd, err);
    freeaddrinfo(list);
    if (e)
        return e;
    e = bound_port(fd, text, ret_port, err);
    if (e) {
        (void)close(fd);
        return e;
    }
    *ret_fd = fd;
    return ERR_NONE;
}
