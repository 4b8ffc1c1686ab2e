/*
 * names.c: enums to words and back. See names.h.
 */
#include "model/names.h"

#include "base/str.h"
#include "model/run.h"
#include "model/schedule.h"
#include "model/timer.h"

#define X(value, text) text,
#define WORDS(name, list)                                                                                    \
    static const char *const name##_list[] = {list(X)};                                                      \
    const struct words name = {name##_list, COUNT_OF(name##_list)};

WORDS(schedule_type_words, SCHEDULE_TYPE_LIST)
WORDS(task_type_words, TASK_TYPE_LIST)
WORDS(failed_policy_words, FAILED_POLICY_LIST)
WORDS(misfire_words, MISFIRE_LIST)
WORDS(overlap_words, OVERLAP_LIST)
WORDS(task_body_words, TASK_BODY_LIST)
WORDS(redis_mode_words, REDIS_MODE_LIST)

#define PRIVATE_WORDS(name, list)                                                                            \
    static const char *const name##_list[] = {list(X)};                                                      \
    static const struct words name = {name##_list, COUNT_OF(name##_list)};

PRIVATE_WORDS(schedule_state_words, SCHEDULE_STATE_LIST)
PRIVATE_WORDS(missed_words, MISSED_LIST)
PRIVATE_WORDS(run_state_words, RUN_STATE_LIST)
#undef X

bool words_find(const struct words *words, struct str s, unsigned *ret)
{
    for (unsigned i = 0; i < words->n; i++) {
        if (str_eq(str_of(words->word[i]), s)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *words_at(const struct words *words, unsigned i)
{
    MUST(i < words->n);
    return words->word[i];
}

const char *schedule_type_name(enum schedule_type t)
{
    return words_at(&schedule_type_words, t);
}

const char *task_type_name(enum task_type t)
{
    return words_at(&task_type_words, t);
}

const char *failed_policy_name(enum failed_policy p)
{
    return words_at(&failed_policy_words, p);
}

const char *misfire_name(enum misfire m)
{
    return words_at(&misfire_words, m);
}

const char *overlap_name(enum overlap o)
{
    return words_at(&overlap_words, o);
}

const char *schedule_state_name(enum schedule_state s)
{
    return words_at(&schedule_state_words, s);
}

bool schedule_state_parse(struct str s, enum schedule_state *ret)
{
    unsigned i;

    if (!words_find(&schedule_state_words, s, &i))
        return false;
    *ret = (enum schedule_state)i;
    return true;
}

const char *missed_name(enum missed m)
{
    return words_at(&missed_words, m);
}

const char *run_state_name(enum run_state s)
{
    return words_at(&run_state_words, s);
}

bool run_state_parse(struct str s, enum run_state *ret)
{
    unsigned i;

    if (!words_find(&run_state_words, s, &i))
        return false;
    *ret = (enum run_state)i;
    return true;
}
