/* calendar_test.h: what every test of this room begins with. */
#ifndef TESTS_UNIT_CALENDAR_TEST_H
#define TESTS_UNIT_CALENDAR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "calendar/iso8601.h"
#include "calendar/zones.h"

static inline const char *zone_dir(void)
{
    const char *dir = getenv("CARILLON_ZONEINFO");

    return dir != NULL ? dir : "/usr/share/zoneinfo";
}

/* The zones of the system; the test's to free. */
static inline struct zones *system_zones(void)
{
    struct zones *z = NULL;
    struct error err;

    if (zones_new(zone_dir(), &z, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return z;
}

static inline const struct zone *system_zone(struct zones *zones, const char *name)
{
    const struct zone *z = NULL;
    struct error err;

    if (zones_get(zones, str_of(name), &z, &err) != ERR_NONE)
        fail_msg("%s: %s", name, err.text);
    return z;
}

/* "2024-03-31T01:00:00Z" as an instant. */
static inline struct wall utc(const char *iso)
{
    struct iso_time t = {0};
    struct error err;

    if (iso_parse(str_of(iso), &t, &err) != ERR_NONE)
        fail_msg("%s: %s", iso, err.text);
    return (struct wall){t.local_us - t.offset_s * US_PER_S};
}

/* "2024-03-31T02:30:00" as a reading. */
static inline int64_t reading(const char *iso)
{
    return utc(iso).us;
}

static inline void assert_instant(struct wall got, const char *expected)
{
    char text[ISO_TEXT_MAX];

    iso_format(got, text);
    assert_string_equal(text, expected);
}

#endif
