/*
 * cron_parse.c: from the text of an expression to its fields: macros, the number of fields, what H stands
 * for. The entries of a field are cron_field.c's.
 */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "calendar/cron.h"
#include "calendar/cron_internal.h"

static const struct macro {
    const char *name;
    const char *text;
} MACROS[] = {
    {"@yearly", "0 0 1 1 *"},     {"@annually", "0 0 1 1 *"},   {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},     {"@daily", "0 0 * * *"},      {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},     {"@minutely", "* * * * *"},   {"@secondly", "* * * * * *"},
    {"@weekdays", "0 0 * * 1-5"}, {"@weekends", "0 0 * * 0,6"},
};

/* As much of an unknown macro as a message has room for. */
enum { MACRO_SHOWN_BYTES = 40 };

/* Cuts at blanks; yields how many fields there are, of which the first CRON_FIELDS are in `ret`. */
static size_t split(struct str text, struct str ret[CRON_FIELDS])
{
    size_t n = 0;
    size_t at = 0;

    for (;;) {
        size_t start;

        while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
            at++;
        if (at == text.n)
            return n;
        start = at;
        while (at < text.n && text.p[at] != ' ' && text.p[at] != '\t')
            at++;
        if (n < CRON_FIELDS)
            ret[n] = (struct str){text.p + start, at - start};
        n++;
    }
}

static size_t count_commas(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    return n;
}

/* Text that stands for an expression, or an error that says what to use instead. */
static enum err expand_macro(struct str *text, struct error *err)
{
    struct str first = *text;

    if (first.n == 0 || first.p[0] != '@')
        return ERR_NONE;
    for (size_t i = 0; i < COUNT_OF(MACROS); i++)
        if (str_eq_nocase(first, str_of(MACROS[i].name))) {
            *text = str_of(MACROS[i].text);
            return ERR_NONE;
        }
    if (first.n >= 6 && str_eq_nocase((struct str){first.p, 6}, STR("@every")))
        return error_set(
            err, ERR_INVALID, NULL,
            "@every is no cron expression: use type delay-recur with the seconds as its schedule");
    if (str_eq_nocase(first, STR("@reboot")))
        return error_set(err, ERR_INVALID, NULL, "@reboot is no time: use type now");
    return error_set(
        err, ERR_INVALID, NULL,
        "unknown macro \"%.*s\" (there are @yearly @annually @monthly @weekly @daily @midnight @hourly "
        "@minutely @secondly @weekdays @weekends)",
        (int)(first.n < MACRO_SHOWN_BYTES ? first.n : MACRO_SHOWN_BYTES), first.p);
}

static enum err read_fields(struct cron *c, const struct str *texts, size_t n, uint64_t h_seed,
                            struct error *err)
{
    size_t used = 0;

    for (size_t f = 0; f < CRON_FIELDS; f++) {
        /* Five fields begin with the minute; their second is 0. */
        struct str text = n == CRON_FIELDS ? texts[f] : f == CRON_SECOND ? STR("0") : texts[f - 1];
        char number = (char)f;
        enum err e;

        c->fields[f].items = c->all_items + used;
        e = cron_read_field((enum cron_field)f, text, digest_mix64((struct str){&number, 1}, h_seed),
                            &c->fields[f], err);
        if (e)
            return e;
        used += c->fields[f].n;
    }
    c->has_seconds = n == CRON_FIELDS;
    return ERR_NONE;
}

enum err cron_parse(struct str text, uint64_t h_seed, struct cron **ret, struct error *err)
{
    CLEANUP(cron_free_p) struct cron *c = alloc_new(struct cron);
    struct str texts[CRON_FIELDS];
    size_t n;
    enum err e;

    if (text.n > CRON_TEXT_MAX)
        return error_set(err, ERR_INVALID, NULL, "a cron expression has at most %d bytes", CRON_TEXT_MAX);
    text = str_trim(text);
    e = expand_macro(&text, err);
    if (e)
        return e;
    n = split(text, texts);
    if (n != CRON_FIELDS && n != CRON_FIELDS - 1)
        return error_set(
            err, ERR_INVALID, NULL,
            "a cron expression has 5 fields (minute hour day-of-month month day-of-week), or 6 with "
            "seconds first; this has %zu",
            n);
    e = alloc_array(count_commas(text) + CRON_FIELDS, sizeof(*c->all_items), (void **)&c->all_items, err);
    if (!e)
        e = read_fields(c, texts, n, h_seed, err);
    if (!e)
        e = cron_compile(c, err);
    if (e)
        return e;
    *ret = TAKE(c);
    return ERR_NONE;
}

void cron_free(struct cron *c)
{
    if (c == NULL)
        return;
    alloc_free(c->all_items);
    alloc_free(c);
}
