/*
 * cmd_schedule.c: add, list, get, delete, trigger, instances, health: the commands that talk to a running
 * server.
 *
 * What the server answers is shown by its own members, so a member that a later server adds is shown too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cli/show.h"

enum { FILE_MAX_BYTES = 128 * 1024 * 1024, PATH_MAX_BYTES = 32 * 1024, PAGE_MAX = 1000 };

/* One command's talk with the server. */
struct talk {
    struct client *client;
    struct answer answer;
    bool json;
};

static void talk_done(struct talk *t)
{
    client_free(t->client);
    answer_done(&t->answer);
}

static int no_answer(const struct error *err)
{
    int status = out_error(err);

    if (err->code == ERR_UNAVAILABLE)
        (void)out_fail("is the server running there? --url or CARILLON_URL names another address");
    return status;
}

static int talk_open(const struct cli_host *host, const struct command *c, const struct args *a,
                     struct talk *t)
{
    struct error err = {0};

    *t = (struct talk){.json = args_value(c, a, "json") != NULL};
    answer_init(&t->answer);
    if (client_new(args_value(c, a, "url"), host->version, &t->client, &err)) {
        if (err.code != ERR_INVALID)
            return out_error(&err);
        return out_usage(c->name, "%s: %s", err.where, err.text);
    }
    return EXIT_OK;
}

/* Prints the answer as it came. */
static int show_raw(const struct talk *t, int status)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    int printed;

    buf_init(&out, OUT_MAX_BYTES);
    buf_add(&out, str_trim(buf_str(&t->answer.body)));
    if (out.n > 0)
        buf_add_char(&out, '\n');
    printed = out_print(&out);
    return status ? status : printed;
}

/* Sends; a refusal is shown here, and is the exit status. `t->answer` has what came. */
static int talk_call(struct talk *t, const char *method, const char *path, struct str body)
{
    struct error err = {0};

    if (client_call(t->client, method, path, body, &t->answer, &err))
        return no_answer(&err);
    if (t->answer.status >= 200 && t->answer.status < 300)
        return EXIT_OK;
    return t->json ? show_raw(t, EXIT_FAILED) : show_problem(t->answer.status, buf_str(&t->answer.body));
}

static int show_answer(const struct talk *t, int (*show)(struct str body))
{
    return t->json ? show_raw(t, EXIT_OK) : show(buf_str(&t->answer.body));
}

static void close_p(const int *fd)
{
    if (*fd > STDIN_FILENO)
        (void)close(*fd);
}

static enum err read_input(const char *path, struct buf *out, struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    CLEANUP(close_p) int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    const char *name = standard ? "standard input" : path;
    char chunk[16384];
    ssize_t n;

    if (fd < 0)
        return error_errno(err, name, "cannot open");
    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            buf_add(out, (struct str){chunk, (size_t)n});
    } while (buf_ok(out) && (n > 0 || (n < 0 && errno == EINTR)));
    if (n < 0)
        return error_errno(err, name, "cannot read");
    return buf_check(out, name, err);
}

int command_add(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(buf_done_p) struct buf text = {0};
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(json_free_p) json_t *json = NULL;
    struct error err = {0};
    bool many;
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    buf_init(&text, FILE_MAX_BYTES);
    if (read_input(a->words[0], &text, &err))
        return out_error(&err);
    /* Read here too: a broken file is named with its line without troubling the server. */
    if (json_parse(buf_str(&text), JSON_DEPTH_LIMIT, &json, &err))
        return out_fail("%s: %s: %s", a->words[0], err.where, err.text);
    many = json_is_array(json);
    status = talk_call(&t, "POST", many ? "/schedules/batch" : "/schedules", buf_str(&text));
    if (status)
        return status;
    if (many)
        return show_batch(buf_str(&t.answer.body), t.json);
    return show_answer(&t, t.answer.status == 201 ? show_added : show_replaced);
}

static void add_filter(const struct command *c, const struct args *a, const char *name, struct buf *path)
{
    const char *value = args_value(c, a, name);

    if (!value)
        return;
    buf_addf(path, "&%s=", name);
    client_add_escaped(path, str_of(value));
}

static enum err gather_page(struct str body, json_t *all, int64_t limit, struct error *err)
{
    CLEANUP(json_free_p) json_t *page = NULL;
    enum err e = json_parse(body, JSON_DEPTH_LIMIT, &page, err);
    size_t i;
    json_t *one;

    if (!e && !json_is_array(page))
        e = error_set(err, ERR_INTERNAL, NULL, "is no array");
    if (e) {
        error_prefix(err, "the server's answer");
        return e;
    }
    json_array_foreach(page, i, one)
    {
        if ((int64_t)json_array_size(all) == limit)
            break;
        if (json_array_append(all, one) < 0)
            return error_set(err, ERR_MEMORY, NULL, "no memory for the list");
    }
    return ERR_NONE;
}

/* All pages, until there are no more or `limit` are had. */
static int gather(struct talk *t, struct buf *path, json_t *all, int64_t limit)
{
    struct error err = {0};

    for (;;) {
        int status = talk_call(t, "GET", buf_cstr(path), (struct str){NULL, 0});

        if (status)
            return status;
        if (gather_page(buf_str(&t->answer.body), all, limit, &err))
            return out_error(&err);
        if (t->answer.next.n == 0 || (int64_t)json_array_size(all) >= limit)
            return EXIT_OK;
        if (str_eq(buf_str(path), buf_str(&t->answer.next)))
            return out_fail("the server's next page is the same one again");
        buf_clear(path);
        buf_add(path, buf_str(&t->answer.next));
    }
}

static int show_array(const json_t *all)
{
    CLEANUP(buf_done_p) struct buf out = {0};
    struct error err = {0};

    buf_init(&out, OUT_MAX_BYTES);
    if (json_write(all, &out, &err))
        return out_error(&err);
    buf_add_char(&out, '\n');
    return out_print(&out);
}

int command_list(const struct cli_host *host, const struct command *c, const struct args *a)
{
    static const char *const filters[] = {"application", "group", "operation", "type",
                                          "key",         "name",  "state"};
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    CLEANUP(json_free_p) json_t *all = json_array();
    const char *given = args_value(c, a, "limit");
    int64_t limit = INT64_MAX;
    int status;

    if (given && (!str_to_i64(str_of(given), &limit) || limit < 1))
        return out_usage(c->name, "--limit must be a whole number from 1");
    if (!all)
        return out_fail("no memory for the list");
    status = talk_open(host, c, a, &t);
    if (status)
        return status;
    buf_init(&path, PATH_MAX_BYTES);
    buf_addf(&path, "/schedules?limit=%lld", (long long)(limit < PAGE_MAX ? limit : PAGE_MAX));
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        add_filter(c, a, filters[i], &path);
    status = gather(&t, &path, all, limit);
    if (status)
        return status;
    return t.json ? show_array(all) : show_list(all);
}

/* /schedules/{id} and what is done there. */
static int on_one(const struct cli_host *host, const struct command *c, const struct args *a,
                  const char *method, const char *what, int (*show)(struct str body))
{
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    buf_init(&path, PATH_MAX_BYTES);
    buf_add_cstr(&path, "/schedules/");
    client_add_escaped(&path, str_of(a->words[0]));
    buf_add_cstr(&path, what);
    if (!buf_ok(&path))
        return out_usage(c->name, "the ID is too long");
    status = talk_call(&t, method, buf_cstr(&path), (struct str){NULL, 0});
    return status ? status : show_answer(&t, show);
}

int command_get(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return on_one(host, c, a, "GET", "", show_schedule);
}

int command_delete(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return on_one(host, c, a, "DELETE", "", show_deleted);
}

int command_trigger(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return on_one(host, c, a, "POST", "/trigger", show_triggered);
}

int command_instances(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(talk_done) struct talk t = {0};
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    status = talk_call(&t, "GET", "/instances", (struct str){NULL, 0});
    return status ? status : show_answer(&t, show_instances);
}

int command_health(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(talk_done) struct talk t = {0};
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    status = talk_call(&t, "GET", "/readyz", (struct str){NULL, 0});
    return status ? status : show_answer(&t, show_ready);
}
