/*
 * zone.c: zone files: any bytes give an error or a zone that contradicts itself nowhere: what is asked
 * forwards is found backwards, and every reading leads back to its instant.
 */
#include "calendar/zone.h"
#include "calendar/civil.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 500 };

static void probe(const struct zone *z, struct wall at)
{
    struct zone_span span = zone_span_at(z, at);
    int64_t reading = zone_to_local(z, at);
    struct zone_instants in = zone_from_local(z, reading);

    MUST(span.from.us <= at.us && at.us < span.until.us);
    MUST(span.offset_s == zone_offset_s(z, at) && zone_type_at(z, at).offset_s == span.offset_s);
    MUST(in.fit != ZONE_GAP && (in.first.us == at.us || in.second.us == at.us) &&
         in.first.us <= in.second.us);
    MUST((in.fit == ZONE_TWICE) == (in.first.us != in.second.us));
}

/* About a change of offset: what it skips is a gap that ends there, what it repeats is read twice. */
static void probe_change(const struct zone *z, struct wall change)
{
    struct wall before = {change.us - 1};
    int64_t old_end = zone_to_local(z, before) + 1;
    int64_t new_start = zone_to_local(z, change);
    struct wall back = {0};

    MUST(zone_prev_change(z, change, &back) && back.us == change.us);
    MUST(old_end != new_start);
    if (old_end < new_start) {
        struct zone_instants in = zone_from_local(z, old_end);

        MUST(in.fit == ZONE_GAP && in.first.us == change.us);
        MUST(zone_from_local(z, new_start - 1).fit == ZONE_GAP);
    } else {
        MUST(zone_from_local(z, new_start).second.us == change.us);
        MUST(zone_from_local(z, old_end - 1).fit == ZONE_TWICE);
    }
    probe(z, before);
    probe(z, change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MAX};
    struct zone *z = NULL;
    struct error err;
    struct wall at = {0};

    if (zone_parse((struct str){(const char *)data, size}, "fuzz", &z, &err) != ERR_NONE) {
        MUST(z == NULL && err.text[0] != '\0');
        return 0;
    }
    for (int i = 0; i < STEPS_MAX && zone_next_change(z, at, &at); i++)
        probe_change(z, at);
    for (int64_t year = 1900; year < 9999; year += 97)
        probe(z, (struct wall){civil_to_days(year, 7, 1) * SECONDS_A_DAY * US_PER_S});
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        (void)zone_type_at(z, (struct wall){ends[i]});
        (void)zone_from_local(z, ends[i]);
    }
    zone_free(z);
    return 0;
}
