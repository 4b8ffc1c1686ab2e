/*
 * table.h: the one list of settings: grammar of the file, names in the environment, defaults, limits, docs.
 *
 * Constant. A new setting is a member in settings.h and a line in table.c; reading, printing, checking and
 * the reference page follow from it.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "base/base.h"
#include "base/error.h"

enum setting_kind {
    SETTING_TEXT,     /* char * */
    SETTING_CHOICE,   /* char *, one of `choices` */
    SETTING_LIST,     /* struct settings_list; of `choices` when there are any */
    SETTING_COUNT,    /* int64_t */
    SETTING_DURATION, /* int64_t, µs */
    SETTING_SIZE,     /* int64_t, bytes */
    SETTING_BOOL,     /* bool */
};

/* Judges a text beyond its kind; *err.text says what is wrong with it. */
typedef enum err (*setting_check_fn)(struct str text, struct error *err);

struct setting {
    const char *section; /* "" for a member at the top */
    const char *member;  /* "tls.cert" lies one level deeper */
    enum setting_kind kind;
    size_t offset;        /* in struct settings */
    const char *fallback; /* the default, in the file's grammar */
    const char *about;
    const char *choices;    /* "auto|text|json", NULL for none */
    setting_check_fn check; /* NULL for none */
    int64_t min;            /* of numbers, in their stored unit */
    int64_t max;
    bool secret; /* shown as *** */
    bool url;    /* user information in it is shown as *** */
    bool brief;  /* the section itself may be given as this member: "wakeup: poll" */
};

extern const struct setting settings_table[];
extern const size_t settings_table_n;

enum { SETTING_NAME_MAX = 64 };
/* "server.tls.cert" */
void setting_path(const struct setting *t, char ret[SETTING_NAME_MAX]);
/* "CARILLON_SERVER_TLS_CERT" */
void setting_variable(const struct setting *t, char ret[SETTING_NAME_MAX]);
/* The member, or NULL. `path` as setting_path() gives it; a section with a brief member names that one. */
const struct setting *setting_find(struct str path);
/* `path` is a section, or a group of members within one. */
bool setting_is_group(struct str path);

#endif
