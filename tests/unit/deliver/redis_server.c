/*
 * redis_server.c: see redis_server.h.
 */
#include "redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

extern char **environ;

#define START_US (20 * US_PER_S)

static int bound_socket(int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

/* --- the real one --- */

struct redis_server {
    pid_t pid;
    int port;
    int fd; /* asks; -1: none */
    char password[64];
    char folder[64];
    char reply[256 * 1024];
};

static int connect_to(int port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    MUST(close(fd) == 0);
    return -1;
}

static bool spawn(struct redis_server *s)
{
    char port[16];
    const char *arguments[] = {
        "redis-server", "--port",     port,      "--bind",       "127.0.0.1", "--save", "",   "--dir",
        s->folder,      "--loglevel", "warning", "--appendonly", "no",        NULL,     NULL, NULL};
    posix_spawn_file_actions_t files;
    int status;

    (void)snprintf(port, sizeof(port), "%d", s->port);
    if (s->password[0] != '\0') {
        arguments[13] = "--requirepass";
        arguments[14] = s->password;
    }
    MUST(posix_spawn_file_actions_init(&files) == 0);
    MUST(posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0) == 0);
    status = posix_spawnp(&s->pid, arguments[0], &files, NULL, (char **)(uintptr_t)arguments, environ);
    MUST(posix_spawn_file_actions_destroy(&files) == 0);
    return status == 0;
}

/* Until it accepts: it says nothing that could be awaited. */
static bool await_it(struct redis_server *s)
{
    int64_t until_us = clock_mono().us + START_US;

    while (s->fd < 0 && clock_mono().us < until_us) {
        int status;

        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            return false;
        }
        s->fd = connect_to(s->port);
        if (s->fd < 0)
            (void)poll(NULL, 0, 5);
    }
    return s->fd >= 0;
}

struct redis_server *redis_server_start(const char *password)
{
    struct redis_server *s = alloc_new(struct redis_server);

    s->fd = -1;
    if (password)
        (void)snprintf(s->password, sizeof(s->password), "%s", password);
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/carillon-test-redis-XXXXXX");
    MUST(mkdtemp(s->folder));
    /* Between choosing a port and its use another process may take it. */
    for (int i = 0; i < 5; i++) {
        int fd = bound_socket(&s->port);

        MUST(close(fd) == 0);
        if (!spawn(s))
            break;
        if (await_it(s)) {
            if (password) {
                char auth[80];

                (void)snprintf(auth, sizeof(auth), "AUTH %s", password);
                MUST(strcmp(redis_server_ask(s, auth), "+OK\r\n") == 0);
            }
            return s;
        }
    }
    MUST(rmdir(s->folder) == 0);
    alloc_free(s);
    return NULL;
}

void redis_server_kill(struct redis_server *s)
{
    int status;

    if (s->fd >= 0)
        MUST(close(s->fd) == 0);
    s->fd = -1;
    if (s->pid > 0) {
        MUST(kill(s->pid, SIGKILL) == 0);
        MUST(waitpid(s->pid, &status, 0) == s->pid);
    }
    s->pid = 0;
}

void redis_server_restart(struct redis_server *s)
{
    redis_server_kill(s);
    MUST(spawn(s) && await_it(s));
}

void redis_server_stop(struct redis_server *s)
{
    redis_server_kill(s);
    MUST(rmdir(s->folder) == 0);
    alloc_free(s);
}

int redis_server_port(const struct redis_server *s)
{
    return s->port;
}

const char *redis_server_ask(struct redis_server *s, const char *command)
{
    static const char mark[] = "\r\nECHO the-end\r\n";
    static const char end[] = "$7\r\nthe-end\r\n";
    size_t n = 0;

    MUST(write(s->fd, command, strlen(command)) == (ssize_t)strlen(command));
    MUST(write(s->fd, mark, sizeof(mark) - 1) == (ssize_t)sizeof(mark) - 1);
    do {
        ssize_t got = read(s->fd, s->reply + n, sizeof(s->reply) - 1 - n);

        MUST(got > 0);
        n += (size_t)got;
        s->reply[n] = '\0';
    } while (n < sizeof(end) - 1 || memcmp(s->reply + n - (sizeof(end) - 1), end, sizeof(end) - 1) != 0);
    s->reply[n - (sizeof(end) - 1)] = '\0';
    return s->reply;
}

/* --- the liar --- */

enum { LIAR_CONNECTIONS = 16, LIAR_HEARD = 1024 };

struct liar_connection {
    struct liar *liar;
    int fd;
    size_t commands;
    struct reactor_watch *watch;
};

struct liar {
    struct reactor *reactor;
    int fd;
    int port;
    struct reactor_watch *watch;
    struct liar_connection connections[LIAR_CONNECTIONS];
    size_t accepted;
    size_t commands;
    const char *answer;
    const char *greeting;
    size_t closes_after;
    char heard[LIAR_HEARD];
    size_t heard_n;
};

static void hang_up(struct liar_connection *c)
{
    if (c->watch)
        c->liar->reactor->ops->unwatch(c->liar->reactor, c->watch);
    if (c->fd >= 0)
        MUST(close(c->fd) == 0);
    c->watch = NULL;
    c->fd = -1;
}

static void say(struct liar_connection *c, const char *text)
{
    /* What a client that hung up does not hear is no fault here. */
    if (text && send(c->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        MUST(errno == EPIPE || errno == ECONNRESET);
}

static void on_bytes(void *arg, int fd, int events)
{
    struct liar_connection *c = arg;
    struct liar *l = c->liar;
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    (void)events;
    if (n <= 0) {
        hang_up(c);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (l->heard_n + 1 < sizeof(l->heard))
            l->heard[l->heard_n++] = bytes[i];
        if (bytes[i] != '*')
            continue;
        l->commands++;
        c->commands++;
        say(c, l->answer);
        if (l->closes_after > 0 && c->commands >= l->closes_after) {
            hang_up(c);
            return;
        }
    }
}

static void on_client(void *arg, int fd, int events)
{
    struct liar *l = arg;
    struct liar_connection *c = NULL;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    MUST(client >= 0);
    for (size_t i = 0; i < LIAR_CONNECTIONS && !c; i++)
        c = l->connections[i].fd < 0 ? &l->connections[i] : NULL;
    MUST(c);
    l->accepted++;
    *c = (struct liar_connection){.liar = l, .fd = client};
    MUST(l->reactor->ops->watch(l->reactor, client, REACTOR_READ, on_bytes, c, &c->watch, NULL) == ERR_NONE);
    say(c, l->greeting);
}

struct liar *liar_start(struct poll_reactor *reactor)
{
    struct liar *l = alloc_new(struct liar);

    l->reactor = poll_reactor_base(reactor);
    for (size_t i = 0; i < LIAR_CONNECTIONS; i++)
        l->connections[i].fd = -1;
    l->fd = bound_socket(&l->port);
    liar_accepts(l, true);
    return l;
}

void liar_stop(struct liar *l)
{
    for (size_t i = 0; i < LIAR_CONNECTIONS; i++) {
        l->connections[i].liar = l;
        hang_up(&l->connections[i]);
    }
    if (l->watch)
        l->reactor->ops->unwatch(l->reactor, l->watch);
    MUST(close(l->fd) == 0);
    alloc_free(l);
}

int liar_port(const struct liar *l)
{
    return l->port;
}

void liar_answers(struct liar *l, const char *text)
{
    l->answer = text;
}

void liar_greets(struct liar *l, const char *text)
{
    l->greeting = text;
}

void liar_closes_after(struct liar *l, size_t commands)
{
    l->closes_after = commands;
}

void liar_accepts(struct liar *l, bool yes)
{
    if (yes && !l->watch) {
        MUST(listen(l->fd, 16) == 0);
        MUST(l->reactor->ops->watch(l->reactor, l->fd, REACTOR_READ, on_client, l, &l->watch, NULL) ==
             ERR_NONE);
    } else if (!yes && l->watch) {
        l->reactor->ops->unwatch(l->reactor, l->watch);
        l->watch = NULL;
    }
}

size_t liar_connections(const struct liar *l)
{
    return l->accepted;
}

size_t liar_commands(const struct liar *l)
{
    return l->commands;
}

const char *liar_heard(const struct liar *l)
{
    return l->heard;
}
