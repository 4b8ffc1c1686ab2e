/*
 * identity.c: see identity.h.
 */
#include "deliver/identity.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "calendar/iso8601.h"

bool identity_owns(struct str name)
{
    const struct str prefix = STR("Carillon-");

    return str_eq_nocase(name, STR("Idempotency-Key")) || str_eq_nocase(name, STR("traceparent")) ||
           (name.n >= prefix.n && str_eq_nocase((struct str){name.p, prefix.n}, prefix));
}

/*
 * W3C Trace Context: the trace id is the run's id, so all attempts of a run are one trace and can be looked
 * up by it; each attempt is a span of its own. Sampled, or a receiver that follows its parent's choice would
 * keep nothing.
 */
static void make_traceparent(struct uuid run, struct rng *rng, char ret[IDENTITY_VALUE_MAX])
{
    static const char hex[] = "0123456789abcdef";
    static const char form[] = "00-00000000000000000000000000000000-0000000000000000-01";
    uint64_t span = rng_next(rng) | 1; /* all zero is not a span */

    memcpy(ret, form, sizeof(form));
    for (size_t i = 0; i < 16; i++) {
        ret[3 + 2 * i] = hex[run.b[i] >> 4];
        ret[4 + 2 * i] = hex[run.b[i] & 15];
    }
    for (size_t i = 0; i < 16; i++)
        ret[36 + i] = hex[(span >> (60 - 4 * i)) & 15];
}

void identity_make(const struct run *run, struct rng *rng, struct identity *ret)
{
    struct identity_item *item = ret->items;

    item->name = STR("Idempotency-Key");
    run_key(run, item->value);
    item++;
    item->name = STR("Carillon-Schedule-Id");
    uuid_format(run->schedule_id, item->value);
    item++;
    item->name = STR("Carillon-Run-Id");
    uuid_format(run->id, item->value);
    item++;
    item->name = STR("Carillon-Scheduled-At");
    iso_format(run->scheduled_at, item->value);
    item++;
    item->name = STR("Carillon-Attempt");
    (void)snprintf(item->value, sizeof(item->value), "%lld", (long long)run->attempt);
    item++;
    item->name = STR("traceparent");
    make_traceparent(run->id, rng, item->value);
}
