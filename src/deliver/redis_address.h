/*
 * redis_address.h: what everyone who talks to a Redis server needs: its address taken apart, and a command as
 * bytes. Pure.
 */
#ifndef DELIVER_REDIS_ADDRESS_H
#define DELIVER_REDIS_ADDRESS_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/uuid.h"

/* What "host:port" or "redis://user:password@host:port/db" says. */
struct redis_address {
    char *text; /* the members below, terminated, in one piece */
    const char *host;
    uint16_t port;
    struct str user;     /* "" for none */
    struct str password; /* p NULL: no AUTH */
    int64_t database;
};

/* redis_address.c: `text` as model/connection.c lets it pass; ERR_INVALID else, ERR_UNSUPPORTED for TLS. */
CHECKED enum err redis_address_parse(struct str text, struct redis_address *ret, struct error *err);
void redis_address_done(struct redis_address *a);
CHECKED enum err redis_address_key(const struct redis_address *a, struct uuid *ret, struct error *err);

/* redis_command.c: one command as RESP, appended. */
void redis_command_add(struct buf *out, const struct str *words, size_t n);

#endif
