/*
 * value.h: a setting's text to its stored value and back: one grammar for defaults, file and environment.
 *
 * Pure. A failure leaves the stored value as it was.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/settings.h"
#include "config/table.h"

/* Stores `text`; what was stored before is freed. *err.text says what is wrong, without the value of a
 * secret. */
CHECKED enum err value_set(struct settings *s, const struct setting *t, struct str text, struct error *err);
/* The same for a list given item by item. */
CHECKED enum err value_set_list(struct settings *s, const struct setting *t, const struct str *items,
                                size_t n, struct error *err);
/* Appends the value as the file would have it, unquoted; secrets as ***. */
void value_add(const struct settings *s, const struct setting *t, struct buf *out);
void value_free(struct settings *s, const struct setting *t);

/* "90" (seconds), "0.5", "250ms", "30s", "5m", "1h", "7d". False when malformed. */
bool value_duration(struct str text, int64_t *ret_us);
/* "1048576", "512KiB", "1 MiB", "2GiB". False when malformed. */
bool value_size(struct str text, int64_t *ret_bytes);

/* Checks of table.c. */
CHECKED enum err check_listen(struct str text, struct error *err);
CHECKED enum err check_store_url(struct str text, struct error *err);
CHECKED enum err check_postgres_url(struct str text, struct error *err);
CHECKED enum err check_schema(struct str text, struct error *err);
CHECKED enum err check_redis_url(struct str text, struct error *err);
CHECKED enum err check_identifier(struct str text, struct error *err);
CHECKED enum err check_header_name(struct str text, struct error *err);
CHECKED enum err check_host_rule(struct str text, struct error *err);

#endif
