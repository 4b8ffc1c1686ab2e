"""cluster.py: SQLite, and several instances over one PostgreSQL, on this machine: registering, firing, and what both cost the
database.

Statements and bytes of WAL are PostgreSQL's own counts. SQLite counts neither: for it, commits of the service's writer and
bytes that its process wrote to disk (the WAL and its checkpoints) stand in their places.
"""
import contextlib
import pathlib
import re
import sys
import time

from service import ROOT, Receiver, Service, running

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from postgres_peer import Postgres  # noqa: E402


class Watched(Postgres):
    """A server that counts statements."""

    def __init__(self):
        super().__init__(shared_preload_libraries="pg_stat_statements", shared_buffers="512MB", max_wal_size="4GB")
        self.ask("CREATE EXTENSION pg_stat_statements")

    def fresh(self):
        self.ask("DROP SCHEMA IF EXISTS carillon CASCADE")

    def spent(self):
        """(statements, bytes of WAL) so far."""
        row = self.ask(
            "SELECT (SELECT sum(calls) FROM pg_stat_statements), pg_current_wal_lsn() - '0/0'"
        )[0]
        return int(row[0] or 0), int(row[1])


    def instance(self):
        return Service({"CARILLON_DATABASE_URL": self.url})


class Embedded:
    """SQLite behind the same questions: one instance, whose own files go with it."""

    def __init__(self):
        self.service = None

    def fresh(self):
        self.service = None

    def instance(self):
        self.service = Service()
        return self.service

    def spent(self):
        """(commits, bytes written to disk) so far."""
        commits = metric(self.service, r"^carillon_lane_commits_total\{lane=\"writer\"\} ([0-9.e+]+)$")
        text = pathlib.Path(f"/proc/{self.service.process.pid}/io").read_text()
        return int(commits), int(re.search(r"^write_bytes: (\d+)", text, re.M).group(1))


def metric(service, pattern):
    service.client.connection.request("GET", "/metrics")
    text = service.client.connection.getresponse().read().decode()
    return sum(float(n) for n in re.findall(pattern, text, re.M))


def attempts(service):
    return metric(service, r"^carillon_attempts_total\{.*\} ([0-9.e+]+)$")


def bench_register(database, wrk, of_what, seconds=5):
    print(f"{'connections':>12} {'registered/s':>13} {'p50':>9} {'p99':>9} {of_what[0]:>11} {of_what[1]:>10}  each")
    for connections in (1, 64, 256):
        database.fresh()
        service = database.instance()
        with running(service):
            before = database.spent()
            put = wrk(f"{service.url}/schedules", connections, seconds, "register.lua")
            spent = [b - a for a, b in zip(before, database.spent())]
        made = put["per_s"] * seconds
        print(
            f"{connections:>12} {put['per_s']:>13.0f} {put['p50']:>9} {put['p99']:>9}"
            f" {spent[0] / made:>11.2f} {spent[1] / made:>10.0f}"
        )


def bench_fires(database, definition, iso, wait_for, count, of_what, numbers):
    print(f"{'instances':>12} {'fires/s':>13} {'doubles':>9} {'shares':>15} {of_what[0]:>11} {of_what[1]:>10}  each")
    for number in numbers:
        database.fresh()
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(running(Receiver()))[0]
            services = [stack.enter_context(running(database.instance()))[0] for _ in range(number)]
            begin = time.time() + 6 + count / 5000
            services[0].client.register([definition(i, receiver.url, "date", iso(begin)) for i in range(count)])
            while time.time() < begin - 2:
                time.sleep(0.1)
            before = database.spent()
            tally = wait_for(receiver, count, 180)
            took = (tally["last_us"] - tally["first_us"]) / 1e6
            time.sleep(1)  # the last outcomes are written
            spent = [b - a for a, b in zip(before, database.spent())]
            shares = sorted(attempts(s) / count for s in services)
        print(
            f"{number:>12} {tally['distinct'] / took:>13.0f} {tally['doubles']:>9} {shares[0]:>7.0%}-{shares[-1]:<7.0%}"
            f" {spent[0] / count:>11.2f} {spent[1] / count:>10.0f}"
        )


def bench_sqlite(wrk, definition, iso, wait_for, count=40000):
    of_what = ("commits", "disk bytes")
    print("sqlite: durable POST /schedules a second")
    bench_register(Embedded(), wrk, of_what)
    print(f"sqlite: {count} schedules due at one instant (aim 8000 a second)")
    bench_fires(Embedded(), definition, iso, wait_for, count, of_what, (1,))


def bench_postgres(wrk, definition, iso, wait_for, count=40000):
    if not Postgres.available():
        print("postgres: not installed")
        return
    of_what = ("statements", "WAL bytes")
    postgres = Watched()
    try:
        version = postgres.ask("SHOW server_version")[0][0]
        print(f"postgres {version}: durable POST /schedules a second of one instance")
        bench_register(postgres, wrk, of_what)
        print(f"postgres {version}: {count} schedules due at one instant (aim 5000 a second)")
        bench_fires(postgres, definition, iso, wait_for, count, of_what, (1, 2, 4))
    finally:
        postgres.stop()
