/*
 * zone_load.c: a zone's bytes from its file: the one place of this room, beside zones.c, that touches the
 * system.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "calendar/zone.h"

static enum err read_full(int fd, char *p, size_t n, const char *name, struct error *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = read(fd, p + done, n - done);

        if (got < 0)
            return error_errno(err, name, "cannot read the zone file");
        if (got == 0)
            return error_set(err, ERR_INVALID, name, "the zone file became shorter while it was read");
        done += (size_t)got;
    }
    return ERR_NONE;
}

static void close_p(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* only ever read from: nothing can be lost */
}

enum err zone_load(const char *path, const char *name, struct zone **ret, struct error *err)
{
    CLEANUP(close_p) int fd = -1;
    CLEANUP(alloc_free_p) char *data = NULL;
    struct stat st;
    enum err e;

    /* O_NONBLOCK: a FIFO under a zone's name must not make us wait for a writer. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno(err, name, "cannot open the zone file");
    if (fstat(fd, &st) < 0)
        return error_errno(err, name, "cannot stat the zone file");
    /* Before reading: /dev/zero under a zone's name must not make us read without end. */
    if (!S_ISREG(st.st_mode) || st.st_size > ZONE_FILE_MAX)
        return error_set(err, ERR_INVALID, name,
                         "not a usable TZif file: it is no regular file, or too large");

    size_t n = (size_t)st.st_size;

    e = alloc_bytes(n, &data, err);
    if (!e)
        e = read_full(fd, data, n, name, err);
    if (e)
        return e;
    return zone_parse((struct str){data, n}, name, ret, err);
}
