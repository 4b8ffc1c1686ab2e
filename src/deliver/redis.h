/*
 * redis.h: attempts as commands to Redis servers: PUBLISH, XADD or LPUSH, pipelined.
 *
 * One connection for each distinct server, user and database, shared by all schedules that name it; at most
 * options.connections_max of them, idle ones closed after a minute. A connection that fails is made anew with
 * a growing pause; attempts that come meanwhile wait for it within their own time. Whatever the server
 * answers that is no error is success. task.timeout counts from start(). Plain TCP only: hiredis 0.14 has no
 * TLS.
 */
#ifndef DELIVER_REDIS_H
#define DELIVER_REDIS_H

#include "deliver/deliver.h"

CHECKED enum err redis_open(struct reactor *reactor, const struct deliver_options *options,
                            struct deliverer **ret, struct error *err);

#endif
