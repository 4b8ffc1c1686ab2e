/*
 * secret_hide.c: a target may send back what it was sent, secrets and all: they are looked for in its answer
 * before it is kept. See secret.h.
 *
 * The answer is read as it stands and with its escapes or its base64 undone, once and twice over; what is
 * found in any of these readings is hidden where the answer says it. All in time linear in answer and
 * secrets, since both are others'.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/names.h"
#include "model/needles.h"
#include "model/reading.h"
#include "model/secret.h"

enum {
    PIECE_MIN = 8,  /* parts of a value that are shorter are words, not secrets */
    USER_MIN = 3,   /* shorter ones are not hidden alone */
    DENSE_MIN = 4,  /* shorter ones are found everywhere by chance in what base64 says */
    UNDONE_MIN = 4, /* shorter ones are not looked for, when it takes undoing to get from a secret to them */
    VALUE_MAX = 64 * 1024,
};

/* What is looked for; longer ones than `most` can only be seen in part, where the text is cut. */
struct search {
    struct needles needles;
    size_t most;
    bool cut;
};

static void add_one(struct search *l, struct str s)
{
    if (s.n > l->most && !l->cut)
        return;
    needles_add(&l->needles, (struct str){s.p, s.n < l->most ? s.n : l->most});
}

static void fail(struct search *l, enum err e)
{
    if (e && !l->needles.failed)
        l->needles.failed = e;
}

/*
 * When an escape is undone in the answer, what looks like one in the secret is undone with it: so it is
 * looked for in that form as well.
 */
static void add_undone(struct search *l, struct str s)
{
    struct reading whole;
    struct reading once = {0};
    enum err e = reading_init(&whole, s.n, NULL);

    if (!e)
        e = reading_init(&once, s.n, NULL);
    fail(l, e);
    if (!e) {
        reading_plain(&whole, s, false);
        if (reading_unescape(&whole, READING_MIXED, &once) != 0 && once.n >= UNDONE_MIN)
            add_one(l, (struct str){once.p, once.n});
        if (reading_unescape(&once, READING_MIXED, &whole) != 0 && whole.n >= UNDONE_MIN)
            add_one(l, (struct str){whole.p, whole.n});
    }
    reading_done(&whole);
    reading_done(&once);
}

/* As base64 has it, when that is too short to be read. */
static void add_short_base64(struct search *l, struct str s)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, VALUE_MAX);
    base64_add(&b, (const uint8_t *)s.p, s.n);
    fail(l, buf_check(&b, NULL, NULL));
    add_one(l, buf_str(&b));
}

/* As one has it who takes the bytes of a header for ISO 8859-1, as many do. */
static void add_latin(struct search *l, struct str s)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, VALUE_MAX);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x80) {
            buf_add_char(&b, (char)(0xC0 | c >> 6));
            c = 0x80 | (c & 0x3F);
        }
        buf_add_char(&b, (char)c);
    }
    fail(l, buf_check(&b, NULL, NULL));
    add_one(l, buf_str(&b));
}

static void add(struct search *l, struct str s)
{
    bool escapes = false;
    bool ascii = true;

    if (s.n == 0)
        return;
    for (size_t i = 0; i < s.n; i++) {
        escapes = escapes || s.p[i] == '\\' || s.p[i] == '%' || s.p[i] == '&';
        ascii = ascii && (unsigned char)s.p[i] < 0x80;
    }
    add_one(l, s);
    if (escapes)
        add_undone(l, s);
    if (!ascii)
        add_latin(l, s);
    if (s.n < DENSE_MIN)
        add_short_base64(l, s);
}

static void add_user(struct search *l, struct str userinfo)
{
    struct str rest = userinfo;
    struct str user;

    add(l, userinfo);
    if (!str_cut(&rest, ':', &user))
        return;
    if (user.n >= USER_MIN)
        add(l, user);
    if (rest.p)
        add(l, rest);
}

/* --- headers --- */

static bool separates(char c)
{
    return c == ' ' || c == ',' || c == ';' || c == '=' || c == '\t' || c == '"';
}

/* What in it is long enough to be a secret of its own. */
static void add_pieces(struct search *l, struct str value)
{
    size_t from = 0;

    for (size_t i = 0; i <= value.n; i++) {
        if (i < value.n && !separates(value.p[i]))
            continue;
        if (i - from >= PIECE_MIN && i - from < value.n)
            add(l, (struct str){value.p + from, i - from});
        from = i + 1;
    }
}

/* User and password. Either alphabet, with padding or without. */
static void add_basic(struct search *l, struct str token)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(alloc_free_p) char *bytes = NULL;
    size_t n = 0;

    buf_init(&text, VALUE_MAX);
    for (size_t i = 0; i < token.n; i++)
        buf_add_char(&text, token.p[i] == '-' ? '+' : token.p[i] == '_' ? '/' : token.p[i]);
    while (text.n % 4 != 0 && buf_ok(&text))
        buf_add_char(&text, '=');
    fail(l, buf_check(&text, NULL, NULL));
    fail(l, alloc_bytes(text.n, &bytes, NULL));
    if (!l->needles.failed && base64_read(buf_str(&text), (uint8_t *)bytes, text.n, &n))
        add_user(l, (struct str){bytes, n});
}

/* "Bearer", and any other word where there is always one. */
static bool is_scheme(struct str header, struct str word)
{
    static const struct str known[] = {
        WORD("basic"),  WORD("bearer"), WORD("token"), WORD("apikey"),    WORD("api-key"), WORD("key"),
        WORD("digest"), WORD("dpop"),   WORD("hawk"),  WORD("negotiate"), WORD("secret"),  WORD("password"),
    };
    static const struct str ending = WORD("authorization");

    if (header.n >= ending.n && str_eq_nocase((struct str){header.p + header.n - ending.n, ending.n}, ending))
        return true;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_eq_nocase(word, known[i]))
            return true;
    }
    return false;
}

static void add_value(struct search *l, struct str header, struct str value)
{
    struct str trimmed = str_trim(value);
    struct str rest = trimmed;
    struct str word;

    add(l, value);
    if (trimmed.n < value.n)
        add(l, trimmed);
    add_pieces(l, value);
    if (!str_cut(&rest, ' ', &word) || !rest.p || !is_scheme(header, word))
        return;
    rest = str_trim(rest);
    add(l, rest);
    if (str_eq_nocase(word, STR("basic")))
        add_basic(l, rest);
}

static void add_headers(struct search *l, const struct schedule *s, const struct schedule_rules *rules)
{
    json_t *headers = s->task.headers;

    for (void *it = json_object_iter(headers); it; it = json_object_iter_next(headers, it)) {
        const struct str name = {json_object_iter_key(it), json_object_iter_key_len(it)};
        const json_t *value = json_object_iter_value(it);

        if (json_is_string(value) && secret_header(rules, name))
            add_value(l, name, json_str(value));
    }
}

/* --- the URL --- */

static void add_decoded(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? str_hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? str_hex_value(s.p[i + 2]) : -1;

        if (low >= 0) {
            buf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(out, s.p[i]);
        }
    }
}

static void add_userinfo(struct search *l, struct str url)
{
    CLEANUP(buf_done_p) struct buf decoded = {0};
    struct str userinfo;

    if (!secret_userinfo(url, &userinfo))
        return;
    buf_init(&decoded, VALUE_MAX);
    add_user(l, userinfo);
    add_decoded(&decoded, userinfo);
    fail(l, buf_check(&decoded, NULL, NULL));
    add_user(l, buf_str(&decoded));
}

/* --- looked for --- */

/* Which bytes of the text are hidden: how many more begin to be at each than end. */
struct cover {
    int32_t *edges;
    size_t n; /* bytes of the text */
};

static void cover_add(struct cover *c, size_t from, size_t to)
{
    c->edges[from]++;
    c->edges[to]--;
}

static void look(const struct needles *l, const struct reading *r, size_t least, struct cover *c)
{
    uint32_t at = 0;

    for (size_t i = 0; i < r->n; i++) {
        size_t n;

        at = needles_step(l, at, r->p[i]);
        n = needles_ended(l, at);
        if (n >= least)
            cover_add(c, r->from[i + 1 - n], r->to[i]);
    }
    if (r->open && needles_begun(l, at) >= least)
        cover_add(c, r->from[r->n - needles_begun(l, at)], c->n);
}

struct readings {
    struct reading r[3]; /* the text, undone once, undone twice */
    const struct needles *l;
    struct cover *c;
};

static void look_at(struct readings *all, size_t times, size_t least)
{
    look(all->l, &all->r[times], least, all->c);
}

/* A text may hold base64 of what holds base64. */
static void undo_base64(struct readings *all, size_t times)
{
    for (unsigned phase = 0; phase < READING_PHASES && reading_has_base64(&all->r[times]); phase++) {
        reading_base64(&all->r[times], phase, &all->r[times + 1]);
        if (all->r[times + 1].n == 0)
            continue;
        look_at(all, times + 1, DENSE_MIN);
        if (times > 0)
            continue;
        undo_base64(all, 1);
        if (reading_unescape(&all->r[1], READING_MIXED, &all->r[2]) != 0)
            look_at(all, 2, DENSE_MIN);
    }
}

/*
 * All kinds at once, since a text may mix them. Then one by one, since an encoder that wrote over another's
 * escapes leaves something that only comes out right in that way; unless there is one kind only.
 */
static void undo_escapes(struct readings *all)
{
    static const unsigned kinds[] = {READING_BACKSLASH, READING_PERCENT, READING_ENTITY};
    unsigned found = reading_unescape(&all->r[0], READING_MIXED, &all->r[1]);

    if (found == 0)
        return;
    look_at(all, 1, 1);
    undo_base64(all, 1);
    if (reading_unescape(&all->r[1], READING_MIXED, &all->r[2]) != 0)
        look_at(all, 2, 1);
    for (size_t a = 0; a < COUNT_OF(kinds); a++) {
        if (reading_unescape(&all->r[0], kinds[a], &all->r[1]) == 0)
            continue;
        if (found != kinds[a])
            look_at(all, 1, 1);
        for (size_t b = 0; b < COUNT_OF(kinds); b++) {
            if (reading_unescape(&all->r[1], kinds[b], &all->r[2]) != 0)
                look_at(all, 2, 1);
        }
    }
}

static void look_everywhere(struct readings *all)
{
    look_at(all, 0, 1);
    undo_escapes(all);
    undo_base64(all, 0);
}

static void write_rest(struct str text, const struct cover *c, struct buf *out)
{
    int32_t depth = 0;
    size_t from = 0;

    for (size_t i = 0; i <= text.n; i++) {
        bool was = depth > 0;

        depth += c->edges[i];
        if (!was && depth > 0)
            buf_add(out, (struct str){text.p + from, i - from});
        if (was && depth == 0)
            buf_add_cstr(out, SECRET_MASK);
        if (was || depth > 0)
            from = i;
    }
    buf_add(out, (struct str){text.p + from, text.n - from});
}

static enum err hide(const struct needles *l, struct str text, bool cut, struct buf *out, struct error *err)
{
    CLEANUP(alloc_free_p) void *edges = NULL;
    struct cover c = {.n = text.n};
    struct readings all = {.l = l, .c = &c};
    enum err e = alloc_array(text.n + 1, sizeof(int32_t), &edges, err);

    for (size_t i = 0; i < COUNT_OF(all.r) && !e; i++)
        e = reading_init(&all.r[i], text.n, err);
    if (!e) {
        c.edges = edges;
        reading_plain(&all.r[0], text, cut);
        look_everywhere(&all);
        write_rest(text, &c, out);
    }
    for (size_t i = 0; i < COUNT_OF(all.r); i++)
        reading_done(&all.r[i]);
    return e;
}

enum err secret_hide(const struct schedule *s, const struct schedule_rules *rules, struct str text, bool cut,
                     struct buf *out, struct error *err)
{
    struct search l = {.most = text.n, .cut = cut};
    enum err e;

    needles_init(&l.needles);
    add_headers(&l, s, rules);
    add_userinfo(&l, s->task.host);
    /* Better no answer than one of which nobody knows what is in it. */
    e = needles_ready(&l.needles, err);
    if (!e && needles_empty(&l.needles))
        buf_add(out, text);
    else if (!e)
        e = hide(&l.needles, text, cut, out, err);
    needles_done(&l.needles);
    return e ? e : buf_check(out, NULL, err);
}
