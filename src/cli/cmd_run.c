/*
 * cmd_run.c: the commands about runs: what became of them, the dead ones redriven or discarded.
 */
#include "base/str.h"
#include "cli/out.h"
#include "cli/show.h"
#include "cli/talk.h"

/* GET of `what`, of all schedules or of the one that is named, with those of `filters` that were given. */
static int list_of(const struct cli_host *host, const struct command *c, const struct args *a,
                   const char *what, const char *const *filters, int (*show)(const json_t *all))
{
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    int64_t limit;
    int status = talk_limit(c, a, &limit);

    if (!status)
        status = talk_open(host, c, a, &t);
    if (status)
        return status;
    buf_init(&path, TALK_PATH_MAX);
    if (a->words_n > 0) {
        buf_add_cstr(&path, "/schedules/");
        client_add_escaped(&path, str_of(a->words[0]));
    }
    buf_addf(&path, "/%s?limit=%lld", what, (long long)(limit < TALK_PAGE_MAX ? limit : TALK_PAGE_MAX));
    for (; *filters; filters++)
        talk_add_filter(c, a, *filters, &path);
    if (!buf_ok(&path))
        return out_usage(c->name, "the ID is too long");
    return talk_list(&t, &path, limit, show);
}

int command_runs(const struct cli_host *host, const struct command *c, const struct args *a)
{
    static const char *const filters[] = {"state", NULL};

    return list_of(host, c, a, "runs", filters, show_runs);
}

int command_history(const struct cli_host *host, const struct command *c, const struct args *a)
{
    static const char *const filters[] = {"kind", "from", "to", NULL};

    return list_of(host, c, a, "history", filters, show_history);
}

/* Which runs are meant, as the call's body; NULL: that was not said in one way. */
static json_t *which_runs(const struct command *c, const struct args *a)
{
    const char *schedule = args_value(c, a, "schedule");
    bool all = args_value(c, a, "all") != NULL;
    json_t *ids;

    if ((a->words_n > 0) + (schedule != NULL) + all != 1)
        return NULL;
    if (schedule)
        return json_pack("{s:s}", "schedule_id", schedule);
    if (all)
        return json_pack("{s:s}", "state", "dead");
    ids = json_array();
    for (size_t i = 0; ids && i < a->words_n; i++)
        (void)json_array_append_new(ids,
                                    json_string(a->words[i])); /* one that is no text is refused by all */
    return json_pack("{s:o}", "ids", ids);
}

int command_redrive(const struct cli_host *host, const struct command *c, const struct args *a)
{
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(json_free_p) json_t *which = which_runs(c, a);
    CLEANUP(buf_done_p) struct buf body = {0};
    struct error err = {0};
    int status;

    if (!which)
        return out_usage(c->name, "name the runs in one way: by their IDs, by --schedule, or by --all");
    status = talk_open(host, c, a, &t);
    if (status)
        return status;
    buf_init(&body, TALK_PATH_MAX);
    if (json_write(which, &body, &err))
        return out_error(&err);
    status = talk_call(&t, "POST", "/runs/redrive", buf_str(&body));
    return status ? status : talk_show(&t, show_redriven);
}

int command_discard(const struct cli_host *host, const struct command *c, const struct args *a)
{
    return talk_on_one(host, c, a, "DELETE", "/runs/", "", show_run);
}
