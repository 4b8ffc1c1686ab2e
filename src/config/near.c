/*
 * near.c: edit distance over the table's names. A name that is right but for its section is near too.
 */
#include "config/near.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/table.h"

enum { SHOWN_MAX = 3 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Insertions, deletions and substitutions between two names; SETTING_NAME_MAX when one is too long to be
 * near. */
static size_t distance(struct str a, struct str b)
{
    size_t row[SETTING_NAME_MAX + 1];

    if (a.n > SETTING_NAME_MAX || b.n > SETTING_NAME_MAX)
        return SETTING_NAME_MAX;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j];
            size_t replace = diagonal + (lower(a.p[i - 1]) != lower(b.p[j - 1]));

            row[j] = least(replace, least(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.n];
}

static struct str last_part(struct str path)
{
    const char *dot = path.n ? memrchr(path.p, '.', path.n) : NULL;

    return dot ? (struct str){dot + 1, path.n - (size_t)(dot + 1 - path.p)} : path;
}

/* Candidates: every member, and, since a section's own name can be mistyped, every section. False: none at
 * `i`. */
static bool candidate(size_t i, enum near_form form, char ret[SETTING_NAME_MAX])
{
    const struct setting *t = &settings_table[i < settings_table_n ? i : i - settings_table_n];
    bool again = t != settings_table && strcmp(t->section, t[-1].section) == 0;

    if (i < settings_table_n && form == NEAR_VARIABLE)
        setting_variable(t, ret);
    else if (i < settings_table_n)
        setting_path(t, ret);
    else if (form == NEAR_VARIABLE || t->section[0] == '\0' || again)
        return false;
    else
        MUST(snprintf(ret, SETTING_NAME_MAX, "%s", t->section) < SETTING_NAME_MAX);
    return true;
}

static size_t score(struct str full, struct str name, enum near_form form)
{
    size_t d = distance(name, full);

    if (form == NEAR_PATH && str_eq_nocase(last_part(name), last_part(full)))
        d = least(d, 1);
    return d;
}

/* A third of what is particular in a name may be wrong. */
static size_t tolerance(struct str name, enum near_form form)
{
    size_t own = last_part(name).n;

    if (form == NEAR_VARIABLE)
        own = name.n - least(name.n, strlen("CARILLON_"));
    return own / 3 + 1;
}

void near_add(struct buf *out, struct str name, enum near_form form)
{
    size_t shown = 0;

    /* Those farther away are worse guesses: only names of one distance are shown. */
    for (size_t d = 1; d <= tolerance(name, form) && shown == 0; d++) {
        for (size_t i = 0; i < 2 * settings_table_n && shown < SHOWN_MAX; i++) {
            char full[SETTING_NAME_MAX];

            if (!candidate(i, form, full) || score(str_of(full), name, form) != d)
                continue;
            buf_addf(out, "%s%s", shown ? " or " : "; did you mean ", full);
            shown++;
        }
    }
    if (shown > 0)
        buf_add_char(out, '?');
}
