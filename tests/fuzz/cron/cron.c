/*
 * cron.c: cron expressions: any text is refused with a reason or understood; then what comes next is later,
 * what came before is earlier, the two agree, and it can be said in words. The first 8 bytes choose the
 * instant.
 */
#include <string.h>

#include "base/str.h"
#include "calendar/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "EST5EDT" by its footer alone, so that no file is read. */
static const char NEW_YORK[] =
    "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
    "\0\0\0\0\0\0EST\0"
    "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
    "\0\0\0\0\0\0EST\0"
    "\nEST5EDT,M3.2.0,M11.1.0\n";

static void probe(const struct cron *c, const struct zone *z, struct wall at)
{
    struct wall next[3];
    struct wall back;
    size_t n = cron_next_n(c, z, at, COUNT_OF(next), next);

    for (size_t i = 0; i < n; i++) {
        MUST(next[i].us > at.us && next[i].us <= WALL_MAX_US && next[i].us % US_PER_S == 0);
        MUST(cron_prev(c, z, (struct wall){next[i].us + 1}, &back) && back.us == next[i].us);
        (void)cron_note_at(c, z, next[i]);
        if (i > 0)
            MUST(cron_prev(c, z, next[i], &back) && back.us == next[i - 1].us);
        at = next[i];
    }
    if (n > 0 && cron_prev(c, z, next[0], &back))
        MUST(cron_next(c, z, back, &back) && back.us == next[0].us);
}

static void say(const struct cron *c, enum cron_lang lang)
{
    CLEANUP(buf_done_p) struct buf out;

    buf_init(&out, 128 * 1024);
    cron_describe(c, lang, &out);
    MUST(buf_ok(&out) && out.n > 0 && str_is_utf8(buf_str(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(cron_free_p) struct cron *c = NULL;
    CLEANUP(zone_free_p) struct zone *utc = NULL;
    CLEANUP(zone_free_p) struct zone *new_york = NULL;
    struct error err;
    uint64_t chosen;
    struct wall at;

    if (size < sizeof(chosen))
        return 0;
    memcpy(&chosen, data, sizeof(chosen));
    at.us = (int64_t)(chosen % (uint64_t)WALL_MAX_US);
    if (cron_parse((struct str){(const char *)data + sizeof(chosen), size - sizeof(chosen)}, chosen, &c,
                   &err) != ERR_NONE) {
        MUST(c == NULL && err.text[0] != '\0');
        return 0;
    }
    utc = zone_fixed(0);
    MUST(zone_parse((struct str){NEW_YORK, sizeof(NEW_YORK) - 1}, "EST5EDT", &new_york, &err) == ERR_NONE);
    probe(c, utc, at);
    probe(c, new_york, at);
    say(c, CRON_EN);
    say(c, CRON_KO);
    return 0;
}
