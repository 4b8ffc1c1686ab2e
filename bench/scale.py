"""scale.py: a million schedules next to a thousand: what must not grow with their number.

    bench/scale.py [postgres] [sqlite] [--schedules N]        both, 1,000,000 when nothing is said

Not a test: it prints, it does not judge. Needs the release build. The schedules are written past the service, as copies of
one that it registered itself; everything that is measured goes through it.
"""
import argparse
import contextlib
import datetime
import hashlib
import os
import pathlib
import sqlite3
import statistics
import sys
import tempfile
import time

from service import ROOT, Receiver, Service, running

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from many import KEY, Reads, multiply  # noqa: E402
from postgres_peer import Postgres  # noqa: E402

SMALL = 1000
FIRES = 2000
FIRES_S = 4


def iso(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def definition(key, url, at, application="bench"):
    return {
        "name": f"scale {key}",
        "client": {"operation": "bench", "application": application, "group": "scale", "key": str(key), "type": "bench"},
        "type": "date",
        "schedule": iso(at),
        "timezone": "Asia/Seoul",
        "task": {
            "type": "rest",
            "connection": {"host": url, "headers": {"Content-Type": "application/json", "accept": "*/*"}},
            "data": {"instanceName": "bench", "variables": {}},
            "failed_policy": "retry",
            "retry_wait": 1,
        },
    }


def template():
    """What is copied: due in a year."""
    return definition(KEY, "http://127.0.0.1:9/run", time.time() + 365 * 86400, "many")


def median_ms(service, path, times=21):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        service.client.must("GET", path)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def number(service, name):
    service.client.connection.request("GET", "/metrics")
    for line in service.client.connection.getresponse().read().decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise KeyError(name)


def claimed(service):
    return [number(service, f"carillon_engine_{n}_total") for n in ("claims", "claim_seconds")]


def fire(service, receiver):
    """FIRES of them, over FIRES_S seconds: (ms a claim, ms late in the middle)."""
    begin = time.time() + 3
    receiver.reset()
    service.client.register([definition(i, receiver.url, begin + i * FIRES_S / FIRES) for i in range(FIRES)])
    before = claimed(service)
    deadline = time.monotonic() + 60
    while (tally := receiver.tally())["distinct"] < FIRES and time.monotonic() < deadline:
        time.sleep(0.1)
    claims, seconds = (b - a for a, b in zip(before, claimed(service)))
    service.client.must("DELETE", "/schedules?application=bench")
    return seconds / max(1, claims) * 1000, tally["lateness_us"]["p50"] / 1000, tally["doubles"], FIRES - tally["distinct"]


def measure(count, database):
    """One line. `database.service()` starts a service over `count` schedules of the application "many", and
    `database.remark()` is what the database itself says of it."""
    began = time.perf_counter()
    service = database.service()
    ready = time.perf_counter() - began
    receiver = Receiver()
    with running(receiver, service):
        fresh = service.resident_kib()
        first = service.client.must("GET", "/schedules?application=many&limit=1")[0]["id"]
        pages = [median_ms(service, p) for p in ("/schedules", "/schedules?application=many", f"/schedules/{first}")]
        claim, late, doubles, lost = fire(service, receiver)
        rest = service.resident_kib()
    print(
        f"{count:>10} {ready:>9.2f} {pages[0]:>9.2f} {pages[1]:>9.2f} {pages[2]:>9.2f} {claim:>9.2f} {late:>9.2f}"
        f" {fresh / 1024:>9.1f} {rest / 1024:>9.1f}" + (f"  {doubles} doubles, {lost} lost" if doubles or lost else "")
    )
    print(f"{'':>10} {database.remark()}")
    sys.stdout.flush()


def header(what):
    print(f"{what}: ready (aim 2 s), lists, and {FIRES} fires within {FIRES_S} s beside so many schedules")
    print(
        f"{'schedules':>10} {'ready s':>9} {'page ms':>9} {'filter ms':>9} {'one ms':>9} {'claim ms':>9} {'late ms':>9}"
        f" {'MiB':>9} {'MiB after':>9}"
    )


class ManyInPostgres(Postgres):
    """A server of its own, asked past the service for what it has done."""

    def __init__(self):
        super().__init__(shared_buffers="256MB", max_wal_size="4GB")
        self.reads = None

    def start(self):
        super().start()
        self.version = self.ask("SHOW server_version")[0][0]

    def service(self):
        return Service({"CARILLON_DATABASE_URL": self.url})

    def fill(self, count):
        self.ask("DROP SCHEMA IF EXISTS carillon CASCADE")
        with running(self.service()) as (service,):
            service.client.register([template()])
        multiply(self, count)
        self.ask("VACUUM ANALYZE")
        self.reads = Reads(self)

    def remark(self):
        scans, fetched = self.reads.since()
        size = self.ask(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(oid))) FROM pg_class"
            " WHERE relnamespace = 'carillon'::regnamespace AND relkind = 'r'"
        )[0][0]
        return f"{scans} sequential scans, {fetched} rows fetched by index in all; tables and indexes {size}"


def bench_postgres(count):
    if not Postgres.available():
        print("postgres: not installed")
        return
    many = ManyInPostgres()
    try:
        header(f"postgres {many.version}")
        for n in (SMALL, count):
            many.fill(n)
            measure(n, many)
    finally:
        many.stop()


class ManyInSqlite:
    """One file, written past the service while none runs."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="carillon-scale-", dir=os.environ.get("CARILLON_BENCH_DIR"))
        self.path = pathlib.Path(self.folder.name) / "many.db"

    def service(self):
        return Service({"CARILLON_DATABASE_URL": f"sqlite:{self.path}"})

    def fill(self, count):
        for path in self.path.parent.iterdir():
            path.unlink()
        with running(self.service()) as (service,):
            service.client.register([template()])
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            for table, own in (("schedule", ("n", "id", "hash", "client_key")), ("timer", ("id",))):
                names = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "n"]
                row = db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchone()
                db.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
                    (self.copy(names, row, own, i) for i in range(1, count)),
                )
            db.execute("UPDATE tally SET n = ? WHERE state = 0", (count,))

    @staticmethod
    def copy(names, row, own, i):
        values = dict(zip(names, row))
        values["id"] = values["id"][:8] + i.to_bytes(8, "big")
        if "hash" in own:
            values["hash"] = hashlib.md5(str(i).encode()).digest()
            values["client_key"] = f"many {i}"
        return [values[n] for n in names]

    def remark(self):
        return f"file {self.path.stat().st_size / 1e6:.0f} MB"

    def stop(self):
        self.folder.cleanup()


def bench_sqlite(count):
    many = ManyInSqlite()
    try:
        header(f"sqlite {sqlite3.sqlite_version}")
        for n in sorted({SMALL, min(100 * SMALL, count), count}):
            many.fill(n)
            measure(n, many)
    finally:
        many.stop()


DATABASES = {"postgres": bench_postgres, "sqlite": bench_sqlite}


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("databases", nargs="*", metavar="DATABASE", help=", ".join(DATABASES))
    parser.add_argument("--schedules", type=int, default=1_000_000)
    asked = parser.parse_args(words)
    for name in asked.databases or DATABASES:
        DATABASES[name](asked.schedules)


if __name__ == "__main__":
    main(sys.argv[1:])
