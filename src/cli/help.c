/*
 * help.c: manual pages from the table of commands.
 */
#include <string.h>

#include "base/str.h"
#include "cli/command.h"

enum { ABOUT_AT = 26, LINE_WIDTH = 78 };

static void pad(struct buf *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        buf_add_char(out, ' ');
}

/* Words of `text` filled into lines that begin at `indent`; the first line is already there. */
static void add_filled(struct buf *out, const char *text, size_t indent)
{
    struct str rest = str_of(text);
    struct str word;
    size_t column = indent;

    while (str_cut(&rest, ' ', &word)) {
        if (column > indent && column + 1 + word.n > LINE_WIDTH) {
            buf_add_char(out, '\n');
            pad(out, 0, indent);
            column = indent;
        }
        if (column > indent) {
            buf_add_char(out, ' ');
            column++;
        }
        buf_add(out, word);
        column += word.n;
    }
    buf_add_char(out, '\n');
}

/* Paragraphs are divided by newlines; one that begins with a blank is shown as it is. */
static void add_paragraphs(struct buf *out, const char *text, size_t indent)
{
    struct str rest = str_of(text);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        char copy[1024];

        if (line.n == 0) {
            buf_add_char(out, '\n');
            continue;
        }
        MUST(line.n < sizeof(copy)); /* constants of commands.c */
        memcpy(copy, line.p, line.n);
        copy[line.n] = '\0';
        if (copy[0] == ' ') {
            buf_addf(out, "%s\n", copy);
            continue;
        }
        pad(out, 0, indent);
        add_filled(out, copy, indent);
    }
}

static void add_section(struct buf *out, const char *title, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_addf(out, "\n%s\n", title);
    add_paragraphs(out, text, 2);
}

static void add_option(struct buf *out, const struct option *o)
{
    size_t start = out->n;

    if (o->letter)
        buf_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        buf_addf(out, "      --%s", o->name);
    if (o->value)
        buf_addf(out, " %s", o->value);
    if (out->n - start + 2 > ABOUT_AT) {
        buf_add_char(out, '\n');
        start = out->n;
    }
    pad(out, out->n - start, ABOUT_AT);
    add_filled(out, o->about, ABOUT_AT);
}

void help_command(const struct command *c, struct buf *out)
{
    static const char usual[] =
        "  0  done\n  1  failed; standard error says why\n  2  the command line is wrong";
    static const struct option help = {"help", 'h', NULL, "Show this page."};

    buf_addf(out, "carillon %s: %s\n\nUsage\n  carillon %s", c->name, c->about, c->name);
    if (c->options[0].name)
        buf_add_cstr(out, " [OPTION...]");
    if (c->words[0] != '\0')
        buf_addf(out, " %s", c->words);
    buf_add_char(out, '\n');
    add_section(out, "Description", c->description);
    buf_add_cstr(out, "\nOptions\n");
    for (const struct option *o = c->options; o->name; o++)
        add_option(out, o);
    add_option(out, &help);
    add_section(out, "Environment", c->environment);
    add_section(out, "Examples", c->examples);
    add_section(out, "Exit status", c->statuses ? c->statuses : usual);
}

void help_all(const char *version, struct buf *out)
{
    buf_addf(out,
             "carillon %s: a scheduler service. It keeps schedules and calls your application back when\n"
             "they are due.\n\nUsage\n  carillon COMMAND [OPTION...]\n\nCommands\n",
             version);
    for (size_t i = 0; i < commands_n; i++) {
        size_t start = out->n;

        buf_addf(out, "  %s %s", commands[i].name, commands[i].words);
        pad(out, out->n - start, ABOUT_AT);
        buf_addf(out, "%s\n", commands[i].about);
    }
    buf_add_cstr(out, "\nEach has a page of its own: carillon COMMAND --help\n");
}
