/*
 * uuid.h: 128-bit identifiers (RFC 9562): made as version 7, ordered by time; read and written in canonical
 * form.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/base.h"
#include "base/error.h"

struct uuid {
    uint8_t b[16];
};

enum { UUID_TEXT = 36 };

/* RFC 9562, 5.7, ordered by microseconds, with 62 random bits. Any thread. Stops when the system has no
 * randomness. */
struct uuid uuid_v7(struct wall now);
/* The least that uuid_v7(t) can give: those made at `t` or later are not less, those made before are. */
struct uuid uuid_v7_least(struct wall t);
/* Lower case, UUID_TEXT characters and a terminator. */
void uuid_format(struct uuid u, char ret[UUID_TEXT + 1]);
/* Canonical form only, either case. */
CHECKED bool uuid_parse(struct str s, struct uuid *ret);
int uuid_cmp(struct uuid a, struct uuid b);
bool uuid_eq(struct uuid a, struct uuid b);
bool uuid_is_nil(struct uuid u);

#endif
