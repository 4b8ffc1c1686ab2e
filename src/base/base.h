/*
 * base.h: the few words every file speaks: views, the two clocks, ownership and checking macros.
 *
 * Compiler extensions are used behind these names and nowhere else. Nothing here allocates or does I/O,
 * but must_failed(), which prints and stops.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The answer must be looked at. */
#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define UNUSED __attribute__((unused))

/* A local that is freed when its scope ends, whichever way it ends. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FN(type, fn)                                                                                 \
    UNUSED static inline void fn##_p(type **p)                                                               \
    {                                                                                                        \
        fn(*p);                                                                                              \
    }

/* Hands ownership on: yields the pointer and leaves NULL behind. */
#define TAKE(p)                                                                                              \
    (__extension__({                                                                                         \
        __typeof__(p) take_ = (p);                                                                           \
        (p) = NULL;                                                                                          \
        take_;                                                                                               \
    }))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct in which `member` lies at `p`. */
#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/*
 * An invariant: always checked. When broken it says where and stops the process, which is safe because
 * recovery from a stop is a tested path. Outside input is never judged by it.
 */
#define MUST(expr) ((expr) ? (void)0 : must_failed(#expr, __FILE__, __LINE__))
__attribute__((noreturn)) void must_failed(const char *expr, const char *file, int line);

/* A view of text: borrowed, not terminated, passed by value. */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* UTC microseconds since 1970-01-01. May step. Two types, so that mixing the clocks does not compile. */
struct wall {
    int64_t us;
};

/* Microseconds since boot. Never steps. */
struct mono {
    int64_t us;
};

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

/* 9999-12-31T23:59:59.999999Z: no time we compute or accept lies beyond it. */
#define WALL_MAX_US INT64_C(253402300799999999)
/* "Never" in a timer or a heap: after every real time. */
#define WALL_NEVER ((struct wall){INT64_MAX})

static inline bool wall_is_never(struct wall t)
{
    return t.us == INT64_MAX;
}

static inline struct wall wall_min(struct wall a, struct wall b)
{
    return a.us < b.us ? a : b;
}

static inline struct wall wall_max(struct wall a, struct wall b)
{
    return a.us > b.us ? a : b;
}

/* t + us, kept within [INT64_MIN, WALL_NEVER] instead of overflowing. */
static inline struct wall wall_add(struct wall t, int64_t us)
{
    int64_t sum;

    if (__builtin_add_overflow(t.us, us, &sum))
        sum = us > 0 ? INT64_MAX : INT64_MIN;
    return (struct wall){sum};
}

static inline struct mono mono_add(struct mono t, int64_t us)
{
    int64_t sum;

    if (__builtin_add_overflow(t.us, us, &sum))
        sum = us > 0 ? INT64_MAX : INT64_MIN;
    return (struct mono){sum};
}

#endif
