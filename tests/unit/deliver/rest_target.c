/*
 * rest_target.c: whom two URLs call, by model/target.h: the same if, and only if, libcurl and the resolver
 * come to the same. Random spellings of few places, so that many are equal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/str.h"
#include "model/target.h"

enum { PLACE_MAX = 400 };

static size_t below(struct rng *rng, size_t n)
{
    return (size_t)rng_below(rng, n);
}

/* --- the judge --- */

/* What inet_aton() and inet_pton() make of the host that libcurl looks up; a name is none. */
static bool address_of(const char *host, char ret[PLACE_MAX])
{
    unsigned char b[16];
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    int family = AF_INET6;

    if (inet_aton(host, &v4)) {
        family = AF_INET;
        memcpy(b, &v4, sizeof(v4));
    } else if (inet_pton(AF_INET6, host, b) != 1) {
        return false;
    }
    assert_non_null(inet_ntop(family, b, text, sizeof(text)));
    if (strncmp(text, "::ffff:", 7) == 0)
        (void)snprintf(ret, PLACE_MAX, "%s", text + 7);
    else if (strcmp(text, "0.0.0.0") == 0)
        (void)snprintf(ret, PLACE_MAX, "127.0.0.1");
    else if (strcmp(text, "::") == 0)
        (void)snprintf(ret, PLACE_MAX, "::1");
    else
        (void)snprintf(ret, PLACE_MAX, "%s", text);
    return true;
}

static void lower(char *s)
{
    for (; *s != '\0'; s++)
        *s = *s >= 'A' && *s <= 'Z' ? (char)(*s + ('a' - 'A')) : *s;
}

/* "scheme host port". False: libcurl calls nobody by it. */
static bool place_of(const char *url, char ret[PLACE_MAX])
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    bool ok;

    assert_non_null(u);
    ok = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok) {
        char name[PLACE_MAX];
        char address[PLACE_MAX];
        size_t n = strlen(host);

        (void)snprintf(name, sizeof(name), "%.*s", (int)(host[0] == '[' ? n - 2 : n),
                       host + (host[0] == '['));
        lower(name);
        n = strlen(name);
        if (n > 1 && name[n - 1] == '.')
            name[n - 1] = '\0';
        (void)snprintf(ret, PLACE_MAX, "%s %s %s", scheme, address_of(name, address) ? address : name, port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ok;
}

/* --- spellings --- */

static void add_letters(struct buf *out, struct rng *rng, const char *name)
{
    for (; *name != '\0'; name++) {
        char upper = *name >= 'a' && *name <= 'z' ? (char)(*name - ('a' - 'A')) : *name;

        switch (below(rng, 8)) {
        case 0:
            buf_addf(out, below(rng, 2) ? "%%%02x" : "%%%02X", (unsigned)(below(rng, 2) ? *name : upper));
            break;
        case 1:
            buf_add_char(out, upper);
            break;
        default:
            buf_add_char(out, *name);
            break;
        }
    }
}

static void add_number(char ret[32], struct rng *rng, unsigned v)
{
    switch (below(rng, 6)) {
    case 0:
        (void)snprintf(ret, 32, "0x%x", v);
        break;
    case 1:
        (void)snprintf(ret, 32, "0%o", v);
        break;
    case 2:
        (void)snprintf(ret, 32, "0X000%X", v);
        break;
    default:
        (void)snprintf(ret, 32, "%u", v);
        break;
    }
}

static void add_ipv4(struct buf *out, struct rng *rng)
{
    static const unsigned addresses[] = {0x7f000001, 0x7f000101, 0x0a000001, 0, 0xffffffff};
    unsigned a = addresses[below(rng, COUNT_OF(addresses))];
    unsigned parts = 1 + (unsigned)below(rng, 4);
    char number[32];

    for (unsigned i = 0; i + 1 < parts; i++) {
        add_number(number, rng, a >> (24 - 8 * i) & 0xFF);
        add_letters(out, rng, number);
        buf_add_char(out, '.');
    }
    add_number(number, rng, parts == 1 ? a : a & (0xFFFFFFFFU >> (8 * (parts - 1))));
    add_letters(out, rng, number);
}

static void add_host(struct buf *out, struct rng *rng)
{
    static const char *const names[] = {"localhost", "a.example",   "b.example",  "10.example",
                                        "1.2.3.4.5", "127.0.0.256", "127.0.0.09", "4294967296",
                                        "0x",        "1.",          "127..1",     "127.0.0.0x1g"};
    static const char *const v6[] = {
        "[::1]",         "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[::]",
        "[2001:db8::A]", "[2001:DB8:0:0::a]", "[::0.0.0.1]",        "[::127.0.0.1]"};

    switch (below(rng, 4)) {
    case 0:
        add_letters(out, rng, names[below(rng, COUNT_OF(names))]);
        break;
    case 1:
        buf_add_cstr(out, v6[below(rng, COUNT_OF(v6))]);
        return;
    default:
        add_ipv4(out, rng);
        break;
    }
    if (below(rng, 8) == 0)
        buf_add_cstr(out, below(rng, 2) ? "." : "%2e");
}

static void random_url(struct buf *out, struct rng *rng)
{
    static const char *const schemes[] = {"http://", "HTTP://", "https://", "Https://"};
    static const char *const users[] = {"", "", "u@", "u:p@"};
    static const char *const ports[] = {"", "", ":", ":80", ":080", ":443", ":00443", ":81"};
    static const char *const paths[] = {"", "/", "/x:1@y", "?q=//z/", "#f"};

    buf_add_cstr(out, schemes[below(rng, COUNT_OF(schemes))]);
    buf_add_cstr(out, users[below(rng, COUNT_OF(users))]);
    add_host(out, rng);
    buf_add_cstr(out, ports[below(rng, COUNT_OF(ports))]);
    buf_add_cstr(out, paths[below(rng, COUNT_OF(paths))]);
    assert_true(buf_ok(out));
}

static struct uuid key_of(const char *url)
{
    return target_key(&(struct task){.type = TASK_REST, .host = str_of(url)});
}

static void two_urls_call_the_same_if_libcurl_and_the_resolver_say_so(void **state)
{
    enum { URLS = 600 };
    static struct {
        char url[PLACE_MAX];
        char place[PLACE_MAX];
        struct uuid key;
    } all[URLS];
    size_t n = 0;
    size_t equal = 0;

    (void)state;
    for (uint64_t seed = 0; n < URLS; seed++) {
        CLEANUP(buf_done_p) struct buf url = {0};
        struct rng rng = {seed};

        assert_true(seed < 10 * (uint64_t)URLS);
        buf_init(&url, PLACE_MAX - 1);
        random_url(&url, &rng);
        if (!place_of(buf_cstr(&url), all[n].place))
            continue;
        (void)snprintf(all[n].url, PLACE_MAX, "%s", buf_cstr(&url));
        all[n].key = key_of(all[n].url);
        for (size_t i = 0; i < n; i++) {
            bool same = strcmp(all[i].place, all[n].place) == 0;

            equal += same;
            if (uuid_eq(all[i].key, all[n].key) != same)
                fail_msg("%s (%s) and %s (%s)", all[i].url, all[i].place, all[n].url, all[n].place);
        }
        n++;
    }
    assert_true(equal > URLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_urls_call_the_same_if_libcurl_and_the_resolver_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
