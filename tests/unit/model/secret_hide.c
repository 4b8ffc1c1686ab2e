/*
 * secret_hide.c: tests of what a target may send back: no secret that it was sent is left in it, however it
 * is written there, and what is none stays as it is.
 *
 * By cases, and by chance: a random secret, each of its bytes written in a random way, planted in a random
 * text.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"
#include "model/secret.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 20000 };

/* A definition whose hidden header `name` is `value`. */
static struct schedule *with_header(const char *host, const char *name, struct str value)
{
    CLEANUP(buf_done_p) struct buf b = {0};

    buf_init(&b, TEXT_MAX);
    buf_addf(&b,
             "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"%s\","
             "\"headers\":{\"%s\":",
             host, name);
    buf_add_json(&b, value);
    buf_add_cstr(&b, "}}}}");
    assert_true(buf_ok(&b));
    return fixture_schedule(buf_cstr(&b));
}

static struct str hidden_str(const struct schedule *s, struct str text, bool cut)
{
    static char shown[4 * TEXT_MAX];
    CLEANUP(buf_done_p) struct buf out = {0};
    struct schedule_rules rules = fixture_rules();

    buf_init(&out, sizeof(shown) - 1);
    assert_int_equal(secret_hide(s, &rules, text, cut, &out, NULL), ERR_NONE);
    memcpy(shown, buf_cstr(&out), out.n + 1);
    return (struct str){shown, out.n};
}

static const char *hidden_in(const struct schedule *s, const char *text, bool cut)
{
    return hidden_str(s, str_of(text), cut).p;
}

/* Each text as it is to be shown. */
struct shown {
    const char *text;
    const char *as;
};

static void check_header(const char *name, const char *value, const struct shown *cases, size_t n)
{
    CLEANUP(schedule_unref_p) struct schedule *s = with_header("http://h/", name, str_of(value));

    for (size_t i = 0; i < n; i++)
        assert_string_equal(hidden_in(s, cases[i].text, false), cases[i].as);
}
#define CHECK_HEADER(name, value, ...)                                                                       \
    check_header(name, value, (const struct shown[]){__VA_ARGS__},                                           \
                 COUNT_OF(((const struct shown[]){__VA_ARGS__})))

static void an_answer_shows_nothing_that_is_hidden(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_schedule(
        "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":"
        "\"https://us%40er:pa-ss@h/p\",\"headers\":{\"Authorization\":\"Bearer tok\\\"en/12345\","
        "\"X-Hidden\":\"7\",\"Accept\":\"shown\"}}}}");

    (void)state;
    assert_string_equal(hidden_in(s, "got Bearer tok\"en/12345, shown", false), "got ***, shown");
    assert_string_equal(hidden_in(s, "{\"a\":\"Bearer tok\\\"en/12345\"}", false), "{\"a\":\"***\"}");
    assert_string_equal(hidden_in(s, "{\"a\":\"Bearer tok\\\"en\\/12345\"}", false), "{\"a\":\"***\"}");
    assert_string_equal(hidden_in(s, "en/12345", false), "***"); /* a part that is long enough to tell */
    assert_string_equal(hidden_in(s, "1 7 8", false), "1 *** 8");
    assert_string_equal(hidden_in(s, "us@er and pa-ss", false), "*** and ***");
    assert_string_equal(hidden_in(s, "us%40er:pa-ss", false), "***");
    assert_string_equal(hidden_in(s, "Basic dXNAZXI6cGEtc3M=", false), "Basic ***");
    assert_string_equal(hidden_in(s, "nothing of it", false), "nothing of it");
    assert_string_equal(hidden_in(s, "", false), "");
}

static void a_secret_that_json_escapes_is_hidden(void **state)
{
    (void)state;
    CHECK_HEADER(
        "X-Hidden", "a+b&c/d\"e\\f", {"a+b&c/d\"e\\f", "***"}, {"[\"a+b&c\\/d\\\"e\\\\f\"]", "[\"***\"]"},
        {"a\\u002Bb\\u0026c\\u002fd\\u0022e\\u005Cf.", "***."}, {"a\\x2bb\\x26c/d\\\"e\\\\f.", "***."},
        {"\\u0061+b&c/d\"e\\f", "***"}, {"\\u0061+b&c/d\"e\\u005G", "\\u0061+b&c/d\"e\\u005G"});
    CHECK_HEADER("X-Hidden", "caf\xc3\xa9-\xf0\x9f\x98\x80-\xe2\x82\xac",
                 {"caf\\u00e9-\\ud83d\\uDE00-\\u20AC!", "***!"},
                 {"<caf\xc3\xa9-\xf0\x9f\x98\x80-\xe2\x82\xac>", "<***>"},
                 {"caf%c3%A9-%F0%9F%98%80-%e2%82%ac", "***"}, {"caf&#233;-&#x1F600;-&#8364;", "***"},
                 {"caf\\xc3\\xa9-\\xf0\\x9f\\x98\\x80-\\xe2\\x82\\xac", "***"},
                 /* taken for ISO 8859-1 */
                 {"caf\\u00c3\\u00a9-\\u00f0\\u009f\\u0098\\u0080-\\u00e2\\u0082\\u00ac", "***"});
}

static void a_secret_in_an_url_or_a_form_is_hidden(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "a+b c/d%e", {"?q=a%2Bb+c%2Fd%25e&x", "?q=***&x"}, {"a%2bb%20c/d%25e", "***"},
                 {"%61%2b%62+%63%2f%64%25%65", "***"}, {"a b c/d%e", "***"}, {"a%2Bb%2", "a%2Bb%2"});
}

static void a_secret_in_html_is_hidden(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "a&b<c>\"d'e+f=", {"<p>a&amp;b&lt;c&gt;&quot;d&#39;e+f=</p>", "<p>***</p>"},
                 {"a&#38;b&#x3c;c&#X3E;&#34;d&apos;e&#43;f&#61;", "***"},
                 {"a&#00038;b&lt;c&gt;&quot;d&#x27;e&plus;f&equals;", "***"},
                 {"a&amp;b&lt;c&gt;&quot;d&#39;e&#44;f=", "a&amp;b&lt;c&gt;&quot;d&#39;e&#44;f="});
}

static void a_secret_in_base64_is_hidden_with_what_shares_its_characters(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "k?~>secret", {"\"az9+PnNlY3JldA==\"", "\"***\""}, {"az9-PnNlY3JldA", "***"},
                 {"az9%2BPnNlY3JldA%3D%3D", "***"}, {"az9+PnNl\r\nY3JldA==\r\n", "***\r\n"},
                 /* "1k?~>secret2", "12k?~>secret3" */
                 {"MWs/fj5zZWNyZXQy", "M***y"}, {"MTJrP34+c2VjcmV0Mw==", "MT***Mw=="});
    CHECK_HEADER("X-Hidden", "pw1", {"cHcx", "***"}, {"cHcy", "cHcy"});
}

static void two_encodings_one_within_the_other_hide_nothing_from_us(void **state)
{
    (void)state;
    /* JSON in JSON, URL in JSON, JSON in URL, HTML in JSON, JSON in base64, base64 in JSON, base64 twice. */
    CHECK_HEADER("X-Hidden", "s+cr\"et/7890", {"s\\\\u002bcr\\\\\\\"et\\\\/7890", "***"},
                 {"s%2bcr\\u002522et\\u002F7890", "***"}, {"s%5Cu002bcr%5C%22et%5C%2F7890", "***"},
                 {"s&#43;cr\\u0026quot;et\\/7890", "***"},
                 {"{\"b\":\"eyJhIjoicytjclwiZXRcLzc4OTAifQ==\"}", "{\"b\":\"eyJhIjoi***ifQ==\"}"},
                 {"cytjciJldC83ODkw", "***"}, {"Y3l0amNpSmxkQzgzT0Rrdw==", "***"});
}

static void user_and_password_of_a_basic_header_are_hidden_one_by_one(void **state)
{
    (void)state;
    /* user:p+w */
    CHECK_HEADER("Authorization", "Basic dXNlcjpwK3c=", {"Basic dXNlcjpwK3c=", "***"},
                 {"dXNlcjpwK3c=", "***"}, {"user:p+w", "***"},
                 {"name user, password p%2bw.", "name ***, password ***."});
    CHECK_HEADER("Proxy-Authorization", "basic dXNlcjpwK3c", {"user p+w", "*** ***"});
    CHECK_HEADER("Authorization", "Basic %%%", {"%%%, 7", "***, 7"});
}

static void the_token_behind_a_scheme_is_hidden_however_short(void **state)
{
    (void)state;
    CHECK_HEADER("Authorization", "Bearer a1b2", {"token a1b2!", "token ***!"}, {"Bearer", "Bearer"});
    CHECK_HEADER("Authorization", "Own  q9 ", {"<q9>", "<***>"});
    CHECK_HEADER("X-Hidden", "Token zz9", {"zz9", "***"});
    CHECK_HEADER("X-Hidden", "two zz9", {"zz9 two zz9", "zz9 ***"});
}

static void blanks_around_a_value_need_not_come_back(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "  abc\t", {"<abc>", "<***>"}, {"<  abc\t>", "<***>"});
}

static void what_overlaps_is_hidden_as_one(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "ababa", {"xababababay", "x***y"}, {"ababaababa", "***"});
}

static void what_looks_like_an_escape_in_a_secret_is_found_beside_one(void **state)
{
    (void)state;
    CHECK_HEADER("X-Hidden", "a%41b\"c&amp;d", {"a%41b\"c&amp;d", "***"}, {"a%41b\\\"c&amp;d", "***"},
                 {"a%2541b%22c%26amp%3Bd", "***"}, {"a%41b&quot;c&amp;amp;d", "***"});
}

static void a_secret_that_is_cut_off_is_hidden_too(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = with_header("http://h/", "Authorization", STR("s3cret+value"));
    CLEANUP(schedule_unref_p)
    struct schedule *accent = with_header("http://h/", "X-Hidden", STR("abc\xc3\xa9"));

    (void)state;
    assert_string_equal(hidden_in(s, "xx s3cret+va", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx s3cret+va", false), "xx s3cret+va");
    assert_string_equal(hidden_in(s, "xx s3cret+valuab", true), "xx s3cret+valuab");
    assert_string_equal(hidden_in(s, "xx s3cret%2Bva", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx s3cret%2", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx s3cret\\u00", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx s3cret&#x", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx s3cret%2", false), "xx s3cret%2");
    assert_string_equal(hidden_in(s, "xx czNjcmV0K3Z", true), "xx ***");
    assert_string_equal(hidden_in(s, "xx czNjcmV0K3Z yy", true), "xx czNjcmV0K3Z yy");
    assert_string_equal(hidden_in(accent, "xx abc\\u00e", true), "xx ***");
}

static void a_secret_longer_than_the_answer_is_hidden_where_it_begins(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = with_header("http://h/", "X-Hidden", STR("abcdefghijklmnopqrstuvwxyz"));

    (void)state;
    assert_string_equal(hidden_in(s, "abcdefghij", true), "***");
    assert_string_equal(hidden_in(s, ".abcdefgh", true), ".***");
    assert_string_equal(hidden_in(s, "abcdefghij", false), "abcdefghij");
}

static void without_memory_nothing_is_shown(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = with_header("http://u:p@h/", "Authorization", STR("Basic TUFSS0VSOiVNQVJLRVI="));
    bool worked = false;

    (void)state;
    for (uint64_t nth = 1; !worked; nth++) {
        CLEANUP(buf_done_p) struct buf out = {0};

        assert_true(nth < 100);
        buf_init(&out, 1000);
        alloc_test_fail_nth(nth);
        worked = secret_hide(s, NULL, STR("MARKER %25MARKER"), false, &out, NULL) == ERR_NONE;
        alloc_test_fail_nth(0);
        assert_false(worked && str_contains(buf_str(&out), STR("MARKER")));
    }
}

/* --- by chance --- */

static size_t below(struct rng *rng, size_t n)
{
    return (size_t)rng_below(rng, n);
}

/* A character of a secret: what encoders must escape, what they may, what is longer than a byte. */
static const char *random_character(struct rng *rng)
{
    static const char *const characters[] = {
        "a",
        "Z",
        "0",
        "9",
        "4",
        "1",
        "b",
        "n",
        "u",
        "x",
        "+",
        "/",
        "=",
        "-",
        "_",
        ".",
        "~",
        "&",
        ";",
        "%",
        "\\",
        "\"",
        "'",
        "<",
        ">",
        "#",
        " ",
        "\t",
        "!",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
    };

    return characters[below(rng, COUNT_OF(characters))];
}

static uint32_t code_of(struct str c)
{
    const unsigned char *p = (const unsigned char *)c.p;

    switch (c.n) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 31U) << 6 | (p[1] & 63U);
    case 3:
        return (p[0] & 15U) << 12 | (p[1] & 63U) << 6 | (p[2] & 63U);
    default:
        return (p[0] & 7U) << 18 | (p[1] & 63U) << 12 | (p[2] & 63U) << 6 | (p[3] & 63U);
    }
}

enum way { WAY_JSON, WAY_URL, WAY_HTML, WAYS };

static void write_unit(struct buf *out, struct rng *rng, uint32_t unit)
{
    buf_addf(out, below(rng, 2) ? "\\u%04x" : "\\u%04X", unit);
}

static void write_json(struct buf *out, struct rng *rng, struct str c)
{
    uint32_t code = code_of(c);

    if (strchr("\"\\/", c.p[0]) && below(rng, 2)) {
        buf_add_char(out, '\\');
        buf_add(out, c);
    } else if (code < 0x10000) {
        write_unit(out, rng, code);
    } else {
        write_unit(out, rng, 0xD800 + ((code - 0x10000) >> 10));
        write_unit(out, rng, 0xDC00 + ((code - 0x10000) & 0x3FF));
    }
}

static void write_url(struct buf *out, struct rng *rng, struct str c)
{
    if (c.p[0] == ' ' && below(rng, 2)) {
        buf_add_char(out, '+');
        return;
    }
    for (size_t i = 0; i < c.n; i++)
        buf_addf(out, below(rng, 2) ? "%%%02x" : "%%%02X", (unsigned char)c.p[i]);
}

static void write_html(struct buf *out, struct rng *rng, struct str c)
{
    static const char *const names[][2] = {
        {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&apos;"}};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (c.p[0] == names[i][0][0] && below(rng, 2)) {
            buf_add_cstr(out, names[i][1]);
            return;
        }
    }
    buf_addf(out, below(rng, 2) ? "&#%u;" : "&#x%x;", code_of(c));
}

static void write_in(struct buf *out, struct rng *rng, enum way way, struct str c)
{
    switch (way) {
    case WAY_JSON:
        write_json(out, rng, c);
        break;
    case WAY_URL:
        write_url(out, rng, c);
        break;
    case WAY_HTML:
        write_html(out, rng, c);
        break;
    case WAYS:
        break;
    }
}

/* What an encoder of this kind cannot leave as it is. */
static bool must_escape(enum way way, struct str c)
{
    static const char *const never[WAYS] = {
        [WAY_JSON] = "\"\\\t", [WAY_URL] = "%+&;=#<>\"' \t\\/", [WAY_HTML] = "&<>\"'"};

    return strchr(never[way], c.p[0]) != NULL;
}

/* By one encoder (`way`), or by another one for every character (WAYS). */
static void write_secret(struct buf *out, struct rng *rng, enum way way, struct str s)
{
    while (s.n > 0) {
        struct str c = {s.p, str_utf8_char(s)};
        enum way w = way < WAYS ? way : (enum way)below(rng, WAYS);
        bool must = way < WAYS ? must_escape(way, c) : strchr("\\%&", c.p[0]) != NULL;

        if (must || below(rng, 3) == 0)
            write_in(out, rng, w, c);
        else
            buf_add(out, c);
        s = (struct str){s.p + c.n, s.n - c.n};
    }
}

static void random_secret(struct buf *out, struct rng *rng)
{
    size_t n = 8 + below(rng, 24);

    /* No blanks at its ends, where HTTP drops them. */
    buf_add_char(out, 'S');
    for (size_t i = 0; i < n; i++)
        buf_add_cstr(out, random_character(rng));
    buf_add_char(out, 'E');
}

/* What surrounds it: nothing that is in a secret, but everything that escapes are made of. */
static void random_text(struct buf *out, struct rng *rng, size_t most)
{
    static const char *const words[] = {"{\"k\":\"", "\"} ", "QQ",   "\\n", "%20",     "&amp;", "%",
                                        "&",         "\\",   "<p> ", "k, ", "\\u00e9", "=",     "\r\n"};
    size_t n = below(rng, most);

    for (size_t i = 0; i < n; i++)
        buf_add_cstr(out, words[below(rng, COUNT_OF(words))]);
}

/* Ends what may have begun before. */
#define FENCE "(|)"

struct planted {
    struct buf secret;
    struct buf written;
    struct buf text;
    struct buf shown;
};

static void planted_clear(struct planted *p)
{
    buf_clear(&p->secret);
    buf_clear(&p->written);
    buf_clear(&p->text);
    buf_clear(&p->shown);
}

static void planted_init(struct planted *p)
{
    buf_init(&p->secret, TEXT_MAX);
    buf_init(&p->written, TEXT_MAX);
    buf_init(&p->text, TEXT_MAX);
    buf_init(&p->shown, TEXT_MAX);
}

static void planted_done(struct planted *p)
{
    buf_done(&p->secret);
    buf_done(&p->written);
    buf_done(&p->text);
    buf_done(&p->shown);
}

/* Puts p->written into a random text; p->shown is what must become of it. */
static void plant(struct planted *p, struct rng *rng)
{
    size_t from;

    random_text(&p->text, rng, 20);
    buf_add_cstr(&p->text, FENCE);
    buf_add(&p->shown, buf_str(&p->text));
    buf_add(&p->text, buf_str(&p->written));
    buf_add_cstr(&p->shown, SECRET_MASK);
    from = p->text.n;
    buf_add_cstr(&p->text, FENCE);
    random_text(&p->text, rng, 20);
    buf_add(&p->shown, (struct str){p->text.p + from, p->text.n - from});
    assert_true(buf_ok(&p->text) && buf_ok(&p->shown));
}

static void check_planted(const struct planted *p, uint64_t seed)
{
    CLEANUP(schedule_unref_p) struct schedule *s = with_header("http://h/", "X-Hidden", buf_str(&p->secret));
    struct str shown = hidden_str(s, buf_str(&p->text), false);

    if (!str_eq(shown, buf_str(&p->shown)))
        fail_msg("seed %llu: %.*s in\n%.*s is shown as\n%.*s", (unsigned long long)seed, (int)p->secret.n,
                 p->secret.p, (int)p->text.n, p->text.p, (int)shown.n, shown.p);
}

enum { SEEDS = 4000 };

static void a_secret_whose_characters_are_each_written_in_another_way_is_hidden(void **state)
{
    struct planted p;

    (void)state;
    planted_init(&p);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = {seed};

        planted_clear(&p);
        random_secret(&p.secret, &rng);
        write_secret(&p.written, &rng, WAYS, buf_str(&p.secret));
        plant(&p, &rng);
        check_planted(&p, seed);
    }
    planted_done(&p);
}

static void a_secret_that_went_through_two_encoders_is_hidden(void **state)
{
    CLEANUP(buf_done_p) struct buf once = {0};
    struct planted p;

    (void)state;
    planted_init(&p);
    buf_init(&once, TEXT_MAX);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = {seed};

        planted_clear(&p);
        buf_clear(&once);
        random_secret(&p.secret, &rng);
        write_secret(&once, &rng, (enum way)below(&rng, WAYS), buf_str(&p.secret));
        write_secret(&p.written, &rng, (enum way)below(&rng, WAYS), buf_str(&once));
        plant(&p, &rng);
        check_planted(&p, seed);
    }
    planted_done(&p);
}

/* Bytes before and behind the secret are in the same base64; what says nothing of it may be left. */
static void a_secret_in_base64_of_something_larger_is_hidden(void **state)
{
    struct planted p;

    (void)state;
    planted_init(&p);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = {seed};
        CLEANUP(schedule_unref_p) struct schedule *s = NULL;
        size_t before;
        size_t behind;
        struct str shown;

        planted_clear(&p);
        random_secret(&p.secret, &rng);
        random_text(&p.written, &rng, 4);
        before = p.written.n;
        buf_add(&p.written, buf_str(&p.secret));
        behind = p.written.n;
        random_text(&p.written, &rng, 4);
        base64_add(&p.text, (const uint8_t *)p.written.p, p.written.n);
        s = with_header("http://h/", "X-Hidden", buf_str(&p.secret));
        shown = hidden_str(s, buf_str(&p.text), false);
        /* What is left of whole groups before and behind. */
        before = before * 4 / 3;
        behind = p.text.n - (behind * 8 + 5) / 6;
        assert_true(shown.n >= before + 3 && shown.n <= before + 3 + behind);
        assert_memory_equal(shown.p, p.text.p, before);
        assert_memory_equal(shown.p + before, SECRET_MASK, 3);
        behind = shown.n - before - 3;
        assert_memory_equal(shown.p + before + 3, p.text.p + p.text.n - behind, behind);
    }
    planted_done(&p);
}

/* Parts of a value may be secrets of their own. */
static void one_piece(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (memchr(" ,;=\t\"", b->p[i], 6))
            b->p[i] = 'z';
    }
}

static void a_text_without_the_secret_stays_as_it_is(void **state)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(buf_done_p) struct buf secret = {0};

    (void)state;
    buf_init(&text, TEXT_MAX);
    buf_init(&secret, TEXT_MAX);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = {seed};
        CLEANUP(schedule_unref_p) struct schedule *s = NULL;

        buf_clear(&text);
        buf_clear(&secret);
        random_secret(&secret, &rng);
        one_piece(&secret);
        s = with_header("http://h/", "X-Hidden", buf_str(&secret));
        /* Even with most of the secret in it. */
        random_text(&text, &rng, 50);
        write_secret(&text, &rng, WAYS, (struct str){secret.p, secret.n - 1});
        random_text(&text, &rng, 50);
        assert_str_equal(hidden_str(s, buf_str(&text), false), buf_cstr(&text));
    }
}

static void many_long_secrets_and_a_text_made_against_us_take_no_time(void **state)
{
    enum { HEADERS = 60, VALUE = 8000, TEXT = 4096 };
    CLEANUP(buf_done_p) struct buf b = {0};
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;
    struct mono start;

    (void)state;
    buf_init(&b, (size_t)HEADERS * (VALUE + 100));
    buf_init(&text, TEXT);
    buf_add_cstr(
        &b, "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://"
            "h/\",\"headers\":{\"A\":\"\"");
    for (int i = 0; i < HEADERS; i++) {
        buf_addf(&b, ",\"H%d-Token\":\"", i);
        for (int k = 0; k < VALUE; k++)
            buf_add_char(&b, k % 4000 < 3000 + i ? 'a' : k % 200 == 0 ? ' ' : 'b');
        buf_add_char(&b, '"');
    }
    buf_add_cstr(&b, "}}}}");
    for (int i = 0; i < TEXT; i++)
        buf_add_char(&text, 'a');
    s = fixture_schedule(buf_cstr(&b));
    start = clock_mono();
    (void)hidden_str(s, buf_str(&text), true);
    /* A hundredth of that, without sanitizers; every secret against every place would be minutes. */
    assert_true(clock_mono().us - start.us < 10 * US_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_shows_nothing_that_is_hidden),
        cmocka_unit_test(a_secret_that_json_escapes_is_hidden),
        cmocka_unit_test(a_secret_in_an_url_or_a_form_is_hidden),
        cmocka_unit_test(a_secret_in_html_is_hidden),
        cmocka_unit_test(a_secret_in_base64_is_hidden_with_what_shares_its_characters),
        cmocka_unit_test(two_encodings_one_within_the_other_hide_nothing_from_us),
        cmocka_unit_test(user_and_password_of_a_basic_header_are_hidden_one_by_one),
        cmocka_unit_test(the_token_behind_a_scheme_is_hidden_however_short),
        cmocka_unit_test(blanks_around_a_value_need_not_come_back),
        cmocka_unit_test(what_overlaps_is_hidden_as_one),
        cmocka_unit_test(what_looks_like_an_escape_in_a_secret_is_found_beside_one),
        cmocka_unit_test(a_secret_that_is_cut_off_is_hidden_too),
        cmocka_unit_test(a_secret_longer_than_the_answer_is_hidden_where_it_begins),
        cmocka_unit_test(without_memory_nothing_is_shown),
        cmocka_unit_test(a_secret_whose_characters_are_each_written_in_another_way_is_hidden),
        cmocka_unit_test(a_secret_that_went_through_two_encoders_is_hidden),
        cmocka_unit_test(a_secret_in_base64_of_something_larger_is_hidden),
        cmocka_unit_test(a_text_without_the_secret_stays_as_it_is),
        cmocka_unit_test(many_long_secrets_and_a_text_made_against_us_take_no_time),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
