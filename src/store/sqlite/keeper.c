/*
 * keeper.c: the write-ahead log is copied into the database without stalling commits.
 *
 * A checkpoint writes pages and syncs the database, which can take longer than an answer may; the writer
 * never does a whole one. When the log is long, the keeper's thread, on a connection of its own, copies it
 * while the writer goes on. The log only begins anew when every page of it is copied at the moment of a
 * commit, which under load never happens by itself: so once the keeper left only little, the writer copies
 * the rest between two transactions. The thread sleeps until it is asked: an idle process does not wake for
 * it. It is no lane: it runs no operation.
 *
 * Nobody waits for a reader: one that keeps an old view (a backup, somebody's sqlite3 shell) keeps pages from
 * being copied, and the log grows until it is gone. Then the keeper has tried in vain, and tries again only
 * after a while.
 */
#include "base/clock.h"
#include "store/sqlite/file.h"

/* In pages of 4 KiB. SOFT: the keeper is asked. LITTLE: what the writer copies itself, a few milliseconds. */
enum { WAL_SOFT = 2000, WAL_LITTLE = 1000 };
/* Between two attempts of the keeper that come no farther, and after one of the writer that did not help. */
#define AGAIN_US (2 * US_PER_S)
#define TRY_US (20 * US_PER_MS)

static void lock(struct sqlite_file *f)
{
    MUST(pthread_mutex_lock(&f->lock) == 0);
}

static void unlock(struct sqlite_file *f)
{
    MUST(pthread_mutex_unlock(&f->lock) == 0);
}

/* How many pages of the log are copied now, or -1. Passive: takes no lock that a commit or a reader needs. */
static int checkpoint(sqlite3 *db)
{
    int in_log = -1;
    int copied = -1;

    /* Busy: somebody is at it too. A failure that lasts shows at a commit, which reports it. */
    if (sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied) != SQLITE_OK)
        return -1;
    return copied;
}

/* Waits to be asked. False: to end. */
static bool next_job(struct sqlite_file *f)
{
    bool stop;

    lock(f);
    while (!f->wanted && !f->stop)
        MUST(pthread_cond_wait(&f->changed, &f->lock) == 0);
    stop = f->stop;
    f->wanted = false;
    f->working = true;
    unlock(f);
    return !stop;
}

static void job_done(struct sqlite_file *f, int copied)
{
    lock(f);
    f->working = false;
    f->copied = copied;
    unlock(f);
}

static void *keeper_main(void *arg)
{
    struct sqlite_file *f = arg;
    sqlite3 *db = NULL;

    while (next_job(f)) {
        /* Opened when first needed and kept; a failure is tried again with the next job. */
        if (!db && sqlite_open_db(f, true, &db, NULL)) {
            job_done(f, -1);
            continue;
        }
        job_done(f, checkpoint(db));
    }
    MUST(sqlite3_close(db) == SQLITE_OK); /* no statement is left */
    return NULL;
}

enum err keeper_start(struct sqlite_file *f, struct error *err)
{
    int status = pthread_create(&f->keeper, NULL, keeper_main, f);

    if (status != 0)
        return error_set(err, ERR_IO, f->path, "cannot start the checkpoint thread (error %d)", status);
    f->keeper_started = true;
    return ERR_NONE;
}

void keeper_stop(struct sqlite_file *f)
{
    if (!f->keeper_started)
        return;
    lock(f);
    f->stop = true;
    MUST(pthread_cond_signal(&f->changed) == 0);
    unlock(f);
    MUST(pthread_join(f->keeper, NULL) == 0);
    f->keeper_started = false;
}

/* True when little enough is left for the writer to copy itself; else the keeper is asked. Under .lock. */
static bool is_for_writer(struct sqlite_file *f, int pages, struct mono now)
{
    int copied = f->copied;

    f->copied = -1;
    if (copied >= 0 && pages - copied <= WAL_LITTLE)
        return true;
    /* As far as the last time: there is a reader to be waited for. */
    if (copied >= 0 && copied <= f->reached)
        f->rest_until = mono_add(now, AGAIN_US);
    if (copied >= 0)
        f->reached = copied;
    if (now.us >= f->rest_until.us) {
        f->wanted = true;
        MUST(pthread_cond_signal(&f->changed) == 0);
    }
    return false;
}

void keeper_tend(struct sqlite_file *f, sqlite3 *db, int *pages)
{
    struct mono now;
    bool ours = false;

    if (*pages < WAL_SOFT) {
        f->reached = 0; /* it has begun anew */
        return;
    }
    now = clock_mono();
    lock(f);
    if (!f->wanted && !f->working && now.us >= f->tried_at.us + TRY_US)
        ours = is_for_writer(f, *pages, now);
    unlock(f);
    if (!ours)
        return;
    /* All of it: the next commit begins the log anew, unless a reader still looks at it, and says how long it
     * is. */
    if (checkpoint(db) >= *pages)
        *pages = 0;
    else
        f->tried_at = now;
}
