/*
 * args.c: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, flags and words in any order; "--" ends the options,
 * "-" alone is a word.
 */
#include <string.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/out.h"

static size_t find_name(const struct command *c, struct str name)
{
    size_t i = 0;

    while (c->options[i].name && !str_eq(name, str_of(c->options[i].name)))
        i++;
    return i;
}

static size_t find_letter(const struct command *c, char letter)
{
    size_t i = 0;

    while (c->options[i].name && c->options[i].letter != letter)
        i++;
    return i;
}

const char *args_value(const struct command *c, const struct args *a, const char *name)
{
    size_t i = find_name(c, str_of(name));

    MUST(c->options[i].name);
    return a->values[i];
}

struct reading {
    const struct command *c;
    char **argv;
    int argc;
    int at; /* the argument being read */
    struct args *a;
};

/* `given`: what stood behind "=" or the letter; NULL: the next argument is meant. */
static bool take_option(struct reading *r, size_t i, const char *shown, const char *given)
{
    const struct option *o = &r->c->options[i];

    if (!o->name) {
        (void)out_usage(r->c->name, "unknown option %s", shown);
        return false;
    }
    if (!o->value && given) {
        (void)out_usage(r->c->name, "--%s takes no value", o->name);
        return false;
    }
    if (o->value && !given) {
        if (r->at + 1 >= r->argc) {
            (void)out_usage(r->c->name, "--%s needs a value: %s", o->name, o->value);
            return false;
        }
        given = r->argv[++r->at];
    }
    if (r->a->values[i]) {
        (void)out_usage(r->c->name, "--%s is given twice", o->name);
        return false;
    }
    r->a->values[i] = given ? given : "";
    return true;
}

static bool take_long(struct reading *r, const char *arg)
{
    struct str rest = str_of(arg + 2);
    struct str name;

    (void)str_cut(&rest, '=', &name);
    return take_option(r, find_name(r->c, name), arg, rest.p);
}

static bool take_short(struct reading *r, const char *arg)
{
    return take_option(r, find_letter(r->c, arg[1]), arg, arg[2] ? arg + 2 : NULL);
}

static bool take_word(struct reading *r, const char *arg)
{
    if (r->a->words_n == r->c->words_max) {
        (void)out_usage(r->c->name, "too many arguments: %s", arg);
        return false;
    }
    r->a->words[r->a->words_n++] = arg;
    return true;
}

bool args_parse(const struct command *c, int argc, char **argv, int at, struct args *ret)
{
    struct reading r = {.c = c, .argv = argv, .argc = argc, .at = at, .a = ret};
    bool options = true;

    MUST(c->words_max <= WORDS_MAX);
    *ret = (struct args){0};
    for (; r.at < argc; r.at++) {
        const char *arg = argv[r.at];
        bool ok;

        if (options && strcmp(arg, "--") == 0) {
            options = false;
            continue;
        }
        if (options && strncmp(arg, "--", 2) == 0)
            ok = take_long(&r, arg);
        else if (options && arg[0] == '-' && arg[1] != '\0')
            ok = take_short(&r, arg);
        else
            ok = take_word(&r, arg);
        if (!ok)
            return false;
    }
    if (ret->words_n < c->words_min) {
        (void)out_usage(c->name, "missing: %s", c->words);
        return false;
    }
    return true;
}
