/*
 * notice_text.c: see notice_text.h.
 */
#include "store/notice_text.h"

#include "base/str.h"

/* Longest: "xxxxxxxx-....:9223372036854775807" and a blank. */
enum { CHANGE_TEXT_MAX = UUID_TEXT + 1 + 19 + 1 };

static void add_change(struct buf *out, const struct change *c)
{
    char id[UUID_TEXT + 1];

    uuid_format(c->schedule_id, id);
    buf_addf(out, " %s:", id);
    if (c->version == INT64_MAX)
        buf_add_char(out, 'x');
    else
        buf_add_i64(out, c->version);
}

enum err notice_encode(const struct notice *n, struct uuid sender, struct buf *ret, struct error *err)
{
    char id[UUID_TEXT + 1];
    size_t head;

    uuid_format(sender, id);
    buf_addf(ret, "1 %s ", id);
    if (wall_is_never(n->earliest))
        buf_add_char(ret, '-');
    else
        buf_add_i64(ret, n->earliest.us);
    head = ret->n;
    for (size_t i = 0; i < n->changed.n && !n->all && ret->n + CHANGE_TEXT_MAX <= NOTICE_TEXT_MAX; i++)
        add_change(ret, &n->changed.items[i]);
    if (n->all || (n->changed.n > 0 && ret->n + CHANGE_TEXT_MAX > NOTICE_TEXT_MAX)) {
        ret->n = head;
        buf_add_cstr(ret, " *");
    }
    return buf_check(ret, "postgres", err);
}

static bool parse_change(struct str word, struct change *ret)
{
    struct str id;

    if (!str_cut(&word, ':', &id) || !uuid_parse(id, &ret->schedule_id))
        return false;
    ret->version = INT64_MAX;
    return str_eq(word, STR("x")) || str_to_i64(word, &ret->version);
}

static bool parse_head(struct str *text, struct uuid *ret_sender, struct notice *ret)
{
    struct str form;
    struct str sender;
    struct str earliest;

    ret->earliest = WALL_NEVER;
    return str_cut(text, ' ', &form) && str_eq(form, STR("1")) && str_cut(text, ' ', &sender) &&
           uuid_parse(sender, ret_sender) && str_cut(text, ' ', &earliest) &&
           (str_eq(earliest, STR("-")) || str_to_i64(earliest, &ret->earliest.us));
}

enum err notice_decode(struct str text, struct uuid *ret_sender, struct notice *ret, struct error *err)
{
    struct str word;

    *ret = (struct notice){.earliest = WALL_NEVER};
    *ret_sender = (struct uuid){{0}};
    ret->all = !parse_head(&text, ret_sender, ret);
    while (!ret->all && str_cut(&text, ' ', &word)) {
        struct change c;

        if (parse_change(word, &c)) {
            enum err e = change_list_add(&ret->changed, c, err);

            if (e)
                return e;
        } else {
            ret->all = true;
        }
    }
    /* Nobody knows what is meant: what is due may be anything too. */
    if (ret->all && uuid_is_nil(*ret_sender))
        ret->earliest = (struct wall){0};
    return ERR_NONE;
}

void notice_merge(struct notice *to, const struct notice *n, size_t changes_max)
{
    to->earliest = wall_min(to->earliest, n->earliest);
    to->all = to->all || n->all || to->changed.n + n->changed.n > changes_max;
    for (size_t i = 0; i < n->changed.n && !to->all; i++)
        to->all = change_list_add(&to->changed, n->changed.items[i], NULL) != ERR_NONE;
}
