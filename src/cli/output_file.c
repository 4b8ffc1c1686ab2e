/*
 * output_file.c: see output_file.h.
 */
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/random.h"
#include "base/str.h"

enum { PATH_BYTES_MAX = 8192, NAME_TRIES = 100 };

/* --- signals --- */

static const int fatal[] = {SIGTERM, SIGINT, SIGHUP};

/* What was ignored (nohup) stays so. */
static void choose_signals(sigset_t *ret)
{
    MUST(sigemptyset(ret) == 0);
    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        struct sigaction now;

        if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            MUST(sigaddset(ret, fatal[i]) == 0);
    }
}

/* Removes the name, and lets the signal do what it does. Cancelled where it waits. */
static void *watch(void *arg)
{
    const struct output_file *o = arg;
    sigset_t one;
    int got;

    if (sigwait(&o->signals, &got) != 0)
        return NULL;
    (void)unlink(o->part); /* nothing could be done about it */
    MUST(sigemptyset(&one) == 0 && sigaddset(&one, got) == 0);
    MUST(pthread_sigmask(SIG_UNBLOCK, &one, NULL) == 0);
    (void)kill(getpid(), got);
    return NULL;
}

/* Until release_signals(). */
static void hold_signals(struct output_file *o)
{
    choose_signals(&o->signals);
    MUST(pthread_sigmask(SIG_BLOCK, &o->signals, &o->before) == 0);
    o->held = true;
}

static void release_signals(struct output_file *o)
{
    if (o->watched) {
        (void)pthread_cancel(o->watcher); /* it may have ended */
        MUST(pthread_join(o->watcher, NULL) == 0);
    }
    if (o->held)
        MUST(pthread_sigmask(SIG_SETMASK, &o->before, NULL) == 0);
    o->watched = false;
    o->held = false;
}

/* --- names --- */

void output_file_done(struct output_file *o)
{
    if (o->fd >= 0)
        (void)close(o->fd); /* what counts was synced and told */
    o->fd = -1;
    if (o->part)
        (void)unlink(o->part);
    release_signals(o);
    alloc_free(TAKE(o->part));
    alloc_free(TAKE(o->path));
}

static enum err set_text(char **to, const char *path, const char *suffix, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};

    buf_init(&text, PATH_BYTES_MAX);
    buf_add_cstr(&text, path);
    buf_add_cstr(&text, suffix);
    return buf_take(&text, to, NULL, err);
}

/* Where a link leads; one that leads nowhere is an error, for where that is to be is not ours to say. */
static enum err follow(struct output_file *o, struct error *err)
{
    char real[PATH_MAX];
    struct stat st;

    if (lstat(o->told, &st) < 0 || !S_ISLNK(st.st_mode))
        return set_text(&o->path, o->told, "", err);
    if (!realpath(o->told, real))
        return error_errno(err, o->told, "cannot follow the link");
    return set_text(&o->path, real, "", err);
}

static enum err folder_of(const char *path, char **ret, struct error *err)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    const char *slash = strrchr(path, '/');

    buf_init(&text, PATH_BYTES_MAX);
    if (!slash)
        buf_add_char(&text, '.');
    else if (slash == path)
        buf_add_char(&text, '/');
    else
        buf_add(&text, (struct str){path, (size_t)(slash - path)});
    return buf_take(&text, ret, NULL, err);
}

static void name_of_fd(int fd, char *ret, size_t size)
{
    (void)snprintf(ret, size, "/proc/self/fd/%d", fd);
}

/* False: not here. It can be named later only by way of /proc. */
static bool open_unnamed(struct output_file *o, const char *folder)
{
    char name[64];

    o->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (o->fd < 0)
        return false;
    name_of_fd(o->fd, name, sizeof(name));
    if (access(name, F_OK) == 0 && fchmod(o->fd, 0600) == 0)
        return true;
    (void)close(o->fd); /* nothing was written */
    o->fd = -1;
    return false;
}

static enum err open_named(struct output_file *o, struct error *err)
{
    enum err e = set_text(&o->part, o->path, ".XXXXXX", err);

    if (e)
        return e;
    hold_signals(o);
    o->fd = mkostemp(o->part, O_CLOEXEC); /* mode 0600 */
    if (o->fd < 0) {
        e = error_errno(err, o->told, "cannot make the file");
        alloc_free(TAKE(o->part));
        return e;
    }
    if (pthread_create(&o->watcher, NULL, watch, o) != 0)
        return error_set(err, ERR_UNAVAILABLE, o->told, "cannot start a thread");
    o->watched = true;
    return ERR_NONE;
}

enum err output_file_open(struct output_file *o, const char *path, bool named, struct error *err)
{
    CLEANUP(alloc_free_p) char *folder = NULL;
    struct stat st;
    enum err e;

    *o = (struct output_file){.told = path, .fd = -1};
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return error_set(err, ERR_INVALID, path, "is no file; without --output it goes to standard output");
    e = follow(o, err);
    if (!e)
        e = folder_of(o->path, &folder, err);
    if (!e && (named || !open_unnamed(o, folder)))
        e = open_named(o, err);
    if (e)
        output_file_done(o);
    return e;
}

/*
 * What is there is replaced in one step, and that takes a name beside it for a moment, in which the signals
 * that end us wait.
 */
static int name_beside(const char *from, struct output_file *o, char *name, size_t size)
{
    int status = -1;

    for (int i = 0; i < NAME_TRIES; i++) {
        (void)snprintf(name, size, "%s.%06llx", o->path, (unsigned long long)(random_u64() & 0xFFFFFF));
        if (linkat(AT_FDCWD, from, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0) {
            if (errno != EEXIST)
                return -1;
            continue;
        }
        status = rename(name, o->path);
        if (status < 0) {
            int saved = errno;

            (void)unlink(name);
            errno = saved;
        }
        return status;
    }
    return status;
}

static int name_unnamed(struct output_file *o)
{
    char from[64];
    char name[PATH_BYTES_MAX + 16];
    int status;
    int saved;

    name_of_fd(o->fd, from, sizeof(from));
    if (linkat(AT_FDCWD, from, AT_FDCWD, o->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    hold_signals(o);
    status = name_beside(from, o, name, sizeof(name));
    saved = errno;
    release_signals(o);
    errno = saved;
    return status;
}

enum err output_file_finish(struct output_file *o, struct error *err)
{
    if (fsync(o->fd) < 0)
        return error_errno(err, o->told, "cannot write the file");
    if ((o->part ? rename(o->part, o->path) : name_unnamed(o)) < 0)
        return error_errno(err, o->told, "cannot name the file");
    release_signals(o); /* before the name is freed */
    alloc_free(TAKE(o->part));
    return ERR_NONE;
}
