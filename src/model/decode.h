/*
 * decode.h: reading a JSON object by a table of its members, with every fault named by its pointer. For the
 * model room itself.
 *
 * A table lists what an object may hold and how each member is read; a member that is not in it is a fault,
 * so what is documented and what is accepted cannot part. Readers write into the schedule at the member's
 * offset.
 */
#ifndef MODEL_DECODE_H
#define MODEL_DECODE_H

#include "base/base.h"
#include "base/error.h"
#include "base/json.h"
#include "model/names.h"
#include "model/schedule.h"

/* Members that checks across members look for: whether they were there, and whether they were read without
 * fault. */
enum given {
    GIVEN_TYPE = 1 << 0,
    GIVEN_SCHEDULE = 1 << 1,
    GIVEN_TIMEZONE = 1 << 2,
    GIVEN_START_AT = 1 << 3,
    GIVEN_END_AT = 1 << 4,
    GIVEN_TASK_TYPE = 1 << 5,
    GIVEN_CONNECTION = 1 << 6,
    GIVEN_HOST = 1 << 7,
    GIVEN_TOPIC = 1 << 8,
    GIVEN_HEADERS = 1 << 9,
    GIVEN_CONFIG = 1 << 10,
    GIVEN_MODE = 1 << 11,
    GIVEN_TLS = 1 << 12,
    GIVEN_METHOD = 1 << 13,
    GIVEN_RETRY_WAIT = 1 << 14,
    GIVEN_RETRY_WAIT_MAX = 1 << 15,
    GIVEN_SIGN = 1 << 16,
    GIVEN_MAXLEN = 1 << 17,
};

/* Where the decoder stands; on the stack, the root at its end. */
struct path {
    const struct path *up;
    struct str name;
};

struct decoder {
    const struct schedule_rules *rules;
    const struct schedule *prior;
    struct schedule *s;
    struct error_list *faults;
    enum err first; /* code of the first fault */
    const struct path *at;
    uint32_t present;
    uint32_t given; /* present and read without fault */
    /* Read when the zone is known. */
    struct str start_at;
    struct str end_at;
    json_t *schedule; /* borrowed; NULL when absent */
};

struct member;
typedef void (*read_fn)(struct decoder *d, const struct member *m, json_t *v);

struct member {
    struct str name;
    read_fn read;
    size_t offset; /* in struct schedule */
    bool required;
    uint32_t given; /* set in decoder.present and decoder.given; 0 for none */
    int64_t min;    /* bytes of a text, µs, an integer: what the reader says */
    int64_t max;
    const struct words *words;  /* read_word */
    const struct member *table; /* read_object */
    size_t table_n;
};

#define MEMBER(text, reader) .name = {(text), sizeof(text) - 1}, .read = (reader)
#define INTO(place) .offset = offsetof(struct schedule, place)
#define RANGE(low, high) .min = (low), .max = (high)

/* A fault where the decoder stands, or at a member of it. */
void decode_fault(struct decoder *d, const char *format, ...) PRINTF_LIKE(2, 3);
void decode_fault_at(struct decoder *d, struct str member, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a reader of a member's text said, with its code: a zone that cannot be read now is not the user's
 * fault. */
void decode_error_at(struct decoder *d, struct str member, const struct error *err);
/* Memory ran out: not the user's fault, but it ends the decoding as one. */
void decode_no_memory(struct decoder *d);

/* All members of `v` by the table; null stands for absent. */
void decode_members(struct decoder *d, const struct member *table, size_t n, json_t *v);

/* struct str, min to max bytes */
void read_text(struct decoder *d, const struct member *m, json_t *v);
/* bool */
void read_bool(struct decoder *d, const struct member *m, json_t *v);
/* int64_t µs from a number of seconds; min and max in µs */
void read_seconds(struct decoder *d, const struct member *m, json_t *v);
/* int64_t, min to max */
void read_integer(struct decoder *d, const struct member *m, json_t *v);
/* int64_t thousandths, min and max in thousandths */
void read_milli(struct decoder *d, const struct member *m, json_t *v);
/* an enum, by its words */
void read_word(struct decoder *d, const struct member *m, json_t *v);
/* json_t *, whatever it is */
void read_any(struct decoder *d, const struct member *m, json_t *v);
/* an object with a table of its own, whose members lie in the same schedule */
void read_object(struct decoder *d, const struct member *m, json_t *v);

/* A hundred years: no span of time in a definition is longer. */
#define DECODE_SPAN_MAX_US (INT64_C(100) * 365 * 86400 * US_PER_S)

/* task_decode.c: the members of `task`, and what is checked across them. */
extern const struct member task_members[];
extern const size_t task_members_n;
void task_defaults(struct task *t);
void task_check(struct decoder *d);

/* By their syntax; the decoder stands at /task/connection. connection.c: */
void connection_check_host(struct decoder *d);
void connection_check_topic(struct decoder *d);
/* fields.c: */
void fields_check_headers(struct decoder *d);
void fields_check_config(struct decoder *d);

#endif
