/*
 * queue_table.h: the table of the service that this one replaces, read page by page: id, name, next_schedule,
 * and payload as JSON, in a database that may be any PostgreSQL and is none of ours.
 *
 * One transaction that only reads, on a cursor: memory holds one page whatever the table's size, and all rows
 * are of one moment. Columns may have any type whose text says the same: next_schedule is a time with or
 * without zone (without one: UTC unless told otherwise), a number of seconds since 1970, or a text that holds
 * either. One that cannot be read is told of its row, and the others go on.
 */
#ifndef STORE_POSTGRES_QUEUE_TABLE_H
#define STORE_POSTGRES_QUEUE_TABLE_H

#include "base/base.h"
#include "base/error.h"

struct queue_table;

struct queue_table_options {
    const char *url;      /* postgresql://... */
    const char *table;    /* "schedule_queue", or "schema.table"; quoted as it stands */
    const char *timezone; /* of times that name none; NULL: UTC */
};

/* ERR_UNAVAILABLE: not reached; ERR_NOT_FOUND: there is no such table, or it lacks a column; ERR_INVALID: the
 * URL cannot be read. */
CHECKED enum err queue_table_open(const struct queue_table_options *o, struct queue_table **ret,
                                  struct error *err);
void queue_table_close(struct queue_table *t); /* NULL is fine */
CLEANUP_FN(struct queue_table, queue_table_close)

/* The texts are the table's until the next call. */
struct queue_row {
    struct str id;
    struct str name;      /* p NULL: NULL */
    struct str payload;   /* p NULL: NULL */
    struct wall next;     /* WALL_NEVER: NULL */
    bool next_unreadable; /* no time between 1970 and 9999 */
};
/* The next row, by id. False at the end. */
CHECKED enum err queue_table_next(struct queue_table *t, struct queue_row *ret, bool *ret_there,
                                  struct error *err);

#endif
