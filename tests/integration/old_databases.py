"""Databases as earlier versions left them, one for each schema version there was: tests/integration/old/*.sql.

    old_databases.py BINARY    writes those of the version that BINARY is: to be done before a migration is added

Each is what a `kill -9` left of an instance that had a schedule in every state that an upgrade must carry over. What is
owed by it is told below, and test_upgrade.py lets a newer binary pay it.
"""

import datetime
import os
import pathlib
import sqlite3
import sys
import tempfile
import threading
import time

from harness import Carillon, definition, wait_until
from postgres_peer import Postgres, bin_folder
from receiver import Receiver, answer, hold

FOLDER = pathlib.Path(__file__).resolve().parent / "old"
# Stands in the dumps for the receiver of whoever loads one.
TARGET = "http://target.invalid"
# {path: how often it is to come when the database is opened again}: once for whatever was missed but the three seconds of
# the cron, and nothing for what is paused or dead.
OWED = {"/date": 1, "/delay": 1, "/cron": 3, "/retrying": 1, "/running": 1}
SILENT = ("/paused", "/dead")


def _register(carillon, url):
    """All of it, with what is to come a few seconds ahead, so that it is still to come when the instance is killed."""
    ahead = int(time.time()) + 8

    def at(seconds):
        return datetime.datetime.fromtimestamp(ahead + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def make(name, *words, **members):
        return carillon.api.register(definition(f"{url}/{name}", *words, key=name, **members))["id"]

    # For years: the dumps grow old.
    retry = {"failed_policy": "retry", "max_retry_count": 3, "retry_wait": 60, "retry_for": 20 * 365 * 86400}
    make("date", "date", at(0))
    make("delay", "delay", "8")
    window = {"start_at": at(0), "end_at": at(2), "misfire": "all", "overlap": "allow"}
    make("cron", "cron", "* * * * * *", **window)
    paused = make("paused", "date", at(0))
    assert carillon.api.post(f"/schedules/{paused}/pause").status == 200
    make("finished", "now")
    make("retrying", "now", task=retry)
    make("dead", "now", task={"failed_policy": "retry_dlq", "max_retry_count": 0})
    make("running", "now")
    return ahead


def _fill(carillon, receiver):
    """Leaves it killed, with each run in the state that it is named for."""
    go_on = threading.Event()
    for path in ("/retrying", "/dead"):
        receiver.rule(path, answer(500))
    receiver.rule("/running", hold(go_on))
    ahead = _register(carillon, receiver.url)
    for path in ("/finished", "/retrying", "/dead", "/running"):
        receiver.wait_for(1, path)
    for state in ("dead", "retrying", "running"):
        wait_until(lambda s=state: len(carillon.api.get("/runs", query={"state": s}).json()) == 1, f"one is {state}")
    carillon.kill9()
    assert time.time() < ahead - 1, "too slow: something has fired"
    go_on.set()


def _write(kind, version, text, receiver):
    path = FOLDER / f"{kind}-{version}.sql"
    path.write_text(text.replace(receiver.url, TARGET))
    print(path)


def _dump_sqlite(folder, receiver):
    one = Carillon(folder / "sqlite").start()
    _fill(one, receiver)
    base = sqlite3.connect(one.folder / "carillon.db")
    version = base.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()[0]
    _write("sqlite", version, "\n".join(base.iterdump()) + "\n", receiver)
    base.close()


def _dump_postgres(folder, receiver):
    postgres = Postgres()
    try:
        settings = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_SERVER_INSTANCE": "old"}
        one = Carillon(folder / "postgres", settings).start()
        _fill(one, receiver)
        version = postgres.ask("SELECT value FROM carillon.meta WHERE key = 'schema_version'")[0][0]
        words = ["--schema=carillon", "--inserts", "--no-owner", "--no-comments", "-d", postgres.url]
        done = postgres._run([bin_folder() / "pg_dump", *words])
        done.check_returncode()
        # Commands of psql's own are about who may restore, and a search path is not ours to set.
        lines = [s for s in done.stdout.splitlines() if s and not s.startswith(("\\", "--", "SELECT pg_catalog.set_config"))]
        _write("postgres", version, "\n".join(lines) + "\n", receiver)
    finally:
        postgres.stop()


def text_of(kind, version, url):
    return (FOLDER / f"{kind}-{version}.sql").read_text().replace(TARGET, url)


def versions(kind):
    return sorted(int(p.stem.rpartition("-")[2]) for p in FOLDER.glob(f"{kind}-*.sql"))


if __name__ == "__main__":
    os.environ["CARILLON_BIN"] = str(pathlib.Path(sys.argv[1]).resolve())
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as where:
        for dump in (_dump_sqlite, _dump_postgres):
            target = Receiver()
            dump(pathlib.Path(where), target)
            target.close()
