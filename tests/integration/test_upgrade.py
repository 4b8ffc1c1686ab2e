"""From one version to the next, while the load goes on: the previous version and the next side by side, and nothing is lost.

The next version is tests/next: this service with one more step of the schema. The previous one is the binary under test;
CARILLON_PREVIOUS_BIN=PATH (the last release's, say) puts that in its place and the binary under test in the next one's.
Databases that earlier versions left are in old/, see old_databases.py.
"""

import concurrent.futures
import os
import sqlite3
import subprocess
import time

import pytest

from harness import binary, definition, wait_until
from kafka_peer import build_folder
from old_databases import OWED, SILENT, text_of, versions
from postgres_peer import Postgres
from siege import Siege, judge_record

PREVIOUS = os.environ.get("CARILLON_PREVIOUS_BIN") or binary()
NEXT = binary() if os.environ.get("CARILLON_PREVIOUS_BIN") else str(build_folder() / "tests" / "next" / "carillon_next")
needs_postgres = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")


def start(instance, program):
    instance.program = program
    return instance.start()


def roll(instance, program):
    """As an operator upgrades one: it ends in order, and the other program starts in its place."""
    assert instance.stop() == 0
    return start(instance, program)


def started(instance):
    return instance.metrics()["carillon_engine_attempts_started_total"]


def running_versions(instance):
    return {i["version"] for i in instance.api.get("/instances").json()}


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def stored_version(postgres):
    return int(postgres.ask("SELECT value FROM carillon.meta WHERE key = 'schema_version'")[0][0])


def migration_waits(session):
    """Whether one stands in the queue for a table now, and all work with that table behind it."""
    return session.ask("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'") == ["t"]


def watch_migration(session, seconds):
    """How often one came to stand in the queue, and for which share of the time, from the first time on."""
    wait_until(lambda: migration_waits(session), "the migration waits", 60)
    before, last, times, stood = True, time.monotonic(), 1, 0
    end = last + seconds
    while last < end:
        time.sleep(0.005)  # between two looks, not to be the load itself
        waits, now = migration_waits(session), time.monotonic()
        stood += (now - last) * (waits + before) / 2
        times += waits and not before
        before, last = waits, now
    return times, stood / (last - (end - seconds))


@pytest.fixture
def make(make_carillon):
    def one(program, **settings):
        return start(make_carillon(start=False, **settings), program)

    return one


# --- under load ---


@needs_postgres
def test_the_previous_version_and_the_next_work_side_by_side_and_nothing_is_lost(make, postgres, counting, capsys):
    settings = {"CARILLON_DATABASE_URL": postgres.url, "CARILLON_SCHEDULER_FETCH_INTERVAL": "1s"}
    cluster = [make(PREVIOUS, **settings, CARILLON_SERVER_INSTANCE=f"node{i}") for i in range(2)]
    before = stored_version(postgres)
    siege = Siege(cluster, counting, "/after-50", seconds=10)
    siege.until(1.1)
    newer = make(NEXT, **settings, CARILLON_SERVER_INSTANCE="node2")
    assert stored_version(postgres) > before
    # Side by side: each of the three takes its share, and each sees what another registers, replaces and deletes.
    before = [started(one) for one in (*cluster, newer)]
    wait_until(lambda: all(started(one) > n for one, n in zip((*cluster, newer), before)), "all three fire", 60)
    wait_until(lambda: running_versions(cluster[0]) == {version_of(PREVIOUS), version_of(NEXT)}, "both versions are there")
    for one, other in ((cluster[0], newer), (newer, cluster[1])):
        made = one.api.register(definition(counting.url + "/beside", "delay", "1000", one.folder.name))
        again = definition(counting.url + "/beside", "now", "", one.folder.name)
        assert other.api.register(again)["id"] == made["id"]
        one.api.wait_finished(made["id"])
        assert other.api.delete(f"/schedules/{made['id']}").status == 200 == newer.api.get("/readyz").status
    siege.until(5.1)
    roll(cluster[0], NEXT)
    siege.until(7.1)
    roll(cluster[1], NEXT)
    assert len(counting.arrivals("/beside")) == 2
    siege.extra("/beside")
    doubles = siege.finish(newer.api)
    with capsys.disabled():
        print(siege.account(doubles), end="")
    assert doubles == {}
    judge_record(postgres, siege)
    assert running_versions(newer) == {version_of(NEXT)}


@needs_postgres
def test_a_migration_that_waits_for_a_long_reader_holds_up_the_others_for_a_small_share_of_the_time(
    make, make_carillon, postgres, receiver
):
    older = make(PREVIOUS, CARILLON_DATABASE_URL=postgres.url)
    before = stored_version(postgres)
    newer = make_carillon(start=False, CARILLON_DATABASE_URL=postgres.url)
    # As pg_dump does for hours. The migration cannot go on, and whoever came after it would stand behind it.
    with postgres.session() as reader, postgres.session() as watch, concurrent.futures.ThreadPoolExecutor(1) as beside:
        reader.ask("BEGIN; SELECT count(*) FROM carillon.run")
        starts = beside.submit(start, newer, NEXT)
        times, share = watch_migration(watch, 10)
        assert times > 2, "it is tried again"
        assert share < 0.25, f"all work stood still for {share:.0%} of the time"
        for i in range(3):
            older.api.register(definition(f"{receiver.url}/{i}", "now", "", f"k{i}"))
            receiver.wait_for(1, f"/{i}", 30)
        assert not starts.done() and stored_version(postgres) == before
        reader.ask("COMMIT")
        starts.result(60)
    assert stored_version(postgres) > before
    assert older.api.get("/readyz").status == 200 == newer.api.get("/readyz").status


@needs_postgres
def test_the_previous_version_is_refused_by_the_next_ones_schema_and_says_why(make, make_carillon, postgres):
    settings = {"CARILLON_DATABASE_URL": postgres.url}
    newer = make(NEXT, **settings)
    with pytest.raises(AssertionError, match="was made by a newer one"):
        start(make_carillon(start=False, **settings), PREVIOUS)
    assert newer.api.get("/readyz").status == 200


def test_a_file_of_the_previous_version_is_taken_over_by_the_next_under_load(make, counting):
    one = make(PREVIOUS)
    siege = Siege([one], counting, "/after-50", seconds=8)
    siege.until(2.1)
    roll(one, NEXT)
    siege.until(5.1)
    # Once more, by a crash this time: what it was at is done again, and only that.
    with siege.fault("kill -9"):
        one.kill9()
        one.start()
    siege.finish(one.api)
    before = one.api.get("/schedules", query={"limit": 1}).json()
    assert one.stop() == 0
    with pytest.raises(AssertionError, match="was made by a newer one"):
        start(one, PREVIOUS)
    assert start(one, NEXT).api.get("/schedules", query={"limit": 1}).json() == before


# --- what earlier versions left ---


def by_path(receiver):
    """How often what came, each key of a path once."""
    found = {}
    for request in receiver.requests():
        found.setdefault(request.path, []).append(request.key)
    assert all(len(set(keys)) == len(keys) for keys in found.values()), found
    return {path: len(keys) for path, keys in found.items()}


def pays_what_is_owed(one, receiver):
    wait_until(lambda: by_path(receiver) == OWED, f"{OWED} come")
    for path in ("/retrying", "/running"):
        assert receiver.requests(path)[0].headers["Carillon-Attempt"] == "2"
    known = {s["client"]["key"]: s for s in one.api.get("/schedules").json()}
    assert known.keys() >= {p.strip("/") for p in (*OWED, *SILENT)}
    for path in (*OWED, *SILENT):
        assert known[path.strip("/")]["task"]["connection"]["host"] == receiver.url + path
    assert known["paused"]["state"] == "paused"
    # What waited for somebody is not forgotten, and can still be done.
    assert one.api.post(f"/schedules/{known['paused']['id']}/resume").status == 200
    dead = one.api.get("/runs", query={"state": "dead"}).json()
    assert [r["schedule_id"] for r in dead] == [known["dead"]["id"]]
    assert one.api.post(f"/runs/{dead[0]['id']}/redrive").status in (200, 202)
    wait_until(lambda: by_path(receiver) == {**OWED, **dict.fromkeys(SILENT, 1)}, "those come too")
    for path in (*OWED, *SILENT):
        one.api.wait_finished(known[path.strip("/")]["id"])
    made = one.api.register(definition(receiver.url + "/new", "now", "", "date"))
    assert made["id"] == known["date"]["id"], "the same identity"
    one.api.wait_finished(made["id"])


@pytest.mark.parametrize("program", ["this", "next"])
@pytest.mark.parametrize("version", versions("sqlite"))
def test_a_file_of_an_earlier_version_is_opened_and_what_it_owes_is_paid(make_carillon, receiver, version, program):
    one = make_carillon(start=False)
    with sqlite3.connect(one.folder / "carillon.db") as base:
        base.executescript(text_of("sqlite", version, receiver.url))
    base.close()
    pays_what_is_owed(start(one, binary() if program == "this" else NEXT), receiver)


@needs_postgres
@pytest.mark.parametrize("program", ["this", "next"])
@pytest.mark.parametrize("version", versions("postgres"))
def test_a_database_of_an_earlier_version_is_taken_over_and_what_it_owes_is_paid(make, postgres, receiver, version, program):
    postgres.ask(text_of("postgres", version, receiver.url))
    assert stored_version(postgres) == version
    one = make(binary() if program == "this" else NEXT, CARILLON_DATABASE_URL=postgres.url)
    pays_what_is_owed(one, receiver)


def test_every_earlier_version_of_a_file_is_kept_for_this_test(make_carillon):
    one = make_carillon()
    with sqlite3.connect(one.folder / "carillon.db") as base:
        now = int(base.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()[0])
    base.close()
    assert set(range(1, now)) <= set(versions("sqlite")), "write it by old_databases.py with the binary before the migration"


@needs_postgres
def test_every_earlier_version_of_a_database_is_kept_for_this_test(make, postgres):
    make(binary(), CARILLON_DATABASE_URL=postgres.url)
    now = stored_version(postgres)
    assert set(range(1, now)) <= set(versions("postgres")), "write it by old_databases.py with the binary before the migration"
