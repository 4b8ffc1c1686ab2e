/*
 * sql.c: statements with their schema filled in. See sql.h.
 */
#include "store/postgres/sql.h"

#include <string.h>

enum { TEXTS_MAX = 1 << 20, SCHEMA_MAX = 40 };

const char *sql_name(enum sql q)
{
    static const char *const names[] = {
#define X(name, text) #name,
        SQL_LIST(X)
#undef X
    };

    return names[q];
}

bool sql_schema_ok(const char *schema)
{
    size_t n = strspn(schema, "abcdefghijklmnopqrstuvwxyz_0123456789");

    return n > 0 && n <= SCHEMA_MAX && schema[n] == '\0' && !(schema[0] >= '0' && schema[0] <= '9');
}

void sql_add(struct buf *out, const char *schema, const char *text)
{
    for (const char *at = strchr(text, '@'); at; at = strchr(text, '@')) {
        buf_add(out, (struct str){text, (size_t)(at - text)});
        buf_addf(out, "\"%s\".", schema);
        text = at + 1;
    }
    buf_add_cstr(out, text);
}

enum err sql_texts_init(struct sql_texts *t, const char *schema, struct error *err)
{
    static const char *const texts[] = {
#define X(name, text) text,
        SQL_LIST(X)
#undef X
    };
    size_t starts[Q_N];
    enum err e;

    buf_init(&t->all, TEXTS_MAX);
    for (size_t i = 0; i < Q_N; i++) {
        starts[i] = t->all.n;
        sql_add(&t->all, schema, texts[i]);
        buf_add(&t->all, (struct str){"", 1}); /* its terminator */
    }
    e = buf_check(&t->all, "postgres", err);
    if (e)
        return e;
    for (size_t i = 0; i < Q_N; i++)
        t->text[i] = t->all.p + starts[i];
    return ERR_NONE;
}

void sql_texts_done(struct sql_texts *t)
{
    buf_done(&t->all);
}
