/*
 * words.c: see words.h.
 */
#include "api/graphql/words.h"

#include <string.h>

#include "base/str.h"
#include "model/missed.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/timer.h"
#include "store/journal.h"

/* What a client may say; each is spelled alike wherever it occurs. */
static const char *const values[] = {
#define X(value, text) text,
    SCHEDULE_TYPE_LIST(X) TASK_TYPE_LIST(X) FAILED_POLICY_LIST(X) MISFIRE_LIST(X) OVERLAP_LIST(X)
        TASK_BODY_LIST(X) REDIS_MODE_LIST(X) SCHEDULE_STATE_LIST(X) RUN_STATE_LIST(X) HISTORY_KIND_LIST(X)
#undef X
};

/* What a fault's text may name that is called otherwise here. */
static const struct {
    const char *rest;
    const char *ours;
} said[] = {
    {"all by \"state\": \"dead\"", "`all`"}, {"schedule_id", "scheduleId"}, {"start_at", "startAt"},
    {"retry_wait_max", "retryWaitMax"},      {"retry_wait", "retryWait"},   {"delay-recur", "DELAY_RECUR"},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *word_member(struct str field, char ret[WORD_TEXT])
{
    size_t n = 0;

    /* A name of our own schema. */
    MUST(2 * field.n < WORD_TEXT);
    for (size_t i = 0; i < field.n; i++) {
        if (lower(field.p[i]) != field.p[i])
            ret[n++] = '_';
        ret[n++] = lower(field.p[i]);
    }
    ret[n] = '\0';
    return ret;
}

/* Whether a value of an enum is this text of the REST API's. */
static bool is_same(struct str value, struct str text)
{
    if (value.n != text.n)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        char c = text.p[i] == '-' ? '_' : text.p[i];

        if (lower(value.p[i]) != c)
            return false;
    }
    return true;
}

const char *word_value(struct str value)
{
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        if (is_same(value, str_of(values[i])))
            return values[i];
    }
    return NULL;
}

const struct gql_enum_value *word_enum(const struct gql_type *type, struct str text)
{
    for (size_t i = 0; i < type->n_values; i++) {
        if (is_same(type->values[i].name, text))
            return &type->values[i];
    }
    return NULL;
}

/* How much of the text this one is; 0: it does not begin with it. */
static size_t said_as(struct str text, const char *rest)
{
    return str_starts(text, str_of(rest)) ? strlen(rest) : 0;
}

void word_detail(struct str detail, struct buf *out)
{
    while (detail.n > 0) {
        struct str as = {detail.p, 1};
        size_t n = 0;

        for (size_t i = 0; i < COUNT_OF(said) && n == 0; i++) {
            n = said_as(detail, said[i].rest);
            as = n > 0 ? str_of(said[i].ours) : as;
        }
        n = n > 0 ? n : 1;
        buf_add(out, as);
        detail = (struct str){detail.p + n, detail.n - n};
    }
}
