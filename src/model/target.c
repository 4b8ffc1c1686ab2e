/*
 * target.c: see target.h. Whatever an address looks like, here it only names a queue: nothing is refused.
 */
#include "model/target.h"

#include <string.h>

#include "base/digest.h"

/* Of longer ones the beginning counts. */
enum { AUTHORITY_MAX = 1024 };

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

struct uuid target_key(const struct task *t)
{
    struct str authority = target_authority(t);
    size_t n = authority.n < AUTHORITY_MAX ? authority.n : AUTHORITY_MAX;
    char lower[AUTHORITY_MAX];
    uint64_t mix[2];
    struct uuid key;

    for (size_t i = 0; i < n; i++) {
        char c = authority.p[i];

        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    mix[0] = digest_mix64((struct str){lower, n}, 2 * (uint64_t)t->type + 1);
    mix[1] = digest_mix64((struct str){lower, n}, 2 * (uint64_t)t->type + 2);
    memcpy(key.b, mix, sizeof(key.b));
    return key;
}
