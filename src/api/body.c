/*
 * body.c: see body.h.
 */
#include "api/body.h"

#include <stdio.h>

#include "api/definition.h"
#include "base/str.h"
#include "calendar/iso8601.h"

static void fault(struct error_list *faults, const char *name, const char *text)
{
    char pointer[64] = {0};

    json_pointer_add(pointer, sizeof(pointer), str_of(name));
    (void)error_list_add(faults, ERR_INVALID, pointer, "%s", text);
}

static bool is_among(struct str name, const char *const *members)
{
    for (; *members; members++) {
        if (str_eq(name, str_of(*members)))
            return true;
    }
    return false;
}

bool body_object(struct request *r, const char *const *members, json_t **ret)
{
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error_list faults;

    faults.n = 0;
    faults.dropped = 0;
    if (!body_json(r, &json))
        return false;
    if (!json_is_object(json))
        (void)error_list_add(&faults, ERR_INVALID, "", "must be an object");
    for (void *it = json_object_iter(json); it; it = json_object_iter_next(json, it)) {
        struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
        char pointer[96] = {0};

        if (is_among(name, members))
            continue;
        json_pointer_add(pointer, sizeof(pointer), name);
        (void)error_list_add(&faults, ERR_INVALID, pointer, "there is no such member");
    }
    if (faults.n > 0) {
        answer_faults(r, &faults);
        return false;
    }
    *ret = TAKE(json);
    return true;
}

static const json_t *member_of(const json_t *json, const char *name)
{
    const json_t *v = json_object_get(json, name);

    return json_is_null(v) ? NULL : v;
}

bool body_bool(const json_t *json, const char *name, bool *ret, struct error_list *faults)
{
    const json_t *v = member_of(json, name);

    if (!v)
        return false;
    if (!json_is_boolean(v)) {
        fault(faults, name, "must be true or false");
        return false;
    }
    *ret = json_is_true(v);
    return true;
}

bool body_integer(const json_t *json, const char *name, int64_t min, int64_t max, int64_t *ret,
                  struct error_list *faults)
{
    const json_t *v = member_of(json, name);
    char text[96];

    if (!v)
        return false;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
        (void)snprintf(text, sizeof(text), "must be a whole number from %lld to %lld", (long long)min,
                       (long long)max);
        fault(faults, name, text);
        return false;
    }
    *ret = json_integer_value(v);
    return true;
}

bool body_uuid(const json_t *json, const char *name, struct uuid *ret, struct error_list *faults)
{
    const json_t *v = member_of(json, name);

    if (!v)
        return false;
    if (json_is_string(v) && uuid_parse(json_str(v), ret))
        return true;
    fault(faults, name, "must be an id");
    return false;
}

bool body_time(const json_t *json, const char *name, const struct zone *z, struct wall *ret,
               struct error_list *faults)
{
    const json_t *v = member_of(json, name);
    struct error err = {0};

    if (!v)
        fault(faults, name, "is required");
    else if (!json_is_string(v))
        fault(faults, name, "must be a date such as \"2026-11-23T09:00:00\"");
    else if (iso_parse_instant(json_str(v), z, ret, &err))
        fault(faults, name, err.text);
    else
        return true;
    return false;
}
