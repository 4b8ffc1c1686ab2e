/*
 * yaml.c: a YAML document over the table, by libyaml's document interface.
 *
 * libcyaml was tried in its place: it stops at the first fault and reports it as text to a log callback, and
 * an environment over the same schema would need a second table. Here every node has its line, all faults are
 * found at once, and the table is the one that the environment and the reference page use. The only file
 * that includes yaml.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/layers.h"
#include "config/near.h"
#include "config/secrets.h"
#include "config/value.h"

struct walk {
    struct layers *l;
    yaml_document_t *doc;
    const char *name;
};

enum { PLACE_MAX = 96, NAME_SHOWN = 72 };

/* "config.yaml:12"; of a long path the end, since the line must be seen. */
static void place_of(const char *name, size_t line, char ret[PLACE_MAX])
{
    size_t n = strlen(name);
    bool cut = n > NAME_SHOWN;

    MUST(snprintf(ret, PLACE_MAX, "%s%s:%zu", cut ? "..." : "", cut ? name + n - NAME_SHOWN : name, line) >
         0);
}

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

static void fault(struct walk *w, enum err code, const yaml_node_t *at, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void fault(struct walk *w, enum err code, const yaml_node_t *at, const char *format, ...)
{
    char place[PLACE_MAX];
    char text[192];
    va_list args;

    place_of(w->name, line_of(at), place);
    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    (void)error_list_add(w->l->faults, code, place, "%s", text);
}

static bool full(const struct walk *w)
{
    return w->l->faults->n == ERROR_LIST_MAX;
}

static struct str scalar_text(const yaml_node_t *node)
{
    return (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
}

/* YAML 1.2's null in plain style. `key:` with nothing behind it is one. */
static bool is_null(const yaml_node_t *node)
{
    struct str s;

    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    s = scalar_text(node);
    return s.n == 0 || str_eq(s, STR("~")) || str_eq_nocase(s, STR("null"));
}

static void unknown(struct walk *w, const yaml_node_t *at, const char *path)
{
    CLEANUP(buf_done_p) struct buf hint = {0};

    buf_init(&hint, 192);
    near_add(&hint, str_of(path), NEAR_PATH);
    fault(w, ERR_INVALID, at, "%s is not a setting%s", path, buf_cstr(&hint));
}

static void set_sequence(struct walk *w, const struct setting *t, const yaml_node_t *node, const char *path)
{
    enum { ITEMS_MAX = 64 };
    struct str items[ITEMS_MAX];
    size_t n = 0;
    struct error err = {0};

    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(w->doc, *i);

        if (n == ITEMS_MAX || !item || item->type != YAML_SCALAR_NODE) {
            fault(w, ERR_INVALID, item ? item : node, "%s must be a list of at most %d words", path,
                  ITEMS_MAX);
            return;
        }
        items[n++] = scalar_text(item);
        /* A list may go over many lines: the fault is in its item's. */
        if (t->check && str_is_utf8(items[n - 1]) && t->check(items[n - 1], &err)) {
            fault(w, err.code, item, "%s %s", path, err.text);
            return;
        }
    }
    if (value_set_list(w->l->s, t, items, n, &err))
        fault(w, err.code, node, "%s %s", path, err.text);
}

static void set_leaf(struct walk *w, const struct setting *t, const yaml_node_t *node, const char *path)
{
    struct error err = {0};

    if (is_null(node))
        return; /* as though the line were not there */
    layers_mark(w->l, t, SETTINGS_FILE, line_of(node));
    if (node->type == YAML_SEQUENCE_NODE && t->kind == SETTING_LIST)
        set_sequence(w, t, node, path);
    else if (node->type != YAML_SCALAR_NODE)
        fault(w, ERR_INVALID, node, "%s takes one value", path);
    else if (value_set(w->l->s, t, scalar_text(node), &err))
        fault(w, err.code, node, "%s %s", path, err.text);
}

static void walk_mapping(struct walk *w, const yaml_node_t *map, const char *prefix);

/* Below `secrets`: the names are the user's. Nothing of a value is told. */
static void set_secret(struct walk *w, const yaml_node_t *key, const yaml_node_t *value, const char *path)
{
    enum { ITEMS_MAX = SETTINGS_SECRETS_EACH + 1 };
    const struct settings_origin origin = {.layer = SETTINGS_FILE, .line = line_of(key)};
    struct str name = {path + strlen("secrets."), strlen(path) - strlen("secrets.")};
    struct str items[ITEMS_MAX];
    size_t n = 0;
    struct error err = {0};
    enum err e;

    if (is_null(value))
        return;
    if (value->type == YAML_SCALAR_NODE) {
        e = secrets_set_text(w->l->s, name, scalar_text(value), origin, &err);
    } else if (value->type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *i = value->data.sequence.items.start;

        for (; i < value->data.sequence.items.top && n < ITEMS_MAX; i++) {
            const yaml_node_t *item = yaml_document_get_node(w->doc, *i);

            items[n++] = item && item->type == YAML_SCALAR_NODE ? scalar_text(item) : (struct str){"", 0};
        }
        e = secrets_set(w->l->s, name, items, n, origin, &err);
    } else {
        e = error_set(&err, ERR_INVALID, NULL, "must be one secret, or a list of two");
    }
    if (e)
        fault(w, err.code, value, "%s %s", path, err.text);
}

static void walk_member(struct walk *w, const yaml_node_t *key, const yaml_node_t *value, const char *path)
{
    const struct setting *t = setting_find(str_of(path));
    bool secrets = strcmp(path, "secrets") == 0;
    bool group = secrets || setting_is_group(str_of(path));

    if (strncmp(path, "secrets.", strlen("secrets.")) == 0)
        set_secret(w, key, value, path);
    else if (group && value->type == YAML_MAPPING_NODE)
        walk_mapping(w, value, path);
    else if (t)
        set_leaf(w, t, value, path);
    else if (group && !is_null(value))
        fault(w, ERR_INVALID, value, "%s takes members, each on a line of its own", path);
    else if (!group)
        unknown(w, key, path);
}

/* YAML lets no key come twice; libyaml does not look. */
static const yaml_node_t *earlier(struct walk *w, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
    struct str name = scalar_text(yaml_document_get_node(w->doc, pair->key));

    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
        const yaml_node_t *key = yaml_document_get_node(w->doc, p->key);

        if (key && key->type == YAML_SCALAR_NODE && str_eq(scalar_text(key), name))
            return key;
    }
    return NULL;
}

static void walk_pair(struct walk *w, const yaml_node_t *map, const yaml_node_pair_t *pair,
                      const char *prefix)
{
    const yaml_node_t *key = yaml_document_get_node(w->doc, pair->key);
    const yaml_node_t *value = yaml_document_get_node(w->doc, pair->value);
    const yaml_node_t *before;
    char path[SETTING_NAME_MAX];
    struct str name;

    if (!key || !value || key->type != YAML_SCALAR_NODE || !str_is_utf8(scalar_text(key))) {
        fault(w, ERR_INVALID, key ? key : map, "a member's name must be a word");
        return;
    }
    name = scalar_text(key);
    if (strlen(prefix) + 1 + name.n >= sizeof(path)) {
        fault(w, ERR_INVALID, key, "%.40s... is not a setting", (const char *)key->data.scalar.value);
        return;
    }
    MUST(snprintf(path, sizeof(path), "%s%s%.*s", prefix, prefix[0] ? "." : "", (int)name.n, name.p) >= 0);
    before = earlier(w, map, pair);
    if (before)
        fault(w, ERR_INVALID, key, "%s is given twice: in line %zu before", path, line_of(before));
    else
        walk_member(w, key, value, path);
}

/* Depth is bounded by the table: only groups are descended into. */
static void walk_mapping(struct walk *w, const yaml_node_t *map, const char *prefix)
{
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;

    for (; pair < map->data.mapping.pairs.top && !full(w); pair++)
        walk_pair(w, map, pair, prefix);
}

static void walk_root(struct walk *w)
{
    const yaml_node_t *root = yaml_document_get_root_node(w->doc);

    if (!root || is_null(root))
        return; /* an empty file, or one of comments: all defaults */
    if (root->type != YAML_MAPPING_NODE)
        fault(w, ERR_INVALID, root,
              "settings are sections with members: server: and below it, indented, listen: ...");
    else
        walk_mapping(w, root, "");
}

static void fault_syntax(struct layers *l, const yaml_parser_t *parser, const char *name)
{
    char place[PLACE_MAX];
    bool memory = parser->error == YAML_MEMORY_ERROR;

    place_of(name, parser->problem_mark.line + 1, place);
    (void)error_list_add(l->faults, memory ? ERR_MEMORY : ERR_SYNTAX, place, "not YAML: %s (column %zu)",
                         parser->problem ? parser->problem : "unreadable", parser->problem_mark.column + 1);
}

static void refuse_more(struct walk *w, yaml_parser_t *parser)
{
    yaml_document_t more;

    if (!yaml_parser_load(parser, &more)) {
        fault_syntax(w->l, parser, w->name);
        return;
    }
    if (yaml_document_get_root_node(&more))
        fault(w, ERR_INVALID, yaml_document_get_root_node(&more), "a second document: settings are one");
    yaml_document_delete(&more);
}

void yaml_apply(struct layers *l, struct str text, const char *name)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    struct walk w = {.l = l, .doc = &doc, .name = name};

    if (!yaml_parser_initialize(&parser)) {
        (void)error_list_add(l->faults, ERR_MEMORY, name, "no memory to read it");
        return;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    if (!yaml_parser_load(&parser, &doc)) {
        fault_syntax(l, &parser, name);
    } else {
        walk_root(&w);
        if (yaml_document_get_root_node(&doc))
            refuse_more(&w, &parser);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
}
