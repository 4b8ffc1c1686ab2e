/*
 * kafka_mock.c: librdkafka's mock cluster as a program, for tests and benches in other languages.
 *
 * Prints "brokers HOST:PORT,..." and then obeys lines on standard input, each answered by "ok" or "no", until
 * that ends:
 *
 *     topic NAME PARTITIONS      makes a topic
 *     missing NAME               that topic does not exist
 *     down | up                  all brokers hang up and refuse, or accept again
 *     error API CODE             the next request of that kind (0: produce) is answered so
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 512, BROKERS = 1 };

static bool obey(rd_kafka_mock_cluster_t *mock, const char *line)
{
    char name[256];
    int number;
    int code;

    if (sscanf(line, "topic %255s %d", name, &number) == 2)
        return rd_kafka_mock_topic_create(mock, name, number, 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (sscanf(line, "missing %255s", name) == 1) {
        rd_kafka_mock_topic_set_error(mock, name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        return true;
    }
    if (sscanf(line, "error %d %d", &number, &code) == 2) {
        rd_kafka_mock_push_request_errors(mock, (int16_t)number, 1, (rd_kafka_resp_err_t)code);
        return true;
    }
    if (strcmp(line, "down\n") == 0)
        return rd_kafka_mock_broker_set_down(mock, -1) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (strcmp(line, "up\n") == 0)
        return rd_kafka_mock_broker_set_up(mock, -1) == RD_KAFKA_RESP_ERR_NO_ERROR;
    return false;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

int main(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_mock_cluster_t *mock;
    char reason[256];
    char line[LINE_MAX_BYTES];
    rd_kafka_t *rk;

    rd_kafka_conf_set_log_cb(conf, on_log);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    mock = rk ? rd_kafka_mock_cluster_new(rk, BROKERS) : NULL;
    if (!mock) {
        (void)fprintf(stderr, "no cluster: %s\n", rk ? "librdkafka has no mock" : reason);
        return EXIT_FAILURE;
    }
    (void)printf("brokers %s\n", rd_kafka_mock_cluster_bootstraps(mock));
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin)) {
        (void)printf("%s\n", obey(mock, line) ? "ok" : "no");
        (void)fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(rk);
    return EXIT_SUCCESS;
}
