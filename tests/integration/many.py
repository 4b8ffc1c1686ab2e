"""Many schedules in a PostgreSQL, written past the service as copies of one that it registered itself."""

import time

STEP = 100_000
# Whose client key is this is copied; where the definition says it, the copies say their own.
KEY = "KEY"

# A copy differs by its key, its hash and a later id; all are due a millisecond apart.
SCHEDULES = """
INSERT INTO carillon.schedule (id, hash, version, created_at, updated_at, operation, application, client_group,
  client_key, client_type, name, definition)
SELECT overlay(s.id::text PLACING lpad(to_hex(i), 12, '0') FROM 25)::uuid, md5('many' || i)::uuid, s.version,
  s.created_at, s.updated_at, s.operation, s.application, s.client_group, 'key' || i, s.client_type, s.name,
  replace(s.definition, '{key}', 'key' || i)
FROM carillon.schedule s, generate_series({first}, {last}) i WHERE s.client_key = '{key}'
"""
TIMERS = """
INSERT INTO carillon.timer SELECT (jsonb_populate_record(t, jsonb_build_object('id', s.id,
  'next_at', t.next_at + i * 1000))).*
FROM carillon.timer t JOIN carillon.schedule k ON k.id = t.id AND k.client_key = '{key}', generate_series({first}, {last}) i
JOIN carillon.schedule s ON s.client_key = 'key' || i
"""
READS = """
SELECT sum(coalesce(seq_scan, 0)), sum(coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables
WHERE schemaname = 'carillon' AND (relname IN ('schedule', 'timer', 'run') OR relname LIKE 'run_log%')
"""


def multiply(postgres, count):
    """Makes `count` copies and takes the one away that they are copies of. No instance may be running."""
    for first in range(1, count + 1, STEP):
        bounds = {"key": KEY, "first": first, "last": min(first + STEP - 1, count)}
        postgres.ask(SCHEDULES.format(**bounds))
        postgres.ask(TIMERS.format(**bounds))
    one = f"(SELECT id FROM carillon.schedule WHERE client_key = '{KEY}')"
    postgres.ask(f"DELETE FROM carillon.timer WHERE id IN {one}")
    postgres.ask(f"DELETE FROM carillon.schedule WHERE client_key = '{KEY}'")
    postgres.ask(f"UPDATE carillon.tally SET n = {count} WHERE state = 0")


class Reads:
    """How the tables that grow are read between two moments: by the database's own counts."""

    def __init__(self, postgres):
        self.postgres = postgres
        self._before = self._now()

    def _now(self):
        """Backends tell their counts when a transaction ends, but at most once a second, and at the latest when
        they are idle for ten; so it is asked until nothing moves."""
        last = None
        while (now := [int(n) for n in self.postgres.ask(READS)[0]]) != last:
            last = now
            time.sleep(1.2)
        return now

    def since(self):
        """(sequential scans, rows that index scans fetched)"""
        return tuple(b - a for a, b in zip(self._before, self._now()))
