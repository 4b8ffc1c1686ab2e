/*
 * decode.c: tests of reading definitions: what is accepted, what each member means when absent, and that
 * every member given wrongly is named by its pointer.
 */
#include "model_fixture.h"

#include "base/alloc.h"
#include "base/str.h"

#include <string.h>

static const char full[] =
    "{\"name\":\"bbb\","
    "\"client\":{\"operation\":\"op#1\",\"application\":\"chef\",\"group\":\"system\","
    "\"key\":\"12345678\",\"type\":\"scheduler\"},"
    "\"type\":\"cron\",\"schedule\":\"30 * * * * *\",\"timezone\":\"Asia/Seoul\","
    "\"task\":{\"type\":\"rest\","
    "\"connection\":{\"host\":\"http://localhost:3000/api/run/DELAY-TEST-9\","
    "\"headers\":{\"Content-Type\":\"application/json\",\"Authorization\":\"Bearer x\"}},"
    "\"data\":{\"instanceName\":\"delay-test-999\",\"variables\":{}},"
    "\"history_check\":false,\"failed_policy\":\"retry\",\"retry_wait\":60}}";

static void the_example_of_the_manual_is_read(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_schedule(full);

    (void)state;
    assert_str_equal(s->name, "bbb");
    assert_str_equal(s->client.operation, "op#1");
    assert_str_equal(s->client.application, "chef");
    assert_str_equal(s->client.group, "system");
    assert_str_equal(s->client.key, "12345678");
    assert_str_equal(s->client.type, "scheduler");
    assert_int_equal(s->type, SCHEDULE_CRON);
    assert_str_equal(s->text, "30 * * * * *");
    assert_str_equal(s->timezone, "Asia/Seoul");
    assert_non_null(s->cron);
    assert_str_equal(s->task.host, "http://localhost:3000/api/run/DELAY-TEST-9");
    assert_int_equal(json_object_size(s->task.headers), 2);
    assert_int_equal(json_object_size(s->task.data), 2);
    assert_int_equal(s->task.failed_policy, FAILED_RETRY);
    assert_int_equal(s->task.retry_wait_us, 60 * US_PER_S);
}

static void absent_members_mean_what_the_manual_says(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_with("\"type\":\"now\"");

    (void)state;
    assert_str_equal(s->client.operation, "");
    assert_str_equal(s->client.type, "");
    assert_str_equal(s->text, "");
    assert_str_equal(s->timezone, "Asia/Seoul");
    assert_str_equal(json_str(json_object_get(s->json, "timezone")), "Asia/Seoul");
    assert_int_equal(s->start_at.us, INT64_MIN);
    assert_true(wall_is_never(s->end_at));
    assert_int_equal(s->max_runs, -1);
    assert_int_equal(s->jitter_us, 0);
    assert_int_equal(s->misfire, MISFIRE_ONCE);
    assert_int_equal(s->max_lateness_us, -1);
    assert_int_equal(s->overlap, OVERLAP_SKIP);
    assert_false(s->paused);
    assert_str_equal(s->task.method, "POST");
    assert_str_equal(s->task.topic, "");
    assert_str_equal(s->task.sign, "");
    assert_true(json_is_null(s->task.data));
    assert_null(s->task.headers);
    assert_false(s->task.history_check);
    assert_int_equal(s->task.body, BODY_DATA);
    assert_int_equal(s->task.timeout_us, 10 * US_PER_S);
    assert_int_equal(s->task.failed_policy, FAILED_IGNORE);
    assert_int_equal(s->task.retry_wait_us, 60 * US_PER_S);
    assert_int_equal(s->task.retry_wait_max_us, 3600 * US_PER_S);
    assert_int_equal(s->task.retry_backoff_milli, 1000);
    assert_int_equal(s->task.max_retry_count, -1);
    assert_int_equal(s->task.retry_for_us, 86400 * US_PER_S);
}

static void null_stands_for_an_absent_optional_member(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_schedule("{\"name\":\"n\",\"client\":null,\"type\":\"now\",\"schedule\":"
                                          "null,\"timezone\":null,\"jitter\":null,"
                                          "\"start_at\":null,\"end_at\":null,\"max_runs\":null,\"misfire\":"
                                          "null,\"overlap\":null,\"paused\":null,"
                                          "\"max_lateness\":null,\"task\":{\"type\":\"rest\",\"connection\":{"
                                          "\"host\":\"http://h\",\"headers\":null,"
                                          "\"topic\":null,\"config\":null,\"mode\":null,\"tls\":null},"
                                          "\"data\":null,\"method\":null,\"sign\":null}}");

    (void)state;
    assert_str_equal(s->timezone, "Asia/Seoul");
    assert_null(s->task.headers);
    assert_str_equal(s->task.method, "POST");
}

static int64_t lateness_of(const char *member)
{
    CLEANUP(buf_done_p) struct buf text;
    CLEANUP(schedule_unref_p) struct schedule *s = NULL;

    buf_init(&text, 1000);
    buf_addf(&text, "\"type\":\"now\",%s", member);
    s = fixture_with(buf_cstr(&text));
    return s->max_lateness_us;
}

static void optional_members_are_read(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *s = fixture_with(
        "\"type\":\"cron\",\"schedule\":\"* * * * *\",\"timezone\":\"Europe/Berlin\","
        "\"start_at\":\"2030-07-01T12:00:00\",\"end_at\":\"2031-01-01T00:00:00Z\",\"max_runs\":7,"
        "\"jitter\":1.5,\"misfire\":\"all\",\"max_lateness\":30,\"overlap\":\"queue\",\"paused\":true");
    CLEANUP(schedule_unref_p)
    struct schedule *t =
        fixture_task("\"method\":\"PUT\",\"timeout\":0.25,\"max_retry_count\":3,\"retry_backoff\":1.25,"
                     "\"retry_for\":60,\"retry_wait_max\":600,\"body\":\"event\",\"sign\":\"hook\","
                     "\"failed_policy\":\"retry_dlq\",\"history_check\":true");

    (void)state;
    assert_wall_equal(s->start_at, at("2030-07-01T10:00:00Z"));
    assert_wall_equal(s->end_at, at("2031-01-01T00:00:00Z"));
    assert_int_equal(s->max_runs, 7);
    assert_int_equal(s->jitter_us, 1500000);
    assert_int_equal(s->misfire, MISFIRE_ALL);
    assert_int_equal(s->max_lateness_us, 30 * US_PER_S);
    assert_int_equal(lateness_of("\"max_lateness\":0"), US_PER_S / 2); /* less would mean never */
    assert_int_equal(s->overlap, OVERLAP_QUEUE);
    assert_true(s->paused);
    assert_str_equal(t->task.method, "PUT");
    assert_int_equal(t->task.timeout_us, 250000);
    assert_int_equal(t->task.max_retry_count, 3);
    assert_int_equal(t->task.retry_backoff_milli, 1250);
    assert_int_equal(t->task.retry_for_us, 60 * US_PER_S);
    assert_int_equal(t->task.retry_wait_max_us, 600 * US_PER_S);
    assert_int_equal(t->task.body, BODY_EVENT);
    assert_str_equal(t->task.sign, "hook");
    assert_int_equal(t->task.failed_policy, FAILED_RETRY_DLQ);
    assert_true(t->task.history_check);
}

static void each_type_reads_its_schedule(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *delay = fixture_with("\"type\":\"delay\",\"schedule\":\"50\"");
    CLEANUP(schedule_unref_p) struct schedule *zero = fixture_with("\"type\":\"delay\",\"schedule\":\"0\"");
    CLEANUP(schedule_unref_p)
    struct schedule *recur = fixture_with("\"type\":\"delay-recur\",\"schedule\":\"0.25\"");
    CLEANUP(schedule_unref_p)
    struct schedule *date =
        fixture_with("\"type\":\"date\",\"schedule\":\"2023-04-05T12:30:00\",\"timezone\":\"Asia/Seoul\"");
    CLEANUP(schedule_unref_p)
    struct schedule *now = fixture_with("\"type\":\"now\",\"schedule\":\"whatever\"");

    (void)state;
    assert_int_equal(delay->delay_us, 50 * US_PER_S);
    assert_int_equal(zero->delay_us, 0);
    assert_int_equal(recur->delay_us, 250000);
    assert_wall_equal(date->date, at("2023-04-05T03:30:00Z"));
    assert_int_equal(now->type, SCHEDULE_NOW);
    assert_true(schedule_recurs(recur));
    assert_false(schedule_recurs(date));
}

static void seconds_given_as_a_number_are_kept_as_text(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *whole = fixture_with("\"type\":\"delay\",\"schedule\":50");
    CLEANUP(schedule_unref_p)
    struct schedule *part = fixture_with("\"type\":\"delay-recur\",\"schedule\":1.5");

    (void)state;
    assert_int_equal(whole->delay_us, 50 * US_PER_S);
    assert_str_equal(json_str(json_object_get(whole->json, "schedule")), "50");
    assert_int_equal(part->delay_us, 1500000);
    assert_str_equal(part->text, "1.5");
}

static void retry_wait_max_is_never_less_than_a_longer_retry_wait(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_task("\"retry_wait\":7200");

    (void)state;
    assert_int_equal(s->task.retry_wait_max_us, 7200 * US_PER_S);
}

static void kafka_and_redis_tasks_are_read(void **state)
{
    CLEANUP(schedule_unref_p)
    struct schedule *kafka = fixture_schedule(
        "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"kafka\",\"connection\":{\"host\":\"k1:9092,"
        "k2\","
        "\"topic\":\"a.b_c-1\",\"config\":{\"security.protocol\":\"SSL\"},\"headers\":{\"x\":\"y\"}}}}");
    CLEANUP(schedule_unref_p)
    struct schedule *redis = fixture_schedule(
        "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"connection\":{\"topic\":\"채널 1\",\"mode\":\"stream\","
        "\"host\":\"redis://u:p@h:6379/3\"},\"type\":\"redis\"}}");

    (void)state;
    assert_str_equal(kafka->task.topic, "a.b_c-1");
    assert_int_equal(json_object_size(kafka->task.config), 1);
    assert_int_equal(redis->task.mode, REDIS_STREAM);
    assert_str_equal(redis->task.topic, "채널 1");
}

/* Each wrong in one thing: the definition, where the fault lies, a part of what is said. */
struct wrong {
    const char *members; /* put into the definition in place of %s */
    const char *pointer;
    const char *text;
};

#define REST "\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/\"}}"
#define TASK(members)                                                                                        \
    "\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://h/"       \
    "\"}," members "}"
#define CONNECTION(type, members)                                                                            \
    "\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"" type "\",\"connection\":{" members "}}"
#define NAMED(members) "\"name\":\"n\"," REST "," members
#define NOW(members) NAMED("\"type\":\"now\"," members)
#define CRON(members) NAMED("\"type\":\"cron\",\"schedule\":\"* * * * *\"," members)
#define HEADERS(members) CONNECTION("rest", "\"host\":\"http://h\",\"headers\":" members)

static const struct wrong wrongs[] = {
    {"\"type\":\"now\"," REST, "/name", "is required"},
    {"\"name\":null,\"type\":\"now\"," REST, "/name", "is required"},
    {"\"name\":1,\"type\":\"now\"," REST, "/name", "must be a string"},
    {"\"name\":\"\",\"type\":\"now\"," REST, "/name", "must not be empty"},
    {"\"name\":\"n\",\"type\":\"now\"", "/task", "is required"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":[]", "/task", "must be an object"},
    {"\"name\":\"n\"," REST, "/type", "is required"},
    {NAMED("\"type\":\"often\""), "/type", "\"now\", \"delay\", \"date\", \"delay-recur\" or \"cron\""},
    {NAMED("\"type\":7"), "/type", "must be \"now\""},
    {NOW("\"tyep\":1"), "/tyep", "no such member"},
    {NOW("\"a/b~c\":1"), "/a~1b~0c", "no such member"},
    {NOW("\"schedule\":[]"), "/schedule", "must be a string"},
    {NOW("\"client\":\"x\""), "/client", "must be an object"},
    {NOW("\"client\":{\"key\":7}"), "/client/key", "must be a string"},
    {NOW("\"client\":{\"operation\":7}"), "/client/operation", "must be a string"},
    {NOW("\"client\":{\"application\":7}"), "/client/application", "must be a string"},
    {NOW("\"client\":{\"group\":7}"), "/client/group", "must be a string"},
    {NOW("\"client\":{\"type\":7}"), "/client/type", "must be a string"},
    {NOW("\"client\":{\"keys\":\"\"}"), "/client/keys", "no such member"},
    {NOW("\"timezone\":\"Asia/Nowhere\""), "/timezone", "Asia/Nowhere"},
    {NOW("\"timezone\":\"../passwd\""), "/timezone", ""},
    {NOW("\"timezone\":9"), "/timezone", "must be a string"},
    {NOW("\"timezone\":\"\""), "/timezone", "must not be empty"},
    {NAMED("\"type\":\"cron\""), "/schedule", "is required"},
    {NAMED("\"type\":\"cron\",\"schedule\":null"), "/schedule", "is required"},
    {NAMED("\"type\":\"cron\",\"schedule\":\"\""), "/schedule", ""},
    {NAMED("\"type\":\"cron\",\"schedule\":\"61 * * * *\""), "/schedule", ""},
    {NAMED("\"type\":\"cron\",\"schedule\":\"0 0 30 2 *\""), "/schedule", ""},
    {NAMED("\"type\":\"cron\",\"schedule\":\"@every 90s\""), "/schedule", "delay-recur"},
    {NAMED("\"type\":\"delay\""), "/schedule", "is required"},
    {NAMED("\"type\":\"delay\",\"schedule\":\"soon\""), "/schedule", "number of seconds"},
    {NAMED("\"type\":\"delay\",\"schedule\":\"\""), "/schedule", "number of seconds"},
    {NAMED("\"type\":\"delay\",\"schedule\":\"-1\""), "/schedule", "must not be negative"},
    {NAMED("\"type\":\"delay\",\"schedule\":-1"), "/schedule", "must not be negative"},
    {NAMED("\"type\":\"delay\",\"schedule\":\"3153600001\""), "/schedule", "a hundred years"},
    {NAMED("\"type\":\"delay\",\"schedule\":true"), "/schedule", "must be a string"},
    {NAMED("\"type\":\"delay-recur\",\"schedule\":\"0\""), "/schedule", "at least 0.001"},
    {NAMED("\"type\":\"date\",\"schedule\":\"tomorrow\""), "/schedule", ""},
    {NAMED("\"type\":\"date\",\"schedule\":\"2030-02-30T00:00:00\""), "/schedule", ""},
    {CRON("\"start_at\":7"), "/start_at", "must be a date and time"},
    {CRON("\"start_at\":\"x\""), "/start_at", ""},
    {CRON("\"end_at\":\"2030-13-01T00:00:00\""), "/end_at", ""},
    {CRON("\"end_at\":{}"), "/end_at", "must be a date and time"},
    {CRON("\"start_at\":\"2030-01-02T00:00:00\",\"end_at\":\"2030-01-01T00:00:00\""), "/end_at",
     "before start_at"},
    {CRON("\"max_runs\":0"), "/max_runs", "at least 1"},
    {CRON("\"max_runs\":1.5"), "/max_runs", "must be a whole number"},
    {CRON("\"max_runs\":9223372036854775807"), "/max_runs", "at most"},
    {CRON("\"jitter\":-1"), "/jitter", "from 0 to 86400"},
    {CRON("\"jitter\":86401"), "/jitter", "from 0 to 86400"},
    {CRON("\"jitter\":\"5\""), "/jitter", "a number of seconds"},
    {CRON("\"misfire\":\"never\""), "/misfire", "\"once\", \"all\" or \"skip\""},
    {CRON("\"max_lateness\":-0.5"), "/max_lateness", "from 0 to"},
    {CRON("\"max_lateness\":9223372036854775807"), "/max_lateness", "from 0 to"},
    {CRON("\"max_lateness\":1e300"), "/max_lateness", "from 0 to"},
    {CRON("\"overlap\":\"maybe\""), "/overlap", "\"skip\", \"allow\", \"queue\" or \"replace\""},
    {CRON("\"paused\":\"no\""), "/paused", "true or false"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"connection\":{\"host\":\"http://h\"}}", "/task/type",
     "is required"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"smtp\",\"connection\":{\"host\":\"http://h\"}}",
     "/task/type", "\"rest\", \"kafka\" or \"redis\""},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\"}", "/task/connection", "is required"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":[]}", "/task/connection",
     "must be an object"},
    {TASK("\"dat\":1"), "/task/dat", "no such member"},
    {TASK("\"history_check\":1"), "/task/history_check", "true or false"},
    {TASK("\"failed_policy\":\"panic\""), "/task/failed_policy", "\"ignore\", \"retry\" or \"retry_dlq\""},
    {TASK("\"retry_wait\":-1"), "/task/retry_wait", "from 0 to"},
    {TASK("\"retry_wait\":\"60\""), "/task/retry_wait", "a number of seconds"},
    {TASK("\"retry_wait_max\":-1"), "/task/retry_wait_max", "from 0 to"},
    {TASK("\"retry_wait\":10,\"retry_wait_max\":9"), "/task/retry_wait_max", "less than retry_wait"},
    {TASK("\"retry_backoff\":0.5"), "/task/retry_backoff", "a number from 1 to 100"},
    {TASK("\"retry_backoff\":100.01"), "/task/retry_backoff", "a number from 1 to 100"},
    {TASK("\"max_retry_count\":-2"), "/task/max_retry_count", "at least -1"},
    {TASK("\"max_retry_count\":2.0"), "/task/max_retry_count", "whole number"},
    {TASK("\"retry_for\":-1"), "/task/retry_for", "from 0 to"},
    {TASK("\"method\":\"post\""), "/task/method", "one of GET"},
    {TASK("\"method\":\"CONNECT\""), "/task/method", "one of GET"},
    {TASK("\"method\":1"), "/task/method", "one of GET"},
    {TASK("\"timeout\":0"), "/task/timeout", "from 0.001 to 3600"},
    {TASK("\"timeout\":3601"), "/task/timeout", "from 0.001 to 3600"},
    {TASK("\"body\":\"all\""), "/task/body", "\"data\" or \"event\""},
    {TASK("\"sign\":\"unknown\""), "/task/sign", "no secret of this name"},
    {TASK("\"sign\":\"\""), "/task/sign", "must not be empty"},
    {CONNECTION("rest", "\"headers\":{}"), "/task/connection/host", "is required"},
    {CONNECTION("rest", "\"host\":7"), "/task/connection/host", "must be a string"},
    {CONNECTION("rest", "\"host\":\"h:80\""), "/task/connection/host", "http://"},
    {CONNECTION("rest", "\"host\":\"ftp://h\""), "/task/connection/host", "http://"},
    {CONNECTION("rest", "\"host\":\"file:///etc/passwd\""), "/task/connection/host", "http://"},
    {CONNECTION("rest", "\"host\":\"http://\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http:///path\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://h:0/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://h:65536/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://h:8x/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://h:/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://[::1/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://u:p@/\""), "/task/connection/host", "no valid host"},
    {CONNECTION("rest", "\"host\":\"http://h/a b\""), "/task/connection/host", "blanks or control"},
    {CONNECTION("rest", "\"host\":\"http://h/\\r\\nX: y\""), "/task/connection/host", "blanks or control"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"hosts\":1"), "/task/connection/hosts", "no such member"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"topic\":\"t\""), "/task/connection/topic",
     "kafka and redis"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"mode\":\"list\""), "/task/connection/mode",
     "redis tasks only"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"config\":{}"), "/task/connection/config",
     "kafka tasks only"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"tls\":true"), "/task/connection/tls", "must be an object"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"tls\":{\"insecure\":1}"), "/task/connection/tls/insecure",
     "true or false"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"tls\":{\"insecure\":true}"), "/task/connection/tls/insecure",
     "does not allow"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"tls\":{\"ca\":1}"), "/task/connection/tls/ca",
     "no such member"},
    {HEADERS("[]"), "/task/connection/headers", "object of strings"},
    {HEADERS("{\"a b\":\"x\"}"), "/task/connection/headers/a b", "no valid name"},
    {HEADERS("{\"\":\"x\"}"), "/task/connection/headers/", "no valid name"},
    {HEADERS("{\"é\":\"x\"}"), "/task/connection/headers/é", "no valid name"},
    {HEADERS("{\"a\":1}"), "/task/connection/headers/a", "must be a string"},
    {HEADERS("{\"a\":null}"), "/task/connection/headers/a", "must be a string"},
    {HEADERS("{\"a\":\"x\\r\\nb: y\"}"), "/task/connection/headers/a", "control characters"},
    {HEADERS("{\"Ab\":\"x\",\"aB\":\"y\"}"), "/task/connection/headers/aB", "twice"},
    {HEADERS("{\"content-LENGTH\":\"0\"}"), "/task/connection/headers/content-LENGTH", "set by Carillon"},
    {HEADERS("{\"Host\":\"x\"}"), "/task/connection/headers/Host", "set by Carillon"},
    {HEADERS("{\"Transfer-Encoding\":\"x\"}"), "/task/connection/headers/Transfer-Encoding",
     "set by Carillon"},
    {HEADERS("{\"Connection\":\"x\"}"), "/task/connection/headers/Connection", "set by Carillon"},
    {HEADERS("{\"idempotency-key\":\"x\"}"), "/task/connection/headers/idempotency-key", "set by Carillon"},
    {HEADERS("{\"Carillon-Run-Id\":\"x\"}"), "/task/connection/headers/Carillon-Run-Id", "set by Carillon"},
    {HEADERS("{\"traceparent\":\"x\"}"), "/task/connection/headers/traceparent", "set by Carillon"},
    {HEADERS("{\"Authorization\":\"***\"}"), "/task/connection/headers/Authorization", "no value to keep"},
    {CONNECTION("kafka", "\"host\":\"k:9092\""), "/task/connection/topic", "required for kafka"},
    {CONNECTION("kafka", "\"host\":\"k:9092\",\"topic\":\"\""), "/task/connection/topic",
     "must not be empty"},
    {CONNECTION("kafka", "\"host\":\"k:9092\",\"topic\":\"a/b\""), "/task/connection/topic", "249"},
    {CONNECTION("kafka", "\"host\":\"k:9092\",\"topic\":\"..\""), "/task/connection/topic", "249"},
    {CONNECTION("kafka", "\"host\":\"k:9092,,\",\"topic\":\"a\""), "/task/connection/host", "brokers"},
    {CONNECTION("kafka", "\"host\":\"k:port\",\"topic\":\"a\""), "/task/connection/host", "brokers"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":[]"), "/task/connection/config",
     "object of strings"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"plugin.library.paths\":\"x\"}"),
     "/task/connection/config/plugin.library.paths", "not a setting"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"client.id\":1}"),
     "/task/connection/config/client.id", "must be a string"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"sasl.password\":\"***\"}"),
     "/task/connection/config/sasl.password", "no value to keep"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"security.protocol\":\"tls\"}"),
     "/task/connection/config/security.protocol", "sasl_ssl"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"sasl.mechanism\":\"GSSAPI\"}"),
     "/task/connection/config/sasl.mechanism", "scram-sha-512"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"sasl.mechanisms\":\"OAUTHBEARER\"}"),
     "/task/connection/config/sasl.mechanisms", "one of plain"},
    {CONNECTION(
         "kafka",
         "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"ssl.endpoint.identification.algorithm\":\"none\"}"),
     "/task/connection/config/ssl.endpoint.identification.algorithm", "does not allow"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"security.protocol\":\"SASL_SSL\"}"),
     "/task/connection/config/security.protocol", "needs sasl.mechanism"},
    {CONNECTION("kafka", "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"compression.type\":\"rar\"}"),
     "/task/connection/config/compression.type", "zstd"},
    {CONNECTION("redis", "\"host\":\"h:6379\",\"topic\":\"a\",\"headers\":{}"), "/task/connection/headers",
     "rest and kafka"},
    {CONNECTION("redis", "\"host\":\"h:6379\""), "/task/connection/topic", "required for redis"},
    {CONNECTION("redis", "\"host\":\"h:6379\",\"topic\":\"a\\nb\""), "/task/connection/topic",
     "control characters"},
    {CONNECTION("redis", "\"host\":\"http://h\",\"topic\":\"a\""), "/task/connection/host", "host:port"},
    {CONNECTION("redis", "\"host\":\"redis://h/x\",\"topic\":\"a\""), "/task/connection/host", "database"},
    {CONNECTION("redis", "\"host\":\"redis://:6379\",\"topic\":\"a\""), "/task/connection/host",
     "no valid host"},
    {CONNECTION("redis", "\"host\":\"redis://***@h\",\"topic\":\"a\""), "/task/connection/host",
     "no user and password"},
    {CONNECTION("redis", "\"host\":\"h:6379\",\"topic\":\"a\",\"mode\":\"rpush\""), "/task/connection/mode",
     "\"publish\""},
    {CONNECTION("redis", "\"host\":\"rediss://h:6379\",\"topic\":\"a\""), "/task/connection/host", "TLS"},
    {CONNECTION("redis", "\"host\":\"h\",\"topic\":\"a\",\"maxlen\":5"), "/task/connection/maxlen",
     "redis \"stream\" tasks only"},
    {CONNECTION("redis", "\"host\":\"h\",\"topic\":\"a\",\"mode\":\"stream\",\"maxlen\":0"),
     "/task/connection/maxlen", "1"},
    {CONNECTION("rest", "\"host\":\"http://h\",\"maxlen\":5"), "/task/connection/maxlen", "redis"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"redis\",\"method\":\"PUT\",\"connection\":{"
     "\"host\":\"h\",\"topic\":\"t\"}}",
     "/task/method", "rest tasks only"},
    {"\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"kafka\",\"sign\":\"hook\",\"connection\":{"
     "\"host\":\"h\",\"topic\":\"t\"}}",
     "/task/sign", "rest tasks only"},
};

static void every_member_given_wrongly_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
        CLEANUP(buf_done_p) struct buf text = {0};
        struct schedule_rules rules = fixture_rules();
        struct schedule *untouched = (struct schedule *)(void *)&rules;
        struct schedule *s = untouched;
        struct error_list faults = {0};

        buf_init(&text, 10000);
        buf_addf(&text, "{%s}", wrongs[i].members);
        if (fixture_decode(buf_cstr(&text), &rules, NULL, &s, &faults) != ERR_INVALID)
            fail_msg("accepted: %s", buf_cstr(&text));
        assert_ptr_equal(s, untouched);
        if (faults.n != 1 || strcmp(faults.items[0].where, wrongs[i].pointer) != 0 ||
            !strstr(faults.items[0].text, wrongs[i].text))
            fail_msg("%s: %zu faults, the first at %s: %s", buf_cstr(&text), faults.n, faults.items[0].where,
                     faults.items[0].text);
        assert_true(faults.items[0].text[0] != '\0');
    }
}

static void what_is_right_is_not_refused(void **state)
{
    static const char *const right[] = {
        CONNECTION("rest", "\"host\":\"HTTPS://user:p%40ss@example.com:8443/a?b=c#d\""),
        CONNECTION("rest", "\"host\":\"http://[::1]:9902/\""),
        CONNECTION("rest", "\"host\":\"http://127.0.0.1?x\""),
        CONNECTION("rest", "\"host\":\"http://호스트.kr/경로\""),
        CONNECTION("rest", "\"host\":\"http://h\",\"tls\":{\"insecure\":false}"),
        CONNECTION("rest", "\"host\":\"http://h\",\"tls\":{}"),
        CONNECTION("redis", "\"host\":\"h\",\"topic\":\"a\""),
        CONNECTION("redis", "\"host\":\"REDIS://:pw@h\",\"topic\":\"a\",\"mode\":\"list\""),
        CONNECTION("redis", "\"host\":\"h\",\"topic\":\"a\",\"mode\":\"stream\",\"maxlen\":1000"),
        CONNECTION("kafka", "\"host\":\"[::1]:9092\",\"topic\":\"a\""),
        CONNECTION("kafka",
                   "\"host\":\"k\",\"topic\":\"a\",\"config\":{\"security.protocol\":\"SASL_SSL\","
                   "\"sasl.mechanism\":\"SCRAM-SHA-512\",\"sasl.username\":\"u\",\"sasl.password\":\"p\","
                   "\"ssl.endpoint.identification.algorithm\":\"https\",\"compression.type\":\"lz4\"}"),
        HEADERS("{}"),
        HEADERS("{\"X-Any\":\"***\",\"x!#$%&'*+-.^_`|~\":\"tab\\tand é\"}"),
        TASK("\"data\":{\"anything\":{\"goes\":[1,null,\"\"]},\"name\":1}"),
        TASK("\"data\":null"),
        TASK("\"retry_backoff\":100,\"max_retry_count\":-1,\"timeout\":3600,\"retry_wait\":0"),
        NAMED("\"type\":\"delay\",\"schedule\":\"3153600000\""),
        NAMED("\"type\":\"delay-recur\",\"schedule\":\"0.001\""),
        NAMED("\"type\":\"cron\",\"schedule\":\"H H(0-7) * * *\""),
        NAMED("\"type\":\"date\",\"schedule\":\"2030-01-01T00:00:00.5+09:00\""),
        CRON("\"start_at\":\"2030-01-01T00:00:00\",\"end_at\":\"2030-01-01T00:00:00\""),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(right); i++) {
        CLEANUP(buf_done_p) struct buf text = {0};

        buf_init(&text, 10000);
        buf_addf(&text, "{%s}", right[i]);
        schedule_unref(fixture_schedule(buf_cstr(&text)));
    }
}

static void texts_over_their_limit_are_refused(void **state)
{
    static const struct {
        const char *before;
        size_t max;
        const char *after;
        const char *pointer;
    } texts[] = {
        {"{\"type\":\"now\"," REST ",\"name\":\"", 256, "\"}", "/name"},
        {"{" NOW("\"client\":{\"key\":\""), 1024, "\"}}", "/client/key"},
        {"{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":\"http://"
         "h\",\"headers\":{\"a\":\"",
         8192, "\"}}}}", "/task/connection/headers/a"},
        {"{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"redis\",\"connection\":{\"host\":\"h\","
         "\"topic\":\"",
         1024, "\"}}}", "/task/connection/topic"},
        {"{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"kafka\",\"connection\":{\"host\":\"h\","
         "\"topic\":\"",
         249, "\"}}}", "/task/connection/topic"},
    };
    struct schedule_rules rules = fixture_rules();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t over = 0; over <= 1; over++) {
            CLEANUP(schedule_unref_p) struct schedule *s = NULL;
            CLEANUP(buf_done_p) struct buf b = {0};
            struct error_list faults = {0};

            buf_init(&b, 100000);
            buf_add_cstr(&b, texts[i].before);
            for (size_t n = 0; n < texts[i].max + over; n++)
                buf_add_char(&b, 'x');
            buf_add_cstr(&b, texts[i].after);
            assert_int_equal(fixture_decode(buf_cstr(&b), &rules, NULL, &s, &faults),
                             over ? ERR_INVALID : ERR_NONE);
            if (over)
                assert_string_equal(faults.items[0].where, texts[i].pointer);
        }
    }
}

static void too_many_headers_are_refused(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s;

    (void)state;
    buf_init(&b, 100000);
    buf_add_cstr(&b, "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"connection\":{\"host\":"
                     "\"http://h\",\"headers\":{");
    for (int i = 0; i < 65; i++)
        buf_addf(&b, "%s\"h%d\":\"\"", i ? "," : "", i);
    buf_add_cstr(&b, "}}}}");
    assert_int_equal(fixture_decode(buf_cstr(&b), &rules, NULL, &s, &faults), ERR_INVALID);
    assert_string_equal(faults.items[0].where, "/task/connection/headers");
}

static void all_faults_are_told_at_once(void **state)
{
    static const char *const pointers[] = {
        "/client/key",      "/type",   "/nme",  "/task/type", "/task/connection/headers/Host",
        "/task/retry_wait", "/jitter", "/name", "/timezone",
    };
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s;

    (void)state;
    assert_int_equal(
        fixture_decode(
            "{\"client\":{\"key\":1},\"type\":\"x\",\"nme\":\"n\",\"schedule\":\"*\",\"timezone\":\"No/"
            "Zone\","
            "\"task\":{\"type\":\"soap\",\"connection\":{\"host\":\"x\",\"headers\":{\"Host\":\"\"}},"
            "\"retry_wait\":\"1\"},\"jitter\":-1}",
            &rules, NULL, &s, &faults),
        ERR_INVALID);
    assert_int_equal(faults.n, COUNT_OF(pointers));
    for (size_t i = 0; i < COUNT_OF(pointers); i++) {
        bool found = false;

        for (size_t k = 0; k < faults.n; k++)
            found = found || strcmp(faults.items[k].where, pointers[i]) == 0;
        if (!found)
            fail_msg("%s was not told", pointers[i]);
    }
}

static void faults_beyond_the_list_are_counted(void **state)
{
    CLEANUP(buf_done_p) struct buf b = {0};
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s;

    (void)state;
    buf_init(&b, 100000);
    buf_add_cstr(&b, "{" NAMED("\"type\":\"now\""));
    for (int i = 0; i < 100; i++)
        buf_addf(&b, ",\"u%d\":1", i);
    buf_add_char(&b, '}');
    assert_int_equal(fixture_decode(buf_cstr(&b), &rules, NULL, &s, &faults), ERR_INVALID);
    assert_int_equal(faults.n, ERROR_LIST_MAX);
    assert_int_equal(faults.dropped, 100 - ERROR_LIST_MAX);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const texts[] = {"[]", "1", "\"x\"", "null", "true"};
    struct schedule_rules rules = fixture_rules();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct error_list faults = {0};
        struct schedule *s;

        assert_int_equal(fixture_decode(texts[i], &rules, NULL, &s, &faults), ERR_INVALID);
        assert_string_equal(faults.items[0].where, "");
    }
}

static void a_task_this_server_cannot_deliver_is_refused_but_not_from_the_store(void **state)
{
    static const char kafka[] = "{" CONNECTION("kafka", "\"host\":\"k:9092\",\"topic\":\"t\"") "}";
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s = NULL;

    (void)state;
    rules.task_enabled[TASK_KAFKA] = false;
    assert_int_equal(fixture_decode(kafka, &rules, NULL, &s, &faults), ERR_INVALID);
    assert_string_equal(faults.items[0].where, "/task/type");
    rules.trusted = true;
    assert_int_equal(fixture_decode(kafka, &rules, NULL, &s, &faults), ERR_NONE);
    schedule_unref(s);
}

static void the_stores_definitions_pass_whatever_the_policy_is_now(void **state)
{
    static const char text[] = "{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\",\"sign\":"
                               "\"gone\",\"connection\":{\"host\":\"https://***@h\","
                               "\"headers\":{\"Authorization\":\"***\"},\"tls\":{\"insecure\":true}}}}";
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s = NULL;

    (void)state;
    rules.trusted = true;
    assert_int_equal(fixture_decode(text, &rules, NULL, &s, &faults), ERR_NONE);
    assert_true(s->task.tls_insecure);
    schedule_unref(s);
}

static void insecure_tls_is_accepted_where_the_server_allows_it(void **state)
{
    struct schedule_rules rules = fixture_rules();
    struct error_list faults = {0};
    struct schedule *s = NULL;

    (void)state;
    rules.tls_insecure_allowed = true;
    assert_int_equal(
        fixture_decode("{" CONNECTION("rest", "\"host\":\"https://h\",\"tls\":{\"insecure\":true}") "}",
                       &rules, NULL, &s, &faults),
        ERR_NONE);
    assert_true(s->task.tls_insecure);
    schedule_unref(s);
}

static void an_encoded_definition_decodes_to_the_same(void **state)
{
    CLEANUP(schedule_unref_p) struct schedule *s = fixture_schedule(full);
    CLEANUP(schedule_unref_p) struct schedule *again = NULL;
    CLEANUP(buf_done_p) struct buf b = {0};

    (void)state;
    buf_init(&b, 10000);
    assert_int_equal(schedule_encode(s, &b, NULL), ERR_NONE);
    again = fixture_schedule(buf_cstr(&b));
    assert_true(json_equal(s->json, again->json));
    assert_memory_equal(&s->hash, &again->hash, sizeof(s->hash));
    assert_non_null(strstr(buf_cstr(&b), "Bearer x"));
}

static void references_keep_a_schedule_alive(void **state)
{
    struct schedule *s = fixture_with("\"type\":\"now\"");
    struct schedule *other = schedule_ref(s);

    (void)state;
    assert_ptr_equal(s, other);
    schedule_unref(s);
    assert_str_equal(other->name, "n");
    schedule_unref(other);
    schedule_unref(NULL);
}

/* A definition that passes every place that takes memory. */
static void memory_that_runs_out_is_told_and_nothing_leaks(void **state)
{
    static const char text[] =
        "{\"name\":\"n\",\"type\":\"cron\",\"schedule\":\"*/5 * * * *\",\"task\":{\"type\":\"rest\","
        "\"connection\":{\"host\":\"http://***@h\",\"headers\":{\"Cookie\":\"***\"}}}}";
    CLEANUP(schedule_unref_p)
    struct schedule *prior =
        fixture_schedule("{\"name\":\"n\",\"type\":\"now\",\"task\":{\"type\":\"rest\","
                         "\"connection\":{\"host\":\"http://u:p@h\",\"headers\":{\"Cookie\":\"c\"}}}}");
    struct schedule_rules rules = fixture_rules();
    bool worked = false;

    (void)state;
    for (uint64_t nth = 1; !worked; nth++) {
        CLEANUP(json_free_p) json_t *v = fixture_json(text);
        CLEANUP(schedule_unref_p) struct schedule *s = NULL;
        struct error_list faults = {0};
        enum err e;

        assert_true(nth < 200);
        alloc_test_fail_nth(nth);
        e = schedule_decode(v, &rules, prior, &s, &faults);
        alloc_test_fail_nth(0);
        worked = e == ERR_NONE;
        if (!worked && e != ERR_MEMORY)
            fail_msg("allocation %d: %s at %s: %s", (int)nth, err_name(e), faults.items[0].where,
                     faults.items[0].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_manual_is_read),
        cmocka_unit_test(absent_members_mean_what_the_manual_says),
        cmocka_unit_test(null_stands_for_an_absent_optional_member),
        cmocka_unit_test(optional_members_are_read),
        cmocka_unit_test(each_type_reads_its_schedule),
        cmocka_unit_test(seconds_given_as_a_number_are_kept_as_text),
        cmocka_unit_test(retry_wait_max_is_never_less_than_a_longer_retry_wait),
        cmocka_unit_test(kafka_and_redis_tasks_are_read),
        cmocka_unit_test(every_member_given_wrongly_is_named),
        cmocka_unit_test(what_is_right_is_not_refused),
        cmocka_unit_test(texts_over_their_limit_are_refused),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(all_faults_are_told_at_once),
        cmocka_unit_test(faults_beyond_the_list_are_counted),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_task_this_server_cannot_deliver_is_refused_but_not_from_the_store),
        cmocka_unit_test(the_stores_definitions_pass_whatever_the_policy_is_now),
        cmocka_unit_test(insecure_tls_is_accepted_where_the_server_allows_it),
        cmocka_unit_test(an_encoded_definition_decodes_to_the_same),
        cmocka_unit_test(references_keep_a_schedule_alive),
        cmocka_unit_test(memory_that_runs_out_is_told_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
