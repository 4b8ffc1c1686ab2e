/*
 * file.c: the hold on a database file: its lock, its making, its settings, and the leases of a previous life.
 *
 * The lock is a file of its own, <path>.lock, by flock(2), beside the file that the path leads to: however it
 * is spelled, and through whatever links, one database has one lock. (Hard links are two databases to SQLite
 * too: its log goes by the name.) It is not the database itself: SQLite's POSIX locks on the database vanish
 * when any descriptor of it is closed in the process, so this file never opens the database itself once
 * SQLite has.
 */
#include "store/sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "store/sqlite/schema.h"

enum { PATH_BYTES_MAX = 4096, CACHE_BYTES = 2 * 1024 * 1024, BUSY_MS = 5000 };
/* The log keeps this much between checkpoints: growing a file costs a commit more than writing over it. */
#define WAL_KEEP_BYTES "67108864"

static enum err folder_of(const char *path, struct buf *ret, struct error *err)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        buf_add_cstr(ret, ".");
    else if (slash == path)
        buf_add_cstr(ret, "/");
    else
        buf_add(ret, (struct str){path, (size_t)(slash - path)});
    return buf_check(ret, path, err);
}

/* Where the path leads to. A file that is not there yet has its folder's. */
static enum err resolve(const char *path, const char *folder, char **ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf whole = {0};
    const char *slash = strrchr(path, '/');
    char real[PATH_MAX];
    enum err e;

    if (realpath(path, real))
        return alloc_str(str_of(real), ret, err);
    if (errno != ENOENT || !realpath(folder, real))
        return error_errno(err, path, "cannot find where this path leads");
    buf_init(&whole, PATH_BYTES_MAX);
    buf_add_cstr(&whole, real);
    buf_add_char(&whole, '/');
    buf_add_cstr(&whole, slash ? slash + 1 : path);
    e = buf_check(&whole, path, err);
    return e ? e : alloc_str(buf_str(&whole), ret, err);
}

/* The same of a file that must be there. */
static enum err find(const char *path, char **ret, struct error *err)
{
    char real[PATH_MAX];

    if (realpath(path, real))
        return alloc_str(str_of(real), ret, err);
    if (errno == ENOENT || errno == ENOTDIR)
        return error_set(err, ERR_NOT_FOUND, path, "there is no such file");
    return error_errno(err, path, "cannot find where this path leads");
}

static enum err take_lock(struct sqlite_file *f, struct error *err)
{
    CLEANUP(buf_done_p) struct buf path = {0};
    enum err e;

    buf_init(&path, PATH_BYTES_MAX);
    buf_addf(&path, "%s.lock", f->path);
    e = buf_check(&path, f->path, err);
    if (e)
        return e;
    f->lock_fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->lock_fd < 0)
        return error_errno(err, buf_cstr(&path), "cannot open the lock file");
    while (flock(f->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return error_set(err, ERR_CONFLICT, f->path,
                             "another process has this database open; one SQLite file serves one process");
        return error_errno(err, buf_cstr(&path), "cannot lock");
    }
    return ERR_NONE;
}

static enum err sync_folder(const char *folder, struct error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = ERR_NONE;

    if (fd < 0)
        return error_errno(err, folder, "cannot open the database's folder");
    if (fsync(fd) < 0)
        e = error_errno(err, folder, "cannot sync the database's folder");
    (void)close(fd); /* nothing was written through it */
    return e;
}

/* Makes one folder when it is missing, and has its parent remember it. */
static enum err make_folder(const char *folder, struct error *err)
{
    CLEANUP(buf_done_p) struct buf parent = {0};
    enum err e;

    if (mkdir(folder, 0700) < 0)
        return errno == EEXIST ? ERR_NONE : error_errno(err, folder, "cannot make the database's folder");
    buf_init(&parent, PATH_BYTES_MAX);
    e = folder_of(folder, &parent, err);
    return e ? e : sync_folder(buf_cstr(&parent), err);
}

/* All that are missing, the outermost first. */
static enum err make_folders(const char *folder, struct error *err)
{
    CLEANUP(buf_done_p) struct buf part = {0};

    buf_init(&part, PATH_BYTES_MAX);
    for (const char *end = folder; *end;) {
        enum err e;

        end += strspn(end, "/");
        end += strcspn(end, "/");
        buf_clear(&part);
        buf_add(&part, (struct str){folder, (size_t)(end - folder)});
        e = buf_check(&part, folder, err);
        if (!e)
            e = make_folder(buf_cstr(&part), err);
        if (e)
            return e;
    }
    return ERR_NONE;
}

/* An empty file with narrow rights, before SQLite makes one with wide ones; its log and index take them over.
 */
static enum err make_file(struct sqlite_file *f, const char *folder, struct error *err)
{
    int fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return ERR_NONE;
    if (fd < 0)
        return error_errno(err, f->path, "cannot make the database");
    if (close(fd) < 0)
        return error_errno(err, f->path, "cannot make the database");
    return sync_folder(folder, err);
}

enum err sqlite_code(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return ERR_MEMORY;
    switch (rc & 0xFF) {
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    /* With one writer a lock that outlasts the busy timeout is somebody's who should not be there. */
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
        return ERR_INTERNAL;
    default:
        return ERR_IO;
    }
}

static enum err refuse(sqlite3 *db, const char *path, const char *what, struct error *err)
{
    return error_set(err, sqlite_code(sqlite3_errcode(db)), path, "%s: %s", what, sqlite3_errmsg(db));
}

static enum err configure(const struct sqlite_file *f, sqlite3 *db, bool writes, struct error *err)
{
    CLEANUP(buf_done_p) struct buf sql = {0};
    int64_t cache = f->cache_bytes > 0 ? f->cache_bytes : CACHE_BYTES;
    enum err e;

    /* The last connection would copy the log and remove it. */
    if (f->looks && sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
        return refuse(db, f->path, "cannot configure the database", err);
    buf_init(&sql, 1024);
    buf_addf(&sql,
             "PRAGMA cache_size = -%lld; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
             "PRAGMA journal_size_limit = " WAL_KEEP_BYTES
             "; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
             (long long)(cache / 1024));
    if (!writes)
        buf_add_cstr(&sql, "PRAGMA query_only = ON;");
    e = buf_check(&sql, f->path, err);
    if (e)
        return e;
    if (sqlite3_busy_timeout(db, BUSY_MS) != SQLITE_OK || sqlite3_wal_autocheckpoint(db, 0) != SQLITE_OK)
        return refuse(db, f->path, "cannot configure the database", err);
    if (sqlite3_exec(db, buf_cstr(&sql), NULL, NULL, NULL) != SQLITE_OK)
        return refuse(db, f->path, "cannot open the database", err);
    return ERR_NONE;
}

enum err sqlite_open_db(const struct sqlite_file *f, bool writes, sqlite3 **ret, struct error *err)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
    sqlite3 *db = NULL;
    enum err e;

    if (sqlite3_open_v2(f->path, &db, flags, NULL) == SQLITE_OK)
        e = configure(f, db, writes, err);
    else if (db)
        e = refuse(db, f->path, "cannot open the database", err);
    else
        e = error_set(err, ERR_MEMORY, f->path, "out of memory for a connection");
    if (e) {
        MUST(sqlite3_close(db) == SQLITE_OK); /* no statement is left */
        return e;
    }
    *ret = db;
    return ERR_NONE;
}

/* Migrates, and ends the leases of whoever held this file before: the lock says that they are gone. */
static enum err prepare(struct sqlite_file *f, struct error *err)
{
    sqlite3 *db;
    enum err e;

    e = sqlite_open_db(f, true, &db, err);
    if (e)
        return e;
    e = schema_migrate(db, f->path, f->schema, err);
    if (!e && f->schema == SCHEMA_MAIN &&
        sqlite3_exec(db, "UPDATE run INDEXED BY run_lease SET lease_until = 0 WHERE state = 1", NULL, NULL,
                     NULL) != SQLITE_OK)
        e = refuse(db, f->path, "cannot end the leases of the last process", err);
    MUST(sqlite3_close(db) == SQLITE_OK); /* no statement is left */
    return e;
}

static enum err open_locked(struct sqlite_file *f, const char *folder, struct error *err)
{
    enum err e;

    e = make_file(f, folder, err);
    if (e)
        return e;
    e = prepare(f, err);
    if (e)
        return e;
    return keeper_start(f, err);
}

static enum err open_to_look(struct sqlite_file *f, struct error *err)
{
    struct stat st;
    sqlite3 *db;
    enum err e;

    if (stat(f->path, &st) < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, f->path, "there is no database");
    e = sqlite_open_db(f, false, &db, err);
    if (e)
        return e;
    e = schema_version_check(db, f->path, f->schema, err);
    MUST(sqlite3_close(db) == SQLITE_OK); /* no statement is left */
    return e;
}

/* Its folders are made unless it is only to be looked at. */
static enum err find_file(const struct sqlite_options *options, const char *folder, struct sqlite_file *f,
                          struct error *err)
{
    enum err e = options->look ? ERR_NONE : make_folders(folder, err);

    if (e)
        return e;
    if (options->look && access(folder, F_OK) < 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND, options->path, "there is no database");
    return resolve(options->path, folder, &f->path, err);
}

enum err sqlite_file_open(const struct sqlite_options *options, struct sqlite_file **ret, struct error *err)
{
    CLEANUP(sqlite_file_free_p) struct sqlite_file *f = alloc_new(struct sqlite_file);
    CLEANUP(buf_done_p) struct buf folder = {0};
    enum err e;

    f->lock_fd = -1;
    f->examines = options->examines;
    f->looks = options->look;
    f->schema = options->history ? SCHEMA_HISTORY : SCHEMA_MAIN;
    f->cache_bytes = options->cache_bytes;
    f->clock = options->clock;
    f->clock_arg = options->clock_arg;
    f->copied = -1;
    MUST(pthread_mutex_init(&f->lock, NULL) == 0);
    MUST(pthread_cond_init(&f->changed, NULL) == 0);
    buf_init(&folder, PATH_BYTES_MAX);
    e = folder_of(options->path, &folder, err);
    if (f->examines) {
        if (!e)
            e = find(options->path, &f->path, err);
        if (e)
            return e;
        *ret = TAKE(f);
        return ERR_NONE;
    }
    if (!e)
        e = find_file(options, buf_cstr(&folder), f, err);
    if (!e && options->look)
        e = open_to_look(f, err);
    else if (!e)
        e = take_lock(f, err);
    if (!e && !options->look)
        e = open_locked(f, buf_cstr(&folder), err);
    if (e)
        return e;
    *ret = TAKE(f);
    return ERR_NONE;
}

void sqlite_file_free(struct sqlite_file *f)
{
    if (!f)
        return;
    keeper_stop(f);
    MUST(pthread_cond_destroy(&f->changed) == 0);
    MUST(pthread_mutex_destroy(&f->lock) == 0);
    /* The lock file stays: removing it would let two processes lock two files of one name. */
    if (f->lock_fd >= 0)
        (void)close(f->lock_fd); /* lets the lock go; nothing was written */
    alloc_free(f->path);
    alloc_free(f);
}
