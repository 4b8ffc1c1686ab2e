/*
 * accept.c: see accept.h.
 *
 * Of what has the highest quality, the type that is named more closely wins; of those, the one that tells a
 * GraphQL answer from a proxy's. So a client that names both gets the newer one, and one that takes anything
 * gets plain JSON, as GraphQL over HTTP asks for.
 */
#include "api/graphql/accept.h"

#include "base/str.h"

enum { RANGES_MAX = 64, QUALITY_MAX = 1000 };

/* How closely a range names a type. */
enum closeness { CLOSE_NOT, CLOSE_ANY, CLOSE_GROUP, CLOSE_NAME };

struct wish {
    enum closeness closeness;
    unsigned quality; /* in thousandths */
};

static const char *const types[] = {
    [MEDIA_NONE] = "application/json; charset=utf-8",
    [MEDIA_JSON] = "application/json; charset=utf-8",
    [MEDIA_RESPONSE] = "application/graphql-response+json; charset=utf-8",
    [MEDIA_EVENTS] = "text/event-stream; charset=utf-8",
    [MEDIA_PAGE] = "text/html; charset=utf-8",
};

const char *graphql_media_type(enum graphql_media m)
{
    return types[m];
}

static struct str essence_of(struct str type)
{
    struct str rest = type;
    struct str essence;

    return str_cut(&rest, ';', &essence) ? str_trim(essence) : (struct str){NULL, 0};
}

static enum closeness closeness_of(struct str range, enum graphql_media m)
{
    struct str essence = essence_of(str_of(types[m]));
    size_t slash = str_find(essence, '/');

    if (str_eq_nocase(range, essence))
        return CLOSE_NAME;
    if (str_eq(range, STR("*/*")))
        return CLOSE_ANY;
    if (range.n == slash + 2 && range.p[slash + 1] == '*' &&
        str_eq_nocase((struct str){range.p, slash + 1}, (struct str){essence.p, slash + 1}))
        return CLOSE_GROUP;
    return CLOSE_NOT;
}

/* "1", "0.5", "0.333": a weight of RFC 9110, 12.4.2. What is none counts as 1. */
static unsigned quality_of(struct str text)
{
    unsigned value = 0;
    unsigned unit = QUALITY_MAX;

    if (text.n == 0 || (text.p[0] != '0' && text.p[0] != '1'))
        return QUALITY_MAX;
    value = text.p[0] == '1' ? QUALITY_MAX : 0;
    for (size_t i = 2; i < text.n && text.p[1] == '.' && unit > 1; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return QUALITY_MAX;
        unit /= 10;
        value += unit * (unsigned)(text.p[i] - '0');
    }
    return value < QUALITY_MAX ? value : QUALITY_MAX;
}

/* Parameters of a range other than its weight do not decide: we have each type once. */
static unsigned quality_in(struct str parameters)
{
    struct str one;

    while (str_cut(&parameters, ';', &one)) {
        one = str_trim(one);
        if (one.n >= 2 && (one.p[0] == 'q' || one.p[0] == 'Q') && one.p[1] == '=')
            return quality_of((struct str){one.p + 2, one.n - 2});
    }
    return QUALITY_MAX;
}

/* The range that names the type most closely decides. */
static struct wish wish_for(struct str header, enum graphql_media m)
{
    struct wish w = {CLOSE_NOT, 0};
    struct str range;

    for (size_t i = 0; i < RANGES_MAX && str_cut(&header, ',', &range); i++) {
        struct str name;
        enum closeness closeness;

        if (!str_cut(&range, ';', &name))
            continue;
        closeness = closeness_of(str_trim(name), m);
        if (closeness <= w.closeness)
            continue;
        w = (struct wish){closeness, quality_in(range)};
    }
    return w;
}

static bool is_better(struct wish a, struct wish b)
{
    return a.quality > b.quality || (a.quality == b.quality && a.closeness > b.closeness);
}

struct graphql_accept graphql_accept(struct str header)
{
    struct str all = header.p && str_trim(header).n > 0 ? header : STR("*/*");
    struct wish json = wish_for(all, MEDIA_JSON);
    struct wish response = wish_for(all, MEDIA_RESPONSE);
    struct wish events = wish_for(all, MEDIA_EVENTS);
    struct wish page = wish_for(all, MEDIA_PAGE);
    struct wish best = json;
    struct graphql_accept a = {.media = json.quality > 0 ? MEDIA_JSON : MEDIA_NONE};

    if (response.quality > 0 &&
        (is_better(response, best) || (response.closeness == CLOSE_NAME && !is_better(best, response)))) {
        a.media = MEDIA_RESPONSE;
        best = response;
    }
    a.events = events.closeness == CLOSE_NAME && events.quality > 0;
    if (a.events && (a.media == MEDIA_NONE || is_better(events, best)))
        a.media = MEDIA_EVENTS;
    a.page = page.closeness == CLOSE_NAME && page.quality > 0 && is_better(page, best);
    return a;
}
