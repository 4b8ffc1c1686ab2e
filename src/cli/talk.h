/*
 * talk.h: what the commands that talk to a running server share: asking, showing what it answered or refused,
 * and gathering lists page by page.
 */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "base/json.h"
#include "cli/client.h"
#include "cli/command.h"

enum { TALK_PATH_MAX = 32 * 1024 };

/* One command's talk with the server. */
struct talk {
    struct client *client;
    struct answer answer;
    bool json; /* --json: answers are shown as they came */
};

/* By --url and --json, which the command must have. The exit status; talk_done() in any case. */
CHECKED int talk_open(const struct cli_host *host, const struct command *c, const struct args *a,
                      struct talk *t);
void talk_done(struct talk *t);
/* Sends; a refusal is shown here, and is the exit status. `t->answer` has what came. */
CHECKED int talk_call(struct talk *t, const char *method, const char *path, struct str body);
/* The answer to a call that succeeded, for people or as it came. */
int talk_show(const struct talk *t, int (*show)(struct str body));

/* One call from open to shown: `before` and `what` surround the command's first word in the path. */
int talk_on_one(const struct cli_host *host, const struct command *c, const struct args *a,
                const char *method, const char *before, const char *what, int (*show)(struct str body));

/* "&name=value" when the option is given. */
void talk_add_filter(const struct command *c, const struct args *a, const char *name, struct buf *path);
/* --limit, INT64_MAX when it is not given; the exit status. */
CHECKED int talk_limit(const struct command *c, const struct args *a, int64_t *ret);
/* All pages from `path` on, which has a limit=, until there are no more or `limit` are had; then shown. */
int talk_list(struct talk *t, struct buf *path, int64_t limit, int (*show)(const json_t *all));
enum { TALK_PAGE_MAX = 1000 };

#endif
