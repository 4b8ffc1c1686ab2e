/*
 * cmd_schedule.c: the commands about schedules and the server itself that talk to a running server.
 *
 * What the server answers is shown by its own members, so a member that a later server adds is shown too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/talk.h"

enum { FILE_MAX_BYTES = 128 * 1024 * 1024 };

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
    return talk_show(&t, t.answer.status == 201 ? show_added : show_replaced);
}

int command_list(const struct cli_host *host, const struct command *c, const struct args *a)
{
    static const char *const filters[] = {"application", "group", "operation", "type",
                                          "key",         "name",  "state"};
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    int64_t limit;
    int status = talk_limit(c, a, &limit);

    if (!status)
        status = talk_open(host, c, a, &t);
    if (status)
        return status;
    buf_init(&path, TALK_PATH_MAX);
    buf_addf(&path, "/schedules?limit=%lld", (long long)(limit < TALK_PAGE_MAX ? limit : TALK_PAGE_MAX));
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        talk_add_filter(c, a, filters[i], &path);
    return talk_list(&t, &path, limit, show_list);
}

int command_get(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "GET", "/schedules/", "", show_schedule);
}

int command_delete(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "DELETE", "/schedules/", "", show_deleted);
}

int command_trigger(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "POST", "/schedules/", "/trigger", show_run);
}

int command_pause(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "POST", "/schedules/", "/pause", show_state);
}

int command_resume(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "POST", "/schedules/", "/resume", show_state);
}

int command_instances(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "GET", "/instances", "", show_instances);
}

int command_health(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "GET", "/readyz", "", show_ready);
}

static enum err write_range(const struct args *a, bool dry, struct buf *out, struct error *err)
{
    CLEANUP(json_free_p)
    json_t *body =
        json_pack("{s:s, s:s, s:b}", "from", a->words[1], "to", a->words[2], "dry_run", dry ? 1 : 0);

    if (!body)
        return error_set(err, ERR_INVALID, NULL, "FROM and TO must be text in UTF-8");
    return json_write(body, out, err);
}

int command_backfill(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    CLEANUP(buf_done_p) struct buf body = {0};
    struct error err = {0};
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    buf_init(&path, TALK_PATH_MAX);
    buf_init(&body, TALK_PATH_MAX);
    buf_add_cstr(&path, "/schedules/");
    client_add_escaped(&path, str_of(a->words[0]));
    buf_add_cstr(&path, "/backfill");
    if (!buf_ok(&path) || write_range(a, args_value(c, a, "dry-run") != NULL, &body, &err))
        return out_usage(c->name, "%s", buf_ok(&path) ? err.text : "the ID is too long");
    status = talk_call(&t, "POST", buf_cstr(&path), buf_str(&body));
    return status ? status : talk_show(&t, show_backfilled);
}
