/*
 * wiring.c: settings become each room's options; rooms are started from the ground up and stopped from the
 * top down. Main thread. The only file that knows every room.
 */
#include "wiring.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "api/events.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "calendar/zones.h"
#include "deliver/deliver.h"
#include "deliver/guard.h"
#include "deliver/sign.h"

/* Operations that wait: bounded by the connections, whose requests they are, and the engine's own claims. */
enum { QUEUE_LIMIT = 65536, GROUP_LIMIT = 1024, ADDRESS_MAX = 300 };

/* After the grace: what a stop may take at most. The engine takes as long for its last records. */
#define AFTER_GRACE_US (5 * US_PER_S)

struct service {
    const struct settings *settings;
    const char *version;
    struct log *log;
    struct wiring_rules rules;
    struct guard *guard;
    struct signer *signer;
    struct uuid instance;
    char roles[32]; /* "api,worker,monitor" */
    struct wall started_at;
    struct wiring_store *store;
    struct wiring_history *history;
    struct events *events;
    struct engine *engine;
    struct lane *writer;
    struct lane *reader;
    struct api *api;
    atomic_bool stopping;
    struct doctor *doctor_left; /* the doctor's thread; once that ended, whoever stops */
    char user_agent[64];
    pthread_t main_thread;
    atomic_bool used_memory; /* any thread: something was committed since the last trim */
};

/* --- settings to options --- */

/* Engine's thread, on the monitor: what every instance may sleep until. */
static void on_next_due(void *arg, struct wall at)
{
    const struct service *v = arg;
    const struct notice n = {.earliest = at};

    wiring_store_tell(v->store, &n);
}

/* In one order, and each once, however they were given. */
static void name_roles(struct service *v)
{
    static const char *const names[] = {"api", "worker", "monitor"};
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (settings_list_has(&v->settings->roles, names[i]))
            n += (size_t)snprintf(v->roles + n, sizeof(v->roles) - n, "%s%s", n > 0 ? "," : "", names[i]);
    }
    MUST(n < sizeof(v->roles));
}

static enum err make_signer(struct service *v, struct error *err)
{
    const struct settings *s = v->settings;
    struct sign_secret *secrets = NULL;
    enum err e = alloc_array(s->secrets_n, sizeof(*secrets), (void **)&secrets, err);

    for (size_t i = 0; i < s->secrets_n && !e; i++) {
        const struct settings_secret *from = &s->secrets[i];

        secrets[i] = (struct sign_secret){.name = str_of(from->name), .n = from->n};
        for (size_t k = 0; k < from->n; k++)
            secrets[i].texts[k] = str_of(from->values[k]);
    }
    if (!e)
        e = signer_new(secrets, s->secrets_n, &v->signer, err);
    alloc_free(secrets);
    return e;
}

enum err wiring_guard_new(const struct settings *s, struct guard **ret, struct error *err)
{
    const struct settings_list *from[] = {&s->delivery.allow, &s->delivery.deny};
    struct str *lists[2] = {NULL, NULL};
    enum err e = ERR_NONE;

    for (size_t i = 0; i < COUNT_OF(from) && !e; i++) {
        e = alloc_array(from[i]->n, sizeof(*lists[i]), (void **)&lists[i], err);
        for (size_t k = 0; k < from[i]->n && !e; k++)
            lists[i][k] = str_of(from[i]->items[k]);
    }
    if (!e)
        e = guard_new(&(struct guard_lists){lists[0], from[0]->n, lists[1], from[1]->n}, ret, err);
    alloc_free(lists[0]);
    alloc_free(lists[1]);
    return e;
}

static struct engine_options engine_options_of(struct service *v)
{
    const struct settings *s = v->settings;

    return (struct engine_options){
        .instance = v->instance,
        .core =
            {
                .horizon_us = s->scheduler.horizon_us,
                .lease_us = s->scheduler.lease_us,
                .never_claims = !settings_list_has(&s->roles, "worker"),
                .safety_poll_us = wiring_store_look_us(s),
                .claim_limit = (size_t)s->scheduler.fetch_count,
                .held_max = (size_t)s->scheduler.max_held,
                .in_flight_max = (size_t)s->scheduler.max_in_flight,
                .target_max = {[TASK_REST] = (size_t)s->delivery.per_host_connections},
            },
        .timer_rules = {.misfire_grace_us = s->scheduler.misfire_grace_us},
        .schedule_rules = &v->rules.stored,
        .deliver =
            {
                .tls_insecure_allowed = s->delivery.tls_insecure_allowed,
                .user_agent = v->user_agent,
                .connections_max = (size_t)s->delivery.max_connections,
                .per_host_max = (size_t)s->delivery.per_host_connections,
                .ca_file = s->delivery.ca_file[0] != '\0' ? s->delivery.ca_file : NULL,
                .guard = v->guard,
                .signer = v->signer,
                .per_host_rate = s->delivery.per_host_rate,
                .circuit_failures = (unsigned)s->delivery.circuit_failures,
            },
        .log = v->log,
        .name = s->server.instance,
        .roles = v->roles,
        .version = v->version,
        .monitor = settings_list_has(&s->roles, "monitor"),
        .next_due = strcmp(s->wakeup.mode, "redis") == 0 ? on_next_due : NULL,
        .next_due_arg = v,
        .upkeep_every_us = s->retention.every_us,
        .keep_finished_us = s->retention.finished_us,
        .keep_ok_us = s->retention.runs_us,
        .keep_failed_us = s->retention.failed_us,
    };
}

static void on_metrics(void *arg, struct buf *out)
{
    struct service *v = arg;
    const struct wiring_roles roles = {.worker = settings_list_has(&v->settings->roles, "worker"),
                                       .monitor = settings_list_has(&v->settings->roles, "monitor")};
    struct engine_stats engine;
    struct lane_stats writer;
    struct lane_stats reader;
    struct wakeup_stats wakeup;
    bool told = wiring_store_wakeup_stats(v->store, &wakeup);

    engine_get_stats(v->engine, &engine);
    lane_stats(v->writer, &writer);
    lane_stats(v->reader, &reader);
    wiring_metrics(roles, &engine, &writer, &reader, told ? &wakeup : NULL, out);
    wiring_history_metrics(v->history, out);
}

/* Asked only when no other can share the store: its clock is ours. Any thread. */
static void on_self(void *arg, struct instance *ret)
{
    struct service *v = arg;
    struct engine_stats engine;

    engine_get_stats(v->engine, &engine);
    /* The texts are only read. */
    *ret = (struct instance){
        .id = v->instance,
        .name = v->settings->server.instance,
        .roles = v->roles,
        .version = (char *)(uintptr_t)v->version,
        .started_at = v->started_at,
        .heartbeat_at = clock_wall(),
        .held = (int64_t)engine.core.held,
        .is_monitor = engine.is_monitor,
    };
}

/* The doctor's thread. */
static void on_doctor(void *arg, struct buf *out)
{
    struct service *v = arg;
    const struct doctor_options options = {
        .settings = v->settings,
        .version = v->version,
        .zoneinfo = cli_zoneinfo(),
        .guard = v->guard,
        .stop = &v->stopping,
        .running = true,
        .release = zones_version(v->rules.zones),
        .open = wiring_store_reader,
        .open_arg = v->store,
        .history = wiring_history_lane(v->history),
    };

    wiring_doctor_report(&options, &v->doctor_left, out);
}

static struct api_options api_options_of(struct service *v)
{
    const struct settings *s = v->settings;

    return (struct api_options){
        .listen = s->server.listen,
        .threads = (unsigned)s->server.threads,
        .connections_max = (unsigned)s->server.max_connections,
        .body_max = (size_t)s->server.max_body_bytes,
        .batch_body_max = (size_t)s->server.max_batch_bytes,
        .header_max = (size_t)s->server.max_header_bytes,
        .header_us = s->server.header_timeout_us,
        .rate = s->server.rate,
        .rate_burst = s->server.rate_burst,
        .idle_s = (unsigned)(s->server.idle_timeout_us / US_PER_S),
        .batch_max = (size_t)s->server.max_batch_items,
        .answers_max = (size_t)s->server.max_answers_bytes,
        .read_rate = s->server.min_read_rate_bytes,
        .graphql_complexity = (uint64_t)s->server.graphql_complexity,
        .json_depth_max = (unsigned)s->server.max_json_depth,
        .reset = s->admin.reset,
        .version = v->version,
        .rules = v->rules.clients,
        .writer = v->writer,
        .reader = v->reader,
        .history = wiring_history_lane(v->history),
        .events = v->events,
        .log = v->log,
        .metrics = on_metrics,
        .metrics_arg = v,
        .self = on_self,
        .self_arg = v,
        .doctor = on_doctor,
        .doctor_arg = v,
        .no_api = !settings_list_has(&s->roles, "api"),
    };
}

/* --- lanes --- */

/* Writer lane's thread, after each commit. */
static void on_notice(void *arg, const struct notice *n)
{
    struct service *v = arg;

    if (n->events > 0)
        wiring_history_wake(v->history);
    if (!notice_is_empty(n)) {
        engine_notice(v->engine, n);
        wiring_store_tell(v->store, n);
    }
    /* Only the first since the last trim wakes the main thread; it ends the long sleep of await_signal(). */
    if (!atomic_exchange(&v->used_memory, true))
        MUST(pthread_kill(v->main_thread, SIGUSR1) == 0);
}

static enum err start_lanes(struct service *v, struct error *err)
{
    struct lane_options options = {
        .name = "writer",
        .open = wiring_store_writer,
        .open_arg = v->store,
        .notice = on_notice,
        .notice_arg = v,
        .queue_limit = QUEUE_LIMIT,
        .group_limit = GROUP_LIMIT,
        .log = v->log,
        .journal = true,
        .listened = events_listened,
        .events = events_publish,
        .events_lost = events_lost,
        .events_arg = v->events,
    };
    enum err e = lane_new(&options, &v->writer, err);

    if (e)
        return e;
    options.name = "reader";
    options.open = wiring_store_reader;
    options.notice = NULL;
    options.journal = false;
    options.listened = NULL;
    options.events = NULL;
    options.events_lost = NULL;
    return lane_new(&options, &v->reader, err);
}

/* --- up and down --- */

static enum err start(struct service *v, struct error *err)
{
    const struct events_options events = {.streams_max = (size_t)v->settings->server.event_streams};
    struct engine_options engine;
    struct api_options api;
    enum err e = make_signer(v, err);

    if (!e)
        e = wiring_rules_init(&v->rules, v->settings, err);
    if (!e)
        e = wiring_guard_new(v->settings, &v->guard, err);
    if (!e)
        e = wiring_store_open(v->settings, v->instance, v->log, &v->store, err);
    if (e)
        return e;
    v->history = wiring_history_new(v->settings, v->store, v->log);
    name_roles(v);
    /* Before the lanes: their notices go to it from the first commit on, and it keeps them until it is
     * started. */
    engine = engine_options_of(v);
    e = engine_new(&engine, &v->engine, err);
    if (!e)
        e = wiring_store_listen(v->store, v->engine, v->log, err);
    if (!e)
        e = events_new(&events, &v->events, err);
    if (!e)
        e = start_lanes(v, err);
    if (!e)
        e = wiring_zones_changed(v->writer, &v->rules.stored, v->log, err);
    if (!e)
        e = wiring_history_start(v->history, v->writer, err);
    if (!e)
        e = engine_start(v->engine, v->writer, err);
    if (e)
        return e;
    api = api_options_of(v);
    return api_start(&api, &v->api, err);
}

/*
 * From the top down: no more requests, then no more work, then what both were answered by. Each is stopped
 * only when it was started, so that a start that fails half-way is undone by this too.
 */
static void stop(struct service *v, int64_t grace_us)
{
    struct mono last = mono_add(clock_mono(), grace_us + AFTER_GRACE_US);
    struct wiring_deadline *deadline = wiring_deadline_new(last, v->api ? EXIT_OK : EXIT_FAILED, v->log);

    atomic_store(&v->stopping, true);
    /* Its attempts and the API's requests end at the same time, within the one grace. */
    if (v->engine)
        engine_begin_stop(v->engine, grace_us);
    if (v->api)
        api_stop(v->api, grace_us);
    if (v->engine)
        engine_stop(v->engine, grace_us);
    doctor_free(TAKE(v->doctor_left));
    wiring_history_stop(v->history);
    lane_free(v->reader);
    lane_free(v->writer);
    wiring_history_free(v->history);
    /* Told by others it may still be, and that changes nothing; what our last commits made due they must
     * hear. */
    wiring_store_deafen(v->store);
    api_free(v->api);
    events_free(v->events);
    engine_free(v->engine);
    wiring_store_free(v->store);
    guard_unref(v->guard);
    signer_free(v->signer);
    wiring_rules_done(&v->rules);
    wiring_deadline_met(deadline);
}

/* --- what is said and awaited --- */

/* The address as settings have it, with the port that was really bound. */
static void address_of(const struct service *v, char ret[ADDRESS_MAX])
{
    const char *listen = v->settings->server.listen;
    const char *colon = strrchr(listen, ':');

    if (snprintf(ret, ADDRESS_MAX, "http://%.*s:%u", (int)(colon - listen), listen, api_port(v->api)) < 0)
        ret[0] = '\0';
}

static void write_ready(struct service *v, int fd, const char *address)
{
    if (fd < 0)
        return;
    if (dprintf(fd, "%s\n", address) < 0)
        log_event(v->log, LOG_WARN, "main", "nobody reads --ready-fd", KV_I64("fd", fd));
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

/* For somebody who just started it by hand; machines read the log. */
static void greet(const struct service *v, const char *address)
{
    const char *self = program_invocation_name;
    bool usual = strcmp(address, "http://127.0.0.1:9902") == 0;

    if (!isatty(STDERR_FILENO))
        return;
    (void)fprintf(stderr,
                  "\n  Carillon %s is at %s\n"
                  "  API page   %s/docs\n"
                  "  try        %s list%s%s\n"
                  "             %s next '30 * * * * *'\n"
                  "  stop       Ctrl-C\n\n",
                  v->version, address, address, self, usual ? "" : " --url ", usual ? "" : address, self);
}

/* main.c has raised the limit as far as it may. Without descriptors clients wait and attempts are put off. */
static void warn_of_descriptors(const struct service *v)
{
    int64_t wanted = doctor_files_wanted(v->settings);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= (rlim_t)wanted)
        return;
    log_event(v->log, LOG_WARN, "main",
              "the limit of open files (ulimit -n) is below server.max_connections plus "
              "delivery.max_connections; attempts may be put off for want of descriptors",
              KV_I64("limit", (int64_t)limit.rlim_cur), KV_I64("wanted", wanted));
}

static void announce(struct service *v, int ready_fd)
{
    const struct settings *s = v->settings;
    char address[ADDRESS_MAX];

    address_of(v, address);
    for (size_t i = 0; i < s->notes.n; i++)
        log_event(v->log, LOG_WARN, "main", "setting without effect",
                  KV_CSTR("where", s->notes.items[i].where), KV_CSTR("detail", s->notes.items[i].text));
    warn_of_descriptors(v);
    if (settings_listens_beyond_loopback(s->server.listen))
        log_event(v->log, LOG_WARN, "main",
                  "listening beyond loopback without authentication; put a front before it that has it",
                  KV_CSTR("address", address));
    log_event(v->log, LOG_INFO, "main", "listening", KV_CSTR("address", address),
              KV_CSTR("version", v->version), KV_CSTR("instance", s->server.instance),
              KV_I64("pid", getpid()), KV_CSTR("settings", s->source[0] != '\0' ? s->source : "built-in"));
    write_ready(v, ready_fd, address);
    greet(v, address);
}

static void stop_signals(sigset_t *ret)
{
    (void)sigemptyset(ret);
    (void)sigaddset(ret, SIGTERM);
    (void)sigaddset(ret, SIGINT);
    (void)sigaddset(ret, SIGHUP);
}

/* Before any thread: all inherit it, so that only the main thread's sigtimedwait() sees them. */
static void block_signals(void)
{
    sigset_t set;

    stop_signals(&set);
    (void)sigaddset(&set, SIGUSR1);
    MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    /* A client or target that goes away is an error of its write, not our end. */
    MUST(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

static uint64_t operations(struct service *v)
{
    struct lane_stats writer;
    struct lane_stats reader;

    lane_stats(v->writer, &writer);
    lane_stats(v->reader, &reader);
    return writer.operations + reader.operations;
}

/*
 * glibc keeps what a burst of requests took, in pieces between what lives on; after one, 10,000 schedules
 * that take no memory at all would cost as much as their registration did. Trimming walks the whole heap
 * under its lock, so it is done when the burst is over, and an idle process never wakes for it.
 */
enum { QUIET_S = 2, QUIET_OPERATIONS = 20 };

/* Waits for one of `set`; until then gives memory back after each burst. */
static int await_one_of(struct service *v, const sigset_t *set)
{
    const struct timespec quiet = {.tv_sec = QUIET_S};
    uint64_t before = operations(v);

    for (;;) {
        bool used = atomic_load(&v->used_memory);
        int number = sigtimedwait(set, NULL, used ? &quiet : NULL);
        uint64_t now;

        if (number > 0 && number != SIGUSR1)
            return number;
        now = operations(v);
        if (number < 0 && errno == EAGAIN && now - before <= QUIET_OPERATIONS) {
            atomic_store(&v->used_memory, false);
            alloc_trim();
        }
        before = now;
    }
}

static void await_signal(struct service *v)
{
    sigset_t set;
    int number;

    stop_signals(&set);
    (void)sigaddset(&set, SIGUSR1);
    number = await_one_of(v, &set);
    log_event(v->log, LOG_INFO, "main", "stopping", KV_I64("signal", number),
              KV_I64("grace_ms", v->settings->shutdown.grace_us / US_PER_MS));
    /* From here on the next one has its usual effect: it ends the process at once. */
    stop_signals(&set);
    MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static struct log *make_log(const struct settings *s)
{
    enum log_level level = LOG_INFO;
    bool text =
        strcmp(s->log.format, "text") == 0 || (strcmp(s->log.format, "auto") == 0 && isatty(STDERR_FILENO));

    MUST(log_level_parse(str_of(s->log.level), &level)); /* settings let nothing else pass */
    return log_new(STDERR_FILENO, text ? LOG_TEXT : LOG_JSON, level);
}

int wiring_serve(const struct cli_host *host, const struct settings *s, int ready_fd)
{
    CLEANUP(log_free_p) struct log *log = make_log(s);
    struct service v = {.settings = s,
                        .version = host->version,
                        .log = log,
                        .main_thread = pthread_self(),
                        .started_at = clock_wall(),
                        .instance = uuid_v7(clock_wall())};
    struct error err = {0};
    enum err e;

    block_signals();
    MUST(snprintf(v.user_agent, sizeof(v.user_agent), "carillon/%s", host->version) > 0);
    if (deliver_setup(&err)) {
        log_error(log, LOG_ERROR, "main", "cannot start", &err);
        return EXIT_FAILED;
    }
    e = start(&v, &err);
    if (e) {
        log_error(log, LOG_ERROR, "main", "cannot start", &err);
        stop(&v, 0);
    } else {
        announce(&v, ready_fd);
        await_signal(&v);
        stop(&v, s->shutdown.grace_us);
        log_plain(log, LOG_INFO, "main", "stopped");
    }
    deliver_teardown();
    return e ? EXIT_FAILED : EXIT_OK;
}
