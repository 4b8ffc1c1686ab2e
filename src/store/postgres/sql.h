/*
 * sql.h: every statement of the PostgreSQL store, in one place: (name, text). `@` stands for the schema and
 * its dot. tests/unit/store/postgres_plan.c explains each of those on a hot path with 100,000 rows.
 *
 * PostgreSQL 13 is the oldest that must read them. States are numbers: 0 active, 1 paused, 2 finished; runs:
 * 0 pending, 1 running, 2 retrying, 3 succeeded, 4 failed, 5 dead, 6 skipped, 7 cancelled; below 3 is open.
 *
 * A statement sees what was committed when it began. A lock that was waited for may therefore come with newer
 * rows than the rest of the statement saw; so rows are locked by one statement, and what depends on them is
 * read by the next.
 *
 * Set-based statements join arrays to tables by nested loops over an index: Q_TX_WRITE and Q_TX_READ leave
 * the planner nothing else, since a plan made while a table was empty is kept when it has grown. So nothing
 * here may join two arrays with each other.
 */
#ifndef STORE_POSTGRES_SQL_H
#define STORE_POSTGRES_SQL_H

#include "base/base.h"
#include "base/buf.h"
#include "base/error.h"
#include "store/journal.h"

/* Microseconds of a timestamp, exactly: extract(epoch) is a double before PostgreSQL 14. */
#define SQL_US(t)                                                                                            \
    "(extract(epoch FROM date_trunc('second', " t "))::bigint * 1000000 + "                                  \
    "extract(microseconds FROM " t ")::bigint % 1000000)"
#define NIL "'00000000-0000-0000-0000-000000000000'"
/* No word is good for so long: one that seems to be was given before the clock went back. */
#define SQL_WORD_MAX "600000000"
#define PLANNER                                                                                              \
    "set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), "              \
    "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "              \
    "set_config('enable_material', 'off', true), set_config('random_page_cost', '1.1', true), "              \
    "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true), "            \
    "set_config('statement_timeout', '0', true), "                                                           \
    "set_config('idle_in_transaction_session_timeout', '5s', true)"
#define TIMER_COLUMNS                                                                                        \
    "t.state, t.next_at, t.occurs_at, t.started_at, t.runs, t.missed_coalesced, t.missed_overlap, "          \
    "t.missed_misfire, t.missed_late, t.missed_paused, t.missed_window"
#define TIMER_NAMES                                                                                          \
    "state, next_at, occurs_at, started_at, runs, missed_coalesced, missed_overlap, missed_misfire, "        \
    "missed_late, missed_paused, missed_window"
/* $1 now, $2 id, $3 to $13 the timer's: as timers.c puts them. */
#define TIMER_ARRAYS                                                                                         \
    "unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], "              \
    "$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]"
#define TIMER_SET                                                                                            \
    "state = u.state, next_at = u.next_at, occurs_at = u.occurs_at, started_at = u.started_at, "             \
    "runs = u.runs, missed_coalesced = u.missed_coalesced, missed_overlap = u.missed_overlap, "              \
    "missed_misfire = u.missed_misfire, missed_late = u.missed_late, missed_paused = u.missed_paused, "      \
    "missed_window = u.missed_window, "                                                                      \
    "finished_at = CASE WHEN u.state = 2 THEN coalesce(t.finished_at, $1::bigint) END"
#define RUN_COLUMNS                                                                                          \
    "r.id, r.schedule_id, r.version, r.scheduled_at, r.due_at, r.state, r.attempt, r.failures, "             \
    "r.lease_token, r.lease_until, r.by_hand_at"
#define RUN_RECORD_COLUMNS RUN_COLUMNS ", r.started_at, r.ended_at, r.took_us, r.status, r.error"
#define LOG_RECORD_COLUMNS                                                                                   \
    "r.id, r.schedule_id, r.version, r.scheduled_at, NULL::bigint, r.state, r.attempt, r.failures, "         \
    "0::bigint, 0::bigint, r.by_hand_at, r.started_at, r.ended_at, r.took_us, r.status, r.error"
#define LOG_NAMES                                                                                            \
    "id, schedule_id, version, scheduled_at, state, attempt, failures, started_at, ended_at, took_us, "      \
    "status, error, by_hand_at"
#define OPEN_RUNS "(SELECT count(*) FROM @run r WHERE r.schedule_id = t.id AND r.state < 3)"
#define RECORD_COLUMNS                                                                                       \
    "s.id, s.version, s.created_at, s.updated_at, s.definition, " TIMER_COLUMNS                              \
    ", t.last_state, t.last_at, " OPEN_RUNS
#define INSTANCE_COLUMNS                                                                                     \
    "i.id, i.name, i.roles, i.version, i.started_at, i.heartbeat, i.held, i.until - i.heartbeat AS "         \
    "expire_us"
/* Schedules by identity ($1 keys, $2 hashes) or id ($3). */
#define WANTED                                                                                               \
    "(SELECT s.id FROM unnest($1::text[], $2::uuid[]) AS u (client_key, hash) JOIN @schedule s "             \
    "ON s.client_key = u.client_key AND s.hash = u.hash UNION SELECT unnest($3::uuid[]))"
/* The filter's members in the order of args_filter(); NULL: any. */
#define MATCHES                                                                                              \
    "($2::text IS NULL OR s.operation = $2)"                                                                 \
    " AND ($3::text IS NULL OR s.application = $3) AND ($4::text IS NULL OR s.client_group = $4)"            \
    " AND ($5::text IS NULL OR s.client_key = $5) AND ($6::text IS NULL OR s.client_type = $6)"              \
    " AND ($7::text IS NULL OR starts_with(s.name, $7)) AND ($8::bigint IS NULL OR t.state = $8)"
#define BEHIND_IN(order) " AND s.id > $1::uuid ORDER BY " order " LIMIT $9::bigint"
#define BEHIND BEHIND_IN("s.id")
#define FILTERED " AND " MATCHES
/* Looks at so many, and says which match. */
#define LOOK "SELECT s.id, CASE WHEN " MATCHES " THEN 1 ELSE 0 END"
#define LISTED " FROM @schedule s JOIN @timer t ON t.id = s.id WHERE true"
#define IN_ID LISTED
/* These are few, so they are found first and sorted afterwards; the others come out by id. */
#define IN_KEY LISTED " AND s.id IN (SELECT k.id FROM @schedule k WHERE k.client_key = $5)"
/* Not by an equation: of that the planner knows that the order is by id alone, which the primary key has too;
 * and where all have one application it takes that, and walks all of them for one that has none. */
#define IN_GROUP                                                                                             \
    LISTED " AND (s.client_group, s.id) > ($4, $1::uuid) AND s.client_group <= $4 "                          \
           "AND s.client_group <> ''"
#define IN_APPLICATION                                                                                       \
    LISTED " AND (s.application, s.id) > ($3, $1::uuid) AND s.application <= $3 "                            \
           "AND s.application <> ''"
#define IN_PAUSED LISTED " AND t.state = 1 AND t.id > $1::uuid"
/* $1 before, $2 state or NULL, $3 limit, $4 schedule. */
#define RUN_PAGE                                                                                             \
    " AND r.id < $1::uuid AND ($2::bigint IS NULL OR r.state = $2) ORDER BY r.id DESC LIMIT $3::bigint"

/* $1 and $2 bound the ids, $3 limit. */
#define HISTORY_PAGE " AND h.id < $1::uuid AND h.id >= $2::uuid ORDER BY h.id DESC LIMIT $3::bigint"

/* The same page of each of the schedules $4, at most $5 rows in all. LATERAL leaves nothing but a nested
 * loop; rows come schedule by schedule, but who needs an order makes it. */
#define OF_EACH(page)                                                                                        \
    "SELECT r.* FROM unnest($4::uuid[]) AS u (id) CROSS JOIN LATERAL (" page ") r LIMIT $5::bigint"
#define OPEN_OF_EACH                                                                                         \
    "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.schedule_id = u.id AND r.state < 3" RUN_PAGE
#define DEAD_OF_EACH                                                                                         \
    "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.schedule_id = u.id AND r.state = 5" RUN_PAGE
#define LOG_OF_EACH "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE r.schedule_id = u.id" RUN_PAGE
#define HISTORY_OF_EACH(kinds)                                                                               \
    "SELECT h.id, h.event, u.id FROM unnest($4::uuid[]) AS u (id) CROSS JOIN LATERAL (SELECT h.id, h.event " \
    "FROM @history h WHERE h.schedule_id = u.id" kinds HISTORY_PAGE ") h LIMIT $5::bigint"

/* The last row of an examination. */
#define EXAMINED                                                                                             \
    " UNION ALL SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM page)"

#define SQL_LIST(X)                                                                                          \
    X(Q_BEGIN_WRITE, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")                                      \
    X(Q_BEGIN_READ, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")                                       \
    /* now() is the same for all statements of a transaction, as the lane's `now` is for all operations. */  \
    X(Q_TX_WRITE,                                                                                            \
      "SELECT " SQL_US(                                                                                      \
          "now()") ", " PLANNER ", set_config('lock_timeout', '10s', true), "                                \
                   "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "            \
                   "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)")             \
    X(Q_TX_READ, "SELECT " SQL_US("now()") ", " PLANNER)                                                     \
    /* Whoever takes what is read may be slow. */                                                            \
    X(Q_TX_LOOK, "SELECT " SQL_US("now()") ", " PLANNER                                                      \
                                           ", set_config('idle_in_transaction_session_timeout', '0', true)") \
    X(Q_COMMIT, "COMMIT")                                                                                    \
    X(Q_ROLLBACK, "ROLLBACK")                                                                                \
    X(Q_PING, "SELECT 1 FROM @meta WHERE key = 'schema_version'")                                            \
    X(Q_META_GET, "SELECT value FROM @meta WHERE key = $1")                                                  \
    X(Q_META_SET,                                                                                            \
      "INSERT INTO @meta AS m VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")       \
    X(Q_TALLY_ADD, "INSERT INTO @tally AS t (slot, state, n) VALUES ($1, $2, $3) "                           \
                   "ON CONFLICT (slot, state) DO UPDATE SET n = t.n + excluded.n")                           \
    X(Q_NOTIFY, "SELECT pg_notify($1, $2)")                                                                  \
                                                                                                             \
    /* registration */                                                                                       \
    X(Q_PUT_NEW, "INSERT INTO @schedule (id, hash, operation, application, client_group, client_key, "       \
                 "client_type, name, definition, version, created_at, updated_at) "                          \
                 "SELECT u.*, 1, $1, $1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], "        \
                 "$6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) AS u "                        \
                 "ON CONFLICT (client_key, hash) DO NOTHING RETURNING id")                                   \
    X(Q_PUT_NEW_TIMERS, "INSERT INTO @timer (id, " TIMER_NAMES ", finished_at) "                             \
                        "SELECT u.*, CASE WHEN u.state = 2 THEN $1::bigint END FROM " TIMER_ARRAYS           \
                        ") AS u (id, " TIMER_NAMES ") "                                                      \
                        "WHERE EXISTS (SELECT 1 FROM @schedule s WHERE s.id = u.id)")                        \
    X(Q_PUT_LOCK,                                                                                            \
      "SELECT t.id FROM " WANTED " w JOIN @timer t ON t.id = w.id ORDER BY t.id FOR UPDATE OF t")            \
    X(Q_PUT_READ, "SELECT s.id, s.version, t.state, s.hash, s.operation, s.application, s.client_group, "    \
                  "s.client_key, s.client_type FROM " WANTED " w JOIN @schedule s ON s.id = w.id "           \
                  "JOIN @timer t ON t.id = s.id ORDER BY s.id")                                              \
    X(Q_PUT_OVER, "UPDATE @schedule s SET hash = u.hash, operation = u.operation, "                          \
                  "application = u.application, client_group = u.client_group, client_key = u.client_key, "  \
                  "client_type = u.client_type, name = u.name, definition = u.definition, "                  \
                  "version = u.version, updated_at = $1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], "    \
                  "$5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[]) " \
                  "AS u (id, hash, operation, application, client_group, client_key, client_type, name, "    \
                  "definition, version) WHERE s.id = u.id")                                                  \
    X(Q_SCHEDULE_TOUCH, "UPDATE @schedule SET version = version + 1, updated_at = $1 WHERE id = $2")         \
    /* Gives those that the journal wants: whose definition keeps a history, with $2 all. */                 \
    X(Q_SCHEDULES_DELETE,                                                                                    \
      "WITH gone AS (DELETE FROM @schedule WHERE id = ANY($1::uuid[]) RETURNING id, definition) "            \
      "SELECT id, definition FROM gone WHERE $2::bigint = 1 OR strpos(definition, '" DEFINITION_KEEPS        \
      "') > 0")                                                                                              \
                                                                                                             \
    /* timers */                                                                                             \
    X(Q_TIMERS_LOCK, "SELECT t.id, t.state FROM @timer t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id "        \
                     "FOR UPDATE")                                                                           \
    X(Q_VERSION, "SELECT s.version FROM @schedule s WHERE s.id = $1")                                        \
    X(Q_TIMERS_UPDATE, "UPDATE @timer t SET " TIMER_SET " FROM " TIMER_ARRAYS ") AS u (id, " TIMER_NAMES     \
                       ") WHERE t.id = u.id")                                                                \
    X(Q_TIMERS_DELETE, "DELETE FROM @timer WHERE id = ANY($1::uuid[])")                                      \
                                                                                                             \
    /* reading schedules */                                                                                  \
    X(Q_GET_LOCK, "SELECT 1 FROM @timer t WHERE t.id = $1 FOR UPDATE")                                       \
    X(Q_GET, "SELECT " RECORD_COLUMNS " FROM @schedule s JOIN @timer t ON t.id = s.id WHERE s.id = $1")      \
    X(Q_GET_MANY, "SELECT " RECORD_COLUMNS " FROM unnest($1::uuid[]) AS u (id) JOIN @schedule s "            \
                  "ON s.id = u.id JOIN @timer t ON t.id = s.id ORDER BY s.id")                               \
    X(Q_ID_BY_IDENTITY, "SELECT s.id, s.operation, s.application, s.client_group, s.client_key, "            \
                        "s.client_type FROM @schedule s WHERE s.client_key = $1 AND s.hash = $2")            \
    X(Q_LIST_BY_ID, "SELECT " RECORD_COLUMNS IN_ID FILTERED BEHIND)                                          \
    X(Q_LIST_BY_KEY, "SELECT " RECORD_COLUMNS IN_KEY FILTERED BEHIND)                                        \
    X(Q_LIST_BY_GROUP, "SELECT " RECORD_COLUMNS IN_GROUP FILTERED BEHIND_IN("s.client_group, s.id"))         \
    X(Q_LIST_BY_APPLICATION,                                                                                 \
      "SELECT " RECORD_COLUMNS IN_APPLICATION FILTERED BEHIND_IN("s.application, s.id"))                     \
    X(Q_LIST_BY_PAUSED, "SELECT " RECORD_COLUMNS IN_PAUSED FILTERED BEHIND)                                  \
    X(Q_IDS_BY_ID, LOOK IN_ID BEHIND)                                                                        \
    X(Q_IDS_BY_KEY, LOOK IN_KEY BEHIND)                                                                      \
    X(Q_IDS_BY_GROUP, LOOK IN_GROUP BEHIND_IN("s.client_group, s.id"))                                       \
    X(Q_IDS_BY_APPLICATION, LOOK IN_APPLICATION BEHIND_IN("s.application, s.id"))                            \
    X(Q_IDS_BY_PAUSED, LOOK IN_PAUSED BEHIND)                                                                \
    X(Q_FINISHED_LOCK, "SELECT t.id FROM @timer t WHERE t.state = 2 AND t.finished_at < $1 "                 \
                       "ORDER BY t.finished_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED")                        \
    X(Q_WITHOUT_RUNS, "SELECT u.id FROM unnest($1::uuid[]) AS u (id) WHERE NOT EXISTS "                      \
                      "(SELECT 1 FROM @run r WHERE r.schedule_id = u.id AND r.state < 3) AND NOT EXISTS "    \
                      "(SELECT 1 FROM @run r WHERE r.schedule_id = u.id AND r.state = 5) ORDER BY u.id")     \
    X(Q_FINISHED_KEEP, "UPDATE @timer SET finished_at = $2 WHERE id = ANY($1::uuid[])")                      \
    X(Q_STATS_SCHEDULES, "SELECT state, sum(n)::bigint FROM @tally GROUP BY state")                          \
    X(Q_STATS_WAITING, "SELECT state, count(*) FROM @run WHERE state IN (0, 2) GROUP BY state")              \
    X(Q_STATS_RUNNING, "SELECT 1, count(*) FROM @run WHERE state = 1")                                       \
    X(Q_STATS_DEAD, "SELECT 5, count(*) FROM @run WHERE state = 5")                                          \
                                                                                                             \
    /* ending what is open: deletion, replacement, pause, overlap replace */                                 \
    /* Gives those that the journal wants: labelled ones, with $4 all. */                                    \
    X(Q_OPEN_CANCEL,                                                                                         \
      "WITH open AS (SELECT r.id FROM @run r WHERE r.schedule_id = ANY($1::uuid[]) AND r.state < 3 "         \
      "AND r.state <> 1 ORDER BY r.id FOR UPDATE), "                                                         \
      "gone AS (DELETE FROM @run r USING open o WHERE r.id = o.id RETURNING r.*), "                          \
      "logged AS (INSERT INTO @run_log (" LOG_NAMES ") SELECT id, schedule_id, version, scheduled_at, 7, "   \
      "attempt, failures, started_at, $2::bigint, took_us, status, error, by_hand_at FROM gone "             \
      "RETURNING schedule_id), "                                                                             \
      "told AS (UPDATE @timer t SET last_state = 7, last_at = $2 "                                           \
      "FROM (SELECT DISTINCT schedule_id FROM logged) l WHERE t.id = l.schedule_id AND $3::bigint = 1) "     \
      "SELECT id, schedule_id, scheduled_at, attempt, label FROM gone WHERE label <> '' OR $4::bigint = 1")  \
    /* Running ones are those with a token; of state = 1 the planner would think that run_lease is the       \
     * index. */                                                                                             \
    X(Q_OPEN_DOOM, "WITH open AS (SELECT r.id FROM @run r WHERE r.schedule_id = ANY($1::uuid[]) "            \
                   "AND r.state < 3 AND r.lease_token <> 0 ORDER BY r.id FOR UPDATE) "                       \
                   "UPDATE @run r SET doomed = true, owed = false, replaced = r.replaced OR $2::bigint = 1 " \
                   "FROM open o WHERE r.id = o.id")                                                          \
                                                                                                             \
    /* claiming */                                                                                           \
    X(Q_DUE_LOCK, "SELECT t.id FROM @timer t WHERE t.state = 0 AND t.next_at <= $1 ORDER BY t.next_at "      \
                  "LIMIT $2 FOR UPDATE SKIP LOCKED")                                                         \
    X(Q_DUE_READ,                                                                                            \
      "SELECT s.id, s.version, s.definition, " TIMER_COLUMNS ", o.n, o.waiting, o.leaving, o.held "          \
      "FROM (SELECT i.id, sum(octet_length(k.definition)) OVER (ORDER BY i.at ROWS BETWEEN "                 \
      "UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM unnest($1::uuid[]) WITH ORDINALITY "              \
      "AS i (id, at) JOIN @schedule k ON k.id = i.id) u JOIN @timer t ON t.id = u.id "                       \
      "JOIN @schedule s ON s.id = u.id CROSS JOIN LATERAL (SELECT count(*) AS n, "                           \
      "count(*) FILTER (WHERE r.state = 0 AND r.due_at IS NULL) AS waiting, "                                \
      "count(*) FILTER (WHERE r.state = 1 AND r.version < s.version "                                        \
      "AND r.due_at > t.started_at) AS leaving, "                                                            \
      "min(r.scheduled_at) FILTER (WHERE r.doomed AND r.scheduled_at >= t.occurs_at) AS held "               \
      "FROM @run r WHERE r.schedule_id = u.id AND r.state < 3) o "                                           \
      "WHERE u.before IS NULL OR u.before < $2::bigint ORDER BY t.next_at, t.id")                            \
    X(Q_OWE, "UPDATE @run r SET owed = true FROM unnest($1::uuid[], $2::bigint[]) AS u (schedule_id, at) "   \
             "WHERE r.schedule_id = u.schedule_id AND r.scheduled_at = u.at AND r.state < 3 AND r.doomed")   \
    X(Q_RUNS_INSERT,                                                                                         \
      "INSERT INTO @run (id, schedule_id, version, scheduled_at, due_at, state, attempt, failures, "         \
      "lease_token, lease_until, by_hand_at, label) SELECT u.* FROM unnest($1::uuid[], $2::uuid[], "         \
      "$3::bigint[], "                                                                                       \
      "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], "  \
      "$11::bigint[], $12::text[]) AS u ON CONFLICT (schedule_id, scheduled_at) WHERE state < 3 DO NOTHING " \
      "RETURNING id")                                                                                        \
    X(Q_RETAKE_LOCK,                                                                                         \
      "WITH lost AS MATERIALIZED (SELECT r.id, r.schedule_id FROM @run r "                                   \
      "WHERE r.state = 1 AND r.lease_until < $1 "                                                            \
      "ORDER BY r.lease_until LIMIT $3 FOR UPDATE SKIP LOCKED), "                                            \
      "waiting AS MATERIALIZED (SELECT r.id, r.schedule_id FROM @run r "                                     \
      "WHERE r.state IN (0, 2) AND r.due_at <= $2 "                                                          \
      "ORDER BY r.due_at LIMIT ($3 - (SELECT count(*) FROM lost)) FOR UPDATE SKIP LOCKED) "                  \
      "SELECT id FROM (SELECT b.id, sum(octet_length(s.definition)) OVER (ROWS BETWEEN "                     \
      "UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (SELECT id, schedule_id FROM lost "               \
      "UNION ALL SELECT id, schedule_id FROM waiting) b LEFT JOIN @schedule s ON s.id = b.schedule_id) x "   \
      "WHERE before IS NULL OR before < $4::bigint")                                                         \
    X(Q_RETAKE, "UPDATE @run r SET doomed = false, owed = false, "                                           \
                "version = CASE WHEN r.owed THEN s.version ELSE r.version END, state = 1, attempt = "        \
                "r.attempt + 1, lease_owner = $2, "                                                          \
                "lease_token = $3, lease_until = $4 FROM @schedule s WHERE r.id = ANY($1::uuid[]) "          \
                "AND s.id = r.schedule_id AND (r.owed OR NOT r.doomed) RETURNING " RUN_COLUMNS               \
                ", r.started_at IS NULL, s.definition")                                                      \
    X(Q_NEXT_DUE,                                                                                            \
      "SELECT (SELECT next_at FROM @timer WHERE state = 0 AND next_at IS NOT NULL ORDER BY next_at "         \
      "LIMIT 1), (SELECT due_at FROM @run WHERE state IN (0, 2) AND due_at IS NOT NULL ORDER BY due_at "     \
      "LIMIT 1), (SELECT lease_until FROM @run WHERE state = 1 ORDER BY lease_until LIMIT 1)")               \
                                                                                                             \
    /* completing */                                                                                         \
    X(Q_ENDS_TIMERS, "SELECT t.id, " TIMER_COLUMNS " FROM @timer t WHERE t.id = ANY($1::uuid[]) "            \
                     "ORDER BY t.id FOR UPDATE")                                                             \
    X(Q_ENDS_TIMERS_FREE, "SELECT t.id FROM @timer t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id "            \
                          "FOR UPDATE SKIP LOCKED")                                                          \
    X(Q_ENDS_RUNS, "SELECT " RUN_COLUMNS ", r.doomed, r.started_at, r.owed FROM @run r "                     \
                   "WHERE r.id = ANY($1::uuid[]) ORDER BY r.id FOR UPDATE")                                  \
    X(Q_ENDS_OPEN, "SELECT r.schedule_id, count(*), count(*) FILTER (WHERE r.state = 0 AND r.due_at IS "     \
                   "NULL) FROM @run r WHERE r.schedule_id = ANY($1::uuid[]) AND r.state < 3 "                \
                   "GROUP BY r.schedule_id ORDER BY r.schedule_id")                                          \
    X(Q_ORPHANS, "SELECT r.id, r.schedule_id, r.failures, r.scheduled_at, r.attempt, r.label FROM @run r "   \
                 "WHERE r.id = ANY($1::uuid[])")                                                             \
    X(Q_EXISTING, "SELECT t.id FROM @timer t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id")                    \
    X(Q_RUNS_DELETE, "DELETE FROM @run WHERE id = ANY($1::uuid[])")                                          \
    X(Q_LOG_INSERT, "INSERT INTO @run_log (" LOG_NAMES ") SELECT u.* FROM unnest($1::uuid[], $2::uuid[], "   \
                    "$3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], "   \
                    "$9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::bigint[]) AS u")          \
    X(Q_RUNS_KEEP,                                                                                           \
      "UPDATE @run r SET doomed = r.doomed AND u.state <> 0, owed = r.owed AND u.state <> 0, "               \
      "version = CASE WHEN r.owed AND u.state = 0 THEN (SELECT s.version FROM @schedule s "                  \
      "WHERE s.id = r.schedule_id) ELSE r.version END, state = u.state, due_at = u.due_at, attempt = "       \
      "u.attempt, failures = u.failures, "                                                                   \
      "started_at = u.started_at, ended_at = u.ended_at, "                                                   \
      "took_us = CASE WHEN u.attempted = 1 THEN u.took_us ELSE r.took_us END, "                              \
      "status = CASE WHEN u.attempted = 1 THEN u.status ELSE r.status END, "                                 \
      "error = CASE WHEN u.attempted = 1 THEN u.error ELSE r.error END, "                                    \
      "lease_owner = NULL, lease_token = 0, lease_until = 0 "                                                \
      "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "       \
      "$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[]) AS u (id, state, due_at, "      \
      "attempt, failures, started_at, ended_at, attempted, took_us, status, error) WHERE r.id = u.id")       \
    /* Not due_at IS NULL, of which the planner would think that run_due is the index. */                    \
    X(Q_RUNS_RELEASE,                                                                                        \
      "UPDATE @run r SET due_at = $2 FROM (SELECT w.id FROM unnest($1::uuid[]) AS u (schedule_id) "          \
      "CROSS JOIN LATERAL (SELECT r.id FROM @run r WHERE r.schedule_id = u.schedule_id AND r.state < 3 "     \
      "AND r.state = 0 AND coalesce(r.due_at, -1) < 0 ORDER BY r.scheduled_at LIMIT 1) w) f WHERE r.id = "   \
      "f.id")                                                                                                \
    X(Q_TIMERS_ENDED, "UPDATE @timer t SET " TIMER_SET ", last_state = u.last_state, last_at = u.last_at "   \
                      "FROM " TIMER_ARRAYS ", $14::bigint[], $15::bigint[]) AS u (id, " TIMER_NAMES          \
                      ", last_state, last_at) WHERE t.id = u.id")                                            \
    X(Q_DOOMED, "SELECT r.id, r.replaced FROM @run r WHERE r.id = ANY($1::uuid[]) AND r.doomed "             \
                "ORDER BY r.id")                                                                             \
    /* Who has no lease has no token, so the state is not asked for. */                                      \
    X(Q_RENEW, "WITH mine AS (SELECT r.id, u.n FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY "       \
               "AS u (id, token, n) JOIN @run r ON r.id = u.id AND r.lease_token = u.token "                 \
               "ORDER BY r.id FOR UPDATE OF r) "                                                             \
               "UPDATE @run r SET lease_until = $3 FROM mine m WHERE r.id = m.id RETURNING m.n")             \
                                                                                                             \
    /* runs as lists show them */                                                                            \
    X(Q_RUN_OPEN_ONE, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.id = $1")                           \
    X(Q_RUN_LOG_ONE, "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE r.id = $1")                        \
    X(Q_RUNS_ALL, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE true" RUN_PAGE)                           \
    X(Q_RUNS_WAITING, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.state IN (0, 2)" RUN_PAGE)          \
    X(Q_RUNS_RUNNING, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.state = 1" RUN_PAGE)                \
    X(Q_RUNS_DEAD, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.state = 5" RUN_PAGE)                   \
    X(Q_RUNS_OPEN_OF,                                                                                        \
      "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.schedule_id = $4 AND r.state < 3" RUN_PAGE)         \
    X(Q_RUNS_DEAD_OF,                                                                                        \
      "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.schedule_id = $4 AND r.state = 5" RUN_PAGE)         \
    X(Q_LOG_ALL, "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE true" RUN_PAGE)                        \
    X(Q_LOG_OTHER,                                                                                           \
      "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE r.state = $2 AND r.state <> 3" RUN_PAGE)          \
    X(Q_LOG_OF, "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE r.schedule_id = $4" RUN_PAGE)           \
    X(Q_RUNS_OF_EACH, OF_EACH("(" OPEN_OF_EACH ") UNION ALL (" DEAD_OF_EACH ") UNION ALL (" LOG_OF_EACH      \
                              ") ORDER BY id DESC LIMIT $3::bigint"))                                        \
    X(Q_RUNS_OPEN_OF_EACH, OF_EACH(OPEN_OF_EACH))                                                            \
    X(Q_RUNS_DEAD_OF_EACH, OF_EACH(DEAD_OF_EACH))                                                            \
    X(Q_LOG_OF_EACH, OF_EACH(LOG_OF_EACH))                                                                   \
                                                                                                             \
    /* by hand */                                                                                            \
    X(Q_RUNS_OPEN_MANY, "SELECT " RUN_RECORD_COLUMNS " FROM @run r WHERE r.id = ANY($1::uuid[]) "            \
                        "ORDER BY r.id")                                                                     \
    X(Q_RUNS_LOG_MANY, "SELECT " LOG_RECORD_COLUMNS " FROM @run_log r WHERE r.id = ANY($1::uuid[]) "         \
                       "ORDER BY r.id")                                                                      \
    /* state + 0: of state = 5 the planner would think that run_dead is the index. */                        \
    X(Q_REDRIVE,                                                                                             \
      "WITH dead AS (SELECT DISTINCT ON (r.schedule_id, r.scheduled_at) r.id, s.version "                    \
      "FROM unnest($1::uuid[]) AS u (id) JOIN @run r ON r.id = u.id AND r.state + 0 = 5 "                    \
      "JOIN @schedule s ON s.id = r.schedule_id WHERE "                                                      \
      "NOT EXISTS (SELECT 1 FROM @run o WHERE o.schedule_id = r.schedule_id "                                \
      "AND o.scheduled_at = r.scheduled_at AND o.state < 3) ORDER BY r.schedule_id, r.scheduled_at, r.id) "  \
      "UPDATE @run r SET state = 0, due_at = $2::bigint, version = d.version, failures = 0, "                \
      "doomed = false, replaced = false, owed = false, by_hand_at = $2, ended_at = NULL FROM dead d WHERE "  \
      "r.id = d.id "                                                                                         \
      "RETURNING r.id")                                                                                      \
    X(Q_DISCARD,                                                                                             \
      "WITH gone AS (DELETE FROM @run r WHERE r.id = ANY($1::uuid[]) AND r.state + 0 = 5 RETURNING r.*) "    \
      "INSERT INTO @run_log (" LOG_NAMES ") SELECT id, schedule_id, version, scheduled_at, 7, attempt, "     \
      "failures, started_at, $2::bigint, took_us, status, error, by_hand_at FROM gone")                      \
    X(Q_TIMES_RUN, "SELECT r.scheduled_at FROM @run r WHERE r.schedule_id = $1 AND r.state < 3 "             \
                   "AND r.scheduled_at >= $2::bigint AND r.scheduled_at < $3::bigint "                       \
                   "UNION ALL SELECT r.scheduled_at FROM @run r WHERE r.schedule_id = $1 AND r.state = 5 "   \
                   "AND r.scheduled_at >= $2 AND r.scheduled_at < $3 "                                       \
                   "UNION ALL SELECT r.scheduled_at FROM @run_log r WHERE r.schedule_id = $1 "               \
                   "AND r.id >= $4::uuid AND r.state NOT IN (6, 7) AND r.scheduled_at >= $2 "                \
                   "AND r.scheduled_at < $3 ORDER BY 1")                                                     \
                                                                                                             \
    /* moving to and from another database: behind $1 and $2, $3 limit */                                    \
    X(Q_MOVED_OPEN, "SELECT " RUN_RECORD_COLUMNS ", r.doomed, r.owed FROM @run r WHERE r.state < 3 "         \
                    "AND (r.schedule_id, r.scheduled_at) > ($1::uuid, $2::bigint) "                          \
                    "ORDER BY r.schedule_id, r.scheduled_at LIMIT $3::bigint")                               \
    X(Q_MOVED_DEAD, "SELECT " RUN_RECORD_COLUMNS ", r.doomed, r.owed FROM @run r WHERE r.state = 5 "         \
                    "AND (r.schedule_id, r.id) > ($1::uuid, $2::uuid) "                                      \
                    "ORDER BY r.schedule_id, r.id LIMIT $3::bigint")                                         \
    /* $1 keys, $2 hashes, $3 ids, $4 now. Running runs are those with a token, as for Q_OPEN_DOOM. Not by   \
     * EXISTS: the planner would read a whole index into a hash for it. */                                   \
    X(Q_MOVED_LOOK,                                                                                          \
      "SELECT w.taken IS NOT NULL, w.same, greatest("                                                        \
      "(SELECT max(r.lease_until) FROM @run r WHERE r.schedule_id = w.id AND r.state < 3 "                   \
      "AND r.lease_token <> 0), "                                                                            \
      "(SELECT max(r.lease_until) FROM @run r WHERE r.schedule_id = w.same AND r.state < 3 "                 \
      "AND r.lease_token <> 0), 0) > $4::bigint FROM "                                                       \
      "(SELECT u.n, u.id, (SELECT s.id FROM @schedule s WHERE s.id = u.id) AS taken, "                       \
      "(SELECT s.id FROM @schedule s WHERE s.client_key = u.client_key AND s.hash = u.hash) AS same "        \
      "FROM unnest($1::text[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS u (client_key, hash, id, n) "      \
      "OFFSET 0) w ORDER BY w.n")                                                                            \
    X(Q_MOVED_SCHEDULES,                                                                                     \
      "INSERT INTO @schedule (id, hash, operation, application, client_group, client_key, client_type, "     \
      "name, definition, version, created_at, updated_at) SELECT u.* FROM unnest($1::uuid[], $2::uuid[], "   \
      "$3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], "  \
      "$11::bigint[], $12::bigint[]) AS u ON CONFLICT DO NOTHING RETURNING id")                              \
    X(Q_MOVED_LAST, "UPDATE @timer t SET last_state = u.last_state, last_at = u.last_at FROM "               \
                    "unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS u (id, last_state, last_at) "         \
                    "WHERE t.id = u.id")                                                                     \
    /* $1: 1, what ended here is brought back; then a row's columns. */                                      \
    X(Q_MOVED_RUNS,                                                                                          \
      "INSERT INTO @run (id, schedule_id, version, scheduled_at, due_at, state, attempt, failures, "         \
      "lease_token, by_hand_at, doomed, owed, started_at, ended_at, took_us, status, label, error) SELECT "  \
      "u.id, "                                                                                               \
      "u.schedule_id, u.version, u.scheduled_at, u.due_at, u.state, u.attempt, u.failures, u.lease_token, "  \
      "u.by_hand_at, u.doomed >= 1, u.doomed = 2, u.started_at, u.ended_at, u.took_us, u.status, u.label, "  \
      "u.error "                                                                                             \
      "FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], "         \
      "$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], "             \
      "$14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $18::text[]) AS u (id, schedule_id, "       \
      "version, scheduled_at, due_at, state, attempt, failures, lease_token, by_hand_at, doomed, "           \
      "started_at, ended_at, took_us, status, label, error) "                                                \
      "WHERE $1::bigint = 1 OR (SELECT count(*) FROM (SELECT 1 FROM @run_log l WHERE l.id = u.id LIMIT 1) "  \
      "AS there) = 0 "                                                                                       \
      "ON CONFLICT DO NOTHING RETURNING id")                                                                 \
    X(Q_LOG_DELETE, "DELETE FROM @run_log WHERE id = ANY($1::uuid[])")                                       \
                                                                                                             \
    /* answers that are given again */                                                                       \
    X(Q_ANSWER_HOLD, "SELECT pg_try_advisory_xact_lock(hashtextextended('@', $1::bigint))")                  \
    X(Q_ANSWER_GET, "SELECT request, at, text FROM @answer WHERE key = $1")                                  \
    X(Q_ANSWER_PUT, "INSERT INTO @answer AS a (key, request, at, text) VALUES ($1, $2, $3, $4) "             \
                    "ON CONFLICT (key) DO UPDATE SET request = excluded.request, at = excluded.at, "         \
                    "text = excluded.text")                                                                  \
    X(Q_ANSWERS_TRIM, "WITH old AS (SELECT key FROM @answer WHERE at < $1 ORDER BY at LIMIT $2) "            \
                      "DELETE FROM @answer a USING old WHERE a.key = old.key")                               \
    X(Q_CLEAR_DEAD,                                                                                          \
      "DELETE FROM @run WHERE id IN (SELECT id FROM @run WHERE state = 5 AND id > " NIL " ORDER BY id "      \
      "LIMIT $1)")                                                                                           \
    X(Q_CLEAR_LOG,                                                                                           \
      "DELETE FROM @run_log WHERE id IN (SELECT id FROM @run_log WHERE id > " NIL " ORDER BY id LIMIT $1)")  \
    X(Q_CLEAR_ANSWERS, "DELETE FROM @answer WHERE key IN (SELECT key FROM @answer WHERE key > " NIL          \
                       " ORDER BY key LIMIT $1)")                                                            \
                                                                                                             \
    /* upkeep */                                                                                             \
    X(Q_TRIM_OK, "WITH old AS (SELECT id FROM @run_log WHERE state = 3 AND ended_at < $1 "                   \
                 "ORDER BY ended_at LIMIT $2) DELETE FROM @run_log l USING old WHERE l.id = old.id")         \
    X(Q_TRIM_OTHER, "WITH old AS (SELECT id FROM @run_log WHERE state <> 3 AND ended_at < $1 "               \
                    "ORDER BY ended_at LIMIT $2) DELETE FROM @run_log l USING old WHERE l.id = old.id")      \
                                                                                                             \
    /* events on their way to the history database */                                                        \
    X(Q_RUN_TRACE, "SELECT r.id, r.schedule_id, r.scheduled_at, r.attempt, r.label FROM @run r "             \
                   "WHERE r.id = ANY($1::uuid[]) AND (r.label <> '' OR $2::bigint = 1)")                     \
    X(Q_OUTBOX_ADD, "INSERT INTO @history_outbox (event) SELECT unnest($1::text[])")                         \
    /* Who moves events writes elsewhere before it goes on: longer than other transactions may idle. */      \
    X(Q_OUTBOX_PATIENCE, "SELECT set_config('idle_in_transaction_session_timeout', '60s', true)")            \
    X(Q_OUTBOX_TAKE, "SELECT n, event FROM @history_outbox WHERE n > $1 ORDER BY n LIMIT $2 "                \
                     "FOR UPDATE SKIP LOCKED")                                                               \
    X(Q_OUTBOX_REMOVE, "DELETE FROM @history_outbox WHERE n = ANY($1::bigint[])")                            \
    X(Q_OUTBOX_SIZE,                                                                                         \
      "SELECT coalesce((SELECT n FROM @history_outbox WHERE n > 0 ORDER BY n DESC LIMIT 1) - "               \
      "(SELECT n FROM @history_outbox WHERE n > 0 ORDER BY n LIMIT 1) + 1, 0)")                              \
                                                                                                             \
    /* the history database */                                                                               \
    X(Q_HISTORY_ADD, "INSERT INTO @history (id, schedule_id, kind, event) SELECT u.* FROM "                  \
                     "unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) AS u "                        \
                     "ON CONFLICT (id) DO NOTHING")                                                          \
    X(Q_HISTORY_LIST, "SELECT h.id, h.event FROM @history h WHERE true" HISTORY_PAGE)                        \
    X(Q_HISTORY_LIST_KIND, "SELECT h.id, h.event FROM @history h WHERE h.kind = $4" HISTORY_PAGE)            \
    X(Q_HISTORY_LIST_RARE,                                                                                   \
      "SELECT h.id, h.event FROM @history h WHERE h.kind = $4 AND h.kind NOT IN (6, 9)" HISTORY_PAGE)        \
    X(Q_HISTORY_OF, "SELECT h.id, h.event FROM @history h WHERE h.schedule_id = $4" HISTORY_PAGE)            \
    X(Q_HISTORY_OF_KIND,                                                                                     \
      "SELECT h.id, h.event FROM @history h WHERE h.schedule_id = $4 AND h.kind = $5" HISTORY_PAGE)          \
    X(Q_HISTORY_OF_RARE, "SELECT h.id, h.event FROM @history h WHERE h.schedule_id = $4 AND h.kind = $5 "    \
                         "AND h.kind NOT IN (6, 9)" HISTORY_PAGE)                                            \
    X(Q_HISTORY_OF_EACH, HISTORY_OF_EACH(""))                                                                \
    X(Q_HISTORY_OF_EACH_KIND, HISTORY_OF_EACH(" AND h.kind = $6"))                                           \
    X(Q_HISTORY_OF_EACH_RARE, HISTORY_OF_EACH(" AND h.kind = $6 AND h.kind NOT IN (6, 9)"))                  \
    /* Days are dropped whole: partition.c. This is for what has no day of its own. */                       \
    X(Q_HISTORY_TRIM, "WITH old AS (SELECT id FROM @history_default WHERE id < $1 ORDER BY id LIMIT $2) "    \
                      "DELETE FROM @history_default h USING old WHERE h.id = old.id")                        \
                                                                                                             \
    /* instances */                                                                                          \
    /* One statement, so that it needs no transaction around it. What it changes it does not see, so its own \
     * row and its own election are taken from what they return. */                                          \
    X(Q_BEAT,                                                                                                \
      "WITH t AS (SELECT coalesce($9::bigint, " SQL_US(                                                      \
          "now()") ") AS now), "                                                                             \
                   "gone AS (DELETE FROM @instance WHERE id IN (SELECT i.id FROM @instance i, t WHERE "      \
                   "(i.until < t.now OR i.until > t.now + " SQL_WORD_MAX ") AND i.id <> $1 "                 \
                   "FOR UPDATE OF i SKIP LOCKED)), "                                                         \
                   "said AS (INSERT INTO @instance AS i (id, name, roles, version, started_at, heartbeat, "  \
                   "held, until) "                                                                           \
                   "SELECT $1, $2, $3, $4, coalesce($5::bigint, t.now), t.now, $6::bigint, t.now + "         \
                   "$7::bigint FROM t "                                                                      \
                   "ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, "           \
                   "version = excluded.version, heartbeat = excluded.heartbeat, held = excluded.held, "      \
                   "until = excluded.until RETURNING i.*), "                                                 \
                   "elected AS (INSERT INTO @lease AS l (name, holder, until) SELECT 'monitor', $1, t.now "  \
                   "+ $8::bigint "                                                                           \
                   "FROM t WHERE $8::bigint > 0 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, " \
                   "until = excluded.until WHERE l.holder = excluded.holder OR "                             \
                   "l.until < (SELECT t.now FROM t) OR l.until > (SELECT t.now FROM t) + " SQL_WORD_MAX " "  \
                   "RETURNING l.holder), "                                                                   \
                   "resigned AS (DELETE FROM @lease WHERE name = 'monitor' AND holder = $1 AND $8::bigint "  \
                   "<= 0), "                                                                                 \
                   "monitor AS (SELECT holder FROM elected UNION ALL SELECT l.holder FROM @lease l, t "      \
                   "WHERE l.name = 'monitor' AND l.until >= t.now AND l.holder <> $1 "                       \
                   "AND NOT EXISTS (SELECT 1 FROM elected)), "                                               \
                   "living AS (SELECT " INSTANCE_COLUMNS " FROM said i UNION ALL "                           \
                   "SELECT " INSTANCE_COLUMNS " FROM @instance i, t WHERE i.id <> $1 AND i.until >= t.now) " \
                   "SELECT v.*, coalesce((SELECT m.holder = v.id FROM monitor m), false), t.now FROM "       \
                   "living v, t "                                                                            \
                   "ORDER BY v.started_at, v.id")                                                            \
    X(Q_LEAVE,                                                                                               \
      "WITH t AS (SELECT coalesce($2::bigint, " SQL_US(                                                      \
          "now()") ") AS now), "                                                                             \
                   "gone AS (DELETE FROM @instance WHERE id = $1), "                                         \
                   "resigned AS (DELETE FROM @lease WHERE name = 'monitor' AND holder = $1) "                \
                   "SELECT " INSTANCE_COLUMNS ", coalesce((SELECT l.holder = i.id AND l.until >= t.now "     \
                   "FROM @lease l WHERE l.name = 'monitor'), false), t.now FROM @instance i, t "             \
                   "WHERE i.id <> $1 AND i.until >= t.now ORDER BY i.started_at, i.id")                      \
    X(Q_INSTANCES, "SELECT " INSTANCE_COLUMNS ", coalesce((SELECT l.holder = i.id AND l.until >= $1 "        \
                   "FROM @lease l WHERE l.name = 'monitor'), false) FROM @instance i WHERE i.until >= $1 "   \
                   "ORDER BY i.started_at, i.id")                                                            \
                                                                                                             \
    /* what a doctor asks: by an index; or of a page of rows those that are not as they must be, and in the  \
     * last row how many were looked at, and the last of them */                                             \
    X(Q_EXAMINE_LEASES, "SELECT id, lease_until FROM @run WHERE state = 1 AND lease_until < $1::bigint "     \
                        "ORDER BY lease_until LIMIT $2::bigint")                                             \
    X(Q_EXAMINE_SCHEDULES, "SELECT id, next_at FROM @timer WHERE state = 0 AND next_at IS NOT NULL "         \
                           "AND next_at < $1::bigint ORDER BY next_at LIMIT $2::bigint")                     \
    X(Q_EXAMINE_RUNS, "SELECT id, due_at FROM @run WHERE state IN (0, 2) AND due_at < $1::bigint "           \
                      "ORDER BY due_at LIMIT $2::bigint")                                                    \
    X(Q_EXAMINE_NEXT,                                                                                        \
      "WITH page AS MATERIALIZED (SELECT id, state, next_at FROM @timer WHERE id > $1::uuid "                \
      "ORDER BY id LIMIT $2::bigint) SELECT p.id, NULL::bigint FROM page p WHERE p.state = 0 "               \
      "AND p.next_at IS NULL AND NOT EXISTS (SELECT 1 FROM @run r WHERE r.schedule_id = p.id "               \
      "AND r.state < 3)" EXAMINED)                                                                           \
    X(Q_EXAMINE_ORPHANS, "WITH page AS MATERIALIZED (SELECT id, schedule_id, state, doomed FROM @run "       \
                         "WHERE id > $1::uuid ORDER BY id LIMIT $2::bigint) SELECT p.id, NULL::bigint "      \
                         "FROM page p WHERE p.state < 3 AND NOT p.doomed AND NOT EXISTS (SELECT 1 "          \
                         "FROM @schedule s WHERE s.id = p.schedule_id)" EXAMINED)                            \
    X(Q_EXAMINE_WAITING, "WITH page AS MATERIALIZED (SELECT id, schedule_id, state, due_at FROM @run "       \
                         "WHERE id > $1::uuid ORDER BY id LIMIT $2::bigint) SELECT p.id, NULL::bigint "      \
                         "FROM page p WHERE p.state = 0 AND p.due_at IS NULL AND NOT EXISTS (SELECT 1 "      \
                         "FROM @run o WHERE o.schedule_id = p.schedule_id AND o.state < 3 "                  \
                         "AND (o.state <> 0 OR o.due_at IS NOT NULL))" EXAMINED)                             \
    /* Of the catalogue. Rights: a bit each. */                                                              \
    X(Q_INSPECT_TABLES,                                                                                      \
      "SELECT c.relname::text, has_table_privilege(c.oid, 'SELECT')::int "                                   \
      "+ 2 * has_table_privilege(c.oid, 'INSERT')::int + 4 * has_table_privilege(c.oid, 'UPDATE')::int "     \
      "+ 8 * has_table_privilege(c.oid, 'DELETE')::int, pg_has_role(c.relowner, 'USAGE') "                   \
      "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "                 \
      "WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') ORDER BY 1")                                   \
    X(Q_INSPECT_INDEXES,                                                                                     \
      "SELECT c.relname::text, i.indisvalid AND i.indisready FROM pg_catalog.pg_index i "                    \
      "JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "                                                  \
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text ORDER BY 1")      \
    X(Q_INSPECT_SERVER,                                                                                      \
      "SELECT current_user::text, pg_is_in_recovery(), "                                                     \
      "current_setting('default_transaction_read_only') = 'on', has_schema_privilege(n.oid, 'USAGE'), "      \
      "has_schema_privilege(n.oid, 'CREATE'), has_database_privilege(current_database(), 'CREATE') "         \
      "FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1::text")

#define X(name, text) name,
enum sql { SQL_LIST(X) Q_N };
#undef X

/* All texts with one schema filled in. */
struct sql_texts {
    const char *text[Q_N]; /* in .all */
    struct buf all;
};
/* `schema` must be what sql_schema_ok() lets pass. */
CHECKED enum err sql_texts_init(struct sql_texts *t, const char *schema, struct error *err);
void sql_texts_done(struct sql_texts *t);
const char *sql_name(enum sql q); /* "Q_PUT_NEW" */

/* Appends `text` with each @ replaced by the quoted schema and a dot. */
void sql_add(struct buf *out, const char *schema, const char *text);
/* Lower case letters, digits and _, no digit first, at most 40: it needs no care anywhere. */
bool sql_schema_ok(const char *schema);

#endif
