/*
 * calendar_driver.c: the calendar room on stdin and stdout, so that tests in other languages can hold it
 * against other implementations, hundreds of thousands of questions a run.
 *
 * One question a line, one answer a line, in order. Times are whole UTC seconds.
 *   z NAME        the zone of what follows                -> ok | error: TEXT
 *   t SECOND      what is in force                        -> OFFSET IS_DST ABBREVIATION
 *   l READING     the instants of a local reading         -> once|gap|twice FIRST SECOND
 *   c FROM TO     the changes of offset in (FROM, TO]     -> SECOND...
 *   e EXPRESSION  the cron expression of what follows     -> ok | error: TEXT
 *   n SECOND [K]  its next K occurrences (1) after that   -> SECOND... ("none" in place of one that is not)
 *   p SECOND      its last occurrence before that         -> SECOND | none
 *   i TEXT        an ISO time in the zone                 -> MICROSECOND | error: TEXT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "calendar/cron.h"
#include "calendar/iso8601.h"
#include "calendar/zones.h"

enum { LINE_MAX_BYTES = 4096 };

struct driver {
    struct zones *zones;
    const struct zone *zone;
    struct cron *cron;
};

static struct wall second(int64_t s)
{
    return (struct wall){s * US_PER_S};
}

static long long seconds_of(struct wall t)
{
    /* towards minus infinity; all we print are whole seconds */
    return (long long)(t.us / US_PER_S - (t.us % US_PER_S < 0));
}

/* Up to two numbers; a second that is not there stays as it was. */
static bool numbers(struct str s, int64_t *ret_first, int64_t *ret_second)
{
    struct str first;

    if (!str_cut(&s, ' ', &first) || !str_to_i64(first, ret_first))
        return false;
    return s.p == NULL || s.n == 0 || str_to_i64(s, ret_second);
}

static void answer_zone(struct driver *d, struct str name)
{
    struct error err;

    if (zones_get(d->zones, name, &d->zone, &err) == ERR_NONE)
        puts("ok");
    else
        printf("error: %s\n", err.text);
}

static void answer_type(const struct driver *d, int64_t at_s)
{
    struct zone_type t = zone_type_at(d->zone, second(at_s));

    /* The two ways to the offset are one: asked here so that every test asks both. */
    MUST(t.offset_s == zone_offset_s(d->zone, second(at_s)));
    printf("%d %d %s\n", t.offset_s, t.is_dst, t.abbr);
}

static void answer_local(const struct driver *d, int64_t reading_s)
{
    static const char *const names[] = {[ZONE_ONCE] = "once", [ZONE_GAP] = "gap", [ZONE_TWICE] = "twice"};
    struct zone_instants in = zone_from_local(d->zone, reading_s * US_PER_S);

    printf("%s %lld %lld\n", names[in.fit], seconds_of(in.first), seconds_of(in.second));
}

static void answer_changes(const struct driver *d, int64_t from_s, int64_t to_s)
{
    struct wall at = second(from_s);
    const char *between = "";

    while (zone_next_change(d->zone, at, &at) && at.us <= to_s * US_PER_S) {
        printf("%s%lld", between, seconds_of(at));
        between = " ";
    }
    putchar('\n');
}

static void answer_expression(struct driver *d, struct str text)
{
    struct cron *parsed = NULL;
    struct error err;

    if (cron_parse(text, 0, &parsed, &err) != ERR_NONE) {
        printf("error: %s\n", err.text);
        return;
    }
    cron_free(d->cron);
    d->cron = parsed;
    puts("ok");
}

static void answer_next(const struct driver *d, int64_t after_s, int64_t count)
{
    struct wall at = second(after_s);

    for (int64_t i = 0; i < count; i++) {
        if (i > 0)
            putchar(' ');
        if (!cron_next(d->cron, d->zone, at, &at)) {
            printf("none");
            break;
        }
        printf("%lld", seconds_of(at));
    }
    putchar('\n');
}

static void answer_prev(const struct driver *d, int64_t before_s)
{
    struct wall at;

    if (cron_prev(d->cron, d->zone, second(before_s), &at))
        printf("%lld\n", seconds_of(at));
    else
        puts("none");
}

static void answer_iso(const struct driver *d, struct str text)
{
    struct wall at;
    struct error err;

    if (iso_parse_instant(text, d->zone, &at, &err) == ERR_NONE)
        printf("%lld\n", (long long)at.us);
    else
        printf("error: %s\n", err.text);
}

static bool answer_numbers(const struct driver *d, char what, struct str rest)
{
    int64_t a = 0;
    int64_t b = 1;

    if (!numbers(rest, &a, &b))
        return false;
    switch (what) {
    case 't':
        answer_type(d, a);
        return true;
    case 'l':
        answer_local(d, a);
        return true;
    case 'c':
        answer_changes(d, a, b);
        return true;
    case 'n':
        answer_next(d, a, b);
        return true;
    case 'p':
        answer_prev(d, a);
        return true;
    default:
        return false;
    }
}

static bool answer(struct driver *d, struct str line)
{
    struct str rest = {line.p + 2, line.n - 2};

    switch (line.p[0]) {
    case 'z':
        answer_zone(d, rest);
        return true;
    case 'e':
        answer_expression(d, rest);
        return true;
    case 'i':
        answer_iso(d, rest);
        return true;
    case 'n':
    case 'p':
        return d->cron != NULL && answer_numbers(d, line.p[0], rest);
    default:
        return answer_numbers(d, line.p[0], rest);
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    struct driver d = {0};
    struct error err;
    int status = EXIT_SUCCESS;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: calendar_driver ZONEINFO-DIRECTORY\n");
        return EXIT_FAILURE;
    }
    if (zones_new(argv[1], &d.zones, &err) != ERR_NONE ||
        zones_get(d.zones, STR("UTC"), &d.zone, &err) != ERR_NONE) {
        (void)fprintf(stderr, "calendar_driver: %s\n", err.text);
        zones_free(d.zones);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct str s = str_of(line);

        if (s.n > 0 && s.p[s.n - 1] == '\n')
            s.n--;
        if (s.n < 2 || !answer(&d, s)) {
            (void)fprintf(stderr, "calendar_driver: not a question: %s", line);
            status = EXIT_FAILURE;
            break;
        }
    }
    cron_free(d.cron);
    zones_free(d.zones);
    return status;
}
