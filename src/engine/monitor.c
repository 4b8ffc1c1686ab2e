/*
 * monitor.c: see monitor.h. Pure; on the engine's thread.
 */
#include "engine/monitor.h"

#define NOT_ELECTED ((struct mono){INT64_MIN})
#define FOR_EVER ((struct mono){INT64_MAX})

static int64_t or_default(int64_t v, int64_t otherwise)
{
    return v > 0 ? v : otherwise;
}

void monitor_init(struct monitor *m, const struct monitor_options *o, struct mono now)
{
    *m = (struct monitor){
        .options =
            {
                .candidate = o->candidate,
                .busy_every_us = or_default(o->busy_every_us, 3 * US_PER_S),
                .busy_good_us = or_default(o->busy_good_us, 9 * US_PER_S),
                .watch_good_us = or_default(o->watch_good_us, 12 * US_PER_S),
                .idle_every_us = or_default(o->idle_every_us, 30 * US_PER_S),
                .idle_good_us = or_default(o->idle_good_us, 75 * US_PER_S),
                .apart_us = or_default(o->apart_us, US_PER_S),
            },
        .sent_at = now,
        .next_at = now,
        .elected_until = NOT_ELECTED,
    };
}

static bool says_idle(const struct monitor *m)
{
    return m->word.good_us == m->options.idle_good_us;
}

/* The next beat comes then, if not sooner. */
static void hurry(struct monitor *m, struct mono at)
{
    if (at.us < m->next_at.us)
        m->next_at = at;
}

void monitor_busy(struct monitor *m, struct mono now)
{
    struct mono soon = mono_add(m->sent_at, m->options.apart_us);

    if (m->active)
        return;
    m->active = true;
    /* The others think it idle, and would miss it late. */
    if (says_idle(m))
        hurry(m, soon.us > now.us ? soon : now);
}

void monitor_hurry(struct monitor *m, struct mono now)
{
    hurry(m, now);
}

void monitor_resign(struct monitor *m, struct mono now)
{
    m->resigned = true;
    m->elected_until = NOT_ELECTED;
    if (m->word.monitor_us > 0)
        hurry(m, now);
}

static int64_t good_of(const struct monitor *m, bool watches)
{
    if (m->active)
        return m->options.busy_good_us;
    return watches ? m->options.watch_good_us : m->options.idle_good_us;
}

bool monitor_beat(struct monitor *m, struct mono now, struct monitor_word *ret)
{
    bool watches = m->options.candidate && m->others_busy;

    if (m->alone || m->out || now.us < m->next_at.us)
        return false;
    m->word.good_us = good_of(m, watches);
    m->word.monitor_us = m->options.candidate && !m->resigned ? m->word.good_us : 0;
    m->active = false;
    m->out = true;
    m->sent_at = now;
    m->next_at = mono_add(now, says_idle(m) ? m->options.idle_every_us : m->options.busy_every_us);
    *ret = m->word;
    return true;
}

void monitor_answered(struct monitor *m, struct mono now, bool elected, bool others_busy)
{
    m->out = false;
    m->others_busy = others_busy;
    m->elected_until = NOT_ELECTED;
    if (elected && !m->resigned)
        m->elected_until = mono_add(m->sent_at, m->word.monitor_us);
    if (m->resigned && m->word.monitor_us > 0)
        hurry(m, now); /* it resigned while that was under way */
    if (others_busy && m->options.candidate && says_idle(m))
        hurry(m, mono_add(m->sent_at, m->options.busy_every_us));
}

/* Whatever it said may have arrived or not; what was believed before is still good for its time. */
void monitor_failed(struct monitor *m, struct mono now)
{
    m->out = false;
    m->next_at = mono_add(now, m->options.busy_every_us);
}

void monitor_alone(struct monitor *m)
{
    m->out = false;
    m->alone = true;
}

bool monitor_is_busy_word(const struct monitor *m, int64_t good_us)
{
    return good_us <= m->options.busy_good_us;
}

struct mono monitor_until(const struct monitor *m)
{
    if (m->alone)
        return m->options.candidate && !m->resigned ? FOR_EVER : NOT_ELECTED;
    return m->elected_until;
}

struct mono monitor_wake_at(const struct monitor *m)
{
    return m->alone || m->out ? FOR_EVER : m->next_at;
}
