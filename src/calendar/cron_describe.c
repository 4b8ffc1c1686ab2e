/*
 * cron_describe.c: what every language's sentence is made of: the shape of a field, the entries of a list, a
 * handful of fixed times.
 */
#include "calendar/cron_describe.h"

static bool is_value(const struct cron_item *item)
{
    return item->kind == CRON_RANGE && item->from == item->to;
}

struct cron_shape cron_shape_of(const struct cron *c, enum cron_field field)
{
    const struct cron_limits *limits = cron_limits(field);
    const struct cron_item *item = &c->fields[field].items[0];
    struct cron_shape shape = {.kind = SHAPE_LIST, .from = item->from, .to = item->to, .step = item->step};

    if (c->fields[field].n > 1)
        return shape;
    if (item->kind == CRON_ANY) {
        shape.from = limits->min;
        shape.to = limits->max;
    } else if (item->kind == CRON_OPEN) {
        shape.to = limits->max;
    }
    if (is_value(item))
        shape.kind = SHAPE_ONE;
    else if (item->kind == CRON_ANY && item->step <= 1)
        shape.kind = SHAPE_EACH;
    else if (item->kind == CRON_ANY && (limits->max - limits->min + 1) % item->step == 0)
        shape.kind = SHAPE_EVENLY;
    else if (item->step > 1)
        shape.kind = SHAPE_STEPS;
    else
        shape.kind = SHAPE_RANGE;
    return shape;
}

bool cron_says_nothing(const struct cron *c, enum cron_field field)
{
    return c->fields[field].n == 1 && c->fields[field].items[0].kind == CRON_ANY &&
           c->fields[field].items[0].step <= 1;
}

static bool all_values(const struct cron *c, enum cron_field field)
{
    for (size_t i = 0; i < c->fields[field].n; i++)
        if (!is_value(&c->fields[field].items[i]))
            return false;
    return true;
}

size_t cron_fixed_times(const struct cron *c, int ret[CRON_TIMES_MAX])
{
    size_t n = 0;

    if (!all_values(c, CRON_SECOND) || !all_values(c, CRON_MINUTE) || !all_values(c, CRON_HOUR))
        return 0;
    for (uint32_t hours = c->hour; hours != 0; hours &= hours - 1)
        for (uint64_t minutes = c->minute; minutes != 0; minutes &= minutes - 1)
            for (uint64_t seconds = c->second; seconds != 0; seconds &= seconds - 1) {
                if (n == CRON_TIMES_MAX)
                    return 0;
                ret[n++] =
                    __builtin_ctz(hours) * 3600 + __builtin_ctzll(minutes) * 60 + __builtin_ctzll(seconds);
            }
    return n;
}

/* Entries are written twice: once to nowhere, to know which is the last. */
struct entries {
    cron_entry_fn write;
    struct buf *out; /* NULL: only count */
    const char *last;
    size_t total;
    size_t n;
};

static void entries_add(struct entries *e, const struct cron_item *item)
{
    e->n++;
    if (e->out == NULL)
        return;
    if (e->n > 1)
        buf_add_cstr(e->out, e->n == e->total ? e->last : ", ");
    e->write(item, e->out);
}

/* The values of one entry with a step, each as an entry. */
static void entries_expand(struct entries *e, const struct cron_item *item, const struct cron_limits *limits)
{
    int span = limits->max - limits->min + 1;
    int from = item->kind == CRON_ANY ? limits->min : item->from;
    int to = item->kind == CRON_RANGE ? item->to : limits->max;
    int length = to - from + 1 + (to < from ? span : 0);

    for (int k = 0; k < length; k += item->step == 0 ? 1 : item->step) {
        int value = limits->min + (from - limits->min + k) % span;

        entries_add(e, &(struct cron_item){.kind = CRON_RANGE, .from = value, .to = value});
    }
}

static void entries_walk(struct entries *e, const struct cron_items *items, const struct cron_limits *expand)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct cron_item *item = &items->items[i];

        if (expand != NULL && (item->kind == CRON_ANY || item->step > 1))
            entries_expand(e, item, expand);
        else
            entries_add(e, item);
    }
}

void cron_write_entries(const struct cron *c, enum cron_field field, bool expand, const char *last,
                        cron_entry_fn write, struct buf *out)
{
    const struct cron_limits *limits = expand ? cron_limits(field) : NULL;
    struct entries count = {0};
    struct entries e = {.write = write, .out = out, .last = last};

    entries_walk(&count, &c->fields[field], limits);
    e.total = count.n;
    entries_walk(&e, &c->fields[field], limits);
}

void cron_describe(const struct cron *c, enum cron_lang lang, struct buf *out)
{
    switch (lang) {
    case CRON_EN:
        cron_describe_en(c, out);
        break;
    case CRON_KO:
        cron_describe_ko(c, out);
        break;
    }
}
