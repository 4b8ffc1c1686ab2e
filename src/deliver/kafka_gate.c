/*
 * kafka_gate.c: librdkafka's sockets: made and connected by us, so that the guard sees every address of every
 * broker, those that a cluster names itself included.
 *
 * Called on librdkafka's threads, which may outlive the producer that they served: so a gate is counted, by
 * its producer and by librdkafka's handle.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "deliver/kafka_internal.h"
#include "deliver/outcome.h"

enum { BROKER_MAX = 512 };

/* A broker that must not be called is tried again every few seconds: see reconnect.backoff.max.ms. */
#define REFUSAL_LASTS_US (5 * US_PER_S)

struct kafka_gate {
    struct guard *guard;
    atomic_size_t refs;
    atomic_bool wants; /* the last socket could not be made, for want of something of ours */
    pthread_mutex_t lock;
    /* Under .lock: the last broker that was refused, while nothing speaks against it. */
    char refusal[ATTEMPT_TEXT_MAX]; /* "" for none */
    char refused[BROKER_MAX];
    struct mono refused_at;
};

struct kafka_gate *kafka_gate_new(struct guard *guard)
{
    struct kafka_gate *g = alloc_new(struct kafka_gate);

    g->guard = guard_ref(guard);
    atomic_init(&g->refs, 1);
    atomic_init(&g->wants, false);
    MUST(pthread_mutex_init(&g->lock, NULL) == 0);
    return g;
}

struct kafka_gate *kafka_gate_ref(struct kafka_gate *g)
{
    atomic_fetch_add(&g->refs, 1);
    return g;
}

void kafka_gate_unref(struct kafka_gate *g)
{
    if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
        return;
    guard_unref(g->guard);
    MUST(pthread_mutex_destroy(&g->lock) == 0);
    alloc_free(g);
}

static int on_socket(int domain, int type, int protocol, void *opaque)
{
    struct kafka_gate *g = opaque;
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    int number = errno;

    atomic_store(&g->wants, fd < 0 && outcome_is_want(number));
    errno = number;
    return fd;
}

/* Of "sasl_ssl://host:9092/bootstrap", "[::1]:9092", "host": the host. */
static struct str host_of(struct str broker)
{
    size_t at = 0;
    const char *colon;

    for (size_t i = 0; i + 2 < broker.n; i++) {
        if (memcmp(broker.p + i, "://", 3) == 0)
            at = i + 3;
    }
    broker = (struct str){broker.p + at, broker.n - at};
    broker.n = str_find(broker, '/');
    if (broker.n > 0 && broker.p[0] == '[') {
        size_t end = str_find(broker, ']');

        return (struct str){broker.p + 1, end > 0 ? end - 1 : 0};
    }
    colon = broker.n > 0 ? memrchr(broker.p, ':', broker.n) : NULL;
    return colon ? (struct str){broker.p, (size_t)(colon - broker.p)} : broker;
}

static void refuse(struct kafka_gate *g, const char *broker, const char *why)
{
    MUST(pthread_mutex_lock(&g->lock) == 0);
    (void)snprintf(g->refusal, sizeof(g->refusal), "%s", why);
    (void)snprintf(g->refused, sizeof(g->refused), "%s", broker);
    g->refused_at = clock_mono();
    MUST(pthread_mutex_unlock(&g->lock) == 0);
}

/* Of this broker, or of any (NULL). */
static void forget(struct kafka_gate *g, const char *broker)
{
    MUST(pthread_mutex_lock(&g->lock) == 0);
    if (!broker || strncmp(broker, g->refused, sizeof(g->refused) - 1) == 0)
        g->refusal[0] = '\0';
    MUST(pthread_mutex_unlock(&g->lock) == 0);
}

int kafka_gate_connect(struct kafka_gate *g, int fd, const struct sockaddr *to, int to_n, const char *broker)
{
    struct error err;

    if (guard_judge(g->guard, host_of(str_of(broker)), to, &err)) {
        refuse(g, broker, err.text);
        return EACCES;
    }
    if (connect(fd, to, (socklen_t)to_n) < 0 && errno != EINPROGRESS)
        return errno;
    /* It has another address, which may be called: if that fails, it is not for the refusal. */
    forget(g, broker);
    return 0;
}

/* Under a lock of librdkafka's: nothing of it may be called. */
static int on_connect(int fd, const struct sockaddr *to, int to_n, const char *broker, void *opaque)
{
    return kafka_gate_connect(opaque, fd, to, to_n, broker);
}

void kafka_gate_set(struct kafka_gate *g, rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_opaque(conf, g);
    rd_kafka_conf_set_socket_cb(conf, on_socket);
    rd_kafka_conf_set_connect_cb(conf, on_connect);
}

bool kafka_gate_wants(struct kafka_gate *g)
{
    return atomic_load(&g->wants);
}

void kafka_gate_forget(struct kafka_gate *g)
{
    forget(g, NULL);
}

bool kafka_gate_refusal(struct kafka_gate *g, struct mono begun, char ret[ATTEMPT_TEXT_MAX])
{
    MUST(pthread_mutex_lock(&g->lock) == 0);
    if (g->refused_at.us < mono_add(begun, -REFUSAL_LASTS_US).us)
        g->refusal[0] = '\0';
    (void)snprintf(ret, ATTEMPT_TEXT_MAX, "%s", g->refusal);
    MUST(pthread_mutex_unlock(&g->lock) == 0);
    return ret[0] != '\0';
}

enum err kafka_gate_judge(const struct guard *guard, struct str hosts, struct error *err)
{
    struct str one;
    enum err e = ERR_NONE;

    while (!e && str_cut(&hosts, ',', &one))
        e = guard_judge_host(guard, host_of(str_trim(one)), err);
    return e;
}
