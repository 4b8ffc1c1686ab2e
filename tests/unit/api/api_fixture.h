/*
 * api_fixture.h: the real server on a free port over a fresh SQLite file, and a client that shows every byte.
 */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "store/faulty/faulty.h"
#include "store/sqlite/sqlite.h"

struct stall;

struct api_fixture {
    char folder[64];
    struct zones *zones;
    struct sqlite_file *file;
    struct lane *writer;
    struct lane *reader;
    struct api *api;
    unsigned port;
    /* what a test may set before api_fixture_start() */
    struct api_options options;
    size_t queue_limit;       /* 0: ample */
    struct faulty_plan *plan; /* how the writer's connection goes wrong; NULL: it does not */
    int64_t give_up_us;       /* lane.h; 0: its default */
};

void api_fixture_start(struct api_fixture *f);
void api_fixture_stop(struct api_fixture *f); /* api_stop() may have been called */

/* Keeps a lane busy from the moment this returns until stall_end(). */
struct stall *stall_begin(struct lane *l);
void stall_end(struct stall *s);

/* --- a client --- */

struct reply_text {
    unsigned status;
    struct buf head; /* status line and headers, each line ended by CRLF */
    struct buf body;
};
void reply_done(struct reply_text *t);

int client_connect(const struct api_fixture *f);
void client_send(int fd, struct str bytes);
/* Appends a whole request: `head` is "POST /path" and may be followed by more header lines, each begun with
 * CRLF. */
void client_request(struct buf *out, const char *head, struct str body);
/* Reads one answer; `head_only` for HEAD. False: the connection was closed before its end; ret holds what
 * came. */
bool client_receive(int fd, bool head_only, struct reply_text *ret);
bool client_is_closed(int fd); /* waits for more bytes or the end */

/* On a connection of its own: `call(&f, "GET /schedules", "", &t)`. Fails the test when there is no answer.
 */
void call(const struct api_fixture *f, const char *head, const char *body, struct reply_text *ret);
/* The value of a header, NULL when absent; valid until the next call with the same buffer. */
const char *reply_header(const struct reply_text *t, const char *name, char *ret, size_t size);
/* The body as JSON; the caller's. Fails the test when it is none. */
json_t *reply_json(const struct reply_text *t);

#endif
