/*
 * sql.h: every statement of the embedded store, in one place: (name, text). tests/unit/store/sqlite_plan.c
 * explains each of them and fails on a scan of a large table.
 *
 * INDEXED BY is a promise, not a hint: when the index could not serve, the statement would not compile. Terms
 * that repeat an index's WHERE must be spelled as it is spelled there. States are numbers: 0 active, 1
 * paused, 2 finished; runs: 0 pending, 1 running, 2 retrying, 3 succeeded, 5 dead; below 3 is open.
 */
#ifndef STORE_SQLITE_SQL_H
#define STORE_SQLITE_SQL_H

#include "store/journal.h"

#define TIMER_COLUMNS                                                                                        \
    "t.state, t.next_at, t.occurs_at, t.started_at, t.runs, t.missed_coalesced, t.missed_overlap, "          \
    "t.missed_misfire, t.missed_late, t.missed_paused, t.missed_window"
#define OPEN_RUNS                                                                                            \
    "(SELECT count(*) FROM run r INDEXED BY run_identity WHERE r.schedule_id = t.id AND r.state < 3)"
/* Both counts by one look: open ones, plus 2^32 for each that waits for its predecessor. */
#define OPEN_AND_WAITING                                                                                     \
    "(SELECT coalesce(sum(CASE WHEN r.state = 0 AND r.due_at IS NULL THEN 4294967297 ELSE 1 END), 0) "       \
    "FROM run r INDEXED BY run_identity WHERE r.schedule_id = t.id AND r.state < 3)"
#define HELD_AT                                                                                              \
    "(SELECT min(r.scheduled_at) FROM run r INDEXED BY run_identity WHERE r.schedule_id = t.id "             \
    "AND r.state < 3 AND r.scheduled_at >= t.occurs_at AND r.doomed)"
#define LEAVING                                                                                              \
    "(SELECT count(*) FROM run r INDEXED BY run_identity WHERE r.schedule_id = t.id AND r.state < 3 "        \
    "AND r.state = 1 AND r.version < s.version AND r.due_at > t.started_at)"
#define RECORD_COLUMNS                                                                                       \
    "s.id, s.version, s.created_at, s.updated_at, s.definition, " TIMER_COLUMNS                              \
    ", t.last_state, t.last_at, " OPEN_RUNS
/* The filter's members in the order of bind_filter(); NULL: any. */
#define MATCHES                                                                                              \
    "(?2 IS NULL OR s.operation = ?2) AND (?3 IS NULL OR s.application = ?3)"                                \
    " AND (?4 IS NULL OR s.client_group = ?4) AND (?5 IS NULL OR s.client_key = ?5)"                         \
    " AND (?6 IS NULL OR s.client_type = ?6) AND (?7 IS NULL OR substr(s.name, 1, length(?7)) = ?7)"         \
    " AND (?8 IS NULL OR t.state = ?8)"
#define BEHIND " AND s.id > ?1 ORDER BY s.id LIMIT ?9"
#define FILTER_PAGE " AND " MATCHES BEHIND
/* Looks at so many, and says which match. */
#define LOOK "SELECT s.id, " MATCHES
#define IN_ID " FROM schedule s INDEXED BY schedule_id CROSS JOIN timer t ON t.id = s.id WHERE 1"
#define IN_KEY                                                                                               \
    " FROM schedule s INDEXED BY schedule_identity CROSS JOIN timer t ON t.id = s.id"                        \
    " WHERE s.client_key = ?5"
#define IN_GROUP                                                                                             \
    " FROM schedule s INDEXED BY schedule_group CROSS JOIN timer t ON t.id = s.id"                           \
    " WHERE s.client_group = ?4 AND s.client_group <> ''"
#define IN_APPLICATION                                                                                       \
    " FROM schedule s INDEXED BY schedule_application CROSS JOIN timer t ON t.id = s.id"                     \
    " WHERE s.application = ?3 AND s.application <> ''"
#define IN_PAUSED                                                                                            \
    " FROM timer t INDEXED BY timer_paused CROSS JOIN schedule s ON s.id = t.id"                             \
    " WHERE t.state = 1 AND t.id > ?1"
#define BEHIND_PAUSED " ORDER BY t.id LIMIT ?9"
#define RUN_COLUMNS                                                                                          \
    "r.id, r.schedule_id, r.version, r.scheduled_at, r.due_at, r.state, r.attempt, r.failures, "             \
    "r.lease_token, r.lease_until, r.by_hand_at"
#define RUN_RECORD_COLUMNS RUN_COLUMNS ", r.started_at, r.ended_at, r.took_us, r.status, r.error"
#define LOG_RECORD_COLUMNS                                                                                   \
    "r.id, r.schedule_id, r.version, r.scheduled_at, NULL, r.state, r.attempt, r.failures, 0, 0, "           \
    "r.by_hand_at, r.started_at, r.ended_at, r.took_us, r.status, r.error"
/* ?1 before, ?2 state or NULL, ?3 limit, ?4 schedule. */
#define RUN_PAGE " AND r.id < ?1 AND (?2 IS NULL OR r.state = ?2) ORDER BY r.id DESC LIMIT ?3"

#define SQL_LIST(X)                                                                                          \
    X(Q_BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                      \
    X(Q_BEGIN_READ, "BEGIN")                                                                                 \
    X(Q_COMMIT, "COMMIT")                                                                                    \
    X(Q_ROLLBACK, "ROLLBACK")                                                                                \
    X(Q_PING, "SELECT 1 FROM meta WHERE key = 'schema_version'")                                             \
    X(Q_META_GET, "SELECT value FROM meta WHERE key = ?")                                                    \
    X(Q_META_SET, "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value") \
    X(Q_TALLY_ADD, "UPDATE tally SET n = n + ?2 WHERE state = ?1")                                           \
                                                                                                             \
    /* schedules */                                                                                          \
    X(Q_FIND_BY_IDENTITY,                                                                                    \
      "SELECT s.id, s.version, t.state, s.operation, s.application, s.client_group, s.client_key, "          \
      "s.client_type FROM schedule s INDEXED BY schedule_identity JOIN timer t ON t.id = s.id WHERE "        \
      "s.client_key = ? AND s.hash = ?")                                                                     \
    X(Q_FIND_BY_ID,                                                                                          \
      "SELECT s.id, s.version, t.state FROM schedule s INDEXED BY schedule_id JOIN timer t ON t.id = s.id "  \
      "WHERE s.id = ?")                                                                                      \
    X(Q_SCHEDULE_INSERT,                                                                                     \
      "INSERT INTO schedule (hash, operation, application, client_group, client_key, client_type, name, "    \
      "definition, updated_at, id, created_at, version) "                                                    \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, 1)")                                             \
    X(Q_SCHEDULE_UPDATE,                                                                                     \
      "UPDATE schedule SET hash = ?1, operation = ?2, application = ?3, client_group = ?4, client_key = "    \
      "?5, "                                                                                                 \
      "client_type = ?6, name = ?7, definition = ?8, updated_at = ?9, version = version + 1 WHERE id = ?10") \
    X(Q_SCHEDULE_TOUCH, "UPDATE schedule SET version = version + 1, updated_at = ? WHERE id = ?")            \
    X(Q_SCHEDULE_DELETE, "DELETE FROM schedule WHERE id = ?")                                                \
    X(Q_TIMER_DELETE, "DELETE FROM timer WHERE id = ?")                                                      \
    X(Q_SCHEDULE_KEEPS, "SELECT definition FROM schedule WHERE id = ?1 "                                     \
                        "AND (?2 OR instr(definition, '" DEFINITION_KEEPS "') > 0)")                         \
    X(Q_TIMER_INSERT,                                                                                        \
      "INSERT INTO timer (state, next_at, occurs_at, started_at, runs, missed_coalesced, missed_overlap, "   \
      "missed_misfire, missed_late, missed_paused, missed_window, finished_at, id) "                         \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, CASE WHEN ?1 = 2 THEN ?12 END, ?13)")           \
    X(Q_TIMER_UPDATE,                                                                                        \
      "UPDATE timer SET state = ?1, next_at = ?2, occurs_at = ?3, started_at = ?4, runs = ?5, "              \
      "missed_coalesced = ?6, missed_overlap = ?7, missed_misfire = ?8, missed_late = ?9, "                  \
      "missed_paused = ?10, missed_window = ?11, finished_at = CASE WHEN ?1 = 2 THEN coalesce(finished_at, " \
      "?12) END WHERE id = ?13")                                                                             \
    X(Q_TIMER_LAST, "UPDATE timer SET last_state = ?, last_at = ? WHERE id = ?")                             \
    X(Q_GET, "SELECT " RECORD_COLUMNS                                                                        \
             " FROM schedule s INDEXED BY schedule_id CROSS JOIN timer t ON t.id = s.id WHERE s.id = ?")     \
    X(Q_LIST_BY_ID, "SELECT " RECORD_COLUMNS IN_ID FILTER_PAGE)                                              \
    X(Q_LIST_BY_KEY, "SELECT " RECORD_COLUMNS IN_KEY FILTER_PAGE)                                            \
    X(Q_LIST_BY_GROUP, "SELECT " RECORD_COLUMNS IN_GROUP FILTER_PAGE)                                        \
    X(Q_LIST_BY_APPLICATION, "SELECT " RECORD_COLUMNS IN_APPLICATION FILTER_PAGE)                            \
    X(Q_LIST_BY_PAUSED, "SELECT " RECORD_COLUMNS IN_PAUSED " AND " MATCHES BEHIND_PAUSED)                    \
    X(Q_IDS_BY_ID, LOOK IN_ID BEHIND)                                                                        \
    X(Q_IDS_BY_KEY, LOOK IN_KEY BEHIND)                                                                      \
    X(Q_IDS_BY_GROUP, LOOK IN_GROUP BEHIND)                                                                  \
    X(Q_IDS_BY_APPLICATION, LOOK IN_APPLICATION BEHIND)                                                      \
    X(Q_IDS_BY_PAUSED, LOOK IN_PAUSED BEHIND_PAUSED)                                                         \
    X(Q_FINISHED, "SELECT t.id, EXISTS (SELECT 1 FROM run r INDEXED BY run_identity "                        \
                  "WHERE r.schedule_id = t.id AND r.state < 3) OR EXISTS (SELECT 1 FROM run r "              \
                  "INDEXED BY run_dead_schedule WHERE r.schedule_id = t.id AND r.state = 5) "                \
                  "FROM timer t INDEXED BY timer_finished "                                                  \
                  "WHERE t.state = 2 AND t.finished_at < ? ORDER BY t.finished_at LIMIT ?")                  \
    X(Q_FINISHED_KEEP, "UPDATE timer SET finished_at = ? WHERE id = ?")                                      \
    X(Q_STATS_SCHEDULES, "SELECT state, n FROM tally")                                                       \
    X(Q_STATS_WAITING,                                                                                       \
      "SELECT state, count(*) FROM run INDEXED BY run_due WHERE state IN (0, 2) GROUP BY state")             \
    X(Q_STATS_RUNNING, "SELECT 1, count(*) FROM run INDEXED BY run_lease WHERE state = 1")                   \
    X(Q_STATS_DEAD, "SELECT 5, count(*) FROM run INDEXED BY run_dead WHERE state = 5")                       \
                                                                                                             \
    /* ending what is open: deletion, replacement, pause, overlap replace */                                 \
    X(Q_OPEN_ANY, "SELECT 1 FROM run INDEXED BY run_identity WHERE schedule_id = ? AND state < 3 LIMIT 1")   \
    X(Q_CANCEL_TRACE, "SELECT id, scheduled_at, attempt, label FROM run INDEXED BY run_identity "            \
                      "WHERE schedule_id = ?1 AND state < 3 AND state <> 1 AND (label <> '' OR ?2)")         \
    X(Q_CANCEL_LOG,                                                                                          \
      "INSERT INTO run_log (id, schedule_id, version, scheduled_at, state, attempt, failures, started_at, "  \
      "ended_at, took_us, status, error, by_hand_at) "                                                       \
      "SELECT id, schedule_id, version, scheduled_at, 7, attempt, failures, "                                \
      "started_at, ?2, took_us, status, error, by_hand_at FROM run INDEXED BY run_identity "                 \
      "WHERE schedule_id = ?1 AND state < 3 AND state <> 1")                                                 \
    X(Q_CANCEL_DELETE,                                                                                       \
      "DELETE FROM run INDEXED BY run_identity WHERE schedule_id = ? AND state < 3 AND state <> 1")          \
    X(Q_DOOM,                                                                                                \
      "UPDATE run INDEXED BY run_identity SET doomed = 1 WHERE schedule_id = ? AND state < 3 AND state = 1") \
                                                                                                             \
    /* claiming */                                                                                           \
    X(Q_DUE, "SELECT s.id, s.version, s.definition, " TIMER_COLUMNS ", " OPEN_AND_WAITING ", " LEAVING       \
             ", " HELD_AT " FROM timer t INDEXED BY timer_due CROSS JOIN schedule s ON s.id = t.id"          \
             " WHERE t.state = 0 AND t.next_at IS NOT NULL AND t.next_at <= ? ORDER BY t.next_at LIMIT ?")   \
    X(Q_RUN_INSERT,                                                                                          \
      "INSERT INTO run (id, schedule_id, version, scheduled_at, due_at, state, attempt, failures, "          \
      "lease_token, lease_until, by_hand_at, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "            \
      "ON CONFLICT (schedule_id, scheduled_at) WHERE state < 3 DO NOTHING")                                  \
    X(Q_RETAKE_DUE,                                                                                          \
      "SELECT " RUN_COLUMNS                                                                                  \
      ", r.doomed, s.definition, r.label, r.started_at IS NULL, s.version FROM run r INDEXED BY run_due "    \
      "LEFT JOIN schedule s ON s.id = r.schedule_id "                                                        \
      "WHERE r.state IN (0, 2) AND r.due_at <= ? ORDER BY r.due_at LIMIT ?")                                 \
    X(Q_RETAKE_LOST,                                                                                         \
      "SELECT " RUN_COLUMNS                                                                                  \
      ", r.doomed, s.definition, r.label, r.started_at IS NULL, s.version FROM run r INDEXED BY run_lease "  \
      "LEFT JOIN schedule s ON s.id = r.schedule_id "                                                        \
      "WHERE r.state = 1 AND r.lease_until < ? ORDER BY r.lease_until LIMIT ?")                              \
    X(Q_OWE, "UPDATE run INDEXED BY run_identity SET doomed = 2 WHERE schedule_id = ? AND state < 3 "        \
             "AND scheduled_at = ? AND doomed")                                                              \
    X(Q_RETAKE, "UPDATE run SET doomed = 0, version = ?, state = 1, attempt = attempt + 1, lease_owner = "   \
                "?, lease_token = ?, lease_until = ? "                                                       \
                "WHERE id = ?")                                                                              \
    X(Q_NEXT_DUE,                                                                                            \
      "SELECT (SELECT next_at FROM timer INDEXED BY timer_due WHERE state = 0 AND next_at IS NOT NULL "      \
      "ORDER BY next_at LIMIT 1), "                                                                          \
      "(SELECT due_at FROM run INDEXED BY run_due WHERE state IN (0, 2) AND due_at IS NOT NULL "             \
      "ORDER BY due_at LIMIT 1), "                                                                           \
      "(SELECT lease_until FROM run INDEXED BY run_lease WHERE state = 1 ORDER BY lease_until LIMIT 1)")     \
                                                                                                             \
    /* completing */                                                                                         \
    X(Q_RUN_GET, "SELECT " RUN_COLUMNS ", r.doomed, r.started_at FROM run r WHERE r.id = ?")                 \
    X(Q_RUN_DELETE, "DELETE FROM run WHERE id = ?")                                                          \
    X(Q_LOG_INSERT,                                                                                          \
      "INSERT INTO run_log (id, schedule_id, version, scheduled_at, state, attempt, failures, started_at, "  \
      "ended_at, took_us, status, error, by_hand_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")        \
    X(Q_RUN_KEEP,                                                                                            \
      "UPDATE run SET doomed = CASE WHEN ?1 = 0 THEN 0 ELSE doomed END, "                                    \
      "version = CASE WHEN doomed AND ?1 = 0 THEN (SELECT s.version FROM schedule s INDEXED BY schedule_id " \
      "WHERE s.id = schedule_id) ELSE version END, "                                                         \
      "state = ?1, due_at = ?2, attempt = ?3, failures = ?4, started_at = ?5, ended_at = "                   \
      "?6, "                                                                                                 \
      "took_us = CASE WHEN ?7 THEN ?8 ELSE took_us END, status = CASE WHEN ?7 THEN ?9 ELSE status END, "     \
      "error = CASE WHEN ?7 THEN ?10 ELSE error END, lease_owner = NULL, lease_token = 0, lease_until = 0 "  \
      "WHERE id = ?11")                                                                                      \
    X(Q_TIMER_AT_END, "SELECT " TIMER_COLUMNS ", " OPEN_AND_WAITING " FROM timer t WHERE t.id = ?")          \
    X(Q_RELEASE, "UPDATE run SET due_at = ?2 WHERE id = (SELECT id FROM run INDEXED BY run_identity "        \
                 "WHERE schedule_id = ?1 AND state < 3 AND state = 0 AND due_at IS NULL ORDER BY "           \
                 "scheduled_at LIMIT 1)")                                                                    \
    X(Q_RENEW, "UPDATE run SET lease_until = ? WHERE id = ? AND lease_token = ? AND state = 1")              \
                                                                                                             \
    /* runs as lists show them */                                                                            \
    X(Q_RUN_OPEN_ONE, "SELECT " RUN_RECORD_COLUMNS " FROM run r WHERE r.id = ?")                             \
    X(Q_RUN_LOG_ONE, "SELECT " LOG_RECORD_COLUMNS " FROM run_log r WHERE r.id = ?")                          \
    X(Q_RUNS_ALL, "SELECT " RUN_RECORD_COLUMNS " FROM run r WHERE 1" RUN_PAGE)                               \
    X(Q_RUNS_WAITING,                                                                                        \
      "SELECT " RUN_RECORD_COLUMNS " FROM run r INDEXED BY run_due WHERE r.state IN (0, 2)" RUN_PAGE)        \
    X(Q_RUNS_RUNNING,                                                                                        \
      "SELECT " RUN_RECORD_COLUMNS " FROM run r INDEXED BY run_lease WHERE r.state = 1" RUN_PAGE)            \
    X(Q_RUNS_DEAD,                                                                                           \
      "SELECT " RUN_RECORD_COLUMNS " FROM run r INDEXED BY run_dead WHERE r.state = 5" RUN_PAGE)             \
    X(Q_RUNS_OPEN_OF, "SELECT " RUN_RECORD_COLUMNS " FROM run r INDEXED BY run_identity "                    \
                      "WHERE r.schedule_id = ?4 AND r.state < 3" RUN_PAGE)                                   \
    X(Q_RUNS_DEAD_OF, "SELECT " RUN_RECORD_COLUMNS " FROM run r INDEXED BY run_dead_schedule "               \
                      "WHERE r.schedule_id = ?4 AND r.state = 5" RUN_PAGE)                                   \
    X(Q_LOG_ALL, "SELECT " LOG_RECORD_COLUMNS " FROM run_log r WHERE 1" RUN_PAGE)                            \
    X(Q_LOG_OTHER, "SELECT " LOG_RECORD_COLUMNS " FROM run_log r INDEXED BY run_log_other "                  \
                   "WHERE r.state = ?2 AND r.state <> 3" RUN_PAGE)                                           \
    X(Q_LOG_OF, "SELECT " LOG_RECORD_COLUMNS " FROM run_log r INDEXED BY run_log_schedule "                  \
                "WHERE r.schedule_id = ?4" RUN_PAGE)                                                         \
                                                                                                             \
    /* by hand */                                                                                            \
    X(Q_IDENTITY_OPEN, "SELECT 1 FROM run INDEXED BY run_identity WHERE schedule_id = ? AND state < 3 "      \
                       "AND scheduled_at = ?")                                                               \
    X(Q_REDRIVE, "UPDATE run SET state = 0, due_at = ?2, version = ?3, failures = 0, doomed = 0, "           \
                 "by_hand_at = ?2, ended_at = NULL WHERE id = ?1")                                           \
    X(Q_TIMES_OPEN, "SELECT scheduled_at FROM run INDEXED BY run_identity WHERE schedule_id = ?1 "           \
                    "AND state < 3 AND scheduled_at >= ?2 AND scheduled_at < ?3")                            \
    X(Q_TIMES_DEAD, "SELECT scheduled_at FROM run INDEXED BY run_dead_schedule WHERE schedule_id = ?1 "      \
                    "AND state = 5 AND scheduled_at >= ?2 AND scheduled_at < ?3")                            \
    X(Q_TIMES_LOG, "SELECT scheduled_at FROM run_log INDEXED BY run_log_schedule WHERE schedule_id = ?1 "    \
                   "AND id >= ?4 AND state NOT IN (6, 7) AND scheduled_at >= ?2 AND scheduled_at < ?3")      \
    X(Q_OPEN_COUNT, "SELECT " OPEN_AND_WAITING " FROM timer t WHERE t.id = ?")                               \
                                                                                                             \
    /* answers that are given again */                                                                       \
    X(Q_ANSWER_GET, "SELECT request, at, text FROM answer INDEXED BY answer_key WHERE key = ?")              \
    X(Q_ANSWER_PUT, "INSERT INTO answer (key, request, at, text) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) " \
                    "DO UPDATE SET request = excluded.request, at = excluded.at, text = excluded.text")      \
    X(Q_ANSWER_TRIM, "DELETE FROM answer WHERE n IN (SELECT n FROM answer INDEXED BY answer_at "             \
                     "WHERE at < ? ORDER BY at LIMIT ?)")                                                    \
    X(Q_CLEAR_DEAD,                                                                                          \
      "DELETE FROM run WHERE id IN (SELECT id FROM run INDEXED BY run_dead WHERE state = 5 LIMIT ?)")        \
    X(Q_CLEAR_LOG,                                                                                           \
      "DELETE FROM run_log WHERE id IN (SELECT id FROM run_log WHERE id > x'' ORDER BY id LIMIT ?)")         \
    X(Q_CLEAR_ANSWERS,                                                                                       \
      "DELETE FROM answer WHERE n IN (SELECT n FROM answer WHERE n > 0 ORDER BY n LIMIT ?)")                 \
                                                                                                             \
    /* moving to and from another database */                                                                \
    X(Q_MOVED_OPEN,                                                                                          \
      "SELECT " RUN_RECORD_COLUMNS ", r.doomed FROM run r INDEXED BY run_identity WHERE r.state < 3 "        \
      "AND (r.schedule_id, r.scheduled_at) > (?1, ?2) ORDER BY r.schedule_id, r.scheduled_at LIMIT ?3")      \
    X(Q_MOVED_DEAD,                                                                                          \
      "SELECT " RUN_RECORD_COLUMNS ", r.doomed FROM run r INDEXED BY run_dead_schedule WHERE r.state = 5 "   \
      "AND (r.schedule_id, r.id) > (?1, ?2) ORDER BY r.schedule_id, r.id LIMIT ?3")                          \
    X(Q_MOVED_BUSY, "SELECT 1 FROM run r INDEXED BY run_identity WHERE r.schedule_id IN (?1, ?2) "           \
                    "AND r.state < 3 AND r.state = 1 AND r.lease_until > ?3 LIMIT 1")                        \
    X(Q_MOVED_SCHEDULE,                                                                                      \
      "INSERT INTO schedule (id, hash, operation, application, client_group, client_key, client_type, "      \
      "name, definition, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")      \
    X(Q_MOVED_RUN,                                                                                           \
      "INSERT INTO run (id, schedule_id, version, scheduled_at, due_at, state, attempt, failures, "          \
      "lease_token, by_hand_at, label, doomed, started_at, ended_at, took_us, status, error) "               \
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")                   \
    X(Q_LOG_HAS, "SELECT 1 FROM run_log WHERE id = ?")                                                       \
    X(Q_LOG_DELETE, "DELETE FROM run_log WHERE id = ?")                                                      \
                                                                                                             \
    /* events on their way to the history database */                                                        \
    X(Q_RUN_TRACE, "SELECT schedule_id, scheduled_at, attempt, label FROM run "                              \
                   "WHERE id = ?1 AND (label <> '' OR ?2)")                                                  \
    X(Q_OUTBOX_ADD, "INSERT INTO history_outbox (event) VALUES (?)")                                         \
    X(Q_OUTBOX_TAKE, "SELECT n, event FROM history_outbox WHERE n > ? ORDER BY n LIMIT ?")                   \
    X(Q_OUTBOX_REMOVE, "DELETE FROM history_outbox WHERE n = ?")                                             \
    X(Q_OUTBOX_SIZE, "SELECT (SELECT n FROM history_outbox WHERE n > 0 ORDER BY n DESC LIMIT 1) - "          \
                     "(SELECT n FROM history_outbox WHERE n > 0 ORDER BY n LIMIT 1) + 1")                    \
                                                                                                             \
    /* the history database */                                                                               \
    X(Q_HISTORY_ADD, "INSERT INTO history (id, schedule_id, kind, event) VALUES (?, ?, ?, ?) "               \
                     "ON CONFLICT (id) DO NOTHING")                                                          \
    X(Q_HISTORY_LIST, "SELECT h.id, h.event FROM history h WHERE h.id < ?1 AND h.id >= ?2"                   \
                      " ORDER BY h.id DESC LIMIT ?3")                                                        \
    X(Q_HISTORY_LIST_KIND, "SELECT h.id, h.event FROM history h WHERE h.id < ?1 AND h.id >= ?2"              \
                           " AND h.kind = ?4 ORDER BY h.id DESC LIMIT ?3")                                   \
    X(Q_HISTORY_LIST_RARE, "SELECT h.id, h.event FROM history h INDEXED BY history_kind"                     \
                           " WHERE h.kind = ?4 AND h.kind NOT IN (6, 9) AND h.id < ?1 AND h.id >= ?2"        \
                           " ORDER BY h.id DESC LIMIT ?3")                                                   \
    X(Q_HISTORY_OF, "SELECT h.id, h.event FROM history h INDEXED BY history_schedule"                        \
                    " WHERE h.schedule_id = ?5 AND h.id < ?1 AND h.id >= ?2 ORDER BY h.id DESC LIMIT ?3")    \
    X(Q_HISTORY_OF_KIND, "SELECT h.id, h.event FROM history h INDEXED BY history_schedule"                   \
                         " WHERE h.schedule_id = ?5 AND h.id < ?1 AND h.id >= ?2 AND h.kind = ?4"            \
                         " ORDER BY h.id DESC LIMIT ?3")                                                     \
    X(Q_HISTORY_OF_RARE, "SELECT h.id, h.event FROM history h INDEXED BY history_schedule_kind"              \
                         " WHERE h.schedule_id = ?5 AND h.kind = ?4 AND h.kind NOT IN (6, 9)"                \
                         " AND h.id < ?1 AND h.id >= ?2 ORDER BY h.id DESC LIMIT ?3")                        \
    X(Q_HISTORY_TRIM,                                                                                        \
      "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE id < ? ORDER BY id LIMIT ?)")           \
                                                                                                             \
    /* upkeep */                                                                                             \
    X(Q_TRIM_OK, "DELETE FROM run_log WHERE id IN (SELECT id FROM run_log INDEXED BY run_log_ok "            \
                 "WHERE state = 3 AND ended_at < ? ORDER BY ended_at LIMIT ?)")                              \
    X(Q_TRIM_OTHER,                                                                                          \
      "DELETE FROM run_log WHERE id IN (SELECT id FROM run_log INDEXED BY run_log_other_ended "              \
      "WHERE state <> 3 AND ended_at < ? ORDER BY ended_at LIMIT ?)")                                        \
                                                                                                             \
    /* what a doctor asks: by an index, or a page of rows and which of them are not as they must be */       \
    X(Q_EXAMINE_LEASES, "SELECT id, lease_until FROM run INDEXED BY run_lease "                              \
                        "WHERE state = 1 AND lease_until < ? ORDER BY lease_until LIMIT ?")                  \
    X(Q_EXAMINE_SCHEDULES, "SELECT id, next_at FROM timer INDEXED BY timer_due WHERE state = 0 "             \
                           "AND next_at IS NOT NULL AND next_at < ? ORDER BY next_at LIMIT ?")               \
    X(Q_EXAMINE_RUNS, "SELECT id, due_at FROM run INDEXED BY run_due "                                       \
                      "WHERE state IN (0, 2) AND due_at < ? ORDER BY due_at LIMIT ?")                        \
    X(Q_EXAMINE_NEXT, "SELECT t.id, t.state = 0 AND t.next_at IS NULL AND NOT EXISTS (SELECT 1 FROM run r "  \
                      "INDEXED BY run_identity WHERE r.schedule_id = t.id AND r.state < 3) "                 \
                      "FROM timer t WHERE t.id > ? ORDER BY t.id LIMIT ?")                                   \
    X(Q_EXAMINE_ORPHANS, "SELECT r.id, r.state < 3 AND NOT r.doomed AND NOT EXISTS (SELECT 1 "               \
                         "FROM schedule s INDEXED BY schedule_id WHERE s.id = r.schedule_id) "               \
                         "FROM run r WHERE r.id > ? ORDER BY r.id LIMIT ?")                                  \
    X(Q_EXAMINE_WAITING, "SELECT r.id, r.state = 0 AND r.due_at IS NULL AND NOT EXISTS (SELECT 1 "           \
                         "FROM run o INDEXED BY run_identity WHERE o.schedule_id = r.schedule_id "           \
                         "AND o.state < 3 AND (o.state <> 0 OR o.due_at IS NOT NULL)) "                      \
                         "FROM run r WHERE r.id > ? ORDER BY r.id LIMIT ?")

#define X(name, text) name,
enum sql { SQL_LIST(X) Q_N };
#undef X

/* The text of statement `q`. */
const char *sql_text(enum sql q);

#endif
