/*
 * layers.h: what the three sources of settings have in common: each sets members under a name for messages
 * and adds what is wrong to one list. Used by settings.c only.
 */
#ifndef CONFIG_LAYERS_H
#define CONFIG_LAYERS_H

#include "base/base.h"
#include "base/error.h"
#include "config/settings.h"
#include "config/table.h"

struct layers {
    struct settings *s;
    struct error_list *faults;
};

/* Marks where a member's value came from. */
void layers_mark(struct layers *l, const struct setting *t, enum settings_layer layer, size_t line);
const struct settings_origin *layers_origin(const struct settings *s, const void *member);

/* Reads a whole document over what is there. `name`: the file, for messages. */
void yaml_apply(struct layers *l, struct str text, const char *name);
/* Reads CARILLON_... over what is there. */
void env_apply(struct layers *l, const char *const *env);

#endif
