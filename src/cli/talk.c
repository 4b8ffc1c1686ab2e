/*
 * talk.c: see talk.h.
 */
#include "cli/talk.h"

#include "base/str.h"
#include "cli/out.h"
#include "cli/show.h"

void talk_done(struct talk *t)
{
    client_free(t->client);
    client_answer_done(&t->answer);
}

static int no_answer(const struct error *err)
{
    int status = out_error(err);

    if (err->code == ERR_UNAVAILABLE)
        (void)out_fail("is the server running there? --url or CARILLON_URL names another address");
    return status;
}

int talk_open(const struct cli_host *host, const struct command *c, const struct args *a, struct talk *t)
{
    struct error err = {0};

    *t = (struct talk){.json = args_value(c, a, "json") != NULL};
    client_answer_init(&t->answer);
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

int talk_call(struct talk *t, const char *method, const char *path, struct str body)
{
    struct error err = {0};

    if (client_call(t->client, method, path, body, &t->answer, &err))
        return no_answer(&err);
    if (t->answer.status >= 200 && t->answer.status < 300)
        return EXIT_OK;
    return t->json ? show_raw(t, EXIT_FAILED) : show_problem(t->answer.status, buf_str(&t->answer.body));
}

int talk_show(const struct talk *t, int (*show)(struct str body))
{
    return t->json ? show_raw(t, EXIT_OK) : show(buf_str(&t->answer.body));
}

int talk_on_one(const struct cli_host *host, const struct command *c, const struct args *a,
                const char *method, const char *before, const char *what, int (*show)(struct str body))
{
    CLEANUP(talk_done) struct talk t = {0};
    CLEANUP(buf_done_p) struct buf path = {0};
    int status = talk_open(host, c, a, &t);

    if (status)
        return status;
    buf_init(&path, TALK_PATH_MAX);
    buf_add_cstr(&path, before);
    if (a->words_n > 0)
        client_add_escaped(&path, str_of(a->words[0]));
    buf_add_cstr(&path, what);
    if (!buf_ok(&path))
        return out_usage(c->name, "the ID is too long");
    status = talk_call(&t, method, buf_cstr(&path), (struct str){NULL, 0});
    return status ? status : talk_show(&t, show);
}

void talk_add_filter(const struct command *c, const struct args *a, const char *name, struct buf *path)
{
    const char *value = args_value(c, a, name);

    if (!value)
        return;
    buf_addf(path, "&%s=", name);
    client_add_escaped(path, str_of(value));
}

int talk_limit(const struct command *c, const struct args *a, int64_t *ret)
{
    const char *given = args_value(c, a, "limit");

    *ret = INT64_MAX;
    if (given && (!str_to_i64(str_of(given), ret) || *ret < 1))
        return out_usage(c->name, "--limit must be a whole number from 1");
    return EXIT_OK;
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

int talk_list(struct talk *t, struct buf *path, int64_t limit, int (*show)(const json_t *all))
{
    CLEANUP(json_free_p) json_t *all = json_array();
    int status;

    if (!all)
        return out_fail("no memory for the list");
    status = gather(t, path, all, limit);
    if (status)
        return status;
    return t->json ? show_array(all) : show(all);
}
