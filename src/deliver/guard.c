/*
 * guard.c: see guard.h.
 */
#include "deliver/guard.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/network.h"
#include "base/str.h"

/* Addresses that one address may stand for, itself included. */
enum { FACES_MAX = 4, BUILT_IN = 8, HOST_SHOWN = 60 };

struct rule {
    struct host_rule rule;
    char *text; /* as it was written; what .rule.name points into */
};

struct rules {
    struct rule *items;
    size_t n;
    bool networks; /* holds one of these at least */
    bool names;
};

struct guard {
    atomic_size_t refs;
    struct rules allow;
    struct rules deny;
    struct network built_in[BUILT_IN];
};

static const struct {
    const char *network;
    const char *what;
} built_in[BUILT_IN] = {
    {"169.254.0.0/16", "link-local, where clouds keep credentials"},
    {"fe80::/10", "link-local"},
    {"100.100.100.200/32", "a cloud's metadata"},
    {"168.63.129.16/32", "a cloud's metadata"},
    {"192.0.0.192/32", "a cloud's metadata"},
    {"fd00:ec2::254/128", "a cloud's metadata"},
    {"fd00:ec2::23/128", "a cloud's metadata"},
    {"fd20:ce::254/128", "a cloud's metadata"},
};

/* --- made and freed --- */

static enum err add_rules(struct rules *to, const struct str *from, size_t n, const char *where,
                          struct error *err)
{
    void *items;
    enum err e = alloc_array(n, sizeof(*to->items), &items, err);

    if (e)
        return e;
    to->items = items;
    for (size_t i = 0; i < n; i++) {
        struct rule *r = &to->items[i];

        e = alloc_str(from[i], &r->text, err);
        if (e)
            return e;
        to->n++;
        e = host_rule_parse(str_of(r->text), &r->rule, err);
        if (e) {
            if (err)
                (void)error_set(err, e, where, "%s %s", r->text, err->text);
            return e;
        }
        to->networks = to->networks || r->rule.kind == HOST_RULE_NETWORK;
        to->names = to->names || r->rule.kind != HOST_RULE_NETWORK;
    }
    return ERR_NONE;
}

static void free_rules(struct rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        alloc_free(r->items[i].text);
    alloc_free(r->items);
}

static void guard_free(struct guard *g)
{
    free_rules(&g->allow);
    free_rules(&g->deny);
    alloc_free(g);
}

enum err guard_new(const struct guard_lists *lists, struct guard **ret, struct error *err)
{
    struct guard *g = alloc_new(struct guard);
    enum err e;

    atomic_init(&g->refs, 1);
    for (size_t i = 0; i < BUILT_IN; i++)
        g->built_in[i] = network_of(built_in[i].network);
    e = add_rules(&g->allow, lists->allow, lists->allow_n, "delivery.allow", err);
    if (!e)
        e = add_rules(&g->deny, lists->deny, lists->deny_n, "delivery.deny", err);
    if (e) {
        guard_free(g);
        return e;
    }
    *ret = g;
    return ERR_NONE;
}

struct guard *guard_ref(struct guard *g)
{
    if (g)
        atomic_fetch_add(&g->refs, 1);
    return g;
}

void guard_unref(struct guard *g)
{
    if (g && atomic_fetch_sub(&g->refs, 1) == 1)
        guard_free(g);
}

bool guard_knows_names(const struct guard *g)
{
    return g && (g->allow.names || g->deny.names);
}

/* --- what an address stands for --- */

struct faces {
    struct address a[FACES_MAX]; /* the first is the address itself */
    size_t n;
};

static void add_v4(struct faces *f, const uint8_t b[4], uint8_t flip)
{
    struct address *a = &f->a[f->n++];

    MUST(f->n <= FACES_MAX);
    *a = (struct address){0};
    for (size_t i = 0; i < 4; i++)
        a->b[i] = b[i] ^ flip;
}

static bool starts_with(const struct address *a, const char *prefix, size_t n)
{
    return memcmp(a->b, prefix, n) == 0;
}

/* The IPv4 addresses in an IPv6 address, by each way there is to carry one. */
static void add_carried(struct faces *f)
{
    const struct address *a = &f->a[0];
    const uint8_t *b = a->b;

    if (starts_with(a, "\0\x64\xff\x9b\0\0\0\0\0\0\0", 12)) { /* NAT64, RFC 6052 */
        add_v4(f, b + 12, 0);
    } else if (starts_with(a, "\0\x64\xff\x9b\0\1", 6)) { /* RFC 8215: as /48 or, more often, as /96 */
        const uint8_t split[4] = {b[6], b[7], b[9], b[10]};

        add_v4(f, b + 12, 0);
        add_v4(f, split, 0);
    } else if (starts_with(a, "\x20\x02", 2)) { /* 6to4, RFC 3056 */
        add_v4(f, b + 2, 0);
    } else if (starts_with(a, "\x20\x01\0\0", 4)) { /* Teredo, RFC 4380: the server's, the client's */
        add_v4(f, b + 4, 0);
        add_v4(f, b + 12, 0xff);
    } else if (starts_with(a, "\0\0\0\0\0\0\0\0\xff\xff\0", 12)) { /* RFC 2765 */
        add_v4(f, b + 12, 0);
    } else if (starts_with(a, "\0\0\0\0\0\0\0\0\0\0\0", 12) && (b[12] | b[13] | b[14]) != 0) {
        add_v4(f, b + 12, 0); /* IPv4-compatible, RFC 4291 */
    }
    if (f->n < FACES_MAX && (b[8] & 0xfd) == 0 && memcmp(b + 9, "\0\x5e\xfe", 3) == 0)
        add_v4(f, b + 12, 0); /* ISATAP, RFC 5214 */
}

/* False: neither IPv4 nor IPv6. */
static bool faces_of(const struct sockaddr *to, struct faces *ret)
{
    static const char mapped[12] = {[10] = '\xff', [11] = '\xff'};
    static const struct address any4 = {0};
    static const struct address any6 = {.v6 = true};
    struct address *a = &ret->a[0];

    *ret = (struct faces){.n = 1};
    if (to->sa_family == AF_INET) {
        memcpy(a->b, &((const struct sockaddr_in *)(const void *)to)->sin_addr, 4);
    } else if (to->sa_family == AF_INET6) {
        a->v6 = true;
        memcpy(a->b, &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr, 16);
    } else {
        return false;
    }
    if (a->v6 && starts_with(a, mapped, sizeof(mapped))) {
        struct address v4 = {0};

        memcpy(v4.b, a->b + 12, 4);
        *a = v4;
    }
    if (address_eq(a, &any4))
        add_v4(ret, (const uint8_t[]){127, 0, 0, 1}, 0);
    else if (address_eq(a, &any6))
        ret->a[ret->n++] = (struct address){.v6 = true, .b = {[15] = 1}};
    else if (a->v6)
        add_carried(ret);
    return true;
}

/* --- judged --- */

static const struct rule *rule_for_name(const struct rules *rules, struct str host)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (host_rule_names(&rules->items[i].rule, host))
            return &rules->items[i];
    }
    return NULL;
}

static bool rule_has(const struct rule *r, const struct address *a)
{
    return r->rule.kind == HOST_RULE_NETWORK && network_has(&r->rule.network, a);
}

static const struct rule *rule_for_any_face(const struct rules *rules, const struct faces *f)
{
    for (size_t i = 0; i < rules->n; i++) {
        for (size_t k = 0; k < f->n; k++) {
            if (rule_has(&rules->items[i], &f->a[k]))
                return &rules->items[i];
        }
    }
    return NULL;
}

static bool has_face(const struct rules *rules, const struct address *a)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (rule_has(&rules->items[i], a))
            return true;
    }
    return false;
}

/* The address itself is allowed, or all that it carries: what it really leads to is one of them. */
static bool allows(const struct guard *g, const struct faces *f)
{
    size_t allowed = 0;

    if (has_face(&g->allow, &f->a[0]))
        return true;
    for (size_t k = 1; k < f->n; k++)
        allowed += has_face(&g->allow, &f->a[k]);
    return f->n > 1 && allowed == f->n - 1;
}

/* Allowed by a rule that means just this: a network within what is denied. */
static bool is_lifted(const struct guard *g, const struct network *denied, const struct address *a)
{
    for (size_t i = 0; i < g->allow.n; i++) {
        const struct rule *r = &g->allow.items[i];

        if (rule_has(r, a) && r->rule.network.bits >= denied->bits)
            return true;
    }
    return false;
}

static const char *denied_from_the_start(const struct guard *g, const struct faces *f)
{
    for (size_t i = 0; i < BUILT_IN; i++) {
        for (size_t k = 0; k < f->n; k++) {
            if (network_has(&g->built_in[i], &f->a[k]) && !is_lifted(g, &g->built_in[i], &f->a[k]))
                return built_in[i].what;
        }
    }
    return NULL;
}

static enum err refuse(struct str host, const struct faces *f, const char *why, const char *what,
                       struct error *err)
{
    char address[ADDRESS_TEXT] = "";
    char name[HOST_SHOWN + 1];
    struct address unused;

    (void)snprintf(name, sizeof(name), "%.*s", (int)(host.n < HOST_SHOWN ? host.n : HOST_SHOWN), host.p);
    if (!f)
        return error_set(err, ERR_REFUSED, name, "must not call %s: %s%s", name, why, what);
    address_format(&f->a[0], address);
    if (host.n == 0 || address_parse(host, &unused))
        return error_set(err, ERR_REFUSED, address, "must not call %s: %s%s", address, why, what);
    return error_set(err, ERR_REFUSED, name, "must not call %s (%s): %s%s", name, address, why, what);
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    }
    return true;
}

static enum err judge_faces(const struct guard *g, struct str host, const struct faces *f, struct error *err)
{
    const struct rule *denied = rule_for_any_face(&g->deny, f);
    const char *always;

    if (denied)
        return refuse(host, f, "denied by delivery.deny: ", denied->text, err);
    always = denied_from_the_start(g, f);
    if (always)
        return refuse(host, f, "denied unless delivery.allow names it: ", always, err);
    if (g->allow.n > 0 && !allows(g, f) && !rule_for_name(&g->allow, host))
        return refuse(host, f, "not in delivery.allow", "", err);
    return ERR_NONE;
}

static void to_sockaddr(const struct address *a, struct sockaddr_storage *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memcpy(&v4.sin_addr, a->b, 4);
    memcpy(&v6.sin6_addr, a->b, 16);
    if (a->v6)
        memcpy(ret, &v6, sizeof(v6));
    else
        memcpy(ret, &v4, sizeof(v4));
}

enum err guard_judge_host(const struct guard *g, struct str host, struct error *err)
{
    const struct rule *denied;
    struct address a;

    if (!g)
        return ERR_NONE;
    if (address_parse(host, &a)) {
        struct sockaddr_storage to = {0};

        to_sockaddr(&a, &to);
        return guard_judge(g, host, (const struct sockaddr *)&to, err);
    }
    /* It may be resolved as another name, which a rule speaks of. */
    if (guard_knows_names(g) && !is_ascii(host))
        return refuse(host, NULL, "international names must be written as xn--... here", "", err);
    denied = rule_for_name(&g->deny, host);
    if (denied)
        return refuse(host, NULL, "denied by delivery.deny: ", denied->text, err);
    if (g->allow.n > 0 && !g->allow.networks && !rule_for_name(&g->allow, host))
        return refuse(host, NULL, "not in delivery.allow", "", err);
    return ERR_NONE;
}

enum err guard_judge(const struct guard *g, struct str host, const struct sockaddr *to, struct error *err)
{
    const struct rule *denied;
    struct faces f;

    if (!g)
        return ERR_NONE;
    if (!faces_of(to, &f))
        return refuse(host, NULL, "neither IPv4 nor IPv6", "", err);
    denied = rule_for_name(&g->deny, host);
    if (denied)
        return refuse(host, &f, "denied by delivery.deny: ", denied->text, err);
    return judge_faces(g, host, &f, err);
}
