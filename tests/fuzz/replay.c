/*
 * replay.c: the other main of a fuzz target: every file of the folders named on the command line goes through
 * it once, so that every build runs what the fuzzer found. Speaks TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { INPUT_MAX_BYTES = 16 * 1024 * 1024 };

/* A copy of just the input's size, so that a read past its end is one past the allocation's. */
static void run_input(struct str input)
{
    char *copy = NULL;
    struct error err = {0};

    MUST(alloc_bytes(input.n, &copy, &err) == ERR_NONE);
    memcpy(copy, input.p, input.n);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)copy, input.n);
    alloc_free(copy);
}

static void read_input(int fd, struct buf *out)
{
    char chunk[65536];
    ssize_t n;

    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            buf_add(out, (struct str){chunk, (size_t)n});
    } while (n > 0 || (n < 0 && errno == EINTR));
    MUST(n == 0 && buf_ok(out));
}

static void run_file(int folder, const char *name)
{
    CLEANUP(buf_done_p) struct buf input = {0};
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

    MUST(fd >= 0);
    buf_init(&input, INPUT_MAX_BYTES);
    read_input(fd, &input);
    MUST(close(fd) == 0);
    run_input(buf_str(&input));
}

static size_t run_folder(const char *path, size_t number)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    MUST(folder);
    while ((entry = readdir(folder))) { /* NOLINT(concurrency-mt-unsafe): one thread */
        if (entry->d_name[0] == '.')
            continue;
        run_file(dirfd(folder), entry->d_name);
        (void)printf("ok %zu - %s\n", ++number, entry->d_name);
    }
    MUST(closedir(folder) == 0);
    return number;
}

int main(int argc, char **argv)
{
    size_t number = 0;

    run_input((struct str){"", 0});
    for (int i = 1; i < argc; i++)
        number = run_folder(argv[i], number);
    (void)printf("1..%zu\n", number);
    return number > 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* a corpus that went missing is no success */
}
