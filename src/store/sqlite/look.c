/*
 * look.c: a connection that leaves no trace: nothing is made, locked or written, whether a service has the
 * database open, has crashed with it, or has closed it.
 *
 *  - With a log and its index beside it, as a running or crashed service leaves them, both are read as they
 *    are (readonly_shm: the index is not made; without a live process SQLite builds one in memory).
 *  - Without a log the file alone is the database. Opened as usual, SQLite would make a log and an index, so
 *    it is told that nobody writes to it (immutable). That ends when a log appears: begin and commit look,
 *    and say that the connection is lost, so that what was read is read again over the next one.
 *  - A log without its index is what a copy of both files leaves, or a crash of the whole machine. SQLite
 * would have to recover the log, and could not without making files: that is said, and nothing is opened. (So
 * it also looks for a moment when a service closes it, which removes the index first.)
 *
 * Never in a process that has the database open: an immutable connection that is closed would take the locks
 * of the others with it.
 */
#include "store/sqlite/look.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"

enum { URI_MAX = 3 * 4096 + 64, BUSY_MS = 1000, CLOSING_MS = 200 };

static bool is_there(const struct sqlite_file *f, const char *suffix, off_t bytes)
{
    CLEANUP(buf_done_p) struct buf path = {0};
    struct stat st;

    buf_init(&path, URI_MAX);
    buf_addf(&path, "%s%s", f->path, suffix);
    return buf_ok(&path) && stat(buf_cstr(&path), &st) == 0 && st.st_size >= bytes;
}

bool look_is_over(const struct sqlite_file *f)
{
    return is_there(f, "-wal", 1);
}

static void add_escaped(struct buf *out, const char *path)
{
    for (; *path; path++) {
        if (strchr("?#%", *path))
            buf_addf(out, "%%%02x", (unsigned)(unsigned char)*path);
        else
            buf_add_char(out, *path);
    }
}

static enum err configure(sqlite3 *db, const char *path, struct error *err)
{
    static const char settings[] = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; "
                                   "PRAGMA trusted_schema = OFF;";

    if (sqlite3_busy_timeout(db, BUSY_MS) == SQLITE_OK &&
        sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK)
        return ERR_NONE;
    return error_set(err, sqlite_code(sqlite3_errcode(db)), path, "cannot open the database: %s",
                     sqlite3_errmsg(db));
}

/* Of a copy for good; beside a service that opens or closes it, for a moment that is let pass. */
static bool lacks_index(const struct sqlite_file *f)
{
    for (int ms = 0; ms < CLOSING_MS; ms++) {
        if (is_there(f, "-shm", 0) || !look_is_over(f))
            return false;
        (void)poll(NULL, 0, 1); /* there is nothing to wait for: it is another process */
    }
    return true;
}

enum err look_open(const struct sqlite_file *f, sqlite3 **ret, bool *ret_alone, struct error *err)
{
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      SQLITE_OPEN_PRIVATECACHE;
    CLEANUP(buf_done_p) struct buf uri = {0};
    bool unclean = lacks_index(f);
    bool alone = !is_there(f, "-wal", 0) || (!look_is_over(f) && !is_there(f, "-shm", 0));
    sqlite3 *db = NULL;
    enum err e;

    if (unclean)
        return error_set(err, ERR_PRECONDITION, f->path,
                         "was not shut down cleanly: its log waits to be recovered");
    buf_init(&uri, URI_MAX);
    buf_add_cstr(&uri, "file:");
    add_escaped(&uri, f->path);
    buf_add_cstr(&uri, alone ? "?mode=ro&immutable=1" : "?mode=ro&readonly_shm=1");
    e = buf_check(&uri, f->path, err);
    if (e)
        return e;
    if (sqlite3_open_v2(buf_cstr(&uri), &db, flags, NULL) == SQLITE_OK)
        e = configure(db, f->path, err);
    else if (db)
        e = error_set(err, sqlite_code(sqlite3_errcode(db)), f->path, "cannot open the database: %s",
                      sqlite3_errmsg(db));
    else
        e = error_set(err, ERR_MEMORY, f->path, "out of memory for a connection");
    if (e) {
        MUST(sqlite3_close(db) == SQLITE_OK); /* no statement is left */
        return e;
    }
    *ret = db;
    *ret_alone = alone;
    return ERR_NONE;
}
