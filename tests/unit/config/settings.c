/*
 * settings.c: the layers and their order, and what is said about what is wrong.
 */
#include "config/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "config/table.h"

static struct settings *load(const char *yaml, const char *const *env)
{
    struct settings *s = NULL;
    struct error_list faults;

    if (settings_parse(str_of(yaml), yaml ? "config.yaml" : NULL, env, &s, &faults))
        fail_msg("%s: %s", faults.items[0].where, faults.items[0].text);
    return s;
}

static void refuse(const char *yaml, const char *const *env, struct error_list *faults)
{
    struct settings *s = NULL;

    if (!settings_parse(str_of(yaml), yaml ? "config.yaml" : NULL, env, &s, faults)) {
        settings_free(s);
        fail_msg("accepted: %s", yaml ? yaml : env[0]);
    }
    assert_null(s);
    assert_true(faults->n > 0);
}

static void assert_fault(const struct error_list *faults, size_t i, const char *where, const char *text)
{
    assert_true(i < faults->n);
    assert_string_equal(faults->items[i].where, where);
    if (!strstr(faults->items[i].text, text))
        fail_msg("\"%s\" does not say \"%s\"", faults->items[i].text, text);
}

static void without_file_and_environment_all_is_default(void **state)
{
    CLEANUP(settings_free_p) struct settings *s = load(NULL, NULL);

    (void)state;
    assert_string_equal(s->server.listen, "127.0.0.1:9902");
    assert_int_equal(s->server.max_body_bytes, 1024 * 1024);
    assert_string_equal(s->database.url, "sqlite:./data/carillon.db");
    assert_string_equal(s->history.url, "sqlite:./data/carillon-history.db");
    assert_string_equal(s->history.schema, "carillon_history");
    assert_int_equal(s->retention.history_us, 90 * 86400 * US_PER_S);
    assert_string_equal(s->scheduler.timezone, "Asia/Seoul");
    assert_int_equal(s->scheduler.lease_us, 30 * US_PER_S);
    assert_int_equal(s->retention.finished_us, 86400 * US_PER_S);
    assert_int_equal(s->retention.failed_us, 7 * 86400 * US_PER_S);
    assert_int_equal(s->shutdown.grace_us, 30 * US_PER_S);
    assert_true(settings_list_has(&s->roles, "api"));
    assert_true(settings_list_has(&s->roles, "monitor"));
    assert_true(s->server.instance[0] != '\0');
    assert_string_equal(s->source, "");
    assert_int_equal(s->notes.n, 0);
}

static void a_file_is_read_over_the_defaults(void **state)
{
    CLEANUP(settings_free_p)
    struct settings *s = load("# comment\n"
                              "server:\n"
                              "  listen: 127.0.0.1:8080\n"
                              "  threads: \"4\"\n"
                              "scheduler:\n"
                              "  fetch_interval: 2\n"
                              "  fetch_count: 10\n"
                              "  timezone: UTC\n"
                              "wakeup: poll\n"
                              "delivery: {hidden_headers: [X-Key, x-other]}\n"
                              "roles: [api, worker, monitor]\n"
                              "retention:\n",
                              NULL);

    (void)state;
    assert_string_equal(s->server.listen, "127.0.0.1:8080");
    assert_int_equal(s->server.threads, 4);
    assert_int_equal(s->scheduler.fetch_interval_us, 2 * US_PER_S);
    assert_int_equal(s->scheduler.fetch_count, 10);
    assert_string_equal(s->scheduler.timezone, "UTC");
    assert_string_equal(s->wakeup.mode, "poll");
    assert_int_equal(s->delivery.hidden_headers.n, 2);
    assert_true(settings_list_has(&s->delivery.hidden_headers, "x-key"));
    assert_int_equal(s->server.max_connections, 1024);
    assert_string_equal(s->source, "config.yaml");
}

static void an_empty_file_changes_nothing(void **state)
{
    static const char *const empty[] = {"", "# only a comment\n", "---\n", "~\n", "server:\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        CLEANUP(settings_free_p) struct settings *s = load(empty[i], NULL);

        assert_string_equal(s->server.listen, "127.0.0.1:9902");
    }
}

static void an_unknown_member_is_named_with_its_line_and_what_was_meant(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("server:\n  listne: 127.0.0.1:1\nsever:\n  listen: x\ndatabase:\n  listen: y\n  xyzzy: 1\n", NULL,
           &faults);
    assert_int_equal(faults.n, 4);
    assert_fault(&faults, 0, "config.yaml:2", "server.listne is not a setting; did you mean server.listen?");
    assert_fault(&faults, 1, "config.yaml:3", "sever is not a setting; did you mean server?");
    assert_fault(&faults, 2, "config.yaml:6",
                 "database.listen is not a setting; did you mean server.listen?");
    assert_fault(&faults, 3, "config.yaml:7", "database.xyzzy is not a setting");
    assert_null(strstr(faults.items[3].text, "did you mean"));
}

static void a_wrong_value_is_named_with_its_line(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("server:\n  threads: many\n  listen: [a, b]\nlog:\n  level: loud\nshutdown: 5\nroles: [[api]]\n",
           NULL, &faults);
    assert_int_equal(faults.n, 5);
    assert_fault(&faults, 0, "config.yaml:2", "server.threads must be a whole number from 1 to 256");
    assert_fault(&faults, 1, "config.yaml:3", "server.listen takes one value");
    assert_fault(&faults, 2, "config.yaml:5", "log.level must be error, warn, info or debug");
    assert_fault(&faults, 3, "config.yaml:6", "shutdown takes members");
    assert_fault(&faults, 4, "config.yaml:7", "roles must be a list");
}

static void a_wrong_item_of_a_list_is_named_with_its_own_line(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("delivery:\n  deny:\n    - 10.0.0.0/8\n    - 10.1.2.3/8\n  allow: [a.example, b..c]\n", NULL,
           &faults);
    assert_fault(&faults, 0, "config.yaml:4", "delivery.deny 10.1.2.3/8 has bits beyond its length");
    assert_fault(&faults, 1, "config.yaml:5", "delivery.allow b..c must be an address");
}

#define SECRET_A "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SECRET_B "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void secrets_have_names_of_the_users_own(void **state)
{
    static const char *const env[] = {"CARILLON_SECRETS_BILLING=" SECRET_A "," SECRET_B,
                                      "CARILLON_SECRETS_ORDERS=" SECRET_B, "CARILLON_SECRETS_EMPTY=", NULL};
    CLEANUP(settings_free_p)
    struct settings *s =
        load("secrets:\n  orders: " SECRET_A "\n  two: [" SECRET_A ", " SECRET_B "]\n  none:\n", env);

    (void)state;
    assert_int_equal(s->secrets_n, 3);
    assert_string_equal(s->secrets[0].name, "orders"); /* the environment wins */
    assert_int_equal(s->secrets[0].n, 1);
    assert_string_equal(s->secrets[0].values[0], SECRET_B);
    assert_string_equal(s->secrets[1].name, "two");
    assert_int_equal(s->secrets[1].n, 2);
    assert_string_equal(s->secrets[1].values[1], SECRET_B);
    assert_string_equal(s->secrets[2].name, "billing");
    assert_int_equal(s->secrets[2].n, 2);
}

static void secrets_are_never_shown(void **state)
{
    static const char *const env[] = {"CARILLON_SECRETS_ORDERS=" SECRET_B, NULL};
    CLEANUP(settings_free_p) struct settings *s = load("secrets: {two: '" SECRET_A "," SECRET_B "'}\n", env);
    CLEANUP(settings_free_p) struct settings *none = load("", NULL);
    CLEANUP(buf_done_p) struct buf yaml = {0};
    CLEANUP(buf_done_p) struct buf json = {0};
    CLEANUP(buf_done_p) struct buf bare = {0};

    (void)state;
    buf_init(&yaml, 65536);
    buf_init(&json, 65536);
    buf_init(&bare, 65536);
    assert_int_equal(settings_print(s, &yaml, NULL), ERR_NONE);
    assert_int_equal(settings_print_json(s, &json, NULL), ERR_NONE);
    assert_non_null(strstr(buf_cstr(&yaml), "secrets:\n  two: [\"***\", \"***\"]"));
    assert_non_null(strstr(buf_cstr(&yaml), "# config.yaml:1\n"));
    assert_non_null(strstr(buf_cstr(&yaml), "  orders: \"***\""));
    assert_non_null(strstr(buf_cstr(&yaml), "# CARILLON_SECRETS_ORDERS\n"));
    assert_non_null(strstr(buf_cstr(&json),
                           ",\"secrets\":{\"two\":{\"value\":[\"***\",\"***\"],\"from\":\"file\"},"
                           "\"orders\":{\"value\":\"***\",\"from\":\"environment\"}}}\n"));
    assert_null(strstr(buf_cstr(&yaml), "whsec"));
    assert_null(strstr(buf_cstr(&json), "whsec"));
    assert_int_equal(settings_print(none, &bare, NULL), ERR_NONE);
    assert_null(strstr(buf_cstr(&bare), "secrets"));
}

static void a_wrong_secret_is_named_with_its_line_and_not_told(void **state)
{
    static const char *const env[] = {"CARILLON_SECRETS_X=whsec_MARKER", "CARILLON_SECRETS_A-B=" SECRET_A,
                                      NULL};
    struct error_list faults;

    (void)state;
    refuse("secrets:\n  a: MARKER\n  b: [" SECRET_A ", " SECRET_B ", " SECRET_A "]\n  C: " SECRET_A "\n"
           "  d: {MARKER: " SECRET_A "}\n  e: []\n  f: [[MARKER]]\n",
           env, &faults);
    assert_int_equal(faults.n, 8);
    assert_fault(&faults, 0, "config.yaml:2", "secrets.a must begin with whsec_");
    assert_fault(&faults, 1, "config.yaml:3", "secrets.b must be one secret, or two");
    assert_fault(&faults, 2, "config.yaml:4", "secrets.C has a name that is not of lower-case letters");
    assert_fault(&faults, 3, "config.yaml:5", "secrets.d must be one secret, or a list of two");
    assert_fault(&faults, 4, "config.yaml:6", "secrets.e must be one secret, or two");
    assert_fault(&faults, 5, "config.yaml:7", "secrets.f must begin with whsec_");
    assert_fault(&faults, 6, "CARILLON_SECRETS_X", "must be whsec_ and base64 of 24 to 64 bytes");
    assert_fault(&faults, 7, "CARILLON_SECRETS_A-B", "has a name");
    for (size_t i = 0; i < faults.n; i++)
        assert_null(strstr(faults.items[i].text, "MARKER"));
    refuse("secrets: MARKER\n", NULL, &faults);
    assert_fault(&faults, 0, "config.yaml:1", "secrets takes members");
}

static void what_is_not_yaml_is_named_with_its_line(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("server:\n  listen: \"127\n", NULL, &faults);
    assert_int_equal(faults.items[0].code, ERR_SYNTAX);
    assert_true(strncmp(faults.items[0].where, "config.yaml:", 12) == 0);
    refuse("a: b: c\n", NULL, &faults);
    assert_fault(&faults, 0, "config.yaml:1", "not YAML");
    refuse("- a\n- b\n", NULL, &faults);
    assert_fault(&faults, 0, "config.yaml:1", "sections");
    refuse("log: {level: info}\n---\nlog: {level: warn}\n", NULL, &faults);
    assert_fault(&faults, 0, "config.yaml:3", "second document");
}

static void a_member_given_twice_is_refused(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("log:\n  level: info\n  level: warn\nlog:\n  format: text\n", NULL, &faults);
    assert_int_equal(faults.n, 2);
    assert_fault(&faults, 0, "config.yaml:3", "log.level is given twice: in line 2 before");
    assert_fault(&faults, 1, "config.yaml:4", "log is given twice: in line 1 before");
}

static void many_faults_are_bounded(void **state)
{
    CLEANUP(buf_done_p) struct buf yaml = {0};
    struct error_list faults;

    (void)state;
    buf_init(&yaml, 1 << 20);
    for (int i = 0; i < 5000; i++)
        buf_addf(&yaml, "nothing%d: 1\n", i);
    refuse(buf_cstr(&yaml), NULL, &faults);
    assert_int_equal(faults.n, ERROR_LIST_MAX);
}

static void the_environment_wins_over_the_file(void **state)
{
    const char *env[] = {"HOME=/root",
                         "CARILLON_SERVER_LISTEN=127.0.0.1:0",
                         "CARILLON_DELIVERY_HIDDEN_HEADERS=a,b",
                         "CARILLON_SERVER_MAX_BODY=2MiB",
                         "CARILLON_LOG_LEVEL=",
                         NULL};
    CLEANUP(settings_free_p)
    struct settings *s = load("server:\n  listen: 127.0.0.1:1\n  threads: 3\nlog:\n  level: warn\n", env);

    (void)state;
    assert_string_equal(s->server.listen, "127.0.0.1:0");
    assert_int_equal(s->server.max_body_bytes, 2 * 1024 * 1024);
    assert_int_equal(s->server.threads, 3);
    assert_int_equal(s->delivery.hidden_headers.n, 2);
    assert_string_equal(s->log.level, "warn"); /* an empty variable is none */
}

/* Every member by its variable: the default's own text is a value that every member takes. */
static void every_member_can_be_given_by_its_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_table_n; i++) {
        char name[SETTING_NAME_MAX];
        char pair[256];
        const char *env[] = {pair, NULL};
        struct settings *s;
        const char *text = settings_table[i].fallback;

        if (text[0] == '\0')
            text = strcmp(settings_table[i].section, "wakeup") == 0 ? "postgresql://x"
                   : strcmp(settings_table[i].section, "history") == 0
                       ? (strcmp(settings_table[i].member, "url") == 0 ? "sqlite:x" : "x")
                   : strstr(settings_table[i].member, "url") ? "redis://x"
                                                             : "x";
        if (strcmp(settings_table[i].member, "host") == 0 ||
            strncmp(settings_table[i].member, "tls", 3) == 0 ||
            (strcmp(settings_table[i].section, "database") == 0 && text[0] == 'x'))
            continue; /* not without their companions; below */
        setting_variable(&settings_table[i], name);
        assert_true(snprintf(pair, sizeof(pair), "%s=%s", name, text) > 0);
        s = load(NULL, env);
        assert_int_equal(s->origins[i].layer, SETTINGS_ENV);
        settings_free(s);
    }
}

static void no_two_members_share_a_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_table_n; i++) {
        for (size_t j = 0; j < i; j++) {
            char a[SETTING_NAME_MAX];
            char b[SETTING_NAME_MAX];

            setting_variable(&settings_table[i], a);
            setting_variable(&settings_table[j], b);
            assert_string_not_equal(a, b);
        }
    }
}

static void nested_members_join_by_underscore(void **state)
{
    const char *env[] = {"CARILLON_SERVER_TLS_CERT=/c.pem", "CARILLON_SERVER_TLS_KEY=/k.pem",
                         "CARILLON_WAKEUP=poll", NULL};
    CLEANUP(settings_free_p) struct settings *s = load(NULL, env);
    CLEANUP(settings_free_p)
    struct settings *f = load("server:\n  tls:\n    cert: /c.pem\n    key: /k.pem\n", NULL);

    (void)state;
    assert_string_equal(s->server.tls_cert, "/c.pem");
    assert_string_equal(s->wakeup.mode, "poll");
    assert_string_equal(f->server.tls_cert, "/c.pem");
    assert_string_equal(f->server.tls_key, "/k.pem");
}

static void an_unknown_variable_of_a_section_is_refused(void **state)
{
    const char *typo[] = {"CARILLON_SERVER_LISTNE=127.0.0.1:0", NULL};
    const char *value[] = {"CARILLON_SERVER_THREADS=many", NULL};
    struct error_list faults;

    (void)state;
    refuse(NULL, typo, &faults);
    assert_fault(&faults, 0, "CARILLON_SERVER_LISTNE", "did you mean CARILLON_SERVER_LISTEN?");
    refuse(NULL, value, &faults);
    assert_fault(&faults, 0, "CARILLON_SERVER_THREADS", "must be a whole number from 1 to 256");
}

static void a_variable_of_no_section_is_only_noted(void **state)
{
    const char *env[] = {"CARILLON_SEVER_LISTEN=127.0.0.1:0", "CARILLON_URL=http://x", "CARILLON_ZONEINFO=/x",
                         NULL};
    CLEANUP(settings_free_p) struct settings *s = load(NULL, env);

    (void)state;
    assert_int_equal(s->notes.n, 1);
    assert_fault(&s->notes, 0, "CARILLON_SEVER_LISTEN", "did you mean CARILLON_SERVER_LISTEN?");
}

/* Kubernetes sets these for services called "carillon" and "carillon-database" in the same namespace. */
static void service_links_of_kubernetes_are_not_ours(void **state)
{
    const char *env[] = {"CARILLON_SERVICE_HOST=10.0.0.1",
                         "CARILLON_PORT=tcp://10.0.0.1:9902",
                         "CARILLON_PORT_9902_TCP_ADDR=10.0.0.1",
                         "CARILLON_DATABASE_SERVICE_HOST=10.0.0.2",
                         "CARILLON_DATABASE_SERVICE_PORT_PG=5432",
                         "CARILLON_DATABASE_PORT=tcp://10.0.0.2:5432",
                         "CARILLON_DATABASE_PORT_5432_TCP=tcp://10.0.0.2:5432",
                         NULL};
    CLEANUP(settings_free_p) struct settings *s = load(NULL, env);

    (void)state;
    assert_int_equal(s->notes.n, 0);
    assert_int_equal(s->database.port, 5432);
}

static void the_old_database_members_make_a_url(void **state)
{
    CLEANUP(settings_free_p)
    struct settings *s = load("database:\n  host: db.example\n  port: 55432\n  id: me@home\n"
                              "  pw: a/b:c\n  db: sched\n"
                              "scheduler: {fetch_interval: 1, table: schedule}\n"
                              "history: {table: history}\n",
                              NULL);
    CLEANUP(settings_free_p) struct settings *v6 = load("database: {host: '::1', db: x}\n", NULL);

    (void)state;
    assert_string_equal(s->database.url, "postgresql://me%40home:a%2Fb%3Ac@db.example:55432/sched");
    assert_int_equal(s->notes.n, 2);
    assert_string_equal(s->notes.items[0].where, "scheduler.table");
    assert_string_equal(s->notes.items[1].where, "history.table");
    assert_string_equal(v6->database.url, "postgresql://[::1]:5432/x");
}

static void of_url_and_host_the_later_layer_wins(void **state)
{
    const char *url[] = {"CARILLON_DATABASE_URL=sqlite:x.db", NULL};
    const char *host[] = {"CARILLON_DATABASE_HOST=h", NULL};
    CLEANUP(settings_free_p) struct settings *a = load("database: {host: h, db: x}\n", url);
    CLEANUP(settings_free_p) struct settings *b = load("database: {url: 'sqlite:x.db'}\n", host);
    struct error_list faults;

    (void)state;
    assert_string_equal(a->database.url, "sqlite:x.db");
    assert_string_equal(b->database.url, "postgresql://h:5432/");
    refuse("database: {url: 'sqlite:x.db', host: h}\n", NULL, &faults);
    assert_fault(&faults, 0, "database.url", "both");
    refuse("database: {db: x}\n", NULL, &faults);
    assert_fault(&faults, 0, "database.host", "needed");
}

static const char *history_of(const char *yaml)
{
    static char text[200];
    struct settings *s = load(yaml, NULL);

    (void)snprintf(text, sizeof(text), "%s %s", s->history.url, s->history.schema);
    settings_free(s);
    return text;
}

static void the_history_is_beside_the_database_unless_told_otherwise(void **state)
{
    (void)state;
    assert_string_equal(history_of("database: {url: 'sqlite:/var/lib/c.d/store'}\n"),
                        "sqlite:/var/lib/c.d/store-history carillon_history");
    assert_string_equal(history_of("database: {url: 'sqlite:x.db'}\n"),
                        "sqlite:x-history.db carillon_history");
    assert_string_equal(history_of("database: {url: 'postgresql://u:p@h/db', schema: mine}\n"),
                        "postgresql://u:p@h/db mine_history");
    assert_string_equal(history_of("history: {url: 'postgresql://other/db', schema: theirs}\n"),
                        "postgresql://other/db theirs");
}

static void what_this_build_cannot_do_is_refused_by_name(void **state)
{
    CLEANUP(settings_free_p)
    struct settings *s = load("wakeup: redis\n"
                              "admin: {reset: true}\nroles: [api]\n"
                              "server: {tls: {cert: /c, key: /k}}\n",
                              NULL);
    CLEANUP(settings_free_p) struct settings *plain = load(NULL, NULL);
    struct error_list faults;

    (void)state;
    assert_int_equal(settings_supported(plain, &faults), ERR_NONE);
    assert_int_equal(settings_supported(s, &faults), ERR_UNSUPPORTED);
    assert_int_equal(faults.n, 4);
}

static void instances_that_share_a_database_may_divide_the_roles(void **state)
{
    CLEANUP(settings_free_p)
    struct settings *s = load("database: {url: 'postgresql://h/x'}\nroles: [api, monitor]\n", NULL);
    struct error_list faults;

    (void)state;
    assert_int_equal(settings_supported(s, &faults), ERR_NONE);
    assert_false(settings_list_has(&s->roles, "worker"));
}

static void wake_ups_over_redis_need_a_server_without_tls_and_a_shared_database(void **state)
{
#define SHARED "database: {url: 'postgresql://h/x'}\nwakeup: redis\n"
    CLEANUP(settings_free_p) struct settings *good = load(SHARED "redis: {url: 'redis://u:p@h:1/2'}\n", NULL);
    CLEANUP(settings_free_p) struct settings *none = load(SHARED, NULL);
    CLEANUP(settings_free_p) struct settings *tls = load(SHARED "redis: {url: 'rediss://h'}\n", NULL);
    CLEANUP(settings_free_p)
    struct settings *alone = load("wakeup: redis\nredis: {url: 'redis://h'}\n", NULL);
    struct error_list faults;

    (void)state;
    assert_int_equal(settings_supported(good, &faults), ERR_NONE);
    assert_int_equal(settings_supported(none, &faults), ERR_UNSUPPORTED);
    assert_fault(&faults, 0, "redis.url", "is needed");
    assert_int_equal(settings_supported(tls, &faults), ERR_UNSUPPORTED);
    assert_fault(&faults, 0, "redis.url", "has no TLS");
    assert_int_equal(settings_supported(alone, &faults), ERR_UNSUPPORTED);
    assert_fault(&faults, 0, "wakeup.mode", "needs a PostgreSQL");
}

static void members_that_contradict_each_other_are_refused(void **state)
{
    struct error_list faults;

    (void)state;
    refuse("scheduler: {horizon: 0}\n", NULL, &faults);
    assert_fault(&faults, 0, "config.yaml:1", "scheduler.horizon must be");
    refuse("scheduler: {max_held: 10, max_in_flight: 20}\nserver: {tls: {cert: /c}}\n", NULL, &faults);
    assert_fault(&faults, 0, "scheduler.max_held", "at least");
    assert_fault(&faults, 1, "server.tls", "both");
}

static void a_long_path_keeps_its_line(void **state)
{
    struct settings *s = NULL;
    struct error_list faults;
    char name[200];

    (void)state;
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(settings_parse(STR("x: 1\n"), name, NULL, &s, &faults), ERR_INVALID);
    assert_true(str_ends(str_of(faults.items[0].where), STR("d:1")));
}

/* What is printed can be read again and prints the same but for where it came from. */
static void print_values(const struct settings *s, struct buf *out)
{
    struct error err = {0};
    struct str rest;
    struct str line;
    CLEANUP(buf_done_p) struct buf whole = {0};

    buf_init(&whole, 65536);
    assert_int_equal(settings_print(s, &whole, &err), ERR_NONE);
    rest = buf_str(&whole);
    while (str_cut(&rest, '\n', &line)) {
        const char *comment = line.n ? memrchr(line.p, '#', line.n) : NULL;

        buf_add(out, comment ? str_trim((struct str){line.p, (size_t)(comment - line.p)}) : line);
        buf_add_char(out, '\n');
    }
}

static void the_printed_settings_can_be_read_again(void **state)
{
    CLEANUP(settings_free_p)
    struct settings *s =
        load("server: {instance: 'a \"b\" c: é', idle_timeout: 1.5h, listen: '[::1]:1'}\n"
             "delivery: {hidden_headers: [a, b], deny: ['*.example.com', \"::1\", 10.0.0.0/8]}\n"
             "admin: {reset: no}\n",
             NULL);
    CLEANUP(settings_free_p) struct settings *again = NULL;
    CLEANUP(buf_done_p) struct buf yaml = {0};
    CLEANUP(buf_done_p) struct buf a = {0};
    CLEANUP(buf_done_p) struct buf b = {0};
    struct error err = {0};

    (void)state;
    buf_init(&yaml, 65536);
    buf_init(&a, 65536);
    buf_init(&b, 65536);
    assert_int_equal(settings_print(s, &yaml, &err), ERR_NONE);
    again = load(buf_cstr(&yaml), NULL);
    print_values(s, &a);
    print_values(again, &b);
    assert_string_equal(buf_cstr(&a), buf_cstr(&b));
    assert_string_equal(again->server.instance, "a \"b\" c: é");
    assert_int_equal(again->server.idle_timeout_us, 5400 * US_PER_S);
    assert_int_equal(again->delivery.deny.n, 3);
    assert_string_equal(again->delivery.deny.items[0], "*.example.com");
}

static void the_printed_settings_of_an_old_file_can_be_read_again(void **state)
{
    CLEANUP(settings_free_p) struct settings *s = load("database: {host: h, db: d, pw: x}\n", NULL);
    CLEANUP(settings_free_p) struct settings *again = NULL;
    CLEANUP(buf_done_p) struct buf yaml = {0};
    struct error err = {0};

    (void)state;
    buf_init(&yaml, 65536);
    assert_int_equal(settings_print(s, &yaml, &err), ERR_NONE);
    assert_non_null(strstr(buf_cstr(&yaml), "  # url: \"postgresql://h:5432/d\""));
    again = load(buf_cstr(&yaml), NULL);
    assert_string_equal(again->database.url, s->database.url);
}

static void the_printed_settings_say_where_each_came_from(void **state)
{
    const char *env[] = {"CARILLON_LOG_LEVEL=debug", "CARILLON_DATABASE_PW=hunter2",
                         "CARILLON_DATABASE_HOST=h", NULL};
    CLEANUP(settings_free_p) struct settings *s = load("server:\n  threads: 3\n", env);
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    (void)state;
    buf_init(&out, 65536);
    assert_int_equal(settings_print(s, &out, &err), ERR_NONE);
    assert_non_null(strstr(buf_cstr(&out), "# config.yaml:2\n"));
    assert_non_null(strstr(buf_cstr(&out), "# CARILLON_LOG_LEVEL\n"));
    assert_null(strstr(buf_cstr(&out), "hunter2"));
    buf_clear(&out);
    assert_int_equal(settings_print_json(s, &out, &err), ERR_NONE);
    assert_non_null(strstr(buf_cstr(&out), "\"threads\":{\"value\":3,\"from\":\"file\"}"));
    assert_null(strstr(buf_cstr(&out), "hunter2"));
}

/* The n-th allocation fails, for every n: a clean error and, by the sanitizer's word, no leak. */
static void running_out_of_memory_is_an_error(void **state)
{
    const char *yaml = "server: {instance: x}\ndatabase: {host: h, id: i, pw: p}\nroles: [api, "
                       "worker]\nscheduler: {table: t}\n";
    const char *env[] = {"CARILLON_DELIVERY_HIDDEN_HEADERS=a,b,c", NULL};
    enum err e = ERR_MEMORY;

    (void)state;
    for (uint64_t n = 1; n < 1000 && e == ERR_MEMORY; n++) {
        struct settings *s = NULL;
        struct error_list faults;

        alloc_test_fail_nth(n);
        e = settings_parse(str_of(yaml), "config.yaml", env, &s, &faults);
        alloc_test_fail_nth(0);
        settings_free(s);
    }
    assert_int_equal(e, ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_file_and_environment_all_is_default),
        cmocka_unit_test(a_file_is_read_over_the_defaults),
        cmocka_unit_test(an_empty_file_changes_nothing),
        cmocka_unit_test(an_unknown_member_is_named_with_its_line_and_what_was_meant),
        cmocka_unit_test(a_wrong_value_is_named_with_its_line),
        cmocka_unit_test(a_wrong_item_of_a_list_is_named_with_its_own_line),
        cmocka_unit_test(secrets_have_names_of_the_users_own),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(a_wrong_secret_is_named_with_its_line_and_not_told),
        cmocka_unit_test(what_is_not_yaml_is_named_with_its_line),
        cmocka_unit_test(a_member_given_twice_is_refused),
        cmocka_unit_test(many_faults_are_bounded),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(every_member_can_be_given_by_its_variable),
        cmocka_unit_test(no_two_members_share_a_variable),
        cmocka_unit_test(nested_members_join_by_underscore),
        cmocka_unit_test(an_unknown_variable_of_a_section_is_refused),
        cmocka_unit_test(a_variable_of_no_section_is_only_noted),
        cmocka_unit_test(service_links_of_kubernetes_are_not_ours),
        cmocka_unit_test(the_old_database_members_make_a_url),
        cmocka_unit_test(of_url_and_host_the_later_layer_wins),
        cmocka_unit_test(the_history_is_beside_the_database_unless_told_otherwise),
        cmocka_unit_test(what_this_build_cannot_do_is_refused_by_name),
        cmocka_unit_test(instances_that_share_a_database_may_divide_the_roles),
        cmocka_unit_test(wake_ups_over_redis_need_a_server_without_tls_and_a_shared_database),
        cmocka_unit_test(members_that_contradict_each_other_are_refused),
        cmocka_unit_test(a_long_path_keeps_its_line),
        cmocka_unit_test(the_printed_settings_can_be_read_again),
        cmocka_unit_test(the_printed_settings_of_an_old_file_can_be_read_again),
        cmocka_unit_test(the_printed_settings_say_where_each_came_from),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };

    return cmocka_run_group_tests_name("config/settings", tests, NULL, NULL);
}
