"""cluster.py: several instances over one PostgreSQL, on this machine: registering, firing, and what both cost the database."""
import contextlib
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


def instance(postgres):
    return Service({"CARILLON_DATABASE_URL": postgres.url})


def attempts(service):
    service.client.connection.request("GET", "/metrics")
    text = service.client.connection.getresponse().read().decode()
    return sum(float(n) for n in re.findall(r"^carillon_attempts_total\{.*\} ([0-9.e+]+)$", text, re.M))


def bench_register(postgres, wrk, seconds=5):
    print(f"{'connections':>12} {'registered/s':>13} {'p50':>9} {'p99':>9} {'statements':>11} {'WAL bytes':>10}  each")
    for connections in (1, 64, 256):
        postgres.fresh()
        service = instance(postgres)
        with running(service):
            before = postgres.spent()
            put = wrk(f"{service.url}/schedules", connections, seconds, "register.lua")
            spent = [b - a for a, b in zip(before, postgres.spent())]
        made = put["per_s"] * seconds
        print(
            f"{connections:>12} {put['per_s']:>13.0f} {put['p50']:>9} {put['p99']:>9}"
            f" {spent[0] / made:>11.2f} {spent[1] / made:>10.0f}"
        )


def bench_fires(postgres, definition, iso, wait_for, count):
    print(f"{'instances':>12} {'fires/s':>13} {'doubles':>9} {'shares':>15} {'statements':>11} {'WAL bytes':>10}  each")
    for number in (1, 2, 4):
        postgres.fresh()
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(running(Receiver()))[0]
            services = [stack.enter_context(running(instance(postgres)))[0] for _ in range(number)]
            begin = time.time() + 6 + count / 5000
            services[0].client.register([definition(i, receiver.url, "date", iso(begin)) for i in range(count)])
            while time.time() < begin - 2:
                time.sleep(0.1)
            before = postgres.spent()
            tally = wait_for(receiver, count, 180)
            took = (tally["last_us"] - tally["first_us"]) / 1e6
            time.sleep(1)  # the last outcomes are written
            spent = [b - a for a, b in zip(before, postgres.spent())]
            shares = sorted(attempts(s) / count for s in services)
        print(
            f"{number:>12} {tally['distinct'] / took:>13.0f} {tally['doubles']:>9} {shares[0]:>7.0%}-{shares[-1]:<7.0%}"
            f" {spent[0] / count:>11.2f} {spent[1] / count:>10.0f}"
        )


def bench_postgres(wrk, definition, iso, wait_for, count=40000):
    if not Postgres.available():
        print("postgres: not installed")
        return
    postgres = Watched()
    try:
        version = postgres.ask("SHOW server_version")[0][0]
        print(f"postgres {version}: durable POST /schedules a second of one instance")
        bench_register(postgres, wrk)
        print(f"postgres {version}: {count} schedules due at one instant (aim 5000 a second)")
        bench_fires(postgres, definition, iso, wait_for, count)
    finally:
        postgres.stop()
