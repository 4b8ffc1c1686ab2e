/*
 * value.c: texts to values by kind, and back. Limits are named in the units the user writes.
 */
#include "config/value.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

struct unit {
    const char *name;
    int64_t scale;
};

/* In thousandths of a second, so that ms is whole. Largest first, for printing. */
static const struct unit time_units[] = {
    {"d", INT64_C(86400000)}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit size_units[] = {
    {"GiB", INT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};

/* Splits "30s" into its number and the scale of its unit; false when the unit is none of `units`. */
static bool split_unit(struct str text, const struct unit *units, size_t n, int64_t bare,
                       struct str *ret_number, int64_t *ret_scale)
{
    size_t digits = 0;
    struct str unit;

    while (digits < text.n && strchr("0123456789.-+", text.p[digits]) && text.p[digits] != '\0')
        digits++;
    *ret_number = (struct str){text.p, digits};
    unit = str_trim((struct str){text.p + digits, text.n - digits});
    *ret_scale = bare;
    if (unit.n == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (str_eq_nocase(unit, str_of(units[i].name))) {
            *ret_scale = units[i].scale;
            return true;
        }
    }
    return false;
}

bool value_duration(struct str text, int64_t *ret_us)
{
    struct str number;
    int64_t scale;
    int64_t us;

    if (!split_unit(str_trim(text), time_units, COUNT_OF(time_units), 1000, &number, &scale) ||
        !str_to_us(number, &us))
        return false;
    if (scale == 1) {
        *ret_us = us / 1000;
        return true;
    }
    return !__builtin_mul_overflow(us, scale / 1000, ret_us);
}

bool value_size(struct str text, int64_t *ret_bytes)
{
    struct str number;
    int64_t scale;
    int64_t n;

    if (!split_unit(str_trim(text), size_units, COUNT_OF(size_units), 1, &number, &scale) ||
        !str_to_i64(number, &n))
        return false;
    return !__builtin_mul_overflow(n, scale, ret_bytes);
}

static void add_duration(struct buf *out, int64_t us)
{
    for (size_t i = 0; i < COUNT_OF(time_units); i++) {
        int64_t unit_us = time_units[i].scale * US_PER_MS;

        if (us % unit_us == 0 && (us != 0 || strcmp(time_units[i].name, "s") == 0)) {
            buf_add_i64(out, us / unit_us);
            buf_add_cstr(out, time_units[i].name);
            return;
        }
    }
    buf_addf(out, "%lld.%06llds", (long long)(us / US_PER_S), (long long)(us % US_PER_S));
}

static void add_size(struct buf *out, int64_t bytes)
{
    for (size_t i = 0; i < COUNT_OF(size_units); i++) {
        if (bytes != 0 && bytes % size_units[i].scale == 0 && size_units[i].scale > 1) {
            buf_add_i64(out, bytes / size_units[i].scale);
            buf_add_cstr(out, size_units[i].name);
            return;
        }
    }
    buf_add_i64(out, bytes);
}

static void add_number(struct buf *out, const struct setting *t, int64_t v)
{
    switch (t->kind) {
    case SETTING_DURATION:
        add_duration(out, v);
        return;
    case SETTING_SIZE:
        add_size(out, v);
        return;
    case SETTING_COUNT:
        buf_add_i64(out, v);
        return;
    case SETTING_TEXT:
    case SETTING_CHOICE:
    case SETTING_LIST:
    case SETTING_BOOL:
        break;
    }
    must_failed("a number", __FILE__, __LINE__);
}

static void *place(struct settings *s, const struct setting *t)
{
    return (char *)s + t->offset;
}

static bool is_choice(const char *choices, struct str word)
{
    struct str rest = str_of(choices);
    struct str one;

    while (str_cut(&rest, '|', &one)) {
        if (str_eq(one, word))
            return true;
    }
    return false;
}

/* "a, b or c", for messages. */
static void add_choices(struct buf *out, const char *choices)
{
    struct str rest = str_of(choices);
    struct str one;
    bool first = true;

    while (str_cut(&rest, '|', &one)) {
        buf_add_cstr(out, first ? "" : rest.p ? ", " : " or ");
        buf_add(out, one);
        first = false;
    }
}

static enum err refuse_choice(const struct setting *t, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, sizeof(err->text));
    add_choices(&text, t->choices);
    return error_set(err, ERR_INVALID, NULL, "must be %s", buf_cstr(&text));
}

static enum err refuse_number(const struct setting *t, struct error *err)
{
    static const char *const forms[] = {
        [SETTING_COUNT] = "a whole number",
        [SETTING_DURATION] = "seconds, or a number with ms, s, m, h or d such as 30s,",
        [SETTING_SIZE] = "bytes, or a whole number with KiB, MiB or GiB,",
    };
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, sizeof(err->text));
    buf_addf(&text, "must be %s from ", forms[t->kind]);
    add_number(&text, t, t->min);
    buf_add_cstr(&text, " to ");
    add_number(&text, t, t->max);
    return error_set(err, ERR_INVALID, NULL, "%s", buf_cstr(&text));
}

static enum err check_text(const struct setting *t, struct str text, struct error *err)
{
    if (!str_is_utf8(text))
        return error_set(err, ERR_INVALID, NULL, "must be UTF-8 text without NUL");
    if (text.n == 0 && t->fallback[0] != '\0')
        return error_set(err, ERR_INVALID, NULL, "must not be empty");
    if (t->choices && !is_choice(t->choices, text))
        return refuse_choice(t, err);
    if (t->check && text.n > 0)
        return t->check(text, err);
    return ERR_NONE;
}

static enum err set_text(char **to, const struct setting *t, struct str text, struct error *err)
{
    char *copy;
    enum err e = check_text(t, text, err);

    if (e)
        return e;
    e = alloc_str(text, &copy, err);
    if (e)
        return e;
    alloc_free(*to);
    *to = copy;
    return ERR_NONE;
}

static bool parse_number(const struct setting *t, struct str text, int64_t *ret)
{
    if (t->kind == SETTING_DURATION)
        return value_duration(text, ret);
    if (t->kind == SETTING_SIZE)
        return value_size(text, ret);
    return str_to_i64(text, ret);
}

static enum err set_number(int64_t *to, const struct setting *t, struct str text, struct error *err)
{
    int64_t v;

    if (!parse_number(t, text, &v) || v < t->min || v > t->max)
        return refuse_number(t, err);
    *to = v;
    return ERR_NONE;
}

static enum err set_bool(bool *to, struct str text, struct error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq_nocase(text, str_of(words[i].word))) {
            *to = words[i].value;
            return ERR_NONE;
        }
    }
    return error_set(err, ERR_INVALID, NULL, "must be true or false");
}

static void list_done(struct settings_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        alloc_free(l->items[i]);
    alloc_free(l->items);
    *l = (struct settings_list){0};
}

/* Lower case, since words are choices or header names; the same word twice is one. */
static enum err list_add(struct settings_list *l, const struct setting *t, struct str item, struct error *err)
{
    char *copy;
    enum err e = check_text(t, item, err);

    if (!e && item.n == 0)
        e = error_set(err, ERR_INVALID, NULL, "has an empty item");
    if (!e)
        e = alloc_str(item, &copy, err);
    if (e)
        return e;
    for (char *p = copy; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    if (settings_list_has(l, copy)) {
        alloc_free(copy);
        return ERR_NONE;
    }
    e = alloc_resize((void **)&l->items, l->n + 1, sizeof(l->items[0]), err);
    if (e) {
        alloc_free(copy);
        return e;
    }
    l->items[l->n++] = copy;
    return ERR_NONE;
}

enum err value_set_list(struct settings *s, const struct setting *t, const struct str *items, size_t n,
                        struct error *err)
{
    struct settings_list made = {0};
    struct settings_list *to = place(s, t);

    MUST(t->kind == SETTING_LIST);
    if (n == 0 && t->choices)
        return error_set(err, ERR_INVALID, NULL, "must name at least one");
    for (size_t i = 0; i < n; i++) {
        enum err e = list_add(&made, t, items[i], err);

        if (e) {
            list_done(&made);
            return e;
        }
    }
    list_done(to);
    *to = made;
    return ERR_NONE;
}

enum { LIST_MAX = 64 };

static enum err set_list(struct settings *s, const struct setting *t, struct str text, struct error *err)
{
    struct str items[LIST_MAX];
    struct str rest = str_trim(text);
    struct str one;
    size_t n = 0;

    while (rest.n > 0 && str_cut(&rest, ',', &one)) {
        if (n == LIST_MAX)
            return error_set(err, ERR_INVALID, NULL, "must have at most %d items", LIST_MAX);
        items[n++] = str_trim(one);
    }
    return value_set_list(s, t, items, n, err);
}

enum err value_set(struct settings *s, const struct setting *t, struct str text, struct error *err)
{
    switch (t->kind) {
    case SETTING_TEXT:
    case SETTING_CHOICE:
        return set_text(place(s, t), t, text, err);
    case SETTING_LIST:
        return set_list(s, t, text, err);
    case SETTING_COUNT:
    case SETTING_DURATION:
    case SETTING_SIZE:
        return set_number(place(s, t), t, text, err);
    case SETTING_BOOL:
        return set_bool(place(s, t), text, err);
    }
    return error_set(err, ERR_INTERNAL, NULL, "a setting of no kind");
}

/* "scheme://user:password@host" with the part before @ hidden. A URL without any is shown whole. */
static void add_url(struct buf *out, const char *url)
{
    const char *authority = strstr(url, "://");
    const char *at;

    if (authority) {
        authority += strlen("://");
        at = memrchr(authority, '@', strcspn(authority, "/?#"));
        if (at) {
            buf_add(out, (struct str){url, (size_t)(authority - url)});
            buf_add_cstr(out, "***");
            url = at;
        }
    }
    buf_add_cstr(out, url);
}

static void add_text(struct buf *out, const struct setting *t, const char *text)
{
    if (t->secret && text[0] != '\0')
        buf_add_cstr(out, "***");
    else if (t->url)
        add_url(out, text);
    else
        buf_add_cstr(out, text);
}

static void add_list(struct buf *out, const struct settings_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        buf_add_cstr(out, i ? "," : "");
        buf_add_cstr(out, l->items[i]);
    }
}

void value_add(const struct settings *s, const struct setting *t, struct buf *out)
{
    const char *at = (const char *)s + t->offset;

    switch (t->kind) {
    case SETTING_TEXT:
    case SETTING_CHOICE:
        add_text(out, t, *(char *const *)(const void *)at);
        return;
    case SETTING_LIST:
        add_list(out, (const struct settings_list *)(const void *)at);
        return;
    case SETTING_COUNT:
    case SETTING_DURATION:
    case SETTING_SIZE:
        add_number(out, t, *(const int64_t *)(const void *)at);
        return;
    case SETTING_BOOL:
        buf_add_cstr(out, *(const bool *)(const void *)at ? "true" : "false");
        return;
    }
}

void value_free(struct settings *s, const struct setting *t)
{
    char **text = place(s, t);

    if (t->kind == SETTING_LIST) {
        list_done(place(s, t));
    } else if (t->kind == SETTING_TEXT || t->kind == SETTING_CHOICE) {
        alloc_free(*text);
        *text = NULL;
    }
}

bool settings_list_has(const struct settings_list *l, const char *word)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->items[i], word) == 0)
            return true;
    }
    return false;
}
