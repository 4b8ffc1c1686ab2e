/* iso.c: ISO dates: any text is refused with a reason, or means an instant that is written and read as the
 * same again. */
#include <string.h>

#include "base/str.h"
#include "calendar/iso8601.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(zone_free_p) struct zone *z = zone_fixed(-(9 * 3600 + 30 * 60));
    struct str text = {(const char *)data, size};
    char written[ISO_TEXT_MAX];
    struct error err = {0};
    struct iso_time t;
    struct wall at;
    struct wall again;

    if (iso_parse(text, &t, &err) != ERR_NONE) {
        MUST(err.text[0] != '\0');
        return 0;
    }
    MUST(t.local_us >= 0 && t.local_us <= WALL_MAX_US);
    if (iso_parse_instant(text, z, &at, &err) != ERR_NONE)
        return 0;
    MUST(at.us >= 0 && at.us <= WALL_MAX_US);
    iso_format(at, written);
    MUST(iso_parse_instant(str_of(written), z, &again, &err) == ERR_NONE && again.us == at.us);
    iso_format_local(at, z, written);
    /* the last hours of 9999 and the first of 1970 have a year out of range somewhere */
    if (iso_parse_instant(str_of(written), z, &again, &err) == ERR_NONE)
        MUST(again.us == at.us);
    return 0;
}
