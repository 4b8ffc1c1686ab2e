"""kill -9 at any moment and a start on the same data lose no occurrence.

The receiver is the judge: it lives through every crash and counts each occurrence by its Idempotency-Key. A
second delivery is allowed only where an attempt was in flight when the process died.
"""

import datetime
import math
import time

from harness import definition, wait_until
from receiver import Answer

UTC = datetime.timezone.utc


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def register_all(api, definitions):
    answer = api.post("/schedules/batch", definitions)
    assert answer.status == 200, answer
    results = answer.json()
    assert [r["status"] for r in results] == [201] * len(definitions), results[:3]
    return [r["id"] for r in results]


def by_key(requests):
    found = {}
    for request in requests:
        assert request.key, request
        found.setdefault(request.key, []).append(request)
    return found


def check_doubles(keys, kills):
    """Each double has a kill between its deliveries, the same identity and a higher attempt. Gives their number."""
    doubles = 0
    for key, requests in keys.items():
        for first, second in zip(requests, requests[1:]):
            doubles += 1
            assert any(first.at <= kill <= second.at for kill in kills), f"{key} came twice without a crash between"
            assert first.headers["Carillon-Run-Id"] == second.headers["Carillon-Run-Id"], key
            assert first.headers["Carillon-Scheduled-At"] == second.headers["Carillon-Scheduled-At"], key
            assert int(first.headers["Carillon-Attempt"]) < int(second.headers["Carillon-Attempt"]), key
    return doubles


def kill_and_start(carillon, kills):
    carillon.kill9()
    kills.append(time.time())
    carillon.start()


def test_a_thousand_schedules_of_all_types_survive_several_kills_while_they_fire(make_carillon, receiver, capsys):
    """200 of each type. Answers take a moment, so that every kill meets attempts in flight."""
    carillon = make_carillon()
    receiver.rule("/slow", Answer(200, stall=0.02))
    url = receiver.url + "/slow"
    begin = math.ceil(time.time()) + 2
    end = begin + 8
    kinds = {
        "now": lambda i: definition(url, "now", "", f"now {i}"),
        "delay": lambda i: definition(url, "delay", f"{1 + i * 0.04:.2f}", f"delay {i}"),
        "date": lambda i: definition(url, "date", iso(begin + i * 0.04), f"date {i}"),
        # One run each whatever passed, and none is skipped: so each second within the window is owed.
        "cron": lambda i: definition(
            url, "cron", "*/4 * * * * *", f"cron {i}", start_at=iso(begin), end_at=iso(end), misfire="all", overlap="allow"
        ),
        "delay-recur": lambda i: definition(url, "delay-recur", "1", f"recur {i}", max_runs=3),
    }
    seconds = [s for s in range(begin, end + 1) if s % 4 == 0]
    owed = 200 * (3 + len(seconds) + 3)
    ids, kills = {}, []
    for kind, make in kinds.items():
        ids[kind] = register_all(carillon.api, [make(i) for i in range(200)])

    for part in (0.1, 0.3, 0.5, 0.7, 0.9):
        receiver.wait_for(int(owed * part), timeout=60)
        kill_and_start(carillon, kills)

    keys = wait_until(lambda: len(k := by_key(receiver.requests())) >= owed and k, f"{owed} occurrences", 60)
    for schedule_id in (i for kind in ids.values() for i in kind):
        carillon.api.wait_finished(schedule_id)
    keys = by_key(receiver.requests())

    assert len(keys) == owed
    came = {}
    for key in keys:
        schedule_id, scheduled_at = key.split("/", 1)
        came.setdefault(schedule_id, set()).add(instant(scheduled_at))
    for kind in ("now", "delay", "date"):
        assert all(len(came[i]) == 1 for i in ids[kind]), kind
    assert all(came[i] == set(seconds) for i in ids["cron"])
    assert all(len(came[i]) == 3 for i in ids["delay-recur"])
    doubles = check_doubles(keys, kills)
    with capsys.disabled():
        print(f" [{owed} occurrences, {len(kills)} kills, {doubles} doubles]", end="")


def test_what_was_answered_is_kept_whatever_follows(make_carillon, receiver):
    """Registered, answered, killed at once: every one of them fires after the start."""
    carillon = make_carillon()
    kills = []
    for i in range(20):
        carillon.api.register(definition(receiver.url + "/kept", "delay", "0.3", f"kept {i}"))
        kill_and_start(carillon, kills)
    keys = wait_until(lambda: len(k := by_key(receiver.requests("/kept"))) >= 20 and k, "20 occurrences")
    assert len(keys) == 20
    check_doubles(keys, kills)


def test_a_run_in_flight_at_the_kill_is_tried_again_with_the_same_identity(make_carillon, receiver):
    carillon = make_carillon()
    receiver.script("/flight", Answer(200, stall=30))
    made = carillon.api.register(definition(receiver.url + "/flight", "now"))
    receiver.wait_for(1, "/flight")
    kills = []
    kill_and_start(carillon, kills)
    first, second = receiver.wait_for(2, "/flight")
    assert check_doubles({first.key: [first, second]}, kills) == 1
    assert first.key == second.key
    carillon.api.wait_finished(made["id"])
    (run,) = carillon.api.runs(made["id"])
    assert run["state"] == "succeeded"


def test_a_retry_that_waits_survives_the_kill(make_carillon, receiver):
    carillon = make_carillon()
    receiver.script("/retry", Answer(500))
    made = carillon.api.register(
        definition(receiver.url + "/retry", "now", task={"failed_policy": "retry", "retry_wait": 1})
    )
    wait_until(lambda: [r["state"] for r in carillon.api.runs(made["id"])] == ["retrying"], "state retrying")
    carillon.kill9()
    carillon.start()
    first, second = receiver.wait_for(2, "/retry")
    assert first.key == second.key
    assert second.at - first.at >= 1
    assert (first.headers["Carillon-Attempt"], second.headers["Carillon-Attempt"]) == ("1", "2")
    carillon.api.wait_finished(made["id"])


def test_a_second_process_on_the_same_file_is_told_so(make_carillon):
    first = make_carillon()
    second = make_carillon(start=False, CARILLON_DATABASE_URL=f"sqlite:{first.folder}/carillon.db")
    try:
        second.start()
    except AssertionError as fault:
        assert "another process" in str(fault)
    else:
        raise AssertionError("two processes opened one file")
