"""carillon export and import: schedules change their database and nothing is fired twice, lost or laid bare by it."""

import datetime
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import uuid

import pytest

from harness import PATIENCE, binary, clean_environment, definition, run_cli, wait_until
from postgres_peer import Postgres
from receiver import answer, hold

pytestmark = pytest.mark.skipif(not Postgres.available(), reason="postgresql is not installed")

SECRETS = {"CARILLON_SECRETS_HOOK": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def database(path):
    return f"sqlite:{path}"


def export(url, *more, env=None):
    done = run_cli("export", "--database", url, *more, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bring(url, text, *more, env=None, status=0):
    """import from standard input; the report."""
    done = run_cli("import", "--database", url, "--json", "-", *more, stdin=text, env=env)
    assert done.returncode == status, done.stderr + done.stdout
    return json.loads(done.stdout) if done.stdout else None


def body_of(text):
    """All lines but the header, which says when and by whom."""
    header, rest = text.split("\n", 1)
    assert json.loads(header)["format"] == 1
    return rest


def lines_of(text, kind):
    return [line[kind] for line in map(json.loads, text.strip().split("\n")) if kind in line]


def header():
    return json.dumps({"carillon": "export", "format": 1})


def end():
    return json.dumps({"end": {}})


def at(seconds, since="2030-01-01T00:00:00"):
    moment = datetime.datetime.fromisoformat(since) + datetime.timedelta(seconds=seconds)
    return moment.isoformat() + "Z"


def line(number, key=None, **members):
    """A schedule's line, its id made of its number; `members` go over the definition."""
    return json.dumps({
        "schedule": {
            "id": str(uuid.UUID(int=(0x019AB2C57D4E7000 << 64) + (0x8000 << 48) + number)),
            "version": 1 + number % 5,
            "created_at": at(0, "2026-01-01T00:00:00"),
            "updated_at": at(number % 1000, "2026-01-01T00:00:00"),
            "state": "active",
            "next_at": at(number),
            "occurs_at": at(number),
            "started_at": at(0, "2026-01-01T00:00:00"),
            "runs": number % 7,
            "definition": {
                **definition("http://127.0.0.1:9/x", "cron", "0 0 1 1 *", key or f"k{number}"),
                **members,
            },
        }
    }, separators=(",", ":"))


def run_line(of, number=1, **members):
    """A run's line, behind its schedule's."""
    schedule = json.loads(of)["schedule"]
    return json.dumps({
        "run": {
            "id": str(uuid.UUID(int=uuid.UUID(schedule["id"]).int + (number << 70))),
            "schedule_id": schedule["id"],
            "version": schedule["version"],
            "scheduled_at": at(-number),
            "state": "dead",
            "attempt": 3,
            "failures": 3,
            **members,
        }
    }, separators=(",", ":"))


def file_of(*lines):
    return "\n".join([header(), *lines, end()]) + "\n"


# --- everything comes along ---


def random_definition(rng, i):
    kind = rng.choice(["cron", "delay-recur", "delay", "date"])
    schedule = {"cron": rng.choice(["0 0 1 1 *", "30 H H(0-7) * * *", "0 9 15W * mon#1"]), "delay-recur": "86400.5",
                "delay": str(rng.randint(50_000, 99_999)), "date": "2031-02-03T04:05:06.789"}[kind]
    task = {
        "rest": {"type": "rest", "connection": {"host": rng.choice(["http://user:pa%20ss@127.0.0.1:9/ü?q=1", "http://127.0.0.1:9/"]),
                                                "headers": {"Authorization": f"Bearer tok-{i}", "X-Plain": "é中\t!"}},
                 "method": rng.choice(["POST", "PUT"]), "sign": "hook"},
        "kafka": {"type": "kafka", "connection": {"host": "127.0.0.1:9", "topic": "t-ü", "headers": {"a": "b"},
                                                  "config": {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
                                                             "sasl.username": "me", "sasl.password": f"s3cret{i}"}}},
        "redis": {"type": "redis", "connection": {"host": f"redis://u:pw{i}@127.0.0.1:9/3", "topic": "채널",
                                                  "mode": rng.choice(["publish", "stream", "list"])}},
    }[rng.choice(["rest", "kafka", "redis"])]
    maybe = {
        "data": rng.choice([None, {"deep": [1, 2.5, -0.0, 1e300, {"ключ": "значение \u2028 \" \\ \u0001"}]}, "text", [True, None]]),
        "history_check": rng.choice([True, False]),
        "failed_policy": rng.choice(["ignore", "retry", "retry_dlq"]),
        "retry_wait": rng.choice([1, 0.5, 600]),
        "retry_wait_max": 700,
        "retry_backoff": 1.5,
        "retry_for": 3600,
        "max_retry_count": rng.choice([-1, 0, 7]),
        "timeout": 3.25,
        "body": rng.choice(["data", "event"]),
    }
    task |= {k: v for k, v in maybe.items() if rng.random() < 0.6}
    beside = {
        "timezone": rng.choice(["UTC", "America/New_York", "Asia/Seoul"]),
        "start_at": "2026-01-01T00:00:00",
        "end_at": "2040-01-01T00:00:00Z",
        "max_runs": 12,
        "jitter": 30,
        "misfire": rng.choice(["once", "all", "skip"]),
        "max_lateness": 60,
        "overlap": rng.choice(["skip", "allow", "queue", "replace"]),
        "paused": rng.choice([True, False]),
    }
    client = {"operation": f"op,#{i}", "application": rng.choice(["chef", "솔루션", "a,b"]), "group": "", "key": f"키 \"{i}\" \\", "type": "t"}
    return {"name": f"이름 {i} 😀", "client": client, "type": kind, "schedule": schedule, "task": task,
            **{k: v for k, v in beside.items() if rng.random() < 0.5}}


def test_what_goes_from_sqlite_to_postgresql_and_back_is_the_same_to_the_letter(make_carillon, postgres, tmp_path):
    rng = random.Random(1123)
    source = make_carillon(**SECRETS)
    definitions = [random_definition(rng, i) for i in range(150)]
    results = source.api.post("/schedules/batch", definitions).json()
    assert all(r["status"] == 201 for r in results), [r for r in results if r["status"] != 201][:3]
    for r in results[:20]:
        source.api.post(f"/schedules/{r['id']}/pause")
    for r in results[:10]:
        source.api.post(f"/schedules/{r['id']}/resume")
    listed = source.api.get("/schedules?limit=1000").json()
    assert source.stop() == 0
    first = export(source.environment()["CARILLON_DATABASE_URL"], env=SECRETS)
    assert len(lines_of(first, "schedule")) == 150
    assert {s["id"] for s in lines_of(first, "schedule")} == {s["id"] for s in listed}

    report = bring(postgres.url, first, env=SECRETS)
    assert report == {"dry_run": False, "registered": 150, "replaced": 0, "skipped": 0, "refused": 0, "runs": 0}
    second = export(postgres.url, env=SECRETS)
    assert body_of(second) == body_of(first)
    bring(database(tmp_path / "back.db"), second, env=SECRETS)
    assert body_of(export(database(tmp_path / "back.db"), env=SECRETS)) == body_of(first)

    # What the API tells of them is the same too.
    moved = make_carillon(CARILLON_DATABASE_URL=postgres.url, **SECRETS)
    assert moved.api.get("/schedules?limit=1000").json() == listed


# What a mover must know of each table. A column that is new belongs into the file (src/move/line.c), or here with why not.
MOVED = {
    "schedule": {"id", "hash", "version", "created_at", "updated_at", "operation", "application", "client_group", "client_key",
                 "client_type", "name", "definition"},
    "timer": {"id", "state", "next_at", "occurs_at", "started_at", "runs", "missed_coalesced", "missed_overlap", "missed_misfire",
              "missed_late", "missed_paused", "missed_window", "last_state", "last_at",
              "finished_at"},  # begins anew
    "run": {"id", "schedule_id", "version", "scheduled_at", "due_at", "state", "attempt", "failures", "doomed", "owed", "started_at",
            "ended_at", "took_us", "status", "error", "by_hand_at", "label",
            "lease_owner", "lease_token", "lease_until", "replaced"},  # of a holder, which it has none any more
}


def test_no_column_is_forgotten(postgres, tmp_path):
    bring(postgres.url, file_of(line(1)))
    bring(database(tmp_path / "c.db"), file_of(line(1)))
    sqlite = sqlite3.connect(tmp_path / "c.db")
    for table, known in MOVED.items():
        columns = postgres.ask(f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'carillon' AND table_name = '{table}'")
        assert {c for (c,) in columns} == known, table
        # The embedded store has a row number, and says "owed" by the column `doomed`.
        own = {row[1] for row in sqlite.execute(f"PRAGMA table_info({table})")}
        assert own | {"owed", "replaced"} == known | {"owed", "replaced"} | ({"n"} if table == "schedule" else set()), table
    sqlite.close()


def test_secrets_are_delivered_after_the_move(make_carillon, postgres, receiver):
    source = make_carillon()
    asked = definition(receiver.url + "/s", "cron", "0 0 1 1 *", "secret")
    asked["task"]["connection"]["headers"] = {"Authorization": "Bearer deep-secret", "Cookie": "a=b"}
    made = source.api.register(asked)
    assert source.stop() == 0
    bring(postgres.url, export(source.environment()["CARILLON_DATABASE_URL"]))
    moved = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    assert moved.api.post(f"/schedules/{made['id']}/trigger").status == 202
    (request,) = receiver.wait_for(1, "/s")
    assert request.headers["Authorization"] == "Bearer deep-secret"
    assert request.headers["Cookie"] == "a=b"


def test_a_run_that_is_retrying_goes_on_and_a_dead_one_can_be_redriven(make_carillon, postgres, receiver):
    for path in ("/retry", "/dead", "/recur"):
        receiver.rule(path, answer(503))
    source = make_carillon()
    retry = {"failed_policy": "retry", "retry_wait": 2, "history_check": True}
    going = source.api.register(definition(receiver.url + "/retry", "now", "", "r", task=retry))
    dead = source.api.register(definition(receiver.url + "/dead", "now", "", "d",
                                          task={"failed_policy": "retry_dlq", "max_retry_count": 0}))
    recur = source.api.register(definition(receiver.url + "/recur", "delay-recur", "0.1", "c",
                                           task={"failed_policy": "retry", "retry_wait": 3600}))
    for made, state in ((going, "retrying"), (dead, "dead"), (recur, "retrying")):
        wait_until(lambda made=made: [r["state"] for r in source.api.runs(made["id"])][:1] == [state], state)
    before = {made["id"]: source.api.runs(made["id"])[0] for made in (going, dead, recur)}
    assert source.stop() == 0
    text = export(source.environment()["CARILLON_DATABASE_URL"])
    assert sorted(r["state"] for r in lines_of(text, "run")) == ["dead", "retrying", "retrying"]
    attempts = max(r["attempt"] for r in lines_of(text, "run") if r["schedule_id"] == going["id"])
    assert bring(postgres.url, text)["runs"] == 3

    for path in ("/retry", "/dead", "/recur"):
        receiver.rule(path, answer(200))
    receiver.clear()
    moved = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    (request,) = receiver.wait_for(1, "/retry", timeout=PATIENCE)
    scheduled_at = before[going["id"]]["scheduled_at"]
    assert request.key.startswith(f"{going['id']}/")
    assert request.headers["Carillon-Scheduled-At"] == scheduled_at
    assert request.headers["Carillon-Run-Id"] == before[going["id"]]["id"]
    assert int(request.headers["Carillon-Attempt"]) == attempts + 1
    moved.api.wait_finished(going["id"])
    assert [r["state"] for r in moved.api.runs(recur["id"])] == ["retrying"]
    assert moved.api.runs(recur["id"])[0]["id"] == before[recur["id"]]["id"]
    # The history of the run goes on under the schedule's name.
    assert wait_until(lambda: [e for e in moved.api.get(f"/schedules/{going['id']}/history").json() if e["kind"] == "succeeded"])
    assert moved.api.post(f"/runs/{before[dead['id']]['id']}/redrive").status in (200, 202)
    (again,) = receiver.wait_for(1, "/dead", timeout=PATIENCE)
    assert again.headers["Carillon-Run-Id"] == before[dead["id"]]["id"]


# --- interrupted and repeated ---


def many_lines(count):
    lines = []
    for i in range(count):
        lines.append(line(i))
        if i % 10 == 0:
            lines += [run_line(lines[-1], n) for n in range(3)]
    return file_of(*lines)


def import_and_kill(url, path, begun):
    """kill -9 when some of it is there and not all; gives how much was."""
    with subprocess.Popen([binary(), "import", "--database", url, str(path)], env=clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        n = wait_until(begun, "a part is imported", timeout=PATIENCE * 3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return n


def test_an_import_that_was_killed_and_is_repeated_gives_the_same(postgres, tmp_path):
    text = many_lines(20000)
    path = tmp_path / "many.jsonl"
    path.write_text(text)
    whole = database(tmp_path / "whole.db")
    report = bring(whole, text)
    assert (report["registered"], report["runs"]) == (20000, 6000)

    def begun():
        there = postgres.ask("SELECT 1 FROM pg_tables WHERE schemaname = 'carillon' AND tablename = 'timer'")
        return there and int(postgres.ask("SELECT count(*) FROM carillon.schedule")[0][0])

    first = import_and_kill(postgres.url, path, begun)
    left = int(postgres.ask("SELECT count(*) FROM carillon.schedule")[0][0])
    assert first <= left < 20000, "it was too quick to be killed half-way"
    report = bring(postgres.url, text)
    assert report["skipped"] == left
    assert report["registered"] == 20000 - left
    assert body_of(export(postgres.url)) == body_of(export(whole))
    # And once more changes nothing.
    report = bring(postgres.url, text)
    assert (report["skipped"], report["registered"], report["runs"]) == (20000, 0, 0)
    counted = dict(postgres.ask("SELECT state, sum(n) FROM carillon.tally GROUP BY state"))
    assert counted == {"0": "20000"}


def test_more_runs_of_one_schedule_than_fit_a_batch_come_whole(postgres, tmp_path):
    one = line(1)
    text = file_of(line(0), one, *(run_line(one, n) for n in range(1, 5001)), line(2))
    report = bring(postgres.url, text)
    assert (report["registered"], report["runs"]) == (3, 5000)
    bring(database(tmp_path / "x.db"), text)
    assert body_of(export(postgres.url)) == body_of(export(database(tmp_path / "x.db")))
    report = bring(postgres.url, text, "--on-conflict", "replace")
    assert report["replaced"] == 3
    assert int(postgres.ask("SELECT count(*) FROM carillon.run")[0][0]) == 5000


def peak_kib(arguments, **more):
    """The most memory that a run of the command line took."""
    # A sanitizer keeps freed memory back; how much of it is not what is measured.
    env = clean_environment(ASAN_OPTIONS="quarantine_size_mb=1:" + os.environ.get("ASAN_OPTIONS", ""))
    process = subprocess.Popen([binary(), *arguments], env=env, stderr=subprocess.DEVNULL, **more)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss


def test_memory_does_not_grow_with_the_number_of_schedules(tmp_path):
    peaks = {}
    for count in (5_000, 100_000):
        path = tmp_path / f"{count}.jsonl"
        with path.open("w") as out:
            out.write(header() + "\n")
            for i in range(count):
                out.write(line(i) + "\n")
            out.write(end() + "\n")
        url = database(tmp_path / f"{count}.db")
        back = tmp_path / f"{count}.back"
        brought = peak_kib(["import", "--database", url, str(path)], stdout=subprocess.DEVNULL)
        written = peak_kib(["export", "--database", url, "--output", str(back)])
        peaks[count] = (brought, written)
        with back.open() as lines:
            assert sum(1 for _ in lines) == count + 2
    for few, many in zip(peaks[5_000], peaks[100_000]):
        assert many < few + 16 * 1024, peaks


# --- what is in the way ---


def test_what_is_there_is_skipped_replaced_or_ends_the_import(postgres, tmp_path):
    for url in (postgres.url, database(tmp_path / "c.db")):
        bring(url, file_of(line(1), line(2), run_line(line(2))))
        # The same id with another client, and the same client with another id; and one that is in nobody's way.
        text = file_of(line(1, "other"), line(3, "k2", name="newer"), run_line(line(3, "k2")), line(4))
        before = body_of(export(url))
        bring(url, text, "--on-conflict", "fail", status=1)
        assert body_of(export(url)) == before, "nothing of a batch that failed is left"
        report = bring(url, text)
        assert (report["registered"], report["skipped"], report["runs"]) == (1, 2, 0)
        assert [s["definition"]["client"]["key"] for s in lines_of(export(url), "schedule")] == ["k1", "k2", "k4"]
        report = bring(url, text, "--on-conflict", "replace")
        assert (report["replaced"], report["registered"], report["runs"]) == (3, 0, 1)
        now = lines_of(export(url), "schedule")
        assert [s["definition"]["client"]["key"] for s in now] == ["other", "k2", "k4"]
        assert now[1]["definition"]["name"] == "newer"
        # The dead run of a schedule that went is still to be seen, as after any deletion, and moves too.
        runs = lines_of(export(url), "run")
        assert {r["schedule_id"] for r in runs} == {json.loads(line(n))["schedule"]["id"] for n in (2, 3)}
        again = database(tmp_path / f"again{len(url)}.db")
        bring(again, export(url))
        assert body_of(export(again)) == body_of(export(url))


def test_a_schedule_twice_in_one_file_is_one(tmp_path):
    url = database(tmp_path / "t.db")
    report = bring(url, file_of(line(1), line(1), line(2, "k1")))
    assert (report["registered"], report["skipped"]) == (1, 2)
    report = bring(url, file_of(line(1), line(2, "k1")), "--on-conflict", "replace")
    assert report["replaced"] == 2
    assert [s["id"] for s in lines_of(export(url), "schedule")] == [json.loads(line(2))["schedule"]["id"]]


def test_what_is_refused_is_told_with_line_and_member_and_the_others_go_on(tmp_path):
    url = database(tmp_path / "r.db")
    bad_state = json.loads(line(5))
    bad_state["schedule"]["state"] = "sleeping"
    strange = json.loads(line(6))
    strange["schedule"]["priority"] = 1
    lines = [
        line(1),
        line(2, schedule="0 0 30 2 *"),
        "{\"schedule\":",
        line(3, task={"type": "rest", "connection": {"hst": "http://x/"}}),
        json.dumps(bad_state),
        json.dumps(strange),
        run_line(line(99), state="retrying", due_at=at(0)),
        line(7, timezone="Asia/Seul"),
        line(8, task={"type": "rest", "connection": {"host": "http://x/", "headers": {"Authorization": "***"}}}),
        "",
        line(9),
    ]
    done = run_cli("import", "--database", url, "--json", "-", stdin=file_of(*lines))
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["registered"], report["refused"]) == (2, 8)
    told = dict(re.findall(r"^carillon: line (\d+): ([^\s:]*)", done.stderr, re.M))
    assert told == {
        "3": "/schedule/definition/schedule",
        "4": "column",
        "5": "/schedule/definition/task/connection/host",
        "6": "/schedule/state",
        "7": "/schedule/priority",
        "8": "/run/schedule_id",
        "9": "/schedule/definition/timezone",
        "10": "/schedule/definition/task/connection/headers/Authorization",
    }
    assert "Asia/Seul" in done.stderr
    assert [s["definition"]["client"]["key"] for s in lines_of(export(url), "schedule")] == ["k1", "k9"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("{}\n", "no export of Carillon's"),
        (json.dumps({"carillon": "export", "format": 2}) + "\n", "/format: this release reads format 1 alone"),
        (line(1) + "\n", "it has no header"),
        ("\x00\x01\x02", "no export of Carillon's"),
        (header() + "\n" + line(1) + "\n", "the file has no end: it was cut short"),
        (header() + "\n" + line(1) + "\n" + line(2)[:200], "the file has no end: it was cut short"),
    ],
)
def test_a_file_that_is_none_or_not_whole_is_told(tmp_path, text, said):
    done = run_cli("import", "--database", database(tmp_path / "n.db"), "-", stdin=text)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_line_without_end_takes_no_memory_to_speak_of(tmp_path):
    path = tmp_path / "long.jsonl"
    with path.open("w") as out:
        out.write(header() + "\n")
        for _ in range(160):
            out.write("x" * (1 << 20))
        out.write("\n" + line(1) + "\n" + end() + "\n")
    done = run_cli("import", "--database", database(tmp_path / "l.db"), str(path))
    assert done.returncode == 1
    assert "line 2: is longer than 67108864 bytes" in done.stderr
    assert done.stdout.startswith("registered 1, ")


# --- files that somebody has changed ---


def test_a_run_that_waited_for_one_that_was_filtered_out_is_started(make_carillon, postgres, receiver, tmp_path):
    for url in (postgres.url, database(tmp_path / "w.db")):
        receiver.clear()
        one = line(1, overlap="queue", task={"type": "rest", "connection": {"host": receiver.url + "/queued"}})
        later = line(2)
        waiting = run_line(one, 2, state="pending", attempt=0, failures=0)
        # Its predecessor is gone; the one behind it and the other schedule's, whose predecessor is there, wait on.
        last = run_line(one, 1, state="pending", attempt=0, failures=0)
        going = run_line(later, 2, state="retrying", due_at=at(0))
        behind = run_line(later, 1, state="pending", attempt=0, failures=0)
        bring(url, file_of(one, last, waiting, later, behind, going))
        runs = {r["id"]: r for r in lines_of(export(url), "run")}
        assert "due_at" in runs[json.loads(waiting)["run"]["id"]]
        assert "due_at" not in runs[json.loads(last)["run"]["id"]]
        assert "due_at" not in runs[json.loads(behind)["run"]["id"]]
        instance = make_carillon(CARILLON_DATABASE_URL=url)
        first, second = receiver.wait_for(2, "/queued", timeout=PATIENCE)
        assert first.headers["Carillon-Run-Id"] == json.loads(waiting)["run"]["id"]
        assert second.headers["Carillon-Run-Id"] == json.loads(last)["run"]["id"]
        assert instance.stop() == 0


def test_of_more_runs_than_fit_a_batch_the_first_that_waits_is_started(tmp_path):
    url = database(tmp_path / "m.db")
    one = line(1)
    bring(url, file_of(one, *(run_line(one, n, state="pending", attempt=0, failures=0) for n in range(1, 4501))))
    due = [r["scheduled_at"] for r in lines_of(export(url), "run") if "due_at" in r]
    assert due == [at(-4500)]


def test_a_schedule_that_would_end_without_what_is_to_come_is_refused(tmp_path):
    url = database(tmp_path / "s.db")

    def changed(number, **members):
        made = json.loads(line(number, **members.pop("definition", {})))
        made["schedule"].update(members)
        made["schedule"] = {k: v for k, v in made["schedule"].items() if v is not None}
        return json.dumps(made)

    once = {"type": "date", "schedule": "2031-01-01T00:00:00Z"}
    recur = {"type": "delay-recur", "schedule": "86400"}
    lines = [
        changed(1, occurs_at=None),
        changed(2, occurs_at=None, next_at=None),
        changed(3, occurs_at=None, definition=once, runs=0),
        changed(4, occurs_at=None, next_at=None, definition=once, runs=0),
        changed(5, occurs_at=None, next_at=None, state="paused"),
        # What is so between a run's end and the next step.
        changed(6, occurs_at=None, definition=recur),
        changed(7, occurs_at=None, next_at=None, definition=recur),
        changed(8, occurs_at=None, definition=once, runs=1),
        changed(9, occurs_at=None, definition={"max_runs": 2}, runs=2),
        changed(10, occurs_at=None, definition={"end_at": "2026-02-01T00:00:00Z"}),
    ]
    expected = {"2": "/schedule/occurs_at", "3": "/schedule/next_at", "4": "/schedule/occurs_at",
                "5": "/schedule/next_at", "6": "/schedule/occurs_at"}
    for more in (("--dry-run",), ()):
        done = run_cli("import", "--database", url, "--json", "-", *more, stdin=file_of(*lines))
        assert done.returncode == 1
        assert dict(re.findall(r"^carillon: line (\d+): ([^\s:]*)", done.stderr, re.M)) == expected
        assert json.loads(done.stdout)["registered"] == 5


def test_runs_of_a_schedule_whose_line_is_refused_do_not_come_alone(tmp_path):
    url = database(tmp_path / "l.db")
    strange = json.loads(line(1))
    strange["schedule"]["priority"] = 1
    lines = [json.dumps(strange), run_line(line(1)), line(2)[:-1], run_line(line(2)), line(3), run_line(line(3)), run_line(line(4))]
    done = run_cli("import", "--database", url, "--json", "-", stdin=file_of(*lines))
    assert done.returncode == 1
    told = dict(re.findall(r"^carillon: line (\d+): ([^\s:]*)", done.stderr, re.M))
    assert told == {"2": "/schedule/priority", "4": "column", "5": "/run/schedule_id"}
    # Of one that was deleted where it comes from, a dead run comes as it always did.
    of = [r["schedule_id"] for r in lines_of(export(url), "run")]
    assert of == [json.loads(line(n))["schedule"]["id"] for n in (3, 4)]


def test_a_count_that_is_as_large_as_can_be_is_refused_or_stays(make_carillon, tmp_path):
    url = database(tmp_path / "n.db")
    one = json.loads(line(1, schedule="* * * * * *", misfire="skip"))
    one["schedule"]["next_at"] = one["schedule"]["occurs_at"] = "2026-01-02T00:00:00Z"
    one["schedule"]["missed"] = {"misfire": 2**63 - 1}
    done = run_cli("import", "--database", url, "-", stdin=file_of(json.dumps(one)))
    assert done.returncode == 1
    assert "line 2: /schedule/missed/misfire: " in done.stderr
    one["schedule"]["missed"] = {"misfire": 2**62 - 1}
    bring(url, file_of(json.dumps(one)))
    instance = make_carillon(CARILLON_DATABASE_URL=url)
    wait_until(lambda: instance.api.get("/schedules").json()[0]["missed"]["misfire"] > 2**62, "it is counted on")
    assert instance.stop() == 0


# --- two of one client within one file ---


def test_a_dry_run_knows_what_came_before_in_the_same_file(postgres, tmp_path):
    lines = file_of(line(1), line(2, "k1"), line(3), line(1, "k4"), line(5))
    changed = file_of(line(1, "other"), line(7, "k1"), line(2, "k3"))
    for url in (database(tmp_path / "d.db"), postgres.url):
        for text in (lines, changed):
            for how in ("skip", "replace"):
                dry = bring(url, text, "--dry-run", "--on-conflict", how)
                assert {**dry, "dry_run": False} == bring(url, text, "--on-conflict", how), (url, how)
            bring(url, file_of(line(1), line(1)), "--dry-run", "--on-conflict", "fail", status=1)
    new = database(tmp_path / "new.db")
    done = run_cli("import", "--database", new, "--dry-run", "-", "--on-conflict", "fail", stdin=file_of(line(1), line(2, "k1")))
    assert done.returncode == 1
    assert "line 3" in done.stderr


def test_what_is_skipped_is_named_up_to_a_bound(tmp_path):
    url = database(tmp_path / "b.db")
    text = file_of(*(line(i) for i in range(150)), line(200, "k7"))
    for more in (("--dry-run",), ()):
        done = run_cli("import", "--database", url, "-", *more, stdin=text)
        assert done.returncode == 0
        assert f"line 152 is skipped: its client has schedule {json.loads(line(7))['schedule']['id']}" in done.stderr
    done = run_cli("import", "--database", url, "-", stdin=text)
    assert len(re.findall(r"line \d+ is skipped: there is a schedule", done.stderr)) == 100
    assert "and 51 more are skipped" in done.stderr


# --- nothing is written, nothing is shown ---


def test_a_dry_run_writes_nothing_and_tells_what_would_be(postgres, tmp_path):
    text = file_of(line(1), run_line(line(1)), line(2, schedule="x"))
    path = tmp_path / "sub" / "none.db"
    for url in (database(path), postgres.url):
        report = bring(url, text, "--dry-run", status=1)
        assert report == {"dry_run": True, "registered": 1, "replaced": 0, "skipped": 0, "refused": 1, "runs": 1}
    assert not path.parent.exists()
    assert postgres.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'carillon'") == []

    there = tmp_path / "there.db"
    for url in (database(there), postgres.url):
        bring(url, file_of(line(1)))
        before = body_of(export(url))
        digest = hashlib.sha256(there.read_bytes()).digest()
        more = file_of(line(1), line(3))
        assert bring(url, more, "--dry-run")["skipped"] == 1
        assert bring(url, more, "--dry-run", "--on-conflict", "replace")["replaced"] == 1
        bring(url, more, "--dry-run", "--on-conflict", "fail", status=1)
        assert body_of(export(url)) == before
        assert hashlib.sha256(there.read_bytes()).digest() == digest


def test_a_database_that_was_killed_is_looked_at_and_left_as_it_is(make_carillon):
    source = make_carillon()
    made = source.api.register(definition("http://127.0.0.1:9/", "cron", "0 0 1 1 *", "killed"))
    source.kill9()
    url = source.environment()["CARILLON_DATABASE_URL"]
    path = pathlib.Path(url.removeprefix("sqlite:"))
    wal = path.with_name(path.name + "-wal")

    def state():
        return [hashlib.sha256(p.read_bytes()).digest() for p in (path, wal)]

    path.with_name(path.name + "-shm").unlink()
    before = state()
    (there,) = lines_of(export(url), "schedule")
    assert there["id"] == made["id"]
    assert state() == before
    bring(url, file_of(line(1)), "--dry-run")
    assert state() == before


def test_an_export_is_readable_by_its_owner_alone_and_appears_whole(tmp_path):
    url = database(tmp_path / "e.db")
    bring(url, file_of(line(1)))
    path = tmp_path / "out.jsonl"
    os.umask(0)
    try:
        export(url, "--output", path)
    finally:
        os.umask(0o022)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    whole = path.read_text()
    done = run_cli("export", "--database", database(tmp_path / "absent.db"), "--output", path)
    assert done.returncode == 1
    assert "there is no database" in done.stderr
    assert path.read_text() == whole
    assert sorted(p.name for p in tmp_path.iterdir() if "jsonl" in p.name) == ["out.jsonl"]
    assert not (tmp_path / "absent.db").exists()
    done = run_cli("export", "--database", url, "--output", "/dev/null")
    assert done.returncode == 1
    assert "is no file" in done.stderr


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_an_export_that_is_killed_leaves_no_file(tmp_path, by):
    try:
        os.close(os.open(tmp_path, os.O_TMPFILE | os.O_RDWR))
    except OSError:
        if by == signal.SIGKILL:
            pytest.skip("this file system has no files without name")
    path = tmp_path / "out.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x"
        # Whoever runs the tests may ignore signals (nohup does), and what is ignored stays so.
        with subprocess.Popen([binary(), "export", "--database", url, "--output", str(path)], env=clean_environment(),
                              preexec_fn=lambda: signal.signal(by, signal.SIG_DFL) if by != signal.SIGKILL else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()  # the file is open, and the database does not answer
            process.send_signal(by)
            process.communicate(timeout=PATIENCE)
            connection.close()
    assert process.returncode == -by
    assert list(tmp_path.iterdir()) == []


def test_an_export_goes_where_a_link_leads(tmp_path):
    url = database(tmp_path / "e.db")
    bring(url, file_of(line(1)))
    target = tmp_path / "target.jsonl"
    target.write_text("old")
    link = tmp_path / "link.jsonl"
    link.symlink_to("target.jsonl")
    export(url, "--output", link)
    assert link.is_symlink()
    assert len(lines_of(target.read_text(), "schedule")) == 1


def test_a_terminal_gets_no_secrets_unless_asked(tmp_path):
    url = database(tmp_path / "e.db")
    secret = {"type": "rest", "connection": {"host": "http://x/", "headers": {"Authorization": "Bearer deep"}}}
    bring(url, file_of(line(1, task=secret)))

    def on_terminal(*more):
        ours, theirs = pty.openpty()
        done = subprocess.run([binary(), "export", "--database", url, *more], env=clean_environment(), stdout=theirs,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE * 3)
        os.set_blocking(ours, False)
        os.close(theirs)
        try:
            shown = os.read(ours, 100_000).decode()
        except (BlockingIOError, OSError):
            shown = ""
        os.close(ours)
        return done, shown

    done, shown = on_terminal()
    assert (done.returncode, shown) == (2, "")
    assert "--without-secrets" in done.stderr
    done, shown = on_terminal("--with-secrets")
    assert done.returncode == 0
    assert "Bearer deep" in shown
    done, shown = on_terminal("--without-secrets")
    assert done.returncode == 0
    assert "Bearer" not in shown
    assert '"Authorization":"***"' in shown


# --- beside a service at work ---


def test_a_service_on_sqlite_can_be_exported_while_it_runs_but_not_imported_into(carillon, receiver):
    for i in range(20):
        carillon.api.register(definition(receiver.url, "cron", "* * * * * *", f"k{i}"))
    receiver.wait_for(20, timeout=PATIENCE)
    url = carillon.environment()["CARILLON_DATABASE_URL"]
    text = export(url)
    assert len(lines_of(text, "schedule")) == 20
    done = run_cli("import", "--database", url, "-", stdin=text)
    assert done.returncode == 1
    assert "another process has this database open" in done.stderr
    count = len(receiver.requests())
    receiver.wait_for(count + 20, timeout=PATIENCE)


def test_what_is_imported_beside_instances_is_told_to_them(make_carillon, postgres, receiver, tmp_path):
    # An instance that looks for itself only every hour.
    make_carillon(CARILLON_DATABASE_URL=postgres.url, CARILLON_SCHEDULER_FETCH_INTERVAL="3600s")
    one = json.loads(line(1, task={"type": "rest", "connection": {"host": receiver.url + "/told"}}))
    one["schedule"]["next_at"] = one["schedule"]["occurs_at"] = "2026-01-02T00:00:00Z"
    bring(postgres.url, file_of(json.dumps(one)))
    (request,) = receiver.wait_for(1, "/told", timeout=PATIENCE)
    assert request.headers["Carillon-Schedule-Id"] == one["schedule"]["id"]


def test_what_has_an_attempt_under_way_is_not_replaced(make_carillon, postgres, receiver):
    done = threading.Event()
    receiver.rule("/held", hold(done))
    instance = make_carillon(CARILLON_DATABASE_URL=postgres.url)
    made = instance.api.register(definition(receiver.url + "/held", "now", "", "h", task={"timeout": 60}))
    receiver.wait_for(1, "/held", timeout=PATIENCE)
    one = json.loads(line(1, "h"))
    one["schedule"]["id"] = made["id"]
    ran = run_cli("import", "--database", postgres.url, "--on-conflict", "replace", "-", stdin=file_of(json.dumps(one), line(2)))
    assert ran.returncode == 1
    assert "line 2: an attempt of the schedule that is there is under way" in ran.stderr
    assert ran.stdout.startswith("registered 1, replaced 0, skipped 0, refused 1;")
    done.set()
    instance.api.wait_finished(made["id"])
    assert bring(postgres.url, file_of(json.dumps(one)), "--on-conflict", "replace")["replaced"] == 1
    assert instance.api.schedule(made["id"])["type"] == "cron"


def test_an_export_waits_for_whoever_reads_it(postgres):
    """PostgreSQL ends idle transactions after 5 s where Carillon's instances are meant; a pipe may stall for longer."""
    bring(postgres.url, file_of(*(line(i) for i in range(5000))))
    with subprocess.Popen([binary(), "export", "--database", postgres.url], env=clean_environment(), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        stalled = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND clock_timestamp() - state_change > '6 s'"
        wait_until(lambda: postgres.ask(stalled), "it stalls for longer than that", timeout=PATIENCE * 3)
        out, said = process.communicate(timeout=PATIENCE * 3)
    assert process.returncode == 0, said
    assert len(lines_of(out, "schedule")) == 5000


def test_times_of_another_release_of_the_zones_are_computed_anew(tmp_path):
    url = database(tmp_path / "z.db")
    one = json.loads(line(1, timezone="Asia/Seoul"))
    one["schedule"]["next_at"] = one["schedule"]["occurs_at"] = "2030-12-31T14:00:00Z"  # an hour off
    old = json.dumps({"carillon": "export", "format": 1, "tzdata": "1999z"})
    bring(url, "\n".join([old, json.dumps(one), end()]) + "\n")
    (there,) = lines_of(export(url), "schedule")
    if json.loads(export(url).splitlines()[0])["tzdata"]:  # a database that tells its release
        assert there["next_at"].endswith("-12-31T15:00:00Z")


# --- from the service before ---

PAYLOAD = {
    "name": "bbb",
    "client": {"operation": "op#1", "application": "chef", "group": "system", "key": "12345678", "type": "scheduler"},
    "type": "cron",
    "schedule": "30 * * * * *",
    "timezone": "Asia/Seoul",
    "task": {
        "type": "rest",
        "connection": {"host": "http://localhost:3000/api/unstable/run-scenario/DELAY-TEST-9",
                       "headers": {"Content-Type": "application/json", "accept": "*/*", "Authorization": "Bearer ..."}},
        "data": {"instanceName": "delay-test-999", "variables": {}},
        "history_check": False,
        "failed_policy": "retry",
        "retry_wait": 60,
    },
}


def payload(key, kind, schedule="", **task):
    made = json.loads(json.dumps(PAYLOAD))
    made |= {"name": key, "type": kind, "schedule": schedule}
    made["client"]["key"] = key
    made["task"] |= task
    return made


def quoted(value):
    return "'" + (value if isinstance(value, str) else json.dumps(value)).replace("'", "''") + "'"


def queue(postgres, rows, table="schedule_queue", types=("text", "text", "timestamp", "json")):
    columns = ", ".join(f"{n} {t}" for n, t in zip(("id", "name", "next_schedule", "payload"), types))
    postgres.ask(f"DROP TABLE IF EXISTS {table}")
    postgres.ask(f"CREATE TABLE {table} ({columns})")
    for row_id, name, next_schedule, content in rows:
        when = "NULL" if next_schedule is None else quoted(next_schedule)
        postgres.ask(f"INSERT INTO {table} VALUES ({quoted(row_id)}, {quoted(name)}, {when}, {quoted(content)})")


def from_queue(url, source, *more, status=0):
    done = run_cli("import", "--database", url, "--from-queue", source, "--json", *more)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_table_of_the_service_before_is_registered(make_carillon, postgres, receiver, tmp_path):
    ids = {key: str(uuid.uuid4()) for key in ("cron", "delay", "date", "recur", "passed", "event")}
    to = {"connection": {"host": receiver.url + "/passed"}, "data": {"a": 1}}
    rows = [
        (ids["cron"], "cron", "2031-01-01 00:00:30", payload("cron", "cron", "30 * * * * *")),
        (ids["delay"], "delay", "2031-01-02 03:04:05.678901", payload("delay", "delay", "50")),
        (ids["date"], "date", "2031-01-03 00:00:00", payload("date", "date", "2031-01-03T09:00:00")),
        (ids["recur"], "recur", "2031-01-04 00:00:00", payload("recur", "delay-recur", "50")),
        (ids["passed"], "passed", "2024-01-01 00:00:00", payload("passed", "date", "2024-01-01T09:00:00", **to)),
        ("17", "numbered", "2031-01-05 00:00:00", payload("numbered", "delay", 50)),
        # What is broken.
        ("b1", "unknown member", "2031-01-01", {**payload("b1", "delay", "5"), "priority": 3}),
        ("b2", "bad cron", "2031-01-01", payload("b2", "cron", "99 * * * *")),
        ("b3", "bad zone", "2031-01-01", {**payload("b3", "delay", "5"), "timezone": "Asiz/Seoul"}),
        ("b4", "no object", "2031-01-01", [1]),
        ("b5", "two faults", "2031-01-01", payload("b5", "cron", "x", type="smoke")),
    ]
    queue(postgres, rows)
    url = database(tmp_path / "new.db")
    dry, _ = from_queue(url, postgres.url, "--dry-run", status=1)
    assert dry == {"dry_run": True, "registered": 6, "replaced": 0, "skipped": 0, "refused": 5, "runs": 0}
    assert not (tmp_path / "new.db").exists()
    report, said = from_queue(url, postgres.url, status=1)
    assert report == {**dry, "dry_run": False}
    for row, member in (("b1", "payload/priority"), ("b2", "payload/schedule"), ("b3", "payload/timezone"),
                        ("b4", "payload"), ("b5", "payload/schedule"), ("b5", "payload/task/type")):
        assert f"carillon: row {row}: {member}: " in said

    there = {s["definition"]["name"]: s for s in lines_of(export(url), "schedule")}
    assert {name: s["id"] for name, s in there.items() if name in ids} == {k: v for k, v in ids.items() if k in there}
    assert set(there) == {"cron", "delay", "date", "recur", "passed", "numbered"}
    assert there["delay"]["next_at"] == "2031-01-02T03:04:05.678901Z"
    assert there["date"]["next_at"] == "2031-01-03T00:00:00Z"
    assert there["recur"]["next_at"] == "2031-01-04T00:00:00Z"
    assert there["numbered"]["definition"]["schedule"] == "50"
    assert there["cron"]["definition"]["task"]["body"] == "event"
    assert there["cron"]["definition"]["task"]["connection"]["headers"]["Authorization"] == "Bearer ..."
    # Again: nothing is doubled, also where the id had to be made.
    again, _ = from_queue(url, postgres.url, status=1)
    assert (again["registered"], again["skipped"]) == (0, 6)

    # What should have fired while it moved fires at once, with the body that its target knows.
    make_carillon(CARILLON_DATABASE_URL=url)
    (request,) = receiver.wait_for(1, "/passed", timeout=PATIENCE)
    assert request.headers["Carillon-Schedule-Id"] == ids["passed"]
    sent = request.json()
    assert sent["client"] == payload("passed", "date")["client"]
    assert sent["task"]["data"] == {"a": 1}


def test_a_row_without_an_identifier_of_its_own_keeps_the_one_it_was_given(make_carillon, postgres, tmp_path):
    queue(postgres, [("17", "n", "2031-01-05 00:00:00", payload("n", "delay", "50", history_check=True))])
    url = database(tmp_path / "new.db")
    from_queue(url, postgres.url)
    (first,) = lines_of(export(url), "schedule")
    postgres.ask("UPDATE schedule_queue SET next_schedule = '2031-01-06'")
    report, _ = from_queue(url, postgres.url, "--on-conflict", "replace")
    assert report["replaced"] == 1
    (again,) = lines_of(export(url), "schedule")
    assert again["id"] == first["id"]
    assert again["next_at"] == "2031-01-06T00:00:00Z"
    # The history knows of both.
    moved = make_carillon(CARILLON_DATABASE_URL=url)
    kinds = wait_until(lambda: len(e := moved.api.get(f"/schedules/{first['id']}/history").json()) == 2 and e, "two events")
    assert [e["kind"] for e in kinds] == ["updated", "registered"]


def test_a_cron_that_was_due_while_it_moved_fires_once(make_carillon, postgres, receiver, tmp_path):
    row = payload("daily", "cron", "0 0 * * *", connection={"host": receiver.url + "/daily"})
    queue(postgres, [(str(uuid.uuid4()), "daily", "2026-01-01 15:00:00", row)])
    url = database(tmp_path / "new.db")
    from_queue(url, postgres.url, "--body", "data")
    moved = make_carillon(CARILLON_DATABASE_URL=url)
    (request,) = receiver.wait_for(1, "/daily", timeout=PATIENCE)
    assert request.json() == PAYLOAD["task"]["data"]
    (there,) = moved.api.get("/schedules").json()
    assert there["missed"]["coalesced"] > 100
    assert len(receiver.requests("/daily")) == 1


@pytest.mark.parametrize(
    ("types", "when", "more", "expected"),
    [
        (("uuid", "varchar(255)", "timestamptz", "jsonb"), "2031-01-02 03:04:05.5+09", (), "2031-01-01T18:04:05.500Z"),
        (("uuid", "text", "timestamp", "text"), "2031-01-02 03:04:05", ("--timezone", "Asia/Seoul"), "2031-01-01T18:04:05Z"),
        (("uuid", "text", "bigint", "json"), "1925000000", (), "2031-01-01T02:13:20Z"),
        (("uuid", "text", "bigint", "json"), "1925000000123", (), "2031-01-01T02:13:20.123Z"),
        (("uuid", "text", "double precision", "json"), "1925000000.25", (), "2031-01-01T02:13:20.250Z"),
        (("uuid", "text", "numeric", "json"), "1925000000.25", (), "2031-01-01T02:13:20.250Z"),
        (("uuid", "text", "date", "json"), "2031-01-02", ("--timezone", "Asia/Seoul"), "2031-01-01T15:00:00Z"),
        (("uuid", "text", "text", "json"), " 1925000000.25", (), "2031-01-01T02:13:20.250Z"),
        (("uuid", "text", "text", "json"), "2031-01-02T03:04:05.5+09", (), "2031-01-01T18:04:05.500Z"),
        (("uuid", "text", "varchar(50)", "json"), "2031-01-02 03:04:05", ("--timezone", "Asia/Seoul"), "2031-01-01T18:04:05Z"),
    ],
)
def test_columns_may_have_other_types(postgres, tmp_path, types, when, more, expected):
    postgres.ask("CREATE SCHEMA IF NOT EXISTS \"Old one\"")
    queue(postgres, [(str(uuid.uuid4()), "x", when, payload("x", "delay", "50"))], '"Old one".queue', types)
    url = database(tmp_path / "new.db")
    from_queue(url, postgres.url, "--table", "Old one.queue", *more)
    (there,) = lines_of(export(url), "schedule")
    assert there["next_at"] == expected


@pytest.mark.parametrize(
    ("kind", "good", "odd"),
    [
        ("timestamp", "2031-01-02", ["infinity", "-infinity", "294276-12-31 23:59:59", "0044-03-15 BC"]),
        ("timestamptz", "2031-01-02", ["infinity", "-infinity", "294276-12-31 00:00:00Z"]),
        ("date", "2031-01-02", ["infinity", "-infinity", "5874897-12-31"]),
        ("text", "2031-01-02", ["infinity", "tomorrow", "", "x", "2031-13-45", "2031-99999999999", "1e400", "-5", "9" * 15, "99" * 99,
                                "294276-12-31 23:59:59", "9999-12-31 23:59:59-14", "?"]),
        ("numeric", "1925000000", ["NaN", "Infinity", "-1", "1e100000"]),
        ("double precision", "1925000000", ["NaN", "Infinity", "-Infinity", "1e308", "-1e308"]),
        ("bigint", "1925000000", [str(2**63 - 1), str(-2**63)]),
    ],
)
def test_a_time_that_is_none_is_its_rows_fault_alone(postgres, tmp_path, kind, good, odd):
    rows = [("a", "a", good, payload("a", "delay", "50"))]
    rows += [(f"b{i:03}", "b", when, payload(f"b{i}", "delay", "50")) for i, when in enumerate(odd)]
    rows += [("c", "c", good, payload("c", "delay", "50")), ("d", "d", None, payload("d", "delay", "50"))]
    queue(postgres, rows, types=("text", "text", kind, "json"))
    url = database(tmp_path / "new.db")
    report, said = from_queue(url, postgres.url, status=1)
    assert (report["registered"], report["refused"]) == (3, len(odd)), said
    for i in range(len(odd)):
        assert f"carillon: row b{i:03}: next_schedule: is no time from 1970 to 9999" in said
    there = {s["definition"]["name"]: s["next_at"] for s in lines_of(export(url), "schedule")}
    assert there["a"] == there["c"]
    assert there["a"].startswith("2031-01-0")


def test_two_rows_of_one_client_are_told_by_a_dry_run_too(postgres, tmp_path):
    rows = [(str(uuid.uuid4()), "n", "2031-01-05", payload(key, "delay", "50")) for key in ("a", "b", "a")] + [
        ("17", "n", "2031-01-05", payload("b", "delay", "50"))]
    queue(postgres, rows)
    url = database(tmp_path / "new.db")
    for how in ("skip", "replace"):
        dry, told = from_queue(url, postgres.url, "--dry-run", "--on-conflict", how)
        report, said = from_queue(url, postgres.url, "--on-conflict", how)
        assert {**dry, "dry_run": False} == report
        if how == "skip":
            assert len(re.findall(r"row \S+ is skipped: its client has schedule", said)) == 2
            assert len(re.findall(r"row \S+ is skipped: its client has schedule", told)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--table", "nowhere"], "does not exist"),
        (["--table", "a.b.c"], "is no table or schema.table"),
        (["--table", "x\"; DROP TABLE keep; --"], "does not exist"),
        (["--timezone", "Nowhere/'"], "TimeZone"),
    ],
)
def test_a_table_that_is_not_there_is_told(postgres, tmp_path, arguments, said):
    queue(postgres, [])
    postgres.ask("CREATE TABLE IF NOT EXISTS keep (n int)")
    done = run_cli("import", "--database", database(tmp_path / "n.db"), "--from-queue", postgres.url, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert postgres.ask("SELECT 1 FROM pg_tables WHERE tablename = 'keep'") == [["1"]]


def test_a_wrong_url_is_not_repeated_with_its_password(tmp_path):
    done = run_cli("import", "--database", database(tmp_path / "n.db"), "--from-queue", "postgresql://u:deep secret@[x/db")
    assert done.returncode == 1
    assert "deep" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import"], "missing: FILE"),
        (["import", "x", "--from-queue", "postgresql://"], "either a file or --from-queue"),
        (["import", "x", "--on-conflict", "maybe"], "--on-conflict must be"),
        (["import", "x", "--table", "t"], "--table goes with --from-queue"),
        (["import", "--from-queue", "u", "--body", "x"], "--body must be"),
        (["export", "--with-secrets", "--without-secrets"], "either"),
        (["export", "--database", ""], "--database is empty"),
    ],
)
def test_a_wrong_command_line_is_status_2_and_says_what(arguments, said):
    done = run_cli(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_database_that_cannot_be_is_told_as_any_setting(tmp_path):
    done = run_cli("export", "--database", "mysql://x", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("carillon: --database: ")
    done = run_cli("import", "absent.jsonl", "--database", database(pathlib.Path("x.db")), cwd=tmp_path)
    assert done.returncode == 1
    assert "absent.jsonl: cannot open the file" in done.stderr
