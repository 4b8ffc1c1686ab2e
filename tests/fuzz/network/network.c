/* network.c: rules that name hosts: whatever text there is, a rule that is taken can be asked, and holds for
 * what it says. */
#include <string.h>

#include "base/network.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_network(const struct network *n)
{
    char text[ADDRESS_TEXT];
    struct address again;

    MUST(n->bits <= (n->first.v6 ? 128U : 32U));
    MUST(network_has(n, &n->first));
    address_format(&n->first, text);
    MUST(address_parse(str_of(text), &again) && address_eq(&again, &n->first));
}

static void ask_name(const struct host_rule *r)
{
    char below[300] = "a.";

    MUST(r->name.n > 0 && r->name.n <= 253);
    memcpy(below + 2, r->name.p, r->name.n);
    MUST(host_rule_names(r, r->name) == (r->kind == HOST_RULE_NAME));
    MUST(host_rule_names(r, (struct str){below, r->name.n + 2}) == (r->kind == HOST_RULE_SUFFIX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct host_rule r;
    struct error err = {0};
    enum err e = host_rule_parse(text, &r, &err);

    MUST(e == ERR_NONE || (e == ERR_INVALID && err.text[0] != '\0'));
    if (e)
        return 0;
    if (r.kind == HOST_RULE_NETWORK)
        ask_network(&r.network);
    else
        ask_name(&r);
    return 0;
}
