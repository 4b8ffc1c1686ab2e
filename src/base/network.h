/*
 * network.h: IP addresses, networks (CIDR) and rules that name hosts, as settings write them. Pure.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/base.h"
#include "base/error.h"

struct address {
    bool v6;
    uint8_t b[16]; /* IPv4: the first four */
};
struct network {
    struct address first;
    unsigned bits;
};

/* An IPv4 address in four decimal numbers, or an IPv6 address without brackets and zone. */
CHECKED bool address_parse(struct str text, struct address *ret);
enum { ADDRESS_TEXT = 46 };
void address_format(const struct address *a, char ret[ADDRESS_TEXT]);
bool address_eq(const struct address *a, const struct address *b);
/* Of the same family, and within. */
bool network_has(const struct network *n, const struct address *a);
/* "10.0.0.0/8". `text` must be right: for tables in the code. */
struct network network_of(const char *text);

enum host_rule_kind {
    HOST_RULE_NETWORK, /* "10.0.0.0/8", "2001:db8::/32", "192.0.2.7" */
    HOST_RULE_NAME,    /* "hooks.example.com" */
    HOST_RULE_SUFFIX,  /* "*.example.com": everything below it, not itself */
};
struct host_rule {
    enum host_rule_kind kind;
    struct network network;
    struct str name; /* a view into the text; of a suffix what follows "*." */
};
/* What is wrong is said without repeating the text. Bits beyond a network's length are a mistake. */
CHECKED enum err host_rule_parse(struct str text, struct host_rule *ret, struct error *err);
/* A rule for names; `name` may end in a dot. Upper and lower case are the same. */
bool host_rule_names(const struct host_rule *r, struct str name);

#endif
