"""History: every event of a schedule with history_check, in a database of its own that may go away."""

import collections
import datetime
import json
import os
import re
import sqlite3
import time
import urllib.parse

import pytest

from harness import definition, run_cli, wait_until
from postgres_peer import Postgres
from receiver import answer, hold

LONG = 90
EVERY_SECOND = ("cron", "* * * * * *")


@pytest.fixture(scope="module")
def postgres():
    if not Postgres.available():
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture
def history_server():
    if not Postgres.available():
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.stop()


def kept(url, kind="now", schedule="", key="1", **members):
    task = {"history_check": True, **members.pop("task", {})}
    return definition(url, kind, schedule, key, task=task, **members)


def register(server, what):
    got = server.api.post("/schedules", what)
    assert got.status in (200, 201), got
    return got.json()["id"]


def page(server, path, **query):
    got = server.api.get(path, query=query)
    assert got.status == 200, got
    return got


def history(server, path="/history", **query):
    """All events, oldest first, over all pages."""
    found = []
    query = {"limit": 500, **query}
    while True:
        got = page(server, path, **query)
        found += got.json()
        link = re.search(r'<[^?]*\?([^>]*)>; rel="next"', got.headers.get("Link") or "")
        if not link:
            return found[::-1]
        query = dict(urllib.parse.parse_qsl(link[1]))


def kinds(events):
    return [e["kind"] + (f"({e['reason']})" if "reason" in e else "") for e in events]


def wait_for_kinds(server, schedule_id, expected):
    path = f"/schedules/{schedule_id}/history"
    wait_until(lambda: kinds(history(server, path)) == expected, f"the events {expected}", LONG)
    return history(server, path)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# --- what is told -------------------------------------------------------------------------------------------


def test_a_schedules_life_is_told(carillon, receiver):
    receiver.script("/flaky", answer(500, body=b"not now"), answer(200, body=b'{"done": "yes"}'))
    task = {"failed_policy": "retry", "retry_wait": 0.1}
    one = register(carillon, kept(receiver.url + "/flaky", task=task))
    events = wait_for_kinds(carillon, one, ["registered", "started", "attempt_failed", "started", "succeeded"])
    assert [e["id"] for e in events] == sorted(e["id"] for e in events)
    failed, succeeded = events[2], events[4]
    assert (failed["status"], failed["answer"], failed["attempt"]) == (500, "not now", 1)
    assert failed["error"] == "HTTP 500"
    assert (succeeded["status"], succeeded["answer"], succeeded["attempt"]) == (200, '{"done": "yes"}', 2)
    assert succeeded["name"] == "test 1" and succeeded["client"]["application"] == "tests"
    assert succeeded["duration_ms"] > 0 and instant(succeeded["at"]) >= instant(failed["at"])
    assert receiver.requests("/flaky")[0].key == f"{one}/{failed['scheduled_at']}"


def test_what_is_done_by_hand_is_told(carillon, receiver):
    one = register(carillon, kept(receiver.url, "cron", "0 0 1 1 *"))
    for act in ("pause", "resume", "trigger"):
        assert carillon.api.post(f"/schedules/{one}/{act}", {}).status in (200, 202)
    receiver.wait_for(1)
    wait_for_kinds(carillon, one, ["registered", "paused", "resumed", "triggered", "started", "succeeded"])
    register(carillon, kept(receiver.url, "cron", "0 0 1 2 *"))
    assert carillon.api.delete(f"/schedules/{one}").status == 200
    # They outlive the schedule.
    wait_for_kinds(
        carillon, one, ["registered", "paused", "resumed", "triggered", "started", "succeeded", "updated", "deleted"]
    )


def test_a_dead_run_and_what_becomes_of_it_is_told(carillon, receiver):
    receiver.script("/", answer(500), answer(500), answer(500))
    task = {"failed_policy": "retry_dlq", "max_retry_count": 0}
    one = register(carillon, kept(receiver.url + "/", task=task))
    run = wait_until(lambda: [r for r in carillon.api.runs(one) if r["state"] == "dead"], "a dead run")[0]
    assert carillon.api.post(f"/runs/{run['id']}/redrive", {}).status in (200, 202)
    wait_for_kinds(carillon, one, ["registered", "started", "dead", "redriven", "started", "dead"])
    assert carillon.api.delete(f"/runs/{run['id']}").status == 200
    wait_for_kinds(carillon, one, ["registered", "started", "dead", "redriven", "started", "dead", "discarded"])


def test_an_occurrence_that_is_skipped_is_told_with_its_time(carillon, receiver):
    import threading

    open_again = threading.Event()
    receiver.rule("/slow", lambda _: hold(open_again))
    one = register(carillon, kept(receiver.url + "/slow", *EVERY_SECOND, task={"timeout": 60}))
    path = f"/schedules/{one}/history"
    try:
        skipped = wait_until(lambda: [e for e in history(carillon, path, kind="skipped")][:2], "skipped", LONG)
    finally:
        open_again.set()
    assert [e["reason"] for e in skipped] == ["overlap"] * len(skipped)
    started = history(carillon, path, kind="started")[0]
    assert instant(skipped[0]["scheduled_at"]) == instant(started["scheduled_at"]) + 1


def test_schedules_without_history_leave_nothing(carillon, receiver):
    one = register(carillon, definition(receiver.url))
    carillon.api.wait_finished(one)
    other = register(carillon, kept(receiver.url, key="2"))
    wait_for_kinds(carillon, other, ["registered", "started", "succeeded"])
    assert history(carillon, f"/schedules/{one}/history") == []


def test_lists_are_filtered_and_paged_newest_first(carillon, receiver):
    first = register(carillon, kept(receiver.url, key="1"))
    wait_for_kinds(carillon, first, ["registered", "started", "succeeded"])
    second = register(carillon, kept(receiver.url, key="2"))
    wait_for_kinds(carillon, second, ["registered", "started", "succeeded"])
    everything = history(carillon)
    assert len(everything) == 6
    assert history(carillon, limit=1) == everything
    assert page(carillon, "/history", limit=1).json() == [everything[-1]]
    assert history(carillon, kind="registered") == [e for e in everything if e["kind"] == "registered"]
    assert history(carillon, kind="started") == [e for e in everything if e["kind"] == "started"]
    assert history(carillon, schedule=first) == [e for e in everything if e["schedule_id"] == first]
    between = everything[2]["at"]
    assert history(carillon, **{"from": between}) == [e for e in everything if e["at"] >= between]
    assert history(carillon, to=between) == [e for e in everything if e["at"] < between]
    for wrong in ({"kind": "eaten"}, {"from": "yesterday"}, {"to": "2026-01-01T00:00:00"}, {"schedule": "x"}):
        got = carillon.api.get("/history", query=wrong)
        assert got.status == 422 and list(wrong)[0] in json.dumps(got.json()["errors"]), got


def test_old_events_are_removed(make_carillon, receiver):
    server = make_carillon(CARILLON_RETENTION_HISTORY="3s", CARILLON_RETENTION_EVERY="1s")
    one = register(server, kept(receiver.url))
    wait_for_kinds(server, one, ["registered", "started", "succeeded"])
    wait_until(lambda: history(server) == [], "nothing left", LONG)


def test_the_command_line_shows_it(carillon, receiver):
    one = register(carillon, kept(receiver.url))
    wait_for_kinds(carillon, one, ["registered", "started", "succeeded"])
    done = run_cli("history", one, url=carillon.url)
    assert done.returncode == 0, done.stderr
    assert "succeeded" in done.stdout and "registered" in done.stdout
    as_json = run_cli("history", "--kind", "succeeded", "--json", url=carillon.url)
    assert [e["kind"] for e in json.loads(as_json.stdout)] == ["succeeded"]


# --- no secret in it ----------------------------------------------------------------------------------------


def test_what_hidden_headers_carry_is_in_no_event(make_carillon, receiver):
    marker = "s3cr3t-marker-0123456789"
    quoted = 'mark"er\\quoted-98765'
    server = make_carillon(CARILLON_DELIVERY_HIDDEN_HEADERS="X-Mine", CARILLON_LOG_LEVEL="debug")

    def echo(request):
        told = {name: value for name, value in request.headers.items()}
        text = json.dumps(told) + " bare " + marker + " " + "x" * 3000 + marker + "y" * 2000
        return answer(500, body=text.encode())

    receiver.rule("/echo", echo)
    headers = {"Authorization": f"Bearer {marker}", "X-Mine": quoted, "X-Plain": "plain-value"}
    url = receiver.url.replace("http://", "http://user:pass-word-xyz@")
    one = register(server, kept(url + "/echo", task={"connection": {"host": url + "/echo", "headers": headers}}))
    events = wait_for_kinds(server, one, ["registered", "started", "failed"])
    text = json.dumps(events)
    assert "plain-value" in text and "***" in text
    assert len(events[2]["answer"].encode()) <= 4096
    files = b"".join(p.read_bytes() for p in server.folder.glob("history.db*"))
    for secret in (marker, marker[:16], "quoted-98765", "pass-word-xyz", "dXNlcjpwYXNzLXdvcmQteHl6"):
        assert secret not in text
        assert secret.encode() not in files
        assert secret not in server.log_text()


def test_a_secret_at_the_cut_is_not_shown_in_part(carillon, receiver):
    marker = "s3cr3t-marker-0123456789"
    receiver.rule("/cut", lambda _: answer(200, body=("x" * (4096 - 10) + marker).encode()))
    headers = {"Authorization": marker}
    one = register(
        carillon, kept(receiver.url, task={"connection": {"host": receiver.url + "/cut", "headers": headers}})
    )
    events = wait_for_kinds(carillon, one, ["registered", "started", "succeeded"])
    assert events[2]["answer"].rstrip("*") == "x" * (4096 - 10)


def test_whatever_bytes_a_target_answers_reach_the_history(carillon, receiver):
    everything = bytes(range(256))
    receiver.rule("/bytes", lambda _: answer(200, body=everything))
    one = register(carillon, kept(receiver.url + "/bytes"))
    events = wait_for_kinds(carillon, one, ["registered", "started", "succeeded"])
    told = events[2]["answer"]
    assert told[0] == "\ufffd" and told[1:128] == everything[1:128].decode()
    assert set(told[128:]) == {"\ufffd"}


# --- a history database that goes away ----------------------------------------------------------------------


def fired(receiver, path):
    return [r.key for r in receiver.requests(path)]


def check_lateness(requests, most=5.0):
    late = [r.at - instant(r.key.split("/")[1]) for r in requests]
    assert max(late) < most, f"a run was {max(late)} s late"


def check_history(servers, ids, receiver, path):
    """Every request's run succeeded exactly once, and nothing is told that did not happen."""
    for one in ids:
        for server in servers:
            server.api.post(f"/schedules/{one}/pause", {})
            break
    wait_until(lambda: all(not [r for r in servers[0].api.runs(i, state="running")] for i in ids), "no run is open", LONG)
    wait_until(lambda: not any(degraded(s) for s in servers), "ready", LONG)
    expected = collections.Counter(fired(receiver, path))

    def succeeded():
        events = history(servers[0], kind="succeeded")
        return collections.Counter(f"{e['schedule_id']}/{e['scheduled_at']}" for e in events)

    wait_until(lambda: succeeded() == expected, "each run once in the history", LONG)
    everything = history(servers[0])
    ids_seen = [e["id"] for e in everything]
    assert len(ids_seen) == len(set(ids_seen))
    started = collections.Counter(f"{e['schedule_id']}/{e['scheduled_at']}" for e in everything if e["kind"] == "started")
    assert set(started.values()) == {1} and set(started) >= set(expected)
    wait_until(lambda: sum(s.metrics()["carillon_history_outbox_events"] for s in servers) == 0, "an empty outbox")


def load(server, receiver, n=10, path="/load"):
    return [register(server, kept(receiver.url + path, *EVERY_SECOND, key=str(k))) for k in range(n)]


def degraded(server):
    got = server.api.get("/readyz")
    return got.status == 200 and got.json()["status"] == "degraded"


def test_a_locked_history_file_delays_no_run_and_loses_no_event(carillon, receiver):
    ids = load(carillon, receiver)
    receiver.wait_for(20, "/load", LONG)
    lock = sqlite3.connect(carillon.folder / "history.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        before = len(receiver.requests("/load"))
        wait_until(lambda: degraded(carillon), "degraded", LONG)
        receiver.wait_for(before + 60, "/load", LONG)
        got = carillon.api.get("/history")
        if got.status != 200:
            assert got.status == 503 and "history database" in got.json()["detail"], got
        assert carillon.metrics()["carillon_history_outbox_events"] > 0
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    check_history([carillon], ids, receiver, "/load")
    check_lateness(receiver.requests("/load"))
    wait_until(lambda: not degraded(carillon), "ready", LONG)


def test_a_history_folder_that_is_missing_at_the_start_delays_nothing(make_carillon, receiver, tmp_path):
    in_the_way = tmp_path / "taken"
    in_the_way.write_text("no folder")
    server = make_carillon(CARILLON_HISTORY_URL=f"sqlite:{in_the_way}/history.db")
    assert degraded(server)
    one = register(server, kept(receiver.url))
    receiver.wait_for(1)
    got = server.api.get(f"/schedules/{one}/history")
    assert got.status == 503 and "none is lost" in got.json()["detail"]
    os.remove(in_the_way)
    wait_until(lambda: not degraded(server), "ready", LONG)
    wait_for_kinds(server, one, ["registered", "started", "succeeded"])


def test_a_stopped_history_server_delays_no_run_and_loses_no_event(make_carillon, receiver, history_server):
    server = make_carillon(CARILLON_HISTORY_URL=history_server.url)
    ids = load(server, receiver)
    receiver.wait_for(20, "/load", LONG)
    history_server.down()
    before = len(receiver.requests("/load"))
    wait_until(lambda: degraded(server), "degraded", LONG)
    receiver.wait_for(before + 60, "/load", LONG)
    assert server.api.get("/history").status == 503
    history_server.start()
    check_history([server], ids, receiver, "/load")
    check_lateness(receiver.requests("/load"))


def test_instances_share_the_moving_and_a_stopped_history_server_harms_none(
    make_carillon, receiver, postgres, history_server
):
    settings = {
        "CARILLON_DATABASE_URL": postgres.url,
        "CARILLON_DATABASE_SCHEMA": "history_share",
        "CARILLON_HISTORY_URL": history_server.url,
        "CARILLON_RETENTION_EVERY": "1s",
    }
    servers = [make_carillon(**settings), make_carillon(**settings)]
    ids = load(servers[0], receiver)
    receiver.wait_for(20, "/load", LONG)
    history_server.down()
    before = len(receiver.requests("/load"))
    receiver.wait_for(before + 60, "/load", LONG)
    history_server.start()
    check_history(servers, ids, receiver, "/load")
    check_lateness(receiver.requests("/load"))


def test_the_default_history_on_postgresql_is_a_schema_of_its_own(make_carillon, receiver, postgres):
    server = make_carillon(
        CARILLON_DATABASE_URL=postgres.url, CARILLON_DATABASE_SCHEMA="beside", CARILLON_HISTORY_URL=""
    )
    one = register(server, kept(receiver.url))
    wait_for_kinds(server, one, ["registered", "started", "succeeded"])
    assert postgres.ask("SELECT count(*) FROM beside_history.history") == [["3"]]


# --- crashes ------------------------------------------------------------------------------------------------


def check_after_crashes(server, ids):
    """Each run that succeeded is told exactly once, however often it was sent."""
    for one in ids:
        assert server.api.post(f"/schedules/{one}/pause", {}).status == 200

    def settled():
        runs = {r["id"]: r["state"] for one in ids for r in server.api.runs(one, limit=1000)}
        return not any(state in ("pending", "running", "retrying") for state in runs.values()) and runs

    runs = wait_until(settled, "no run is open", LONG)
    expected = collections.Counter(run for run, state in runs.items() if state == "succeeded")

    def told():
        return collections.Counter(e["run_id"] for e in history(server, kind="succeeded"))

    wait_until(lambda: told() == expected, "each run once in the history", LONG)
    assert sum(expected.values()) > 20


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_killed_mover_moves_every_event_once_in_the_end(make_carillon, receiver, request, store):
    settings = {"CARILLON_SCHEDULER_LEASE": "3s"}
    if store == "postgres":
        server_url = request.getfixturevalue("postgres").url
        settings |= {
            "CARILLON_DATABASE_URL": server_url,
            "CARILLON_DATABASE_SCHEMA": "crash",
            "CARILLON_HISTORY_URL": "",
        }
    server = make_carillon(**settings)
    ids = load(server, receiver)
    for crash in range(4):
        moved = len(receiver.requests("/load"))
        receiver.wait_for(moved + 12 + crash * 3, "/load", LONG)
        server.kill9()
        server.start()
    receiver.wait_for(len(receiver.requests("/load")) + 20, "/load", LONG)
    check_after_crashes(server, ids)
