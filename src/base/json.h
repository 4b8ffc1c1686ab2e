/*
 * json.h: jansson behind a narrow door: strict parsing with line and column, bounded depth, and reading of
 * members that names the one at fault by JSON pointer (RFC 6901).
 *
 * A parsed tree belongs to one thread at a time. Above this room jansson's own json_t may be read and built
 * (it is the vocabulary), but text is parsed and written only here.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"

/* MAX: what clients may send when nothing else is configured. LIMIT: what is read or written at all, since
 * both call themselves per level. */
enum { JSON_DEPTH_MAX = 64, JSON_DEPTH_LIMIT = 256 };

/* Before any other use, once, from main: hooks jansson's memory to base/alloc and seeds its hash. */
void json_setup(void);

/*
 * RFC 8259, any value at the top, duplicate members and NUL refused, at most `depth_max` levels
 * (<= JSON_DEPTH_LIMIT). Integers beyond 64 bits and numbers beyond a double are refused.
 * ERR_SYNTAX: *err.where is "line L, column C", counted from 1 in characters: as far as had been read when
 * the fault was certain, mostly the end of the token at fault. No error quotes the text. ERR_MEMORY where any
 * allocation failed; ERR_TOO_LARGE beyond INT_MAX bytes.
 */
CHECKED enum err json_parse(struct str text, size_t depth_max, json_t **ret, struct error *err);
/* Appended: compact, members in the order they were put in. A double has the fewest digits that read back. */
CHECKED enum err json_write(const json_t *v, struct buf *out, struct error *err);
/* The same with members sorted: equal values give equal text. */
CHECKED enum err json_write_sorted(const json_t *v, struct buf *out, struct error *err);

struct str json_str(const json_t *v); /* v must be a string */
void json_free(json_t *v);            /* gives one reference back; NULL is fine */
CLEANUP_FN(json_t, json_free)

/* jansson's json_copy() and json_deep_copy() leave out what there is no memory for; these are whole, or NULL.
 */
json_t *json_copy_whole(const json_t *v);
json_t *json_deep_copy_whole(const json_t *v);

/* Appends "/member" with ~ and / escaped to a pointer under construction, cut if it does not fit. */
void json_pointer_add(char *pointer, size_t size, struct str member);

#endif
