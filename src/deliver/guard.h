/*
 * guard.h: whom this service may call: lists of networks and host names, judged on the address really
 * connected to, after every lookup. Pure: no lookup is made here.
 *
 * A rule for a name holds for the name that a schedule gives, a rule for a network for every address that is
 * connected to, whoever named it. The deny list wins over the allow list; with an allow list nothing else may
 * be called. Link-local addresses and those where clouds keep credentials are denied unless the allow list
 * holds a network within them. IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4, Teredo,
 * ISATAP) are judged by that one too, and 0.0.0.0 and :: are the loopback that they lead to.
 *
 * Immutable once made: any thread may ask, and hold on to it by guard_ref().
 */
#ifndef DELIVER_GUARD_H
#define DELIVER_GUARD_H

#include "base/base.h"
#include "base/error.h"

struct guard;
struct sockaddr;

struct guard_lists {
    const struct str *allow; /* as host_rule_parse() takes them */
    size_t allow_n;
    const struct str *deny;
    size_t deny_n;
};

/* On failure err->where names the setting, err->text the entry. */
CHECKED enum err guard_new(const struct guard_lists *lists, struct guard **ret, struct error *err);
struct guard *guard_ref(struct guard *g); /* NULL gives NULL */
void guard_unref(struct guard *g);

/* Whether any rule speaks of names: without one a target's name need not be known. */
bool guard_knows_names(const struct guard *g);
/*
 * Before anything is looked up: ERR_REFUSED when `host`, a name or an address without brackets, may not be
 * called whatever it resolves to. A NULL guard lets everything pass, here and below.
 */
CHECKED enum err guard_judge_host(const struct guard *g, struct str host, struct error *err);
/* Whether a connection to `to` may be made for `host` ("": not known). ERR_REFUSED: *err names the rule. */
CHECKED enum err guard_judge(const struct guard *g, struct str host, const struct sockaddr *to,
                             struct error *err);

#endif
