/*
 * api_fixture.c: see api_fixture.h. Sockets have a timeout, so that a test that would hang fails.
 */
#include "api_fixture.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "calendar/zones.h"

enum { CLIENT_TIMEOUT_S = 30, REPLY_MAX = 64 * 1024 * 1024 };

/* --- the server --- */

static enum err open_writer(void *arg, struct store **ret, struct error *err)
{
    const struct api_fixture *f = arg;
    struct store *s = NULL;
    enum err e = sqlite_connect(f->file, true, &s, err);

    if (e || !f->plan) {
        *ret = s;
        return e;
    }
    return faulty_wrap(f->plan, s, ret, err);
}

static enum err open_reader(void *arg, struct store **ret, struct error *err)
{
    const struct api_fixture *f = arg;

    return sqlite_connect(f->file, false, ret, err);
}

void api_fixture_start(struct api_fixture *f)
{
    struct lane_options lane = {
        .name = "writer",
        .open = open_writer,
        .queue_limit = f->queue_limit ? f->queue_limit : 4096,
        .group_limit = 256,
        .give_up_us = f->give_up_us,
    };
    struct sqlite_options sqlite = {0};
    struct error err;
    char path[96];

    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/carillon-api-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(path, sizeof(path), "%s/test.db", f->folder);
    sqlite.path = path;
    assert_int_equal(zones_new("/usr/share/zoneinfo", &f->zones, &err), ERR_NONE);
    assert_int_equal(sqlite_file_open(&sqlite, &f->file, &err), ERR_NONE);
    lane.open_arg = f;
    assert_int_equal(lane_new(&lane, &f->writer, &err), ERR_NONE);
    lane.name = "reader";
    lane.open = open_reader;
    assert_int_equal(lane_new(&lane, &f->reader, &err), ERR_NONE);
    f->options.listen = "127.0.0.1:0";
    f->options.version = "1.2.3";
    f->options.rules.zones = f->zones;
    f->options.rules.default_timezone = STR("Asia/Seoul");
    f->options.rules.task_enabled[TASK_REST] = true;
    f->options.writer = f->writer;
    f->options.reader = f->reader;
    assert_int_equal(api_start(&f->options, &f->api, &err), ERR_NONE);
    f->port = api_port(f->api);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void api_fixture_stop(struct api_fixture *f)
{
    api_stop(f->api, 5 * US_PER_S);
    lane_free(f->reader);
    lane_free(f->writer);
    api_free(f->api);
    sqlite_file_free(f->file);
    zones_free(f->zones);
    assert_int_equal(nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- a lane kept busy --- */

struct stall {
    struct op op; /* first */
    sem_t begun;
    sem_t end;
    sem_t done;
};

static enum err run_stall(struct store *s, struct op **ops, size_t n, struct wall now, struct notice *notice,
                          struct error *err)
{
    struct stall *stall = CONTAINER_OF(ops[0], struct stall, op);

    (void)s;
    (void)now;
    (void)notice;
    (void)err;
    MUST(n == 1);
    MUST(sem_post(&stall->begun) == 0);
    while (sem_wait(&stall->end) != 0)
        ;
    return ERR_NONE;
}

static void stall_done(struct op *op)
{
    MUST(sem_post(&CONTAINER_OF(op, struct stall, op)->done) == 0);
}

struct stall *stall_begin(struct lane *l)
{
    static const struct op_type type = {.name = "stall", .run = run_stall};
    struct stall *s = alloc_new(struct stall);
    struct error err;

    s->op.type = &type;
    s->op.done = stall_done;
    MUST(sem_init(&s->begun, 0, 0) == 0 && sem_init(&s->end, 0, 0) == 0 && sem_init(&s->done, 0, 0) == 0);
    assert_int_equal(lane_submit(l, &s->op, &err), ERR_NONE);
    while (sem_wait(&s->begun) != 0)
        ;
    return s;
}

void stall_end(struct stall *s)
{
    MUST(sem_post(&s->end) == 0);
    while (sem_wait(&s->done) != 0)
        ;
    MUST(sem_destroy(&s->begun) == 0 && sem_destroy(&s->end) == 0 && sem_destroy(&s->done) == 0);
    alloc_free(s);
}

/* --- the client --- */

void reply_done(struct reply_text *t)
{
    buf_done(&t->head);
    buf_done(&t->body);
    *t = (struct reply_text){0};
}

int client_connect(const struct api_fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
    struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
    MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void client_send(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        /* The server may have said enough and hung up; what it said is read next. */
        if (n < 0)
            return;
        bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
    }
}

void client_request(struct buf *out, const char *head, struct str body)
{
    struct str rest = str_of(head);
    size_t line = str_find(rest, '\r');

    buf_add(out, (struct str){rest.p, line});
    buf_add_cstr(out, " HTTP/1.1\r\nHost: test");
    buf_add(out, (struct str){rest.p + line, rest.n - line});
    if (body.n > 0)
        buf_addf(out, "\r\nContent-Length: %zu", body.n);
    buf_add_cstr(out, "\r\n\r\n");
    buf_add(out, body);
    assert_true(buf_ok(out));
}

const char *reply_header(const struct reply_text *t, const char *name, char *ret, size_t size)
{
    struct str rest = buf_str(&t->head);
    struct str line;
    size_t n = strlen(name);

    while (str_cut(&rest, '\n', &line)) {
        if (line.n > n + 1 && line.p[n] == ':' && strncasecmp(line.p, name, n) == 0) {
            struct str value = str_trim((struct str){line.p + n + 1, line.n - n - 1});

            assert_true(value.n < size);
            (void)snprintf(ret, size, "%.*s", (int)value.n, value.p);
            return ret;
        }
    }
    return NULL;
}

static bool receive_some(int fd, struct buf *into)
{
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    if (n <= 0)
        return false;
    buf_add(into, (struct str){bytes, (size_t)n});
    assert_true(buf_ok(into));
    return true;
}

bool client_receive(int fd, bool head_only, struct reply_text *ret)
{
    struct buf all;
    char *end = NULL;
    char text[32];
    size_t length;

    buf_init(&all, REPLY_MAX);
    buf_init(&ret->head, REPLY_MAX);
    buf_init(&ret->body, REPLY_MAX);
    while (!end) {
        if (!receive_some(fd, &all)) {
            buf_done(&all);
            return false;
        }
        end = strstr(all.p, "\r\n\r\n");
    }
    buf_add(&ret->head, (struct str){all.p, (size_t)(end - all.p) + 2});
    assert_int_equal(sscanf(ret->head.p, "HTTP/1.1 %u", &ret->status), 1);
    length = reply_header(ret, "Content-Length", text, sizeof(text)) ? (size_t)strtoull(text, NULL, 10) : 0;
    if (head_only || ret->status == 304)
        length = 0;
    buf_add(&ret->body, (struct str){end + 4, all.n - (size_t)(end + 4 - all.p)});
    buf_done(&all);
    while (ret->body.n < length) {
        if (!receive_some(fd, &ret->body))
            return false;
    }
    assert_int_equal(ret->body.n, length);
    buf_add(&ret->body, STR(""));
    return true;
}

bool client_is_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) <= 0;
}

void call(const struct api_fixture *f, const char *head, const char *body, struct reply_text *ret)
{
    struct buf request;
    int fd = client_connect(f);

    buf_init(&request, REPLY_MAX);
    client_request(&request, head, str_of(body));
    client_send(fd, buf_str(&request));
    buf_done(&request);
    if (!client_receive(fd, strncmp(head, "HEAD", 4) == 0, ret))
        fail_msg("no answer to %s", head);
    MUST(close(fd) == 0);
}

json_t *reply_json(const struct reply_text *t)
{
    struct error err;
    json_t *json;

    if (json_parse(buf_str(&t->body), JSON_DEPTH_LIMIT, &json, &err))
        fail_msg("no JSON (%s at %s): %s", err.text, err.where, buf_cstr(&t->body));
    return json;
}
