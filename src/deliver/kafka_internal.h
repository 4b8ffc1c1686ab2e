/*
 * kafka_internal.h: what the files of the kafka deliverer share. Nobody else includes it.
 *
 * A shipment is one attempt's record. It waits for a place (pool.h) or for its producer to be made, is handed
 * to librdkafka (kafka_record.c) and ends with its delivery report (kafka_producer.c, kafka_report.c).
 * Producers are made and ended on threads of their own (chores.h), because both wait: for files of
 * certificates, for a name server. Everything else is on the loop's thread; librdkafka's threads are heard
 * through an eventfd.
 */
#ifndef DELIVER_KAFKA_INTERNAL_H
#define DELIVER_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "base/random.h"
#include "deliver/chores.h"
#include "deliver/errands.h"
#include "deliver/guard.h"
#include "deliver/kafka.h"
#include "deliver/pool.h"

enum {
    KAFKA_VALUE_MAX = 64 * 1024 * 1024,
    KAFKA_TEXT_MAX = 1024,
    KAFKA_TROUBLE_MAX = 512,
    KAFKA_SECRETS = 2,
};

struct sockaddr;
struct making;
struct kafka_gate;

struct producer {
    struct pool_item item;
    struct list node; /* in kafka.producers */
    struct kafka *kafka;
    char *host;                   /* the brokers, for people */
    char *secrets[KAFKA_SECRETS]; /* what must not be told; NULL: none */
    struct making *making;        /* until it is made */
    struct kafka_gate *gate;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* delivery reports and errors */
    int event_fd;            /* -1: none */
    struct reactor_watch *watch;
    struct list waiting;             /* shipments, until it is made */
    struct list shipped;             /* shipments that librdkafka has */
    char trouble[KAFKA_TROUBLE_MAX]; /* the last that went wrong since a record arrived; "" for nothing */
};

enum shipment_state { SHIPMENT_WAITS_PLACE, SHIPMENT_WAITS_PRODUCER, SHIPMENT_SHIPPED };

struct shipment {
    struct errand errand; /* its node: of the list that its state says */
    enum shipment_state state;
    struct producer *producer; /* NULL while it waits for a place */
};

struct kafka {
    struct deliverer base;
    struct reactor *reactor;
    char *ca_file; /* NULL: the system's */
    struct guard *guard;
    struct errands errands;
    struct pool pool;
    struct list producers; /* all, those that the pool has forgotten too */
    struct chores *chores;
    struct rng rng;
    struct buf value;
    struct buf topic;
};

/* kafka.c */
/* The shipment has left its producer's lists; its attempt has ended. */
void kafka_shipment_free(struct shipment *s);

/* kafka_config.c */
/* Which producer an attempt goes to. */
CHECKED enum err kafka_config_key(const struct task *task, struct uuid *ret, struct error *err);
/* *ret is the caller's until rd_kafka_new() takes it. */
CHECKED enum err kafka_config_make(const struct kafka *k, const struct task *task, rd_kafka_conf_t **ret,
                                   struct error *err);

/* kafka_gate.c: from any thread. */
struct kafka_gate *kafka_gate_new(struct guard *guard);
struct kafka_gate *kafka_gate_ref(struct kafka_gate *g);
void kafka_gate_unref(struct kafka_gate *g);
/* `g` must live as long as what is made from `conf`. */
void kafka_gate_set(struct kafka_gate *g, rd_kafka_conf_t *conf);
/* Whether it is for want of descriptors or memory that there is no connection. */
bool kafka_gate_wants(struct kafka_gate *g);
/*
 * Connects as connect(2) does, and yields its errno, or EACCES when the guard refuses; librdkafka's sockets
 * come by here. `broker`: "sasl_ssl://host:9092/bootstrap".
 */
int kafka_gate_connect(struct kafka_gate *g, int fd, const struct sockaddr *to, int to_n, const char *broker);
/* Whether a broker was refused that an attempt begun then may have failed for: lately, and not called since.
 */
bool kafka_gate_refusal(struct kafka_gate *g, struct mono begun, char ret[ATTEMPT_TEXT_MAX]);
/* A record arrived: what was refused before is not what keeps others from it. */
void kafka_gate_forget(struct kafka_gate *g);
/* ERR_REFUSED when one of the bootstrap servers must not be called, whatever it resolves to. */
CHECKED enum err kafka_gate_judge(const struct guard *guard, struct str hosts, struct error *err);

/* kafka_record.c */
/* Hands the attempt's record to librdkafka; `opaque` comes back with its report. */
CHECKED enum err kafka_record_send(struct kafka *k, rd_kafka_t *rk, const struct delivery *d, void *opaque,
                                   struct error *err);

/* kafka_report.c */
/* Whether the record stayed here because a broker must not be called. */
bool kafka_report_refused(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m,
                          char ret[ATTEMPT_TEXT_MAX]);
/* What a delivery report says of a failure; `e` has its delivery. */
void kafka_report_tell(const struct producer *p, const struct errand *e, const rd_kafka_message_t *m,
                       char ret[KAFKA_TEXT_MAX]);
/* What librdkafka says to a record that it does not take. */
void kafka_report_refusal(const struct task *task, rd_kafka_resp_err_t code, const char *reason,
                          char ret[KAFKA_TEXT_MAX]);
/* Remembers what librdkafka tells of its connections. */
void kafka_report_trouble(struct producer *p, rd_kafka_resp_err_t code, const char *text);

/* kafka_producer.c */
CHECKED enum err kafka_producer_new(struct kafka *k, const struct task *task, struct producer **ret,
                                    struct error *err);
void kafka_producer_take(struct producer *p, struct shipment *s);
/* Frees what librdkafka still has; attempts must have ended. */
void kafka_producer_break(struct producer *p);
/* Without users. librdkafka's part is ended on a helper's thread. */
void kafka_producer_free(struct producer *p);

#endif
