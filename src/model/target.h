/*
 * target.h: whom a task calls, as far as one of them can be down, slow or limited while the others are not:
 * the task's type and the place that its address names. Pure.
 *
 * Engine and deliverers count by the same key, so a limit set by one is understood by the other.
 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include "base/base.h"
#include "base/uuid.h"
#include "model/schedule.h"

/*
 * What stands between "//" and the path, without user and password; an address without "//" from its
 * beginning: "host:port" of a URL, the list of bootstrap servers. A view into t->host.
 */
struct str target_authority(const struct task *t);
/*
 * Equal for equal types and places, however they are spelled: a name in any case, with %XX in a URL, with a
 * dot at its end; an IPv4 address in any of inet_aton(3)'s forms or within IPv6, an IPv6 address in any of
 * its own; the usual port said or not; Kafka's brokers in any order. http and https are two. The same in
 * every process.
 */
struct uuid target_key(const struct task *t);

#endif
