/*
 * output_file.c: whatever ends the process, nothing is left of a file that is not whole; both where files
 * without name can be made and where they cannot.
 */
#include "cli/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64];
    char path[96];
};

static struct place begin(void)
{
    struct place p = {.folder = "/tmp/carillon-output-XXXXXX"};

    assert_non_null(mkdtemp(p.folder));
    (void)snprintf(p.path, sizeof(p.path), "%s/out", p.folder);
    return p;
}

/* How many files there are. */
static int count(const struct place *p)
{
    DIR *d = opendir(p->folder);
    int n = 0;

    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.';
    assert_int_equal(closedir(d), 0);
    return n;
}

static void end(const struct place *p)
{
    (void)unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0);
}

static void put(const struct place *p, bool named, const char *text)
{
    CLEANUP(output_file_done) struct output_file o = {.fd = -1};

    assert_int_equal(output_file_open(&o, p->path, named, NULL), ERR_NONE);
    assert_int_equal(write(o.fd, text, strlen(text)), strlen(text));
    assert_int_equal(output_file_finish(&o, NULL), ERR_NONE);
}

static void assert_holds(const char *path, const char *text)
{
    char got[64] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
    assert_string_equal(got, text);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(close(fd), 0);
}

static void a_whole_file_takes_the_place_of_what_was_there(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct place p = begin();

        put(&p, named, "first");
        assert_holds(p.path, "first");
        put(&p, named, "second");
        assert_holds(p.path, "second");
        assert_int_equal(count(&p), 1);
        end(&p);
    }
}

static void without_an_end_nothing_is_left(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct place p = begin();
        struct output_file o;

        assert_int_equal(output_file_open(&o, p.path, named, NULL), ERR_NONE);
        assert_int_equal(write(o.fd, "x", 1), 1);
        output_file_done(&o);
        assert_int_equal(count(&p), 0);
        end(&p);
    }
}

/* In a child: a file is begun, and the signal comes. */
static _Noreturn void be_ended(const struct place *p, bool named, int by)
{
    struct output_file o;

    if (output_file_open(&o, p->path, named, NULL) || write(o.fd, "secret", 6) != 6)
        _exit(99);
    (void)kill(getpid(), by);
    for (;;)
        (void)pause(); /* the watcher ends us */
}

static void a_signal_that_ends_the_process_leaves_nothing(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGKILL};

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(signals); i++) {
        bool named = i >= COUNT_OF(signals);
        int by = signals[i % COUNT_OF(signals)];
        struct place p = begin();
        int status = 0;
        pid_t child;

        if (by == SIGKILL && named) { /* nobody can do anything about that */
            end(&p);
            continue;
        }
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
            be_ended(&p, named, by);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), by);
        assert_int_equal(count(&p), 0);
        end(&p);
    }
}

static void a_link_is_followed(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct place p = begin();
        struct output_file o;
        struct error err = {0};
        struct stat st;
        char target[128];

        (void)snprintf(target, sizeof(target), "%s/target", p.folder);
        assert_int_equal(symlink("target", p.path), 0);
        assert_int_equal(output_file_open(&o, p.path, named, &err), ERR_IO);
        assert_non_null(strstr(err.text, "cannot follow the link"));
        (void)close(open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        put(&p, named, "through");
        assert_int_equal(lstat(p.path, &st), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_holds(target, "through");
        assert_int_equal(unlink(target), 0);
        end(&p);
    }
}

static void signals_are_as_they_were(void **state)
{
    struct place p = begin();
    sigset_t now;

    (void)state;
    put(&p, true, "x");
    put(&p, false, "y");
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    assert_false(sigismember(&now, SIGTERM));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_takes_the_place_of_what_was_there),
        cmocka_unit_test(without_an_end_nothing_is_left),
        cmocka_unit_test(a_signal_that_ends_the_process_leaves_nothing),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(signals_are_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
