/*
 * drive.h: who carries an operation out, step by step, whoever answers its calls when.
 *
 *     drive_begin(d, root, &err);
 *     while (drive_step(d) == DRIVE_WAITING)
 *         ... suspend what waits for it; drive_wait(d); and when back(arg) was called ...
 *     gql_execution_write(drive_execution(d), &out);
 *     drive_end(d);
 *
 * It belongs to one thread at a time: between drive_wait() and back() to nobody here. Whoever does not want
 * it any more drops it: what is out comes back and the last to bring something frees it all, and the server
 * does not end before (http_hold()).
 */
#ifndef API_GRAPHQL_DRIVE_H
#define API_GRAPHQL_DRIVE_H

#include "api/graphql/context.h"
#include "api/graphql/operation.h"
#include "base/base.h"
#include "base/error.h"

struct drive;
struct gql_execution;
struct gql_schema;
struct http;

struct drive_options {
    struct api *api;
    struct http *http; /* whose end waits: the request's, for the API learns of it when it serves already */
    struct request *outer; /* NULL: of a subscription */
    const struct gql_schema *schema;
    size_t memory;           /* of one execution, the response apart */
    void (*back)(void *arg); /* any thread: what was waited for is there */
    void *arg;
};

/* The operation, which is ready to be executed, passes to the drive: on failure (no memory) too. */
CHECKED enum err drive_new(const struct drive_options *options, struct operation *operation,
                           struct drive **ret, struct error *err);
struct graphql_context *drive_context(struct drive *d);
const struct operation *drive_operation(const struct drive *d);

/* A new execution; `root`: the object of the root fields, of which a reference is taken, or NULL. ERR_BUSY:
 * the server is stopping. */
CHECKED enum err drive_begin(struct drive *d, json_t *root, struct error *err);

enum drive_progress {
    DRIVE_WAITING,
    DRIVE_DONE,
    DRIVE_STOPPED, /* given up, since the server is stopping or the client gone: nothing is to be written */
};
/* Once after drive_begin(), and once after each back(). What has come back meanwhile waits for the next one:
 * between two steps others have their turn. */
enum drive_progress drive_step(struct drive *d);
/* After DRIVE_WAITING, when back() may come: it may come at once. */
void drive_wait(struct drive *d);
const struct gql_execution *drive_execution(const struct drive *d);
/* After DRIVE_DONE or DRIVE_STOPPED. */
void drive_end(struct drive *d);

/* Whatever its state, but not between drive_wait() and back(). NULL is fine. */
void drive_drop(struct drive *d);
CLEANUP_FN(struct drive, drive_drop)

#endif
