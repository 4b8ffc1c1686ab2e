/*
 * settings.c: the three layers in their order, and what concerns more than one member. Reads one file and the
 * host's name; runs once, in main, before threads.
 */
#include "config/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "config/layers.h"
#include "config/secrets.h"
#include "config/value.h"

enum { FILE_MAX_BYTES = 1024 * 1024, URL_MAX_BYTES = 4096, SCHEMA_MAX = 40 };

static const char *const usual_files[] = {"./config.yaml", "/etc/carillon/config.yaml"};

void settings_free(struct settings *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < settings_table_n; i++)
        value_free(s, &settings_table[i]);
    secrets_free(s);
    alloc_free(s->source);
    alloc_free(s->origins);
    alloc_free(s);
}

void layers_mark(struct layers *l, const struct setting *t, enum settings_layer layer, size_t line)
{
    l->s->origins[t - settings_table] = (struct settings_origin){.layer = layer, .line = line};
}

const struct settings_origin *layers_origin(const struct settings *s, const void *member)
{
    size_t offset = (size_t)((const char *)member - (const char *)s);

    for (size_t i = 0; i < settings_table_n; i++) {
        if (settings_table[i].offset == offset)
            return &s->origins[i];
    }
    must_failed("a member of the table", __FILE__, __LINE__);
}

static struct error_list *no_faults(struct error_list *faults)
{
    *faults = (struct error_list){0};
    return faults;
}

static enum err to_faults(struct error_list *faults, const struct error *err)
{
    return error_list_add(faults, err->code, err->where, "%s", err->text);
}

static enum err set_defaults(struct settings *s, struct error *err)
{
    enum err e = alloc_array(settings_table_n, sizeof(s->origins[0]), (void **)&s->origins, err);

    if (!e)
        e = alloc_str(STR(""), &s->source, err);
    for (size_t i = 0; !e && i < settings_table_n; i++)
        e = value_set(s, &settings_table[i], str_of(settings_table[i].fallback), err);
    return e;
}

/* All defaults; NULL and a fault when there is no memory for them. */
static struct settings *make_default(struct error_list *faults)
{
    CLEANUP(settings_free_p) struct settings *s = alloc_new(struct settings);
    struct error err = {0};

    if (set_defaults(s, &err)) {
        (void)to_faults(faults, &err);
        return NULL;
    }
    return TAKE(s);
}

static void close_p(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum err read_all(int fd, const char *path, struct buf *out, struct error *err)
{
    char chunk[4096];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, path, "cannot read the settings");
        if (n == 0)
            return buf_check(out, path, err);
        buf_add(out, (struct str){chunk, (size_t)n});
        if (!buf_ok(out))
            return error_set(err, ERR_TOO_LARGE, path, "settings of more than %d bytes", FILE_MAX_BYTES);
    }
}

/* *ret_found false when there is no such file and that is no fault. */
static enum err read_file(const char *path, bool optional, struct buf *out, bool *ret_found,
                          struct error *err)
{
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);

    *ret_found = fd >= 0;
    if (fd < 0 && optional && (errno == ENOENT || errno == ENOTDIR))
        return ERR_NONE;
    if (fd < 0)
        return error_errno(err, path, "cannot open the settings");
    return read_all(fd, path, out, err);
}

/* Finds and reads the file; *ret_path is NULL when there is none. */
static enum err find_file(const char *path, struct buf *out, const char **ret_path, struct error *err)
{
    bool found = false;

    *ret_path = NULL;
    if (path) {
        *ret_path = path;
        return read_file(path, false, out, &found, err);
    }
    for (size_t i = 0; i < COUNT_OF(usual_files); i++) {
        enum err e = read_file(usual_files[i], true, out, &found, err);

        if (e)
            return e;
        if (found) {
            *ret_path = usual_files[i];
            return ERR_NONE;
        }
    }
    return ERR_NONE;
}

/* RFC 3986, 2.3 and 3.2: everything but unreserved characters, in a part of the authority or a path segment.
 */
static void add_percent(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        char c = *s;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c))
            buf_add_char(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void add_host(struct buf *out, const char *host)
{
    if (strchr(host, ':') && host[0] != '[')
        buf_addf(out, "[%s]", host); /* an IPv6 address */
    else
        buf_add_cstr(out, host);
}

static enum err make_url(struct settings *s, struct error *err)
{
    CLEANUP(buf_done_p) struct buf url = {0};
    char *made;
    enum err e;

    buf_init(&url, URL_MAX_BYTES);
    buf_add_cstr(&url, "postgresql://");
    if (s->database.id[0] != '\0') {
        add_percent(&url, s->database.id);
        if (s->database.pw[0] != '\0') {
            buf_add_char(&url, ':');
            add_percent(&url, s->database.pw);
        }
        buf_add_char(&url, '@');
    }
    add_host(&url, s->database.host);
    buf_addf(&url, ":%lld/", (long long)s->database.port);
    add_percent(&url, s->database.db);
    e = buf_take(&url, &made, NULL, err);
    if (e)
        return e;
    alloc_free(s->database.url);
    s->database.url = made;
    s->database.url_made = true;
    return ERR_NONE;
}

/* database.host and its companions against database.url: the later layer wins, in one layer they exclude each
 * other. */
static enum err settle_database(struct settings *s, struct error *err)
{
    const struct settings_origin *url = layers_origin(s, &s->database.url);
    const struct settings_origin *host = layers_origin(s, &s->database.host);
    bool companions = s->database.id[0] != '\0' || s->database.pw[0] != '\0' || s->database.db[0] != '\0';

    if (host->layer == SETTINGS_DEFAULT || s->database.host[0] == '\0') {
        if (companions && url->layer == SETTINGS_DEFAULT)
            return error_set(err, ERR_INVALID, "database.host", "is needed beside database.id, pw and db");
        return ERR_NONE;
    }
    if (url->layer > host->layer)
        return ERR_NONE;
    if (url->layer == host->layer)
        return error_set(err, ERR_INVALID, "database.url",
                         "and database.host are given both; which one is meant?");
    return make_url(s, err);
}

/* "sqlite:./data/carillon.db" to "sqlite:./data/carillon-history.db". */
static void beside(struct buf *out, const char *url)
{
    const char *slash = strrchr(url, '/');
    const char *dot = strrchr(url, '.');

    if (!dot || (slash && dot < slash) || dot == url || dot[-1] == '/')
        dot = url + strlen(url);
    buf_add(out, (struct str){url, (size_t)(dot - url)});
    buf_add_cstr(out, "-history");
    buf_add_cstr(out, dot);
}

/* Where the history is when nobody says so. After the database is settled. */
static enum err settle_history(struct settings *s, struct error *err)
{
    CLEANUP(buf_done_p) struct buf url = {0};
    CLEANUP(buf_done_p) struct buf schema = {0};
    const char *path;

    buf_init(&url, URL_MAX_BYTES);
    buf_init(&schema, URL_MAX_BYTES);
    if (s->history.url[0] == '\0') {
        enum err e;

        if (settings_sqlite_path(s->database.url, &path))
            beside(&url, s->database.url);
        else
            buf_add_cstr(&url, s->database.url);
        alloc_free(TAKE(s->history.url));
        e = buf_take(&url, &s->history.url, NULL, err);
        if (e)
            return e;
        s->history.url_made = true;
    }
    if (s->history.schema[0] != '\0')
        return ERR_NONE;
    if (strlen(s->database.schema) > SCHEMA_MAX - sizeof("_history") + 1)
        return error_set(err, ERR_INVALID, "history.schema",
                         "must be given: database.schema is too long to be followed by _history");
    buf_addf(&schema, "%s_history", s->database.schema);
    alloc_free(TAKE(s->history.schema));
    s->history.schema_made = true;
    return buf_take(&schema, &s->history.schema, NULL, err);
}

static enum err settle_instance(struct settings *s, struct error *err)
{
    char name[256];

    if (s->server.instance[0] != '\0')
        return ERR_NONE;
    if (gethostname(name, sizeof(name)) < 0)
        return error_errno(err, "server.instance", "cannot ask for the host's name");
    name[sizeof(name) - 1] = '\0';
    alloc_free(s->server.instance);
    s->server.instance = NULL;
    return alloc_str(str_of(name), &s->server.instance, err);
}

static void note_without_effect(struct settings *s)
{
    if (s->scheduler.table[0] != '\0')
        (void)error_list_add(&s->notes, ERR_INVALID, "scheduler.table",
                             "has no effect: Carillon names its tables itself");
    if (s->history.table[0] != '\0')
        (void)error_list_add(&s->notes, ERR_INVALID, "history.table",
                             "has no effect: Carillon names its tables itself");
}

static void settle(struct settings *s, struct error_list *faults)
{
    struct error err = {0};

    if (settle_database(s, &err))
        (void)to_faults(faults, &err);
    if (settle_history(s, &err))
        (void)to_faults(faults, &err);
    if (settle_instance(s, &err))
        (void)to_faults(faults, &err);
    if (s->scheduler.max_held < s->scheduler.max_in_flight)
        (void)error_list_add(faults, ERR_INVALID, "scheduler.max_held",
                             "must be at least scheduler.max_in_flight");
    if ((s->server.tls_cert[0] == '\0') != (s->server.tls_key[0] == '\0'))
        (void)error_list_add(faults, ERR_INVALID, "server.tls", "needs both cert and key");
    note_without_effect(s);
}

enum err settings_parse(struct str yaml, const char *name, const char *const *env, struct settings **ret,
                        struct error_list *faults)
{
    CLEANUP(settings_free_p) struct settings *s = NULL;
    struct layers l = {.faults = no_faults(faults)};
    struct error err = {0};

    l.s = s = make_default(faults);
    if (!s)
        return faults->items[0].code;
    if (name) {
        alloc_free(s->source);
        s->source = NULL;
        if (alloc_str(str_of(name), &s->source, &err))
            return to_faults(faults, &err);
        yaml_apply(&l, yaml, name);
    }
    env_apply(&l, env);
    if (faults->n == 0)
        settle(s, faults);
    if (faults->n > 0)
        return faults->items[0].code;
    *ret = TAKE(s);
    return ERR_NONE;
}

enum err settings_load(const char *path, const char *const *env, struct settings **ret,
                       struct error_list *faults)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    const char *found;
    struct error err = {0};

    buf_init(&text, FILE_MAX_BYTES);
    if (find_file(path, &text, &found, &err))
        return to_faults(no_faults(faults), &err);
    return settings_parse(buf_str(&text), found, env, ret, faults);
}

bool settings_sqlite_path(const char *url, const char **ret)
{
    const struct str scheme = STR("sqlite:");

    if (!str_starts(str_of(url), scheme))
        return false;
    *ret = url + scheme.n;
    return true;
}

static bool has_all_roles(const struct settings *s)
{
    return settings_list_has(&s->roles, "api") && settings_list_has(&s->roles, "worker") &&
           settings_list_has(&s->roles, "monitor");
}

static void check_wakeup(const struct settings *s, struct error_list *faults)
{
    bool redis = strcmp(s->wakeup.mode, "redis") == 0;
    bool told = redis || strcmp(s->wakeup.mode, "postgres") == 0;
    const char *path;

    if (told && settings_sqlite_path(s->database.url, &path))
        (void)error_list_add(faults, ERR_UNSUPPORTED, "wakeup.mode",
                             "%s needs a PostgreSQL in database.url; use auto or poll", s->wakeup.mode);
    if (redis && s->redis.url[0] == '\0')
        (void)error_list_add(faults, ERR_INVALID, "redis.url", "is needed for wakeup: redis");
    if (redis && str_starts(str_of(s->redis.url), STR("rediss://")))
        (void)error_list_add(faults, ERR_UNSUPPORTED, "redis.url",
                             "this build's Redis library has no TLS; use redis://");
}

enum err settings_supported(const struct settings *s, struct error_list *faults)
{
    const char *path;

    (void)no_faults(faults);
    check_wakeup(s, faults);
    if (s->server.tls_cert[0] != '\0')
        (void)error_list_add(faults, ERR_UNSUPPORTED, "server.tls",
                             "HTTPS is not in this version yet; put a front before it");
    if (settings_sqlite_path(s->database.url, &path) && !has_all_roles(s))
        (void)error_list_add(
            faults, ERR_UNSUPPORTED, "roles",
            "an embedded database belongs to one process, which must be api, worker and monitor");
    return faults->n > 0 ? ERR_UNSUPPORTED : ERR_NONE;
}
