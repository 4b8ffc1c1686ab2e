/*
 * zones.c: names to zones: which names there are, and the cache under its lock. Files are read outside of the
 * lock.
 */
#include "calendar/zones.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

/* The longest name in tzdata is "America/Argentina/ComodRivadavia", 32. */
enum { NAME_MAX_BYTES = 64, PATH_MAX_BYTES = 4096, VERSION_MAX_BYTES = 16 };

struct zones {
    char *dir;
    char version[VERSION_MAX_BYTES];

    /* any thread, under .lock; the zones themselves are immutable and stay until zones_free() */
    pthread_mutex_t lock;
    struct zone **items; /* ascending by name */
    size_t n;
    size_t cap;
};

static bool name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '+';
}

/*
 * Words of letters, digits, '_', '-' and '+' joined by single slashes: no dots, so no way up or out of the
 * directory, and one spelling a file, so that the cache holds no more zones than there are files.
 */
static bool name_is_well_formed(struct str name)
{
    bool word = false;

    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '/' ? !word : !name_char(name.p[i]))
            return false;
        word = name.p[i] != '/';
    }
    return word;
}

/*
 * Names that are in the directory but are no place: `right/` counts leap seconds, which UTC as we keep it
 * does not, and would be 27 seconds off; the other two mean something else on every machine.
 */
static bool name_is_refused(struct str name)
{
    return str_starts(name, STR("right/")) || str_eq(name, STR("localtime")) ||
           str_eq(name, STR("posixrules"));
}

/* Position of `name`, or where it belongs. */
static size_t find(const struct zones *z, struct str name, bool *ret_found)
{
    size_t lo = 0;
    size_t hi = z->n;

    *ret_found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(str_of(zone_name(z->items[mid])), name);

        if (order == 0) {
            *ret_found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const struct zone *lookup(struct zones *z, struct str name)
{
    const struct zone *found = NULL;
    bool is_there;
    size_t at;

    MUST(pthread_mutex_lock(&z->lock) == 0);
    at = find(z, name, &is_there);
    if (is_there)
        found = z->items[at];
    MUST(pthread_mutex_unlock(&z->lock) == 0);
    return found;
}

/* Takes *fresh unless another thread has been quicker: then its zone is the answer and ours is left to free.
 */
static enum err insert(struct zones *z, struct zone **fresh, const struct zone **ret, struct error *err)
{
    enum err e = ERR_NONE;
    bool is_there;
    size_t at;

    MUST(pthread_mutex_lock(&z->lock) == 0);
    at = find(z, str_of(zone_name(*fresh)), &is_there);
    if (!is_there && z->n == z->cap) {
        size_t cap = z->cap == 0 ? 16 : 2 * z->cap;

        e = alloc_resize((void **)&z->items, cap, sizeof(struct zone *), err);
        if (!e)
            z->cap = cap;
    }
    if (!e && !is_there) {
        memmove(z->items + at + 1, z->items + at, (z->n - at) * sizeof(struct zone *));
        z->items[at] = TAKE(*fresh);
        z->n++;
    }
    if (!e)
        *ret = z->items[at];
    MUST(pthread_mutex_unlock(&z->lock) == 0);
    return e;
}

enum err zones_get(struct zones *z, struct str name, const struct zone **ret, struct error *err)
{
    CLEANUP(zone_free_p) struct zone *fresh = NULL;
    char path[PATH_MAX_BYTES];
    char text[NAME_MAX_BYTES + 1];
    const struct zone *known;
    struct stat st;
    enum err e;

    if (!name_is_well_formed(name))
        return error_set(err, ERR_INVALID, NULL, "not a time zone name (an IANA name such as Asia/Seoul)");
    if (name_is_refused(name))
        return error_set(err, ERR_INVALID, NULL, "\"%.*s\" is no IANA time zone name (such as Asia/Seoul)",
                         (int)name.n, name.p);
    known = lookup(z, name);
    if (known != NULL) {
        *ret = known;
        return ERR_NONE;
    }

    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (snprintf(path, sizeof(path), "%s/%s", z->dir, text) >= (int)sizeof(path))
        return error_set(err, ERR_INVALID, NULL, "unknown time zone \"%s\"", text);
    /* "Asia" is a directory, "Asia/Seoul/x" has a file for one: unknown, no failure of the system. */
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERR_INVALID, NULL, "unknown time zone \"%s\"", text);
    e = zone_load(path, text, &fresh, err);
    if (e)
        return e;
    return insert(z, &fresh, ret, err);
}

/* The first line of `file` in the database, without its end; "" when there is none. */
static void read_first_line(const char *dir, const char *file, char *ret, size_t size)
{
    char path[PATH_MAX_BYTES];
    ssize_t got = -1;
    int fd;

    ret[0] = '\0';
    if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    got = read(fd, ret, size - 1);
    (void)close(fd);
    ret[got < 0 ? 0 : got] = '\0';
    ret[strcspn(ret, "\r\n")] = '\0';
}

/* A release is a year and a letter; what is no word is taken for no answer rather than passed on. */
static void read_version(struct zones *z)
{
    char line[64];
    struct str version;

    read_first_line(z->dir, "+VERSION", line, sizeof(line));
    if (line[0] == '\0')
        read_first_line(z->dir, "tzdata.zi", line, sizeof(line));
    version = str_of(line);
    if (str_starts(version, STR("# version "))) {
        version.p += 10;
        version.n -= 10;
    }
    if (version.n >= VERSION_MAX_BYTES || !name_is_well_formed(version))
        return;
    memcpy(z->version, version.p, version.n);
}

enum err zones_new(const char *dir, struct zones **ret, struct error *err)
{
    CLEANUP(zones_free_p) struct zones *z = alloc_new(struct zones);
    DIR *handle;
    enum err e;

    MUST(pthread_mutex_init(&z->lock, NULL) == 0);
    e = alloc_str(str_of(dir), &z->dir, err);
    if (e)
        return e;
    handle = opendir(dir);
    if (handle == NULL)
        return error_errno(err, dir, "cannot read the time zone database");
    (void)closedir(handle);
    read_version(z);
    *ret = TAKE(z);
    return ERR_NONE;
}

void zones_free(struct zones *z)
{
    if (z == NULL)
        return;
    for (size_t i = 0; i < z->n; i++)
        zone_free(z->items[i]);
    alloc_free(z->items);
    alloc_free(z->dir);
    MUST(pthread_mutex_destroy(&z->lock) == 0);
    alloc_free(z);
}

const char *zones_version(const struct zones *z)
{
    return z->version;
}
