/*
 * fault.h: what is wrong with a request, as its answer's "errors" say it: message, locations, path.
 *
 * Section 7.1.2 of the October 2021 specification. Faults live in an arena; the list holds a bounded number
 * of them and counts the rest.
 */
#ifndef GRAPHQL_FAULT_H
#define GRAPHQL_FAULT_H

#include "base/base.h"
#include "base/buf.h"
#include "graphql/arena.h"

/*
 * A place in a document, both from 1. A column counts UTF-16 units, as JavaScript's tools and the October
 * 2021 text (whose source characters end at U+FFFF) do; outside the planes beyond, that is characters.
 */
struct gql_place {
    uint32_t line;
    uint32_t column;
};

/* `at`: a byte's offset in `source`. */
struct gql_place gql_place_of(struct str source, size_t at);

enum { GQL_PLACES_MAX = 16 };

struct gql_fault {
    struct gql_fault *next;
    struct str message;
    const char *rule; /* the validation rule's name, NULL for what is none's */
    struct gql_place places[GQL_PLACES_MAX];
    size_t n_places;
    struct str path;       /* JSON: an array; empty where there is none */
    struct str extensions; /* JSON: an object; empty where there is none */
};

struct gql_faults {
    struct arena *arena;
    struct str source;
    struct gql_fault *first;
    struct gql_fault **end;
    size_t n;
    size_t max;
    bool full; /* there were more than max */
};

/* `source` is the text that the places lie in; empty where there are none. */
void gql_faults_init(struct gql_faults *f, struct arena *arena, struct str source, size_t max);

/* Adds one; NULL when it could not be kept (the list is full, no memory). */
struct gql_fault *gql_fault_add(struct gql_faults *f, const char *rule, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Names one more place of a fault; NULL is fine, and places past GQL_PLACES_MAX are left out. */
void gql_fault_at(const struct gql_faults *f, struct gql_fault *fault, size_t at);

/* The list as JSON: an array, [] when empty. */
void gql_faults_write(const struct gql_faults *f, struct buf *out);
void gql_fault_write(const struct gql_fault *fault, struct buf *out);

/* For "%.*s" in messages: as much of a name as a message has room for. */
#define GQL_SHOWN(s) (int)((s).n < 120 ? (s).n : 120), (s).p

#endif
