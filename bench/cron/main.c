/*
 * main.c: nanoseconds per cron_next, for each expression of a file, in a zone with daylight saving. One line
 * each: the expression, a tab, the time. Occurrences are walked through, as a scheduler would, for a tenth of
 * a second. bench_calendar EXPRESSIONS ZONEINFO-DIRECTORY ZONE FIRST-SECOND
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "calendar/cron.h"
#include "calendar/zones.h"

enum { ROUND = 1000, LINE_BYTES = 256 };

static int64_t ns_per_next(const struct cron *c, const struct zone *z, struct wall first)
{
    struct mono start = clock_mono();
    int64_t took_us = 0;
    int64_t n = 0;

    while (took_us < 100 * US_PER_MS) {
        struct wall at = first;

        /* A round stays within a few hundred years; the next begins at the first again. */
        for (int i = 0; i < ROUND && cron_next(c, z, at, &at); i++)
            n++;
        took_us = clock_mono().us - start.us;
    }
    MUST(n > 0);
    return took_us * 1000 / n;
}

static bool run(const char *path, const struct zone *z, struct wall first)
{
    char line[LINE_BYTES];
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return false;
    while (fgets(line, sizeof(line), file) != NULL) {
        CLEANUP(cron_free_p) struct cron *c = NULL;
        struct str text = str_trim(str_of(line));

        MUST(cron_parse(text, 0, &c, NULL) == ERR_NONE);
        printf("%.*s\t%lld\n", (int)text.n, text.p, (long long)ns_per_next(c, z, first));
    }
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    CLEANUP(zones_free_p) struct zones *zones = NULL;
    const struct zone *z = NULL;
    struct error err = {0};
    int64_t first_s;

    if (argc != 5 || !str_to_i64(str_of(argv[4]), &first_s)) {
        (void)fprintf(stderr, "usage: bench_calendar EXPRESSIONS ZONEINFO-DIRECTORY ZONE FIRST-SECOND\n");
        return EXIT_FAILURE;
    }
    if (zones_new(argv[2], &zones, &err) != ERR_NONE ||
        zones_get(zones, str_of(argv[3]), &z, &err) != ERR_NONE ||
        !run(argv[1], z, (struct wall){first_s * US_PER_S})) {
        (void)fprintf(stderr, "bench_calendar: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
