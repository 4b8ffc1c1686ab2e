/*
 * process.c: from /proc/self and getrusage(2).
 */
#include "api/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { PROC_TEXT_MAX = 2048 };

static bool read_small(const char *path, char ret[PROC_TEXT_MAX], size_t *ret_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, ret, PROC_TEXT_MAX);
    (void)close(fd);
    if (n <= 0)
        return false;
    *ret_n = (size_t)n;
    return true;
}

/* The `at`-th word, counted from 0, as a number. */
static bool nth_number(struct str text, size_t at, int64_t *ret)
{
    struct str word;

    for (size_t i = 0; str_cut(&text, ' ', &word); i++) {
        if (i == at)
            return str_to_i64(str_trim(word), ret);
    }
    return false;
}

static void write_gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name, (long long)value);
}

static void write_memory(struct buf *out)
{
    char text[PROC_TEXT_MAX];
    size_t n;
    int64_t pages;

    if (read_small("/proc/self/statm", text, &n) && nth_number((struct str){text, n}, 1, &pages))
        write_gauge(out, "process_resident_memory_bytes", "Resident memory size in bytes.",
                    pages * sysconf(_SC_PAGESIZE));
}

static void write_fds(struct buf *out)
{
    DIR *dir = opendir("/proc/self/fd");
    struct rlimit limit;
    int64_t n = 0;

    if (!dir)
        return;
    for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
        n += d->d_name[0] != '.';
    (void)closedir(dir);
    /* One of them was the folder itself. */
    write_gauge(out, "process_open_fds", "Number of open file descriptors.", n - 1);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= INT32_MAX)
        write_gauge(out, "process_max_fds", "Maximum number of open file descriptors.",
                    (int64_t)limit.rlim_cur);
}

static void write_cpu(struct buf *out)
{
    struct rusage use;

    if (getrusage(RUSAGE_SELF, &use) < 0)
        return;
    int64_t us =
        (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S + use.ru_utime.tv_usec + use.ru_stime.tv_usec;

    buf_addf(out,
             "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n"
             "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %lld.%06lld\n",
             (long long)(us / US_PER_S), (long long)(us % US_PER_S));
}

static void write_start(struct buf *out)
{
    char text[PROC_TEXT_MAX];
    struct str rest;
    size_t n;
    int64_t ticks;

    if (!read_small("/proc/self/stat", text, &n))
        return;
    /* proc(5): the name in brackets may hold anything, so counting starts behind the last bracket. */
    rest = (struct str){text, n};
    while (rest.n > 0 && rest.p[rest.n - 1] != ')')
        rest.n--;
    rest = (struct str){text + rest.n, n - rest.n};
    if (!nth_number(rest, 20, &ticks))
        return;
    /* Since boot, as our own clock counts. */
    int64_t started_us = clock_wall().us - clock_mono().us + ticks * (US_PER_S / sysconf(_SC_CLK_TCK));

    buf_addf(out,
             "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n"
             "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %lld.%02lld\n",
             (long long)(started_us / US_PER_S), (long long)(started_us % US_PER_S / 10000));
}

void process_write(struct buf *out)
{
    write_memory(out);
    write_fds(out);
    write_cpu(out);
    write_start(out);
}
