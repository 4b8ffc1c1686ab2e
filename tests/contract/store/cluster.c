/*
 * cluster.c: see cluster.h.
 */
#include "cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/alloc.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/clock.h"

enum { PATH_BYTES = 256, START_S = 60, WORDS_MAX = 32 };

struct cluster {
    char bin[PATH_BYTES];
    char folder[64];
    char url[PATH_BYTES];
    char pooled_url[PATH_BYTES];
    pid_t pid;    /* 0: it does not run */
    pid_t pooler; /* the same */
};

static bool find_bin(char ret[PATH_BYTES])
{
    const char *given = getenv("CARILLON_PG_BIN");
    glob_t found = {0};
    bool ok = false;

    if (given) {
        ok = snprintf(ret, PATH_BYTES, "%s", given) < PATH_BYTES;
    } else if (glob("/usr/lib/postgresql/[0-9]*/bin/initdb", 0, NULL, &found) == 0) {
        /* Sorted by name, which is by version as long as that has two digits. */
        const char *last = found.gl_pathv[found.gl_pathc - 1];

        ok = snprintf(ret, PATH_BYTES, "%.*s", (int)(strlen(last) - strlen("/initdb")), last) < PATH_BYTES;
    }
    globfree(&found);
    return ok;
}

bool cluster_installed(void)
{
    char bin[PATH_BYTES];

    return find_bin(bin);
}

/* --- processes --- */

static void become(const struct passwd *user)
{
    if (user && (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
        _exit(126);
}

static pid_t spawn(const struct cluster *c, const char *const argv[])
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    char path[PATH_BYTES * 2];
    char log[PATH_BYTES];
    const char *words[WORDS_MAX];
    size_t n = 1;
    pid_t parent = getpid();
    pid_t pid;

    MUST(user || geteuid() != 0);
    if (argv[0][0] == '/')
        (void)snprintf(path, sizeof(path), "%s", argv[0]);
    else
        (void)snprintf(path, sizeof(path), "%s/%s", c->bin, argv[0]);
    (void)snprintf(log, sizeof(log), "%s/log", c->folder);
    /* By its whole path: initdb looks there for the server that belongs to it. */
    words[0] = path;
    do {
        MUST(n < WORDS_MAX);
        words[n] = argv[n];
    } while (argv[n++]);
    pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        int fd;

        become(user);
        /* After the change of user, which forgets it. The server must not outlive a test that crashed. */
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
        if (getppid() != parent || chdir(c->folder) < 0)
            _exit(126);
        fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(126);
        (void)execv(path,
                    (char *const *)(uintptr_t)words); /* as its rationale explains, it changes nothing */
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;

    MUST(waitpid(pid, &status, 0) == pid);
    return status;
}

/* Its end. */
static void show_log(const struct cluster *c)
{
    char text[4096];
    char path[PATH_BYTES];
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/log", c->folder);
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return;
    if (lseek(fd, -(off_t)sizeof(text), SEEK_END) < 0)
        (void)lseek(fd, 0, SEEK_SET);
    n = read(fd, text, sizeof(text));
    if (n > 0)
        (void)fwrite(text, 1, (size_t)n, stderr);
    (void)close(fd);
}

static void give_up(const struct cluster *c, const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    show_log(c);
    abort();
}

static void init(struct cluster *c)
{
    const char *argv[] = {"initdb", "-D", "data", "-U",          "carillon", "-A",
                          "trust",  "-E", "UTF8", "--no-locale", "-N",       NULL};

    if (wait_for(spawn(c, argv)) != 0) {
        give_up(c, "initdb failed");
    }
}

/* Neither program says in any way that we could wait for that it is ready. */
static void await_answer(const struct cluster *c, const char *url, pid_t pid)
{
    struct mono until = mono_add(clock_mono(), START_S * US_PER_S);

    while (PQping(url) != PQPING_OK) {
        if (clock_mono().us > until.us || waitpid(pid, NULL, WNOHANG) == pid) {
            give_up(c, "the server does not start");
        }
        (void)poll(NULL, 0, 10);
    }
}

void cluster_start(struct cluster *c)
{
    const char *argv[] = {"postgres",
                          "-D",
                          "data",
                          "-k",
                          c->folder,
                          "-c",
                          "listen_addresses=",
                          "-c",
                          "fsync=on",
                          "-c",
                          "shared_buffers=64MB",
                          "-c",
                          "max_connections=60",
                          "-c",
                          "autovacuum_naptime=10s",
                          "-c",
                          "log_min_messages=warning",
                          NULL};

    MUST(c->pid == 0);
    c->pid = spawn(c, argv);
    await_answer(c, c->url, c->pid);
}

/* --- the pooler --- */

#define POOLER "/usr/sbin/pgbouncer"

bool cluster_pooler_installed(void)
{
    return cluster_installed() && access(POOLER, X_OK) == 0;
}

void cluster_start_pooler(struct cluster *c)
{
    const char *argv[] = {POOLER, "pooler.ini", NULL};
    char path[PATH_BYTES];
    FILE *f;

    if (c->pooler != 0)
        return;
    (void)snprintf(path, sizeof(path), "%s/pooler.ini", c->folder);
    f = fopen(path, "w");
    MUST(f);
    MUST(fprintf(f,
                 "[databases]\npostgres = host=%s user=carillon\n[pgbouncer]\nunix_socket_dir = "
                 "%s\nlisten_port = 6432\n"
                 "auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 50\n",
                 c->folder, c->folder) > 0);
    MUST(fclose(f) == 0);
    c->pooler = spawn(c, argv);
    await_answer(c, c->pooled_url, c->pooler);
}

const char *cluster_pooled_url(const struct cluster *c)
{
    return c->pooled_url;
}

/* --- up and down --- */

void cluster_stop(struct cluster *c, const char *mode)
{
    if (c->pid == 0)
        return;
    MUST(kill(c->pid, strcmp(mode, "immediate") == 0 ? SIGQUIT : SIGINT) == 0);
    (void)wait_for(c->pid);
    c->pid = 0;
}

void cluster_restart(struct cluster *c, const char *mode)
{
    cluster_stop(c, mode);
    cluster_start(c);
}

struct cluster *cluster_new(void)
{
    struct cluster *c = alloc_new(struct cluster);

    MUST(find_bin(c->bin));
    (void)snprintf(c->folder, sizeof(c->folder), "/tmp/carillon-pg-XXXXXX");
    MUST(mkdtemp(c->folder));
    (void)snprintf(c->url, sizeof(c->url), "postgresql://carillon@/postgres?host=%s", c->folder);
    (void)snprintf(c->pooled_url, sizeof(c->pooled_url), "%s&port=6432", c->url);
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("postgres");

        MUST(user && chown(c->folder, user->pw_uid, user->pw_gid) == 0);
    }
    init(c);
    cluster_start(c);
    return c;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void cluster_free(struct cluster *c)
{
    enum { OPEN_FOLDERS = 16 };

    if (!c)
        return;
    if (c->pooler != 0) {
        MUST(kill(c->pooler, SIGKILL) == 0);
        (void)wait_for(c->pooler);
    }
    cluster_stop(c, "immediate");
    (void)nftw(c->folder, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    alloc_free(c);
}

const char *cluster_url(const struct cluster *c)
{
    return c->url;
}

const char *cluster_folder(const struct cluster *c)
{
    return c->folder;
}

/* --- statements --- */

static PGresult *run(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s\n%s\n", sql, PQerrorMessage(pg));
        abort();
    }
    return r;
}

static PGconn *connect_to(const struct cluster *c)
{
    PGconn *pg = PQconnectdb(c->url);

    if (PQstatus(pg) != CONNECTION_OK) {
        give_up(c, PQerrorMessage(pg));
    }
    PQclear(run(pg, "SET client_min_messages = warning"));
    return pg;
}

void cluster_exec(const struct cluster *c, const char *sql)
{
    PGconn *pg = connect_to(c);

    PQclear(run(pg, sql));
    PQfinish(pg);
}

int64_t cluster_ask(const struct cluster *c, const char *sql)
{
    PGconn *pg = connect_to(c);
    PGresult *r = run(pg, sql);
    int64_t n;

    MUST(PQntuples(r) > 0);
    n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    PQclear(r);
    PQfinish(pg);
    return n;
}

char *cluster_text(const struct cluster *c, const char *sql)
{
    PGconn *pg = connect_to(c);
    PGresult *r = run(pg, sql);
    struct buf b;
    char *text = NULL;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < PQntuples(r); i++)
        buf_addf(&b, "%s\n", PQgetvalue(r, i, 0));
    PQclear(r);
    PQfinish(pg);
    MUST(buf_take(&b, &text, NULL, NULL) == ERR_NONE);
    return text;
}

/* --- shared --- */

static struct cluster *shared; /* of the process: the one thing of it that its tests share */

static void free_shared(void)
{
    cluster_free(shared);
    shared = NULL;
}

struct cluster *cluster_shared(void)
{
    if (!shared) {
        shared = cluster_new();
        MUST(atexit(free_shared) == 0);
    }
    return shared;
}
