/*
 * decode.c: objects read by tables, faults by pointers. See decode.h.
 */
#include "model/decode.h"

#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* No object in a definition is nested deeper than /task/connection/tls/insecure. */
enum { PATH_MAX_DEPTH = 8 };

static void make_pointer(const struct path *at, char *ret, size_t size)
{
    const struct path *chain[PATH_MAX_DEPTH];
    size_t n = 0;

    for (; at; at = at->up) {
        MUST(n < COUNT_OF(chain));
        chain[n++] = at;
    }
    ret[0] = '\0';
    while (n > 0)
        json_pointer_add(ret, size, chain[--n]->name);
}

static void add_fault(struct decoder *d, enum err code, const struct path *at, const char *text)
{
    char pointer[sizeof(d->faults->items[0].where)];

    make_pointer(at, pointer, sizeof(pointer));
    if (d->first == ERR_NONE)
        d->first = code;
    (void)error_list_add(d->faults, code, pointer, "%s", text);
}

PRINTF_LIKE(3, 0)
static void add_invalid(struct decoder *d, const struct path *at, const char *format, va_list args)
{
    char text[sizeof(d->faults->items[0].text)];

    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    add_fault(d, ERR_INVALID, at, text);
}

void decode_fault(struct decoder *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_invalid(d, d->at, format, args);
    va_end(args);
}

void decode_fault_at(struct decoder *d, struct str member, const char *format, ...)
{
    const struct path at = {d->at, member};
    va_list args;

    va_start(args, format);
    add_invalid(d, &at, format, args);
    va_end(args);
}

void decode_error_at(struct decoder *d, struct str member, const struct error *err)
{
    const struct path at = {d->at, member};

    if (err->code == ERR_MEMORY)
        decode_no_memory(d);
    else
        add_fault(d, err->code, &at, err->text);
}

void decode_no_memory(struct decoder *d)
{
    /* The one fault that goes before all others: the caller must not be told that the definition is wrong. */
    d->first = ERR_MEMORY;
    (void)error_list_add(d->faults, ERR_MEMORY, "", "out of memory for the definition");
}

static const struct member *find_member(const struct member *table, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(table[i].name, name))
            return &table[i];
    }
    return NULL;
}

static void read_member(struct decoder *d, const struct member *m, json_t *v)
{
    const struct path at = {d->at, m->name};
    size_t faults = d->faults->n + d->faults->dropped;

    d->present |= m->given;
    d->at = &at;
    m->read(d, m, v);
    d->at = at.up;
    if (d->faults->n + d->faults->dropped == faults)
        d->given |= m->given;
}

void decode_members(struct decoder *d, const struct member *table, size_t n, json_t *v)
{
    uint64_t seen = 0;

    MUST(n <= 64);
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
        const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
        const struct member *m = find_member(table, n, name);
        json_t *value = json_object_iter_value(it);

        if (!m) {
            decode_fault_at(d, name, "no such member");
            continue;
        }
        if (json_is_null(value))
            continue;
        seen |= UINT64_C(1) << (m - table);
        read_member(d, m, value);
    }
    for (size_t i = 0; i < n; i++) {
        if (table[i].required && !(seen & (UINT64_C(1) << i)))
            decode_fault_at(d, table[i].name, "is required");
    }
}

static void *place(const struct decoder *d, const struct member *m)
{
    return (char *)d->s + m->offset;
}

void read_text(struct decoder *d, const struct member *m, json_t *v)
{
    struct str s;

    if (!json_is_string(v)) {
        decode_fault(d, "must be a string");
        return;
    }
    s = json_str(v);
    if (s.n < (size_t)m->min)
        decode_fault(d, "must not be empty");
    else if (s.n > (size_t)m->max)
        decode_fault(d, "must be at most %lld bytes long (it is %zu)", (long long)m->max, s.n);
    else
        *(struct str *)place(d, m) = s;
}

void read_bool(struct decoder *d, const struct member *m, json_t *v)
{
    if (!json_is_boolean(v))
        decode_fault(d, "must be true or false");
    else
        *(bool *)place(d, m) = json_is_true(v);
}

/* A number times `scale`, rounded; false when it is no number or out of all range. */
static bool scaled(const json_t *v, int64_t scale, int64_t *ret)
{
    double product;

    if (json_is_integer(v))
        return !__builtin_mul_overflow((int64_t)json_integer_value(v), scale, ret);
    if (!json_is_real(v))
        return false;
    product = json_real_value(v) * (double)scale;
    if (!(fabs(product) < 9e18))
        return false;
    *ret = llround(product);
    return true;
}

/* "0.001", "86400": a count of `scale`ths without needless digits. */
static void scaled_text(int64_t v, int64_t scale, char ret[32])
{
    if (snprintf(ret, 32, "%.9g", (double)v / (double)scale) < 0)
        ret[0] = '\0';
}

static void read_scaled(struct decoder *d, const struct member *m, json_t *v, int64_t scale, const char *what)
{
    char low[32];
    char high[32];
    int64_t n;

    if (!json_is_number(v)) {
        decode_fault(d, "must be %s", what);
        return;
    }
    if (!scaled(v, scale, &n) || n < m->min || n > m->max) {
        scaled_text(m->min, scale, low);
        scaled_text(m->max, scale, high);
        decode_fault(d, "must be %s from %s to %s", what, low, high);
        return;
    }
    *(int64_t *)place(d, m) = n;
}

void read_seconds(struct decoder *d, const struct member *m, json_t *v)
{
    read_scaled(d, m, v, US_PER_S, "a number of seconds");
}

void read_milli(struct decoder *d, const struct member *m, json_t *v)
{
    read_scaled(d, m, v, 1000, "a number");
}

void read_integer(struct decoder *d, const struct member *m, json_t *v)
{
    int64_t n;

    if (!json_is_integer(v)) {
        decode_fault(d, "must be a whole number");
        return;
    }
    n = json_integer_value(v);
    if (n < m->min)
        decode_fault(d, "must be at least %lld", (long long)m->min);
    else if (n > m->max)
        decode_fault(d, "must be at most %lld", (long long)m->max);
    else
        *(int64_t *)place(d, m) = n;
}

static void words_text(const struct words *words, char *ret, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < words->n; i++) {
        int n = snprintf(ret + at, size - at, "%s\"%s\"",
                         i == 0              ? ""
                         : i + 1 == words->n ? " or "
                                             : ", ",
                         words->word[i]);

        if (n < 0 || (size_t)n >= size - at)
            break;
        at += (size_t)n;
    }
    ret[at] = '\0';
}

void read_word(struct decoder *d, const struct member *m, json_t *v)
{
    char list[128];
    unsigned i;

    _Static_assert(sizeof(enum schedule_type) == sizeof(unsigned), "enums are written as unsigned");
    if (json_is_string(v) && words_find(m->words, json_str(v), &i)) {
        memcpy(place(d, m), &i, sizeof(i));
        return;
    }
    words_text(m->words, list, sizeof(list));
    decode_fault(d, "must be %s", list);
}

void read_any(struct decoder *d, const struct member *m, json_t *v)
{
    *(json_t **)place(d, m) = v;
}

void read_object(struct decoder *d, const struct member *m, json_t *v)
{
    if (json_is_object(v))
        decode_members(d, m->table, m->table_n, v);
    else
        decode_fault(d, "must be an object");
}
