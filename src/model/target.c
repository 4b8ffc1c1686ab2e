/*
 * target.c: see target.h. Whatever an address looks like, here it only names a queue: nothing is refused.
 *
 * A target is spelled in many ways, and who may choose the spelling must not get a limit's worth for each of
 * them. So what is counted by is what the name or the number comes to, as libcurl and the resolver understand
 * it (tests/unit/deliver/rest_target.c asks libcurl).
 */
#include "model/target.h"

#include <string.h>

#include "base/digest.h"
#include "base/network.h"
#include "base/str.h"
#include "model/chars.h"

/* Of longer names the beginning counts; a real one has 253 bytes at most. */
enum { NAME_MAX_BYTES = 1024, SCHEME_MAX = 8 };

static bool ends_authority(char c)
{
    return c == '/' || c == '?' || c == '#' || c == '\\';
}

struct str target_authority(const struct task *t)
{
    struct str host = t->host;
    size_t start = 0;
    size_t end;

    for (size_t i = 0; i + 1 < host.n; i++) {
        if (host.p[i] == '/' && host.p[i + 1] == '/') {
            start = i + 2;
            break;
        }
    }
    for (end = start; end < host.n && !ends_authority(host.p[end]); end++) {
        if (host.p[end] == '@')
            start = end + 1;
    }
    return (struct str){host.p + start, end - start};
}

/* Who is called, apart from how it is spelled. */
struct place {
    char scheme[SCHEME_MAX]; /* "http", "https"; "" where it makes no difference */
    uint16_t port;
    bool is_address;
    struct address address;
    char name[NAME_MAX_BYTES]; /* lower-case, without a dot at its end */
    size_t n;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* With its %XX undone, once, where that is how it is read. */
static void set_name(struct place *p, struct str host, bool escapes)
{
    p->n = 0;
    for (size_t i = 0; i < host.n && p->n < sizeof(p->name); i++) {
        int high = escapes && host.p[i] == '%' && i + 2 < host.n ? str_hex_value(host.p[i + 1]) : -1;
        int low = high >= 0 ? str_hex_value(host.p[i + 2]) : -1;

        p->name[p->n++] = lower(low >= 0 ? (char)(high * 16 + low) : host.p[i]);
        i += low >= 0 ? 2 : 0;
    }
    if (p->n > 1 && p->name[p->n - 1] == '.')
        p->n--;
}

/* Decimal, octal behind a 0, hex behind 0x. */
static bool read_number(struct str s, uint32_t *ret)
{
    unsigned base = 10;
    uint64_t v = 0;

    if (s.n > 2 && s.p[0] == '0' && s.p[1] == 'x') {
        base = 16;
        s = (struct str){s.p + 2, s.n - 2};
    } else if (s.n > 1 && s.p[0] == '0') {
        base = 8;
    }
    for (size_t i = 0; i < s.n; i++) {
        int digit = str_hex_value(s.p[i]);

        if (digit < 0 || (unsigned)digit >= base)
            return false;
        v = v * base + (unsigned)digit;
        if (v > UINT32_MAX)
            return false;
    }
    *ret = (uint32_t)v;
    return s.n > 0;
}

/* As inet_aton(3) has it: one to four numbers, the last of which fills what is left. */
static bool read_ipv4(struct str s, struct address *ret)
{
    uint32_t whole = 0;
    unsigned n = 0;
    struct str part;
    uint32_t v = 0;

    *ret = (struct address){0};
    while (str_cut(&s, '.', &part)) {
        if (n == 4 || !read_number(part, &v) || (s.p && v > 255))
            return false;
        if (s.p)
            whole |= v << (24 - 8 * n);
        n++;
    }
    if (n == 0 || (n > 1 && v >> (8 * (5 - n)) != 0))
        return false;
    whole |= v;
    for (unsigned i = 0; i < 4; i++)
        ret->b[i] = (uint8_t)(whole >> (24 - 8 * i));
    return true;
}

/* Without its zone: what is called by way of another interface is seldom another. */
static bool read_ipv6(struct str s, struct address *ret)
{
    return address_parse((struct str){s.p, str_find(s, '%')}, ret) && ret->v6;
}

/* What is carried by IPv6 is IPv4, and who calls "any address" gets the loopback. */
static void settle(struct address *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const struct address any4 = {0};
    static const struct address any6 = {.v6 = true};

    if (a->v6 && memcmp(a->b, mapped, sizeof(mapped)) == 0) {
        struct address v4 = {0};

        memcpy(v4.b, a->b + sizeof(mapped), 4);
        *a = v4;
    }
    if (address_eq(a, &any4))
        *a = (struct address){.b = {127, 0, 0, 1}};
    else if (address_eq(a, &any6))
        *a = (struct address){.v6 = true, .b = {[15] = 1}};
}

/* 0 for what is none; it is refused elsewhere. */
static uint16_t read_port(struct str s, uint16_t usual)
{
    uint64_t port;

    if (s.n == 0)
        return usual;
    return str_to_u64(s, &port) && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* "host", "host:port", "[v6]:port" */
static void set_authority(struct place *p, struct str s, bool escapes, uint16_t usual_port)
{
    bool brackets = s.n > 0 && s.p[0] == '[';
    size_t close = brackets ? str_find(s, ']') : 0;
    struct str rest = {s.p + close, s.n - close};
    size_t colon = str_find(rest, ':');
    struct str host = brackets ? (struct str){s.p + 1, close > 0 ? close - 1 : 0} : (struct str){s.p, colon};

    p->port = colon < rest.n ? read_port((struct str){rest.p + colon + 1, rest.n - colon - 1}, usual_port)
                             : usual_port;
    set_name(p, host, escapes && !brackets);
    p->is_address = brackets ? read_ipv6((struct str){p->name, p->n}, &p->address)
                             : read_ipv4((struct str){p->name, p->n}, &p->address);
    if (p->is_address)
        settle(&p->address);
}

static struct uuid key_of(const struct place *p, enum task_type type)
{
    char text[SCHEME_MAX + 4 + NAME_MAX_BYTES];
    struct uuid key;
    uint64_t mix[2];
    size_t n = 0;

    memcpy(text, p->scheme, SCHEME_MAX);
    n += SCHEME_MAX;
    text[n++] = (char)(p->port >> 8);
    text[n++] = (char)(p->port & 0xFF);
    text[n++] = (char)p->is_address;
    text[n++] = (char)(p->is_address && p->address.v6);
    if (p->is_address) {
        memcpy(text + n, p->address.b, sizeof(p->address.b));
        n += sizeof(p->address.b);
    } else {
        memcpy(text + n, p->name, p->n);
        n += p->n;
    }
    mix[0] = digest_mix64((struct str){text, n}, 2 * (uint64_t)type + 1);
    mix[1] = digest_mix64((struct str){text, n}, 2 * (uint64_t)type + 2);
    memcpy(key.b, mix, sizeof(key.b));
    return key;
}

static struct uuid rest_key(const struct task *t)
{
    bool https = t->host.n >= 6 && str_eq_nocase((struct str){t->host.p, 6}, STR("https:"));
    struct place p = {.scheme = "http"};

    if (https)
        p.scheme[4] = 's';
    set_authority(&p, target_authority(t), true, https ? 443 : 80);
    return key_of(&p, TASK_REST);
}

static struct uuid redis_key(const struct task *t)
{
    struct place p = {.scheme = ""};

    set_authority(&p, target_authority(t), false, 6379);
    return key_of(&p, TASK_REDIS);
}

/*
 * Brokers of one cluster, whatever their order: the least half and the greatest of all their keys, which also
 * says nothing of how often one is named.
 */
static struct uuid kafka_key(const struct task *t)
{
    struct str rest = t->host;
    struct str one;
    struct uuid least;
    struct uuid greatest;

    memset(&least, 0xFF, sizeof(least));
    memset(&greatest, 0, sizeof(greatest));
    while (str_cut(&rest, ',', &one)) {
        const struct task broker = {.host = str_trim(one)};
        struct place p = {.scheme = ""};
        struct uuid key;

        set_authority(&p, target_authority(&broker), false, 9092);
        key = key_of(&p, TASK_KAFKA);
        if (memcmp(key.b, least.b, sizeof(key.b)) < 0)
            least = key;
        if (memcmp(key.b, greatest.b, sizeof(key.b)) > 0)
            greatest = key;
    }
    memcpy(least.b + sizeof(least.b) / 2, greatest.b + sizeof(greatest.b) / 2, sizeof(least.b) / 2);
    return least;
}

struct uuid target_key(const struct task *t)
{
    switch (t->type) {
    case TASK_REST:
        return rest_key(t);
    case TASK_KAFKA:
        return kafka_key(t);
    case TASK_REDIS:
        return redis_key(t);
    }
    return (struct uuid){{0}};
}
