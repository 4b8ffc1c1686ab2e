/*
 * network.c: see network.h.
 */
#include "base/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

enum { NAME_MAX_BYTES = 253, LABEL_MAX = 63 };

static unsigned bits_of(const struct address *a)
{
    return a->v6 ? 128 : 32;
}

bool address_parse(struct str text, struct address *ret)
{
    char copy[ADDRESS_TEXT];
    struct address a = {0};

    if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    a.v6 = str_find(text, ':') < text.n;
    if (inet_pton(a.v6 ? AF_INET6 : AF_INET, copy, a.b) != 1)
        return false;
    *ret = a;
    return true;
}

void address_format(const struct address *a, char ret[ADDRESS_TEXT])
{
    MUST(inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->b, ret, ADDRESS_TEXT));
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->v6 == b->v6 && memcmp(a->b, b->b, bits_of(a) / 8) == 0;
}

/* `a` with all bits from `bits` on 0. */
static struct address masked(const struct address *a, unsigned bits)
{
    struct address m = *a;

    for (unsigned i = bits; i < bits_of(a); i++)
        m.b[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
    return m;
}

bool network_has(const struct network *n, const struct address *a)
{
    struct address m;

    if (n->first.v6 != a->v6)
        return false;
    m = masked(a, n->bits);
    return address_eq(&n->first, &m);
}

/* "::ffff:a.b.c.d" is an IPv4 address in other clothes. */
static bool is_mapped(const struct address *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return a->v6 && memcmp(a->b, prefix, sizeof(prefix)) == 0;
}

static enum err network_parse(struct str text, struct network *ret, struct error *err)
{
    size_t slash = str_find(text, '/');
    struct network n;
    struct address m;
    char hint[ADDRESS_TEXT];
    int64_t bits;

    if (!address_parse((struct str){text.p, slash}, &n.first))
        return error_set(err, ERR_INVALID, NULL,
                         "is no IP address: four numbers such as 192.0.2.7, or IPv6 without brackets");
    bits = bits_of(&n.first);
    if (slash < text.n && (!str_to_i64((struct str){text.p + slash + 1, text.n - slash - 1}, &bits) ||
                           bits < 0 || bits > bits_of(&n.first)))
        return error_set(err, ERR_INVALID, NULL, "must have a length from 0 to %u behind the slash",
                         bits_of(&n.first));
    n.bits = (unsigned)bits;
    if (is_mapped(&n.first))
        return error_set(err, ERR_INVALID, NULL, "is an IPv4 address written as IPv6: write it as IPv4");
    m = masked(&n.first, n.bits);
    if (!address_eq(&m, &n.first)) {
        address_format(&m, hint);
        return error_set(err, ERR_INVALID, NULL, "has bits beyond its length; the network is %s/%u", hint,
                         n.bits);
    }
    *ret = n;
    return ERR_NONE;
}

struct network network_of(const char *text)
{
    struct network n = {0};

    MUST(network_parse(str_of(text), &n, NULL) == ERR_NONE);
    return n;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_label(struct str label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!is_name_char(label.p[i]))
            return false;
    }
    return true;
}

static enum err check_name(struct str name, struct error *err)
{
    struct str rest = name;
    struct str label = {NULL, 0};

    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] >= 0x80)
            return error_set(err, ERR_INVALID, NULL,
                             "must be written in ASCII: international names as xn--...");
    }
    if (name.n > NAME_MAX_BYTES)
        return error_set(err, ERR_INVALID, NULL, "is longer than a host's name can be");
    while (str_cut(&rest, '.', &label)) {
        if (!is_label(label))
            return error_set(err, ERR_INVALID, NULL,
                             "must be an address, a network such as 10.0.0.0/8, a host's name or "
                             "*.DOMAIN, without scheme, port and path");
    }
    /* What ends in a number is an address to whoever resolves it: 10.1, 0x7f.1. */
    if (label.n == 0 || (label.p[0] >= '0' && label.p[0] <= '9'))
        return error_set(err, ERR_INVALID, NULL, "is neither a whole IP address nor a host's name");
    return ERR_NONE;
}

enum err host_rule_parse(struct str text, struct host_rule *ret, struct error *err)
{
    struct address unused;
    bool network =
        str_find(text, '/') < text.n || str_find(text, ':') < text.n || address_parse(text, &unused);
    struct host_rule r = {.kind = HOST_RULE_NETWORK};
    enum err e;

    if (text.n == 0)
        return error_set(err, ERR_INVALID, NULL, "must not be empty");
    if (network) {
        e = network_parse(text, &r.network, err);
    } else {
        bool suffix = str_starts(text, STR("*."));

        r.kind = suffix ? HOST_RULE_SUFFIX : HOST_RULE_NAME;
        r.name = suffix ? (struct str){text.p + 2, text.n - 2} : text;
        e = check_name(r.name, err);
    }
    if (!e)
        *ret = r;
    return e;
}

bool host_rule_names(const struct host_rule *r, struct str name)
{
    size_t above;

    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    switch (r->kind) {
    case HOST_RULE_NETWORK:
        return false;
    case HOST_RULE_NAME:
        return str_eq_nocase(r->name, name);
    case HOST_RULE_SUFFIX:
        if (name.n < r->name.n + 2)
            return false;
        above = name.n - r->name.n;
        return name.p[above - 1] == '.' && str_eq_nocase((struct str){name.p + above, r->name.n}, r->name);
    }
    return false;
}
