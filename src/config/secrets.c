/*
 * secrets.c: see secrets.h.
 */
#include "config/secrets.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/webhook_secret.h"

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.n > 0 && name.n <= SECRET_NAME_MAX;
}

static enum err check(struct str name, const struct str *values, size_t n, struct error *err)
{
    if (!is_name(name))
        return error_set(err, ERR_INVALID, NULL,
                         "has a name that is not of lower-case letters, digits and _, at most %d",
                         SECRET_NAME_MAX);
    if (n == 0 || n > SETTINGS_SECRETS_EACH)
        return error_set(err, ERR_INVALID, NULL, "must be one secret, or two while one replaces the other");
    for (size_t i = 0; i < n; i++) {
        struct webhook_secret unused;
        enum err e = webhook_secret_read(values[i], &unused, err);

        explicit_bzero(&unused, sizeof(unused));
        if (e)
            return e;
    }
    return ERR_NONE;
}

static void clear(struct settings_secret *secret)
{
    for (size_t i = 0; i < secret->n; i++) {
        explicit_bzero(secret->values[i], strlen(secret->values[i]));
        alloc_free(secret->values[i]);
        secret->values[i] = NULL;
    }
    secret->n = 0;
}

static struct settings_secret *find(struct settings *s, struct str name)
{
    for (size_t i = 0; i < s->secrets_n; i++) {
        if (str_eq(str_of(s->secrets[i].name), name))
            return &s->secrets[i];
    }
    return NULL;
}

static enum err find_or_add(struct settings *s, struct str name, struct settings_secret **ret,
                            struct error *err)
{
    struct settings_secret *found = find(s, name);
    char *copy;
    enum err e;

    if (found) {
        *ret = found;
        return ERR_NONE;
    }
    e = alloc_str(name, &copy, err);
    if (e)
        return e;
    e = alloc_resize((void **)&s->secrets, s->secrets_n + 1, sizeof(s->secrets[0]), err);
    if (e) {
        alloc_free(copy);
        return e;
    }
    *ret = &s->secrets[s->secrets_n++];
    **ret = (struct settings_secret){.name = copy};
    return ERR_NONE;
}

enum err secrets_set(struct settings *s, struct str name, const struct str *values, size_t n,
                     struct settings_origin origin, struct error *err)
{
    struct settings_secret *secret;
    enum err e = check(name, values, n, err);

    if (!e)
        e = find_or_add(s, name, &secret, err);
    if (e)
        return e;
    clear(secret);
    secret->origin = origin;
    for (; secret->n < n && !e; secret->n += !e)
        e = alloc_str(values[secret->n], &secret->values[secret->n], err);
    return e;
}

enum err secrets_set_text(struct settings *s, struct str name, struct str text, struct settings_origin origin,
                          struct error *err)
{
    struct str values[SETTINGS_SECRETS_EACH + 1];
    size_t n = 0;

    while (n < COUNT_OF(values) && str_cut(&text, ',', &values[n])) {
        values[n] = str_trim(values[n]);
        n++;
    }
    return secrets_set(s, name, values, n, origin, err);
}

void secrets_free(struct settings *s)
{
    for (size_t i = 0; i < s->secrets_n; i++) {
        clear(&s->secrets[i]);
        alloc_free(s->secrets[i].name);
    }
    alloc_free(s->secrets);
}
